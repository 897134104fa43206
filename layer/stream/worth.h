// SPDX-License-Identifier: Apache-2.0
// Whether holding command buffers pays for a program on a device, learned from those that were held. Pure; any thread,
// no locks: what several threads learn at the same moment may count only once.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace kronos {

/// What became of one recording that was held.
struct HeldWork {
    uint32_t commands = 0;           ///< that waited in it
    uint32_t barriers_saved = 0;     ///< of the program's, not given to the driver
    uint32_t barriers_narrowed = 0;  ///< given with fewer accesses, where that is known to pay
    uint32_t waits_saved = 0;  ///< actions that need not wait for the one before, though the program had them wait
};

/// Holding costs time for each command, and gains it for each barrier that the driver does not get. What it loses comes
/// first out of what each device has once, for it may be all that the program ever records, then out of an allowance
/// that grows with time and that gains refill: a program that gains nothing loses no more than that share of its time,
/// and one that records little, however long it runs what it recorded, is always held.
///
/// Once the allowance is spent, what is written to descriptor sets need not be followed either, until time has made up
/// for all of it. Then writes are followed again, and after some recordings, for programs write again what they write
/// for each, these are held again.
class StreamWorth {
  public:
    /// Whether a recording that begins at `now_ns` is to be held.
    bool Hold(uint64_t now_ns) {
        if (first_left_ns_.load(std::memory_order_relaxed) > 0) return true;
        const uint64_t lost_until = lost_until_ns_.load(std::memory_order_relaxed);
        if (follows_.load(std::memory_order_relaxed)) {
            const uint32_t settling = settling_.load(std::memory_order_relaxed);
            if (settling) settling_.store(settling - 1, std::memory_order_relaxed);
            if (lost_until <= now_ns + kMostTime) return !settling;
            follows_.store(false, std::memory_order_relaxed);
        } else if (lost_until <= now_ns) {
            settling_.store(kSettling, std::memory_order_relaxed);
            follows_.store(true, std::memory_order_relaxed);
        }
        return false;
    }

    /// Whether recordings are held, or soon will be: what they use must be known.
    bool Follows() const { return follows_.load(std::memory_order_relaxed); }

    /// One was held, which ended at `now_ns`.
    void Held(const HeldWork& work, uint64_t now_ns) {
        const int64_t gain = int64_t{work.barriers_saved} * kBarrierNs + int64_t{work.barriers_narrowed} * kNarrowedNs +
                             int64_t{work.waits_saved} * kWaitNs;
        const int64_t loss = int64_t{work.commands} * kCommandNs - gain;
        const int64_t first = first_left_ns_.load(std::memory_order_relaxed);
        if (first > 0 && loss > 0)
            return first_left_ns_.store(first - std::max(loss, kFirstLost / kFirstHeld), std::memory_order_relaxed);
        Lose(loss, now_ns);
    }

    /// What was held gained that at `now_ns` in another way.
    void Gained(int64_t gain_ns, uint64_t now_ns) { Lose(-gain_ns, now_ns); }

    /// By tools/bench/results/h200-pairs-barriers.txt. What the experts' chains lose, where nothing is gained: 256
    /// dispatches of 3 commands.
    static constexpr int64_t kCommandNs = 80;
    /// What the naive back-to-back-barriers gain there, two barriers a dispatch, with the loss of 5 commands made up
    /// for.
    static constexpr int64_t kBarrierNs = 400;
    /// A device that waits between two short dispatches takes so much longer: chain and independent of
    /// h200-on-off-barriers.txt.
    static constexpr int64_t kWaitNs = 2'000;
    /// One with fewer accesses saves the device so much, where masks are narrowed at all.
    static constexpr int64_t kNarrowedNs = 2'000;
    /// So much may be lost once, by so many recordings; later one part in so many of the time, and so much at once.
    static constexpr int64_t kFirstLost = 2'000'000;
    static constexpr int64_t kFirstHeld = 8;
    static constexpr uint64_t kTimes = 400;
    static constexpr uint64_t kMostLost = 300'000;
    /// Recordings that are followed and not held, before some are held again.
    static constexpr uint32_t kSettling = 4;

  private:
    static constexpr uint64_t kMostTime = kMostLost * kTimes;

    void Lose(int64_t loss, uint64_t now_ns) {
        const uint64_t before = lost_until_ns_.load(std::memory_order_relaxed);
        // Before now there is nothing left to gain back.
        const auto lost = static_cast<int64_t>(std::max(before, now_ns)) + loss * static_cast<int64_t>(kTimes);
        lost_until_ns_.store(static_cast<uint64_t>(std::max<int64_t>(lost, 0)), std::memory_order_relaxed);
    }

    std::atomic<int64_t> first_left_ns_{kFirstLost};
    std::atomic<uint64_t> lost_until_ns_{0};  ///< when time alone will have made up for what was lost
    std::atomic<bool> follows_{true};
    std::atomic<uint32_t> settling_{0};
};

}  // namespace kronos
