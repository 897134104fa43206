// SPDX-License-Identifier: Apache-2.0
// How long a wait is worth spinning, learned from the waits before it at the same place of the program. Pure.
// Externally synchronized.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace kronos {

/// Spinning through a wait saves the time that a blocked thread needs to be woken; spinning in vain costs processor
/// time. A wait that ends while spinning is taken to be worth `most_ns` of spinning: of all budgets, the one that would
/// have gained most over the last waits is chosen, 0 when none gains. A budget is thus never longer than the waits it
/// is for, and a place with short waits and long ones spins through the short and soon gives up on the long.
class SpinBudget {
  public:
    /// `most_ns`: no budget is longer. 0: never spin.
    explicit SpinBudget(uint64_t most_ns = 0) : most_ns_(Clamp(most_ns)), budget_ns_(most_ns_) {}

    /// How long the next wait may spin, in nanoseconds; before the first wait: the most.
    uint32_t ns() const { return budget_ns_; }

    /// A wait took `ns` from call to return, however it was waited for.
    void Ended(uint64_t ns);

  private:
    static constexpr size_t kRemembered = 16;
    static uint32_t Clamp(uint64_t ns) { return ns > UINT32_MAX ? UINT32_MAX : static_cast<uint32_t>(ns); }
    uint32_t Best() const;

    uint32_t most_ns_;
    uint32_t budget_ns_;
    uint32_t count_ = 0;                           // of all waits
    std::array<uint32_t, kRemembered> last_ns_{};  // a ring; count_ % kRemembered is the next
};

}  // namespace kronos
