// SPDX-License-Identifier: Apache-2.0
// How long a wait is worth spinning, and sleeping before that, learned from the waits before it at the same place of
// the program. Pure. Externally synchronized.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace kronos {

/// Spinning through a wait saves the time that a blocked thread needs to be woken; spinning in vain costs processor
/// time. A wait that ends while spinning is taken to be worth `most_ns` of spinning: of all budgets, the one that would
/// have gained most over the last waits is chosen, 0 when none gains. A budget is thus never longer than the waits it
/// is for, and a place with short waits and long ones spins through the short and soon gives up on the long.
///
/// Waits that are too long to spin through, and much alike, are slept through for most of their time: the sleep ends
/// before the shortest of them, and the rest is spun. One that ends during the sleep costs the program time, and counts
/// twice.
class SpinBudget {
  public:
    /// `most_ns`: no budget is longer. 0: never spin.
    explicit SpinBudget(uint64_t most_ns = 0) : most_ns_(Clamp(most_ns)), plan_{0, most_ns_} {}

    struct Plan {
        uint32_t sleep_ns = 0;  ///< before anything is spun
        uint32_t spin_ns = 0;   ///< 0: never
        bool operator==(const Plan&) const = default;
    };
    /// For the next wait; before the first one: spin for the most.
    const Plan& plan() const { return plan_; }

    /// A wait took `ns` from call to return. `blocked`: in the driver, which may have woken the thread late.
    void Ended(uint64_t ns, bool blocked);
    /// A wait was over when its sleep was; how long before, nobody knows. Sleeps are not trusted for a while, twice as
    /// long each time.
    void Overslept(uint64_t slept_ns);

    /// No longer wait is slept through: what a blocked thread loses by being woken late is little of it.
    static constexpr uint32_t kLongestNs = 4'000'000;
    /// A sleep of the operating system ends about so much late (kronos-driver-costs, group "waits"), and a shorter one
    /// is not worth it.
    static constexpr uint32_t kSleepsLateNs = 80'000;

  private:
    static constexpr size_t kRemembered = 16;
    static uint32_t Clamp(uint64_t ns) { return ns > UINT32_MAX ? UINT32_MAX : static_cast<uint32_t>(ns); }
    bool Fits(uint64_t ns, bool blocked) const;
    uint64_t WhenSleeping(uint64_t ns, bool blocked) const;
    uint32_t SleepBefore(uint64_t ns) const;
    int64_t GainOf(const Plan& plan) const;
    Plan Best() const;

    uint32_t most_ns_;
    Plan plan_;
    uint32_t count_ = 0;                           // of all waits
    std::array<uint32_t, kRemembered> last_ns_{};  // a ring; count_ % kRemembered is the next
    std::array<bool, kRemembered> last_blocked_{};
    uint32_t distrust_ = 0;           // so many more waits without a sleep
    uint32_t penalty_ = kRemembered;  // what it is set to next
    uint32_t slept_well_ = 0;         // since that was halved
};

}  // namespace kronos
