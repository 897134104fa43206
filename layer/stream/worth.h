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
};

/// Holding costs time for each command, and gains it for each barrier that the driver does not get. What it loses comes
/// out of an allowance that grows with time and that gains refill: a program that gains nothing loses no more than that
/// share of its time, and one that records little, however long it runs what it recorded, is always held.
class StreamWorth {
  public:
    /// Whether a recording that begins at `now_ns` is to be held.
    bool Hold(uint64_t now_ns) const { return lost_until_ns_.load(std::memory_order_relaxed) <= now_ns + kMostTime; }

    /// One was held, which ended at `now_ns`.
    void Held(const HeldWork& work, uint64_t now_ns) {
        const int64_t gain = int64_t{work.barriers_saved} * kBarrierNs + int64_t{work.barriers_narrowed} * kNarrowedNs;
        const int64_t loss = int64_t{work.commands} * kCommandNs - gain;
        const uint64_t before = lost_until_ns_.load(std::memory_order_relaxed);
        // Before now there is nothing left to gain back.
        const auto lost = static_cast<int64_t>(std::max(before, now_ns)) + loss * static_cast<int64_t>(kTimes);
        lost_until_ns_.store(static_cast<uint64_t>(std::max<int64_t>(lost, 0)), std::memory_order_relaxed);
    }

    /// By tools/bench: a command held, analysed and given to the driver (kronos-call-bench).
    static constexpr int64_t kCommandNs = 45;
    /// A barrier costs the thread that records it so much on the drivers measured (kronos-driver-costs, group
    /// "barriers"), and the device far more where it need not have waited, which nobody knows here.
    static constexpr int64_t kBarrierNs = 300;
    /// One with fewer accesses saves the device so much, where masks are narrowed at all.
    static constexpr int64_t kNarrowedNs = 2'000;
    /// One part in so many of the time may be lost, and so much at once.
    static constexpr uint64_t kTimes = 400;
    static constexpr uint64_t kMostLost = 2'000'000;

  private:
    static constexpr uint64_t kMostTime = kMostLost * kTimes;

    std::atomic<uint64_t> lost_until_ns_{0};  ///< when time alone will have made up for what was lost
};

}  // namespace kronos
