// SPDX-License-Identifier: Apache-2.0
// Submissions: counted, the fences in them noted, and held where that gains. Any thread; the lock of the queue where
// they may be held.
#include <vulkan/utility/vk_struct_helper.hpp>

#include <algorithm>
#include <mutex>
#include <new>
#include <span>

#include "entry/hooks.h"
#include "entry/state.h"
#include "memory/sparse_binds.h"
#include "stats/layer_time.h"
#include "support/clock.h"
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

[[gnu::always_inline]] inline SubmitCount CountOf(const Device& device, std::span<const VkSubmitInfo> infos) {
    SubmitCount count;
    count.infos = infos.size();
    for (const VkSubmitInfo& info : infos) {
        count.command_buffers += info.commandBufferCount;
        count.waits += info.waitSemaphoreCount;
        count.signals += info.signalSemaphoreCount;
        for (uint32_t i = 0; i < info.commandBufferCount; ++i)
            count.dispatches += DispatchesOf(info.pCommandBuffers[i]);
        count.frame_end = count.frame_end || EndsFrame(device, info.pNext);
    }
    return count;
}

[[gnu::always_inline]] inline SubmitCount CountOf(const Device& device, std::span<const VkSubmitInfo2> infos) {
    SubmitCount count;
    count.infos = infos.size();
    for (const VkSubmitInfo2& info : infos) {
        count.command_buffers += info.commandBufferInfoCount;
        count.waits += info.waitSemaphoreInfoCount;
        count.signals += info.signalSemaphoreInfoCount;
        for (uint32_t i = 0; i < info.commandBufferInfoCount; ++i)
            count.dispatches += DispatchesOf(info.pCommandBufferInfos[i].commandBuffer);
        count.frame_end = count.frame_end || EndsFrame(device, info.pNext);
    }
    return count;
}

// Asked, and given to the driver just so.
[[gnu::always_inline]] inline void AddBoth(const Counters::Own& counters, const SubmitCount& count) {
    counters.Add(Counter::kSubmits);
    counters.Add(Counter::kSubmitInfos, count.infos);
    counters.Add(Counter::kCommandBuffers, count.command_buffers);
    if (count.waits) counters.Add(Counter::kSemaphoreWaits, count.waits);
    if (count.signals) counters.Add(Counter::kSemaphoreSignals, count.signals);
}

void AddTo(Side side, const Counters::Own& counters, const SubmitCount& count) {
    counters.Add(side, Counter::kSubmits, 1);
    counters.Add(side, Counter::kSubmitInfos, count.infos);
    counters.Add(side, Counter::kCommandBuffers, count.command_buffers);
    if (count.waits) counters.Add(side, Counter::kSemaphoreWaits, count.waits);
    if (count.signals) counters.Add(side, Counter::kSemaphoreSignals, count.signals);
}

