// SPDX-License-Identifier: Apache-2.0
// Waits: what is held goes to the driver, then they are polled first, counted, and the fences that they see signaled
// noted. Any thread; no locks but that of a queue that holds something.
#include <algorithm>
#include <array>
#include <span>

#include "entry/hooks.h"
#include "entry/state.h"
#include "submission/fence_status.h"
#include "support/clock.h"
#include "support/handle_bits.h"

namespace kronos {
namespace {

// Waits that are alike: made by the same call of the program, for the same queue. Reached through a loader that does
// not call in tail position the call is the loader's, and all waits of one command share what they learn.
uint64_t SiteOf(const void* caller, uint64_t queue) { return reinterpret_cast<uintptr_t>(caller) ^ (queue << 1); }

SpinWaits::Look LookOf(VkResult status) {
    return status == VK_SUCCESS     ? SpinWaits::Look::kOver
           : status == VK_NOT_READY ? SpinWaits::Look::kPending
                                    : SpinWaits::Look::kFailed;
}

// `body` waits and fills in the report. Counts, and ends a frame when the wait succeeded. `driver_waits`: how many
// waits of the driver's it was; nullptr: one, if it blocked.
template <class Body>
VkResult Waited(Device& device, Counter poll, Body body, const uint64_t* driver_waits = nullptr) {
    WaitReport report;
    if (!device.stats) return body(report);
    const uint64_t before = NowNs();
    const VkResult result = body(report);
    const Counters::Own counters = device.stats->counters().OfThisThread();
    counters.Add(Side::kAsked, Counter::kWaits, 1);
    counters.Add(Side::kAsked, Counter::kWaitNs, NowNs() - before);
    if (const uint64_t waits = driver_waits ? *driver_waits : report.blocked)
        counters.Add(Side::kDriver, Counter::kWaits, waits);
    if (report.polls) counters.Add(Side::kDriver, poll, report.polls);
    counters.Decided(report.decision);
    if (report.spin_ns) counters.Decided(Counter::kSpinNs, report.spin_ns);
    if (result == VK_SUCCESS) device.stats->OnWaitDone();
    return result;
}

// The driver's own wait.
template <class Call>
VkResult Forwarded(Device& device, Call call, const uint64_t* driver_waits = nullptr) {
    return Waited(
        device, Counter::kPolls,
        [&](WaitReport& report) {
            report.blocked = true;
            return call();
        },
        driver_waits);
}

// One thread's latest polls: a loop of the program is one that asks the same fence again and again.
void NotePoll(const Device& device, VkFence fence, VkResult status) {
    constexpr uint32_t kLoop = 8;
    thread_local VkFence polled = VK_NULL_HANDLE;
    thread_local uint32_t times = 0;
    times = polled == fence && times ? times + 1 : 1;
    polled = fence;
    if (times == kLoop) device.Decided(Counter::kPollLoops);
    if (status != VK_NOT_READY) times = 0;
}

// More than so many are the driver's to wait for: one call of it instead of one for each, and a look at them all would
// take longer than a wait may spin.
constexpr uint32_t kMostLookedAt = 16;

// Fences are polled in order: for all of them the first that is pending is enough, for any all are asked in turn.
class FencesLook {
  public:
    FencesLook(const Device& device, std::span<const VkFence> fences, bool all)
        : device_(device), fences_(fences), all_(all) {}

    SpinWaits::Look operator()(uint64_t& asked) {
        if (!all_) return Any(asked);
        for (; done_ < fences_.size(); ++done_) {
            const SpinWaits::Look seen = One(fences_[done_], asked);
            if (seen != SpinWaits::Look::kOver) return seen;
        }
        return SpinWaits::Look::kOver;
    }

  private:
    SpinWaits::Look Any(uint64_t& asked) const {
        for (const VkFence fence : fences_) {
            const SpinWaits::Look seen = One(fence, asked);
            if (seen != SpinWaits::Look::kPending) return seen;
        }
        return SpinWaits::Look::kPending;
    }
    SpinWaits::Look One(VkFence fence, uint64_t& asked) const {
        FenceState* state = device_.fences ? device_.fences->Find(fence) : nullptr;
        return LookOf(StatusOf(device_, fence, state, asked));
    }

