// SPDX-License-Identifier: Apache-2.0
// Submissions: counted, and the fences in them noted. Any thread; no locks.
#include <vulkan/utility/vk_struct_helper.hpp>

#include <span>

#include "entry/hooks.h"
#include "entry/state.h"
#include "support/handle_bits.h"

namespace kronos {
namespace {

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

// Memory that is bound sparsely.
void NoteSparse(const Device& device, const VkBindSparseInfo& info) {
    const auto note = [&](VkDeviceMemory memory) {
        if (MemoryState* state = memory ? device.memories.Find(memory) : nullptr)
            state->sparse.store(true, std::memory_order_relaxed);
    };
    for (const VkSparseBufferMemoryBindInfo& buffer : std::span(info.pBufferBinds, info.bufferBindCount))
        for (uint32_t i = 0; i < buffer.bindCount; ++i) note(buffer.pBinds[i].memory);
    for (const VkSparseImageOpaqueMemoryBindInfo& image : std::span(info.pImageOpaqueBinds, info.imageOpaqueBindCount))
        for (uint32_t i = 0; i < image.bindCount; ++i) note(image.pBinds[i].memory);
    for (const VkSparseImageMemoryBindInfo& image : std::span(info.pImageBinds, info.imageBindCount))
        for (uint32_t i = 0; i < image.bindCount; ++i) note(image.pBinds[i].memory);
}

struct SubmitCount {
    uint64_t infos = 0, command_buffers = 0, dispatches = 0, waits = 0, signals = 0;
    bool frame_end = false;
};

// Before the call: a thread that waits for this submit may return before the call does, and ends the frame that holds
// it.
[[gnu::always_inline]] inline void CountSubmit(Device& device, const SubmitCount& count) {
    const Counters::Own counters = device.stats->counters().OfThisThread();
    counters.Add(Counter::kSubmits);
    counters.Add(Counter::kSubmitInfos, count.infos);
    counters.Add(Counter::kCommandBuffers, count.command_buffers);
    counters.Add(Counter::kDispatchesSubmitted, count.dispatches);
    if (count.waits) counters.Add(Counter::kSemaphoreWaits, count.waits);
    if (count.signals) counters.Add(Counter::kSemaphoreSignals, count.signals);
    device.stats->OnSubmit();
}

// Before the call, as counting: a thread that waits for the fence may see it signaled before the call returns.
void NoteSubmit(const Device& device, Queue* queue, VkQueue handle, VkFence fence, bool plain) {
    if (queue) {
        queue->busy = true;
        queue->plain = queue->plain && plain;
    }
    if (!fence || !device.fences) return;
    if (FenceState* state = device.fences->Find(fence)) state->Submitted(HandleBits(handle));
}

}  // namespace
}  // namespace kronos

namespace kronos::hook {

VKAPI_ATTR VkResult VKAPI_CALL QueueSubmit(VkQueue queue, uint32_t info_count, const VkSubmitInfo* infos,
                                           VkFence fence) {
    Queue* known = FindQueue(queue);
    Device& device = known ? *known->device : DeviceOf(queue);
    NoteSubmit(device, known, queue, fence, true);
    if (!device.stats) return device.down.QueueSubmit(queue, info_count, infos, fence);
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
    Queue* known = FindQueue(queue);
    Device& device = known ? *known->device : DeviceOf(queue);
    NoteSubmit(device, known, queue, fence, true);
    if (!device.stats) return device.down.QueueSubmit2(queue, info_count, infos, fence);
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
    Queue* known = FindQueue(queue);
    Device& device = known ? *known->device : DeviceOf(queue);
    NoteSubmit(device, known, queue, fence, false);
    for (const VkBindSparseInfo& info : std::span(infos, info_count)) NoteSparse(device, info);
    const VkResult result = device.down.QueueBindSparse(queue, info_count, infos, fence);
    if (!device.stats) return result;
    device.stats->counters().Add(Counter::kSparseBinds);
    for (const VkBindSparseInfo& info : std::span(infos, info_count))
        if (EndsFrame(device, info.pNext)) device.stats->OnBoundary(FrameEnd::kFrameBoundary);
    return result;
}

VKAPI_ATTR VkResult VKAPI_CALL QueuePresentKHR(VkQueue queue, const VkPresentInfoKHR* info) {
    Queue* known = FindQueue(queue);
    Device& device = known ? *known->device : DeviceOf(queue);
    NoteSubmit(device, known, queue, VK_NULL_HANDLE, false);
    // VK_EXT_swapchain_maintenance1 and its KHR promotion: the window system signals these.
    if (device.fences) {
        if (const auto* present = vku::FindStructInPNextChain<VkSwapchainPresentFenceInfoEXT>(info->pNext))
            for (uint32_t i = 0; i < present->swapchainCount; ++i) ShareFence(device, present->pFences[i]);
    }
    const VkResult result = device.down.QueuePresentKHR(queue, info);
    if (!device.stats) return result;
    device.stats->counters().Add(Counter::kPresents);
    device.stats->OnBoundary(FrameEnd::kPresent);
    return result;
}

}  // namespace kronos::hook
