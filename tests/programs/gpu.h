// SPDX-License-Identifier: Apache-2.0
// Instance, device and entry points of a random program: what the device offers, and by which names it is called.
// Owned by main; everything is constant once made, but for the queues, whose mutex must be held for every use.
#pragma once

#include <vulkan/vulkan.h>

#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "rng.h"

namespace random_program {

// Ends the program with one line when a call fails.
void Check(VkResult result, const char* what);
#define CHECK(call) ::random_program::Check(call, #call)

// clang-format off
// Commands of every device.
#define CORE_COMMANDS(X) \
    X(GetDeviceQueue) X(DeviceWaitIdle) X(QueueWaitIdle) X(QueueSubmit) \
    X(AllocateMemory) X(FreeMemory) X(MapMemory) X(UnmapMemory) X(FlushMappedMemoryRanges) \
    X(InvalidateMappedMemoryRanges) X(CreateBuffer) X(DestroyBuffer) X(GetBufferMemoryRequirements) \
    X(BindBufferMemory) X(CreateImage) X(DestroyImage) X(GetImageMemoryRequirements) X(BindImageMemory) \
    X(CreateImageView) X(DestroyImageView) X(CreateShaderModule) X(DestroyShaderModule) \
    X(CreateDescriptorSetLayout) X(DestroyDescriptorSetLayout) X(CreatePipelineLayout) X(DestroyPipelineLayout) \
    X(CreateComputePipelines) X(DestroyPipeline) X(CreatePipelineCache) X(DestroyPipelineCache) \
    X(CreateDescriptorPool) X(DestroyDescriptorPool) X(ResetDescriptorPool) X(AllocateDescriptorSets) \
    X(FreeDescriptorSets) X(UpdateDescriptorSets) X(CreateCommandPool) X(DestroyCommandPool) X(ResetCommandPool) \
    X(AllocateCommandBuffers) X(FreeCommandBuffers) X(BeginCommandBuffer) X(EndCommandBuffer) X(ResetCommandBuffer) \
    X(CreateFence) X(DestroyFence) X(ResetFences) X(GetFenceStatus) X(WaitForFences) X(CreateSemaphore) \
    X(DestroySemaphore) X(CreateEvent) X(DestroyEvent) X(SetEvent) X(ResetEvent) X(GetEventStatus) \
    X(CreateQueryPool) X(DestroyQueryPool) X(GetQueryPoolResults) X(CmdBindPipeline) X(CmdBindDescriptorSets) \
    X(CmdPushConstants) X(CmdDispatch) X(CmdDispatchIndirect) X(CmdPipelineBarrier) X(CmdSetEvent) X(CmdResetEvent) \
    X(CmdWaitEvents) X(CmdCopyBuffer) X(CmdCopyImage) X(CmdBlitImage) X(CmdCopyBufferToImage) \
    X(CmdCopyImageToBuffer) X(CmdUpdateBuffer) X(CmdFillBuffer) X(CmdClearColorImage) X(CmdExecuteCommands) \
    X(CmdResetQueryPool) X(CmdWriteTimestamp) X(CmdCopyQueryPoolResults)

// Commands that need a version or an extension: name, suffix of the extension's name, the Way they belong to.
#define OPTIONAL_COMMANDS(X) \
    X(CmdDispatchBase, KHR, group) X(BindBufferMemory2, KHR, bind2) X(BindImageMemory2, KHR, bind2) \
    X(GetBufferMemoryRequirements2, KHR, requirements2) X(GetImageMemoryRequirements2, KHR, requirements2) \
    X(TrimCommandPool, KHR, trim) X(CreateDescriptorUpdateTemplate, KHR, templates) \
    X(DestroyDescriptorUpdateTemplate, KHR, templates) X(UpdateDescriptorSetWithTemplate, KHR, templates) \
    X(WaitSemaphores, KHR, timeline) X(SignalSemaphore, KHR, timeline) X(GetSemaphoreCounterValue, KHR, timeline) \
    X(ResetQueryPool, EXT, query_reset) X(QueueSubmit2, KHR, sync2) X(CmdPipelineBarrier2, KHR, sync2) \
    X(CmdSetEvent2, KHR, sync2) X(CmdResetEvent2, KHR, sync2) X(CmdWaitEvents2, KHR, sync2) \
    X(CmdWriteTimestamp2, KHR, sync2) X(CmdCopyBuffer2, KHR, copy2) X(CmdCopyImage2, KHR, copy2) \
    X(CmdBlitImage2, KHR, copy2) X(CmdCopyBufferToImage2, KHR, copy2) X(CmdCopyImageToBuffer2, KHR, copy2) \
    X(MapMemory2, KHR, map2) X(UnmapMemory2, KHR, map2) X(CmdPushDescriptorSet, KHR, push_descriptor) \
    X(CmdPushDescriptorSetWithTemplate, KHR, push_descriptor) X(CmdPushConstants2, KHR, maintenance6) \
    X(CmdBindDescriptorSets2, KHR, maintenance6) X(CmdPushDescriptorSet2, KHR, maintenance6) \
    X(CmdPushDescriptorSetWithTemplate2, KHR, maintenance6)
// clang-format on

// Two ways to the same commands; either, both or none may be there.
struct Way {
    bool core = false;
    bool extension = false;
    explicit operator bool() const { return core || extension; }
};

struct Features {
    Way group, bind2, requirements2, trim, templates, timeline, query_reset, sync2, copy2, map2, push_descriptor,
        maintenance6;
};

// NULL where the device lacks it.
struct Api {
#define X(name) PFN_vk##name name = nullptr;
    CORE_COMMANDS(X)
#undef X
#define X(name, suffix, way) PFN_vk##name name = nullptr;
    OPTIONAL_COMMANDS(X)
#undef X
};

struct Queue {
    VkQueue handle = VK_NULL_HANDLE;
    uint32_t lane = 0;  // index into Gpu::lanes
    std::mutex mutex;
};

// A queue family that is used.
struct Lane {
    uint32_t family = 0;
    bool graphics = false;
    bool timestamps = false;
};

// What a program may be told to leave out, because something that watches it does not understand it.
struct Avoid {
    bool simultaneous_queries = false;  // queries in command buffers for simultaneous use
    bool secondary_events = false;      // events in secondary command buffers
    bool moving_semaphores = false;     // that go from one batch to the next, after another queue has waited for them
    bool needed_barriers = false;       // makes it wrong, to show that a checker notices
};

class Gpu {
  public:
    // Uses the device of that index as vkEnumeratePhysicalDevices lists them.
    Gpu(Rng& rng, uint32_t index, const Avoid& avoid);
    ~Gpu();
    Gpu(const Gpu&) = delete;
    Gpu& operator=(const Gpu&) = delete;

    // A memory type among bits, host visible or not, chosen by chance. The type must exist for every resource that
    // the specification lets us make here.
    uint32_t PickMemoryType(Rng& rng, uint32_t bits, bool host_visible) const;

    VkDevice device = VK_NULL_HANDLE;
    Api api;
    Features features;
    Avoid avoid;
    std::string name;
    VkPhysicalDeviceLimits limits{};
    bool can_blit = false;  // R32_UINT images, on a lane with graphics
    std::deque<Queue> queues;
    std::vector<Lane> lanes;

  private:
    void CreateInstance();
    void CreateDevice(Rng& rng);
    void LoadCommands(Rng& rng);

    uint32_t version_ = 0;  // of the device, as far as the instance lets us use it
    VkInstance instance_ = VK_NULL_HANDLE;
    VkPhysicalDevice physical_ = VK_NULL_HANDLE;
    VkPhysicalDeviceMemoryProperties memory_{};
};

}  // namespace random_program