// Before the call: a thread that waits for this submit may return before the call does, and ends the frame that holds
// it. `held`: what reaches the driver is counted when it does.
[[gnu::always_inline]] inline void CountSubmit(Device& device, const SubmitCount& count, bool held) {
    const Counters::Own counters = device.stats->counters().OfThisThread();
    if (held)
        AddTo(Side::kAsked, counters, count);
    else
        AddBoth(counters, count);
    counters.Add(Counter::kDispatchesSubmitted, count.dispatches);
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

VkResult CallDriver(const Device& device, VkQueue queue, std::span<const VkSubmitInfo> infos, VkFence fence) {
    const LayerTime::Driver drivers;
    return device.down.QueueSubmit(queue, static_cast<uint32_t>(infos.size()), infos.data(), fence);
}
VkResult CallDriver(const Device& device, VkQueue queue, std::span<const VkSubmitInfo2> infos, VkFence fence) {
    const LayerTime::Driver drivers;
    return device.down.QueueSubmit2(queue, static_cast<uint32_t>(infos.size()), infos.data(), fence);
}

bool Signals(const VkSubmitInfo& info) { return info.signalSemaphoreCount != 0; }
bool Signals(const VkSubmitInfo2& info) { return info.signalSemaphoreInfoCount != 0; }

bool SignalsShared(const Submissions& submissions, const VkSubmitInfo& info) {
    for (uint32_t i = 0; i < info.signalSemaphoreCount; ++i)
        if (submissions.IsShared(info.pSignalSemaphores[i])) return true;
    return false;
}
bool SignalsShared(const Submissions& submissions, const VkSubmitInfo2& info) {
    for (uint32_t i = 0; i < info.signalSemaphoreInfoCount; ++i)
        if (submissions.IsShared(info.pSignalSemaphoreInfos[i].semaphore)) return true;
    return false;
}

// What waits for an event that the host sets must not end later for what was submitted before it: that may be what the
// host waits for. `buffer`: nothing is known of one that did not come from vkAllocateCommandBuffers.
bool WaitsForHost(VkCommandBuffer handle) {
    const CommandBuffer* buffer = FindCommandBuffer(handle);
    return !buffer || buffer->events;
}
bool WaitForHost(std::span<const VkSubmitInfo> infos) {
    for (const VkSubmitInfo& info : infos)
        for (uint32_t i = 0; i < info.commandBufferCount; ++i)
            if (WaitsForHost(info.pCommandBuffers[i])) return true;
    return false;
}
bool WaitForHost(std::span<const VkSubmitInfo2> infos) {
    for (const VkSubmitInfo2& info : infos)
        for (uint32_t i = 0; i < info.commandBufferInfoCount; ++i)
            if (WaitsForHost(info.pCommandBufferInfos[i].commandBuffer)) return true;
    return false;
}

// Whether the submission may be held; Counter::kCount: it may.
template <class Info>
Counter WhyNotHold(const Submissions& submissions, const SubmissionFacts& facts, std::span<const Info> infos) {
    if (const Counter why = submissions.WhyNotHold(); why != Counter::kCount) return why;
    if (!facts.signals || !submissions.AnyShared()) return Counter::kCount;
    for (const Info& info : infos)
        if (SignalsShared(submissions, info)) return Counter::kSubmitsShared;
    return Counter::kCount;
}

Batch::Call AsCall(std::span<const VkSubmitInfo> infos) {
    return {static_cast<uint32_t>(infos.size()), infos.data(), nullptr};
}
Batch::Call AsCall(std::span<const VkSubmitInfo2> infos) {
    return {static_cast<uint32_t>(infos.size()), nullptr, infos.data()};
}

// What the driver gets from the program as it is, behind everything that is held: what the timeline says does not cover
// it.
template <class Info>
VkResult SubmitRaw(Device& device, Queue* known, VkQueue queue, std::span<const Info> infos, VkFence fence) {
    if (FlushHeld(device, Counter::kFlushesUnknown) != VK_SUCCESS) return VK_ERROR_DEVICE_LOST;
    NoteSubmit(device, known, queue, fence, true);
    Submissions& submissions = *device.submissions;
    if (submissions.AnyDeferred() && Fuser::AnyDeferred(AsCall(infos), submissions.policy().fusion)) {
        // When those that take their places are done, only a later submission says. That must not go on for ever.
        submissions.StopDeferring(Counter::kDeferralsUnknown);
        if (!known || !known->own) return VK_ERROR_OUT_OF_HOST_MEMORY;  // what there was none of for its timeline
        const std::lock_guard lock(known->own->mutex());
        return known->own->SubmitAsIs(AsCall(infos), fence);
    }
    if (known && known->own) {
        const std::lock_guard lock(known->own->mutex());
        known->own->Uncover();
    }
    return CallDriver(device, queue, infos, fence);
}

// Through the queue that may hold it.
template <class Info>
VkResult SubmitQueued(Device& device, Queue& known, std::span<const Info> infos, VkFence fence,
                      const SubmissionFacts& facts) {
    Submissions& submissions = *device.submissions;
    SubmitQueue& queue = *known.submit;
    FenceState* state = fence && device.fences ? device.fences->Find(fence) : nullptr;
    Submission submission;
    submission.fence = fence;
    submission.fence_virtual = state && submissions.policy().virtual_fences && state->phase() == FenceState::kReset &&
                               !state->shared.load(std::memory_order_relaxed) &&
                               (infos.empty() || !Signals(infos.back()));
    submission.waits = facts.waits || (submissions.AnyHostEvents() && WaitForHost(infos));
    submission.why_not = WhyNotHold(submissions, facts, infos);
    submission.may_hold = submission.why_not == Counter::kCount;
    // Section "Semaphore Waiting": what signals a binary semaphore must have been submitted before.
    if (facts.waits && submissions.FlushOthers(&queue, Counter::kFlushesWaiting) != VK_SUCCESS)
        return VK_ERROR_DEVICE_LOST;
    known.busy = true;
    if (state && !submission.fence_virtual) state->Submitted(HandleBits(known.handle));
    SubmitQueue::Done done;
    try {
        // The flusher, if it is there, records at most.
        queue.mutex().LockSoon();
        const std::lock_guard lock(queue.mutex(), std::adopt_lock);
        done = queue.Submit(infos, submission, NowNs);
        if (known.trace && done.decision == Counter::kSubmitsHeld) known.trace->Held();
    } catch (const std::bad_alloc&) {
        device.Decided(Counter::kSubmitsNoMemory);
        if (device.stats) AddTo(Side::kDriver, device.stats->counters().OfThisThread(), CountOf(device, infos));
        return SubmitRaw(device, &known, known.handle, infos, fence);
    }
    if (queue.lost()) submissions.SetLost();
    if (done.result != VK_ERROR_DEVICE_LOST) device.Decided(done.decision);
    submissions.NoteCrowd(done.decision == Counter::kSubmitsHeld);
    if (done.began_to_hold) submissions.BeganToHold();
    if (done.result != VK_SUCCESS || !state) return done.result;
    if (done.fence_virtual) {
        state->SubmittedVirtually(HandleBits(known.handle), &queue, done.fence_value);
        device.Decided(Counter::kFencesVirtual);
    } else if (submission.fence_virtual) {
        state->Submitted(HandleBits(known.handle));  // the driver's after all
    }
    return done.result;
}

// Of a device that may hold submissions.
template <class Info>
VkResult SubmitOrHold(Device& device, Queue* known, VkQueue queue, std::span<const Info> infos, VkFence fence) {
    SubmissionFacts facts;
    Counter raw = Counter::kSubmitsUnknown;
    if (known && known->submit) {
        facts = FactsOf(infos);
        if (facts.understood) raw = device.submissions->WhyRaw();
        if (raw != Counter::kCount) device.Decided(raw);
    }
    const bool queued = raw == Counter::kCount;
    bool frame_end = false;
    if (device.stats) {
        const SubmitCount count = CountOf(device, infos);
        CountSubmit(device, count, queued);
        frame_end = count.frame_end;
    }
    const VkResult result =
        queued ? SubmitQueued(device, *known, infos, fence, facts) : SubmitRaw(device, known, queue, infos, fence);
    if (frame_end) device.stats->OnBoundary(FrameEnd::kFrameBoundary);
    return result;
}

// Of a device that holds none, where somebody asks what that would gain.
template <class Info>
void ForeseeHolding(const Device& device, Queue& queue, std::span<const Info> infos, const SubmitCount& count) {
    const bool may_join = queue.plain && !count.waits && FactsOf(infos).understood;
    if (!queue.bursts.Comes(device.foresight->spared.NowWithoutNs(), may_join)) return;
    device.Decided(Counter::kSubmitsClose);
    device.Decided(Counter::kBuffersClose, count.command_buffers);
}

template <class Info>
[[gnu::always_inline]] inline VkResult Submit(VkQueue queue, std::span<const Info> infos, VkFence fence) {
    Queue* known = FindQueue(queue);
    Device& device = known ? *known->device : DeviceOf(queue);
    Watch(device);
    const LayerTime time(device.stats ? &device.stats->counters() : nullptr);
    if (device.submissions) return SubmitOrHold(device, known, queue, infos, fence);
    NoteSubmit(device, known, queue, fence, true);
    if (!device.stats) return CallDriver(device, queue, infos, fence);
    const SubmitCount count = CountOf(device, infos);
    CountSubmit(device, count, false);
    const bool foreseen = known && device.foresight;
    if (foreseen) ForeseeHolding(device, *known, infos, count);
    const VkResult result = CallDriver(device, queue, infos, fence);
    if (foreseen) known->bursts.Ended(device.foresight->spared.NowWithoutNs());
    if (count.frame_end) device.stats->OnBoundary(FrameEnd::kFrameBoundary);
    return result;
}

}  // namespace
}  // namespace kronos

