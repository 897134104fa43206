// SPDX-License-Identifier: Apache-2.0
// What the layer knows of the program's fences, and the fences that wait for their next life. One object a device.
//
// No handle is replaced: a VkFence of the program is the driver's. vkDestroyFence keeps it here, vkCreateFence hands it
// out again. A virtual fence is one that was submitted and that the driver has not seen: a value of a queue's timeline.
//
// Threads: a FenceState's atomics may be used from any thread; what a program does to one fence is synchronized as
// Vulkan demands (section "Fences"). The lists are guarded by the cache's mutex, which is never held across a driver
// call.
#pragma once

#include <vulkan/vulkan.h>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <vector>

#include "support/cost_probe.h"
#include "support/fork_mutex.h"
#include "support/handle_map.h"

namespace kronos {

class SubmitQueue;

/// A fence whose creation was understood. Lives as long as the driver's fence, through all its lives in the program.
class FenceState {
  public:
    explicit FenceState(VkFence fence, bool signaled) : handle(fence), word_(signaled ? kSignaled : kReset) {}

    enum Phase : uint64_t {
        kReset = 0,      ///< not signaled, and nothing will signal it
        kSubmitted = 1,  ///< was given to the driver with work; not seen signaled since
        kSignaled = 2,   ///< seen signaled
        kVirtual = 3,    ///< a queue's timeline says when it is signaled; the driver's is not, and nothing signals it
        kVirtualSignaled = 4,  ///< and was seen to have said so
    };
    Phase phase() const { return PhaseOf(word()); }
    static Phase PhaseOf(uint64_t word) { return static_cast<Phase>(word & kPhaseMask); }
    static bool IsVirtual(Phase phase) { return phase == kVirtual || phase == kVirtualSignaled; }

    /// To be handed to SawSignaled: which submission an answer of the driver is about.
    uint64_t word() const { return word_.load(std::memory_order_acquire); }
    /// The driver, or the timeline, said that it is signaled. Does nothing when the fence was submitted or reset since
    /// `asked` was read.
    void SawSignaled(uint64_t asked) {
        const Phase before = PhaseOf(asked);
        if (before != kSubmitted && before != kVirtual) return;
        word_.compare_exchange_strong(asked,
                                      (asked & ~kPhaseMask) | (before == kVirtual ? kVirtualSignaled : kSignaled),
                                      std::memory_order_release, std::memory_order_relaxed);
    }
    /// Before the driver sees the submission. `on`: any number that tells queues apart.
    void Submitted(uint64_t on) {
        queue.store(on, std::memory_order_relaxed);
        Advance(kSubmitted);
    }
    /// The driver does not see it: it is signaled when `timeline` has reached `value`.
    void SubmittedVirtually(uint64_t on, SubmitQueue* timeline, uint64_t value) {
        queue.store(on, std::memory_order_relaxed);
        timeline_.store(timeline, std::memory_order_relaxed);
        value_.store(value, std::memory_order_relaxed);
        Advance(kVirtual);
    }
    /// Of a virtual fence. With the phase they are one moment only for who may submit the fence, as Vulkan has it.
    SubmitQueue* timeline() const { return timeline_.load(std::memory_order_relaxed); }
    uint64_t value() const { return value_.load(std::memory_order_relaxed); }
    void Reset() { Advance(kReset); }
    /// A reset failed half way, or another payload is imported: the driver must be asked.
    void Doubt() { Advance(kSubmitted); }

    const VkFence handle;
    std::atomic<uint64_t> queue{0};   ///< where it was last submitted
    std::atomic<bool> shared{false};  ///< exported, imported, or given to the window system
    std::atomic<bool> marked{false};  ///< carries private data or a debug tag
    std::atomic<bool> named{false};   ///< carries a debug name

  private:
    static constexpr uint64_t kPhaseMask = 7;
    void Advance(Phase phase) {
        word_.store(((word_.load(std::memory_order_relaxed) | kPhaseMask) + 1) | phase, std::memory_order_release);
    }
    std::atomic<uint64_t> word_;  // phase, and above it a number that grows with each submission and reset
    std::atomic<SubmitQueue*> timeline_{nullptr};
    std::atomic<uint64_t> value_{0};
};

class FenceCache {
  public:
    /// As cheap as 0.1 us for both on some drivers, 400 us on others; what is kept costs some tens of nanoseconds.
    static constexpr uint64_t kDearNs = 1'000;
    static constexpr size_t kMostIdle = 1024;

    FenceCache() { idle_[0].reserve(kMostIdle), idle_[1].reserve(kMostIdle); }

    CostProbe probe{kDearNs};
    std::atomic<bool> ended{false};  ///< none is kept any more
    bool know_all = false;           ///< set before the first fence: fences are looked at even where the driver is fast
    /// The driver is fast: fences are not even looked at.
    bool Cheap() const { return probe.verdict() == CostProbe::Verdict::kCheap; }
    bool Ignores() const { return Cheap() && !know_all; }

    /// nullptr: a fence that the layer knows nothing of, and must not keep.
    FenceState* Find(VkFence fence) const { return known_.Find(fence); }
    /// A fence that the driver just made, without pNext and allocation callbacks. Throws std::bad_alloc.
    void Add(VkFence fence, bool signaled);
    /// The driver is about to destroy it.
    void Forget(VkFence fence);

    /// An idle fence, signaled or not; nullptr when there is none of the kind.
    FenceState* Take(bool signaled);
    /// Keeps a fence that is not submitted, or virtual and signaled, and of which nothing else is known. False: enough
    /// are kept.
    bool Keep(FenceState* state);

    ~FenceCache();
    FenceCache(const FenceCache&) = delete;
    FenceCache& operator=(const FenceCache&) = delete;

  private:
    HandleMap<VkFence, FenceState*> known_;
    mutable ForkMutex mutex_{LockRank::kFences};
    std::vector<FenceState*> idle_[2];  // not signaled, signaled; guarded by mutex_; the capacity never changes
};

}  // namespace kronos
