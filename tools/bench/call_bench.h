// SPDX-License-Identifier: Apache-2.0
// What call_bench.cpp times: a program's device with the layer or without it, and for each hooked command a batch of
// calls (call_bench_calls.cpp). One thread.
#pragma once

#include <vulkan/utility/vk_dispatch_table.h>

#include "bench_device.h"

namespace kronos::bench {

/// Calls of a batch.
inline constexpr int kCalls = 256;

struct Subject : BenchDevice {
    BenchDeviceRequest request;
    VkuDeviceDispatchTable down{};               ///< of the main device
    VkCommandBuffer recording = VK_NULL_HANDLE;  ///< begun anew before each batch
    VkCommandBuffer secondary = VK_NULL_HANDLE;  ///< executable
    VkFence unsignaled = VK_NULL_HANDLE;
    VkFence signaled = VK_NULL_HANDLE;
    VkSemaphore timeline = VK_NULL_HANDLE;
    uint32_t host_visible = 0;               ///< a type of memory
    VkDeviceMemory memory = VK_NULL_HANDLE;  ///< of that type, mapped
    VkDescriptorSetLayout set_layout = VK_NULL_HANDLE;
    VkDescriptorPool set_pool = VK_NULL_HANDLE;
    VkDescriptorSet set = VK_NULL_HANDLE;
    VkDescriptorUpdateTemplate update_template = VK_NULL_HANDLE;
    VkPrivateDataSlot slot = VK_NULL_HANDLE;

    /// A second device, lost: what is submitted to it wakes no thread of the driver, which would be timed too.
    BenchDevice lost;
    VkuDeviceDispatchTable lost_down{};
    VkCommandBuffer lost_buffer = VK_NULL_HANDLE;

    void NewSet();
};

/// Nanoseconds a call, of a batch of calls.
namespace call {
#define COMMAND(scope, name, ...) double name(Subject& subject);
#define COUNTED(name, ...) double name(Subject& subject);
#include "entry/commands.def"
#undef COMMAND
#undef COUNTED
}  // namespace call

}  // namespace kronos::bench