    const Device& device_;
    const std::span<const VkFence> fences_;
    const bool all_;
    size_t done_ = 0;
};

// Nobody has submitted it yet; another thread may while this one waits.
bool MayBecomeVirtual(const FenceState& state) {
    return state.phase() == FenceState::kReset && !state.shared.load(std::memory_order_relaxed);
}

// A wait of the driver's that is given up when held work is lost, which another thread may find out meanwhile. `calls`:
// counts those of the driver.
template <class Call>
VkResult InTurns(const Device& device, uint64_t timeout_ns, uint64_t& calls, Call call) {
    constexpr uint64_t kTurnNs = 100'000'000;
    const uint64_t begin = device.submissions ? NowNs() : 0;
    for (uint64_t left_ns = timeout_ns;;) {
        const uint64_t turn_ns = device.submissions ? std::min(left_ns, kTurnNs) : left_ns;
        ++calls;
        const VkResult result = call(turn_ns);
        if (result != VK_TIMEOUT || turn_ns == left_ns) return result;
        if (device.submissions->Lost()) return VK_ERROR_DEVICE_LOST;
        const uint64_t elapsed = NowNs() - begin;
        if (timeout_ns != UINT64_MAX) left_ns = timeout_ns - std::min(timeout_ns, elapsed);
    }
}

// Whether the driver alone can wait for them: none is virtual, nor may become so while it waits.
bool AreTheDrivers(const Device& device, std::span<const VkFence> fences) {
    if (!device.submissions || !device.submissions->policy().virtual_fences || !device.fences) return true;
    for (const VkFence fence : fences) {
        const FenceState* state = device.fences->Find(fence);
        if (!state) continue;
        if (MayBecomeVirtual(*state) || FenceState::IsVirtual(state->phase())) return false;
    }
    return true;
}

// Waits, blocked, for fences of which some may be values of timelines: for one after the other where all are asked for,
// else for all timelines, or, where there are fences of the driver among them, in turns. A fence that nobody has
// submitted yet may be virtual later, so it is looked at again after a while.
class FencesBlock {
  public:
    FencesBlock(const Device& device, std::span<const VkFence> fences, bool all)
        : device_(device), fences_(fences), all_(all) {}

    VkResult operator()(uint64_t timeout_ns) {
        if (AreTheDrivers(device_, fences_)) return Driver(fences_, all_, timeout_ns);
        const uint64_t begin = NowNs();
        for (;;) {
            uint64_t asked = 0;
            const SpinWaits::Look seen = FencesLook(device_, fences_, all_)(asked);
            device_.Count(Side::kDriver, Counter::kPolls, asked);
            if (seen == SpinWaits::Look::kOver) return VK_SUCCESS;
            if (seen == SpinWaits::Look::kFailed)
                if (const VkResult error = Error(); error != VK_SUCCESS) return error;
            const uint64_t elapsed = NowNs() - begin;
            if (elapsed >= timeout_ns) return VK_TIMEOUT;
            const uint64_t left = timeout_ns == UINT64_MAX ? UINT64_MAX : timeout_ns - elapsed;
            const VkResult result = all_ || fences_.size() == 1 ? ForOne(left) : ForAny(left);
            if (result < VK_SUCCESS) return result;
        }
    }

    /// Waits of the driver's so far.
    const uint64_t& waits() const { return waits_; }

  private:
    static constexpr uint64_t kTurnNs = 1'000'000;

