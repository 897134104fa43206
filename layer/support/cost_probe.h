// SPDX-License-Identifier: Apache-2.0
// Is what the driver does dear enough to be spared? Measured on the program's own first calls, so that it costs
// nothing. Any thread; no locks.
#pragma once

#include <atomic>
#include <cstdint>

namespace kronos {

/// Times of making and dropping one kind of object. Undecided until two were made; then dear when the cheaper of them
/// took at least the limit, or when the cheapest making and the cheapest of two droppings together did. The cheapest,
/// because a thread that loses its processor in between makes any call look dear.
class CostProbe {
  public:
    enum class Verdict : uint32_t { kUndecided, kDear, kCheap };

    explicit CostProbe(uint64_t limit_ns) : limit_ns_(limit_ns) {}

    Verdict verdict() const { return verdict_.load(std::memory_order_relaxed); }
    bool Undecided() const { return verdict() == Verdict::kUndecided; }
    uint64_t limit_ns() const { return limit_ns_; }
    uint64_t made_ns() const { return made_.least_ns.load(std::memory_order_relaxed); }        ///< UINT64_MAX: never
    uint64_t dropped_ns() const { return dropped_.least_ns.load(std::memory_order_relaxed); }  ///< UINT64_MAX: never

    /// The driver's call took `ns`. True for the call that brings the verdict.
    bool Made(uint64_t ns) { return Undecided() && made_.Add(ns) && Judge(); }
    bool Dropped(uint64_t ns) { return Undecided() && dropped_.Add(ns) && Judge(); }

    /// By setting, or as another device of the same driver was judged.
    void Decide(Verdict verdict) { verdict_.store(verdict, std::memory_order_relaxed); }

  private:
    static constexpr uint32_t kSamples = 2;
    struct Times {
        std::atomic<uint64_t> least_ns{UINT64_MAX};
        std::atomic<uint32_t> count{0};

        // True when there are enough.
        bool Add(uint64_t ns) {
            uint64_t least = least_ns.load(std::memory_order_relaxed);
            while (ns < least && !least_ns.compare_exchange_weak(least, ns, std::memory_order_relaxed)) {
            }
            return count.fetch_add(1, std::memory_order_acq_rel) + 1 >= kSamples;
        }
        bool Enough() const { return count.load(std::memory_order_acquire) >= kSamples; }
    };

    bool Judge() {
        Verdict found = Verdict::kUndecided;
        if (made_.Enough() && made_ns() >= limit_ns_)
            found = Verdict::kDear;
        else if (made_.Enough() && dropped_.Enough())
            found = made_ns() + dropped_ns() >= limit_ns_ ? Verdict::kDear : Verdict::kCheap;
        Verdict expected = Verdict::kUndecided;
        return found != Verdict::kUndecided &&
               verdict_.compare_exchange_strong(expected, found, std::memory_order_relaxed);
    }

    const uint64_t limit_ns_;
    std::atomic<Verdict> verdict_{Verdict::kUndecided};
    Times made_, dropped_;
};

}  // namespace kronos
