// SPDX-License-Identifier: Apache-2.0
// Waits without a driver: what is learned, what is allowed, what is chosen.
#include <gtest/gtest.h>

#include <span>
#include <thread>
#include <vector>

#include "submission/idle_choice.h"
#include "submission/spin_waits.h"
#include "support/cost_probe.h"
#include "support/process.h"
#include "wait_traces.h"

namespace kronos {
namespace {

constexpr uint64_t kMost = 200'000;

struct Outcome {
    size_t spun = 0;             // waits that ended while spinning
    size_t short_ones = 0;       // waits of at most half the longest budget
    size_t short_ones_spun = 0;  // of those
    uint64_t in_vain_ns = 0;
    uint64_t waited_ns = 0;
};

// What waits at one place would have come to.
Outcome Replay(std::span<const uint32_t> microseconds) {
    SpinBudget budget(kMost);
    Outcome outcome;
    for (const uint32_t us : microseconds) {
        const uint64_t ns = uint64_t{us} * 1'000;
        const uint32_t before = budget.ns();
        if (ns <= before) ++outcome.spun;
        if (ns > before) outcome.in_vain_ns += before;
        if (ns <= kMost / 2) ++outcome.short_ones;
        if (ns <= kMost / 2 && ns <= before) ++outcome.short_ones_spun;
        outcome.waited_ns += ns;
        budget.Ended(ns);
        EXPECT_LE(budget.ns(), kMost);
    }
    return outcome;
}

TEST(SpinBudget, PingPongIsSpunThrough) {
    const Outcome outcome = Replay(wait_traces::kPingPong);
    EXPECT_GE(outcome.spun * 100, std::size(wait_traces::kPingPong) * 95);
    EXPECT_LT(outcome.in_vain_ns, 5 * kMost);
}

// All its places as if they were one, which is harder.
TEST(SpinBudget, LlamaIsSpunThroughWhereItIsWorthIt) {
    const Outcome outcome = Replay(wait_traces::kLlama);
    EXPECT_GE(outcome.short_ones_spun * 4, outcome.short_ones * 3);
    // No more spent in vain than a fifth of what was waited.
    EXPECT_LT(outcome.in_vain_ns * 5, outcome.waited_ns);
}

TEST(SpinBudget, LongKernelsAreLeftToTheDriver) {
    const Outcome outcome = Replay(wait_traces::kLongKernels);
    EXPECT_LT(outcome.in_vain_ns * 100, outcome.waited_ns);
}

TEST(SpinBudget, TenMillisecondsAtATimeCostOneVainSpin) {
    const std::vector<uint32_t> waits(1'000, 10'000);
    EXPECT_EQ(Replay(waits).in_vain_ns, kMost);
}

TEST(SpinBudget, ShortWaitsAmongLongOnesAreStillCaught) {
    std::vector<uint32_t> waits;
    for (int i = 0; i < 200; ++i) waits.push_back(i % 2 ? 15 : 10'000);
    const Outcome outcome = Replay(waits);
    EXPECT_GE(outcome.spun, 95u);
    EXPECT_LT(outcome.in_vain_ns, kMost + 100 * 25'000);
}

TEST(SpinBudget, FollowsAProgramThatChanges) {
    SpinBudget budget(kMost);
    for (int i = 0; i < 100; ++i) budget.Ended(10'000'000);
    EXPECT_EQ(budget.ns(), 0u);
    for (int i = 0; i < 16; ++i) budget.Ended(30'000);
    EXPECT_GE(budget.ns(), 30'000u);
    for (int i = 0; i < 16; ++i) budget.Ended(10'000'000);
    EXPECT_EQ(budget.ns(), 0u);
}

TEST(SpinBudget, NothingAllowedNothingSpent) {
    SpinBudget none(0);
    EXPECT_EQ(none.ns(), 0u);
    none.Ended(1);
    EXPECT_EQ(none.ns(), 0u);
    SpinBudget huge(UINT64_MAX);
    huge.Ended(UINT64_MAX);
    huge.Ended(0);
    EXPECT_GE(huge.ns(), 0u);
}

TEST(SpinAllowance, OneThreadMaySpinAllTheTimeTwoMayNot) {
    SpinAllowance allowance(100);
    uint64_t now = 1'000'000'000;
    for (int i = 0; i < 10'000; ++i, now += 15'000) {
        EXPECT_TRUE(allowance.Ask(now));
        allowance.Spent(now, 15'000);
    }
    int refused = 0;
    for (int i = 0; i < 10'000; ++i, now += 15'000) {
        for (int thread = 0; thread < 2; ++thread) {
            if (allowance.Ask(now))
                allowance.Spent(now, 15'000);
            else
                ++refused;
        }
    }
    // Of the 20,000, half are one processor's worth; the burst is some 1,300 more.
    EXPECT_GT(refused, 8'000);
    EXPECT_LE(refused, 10'000);
    now += 1'000'000'000;
    EXPECT_TRUE(allowance.Ask(now));
}

TEST(SpinAllowance, AShareOfATenthIsATenth) {
    SpinAllowance allowance(10);
    uint64_t now = 1'000'000'000;
    uint64_t spent = 0;
    constexpr uint64_t kAll = 10'000'000'000;
    for (const uint64_t end = now + kAll; now < end; now += 15'000) {
        if (!allowance.Ask(now)) continue;
        allowance.Spent(now, 15'000);
        spent += 15'000;
    }
    EXPECT_GE(spent, kAll / 10);
    EXPECT_LE(spent, kAll / 10 + SpinAllowance::kBurstNs);
    EXPECT_FALSE(SpinAllowance(0).Ask(now));
}

TEST(SpinAllowance, ThreadsTogether) {
    SpinAllowance allowance(100);
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&] {
            for (int i = 0; i < 10'000; ++i) allowance.Spent(1'000, 1'000);
        });
    for (std::thread& thread : threads) thread.join();
    // 40 ms were spent since 1 us.
    EXPECT_FALSE(allowance.Ask(40'001'000 - SpinAllowance::kBurstNs - 1));
    EXPECT_TRUE(allowance.Ask(40'001'000 - SpinAllowance::kBurstNs));
}

TEST(IdleChoice, TakesTheFasterAndLooksAgain) {
    IdleChoice choice;
    std::array<int, 2> taken{};
    const auto take = [&](int times, uint64_t driver_ns, uint64_t fence_ns) {
        taken = {};
        for (int i = 0; i < times; ++i) {
            const IdleChoice::Way way = choice.Next();
            ++taken[way];
            choice.Took(way, way == IdleChoice::kDriver ? driver_ns : fence_ns);
        }
    };
    take(8, 60'000, 20'000);
    EXPECT_EQ(taken[0], 4);
    take(640, 60'000, 20'000);
    EXPECT_EQ(taken[0], 10);
    // Four looks later it has changed its mind.
    take(640, 10'000, 20'000);
    EXPECT_GE(taken[0], 640 - 4 * 64 - 20);
}

TEST(ChooseWaits, Rules) {
    EXPECT_TRUE(ChooseWaits(false, false, false, 2, 1, 1).spin);
    EXPECT_FALSE(ChooseWaits(false, false, false, 1, 1, 1).spin);
    EXPECT_FALSE(ChooseWaits(false, false, true, 64, 1, 1).spin);
    EXPECT_TRUE(ChooseWaits(false, true, true, 1, 1, 1).spin);
    EXPECT_FALSE(ChooseWaits(true, false, false, 64, 1, 1).spin);
    EXPECT_FALSE(ChooseWaits(false, true, false, 64, 0, 1).spin);
    EXPECT_FALSE(ChooseWaits(false, true, false, 64, 1, 0).spin);
}

TEST(CostProbe, TheCheapestOfTwoDecides) {
    using Verdict = CostProbe::Verdict;
    CostProbe dear(1'000);
    EXPECT_FALSE(dear.Made(250'000));
    EXPECT_TRUE(dear.Undecided());
    EXPECT_TRUE(dear.Made(260'000));
    EXPECT_EQ(dear.verdict(), Verdict::kDear);
    EXPECT_FALSE(dear.Made(1));
    EXPECT_EQ(dear.made_ns(), 250'000u);

    CostProbe cheap(1'000);  // the first call is slow, as first calls are
    EXPECT_FALSE(cheap.Made(50'000));
    EXPECT_FALSE(cheap.Dropped(30));
    EXPECT_FALSE(cheap.Made(40));
    EXPECT_TRUE(cheap.Dropped(30));
    EXPECT_EQ(cheap.verdict(), Verdict::kCheap);

    CostProbe dropping(1'000);  // only dropping is dear
    EXPECT_FALSE(dropping.Made(10));
    EXPECT_FALSE(dropping.Made(10));
    EXPECT_FALSE(dropping.Dropped(5'000));
    EXPECT_TRUE(dropping.Dropped(5'000));
    EXPECT_EQ(dropping.verdict(), Verdict::kDear);
}

TEST(ProcessorQuota, IsRoundedUp) {
    EXPECT_EQ(ProcessorQuota("max 100000"), 0u);
    EXPECT_EQ(ProcessorQuota("100000 100000"), 1u);
    EXPECT_EQ(ProcessorQuota("150000 100000"), 2u);
    EXPECT_EQ(ProcessorQuota("50000 100000"), 1u);
    for (const char* odd : {"", " ", "1", "1 ", "1 0", "0 1", "x 1", "1 x", "99999999999999999999 1"})
        EXPECT_EQ(ProcessorQuota(odd), 0u) << odd;
    EXPECT_GE(UsableProcessors(), 1u);
}

}  // namespace
}  // namespace kronos
