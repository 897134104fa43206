// SPDX-License-Identifier: Apache-2.0
// Counting submissions, waits and fences, and ending frames. Any thread; no locks.
#include <vulkan/utility/vk_struct_helper.hpp>

#include <span>

#include "entry/hooks.h"
#include "entry/state.h"
#include "support/clock.h"

namespace kronos {
namespace {

Device& DeviceOfQueue(VkQueue handle) {
    const Queue* queue = FindQueue(handle);
    return queue ? *queue->device : DeviceOf(handle);
}

uint64_t DispatchesOf(VkCommandBuffer handle) {
    const CommandBuffer* buffer = FindCommandBuffer(handle);
    return buffer ? buffer->dispatches : 0;
}

// VK_EXT_frame_boundary: this submission is the last of a frame.
bool EndsFrame(const Device& device, const void* chain) {
    if (!device.frame_boundary) return false;
    const auto* boundary = vku::FindStructInPNextChain<VkFrameBoundaryEXT>(chain);
    return boundary && (boundary->flags & VK_FRAME_BOUNDARY_FRAME_END_BIT_EXT);
}

struct SubmitCount {
    uint64_t infos = 0, command_buffers = 0, dispatches = 0, waits = 0, signals = 0;
    bool frame_end = false;
};

// Before the call: a thread that waits for this submit may return before the call does, and ends the frame that holds
// it.
void CountSubmit(Device& device, const SubmitCount& count) {
    Counters& counters = device.stats->counters();
    counters.Add(Counter::kSubmits);
    counters.Add(Counter::kSubmitInfos, count.infos);
    counters.Add(Counter::kCommandBuffers, count.command_buffers);
    counters.Add(Counter::kDispatchesSubmitted, count.dispatches);
    if (count.waits) counters.Add(Counter::kSemaphoreWaits, count.waits);
    if (count.signals) counters.Add(Counter::kSemaphoreSignals, count.signals);
    device.stats->OnSubmit();
}

// A host wait: `call` is the wait below. Ends a frame when it succeeded.
template <class Call>
VkResult Wait(Device& device, Call call) {
    Counters& counters = device.stats->counters();
    const uint64_t before = NowNs();
    const VkResult result = call();
    counters.Add(Counter::kWaits);
    counters.Add(Counter::kWaitNs, NowNs() - before);
    if (result == VK_SUCCESS) device.stats->OnWaitDone();
    return result;
}

}  // namespace
}  // namespace kronos

