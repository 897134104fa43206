// SPDX-License-Identifier: Apache-2.0
#include "submission/spin_budget.h"

#include <algorithm>

namespace kronos {
namespace {

// A wait like the longest short one must still end while spinning.
uint64_t WithMargin(uint32_t ns) { return uint64_t{ns} + ns / 4 + 1'000; }

}  // namespace

void SpinBudget::Ended(uint64_t ns, bool blocked) {
    if (!most_ns_) return;
    if (distrust_) --distrust_;
    if (plan_.sleep_ns && Fits(ns, blocked) && ++slept_well_ == 4 * kRemembered) {
        slept_well_ = 0;
        penalty_ = std::max<uint32_t>(penalty_ / 2, kRemembered);
    }
    uint32_t& last = last_ns_[count_ % kRemembered];
    // One that nothing can be done for, in the place of another: the plan is what it was.
    const uint64_t too_long = uint64_t{kLongestNs} + most_ns_ / 2;
    const bool hopeless =
        count_ >= kRemembered && !plan_.spin_ns && ns > too_long && last > too_long && most_ns_ <= kLongestNs;
    last = Clamp(ns);
    last_blocked_[count_++ % kRemembered] = blocked;
    if (hopeless) return;
    if (!Fits(ns, blocked) || count_ % kRemembered == 0) plan_ = Best();
}

void SpinBudget::Overslept(uint64_t slept_ns) {
    constexpr uint32_t kLongestDistrust = 4'096;
    distrust_ = penalty_ + 1;  // this one too
    penalty_ = std::min(penalty_ * 2, kLongestDistrust);
    slept_well_ = 0;
    Ended(slept_ns / 2, false);
}

// What a wait took that a sleep is chosen for: a thread that was woken late was so by anything up to the most.
uint64_t SpinBudget::WhenSleeping(uint64_t ns, bool blocked) const {
    return blocked && ns > most_ns_ ? ns - most_ns_ / 2 : ns;
}

// How long to sleep for a wait like that to end in the middle of the spinning; 0 if that is not worth a sleep.
uint32_t SpinBudget::SleepBefore(uint64_t ns) const {
    const uint64_t awake = uint64_t{kSleepsLateNs} + most_ns_ / 2;
    return ns <= kLongestNs && ns >= awake + kSleepsLateNs ? static_cast<uint32_t>(ns - awake) : 0;
}

// What ends well within a budget that is not far too long teaches nothing new.
bool SpinBudget::Fits(uint64_t ns, bool blocked) const {
    if (!plan_.sleep_ns) return ns <= plan_.spin_ns && ns >= plan_.spin_ns / 4;
    const uint64_t took = WhenSleeping(ns, blocked);
    return !blocked && took >= plan_.sleep_ns && took - plan_.sleep_ns <= plan_.spin_ns;
}

// Nanoseconds, over the waits that are remembered.
int64_t SpinBudget::GainOf(const Plan& plan) const {
    const size_t known = std::min<size_t>(count_, kRemembered);
    int64_t gain = 0;
    for (size_t i = 0; i < known; ++i) {
        const uint64_t ns = plan.sleep_ns ? WhenSleeping(last_ns_[i], last_blocked_[i]) : last_ns_[i];
        const int64_t awake = plan.sleep_ns ? int64_t{plan.sleep_ns} + kSleepsLateNs : 0;
        const int64_t spun = static_cast<int64_t>(ns) - awake;
        if (spun < 0) {
            gain += 2 * spun;
            continue;
        }
        if (spun <= plan.spin_ns) gain += most_ns_;
        gain -= std::min<int64_t>(spun, plan.spin_ns);
    }
    return gain;
}

SpinBudget::Plan SpinBudget::Best() const {
    const size_t known = std::min<size_t>(count_, kRemembered);
    Plan best;
    int64_t best_gain = 0;
    for (size_t i = 0; i < known; ++i) {
        const auto budget = static_cast<uint32_t>(std::min<uint64_t>(WithMargin(last_ns_[i]), most_ns_));
        if (last_ns_[i] > budget) continue;
        const int64_t gain = GainOf({0, budget});
        if (gain < best_gain || (gain == best_gain && (!best.spin_ns || budget <= best.spin_ns))) continue;
        best_gain = gain;
        best = {0, budget};
    }
    // A sleep must gain on a few waits before it is trusted.
    constexpr size_t kEnough = 4;
    for (size_t i = 0; !distrust_ && known >= kEnough && i < known; ++i) {
        const Plan plan = {SleepBefore(WhenSleeping(last_ns_[i], last_blocked_[i])), most_ns_};
        if (!plan.sleep_ns) continue;
        const int64_t gain = GainOf(plan);
        if (gain <= best_gain) continue;
        best_gain = gain;
        best = plan;
    }
    return best;
}

}  // namespace kronos
