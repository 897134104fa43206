// SPDX-License-Identifier: Apache-2.0
// Which of two ways to wait for a queue is faster here: measured, again and again. Pure. Externally synchronized.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace kronos {

/// The driver's vkQueueWaitIdle, or a fence of the layer behind the program's work and spinning on it. Both are tried
/// in turn until each was measured four times; then the faster one is used, and the other measured once in a while.
class IdleChoice {
  public:
    enum Way : size_t { kDriver = 0, kFence = 1 };

    /// For the next wait.
    Way Next() const {
        if (measured_[kDriver] < kKept || measured_[kFence] < kKept)
            return measured_[kFence] < measured_[kDriver] ? kFence : kDriver;
        const Way faster = Typical(kFence) < Typical(kDriver) ? kFence : kDriver;
        return count_ % kAgain == 0 ? static_cast<Way>(1 - faster) : faster;
    }
    /// The wait took `ns`.
    void Took(Way way, uint64_t ns) {
        last_ns_[way][measured_[way]++ % kKept] = ns;
        ++count_;
    }

  private:
    static constexpr size_t kKept = 4;
    static constexpr uint64_t kAgain = 64;

    // The lower of the two in the middle.
    uint64_t Typical(Way way) const {
        std::array<uint64_t, kKept> sorted = last_ns_[way];
        std::sort(sorted.begin(), sorted.end());
        return sorted[kKept / 2 - 1];
    }

    std::array<std::array<uint64_t, kKept>, 2> last_ns_{};
    std::array<uint64_t, 2> measured_{};
    uint64_t count_ = 0;
};

}  // namespace kronos
