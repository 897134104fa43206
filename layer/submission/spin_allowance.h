// SPDX-License-Identifier: Apache-2.0
// How much processor time all threads together may spend spinning. Any thread; no locks.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace kronos {

/// A share of one processor, with a burst: threads that spin advance a common clock by what they spent, divided by the
/// share; while that clock is ahead of the real one by more than the burst, nobody may start to spin.
class SpinAllowance {
  public:
    /// `percent` of one processor, 0 to 100; 0 allows nothing.
    explicit SpinAllowance(uint32_t percent) : percent_(percent) {}

    /// Whether a thread may begin to spin at `now_ns`.
    bool Ask(uint64_t now_ns) const {
        return percent_ && paid_until_ns_.load(std::memory_order_relaxed) <= now_ns + kBurstNs;
    }
    /// It spun for `spent_ns`, since `begin_ns`.
    void Spent(uint64_t begin_ns, uint64_t spent_ns) {
        if (!percent_) return;
        const uint64_t price = spent_ns * 100 / percent_;
        uint64_t before = paid_until_ns_.load(std::memory_order_relaxed);
        while (!paid_until_ns_.compare_exchange_weak(before, std::max(before, begin_ns) + price,
                                                     std::memory_order_relaxed)) {
        }
    }

    static constexpr uint64_t kBurstNs = 20'000'000;

  private:
    const uint32_t percent_;
    std::atomic<uint64_t> paid_until_ns_{0};
};

}  // namespace kronos