    // Why a look failed; VK_SUCCESS when it does not any more.
    VkResult Error() const {
        uint64_t asked = 0;
        VkResult error = VK_SUCCESS;
        for (size_t i = 0; i < fences_.size() && error >= VK_SUCCESS; ++i)
            error = StatusOf(device_, fences_[i], device_.fences->Find(fences_[i]), asked);
        device_.Count(Side::kDriver, Counter::kPolls, asked);
        return std::min(error, VK_SUCCESS);
    }
    VkResult Driver(std::span<const VkFence> fences, bool all, uint64_t timeout_ns) {
        return InTurns(device_, timeout_ns, waits_, [&](uint64_t turn_ns) {
            return device_.down.WaitForFences(device_.handle, static_cast<uint32_t>(fences.size()), fences.data(), all,
                                              turn_ns);
        });
    }
    VkResult Timelines(std::span<const VkSemaphore> timelines, const uint64_t* values, uint64_t timeout_ns) {
        VkSemaphoreWaitInfo info = {};
        info.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO;
        info.flags = VK_SEMAPHORE_WAIT_ANY_BIT;
        info.semaphoreCount = static_cast<uint32_t>(timelines.size());
        info.pSemaphores = timelines.data();
        info.pValues = values;
        return InTurns(device_, timeout_ns, waits_,
                       [&](uint64_t turn_ns) { return device_.down.WaitSemaphores(device_.handle, &info, turn_ns); });
    }
    // For the first that is pending.
    VkResult ForOne(uint64_t left_ns) {
        for (const VkFence& fence : fences_) {
            FenceState* state = device_.fences->Find(fence);
            uint64_t asked = 0;
            const VkResult status = StatusOf(device_, fence, state, asked);
            device_.Count(Side::kDriver, Counter::kPolls, asked);
            if (status != VK_NOT_READY) continue;
            if (state && state->phase() == FenceState::kVirtual) {
                const VkSemaphore timeline = state->timeline()->timeline();
                const uint64_t value = state->value();
                return Timelines({&timeline, 1}, &value, left_ns);
            }
            return Driver({&fence, 1}, true, state && MayBecomeVirtual(*state) ? std::min(left_ns, kTurnNs) : left_ns);
        }
        return VK_SUCCESS;  // all were signaled meanwhile
    }
    VkResult ForAny(uint64_t left_ns) {
        std::array<VkSemaphore, 16> timelines;
        std::array<uint64_t, 16> values;
        size_t count = 0;
        for (const VkFence fence : fences_) {
            const FenceState* state = device_.fences->Find(fence);
            if (!state || state->phase() != FenceState::kVirtual || count == timelines.size()) continue;
            timelines[count] = state->timeline()->timeline();
            values[count++] = state->value();
        }
        if (count == fences_.size()) return Timelines({timelines.data(), count}, values.data(), left_ns);
        const uint64_t turn = std::min(left_ns, kTurnNs);
        if (count && turn_++ % 2) return Timelines({timelines.data(), count}, values.data(), turn);
        return Driver(fences_, false, turn);
    }

    const Device& device_;
    const std::span<const VkFence> fences_;
    const bool all_;
    uint32_t turn_ = 0;
    uint64_t waits_ = 0;
};

// As FencesLook, for timeline semaphores.
class SemaphoresLook {
  public:
    SemaphoresLook(const Device& device, const VkSemaphoreWaitInfo& info) : device_(device), info_(info) {}

    SpinWaits::Look operator()(uint64_t& asked) {
        const bool any = info_.flags & VK_SEMAPHORE_WAIT_ANY_BIT;
        for (uint32_t i = any ? 0 : done_; i < info_.semaphoreCount; ++i) {
            uint64_t value = 0;
            ++asked;
            if (device_.down.GetSemaphoreCounterValue(device_.handle, info_.pSemaphores[i], &value) != VK_SUCCESS)
                return SpinWaits::Look::kFailed;
            const bool over = value >= info_.pValues[i];
            if (any && over) return SpinWaits::Look::kOver;
            if (!any && !over) return SpinWaits::Look::kPending;
            if (!any) done_ = i + 1;
        }
        return any ? SpinWaits::Look::kPending : SpinWaits::Look::kOver;
    }

