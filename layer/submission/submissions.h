// SPDX-License-Identifier: Apache-2.0
// The queues of a device whose submissions may be held, and who flushes them when. One object a device, owned by the
// device's state.
//
// Threads: any, unless said otherwise. A queue's lock is taken for its own calls of the driver alone; two are never
// held at a time.
#pragma once

#include <vulkan/utility/vk_dispatch_table.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "stats/counters.h"
#include "submission/flusher.h"
#include "submission/fuser.h"
#include "submission/submit_queue.h"
#include "submission/submit_worth.h"
#include "support/handle_map.h"
#include "trace/device_trace.h"

namespace kronos {

struct SubmitPolicy {
    bool measure = true;          ///< nothing is held where nothing is gained
    bool virtual_fences = false;  ///< fences may be values of a timeline
    SubmitLimits limits;
    FusionPolicy fusion;
};

class Submissions final : FlusherWork {
  public:
    /// `counters`: nullptr where nothing is counted.
    Submissions(const VkuDeviceDispatchTable& down, VkDevice device, Counters* counters, const SubmitPolicy& policy,
                const DeferredCount* deferred);
    /// Stopped by then; what was submitted is done.
    ~Submissions();
    Submissions(const Submissions&) = delete;
    Submissions& operator=(const Submissions&) = delete;

    const SubmitPolicy& policy() const { return policy_; }

    /// For a queue of the program, of that family, that has no flags; `trace`: nullptr where it has none. nullptr: the
    /// driver has no semaphore for it, and its submissions are the driver's. Throws std::bad_alloc. Not for who holds a
    /// fork mutex.
    SubmitQueue* Add(VkQueue queue, uint32_t family, QueueTrace* trace);

    /// Counter::kCount: submissions go through their queue. Else why the driver gets them from the program.
    Counter WhyRaw() const;
    /// Of those that go through their queue: Counter::kCount when they may be held, else why they may not.
    Counter WhyNotHold() const;
    /// From now on the driver gets submissions from the program. The first reason counts.
    void StopHolding(Counter why) noexcept;

    /// Everything that is held goes to the driver. `why`: counted when something was. VK_ERROR_DEVICE_LOST when
    /// something that was held could not be given to it, now or earlier. Not for who has locked a queue.
    VkResult FlushAll(Counter why) noexcept { return FlushOthers(nullptr, why); }
    /// All but what `own` holds.
    VkResult FlushOthers(const SubmitQueue* own, Counter why) noexcept;
    /// Something that was held could not be given to the driver.
    bool Lost() const { return lost_.load(std::memory_order_acquire); }
    void SetLost() { lost_.store(true, std::memory_order_release); }

    /// A queue began to hold something. Not for who has locked one.
    void BeganToHold() noexcept;

    /// The program has an event that the host can set: from now on, what may wait for one is known to.
    void HasHostEvents() noexcept { host_events_.store(true, std::memory_order_release); }
    bool AnyHostEvents() const { return host_events_.load(std::memory_order_acquire); }

    /// A semaphore that others may wait for: what signals it is never held.
    void Share(VkSemaphore semaphore) noexcept;
    void Forget(VkSemaphore semaphore) {
        if (AnyShared()) shared_.Erase(semaphore);
    }
    bool AnyShared() const { return any_shared_.load(std::memory_order_acquire); }
    bool IsShared(VkSemaphore semaphore) const { return shared_.Find(semaphore, 0) != 0; }

    /// Held while command buffers of the layer's own are recorded.
    ForkMutex& fusion_mutex() { return fusion_mutex_; }

    /// Whether a recording that begins need not reach the driver before it is submitted: submissions come in crowds.
    bool Defers() const { return crowd_.load(std::memory_order_relaxed) > 0 && !DefersNoMore(); }
    /// None that ends from now on.
    bool DefersNoMore() const { return defers_no_more_.load(); }
    /// Some recordings may be waiting to be submitted of which the driver has nothing.
    bool AnyDeferred() const { return deferred_ && deferred_->load() > 0; }
    /// From now on the driver gets recordings when they end. `why`: counted the first time.
    void StopDeferring(Counter why) noexcept;
    /// A submission was held, or was not.
    void NoteCrowd(bool held) {
        const int32_t crowd = crowd_.load(std::memory_order_relaxed);
        crowd_.store(held ? std::min(crowd + 2, kCrowd) : std::max(crowd - 1, 0), std::memory_order_relaxed);
    }
    /// Of a layout that deferred recordings may name, with its PipelineLayoutFacts::uid, 0 if that is not known. True:
    /// it will be destroyed later. Called with fusion_mutex() held.
    bool Bury(VkPipelineLayout layout, uint64_t uid) noexcept;

    /// Nothing is held any more, nothing will be, and there is no thread. The queues' timelines stay.
    void Stop() noexcept;
    /// It is the parent's of this process: not to be destroyed, for its thread is not here.
    bool Inherited() const;

  private:
    class DriverQueue;
    struct Entry;

    bool Holds() const noexcept override;
    void Round() noexcept override;
    void FlushNow() noexcept override;
    const VkuDeviceDispatchTable& down_;
    const VkDevice device_;
    Counters* const counters_;
    const SubmitPolicy policy_;
    const uint32_t fork_generation_;
    SubmitWorth worth_;
    std::atomic<Counter> stopped_{Counter::kCount};
    std::atomic<bool> lost_{false};
    std::atomic<bool> any_shared_{false};
    std::atomic<bool> host_events_{false};
    static constexpr int32_t kCrowd = 64;
    std::atomic<int32_t> crowd_{0};  ///< above 0: many of the last submissions were held
    std::atomic<bool> defers_no_more_{false};
    const DeferredCount* const deferred_;              ///< of the device; nullptr: nothing is deferred
    std::atomic<uint64_t> last_deferred_{UINT64_MAX};  ///< younger objects are named by no deferred recording
    std::vector<VkPipelineLayout> buried_;             // guarded by fusion_mutex_
    HandleMap<VkSemaphore, uint64_t> shared_;
    ForkMutex fusion_mutex_{LockRank::kFusion};
    std::atomic<Entry*> queues_{nullptr};  // a list that only grows
    Flusher flusher_{*this};
};

}  // namespace kronos
