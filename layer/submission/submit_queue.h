// SPDX-License-Identifier: Apache-2.0
// One queue's submissions: given to the driver at once, or held until the queue has room for them, and the timeline
// that says what is done. Pure but for the driver's calls, which an interface makes.
//
// Threads: what says "locked" demands that mutex() is held, which is the queue's own: the driver's calls for the queue
// are made under it, for the flusher makes some too. Everything else may be called by any thread.
#pragma once

#include <vulkan/vulkan.h>

#include <atomic>
#include <cstdint>
#include <span>

#include "stats/counters.h"
#include "submission/batch.h"
#include "support/fork_mutex.h"

namespace kronos {

inline bool OutOfMemory(VkResult result) {
    return result == VK_ERROR_OUT_OF_HOST_MEMORY || result == VK_ERROR_OUT_OF_DEVICE_MEMORY;
}

/// What a queue asks of the driver.
class QueueDriver {
  public:
    /// Locked. `value`: when the timeline has it, the call is done. `as_is`: nobody knows what its structures ask for;
    /// they stay, and each command buffer where it is.
    virtual VkResult Submit(const Batch::Call& call, uint64_t value, bool as_is, VkFence fence) = 0;
    /// Locked. Whether what comes after this command buffer came together with it before, and is recorded so.
    virtual bool Expects(VkCommandBuffer last) const = 0;
    /// Of the queue's timeline.
    virtual VkResult Reached(uint64_t& value) = 0;
    virtual VkSemaphore timeline() const = 0;
    /// Locked. So many submissions were given. `why`: what was held among them was; kCount when nothing was. `folded`:
    /// batches of the program that became part of another.
    virtual void Gave(Counter why, uint64_t submissions, uint64_t folded) = 0;

  protected:
    ~QueueDriver() = default;
};

struct SubmitLimits {
    uint32_t buffers = 64;                    ///< held at most, command buffers; at least 1
    uint64_t hold_ns = 200'000;               ///< and for so long
    bool while_idle = false;                  ///< also when there is room
    uint64_t gap_ns = 20'000;                 ///< only what comes so soon after the one before; UINT64_MAX: whenever
    static constexpr uint32_t kInfos = 64;    ///< and so many batches
    static constexpr uint64_t kInFlight = 2;  ///< while so many calls of the driver are not done: one runs, one waits
    static constexpr uint64_t kBacklog = 8;   ///< or so many, with which also what comes later may be held
};

/// What the program submits, as far as holding it depends on it.
struct Submission {
    VkFence fence = VK_NULL_HANDLE;
    bool fence_virtual = false;                  ///< the fence need not be the driver's
    bool may_hold = true;                        ///< by the device's policy
    Counter why_not = Counter::kSubmitsThrough;  ///< if not
    bool waits = false;                          ///< for a semaphore, or for an event that the host sets
};

class SubmitQueue {
  public:
    SubmitQueue(QueueDriver& driver, const SubmitLimits& limits) : driver_(driver), limits_(limits) {}
    SubmitQueue(const SubmitQueue&) = delete;
    SubmitQueue& operator=(const SubmitQueue&) = delete;

    ForkMutex& mutex() { return mutex_; }

    struct Done {
        VkResult result = VK_SUCCESS;
        uint64_t fence_value = 0;  ///< of the timeline, when the fence is virtual
        bool fence_virtual = false;
        bool began_to_hold = false;  ///< something waits now, and nothing did before
        Counter decision = Counter::kSubmitsThrough;
    };
    /// Locked. Of understood infos. `now_ns`: the clock.
    /// Throws std::bad_alloc, and then nothing happened.
    template <class Info>
    Done Submit(std::span<const Info> infos, const Submission& submission, uint64_t (*now_ns)());

    /// Locked. The driver gets what is held. `why`: counted when something was.
    VkResult Flush(Counter why);
    /// Locked. Nothing is held, and the driver is about to get something of which the timeline says nothing.
    void Uncover() { covered_ = false; }
    /// Locked. Gives the driver such a thing, with command buffers of the layer's in place of those that it needs
    /// there.
    VkResult SubmitAsIs(const Batch::Call& call, VkFence fence) {
        Uncover();
        return driver_.Submit(call, submitted_ + 1, true, fence);
    }
    /// Locked. The flusher's: what is held goes when the device has nothing else to do, when the queue has room for it
    /// and the program, which looks itself, is at something else, or when it has waited long enough.
    void FlushWhenDue(uint64_t now_ns);
    /// Something came since the last FlushWhenDue, or between that and the one before: the program is submitting.
    /// Locked.
    bool Lively() const { return lively_ || appended_ != seen_; }

    /// Whether anything waits. Exact for who locked, or is ordered after who submitted.
    bool Holds() const { return holds_.load(); }
    /// When what is held must go. Locked.
    uint64_t due_ns() const { return held_since_ns_ + limits_.hold_ns; }
    /// The value with which FlushWhenDue would have something to do. Locked.
    uint64_t next_value() const { return Lively() ? submitted_ : room_value(); }
    /// The value that the last call of the driver signals. Locked.
    uint64_t submitted() const { return submitted_; }
    /// A value that is signaled when all that was submitted is done; 0: there is none. Locked.
    uint64_t last_value() const { return covered_ ? submitted_ : 0; }

    /// VK_SUCCESS, VK_NOT_READY, or the driver's error. Of a value that was given to the driver, or is held.
    VkResult StatusOf(uint64_t value);
    VkSemaphore timeline() const { return driver_.timeline(); }
    /// Held work could not be given to the driver: section "Lost Device".
    bool lost() const { return lost_.load(std::memory_order_acquire); }

  private:
    uint64_t room_value() const { return submitted_ + 1 - SubmitLimits::kInFlight; }
    bool HasRoom(uint64_t in_flight = SubmitLimits::kInFlight);
    bool ComesSoon(uint64_t now_ns);
    bool Idle();
    bool WaitsForMore() { return driver_.Expects(batch_.LastBuffer()) && !Idle(); }
    VkResult Give(const Batch::Mark& current, VkFence fence, Counter why);
    VkResult GivePieces(const Batch::Mark& current, VkFence fence);
    VkResult Call(const Batch::Mark& from, const Batch::Mark& to, bool signals, VkFence fence);

    QueueDriver& driver_;
    const SubmitLimits limits_;
    mutable ForkMutex mutex_{LockRank::kSubmitQueue};
    // Guarded by mutex_.
    Batch batch_;
    uint64_t submitted_ = 0;  ///< the value that the last call of the driver signals
    bool covered_ = true;     ///< it covers all that was submitted, semaphores and fences that the program signals too
    uint64_t held_since_ns_ = 0;
    uint64_t last_ns_ = 0;   ///< when the last one came
    uint64_t appended_ = 0;  ///< submissions that were held
    uint64_t seen_ = 0;      ///< of these, when the flusher was last here
    bool lively_ = false;    ///< some came between that and the time before

    std::atomic<uint64_t> reached_{0};
    std::atomic<bool> holds_{false};  // sequentially consistent, for the flusher
    std::atomic<bool> lost_{false};
};

}  // namespace kronos
