// SPDX-License-Identifier: Apache-2.0
// Waits: polled first, counted, and the fences that they see signaled noted. Any thread; no locks.
#include <span>

#include "entry/hooks.h"
#include "entry/state.h"
#include "support/clock.h"

namespace kronos {
namespace {

// Waits that are alike: made by the same call of the program, for the same queue. Reached through a loader that does not
// call in tail position the call is the loader's, and all waits of one command share what they learn.
uint64_t SiteOf(const void* caller, uint64_t queue) { return reinterpret_cast<uintptr_t>(caller) ^ (queue << 1); }

SpinWaits::Look LookOf(VkResult status) {
    return status == VK_SUCCESS ? SpinWaits::Look::kOver
           : status == VK_NOT_READY ? SpinWaits::Look::kPending
                                    : SpinWaits::Look::kFailed;
}

// `body` waits and fills in the report. Counts, and ends a frame when the wait succeeded.
template <class Body>
VkResult Waited(Device& device, Counter poll, Body body) {
    WaitReport report;
    if (!device.stats) return body(report);
    const uint64_t before = NowNs();
    const VkResult result = body(report);
    Counters& counters = device.stats->counters();
    counters.Add(Side::kAsked, Counter::kWaits, 1);
    counters.Add(Side::kAsked, Counter::kWaitNs, NowNs() - before);
    if (report.blocked) counters.Add(Side::kDriver, Counter::kWaits, 1);
    if (report.polls) counters.Add(Side::kDriver, poll, report.polls);
    counters.Decided(report.decision);
    if (report.spin_ns) counters.Decided(Counter::kSpinNs, report.spin_ns);
    if (result == VK_SUCCESS) device.stats->OnWaitDone();
    return result;
}

// The driver's own wait.
template <class Call>
VkResult Forwarded(Device& device, Call call) {
    return Waited(device, Counter::kPolls, [&](WaitReport& report) {
        report.blocked = true;
        return call();
    });
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

// Fences are polled in order: for all of them the first that is pending is enough, for any all are asked in turn.
class FencesLook {
  public:
    FencesLook(const Device& device, std::span<const VkFence> fences, bool all)
        : device_(device), fences_(fences), all_(all) {}

    SpinWaits::Look operator()(uint64_t& asked) {
        if (!all_) return Any(asked);
        for (; done_ < fences_.size(); ++done_) {
            const SpinWaits::Look seen = One(fences_[done_]);
            ++asked;
            if (seen != SpinWaits::Look::kOver) return seen;
        }
        return SpinWaits::Look::kOver;
    }

  private:
    SpinWaits::Look Any(uint64_t& asked) const {
        for (const VkFence fence : fences_) {
            const SpinWaits::Look seen = One(fence);
            ++asked;
            if (seen != SpinWaits::Look::kPending) return seen;
        }
        return SpinWaits::Look::kPending;
    }
    SpinWaits::Look One(VkFence fence) const {
        FenceState* state = device_.fences ? device_.fences->Find(fence) : nullptr;
        const uint64_t word = state ? state->word() : 0;
        const SpinWaits::Look seen = LookOf(device_.down.GetFenceStatus(device_.handle, fence));
        if (state && seen == SpinWaits::Look::kOver) state->SawSignaled(word);
        return seen;
    }

    const Device& device_;
    const std::span<const VkFence> fences_;
    const bool all_;
    size_t done_ = 0;
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
VkResult LookAndWait(Device& device, uint64_t site, uint64_t timeout_ns, LookAt look, Block block) {
    return Waited(device, Counter::kPolls, [&](WaitReport& report) {
        uint64_t polls = 0;
        const VkResult result =
            device.waits->Wait(site, timeout_ns, report, [&] { return look(polls); }, block);
        report.polls = polls;
        return result;
    });
}

}  // namespace
}  // namespace kronos

namespace kronos::hook {

// Section "Waiting for Fences".
VKAPI_ATTR VkResult VKAPI_CALL WaitForFences(VkDevice handle, uint32_t count, const VkFence* fences, VkBool32 all,
                                             uint64_t timeout_ns) {
    Device& device = DeviceOf(handle);
    FenceState* first = device.fences && count ? device.fences->Find(fences[0]) : nullptr;
    if (device.waits && timeout_ns && count) {
        const uint64_t queue = first ? first->queue.load(std::memory_order_relaxed) : 0;
        return LookAndWait(device, SiteOf(__builtin_return_address(0), queue), timeout_ns,
                           FencesLook(device, {fences, count}, all), [&](uint64_t left_ns) {
                               return device.down.WaitForFences(handle, count, fences, all, left_ns);
                           });
    }
    const uint64_t word = first ? first->word() : 0;
    const VkResult result =
        Forwarded(device, [&] { return device.down.WaitForFences(handle, count, fences, all, timeout_ns); });
    // Of several, those that are not noted here are asked for when they are destroyed.
    if (first && result == VK_SUCCESS && (all || count == 1)) first->SawSignaled(word);
    return result;
}

// Section "Semaphores", "Host Access to Semaphores".
VKAPI_ATTR VkResult VKAPI_CALL WaitSemaphores(VkDevice handle, const VkSemaphoreWaitInfo* info, uint64_t timeout_ns) {
    Device& device = DeviceOf(handle);
    const bool understood = !info->pNext && !(info->flags & ~VkSemaphoreWaitFlags{VK_SEMAPHORE_WAIT_ANY_BIT});
    if (device.waits && timeout_ns && info->semaphoreCount && understood && device.down.GetSemaphoreCounterValue) {
        return LookAndWait(device, SiteOf(__builtin_return_address(0), 0), timeout_ns, SemaphoresLook(device, *info),
                           [&](uint64_t left_ns) { return device.down.WaitSemaphores(handle, info, left_ns); });
    }
    return Forwarded(device, [&] { return device.down.WaitSemaphores(handle, info, timeout_ns); });
}

// Whether a queue is idle cannot be polled. A fence of ours behind the program's work could be, but submitting one takes
// as long as the driver's wait (bench/results, "vkQueueSubmit of a fence alone").
VKAPI_ATTR VkResult VKAPI_CALL QueueWaitIdle(VkQueue queue) {
    Device& device = DeviceOfQueue(queue);
    return Forwarded(device, [&] { return device.down.QueueWaitIdle(queue); });
}

VKAPI_ATTR VkResult VKAPI_CALL DeviceWaitIdle(VkDevice handle) {
    Device& device = DeviceOf(handle);
    return Forwarded(device, [&] { return device.down.DeviceWaitIdle(handle); });
}

// A program that polls waits too: the poll that sees the fence signaled ends the frame.
VKAPI_ATTR VkResult VKAPI_CALL GetFenceStatus(VkDevice handle, VkFence fence) {
    Device& device = DeviceOf(handle);
    FenceState* state = device.fences ? device.fences->Find(fence) : nullptr;
    const uint64_t word = state ? state->word() : 0;
    const VkResult result = device.down.GetFenceStatus(handle, fence);
    if (state && result == VK_SUCCESS) state->SawSignaled(word);
    if (!device.stats) return result;
    device.stats->counters().Add(Counter::kPolls);
    NotePoll(device, fence, result);
    if (result == VK_SUCCESS) device.stats->OnWaitDone();
    return result;
}

VKAPI_ATTR VkResult VKAPI_CALL GetSemaphoreCounterValue(VkDevice handle, VkSemaphore semaphore, uint64_t* value) {
    Device& device = DeviceOf(handle);
    device.Count(Counter::kPolls);
    return device.down.GetSemaphoreCounterValue(handle, semaphore, value);
}

}  // namespace kronos::hook