namespace kronos::hook {

VKAPI_ATTR VkResult VKAPI_CALL QueueSubmit(VkQueue queue, uint32_t info_count, const VkSubmitInfo* infos,
                                           VkFence fence) {
    Device& device = DeviceOfQueue(queue);
    SubmitCount count;
    count.infos = info_count;
    for (const VkSubmitInfo& info : std::span(infos, info_count)) {
        count.command_buffers += info.commandBufferCount;
        count.waits += info.waitSemaphoreCount;
        count.signals += info.signalSemaphoreCount;
        for (uint32_t i = 0; i < info.commandBufferCount; ++i)
            count.dispatches += DispatchesOf(info.pCommandBuffers[i]);
        count.frame_end = count.frame_end || EndsFrame(device, info.pNext);
    }
    CountSubmit(device, count);
    const VkResult result = device.down.QueueSubmit(queue, info_count, infos, fence);
    if (count.frame_end) device.stats->OnBoundary(FrameEnd::kFrameBoundary);
    return result;
}

VKAPI_ATTR VkResult VKAPI_CALL QueueSubmit2(VkQueue queue, uint32_t info_count, const VkSubmitInfo2* infos,
                                            VkFence fence) {
    Device& device = DeviceOfQueue(queue);
    SubmitCount count;
    count.infos = info_count;
    for (const VkSubmitInfo2& info : std::span(infos, info_count)) {
        count.command_buffers += info.commandBufferInfoCount;
        count.waits += info.waitSemaphoreInfoCount;
        count.signals += info.signalSemaphoreInfoCount;
        for (uint32_t i = 0; i < info.commandBufferInfoCount; ++i)
            count.dispatches += DispatchesOf(info.pCommandBufferInfos[i].commandBuffer);
        count.frame_end = count.frame_end || EndsFrame(device, info.pNext);
    }
    CountSubmit(device, count);
    const VkResult result = device.down.QueueSubmit2(queue, info_count, infos, fence);
    if (count.frame_end) device.stats->OnBoundary(FrameEnd::kFrameBoundary);
    return result;
}

VKAPI_ATTR VkResult VKAPI_CALL QueueBindSparse(VkQueue queue, uint32_t info_count, const VkBindSparseInfo* infos,
                                               VkFence fence) {
    Device& device = DeviceOfQueue(queue);
    const VkResult result = device.down.QueueBindSparse(queue, info_count, infos, fence);
    device.stats->counters().Add(Counter::kSparseBinds);
    for (const VkBindSparseInfo& info : std::span(infos, info_count))
        if (EndsFrame(device, info.pNext)) device.stats->OnBoundary(FrameEnd::kFrameBoundary);
    return result;
}

VKAPI_ATTR VkResult VKAPI_CALL QueuePresentKHR(VkQueue queue, const VkPresentInfoKHR* info) {
    Device& device = DeviceOfQueue(queue);
    const VkResult result = device.down.QueuePresentKHR(queue, info);
    device.stats->counters().Add(Counter::kPresents);
    device.stats->OnBoundary(FrameEnd::kPresent);
    return result;
}

VKAPI_ATTR VkResult VKAPI_CALL QueueWaitIdle(VkQueue queue) {
    Device& device = DeviceOfQueue(queue);
    return Wait(device, [&] { return device.down.QueueWaitIdle(queue); });
}

VKAPI_ATTR VkResult VKAPI_CALL DeviceWaitIdle(VkDevice handle) {
    Device& device = DeviceOf(handle);
    return Wait(device, [&] { return device.down.DeviceWaitIdle(handle); });
}

VKAPI_ATTR VkResult VKAPI_CALL WaitForFences(VkDevice handle, uint32_t count, const VkFence* fences, VkBool32 all,
                                             uint64_t timeout_ns) {
    Device& device = DeviceOf(handle);
    return Wait(device, [&] { return device.down.WaitForFences(handle, count, fences, all, timeout_ns); });
}

VKAPI_ATTR VkResult VKAPI_CALL WaitSemaphores(VkDevice handle, const VkSemaphoreWaitInfo* info, uint64_t timeout_ns) {
    Device& device = DeviceOf(handle);
    return Wait(device, [&] { return device.down.WaitSemaphores(handle, info, timeout_ns); });
}

// A program that polls waits too: the poll that sees the fence signalled ends the frame.
VKAPI_ATTR VkResult VKAPI_CALL GetFenceStatus(VkDevice handle, VkFence fence) {
    Device& device = DeviceOf(handle);
    const VkResult result = device.down.GetFenceStatus(handle, fence);
    device.stats->counters().Add(Counter::kPolls);
    if (result == VK_SUCCESS) device.stats->OnWaitDone();
    return result;
}

VKAPI_ATTR VkResult VKAPI_CALL GetSemaphoreCounterValue(VkDevice handle, VkSemaphore semaphore, uint64_t* value) {
    Device& device = DeviceOf(handle);
    device.stats->counters().Add(Counter::kPolls);
    return device.down.GetSemaphoreCounterValue(handle, semaphore, value);
}

VKAPI_ATTR VkResult VKAPI_CALL CreateFence(VkDevice handle, const VkFenceCreateInfo* info,
                                           const VkAllocationCallbacks* allocator, VkFence* fence) {
    Device& device = DeviceOf(handle);
    const VkResult result = device.down.CreateFence(handle, info, allocator, fence);
    if (result == VK_SUCCESS) device.stats->counters().Add(Counter::kFencesCreated);
    return result;
}

VKAPI_ATTR void VKAPI_CALL DestroyFence(VkDevice handle, VkFence fence, const VkAllocationCallbacks* allocator) {
    Device& device = DeviceOf(handle);
    if (fence) device.stats->counters().Add(Counter::kFencesDestroyed);
    device.down.DestroyFence(handle, fence, allocator);
}

VKAPI_ATTR VkResult VKAPI_CALL ResetFences(VkDevice handle, uint32_t count, const VkFence* fences) {
    Device& device = DeviceOf(handle);
    device.stats->counters().Add(Counter::kFenceResets, count);
    return device.down.ResetFences(handle, count, fences);
}

}  // namespace kronos::hook
