// SPDX-License-Identifier: Apache-2.0
// What call_bench.cpp times: a program's device with the layer or without it, and for each hooked command a batch of
// calls (call_bench_calls.cpp, call_bench_objects.cpp, call_bench_record.cpp). One thread.
#pragma once

#include <vulkan/utility/vk_dispatch_table.h>

#include <array>

#include "bench_device.h"

namespace kronos::bench {

/// Calls of a batch.
inline constexpr int kCalls = 256;

/// The kernel's bindings, each a range of kRangeBytes of the same buffer; and how many sets there are for it, of which
/// no two share a byte.
inline constexpr uint32_t kBindings = 8;
inline constexpr uint32_t kKernelSets = 4;
inline constexpr VkDeviceSize kRangeBytes = 4096;

using KernelWrites = std::array<VkWriteDescriptorSet, kBindings>;

struct Subject : BenchDevice {
    BenchDeviceRequest request;
    VkuDeviceDispatchTable down{};               ///< of the main device
    VkCommandBuffer recording = VK_NULL_HANDLE;  ///< begun anew before each batch
    VkCommandBuffer secondary = VK_NULL_HANDLE;  ///< executable
    VkFence unsignaled = VK_NULL_HANDLE;
    VkFence signaled = VK_NULL_HANDLE;
    VkSemaphore timeline = VK_NULL_HANDLE;
    uint32_t host_visible = 0;                          ///< a type of memory
    VkDeviceMemory memory = VK_NULL_HANDLE;             ///< of that type, mapped
    VkDescriptorSetLayout set_layout = VK_NULL_HANDLE;  ///< the kernel's
    VkDescriptorPool set_pool = VK_NULL_HANDLE;
    VkDescriptorSet set = VK_NULL_HANDLE;  ///< of set_pool
    VkDescriptorUpdateTemplate update_template = VK_NULL_HANDLE;
    VkPrivateDataSlot slot = VK_NULL_HANDLE;

    /// A kernel (call_bench.comp) and what it is dispatched with.
    VkCommandBuffer whole = VK_NULL_HANDLE;  ///< not being recorded
    VkBuffer buffer = VK_NULL_HANDLE;
    VkDeviceMemory buffer_memory = VK_NULL_HANDLE;
    VkDescriptorBufferInfo ranges[kKernelSets * kBindings] = {};
    VkPipelineLayout layout = VK_NULL_HANDLE;
    VkShaderModule shader = VK_NULL_HANDLE;
    VkPipeline kernel = VK_NULL_HANDLE;
    VkDescriptorPool kernel_pool = VK_NULL_HANDLE;
    VkDescriptorSet kernel_sets[kKernelSets] = {};
    VkDescriptorSetLayout push_set_layout = VK_NULL_HANDLE;
    VkPipelineLayout push_layout = VK_NULL_HANDLE;
    VkDescriptorUpdateTemplate push_template = VK_NULL_HANDLE;
    VkQueryPool queries = VK_NULL_HANDLE;

    /// A second device, lost: what is submitted to it wakes no thread of the driver, which would be timed too.
    BenchDevice lost;
    VkuDeviceDispatchTable lost_down{};
    VkCommandBuffer lost_buffer = VK_NULL_HANDLE;

    /// All of the above, on a device of the request. `lost` is not lost yet.
    void MakeAll();
    void DestroyAll();

    void NewSet();
    /// What puts the ranges of the i-th kernel set into a set.
    KernelWrites WritesOf(VkDescriptorSet to, size_t i) const;
    // What the objects above are made with.
    static VkDescriptorSetLayoutCreateInfo SetLayoutInfo();
    static VkDescriptorPoolCreateInfo PoolInfo();
    VkPipelineLayoutCreateInfo LayoutInfo() const;
    static VkShaderModuleCreateInfo ShaderInfo();
    VkComputePipelineCreateInfo KernelInfo() const;
    VkDescriptorUpdateTemplateCreateInfo TemplateInfo() const;
};

/// Nanoseconds a call, of a batch of calls.
namespace call {
#define COMMAND(scope, name, ...) double name(Subject& subject);
#define COUNTED(name, ...) double name(Subject& subject);
#define PASSED(name, ...) double name(Subject& subject);
#include "entry/commands.def"
#undef COMMAND
#undef COUNTED
#undef PASSED
}  // namespace call

/// Nanoseconds a dispatch, of a recording of kCalls of them, each with a bound pipeline, a bound set, push constants
/// and a barrier: from begin to end, and the end alone.
double WholeRecording(Subject& subject);
double EndOfRecording(Subject& subject);

}  // namespace kronos::bench
