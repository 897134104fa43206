// SPDX-License-Identifier: Apache-2.0
// What the layer knows of the program's fences, and the fences that wait for their next life. One object a device.
//
// No handle is replaced: a VkFence of the program is the driver's. vkDestroyFence keeps it here, vkCreateFence hands it
// out again.
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

/// A fence whose creation was understood. Lives as long as the driver's fence, through all its lives in the program.
class FenceState {
  public:
    explicit FenceState(VkFence fence, bool signaled) : handle(fence), word_(signaled ? kSignaled : kReset) {}

    enum Phase : uint64_t {
        kReset = 0,      ///< not signaled, and nothing will signal it
        kSubmitted = 1,  ///< was given to the driver with work; not seen signaled since
        kSignaled = 2,   ///< seen signaled
    };
    Phase phase() const { return static_cast<Phase>(word_.load(std::memory_order_acquire) & kPhaseMask); }

    /// To be handed to SawSignaled: which submission an answer of the driver is about.
    uint64_t word() const { return word_.load(std::memory_order_acquire); }
    /// The driver said that it is signaled. Does nothing when the fence was submitted or reset since `asked` was read.
    void SawSignaled(uint64_t asked) {
        if ((asked & kPhaseMask) == kSubmitted)
            word_.compare_exchange_strong(asked, (asked & ~kPhaseMask) | kSignaled, std::memory_order_release,
                                          std::memory_order_relaxed);
    }
    /// Before the driver sees the submission. `on`: any number that tells queues apart.
    void Submitted(uint64_t on) {
        queue.store(on, std::memory_order_relaxed);
        Advance(kSubmitted);
    }
    void Reset() { Advance(kReset); }
    /// A reset failed half way: the driver must be asked.
    void Doubt() { Advance(kSubmitted); }

    const VkFence handle;
    std::atomic<uint64_t> queue{0};   ///< where it was last submitted
    std::atomic<bool> shared{false};  ///< exported, imported, or given to the window system
    std::atomic<bool> marked{false};  ///< carries private data or a debug tag
    std::atomic<bool> named{false};   ///< carries a debug name

  private:
    static constexpr uint64_t kPhaseMask = 3;
    void Advance(Phase phase) {
        word_.store(((word_.load(std::memory_order_relaxed) | kPhaseMask) + 1) | phase, std::memory_order_release);
    }
    std::atomic<uint64_t> word_;  // phase, and above it a number that grows with each submission and reset
};

class FenceCache {
  public:
    /// As cheap as 0.1 us for both on some drivers, 400 us on others; what is kept costs some tens of nanoseconds.
    static constexpr uint64_t kDearNs = 1'000;
    static constexpr size_t kMostIdle = 1024;

    FenceCache() { idle_[0].reserve(kMostIdle), idle_[1].reserve(kMostIdle); }

    CostProbe probe{kDearNs};
    /// The driver is fast: fences are not even looked at.
    bool Cheap() const { return probe.verdict() == CostProbe::Verdict::kCheap; }

    /// nullptr: a fence that the layer knows nothing of, and must not keep.
    FenceState* Find(VkFence fence) const { return known_.Find(fence); }
    /// A fence that the driver just made, without pNext and allocation callbacks. Throws std::bad_alloc.
    void Add(VkFence fence, bool signaled);
    /// The driver is about to destroy it.
    void Forget(VkFence fence);

    /// An idle fence, signaled or not; nullptr when there is none of the kind.
    FenceState* Take(bool signaled);
    /// Keeps a fence of which phase() is kReset or kSignaled and nothing else is known. False: enough are kept.
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
