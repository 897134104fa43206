// SPDX-License-Identifier: Apache-2.0
// What the cost measurements run on: one device with all the compute queues that are worth measuring, a kernel, and
// objects that live as long as the device. Owned by main; one thread, except that queues may be used by one thread
// each.
#pragma once

#include <vulkan/vulkan.h>

#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

namespace kronos::bench {

/// The text is one line for the user.
struct CostError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Throws CostError with `what` unless result is VK_SUCCESS.
void Must(VkResult result, const char* what);

/// Nanoseconds of a monotonic clock.
double Now();

/// Work groups of a dispatch, and invocations of a work group (spin.comp).
inline constexpr uint32_t kGroups = 16;
inline constexpr uint32_t kGroupSize = 64;
/// Independent slots in the kernel's buffer.
inline constexpr uint32_t kSlots = 1024;
/// So many of them have a descriptor set of their own.
inline constexpr uint32_t kSlotSets = 256;

class Device {
  public:
    /// `wanted` is an index or a part of a name; empty: the first GPU, or else the first device.
    explicit Device(const std::string& wanted);
    ~Device();
    Device(const Device&) = delete;
    Device& operator=(const Device&) = delete;

    VkDevice get() const { return device_; }
    VkPhysicalDevice physical() const { return physical_; }
    const VkPhysicalDeviceProperties& properties() const { return properties_; }
    const VkPhysicalDeviceDriverProperties& driver() const { return driver_; }
    const VkPhysicalDeviceMemoryProperties& memory() const { return memory_; }
    bool HasTimeline() const { return timeline_; }
    bool HasSynchronization2() const { return synchronization2_; }
    VkBuffer buffer() const { return buffer_; }

    /// Up to 4 queues of the first family with compute, and of the first with compute but no graphics (may be empty).
    const std::vector<VkQueue>& queues() const { return queues_; }
    const std::vector<VkQueue>& compute_only_queues() const { return compute_only_queues_; }
    VkQueue queue() const { return queues_.front(); }
    uint32_t family() const { return family_; }
    uint32_t compute_only_family() const { return compute_only_family_; }

    // Objects that the device destroys when it goes.
    VkFence Fence();
    VkEvent Event();
    VkSemaphore Semaphore(VkSemaphoreType type);
    VkCommandBuffer Commands(uint32_t family, uint32_t count = 1) { return CommandBuffers(family, count).front(); }
    std::vector<VkCommandBuffer> CommandBuffers(uint32_t family, uint32_t count);

    /// Begins, calls record, ends.
    static void Record(VkCommandBuffer commands, const std::function<void(VkCommandBuffer)>& record);
    void BindKernel(VkCommandBuffer commands) const;
    /// The slot alone, in place of the whole buffer; it is the kernel's slot 0 then.
    void BindSlot(VkCommandBuffer commands, uint32_t slot) const;
    /// Groups: kGroups unless given.
    void Dispatch(VkCommandBuffer commands, uint32_t slot, uint32_t iterations, uint32_t groups = kGroups) const;

    /// The first memory type with these flags; throws if there is none.
    uint32_t MemoryType(VkMemoryPropertyFlags flags) const;
    /// The first memory type with all of `wanted` and none of `unwanted`, or else with all of `wanted`;
    /// VK_MAX_MEMORY_TYPES if there is none.
    uint32_t FindMemoryType(VkMemoryPropertyFlags wanted, VkMemoryPropertyFlags unwanted) const;
    VkDeviceMemory Allocate(uint32_t type, VkDeviceSize bytes) const;

    /// One submit, and its end awaited by polling the fence, which is reset after that.
    void SubmitAndSpin(VkQueue queue, const std::vector<VkCommandBuffer>& commands, VkFence fence) const;

  private:
    void Choose(const std::string& wanted);
    void Create();
    void MakeKernel();
    void Destroy();

    VkInstance instance_ = VK_NULL_HANDLE;
    VkPhysicalDevice physical_ = VK_NULL_HANDLE;
    VkDevice device_ = VK_NULL_HANDLE;
    VkPhysicalDeviceProperties properties_ = {};
    VkPhysicalDeviceDriverProperties driver_ = {};
    VkPhysicalDeviceMemoryProperties memory_ = {};
    bool timeline_ = false;
    bool synchronization2_ = false;
    uint32_t family_ = 0;
    uint32_t compute_only_family_ = 0;
    std::vector<VkQueue> queues_;
    std::vector<VkQueue> compute_only_queues_;
    VkBuffer buffer_ = VK_NULL_HANDLE;
    VkPipelineLayout layout_ = VK_NULL_HANDLE;
    VkPipeline pipeline_ = VK_NULL_HANDLE;
    VkDescriptorSet set_ = VK_NULL_HANDLE;
    std::vector<VkDescriptorSet> slot_sets_;
    std::vector<std::function<void()>> last_in_first_out_;
};

}  // namespace kronos::bench
