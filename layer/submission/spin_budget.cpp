// SPDX-License-Identifier: Apache-2.0
#include "submission/spin_budget.h"

#include <algorithm>

namespace kronos {
namespace {

// A wait like the longest short one must still end while spinning.
uint64_t WithMargin(uint32_t ns) { return uint64_t{ns} + ns / 4 + 1'000; }

}  // namespace

void SpinBudget::Ended(uint64_t ns) {
    if (!most_ns_) return;
    last_ns_[count_++ % kRemembered] = Clamp(ns);
    // What ends well within a budget that is not far too long teaches nothing new.
    const bool fits = ns <= budget_ns_ && ns >= budget_ns_ / 4;
    if (!fits || count_ % kRemembered == 0) budget_ns_ = Best();
}

uint32_t SpinBudget::Best() const {
    const size_t known = std::min<size_t>(count_, kRemembered);
    uint32_t best = 0;
    int64_t best_gain = 0;
    for (size_t i = 0; i < known; ++i) {
        const uint64_t budget = std::min<uint64_t>(WithMargin(last_ns_[i]), most_ns_);
        if (last_ns_[i] > budget) continue;
        int64_t gain = 0;
        for (size_t j = 0; j < known; ++j) {
            if (last_ns_[j] <= budget) gain += most_ns_;
            gain -= static_cast<int64_t>(std::min<uint64_t>(last_ns_[j], budget));
        }
        if (gain < best_gain || (gain == best_gain && (!best || budget <= best))) continue;
        best_gain = gain;
        best = static_cast<uint32_t>(budget);
    }
    return best;
}

}  // namespace kronos
