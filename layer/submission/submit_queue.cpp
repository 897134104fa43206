// SPDX-License-Identifier: Apache-2.0
#include "submission/submit_queue.h"

#include <type_traits>

namespace kronos {

VkResult SubmitQueue::StatusOf(uint64_t value) {
    if (value <= reached_.load(std::memory_order_acquire)) return VK_SUCCESS;
    if (lost()) return VK_ERROR_DEVICE_LOST;
    uint64_t now = 0;
    const VkResult result = driver_.Reached(now);
    if (result != VK_SUCCESS) return result;
    uint64_t before = reached_.load(std::memory_order_relaxed);
    while (before < now && !reached_.compare_exchange_weak(before, now, std::memory_order_acq_rel)) {
    }
    return value <= now ? VK_SUCCESS : VK_NOT_READY;
}

// A queue that cannot say how far it is gets its work at once: the driver says what is wrong.
bool SubmitQueue::HasRoom(uint64_t in_flight) {
    return !limits_.while_idle && (submitted_ < in_flight || StatusOf(submitted_ + 1 - in_flight) != VK_NOT_READY);
}

// What comes by itself gains little from being held, and loses when its time is over before anybody looks: a program
// that submits early on purpose, while it records more, does so.
bool SubmitQueue::ComesSoon(uint64_t now_ns) {
    const bool soon = now_ns - last_ns_ <= limits_.gap_ns;
    last_ns_ = now_ns;
    return soon;
}

bool SubmitQueue::Idle() { return !limits_.while_idle && StatusOf(submitted_) != VK_NOT_READY; }

template <class Info>
SubmitQueue::Done SubmitQueue::Submit(std::span<const Info> infos, const Submission& submission, uint64_t (*now_ns)()) {
    Done done;
    const auto failed = [&](VkResult result) { return done.result = result, done; };
    if (lost()) return failed(VK_ERROR_DEVICE_LOST);
    const uint64_t now = now_ns();
    const uint64_t in_flight = ComesSoon(now) ? SubmitLimits::kInFlight : SubmitLimits::kBacklog;
    constexpr bool kSecond = std::is_same_v<Info, VkSubmitInfo2>;
    // What waits may have to wait long, and what is held before it must not: its fence, or what it signals, may be what
    // makes the program end that wait.
    if (submission.waits)
        if (const VkResult result = Flush(Counter::kFlushesWaiting); result != VK_SUCCESS) return failed(result);
    if (!batch_.Empty() && batch_.Second() != kSecond)
        if (const VkResult result = Flush(Counter::kFlushesForm); result != VK_SUCCESS) return failed(result);

    const Batch::Mark current = batch_.End();
    batch_.Append(infos);
    if (batch_.Empty()) {
        // A fence alone, for all that came before it.
        if (submission.fence_virtual && covered_) {
            done.fence_virtual = true;
            done.fence_value = submitted_;
            done.decision = Counter::kSubmitsEmpty;
            return done;
        }
        done.result = driver_.Submit({}, submitted_ + 1, false, submission.fence);
        driver_.Gave(Counter::kCount, 1, 0);
        covered_ = false;
        return done;
    }
    // Of what the program signals in the same batch the timeline says nothing: section "Signal Operation Order".
    if (submission.fence_virtual && !batch_.EndsWithSignal()) {
        done.fence_virtual = true;
        done.fence_value = submitted_ + 1;
    }
    const bool real_fence = submission.fence && !done.fence_virtual;
    Counter why = Counter::kFlushesRoom;
    if (!submission.may_hold)
        why = submission.why_not == Counter::kSubmitsShared ? Counter::kFlushesShared : Counter::kFlushesEnd;
    else if (real_fence)
        why = Counter::kFlushesFence;
    else if (submission.waits)
        why = Counter::kFlushesWaiting;
    else if (batch_.buffers() >= limits_.buffers || batch_.infos() >= SubmitLimits::kInfos)
        why = Counter::kFlushesFull;
    else if (!HasRoom(in_flight) || (in_flight == SubmitLimits::kInFlight && WaitsForMore())) {
        ++appended_;
        done.began_to_hold = !Holds();
        if (done.began_to_hold) held_since_ns_ = now;
        holds_.store(true);
        done.decision = Counter::kSubmitsHeld;
        return done;
    }
    done.decision = submission.may_hold ? Counter::kSubmitsThrough : submission.why_not;
    done.result = Give(current, real_fence ? submission.fence : VK_NULL_HANDLE, why);
    done.fence_value = submitted_;
    return done;
}
template SubmitQueue::Done SubmitQueue::Submit(std::span<const VkSubmitInfo>, const Submission&, uint64_t (*)());
template SubmitQueue::Done SubmitQueue::Submit(std::span<const VkSubmitInfo2>, const Submission&, uint64_t (*)());

VkResult SubmitQueue::Flush(Counter why) {
    return batch_.Empty() ? VK_SUCCESS : Give(batch_.End(), VK_NULL_HANDLE, why);
}

void SubmitQueue::FlushWhenDue(uint64_t now_ns) {
    lively_ = appended_ != seen_;
    seen_ = appended_;
    if (batch_.Empty()) return;
    if (Idle() || (!lively_ && HasRoom()))
        Flush(Counter::kFlushesRoom);
    else if (now_ns >= due_ns())
        Flush(Counter::kFlushesDeadline);
}

// Everything, in one call of the driver. What comes after `current` is the program's to hear of; what comes before it
// was held, and its submission has succeeded already.
VkResult SubmitQueue::Give(const Batch::Mark& current, VkFence fence, Counter why) {
    const bool held = current != Batch::Mark{};
    const Batch::Mark end = batch_.End();
    VkResult result = Call({}, end, true, fence);
    if (held && OutOfMemory(result)) result = GivePieces(current, fence);
    if (result == VK_SUCCESS) {
        // What the program signals in the same batch, and its fence, may come after the timeline: section "Signal
        // Operation Order".
        covered_ = !fence && !batch_.EndsWithSignal();
    } else if (held && !OutOfMemory(result)) {
        lost_.store(true, std::memory_order_release);
        result = VK_ERROR_DEVICE_LOST;
    }
    driver_.Gave(held ? why : Counter::kCount, batch_.submissions(), batch_.folded());
    batch_.Clear();
    holds_.store(false);
    return result;
}

// The driver has no memory for all at once: what was held goes one command buffer at a time. What it does not take even
// so is lost, and the device with it: its submission has succeeded, as far as the program knows.
VkResult SubmitQueue::GivePieces(const Batch::Mark& current, VkFence fence) {
    const Batch::Mark end = batch_.End();
    for (Batch::Mark at; at != current;) {
        Batch::Mark next = batch_.Next(at);
        if (next.infos >= current.infos && next.buffers >= current.buffers) next = current;
        const VkResult result = Call(at, next, next == current, next == end ? fence : VK_NULL_HANDLE);
        if (result != VK_SUCCESS) return VK_ERROR_DEVICE_LOST;
        at = next;
    }
    covered_ = false;  // should the rest not be taken
    return current == end ? VK_SUCCESS : Call(current, end, true, fence);
}

VkResult SubmitQueue::Call(const Batch::Mark& from, const Batch::Mark& to, bool signals, VkFence fence) {
    Batch::OwnSignal own;
    if (signals) own = {driver_.timeline(), submitted_ + 1};
    // What does not signal is before what does: section "Signal Operation Order".
    const VkResult result = driver_.Submit(batch_.Between(from, to, own), submitted_ + 1, false, fence);
    if (signals && result == VK_SUCCESS) ++submitted_;
    return result;
}

}  // namespace kronos
