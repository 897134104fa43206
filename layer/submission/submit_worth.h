// SPDX-License-Identifier: Apache-2.0
// Is it worth holding submissions? Measured on the program's own. Pure. Any thread, without locks: what two threads
// measure at once may be counted once.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace kronos {

/// The driver's calls are timed. Where the cheapest of the first takes less than kDearNs, there is nothing to gain and
/// all later ones go straight to the driver. Where they are dear, a submission that is one of several in a call must
/// cost less than one alone; when over kJudged of them it does not, nothing is held for the next kPause.
class SubmitWorth {
  public:
    static constexpr uint64_t kDearNs = 500;
    static constexpr uint64_t kFirst = 8;       ///< calls
    static constexpr uint64_t kJudged = 1024;   ///< submissions
    static constexpr uint64_t kPause = 16'384;  ///< submissions

    enum class Verdict : uint8_t { kUndecided, kPays, kCheap, kPaused };
    Verdict verdict() const { return verdict_.load(std::memory_order_relaxed); }

    /// A call of the driver that took `ns` held so many submissions, at least 1.
    void Took(uint64_t ns, uint64_t submissions) {
        switch (verdict()) {
            case Verdict::kUndecided:
                least_ns_ = std::min<uint64_t>(least_ns_, ns / submissions);
                if (++calls_ == kFirst) Decide(least_ns_ < kDearNs ? Verdict::kCheap : Verdict::kPays);
                break;
            case Verdict::kPays:
                if (submissions == 1) {
                    // The one alone, slowly forgotten.
                    alone_ns_ = alone_ns_ ? (alone_ns_ * 15 + ns) / 16 : ns;
                    break;
                }
                together_ns_ = together_ns_ + ns;
                together_ = together_ + submissions;
                if (together_ < kJudged) break;
                if (alone_ns_ && together_ns_ / together_ >= alone_ns_) Decide(Verdict::kPaused);
                together_ns_ = together_ = paused_ = 0;
                break;
            case Verdict::kPaused:
                paused_ = paused_ + submissions;
                if (paused_ >= kPause) Decide(Verdict::kPays);
                break;
            case Verdict::kCheap:
                break;
        }
    }

  private:
    void Decide(Verdict verdict) { verdict_.store(verdict, std::memory_order_relaxed); }

    std::atomic<Verdict> verdict_{Verdict::kUndecided};
    std::atomic<uint64_t> least_ns_{UINT64_MAX}, calls_{0};
    std::atomic<uint64_t> alone_ns_{0}, together_ns_{0}, together_{0}, paused_{0};
};

}  // namespace kronos