  private:
    const Device& device_;
    const VkSemaphoreWaitInfo& info_;
    uint32_t done_ = 0;
};

// Waits by looking, then by `block`. A look may be several polls of the driver.
template <class LookAt, class Block>
VkResult LookAndWait(Device& device, uint64_t site, uint64_t timeout_ns, LookAt look, Block block,
                     const uint64_t* driver_waits = nullptr) {
    return Waited(
        device, Counter::kPolls,
        [&](WaitReport& report) {
            uint64_t polls = 0;
            const VkResult result = device.waits->Wait(
                site, timeout_ns, report, [&] { return look(polls); }, block);
            report.polls = polls;
            return result;
        },
        driver_waits);
}

// Puts the layer's fence behind all that was submitted. False: the driver does not want it, nothing was done.
bool SubmitIdleFence(Device& device, Queue& queue) {
    if (!queue.idle_fence) {
        const VkFenceCreateInfo info = {VK_STRUCTURE_TYPE_FENCE_CREATE_INFO, nullptr, 0};
        if (device.down.CreateFence(device.handle, &info, nullptr, &queue.idle_fence) != VK_SUCCESS) {
            queue.idle_fence = VK_NULL_HANDLE;
            return false;
        }
        device.Count(Side::kDriver, Counter::kFencesCreated);
    }
    device.Count(Side::kDriver, Counter::kSubmits);
    const VkResult result = device.down.QueueSubmit(queue.handle, 0, nullptr, queue.idle_fence);
    if (result == VK_ERROR_DEVICE_LOST) queue.plain = false;  // the fence may be pending for ever
    return result == VK_SUCCESS;
}

// Waits for the layer's fence, behind all that was submitted to the queue.
template <class Block>
VkResult WaitByFence(Device& device, Queue& queue, uint64_t site, Block block) {
    const VkFence fence = queue.idle_fence;
    const VkResult result = LookAndWait(
        device, site, UINT64_MAX,
        [&](uint64_t& asked) {
            ++asked;
            return LookOf(device.down.GetFenceStatus(device.handle, fence));
        },
        [&](uint64_t) { return block(); });
    if (result != VK_SUCCESS) {
        queue.plain = false;  // the fence may be pending for ever
        return result;
    }
    device.Count(Side::kDriver, Counter::kFenceResets);
    if (device.down.ResetFences(device.handle, 1, &fence) != VK_SUCCESS) queue.plain = false;
    return result;
}

// The value of the queue's timeline that covers all that was submitted to it; 0: there is none.
uint64_t LastValue(const Queue& queue) {
    if (!queue.submit) return 0;
    const std::lock_guard lock(queue.submit->mutex());
    return queue.submit->last_value();
}

// Waits until nothing that was submitted to the queue is left: by its timeline where that covers it, else by the faster
// of two ways; `block` is the driver's.
template <class Block>
VkResult WaitIdle(Device& device, Queue& queue, const void* caller, Block block) {
    const uint64_t before = NowNs();
    const uint64_t site = SiteOf(caller, HandleBits(queue.handle));
    if (const uint64_t value = LastValue(queue)) {
        const VkResult result = LookAndWait(
            device, site, UINT64_MAX, [&](uint64_t&) { return LookOf(queue.submit->StatusOf(value)); },
            [&](uint64_t) { return block(); });
        if (result == VK_SUCCESS) queue.busy = false;
        return result;
    }
    const bool by_fence = device.waits->WouldSpin(site) && queue.idle_choice.Next() == IdleChoice::kFence &&
                          SubmitIdleFence(device, queue);
    const VkResult result =
        by_fence ? WaitByFence(device, queue, site, block) : Waited(device, Counter::kPolls, [&](WaitReport& report) {
            return device.waits->BlockOnly(site, report, block);
        });
    if (result != VK_SUCCESS) return result;
    queue.busy = false;
    queue.idle_choice.Took(by_fence ? IdleChoice::kFence : IdleChoice::kDriver, NowNs() - before);
    return result;
}

// The one queue of the device that the program has, or nullptr.
Queue* OnlyQueue(Device& device) {
    std::lock_guard lock(device.queues_mutex);
    return device.queues_complete && device.queues.size() == 1 ? FindQueue(device.queues.front()) : nullptr;
}

}  // namespace
}  // namespace kronos