namespace kronos::hook {

VKAPI_ATTR VkResult VKAPI_CALL QueueSubmit(VkQueue queue, uint32_t info_count, const VkSubmitInfo* infos,
                                           VkFence fence) {
    return Submit(queue, std::span(infos, info_count), fence);
}

VKAPI_ATTR VkResult VKAPI_CALL QueueSubmit2(VkQueue queue, uint32_t info_count, const VkSubmitInfo2* infos,
                                            VkFence fence) {
    return Submit(queue, std::span(infos, info_count), fence);
}

VKAPI_ATTR VkResult VKAPI_CALL QueueBindSparse(VkQueue queue, uint32_t info_count, const VkBindSparseInfo* infos,
                                               VkFence fence) {
    Queue* known = FindQueue(queue);
    Device& device = known ? *known->device : DeviceOf(queue);
    if (FlushHeld(device, Counter::kFlushesUnknown) != VK_SUCCESS) return VK_ERROR_DEVICE_LOST;
    // Section "Sparse Resources": bindings are in no order with submissions but that of semaphores and fences.
    if (known) known->submit = nullptr;
    NoteSubmit(device, known, queue, fence, false);
    for (const VkBindSparseInfo& info : std::span(infos, info_count)) NoteSparse(device, info);
    const VkResult result = Guarded(device.log.get(), "vkQueueBindSparse", VK_ERROR_OUT_OF_HOST_MEMORY, [&] {
        const SparseBelow below(device, {infos, info_count});
        return below.fits() ? device.down.QueueBindSparse(queue, info_count, below.data(), fence)
                            : VK_ERROR_OUT_OF_DEVICE_MEMORY;
    });
    if (!device.stats) return result;
    device.stats->counters().Add(Counter::kSparseBinds);
    for (const VkBindSparseInfo& info : std::span(infos, info_count))
        if (EndsFrame(device, info.pNext)) device.stats->OnBoundary(FrameEnd::kFrameBoundary);
    return result;
}

VKAPI_ATTR VkResult VKAPI_CALL QueuePresentKHR(VkQueue queue, const VkPresentInfoKHR* info) {
    Queue* known = FindQueue(queue);
    Device& device = known ? *known->device : DeviceOf(queue);
    if (FlushHeld(device, Counter::kFlushesPresent) != VK_SUCCESS) return VK_ERROR_DEVICE_LOST;
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
