// SPDX-License-Identifier: Apache-2.0
// Waits: polled first, counted, and the fences that they see signaled noted. Any thread; no locks.
#include <span>

#include "entry/hooks.h"
#include "entry/state.h"
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

// `body` waits and fills in the report. Counts, and ends a frame when the wait succeeded.
template <class Body>
VkResult Waited(Device& device, Counter poll, Body body) {
    WaitReport report;
    if (!device.stats) return body(report);
    const uint64_t before = NowNs();
    const VkResult result = body(report);
    const Counters::Own counters = device.stats->counters().OfThisThread();
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
        const VkResult result = device.waits->Wait(
            site, timeout_ns, report, [&] { return look(polls); }, block);
        report.polls = polls;
        return result;
    });
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

// Waits until nothing that was submitted to the queue is left, by the faster of two ways; `block` is the driver's.
template <class Block>
VkResult WaitIdle(Device& device, Queue& queue, const void* caller, Block block) {
    const uint64_t before = NowNs();
    const uint64_t site = SiteOf(caller, HandleBits(queue.handle));
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
    FenceState* first = device.fences && count ? device.fences->Find(fences[0]) : nullptr;
    if (device.waits && timeout_ns && count && count <= kMostLookedAt) {
        const uint64_t queue = first ? first->queue.load(std::memory_order_relaxed) : 0;
        return LookAndWait(
            device, SiteOf(__builtin_return_address(0), queue), timeout_ns, FencesLook(device, {fences, count}, all),
            [&](uint64_t left_ns) { return device.down.WaitForFences(handle, count, fences, all, left_ns); });
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
    if (device.waits && timeout_ns && info->semaphoreCount && info->semaphoreCount <= kMostLookedAt && understood &&
        device.down.GetSemaphoreCounterValue) {
        return LookAndWait(device, SiteOf(__builtin_return_address(0), 0), timeout_ns, SemaphoresLook(device, *info),
                           [&](uint64_t left_ns) { return device.down.WaitSemaphores(handle, info, left_ns); });
    }
    return Forwarded(device, [&] { return device.down.WaitSemaphores(handle, info, timeout_ns); });
}

// Section "Queue Submission", "Waiting on a queue is equivalent to having submitted a valid fence to every previously
// executed queue submission command that accepts a fence". One fence behind them all is as good, for its first scope is
// all of them; where sparse bindings and presentations are among them, the driver knows best.
VKAPI_ATTR VkResult VKAPI_CALL QueueWaitIdle(VkQueue handle) {
    Queue* queue = FindQueue(handle);
    Device& device = queue ? *queue->device : DeviceOf(handle);
    const auto block = [&] { return device.down.QueueWaitIdle(handle); };
    if (!device.waits || !queue || !queue->plain || !queue->busy) return Forwarded(device, block);
    return WaitIdle(device, *queue, __builtin_return_address(0), block);
}

// "vkDeviceWaitIdle is equivalent to calling vkQueueWaitIdle for all queues owned by device", which is one queue in
// most programs that only compute.
VKAPI_ATTR VkResult VKAPI_CALL DeviceWaitIdle(VkDevice handle) {
    Device& device = DeviceOf(handle);
    const auto block = [&] { return device.down.DeviceWaitIdle(handle); };
    Queue* queue = device.waits ? OnlyQueue(device) : nullptr;
    if (!queue || !queue->plain || !queue->busy) return Forwarded(device, block);
    return WaitIdle(device, *queue, __builtin_return_address(0), block);
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