namespace kronos::hook {

// Section "Waiting for Fences".
VKAPI_ATTR VkResult VKAPI_CALL WaitForFences(VkDevice handle, uint32_t count, const VkFence* fences, VkBool32 all,
                                             uint64_t timeout_ns) {
    Device& device = DeviceOf(handle);
    const TracedWait traced(device.trace.get(), "vkWaitForFences");
    if (FlushHeld(device, Counter::kFlushesWait) != VK_SUCCESS) return VK_ERROR_DEVICE_LOST;
    FenceState* first = device.fences && count ? device.fences->Find(fences[0]) : nullptr;
    FencesBlock block(device, {fences, count}, all);
    if (device.waits && timeout_ns && count && count <= kMostLookedAt) {
        const uint64_t queue = first ? first->queue.load(std::memory_order_relaxed) : 0;
        return LookAndWait(
            device, SiteOf(__builtin_return_address(0), queue), timeout_ns, FencesLook(device, {fences, count}, all),
            [&](uint64_t left_ns) { return block(left_ns); }, &block.waits());
    }
    const uint64_t word = first ? first->word() : 0;
    const VkResult result = Forwarded(
        device, [&] { return block(timeout_ns); }, &block.waits());
    // Of several, those that are not noted here are asked for when they are destroyed.
    if (first && result == VK_SUCCESS && (all || count == 1)) first->SawSignaled(word);
    return result;
}

// Section "Semaphores", "Host Access to Semaphores".
VKAPI_ATTR VkResult VKAPI_CALL WaitSemaphores(VkDevice handle, const VkSemaphoreWaitInfo* info, uint64_t timeout_ns) {
    Device& device = DeviceOf(handle);
    const TracedWait traced(device.trace.get(), "vkWaitSemaphores");
    if (FlushHeld(device, Counter::kFlushesWait) != VK_SUCCESS) return VK_ERROR_DEVICE_LOST;
    uint64_t waits = 0;
    const auto block = [&](uint64_t left_ns) {
        return InTurns(device, left_ns, waits,
                       [&](uint64_t turn_ns) { return device.down.WaitSemaphores(handle, info, turn_ns); });
    };
    const bool understood = !info->pNext && !(info->flags & ~VkSemaphoreWaitFlags{VK_SEMAPHORE_WAIT_ANY_BIT});
    if (device.waits && timeout_ns && info->semaphoreCount && info->semaphoreCount <= kMostLookedAt && understood &&
        device.down.GetSemaphoreCounterValue) {
        return LookAndWait(device, SiteOf(__builtin_return_address(0), 0), timeout_ns, SemaphoresLook(device, *info),
                           block, &waits);
    }
    return Forwarded(
        device, [&] { return block(timeout_ns); }, &waits);
}

// Section "Queue Submission", "Waiting on a queue is equivalent to having submitted a valid fence to every previously
// executed queue submission command that accepts a fence". One fence behind them all is as good, for its first scope is
// all of them; where sparse bindings and presentations are among them, the driver knows best.
VKAPI_ATTR VkResult VKAPI_CALL QueueWaitIdle(VkQueue handle) {
    Queue* queue = FindQueue(handle);
    Device& device = queue ? *queue->device : DeviceOf(handle);
    const TracedWait traced(device.trace.get(), "vkQueueWaitIdle");
    if (FlushHeld(device, Counter::kFlushesIdle) != VK_SUCCESS) return VK_ERROR_DEVICE_LOST;
    const auto block = [&] { return device.down.QueueWaitIdle(handle); };
    if (!device.waits || !queue || !queue->plain || !queue->busy) return Forwarded(device, block);
    return WaitIdle(device, *queue, __builtin_return_address(0), block);
}

// "vkDeviceWaitIdle is equivalent to calling vkQueueWaitIdle for all queues owned by device", which is one queue in
// most programs that only compute.
VKAPI_ATTR VkResult VKAPI_CALL DeviceWaitIdle(VkDevice handle) {
    Device& device = DeviceOf(handle);
    const TracedWait traced(device.trace.get(), "vkDeviceWaitIdle");
    if (FlushHeld(device, Counter::kFlushesIdle) != VK_SUCCESS) return VK_ERROR_DEVICE_LOST;
    const auto block = [&] { return device.down.DeviceWaitIdle(handle); };
    Queue* queue = device.waits ? OnlyQueue(device) : nullptr;
    if (!queue || !queue->plain || !queue->busy) return Forwarded(device, block);
    return WaitIdle(device, *queue, __builtin_return_address(0), block);
}

// A program that polls waits too: the poll that sees the fence signaled ends the frame.
VKAPI_ATTR VkResult VKAPI_CALL GetFenceStatus(VkDevice handle, VkFence fence) {
    Device& device = DeviceOf(handle);
    FenceState* state = device.fences ? device.fences->Find(fence) : nullptr;
    uint64_t asked = 0;
    VkResult result = StatusOf(device, fence, state, asked);
    // Whoever asks in vain may be waiting for what is held.
    if (result == VK_NOT_READY && FlushHeld(device, Counter::kFlushesPoll) != VK_SUCCESS) result = VK_ERROR_DEVICE_LOST;
    if (device.trace && result == VK_SUCCESS && !device.trace->Inherited()) device.trace->Collect();
    if (!device.stats) return result;
    device.stats->counters().Add(Side::kAsked, Counter::kPolls, 1);
    if (asked) device.stats->counters().Add(Side::kDriver, Counter::kPolls, asked);
    NotePoll(device, fence, result);
    if (result == VK_SUCCESS) device.stats->OnWaitDone();
    return result;
}

VKAPI_ATTR VkResult VKAPI_CALL GetSemaphoreCounterValue(VkDevice handle, VkSemaphore semaphore, uint64_t* value) {
    Device& device = DeviceOf(handle);
    if (FlushHeld(device, Counter::kFlushesPoll) != VK_SUCCESS) return VK_ERROR_DEVICE_LOST;
    const VkResult result = device.down.GetSemaphoreCounterValue(handle, semaphore, value);
    if (device.stats) {
        device.stats->counters().Add(Counter::kPolls);
        if (result == VK_SUCCESS) device.stats->OnCounterRead(HandleBits(semaphore), *value);
    }
    return result;
}

}  // namespace kronos::hook
