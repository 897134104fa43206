// SPDX-License-Identifier: Apache-2.0
// Waits without a driver: what is learned, what is allowed, what is chosen.
#include <gtest/gtest.h>

#include <algorithm>
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
    size_t slept = 0;            // of those, after a sleep
    size_t overslept = 0;        // waits that ended while sleeping
    size_t short_ones = 0;       // waits of at most half the longest budget
    size_t short_ones_spun = 0;  // of those
    uint64_t in_vain_ns = 0;
    uint64_t spun_ns = 0;  // in vain or not
    uint64_t late_ns = 0;  // by sleeps that were too long
    uint64_t waited_ns = 0;
};

// What waits at one place would have come to.
Outcome Replay(std::span<const uint32_t> microseconds, uint64_t most_ns = kMost) {
    SpinBudget budget(most_ns);
    Outcome outcome;
    for (const uint32_t us : microseconds) {
        const uint64_t ns = uint64_t{us} * 1'000;
        const auto [sleep, spin] = budget.plan();
        const uint64_t awake = sleep ? sleep + SpinBudget::kSleepsLateNs : 0;
        outcome.waited_ns += ns;
        EXPECT_LE(spin, most_ns);
        if (sleep && ns <= awake) {
            ++outcome.overslept;
            outcome.late_ns += awake - ns;
            budget.Overslept(sleep);
            continue;
        }
        const bool over = ns - awake <= spin;
        outcome.spun_ns += std::min<uint64_t>(ns - awake, spin);
        if (over) ++outcome.spun;
        if (over && sleep) ++outcome.slept;
        if (!over) outcome.in_vain_ns += spin;
        if (ns <= kMost / 2) ++outcome.short_ones;
        if (ns <= kMost / 2 && over) ++outcome.short_ones_spun;
        budget.Ended(ns, !over);
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
    EXPECT_EQ(Replay(waits).spun_ns, kMost);
    EXPECT_EQ(Replay(waits).in_vain_ns, kMost);
}

// Waits of about `us`, each up to a part in `spread` longer.
std::vector<uint32_t> Alike(uint32_t us, uint32_t spread) {
    std::vector<uint32_t> waits;
    for (uint32_t i = 0; i < 1'000; ++i) waits.push_back(us + (i * 7919 % 101) * (us / spread) / 101);
    return waits;
}

TEST(SpinBudget, WaitsThatAreAlikeAreSleptThrough) {
    for (const uint32_t us : {400u, 1'000u, 2'000u, 3'000u}) {
        const Outcome outcome = Replay(Alike(us, 40));
        EXPECT_GE(outcome.slept, 980u) << us;
        EXPECT_LE(outcome.overslept, 5u) << us;
        // Most of the time the processor is somebody else's.
        EXPECT_LT(outcome.spun_ns, us < 1'000 ? outcome.waited_ns / 3 : outcome.waited_ns / 6) << us;
    }
}

TEST(SpinBudget, WaitsThatDifferAreNotSleptThrough) {
    std::vector<uint32_t> waits;
    for (uint32_t i = 0; i < 1'000; ++i) waits.push_back(300 + i * 7919 % 3'000);
    const Outcome outcome = Replay(waits);
    EXPECT_LE(outcome.late_ns * 200, outcome.waited_ns);
    EXPECT_LE(outcome.spun_ns * 20, outcome.waited_ns);
}

TEST(SpinBudget, ASleepIsGivenUpWhenWaitsGetShorter) {
    std::vector<uint32_t> waits(100, 2'000);
    waits.insert(waits.end(), 1'000, 30);
    const Outcome outcome = Replay(waits);
    // Not long enough for a program to notice, and then as if it had never been.
    EXPECT_LE(outcome.late_ns, 6'000'000u);
    EXPECT_LE(outcome.overslept, 4u);
    EXPECT_GE(outcome.spun, 1'070u);
}

// Each short one comes just when the one before it is forgotten.
TEST(SpinBudget, ARareShortWaitCostsLittleInTheLongRun) {
    for (const uint32_t every : {17u, 18u, 40u}) {
        std::vector<uint32_t> waits;
        for (uint32_t i = 0; i < 20'000; ++i) waits.push_back(i % every ? 2'000 : 60);
        const Outcome outcome = Replay(waits);
        EXPECT_LE(outcome.late_ns * 500, outcome.waited_ns) << every;
    }
}

TEST(SpinBudget, ASettingThatAllowsLittleSpinsLittle) {
    const Outcome outcome = Replay(Alike(1'000, 40), 50'000);
    EXPECT_GE(outcome.slept, 900u);
    EXPECT_LE(outcome.spun_ns, 1'000u * 50'000u);
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
    for (int i = 0; i < 100; ++i) budget.Ended(10'000'000, true);
    EXPECT_EQ(budget.plan(), SpinBudget::Plan{});
    for (int i = 0; i < 16; ++i) budget.Ended(30'000, false);
    EXPECT_GE(budget.plan().spin_ns, 30'000u);
    for (int i = 0; i < 16; ++i) budget.Ended(10'000'000, true);
    EXPECT_EQ(budget.plan(), SpinBudget::Plan{});
}

TEST(SpinBudget, NothingAllowedNothingSpent) {
    SpinBudget none(0);
    EXPECT_EQ(none.plan().spin_ns, 0u);
    none.Ended(1, false);
    EXPECT_EQ(none.plan().spin_ns, 0u);
    SpinBudget huge(UINT64_MAX);
    huge.Ended(UINT64_MAX, false);
    huge.Ended(0, false);
    EXPECT_GE(huge.plan().spin_ns, 0u);
}

// A device whose work takes as long as it is told, on a clock that moves only when it is looked at, or slept by.
struct FakeWaits {
    struct Time {
        uint64_t* now_ns;
        uint64_t Now() const { return *now_ns; }
        void Sleep(uint64_t ns) const { *now_ns += ns + 60'000; }
        void Pause() const { *now_ns += 40; }
    };

    VkResult Wait(uint64_t work_ns, uint64_t timeout_ns = UINT64_MAX) {
        const uint64_t end = now_ns + work_ns;
        report = {};
        const auto look = [&] {
            now_ns += 50;
            return now_ns >= end ? SpinWaits::Look::kOver : SpinWaits::Look::kPending;
        };
        const auto block = [&](uint64_t left_ns) {
            if (left_ns < end - now_ns) {
                now_ns += left_ns;
                return VK_TIMEOUT;
            }
            now_ns = end + std::min<uint64_t>(work_ns / 5, 190'000);  // woken late, as on an NVIDIA H200
            return VK_SUCCESS;
        };
        const uint64_t begin = now_ns;
        const VkResult result = waits.Wait(1, timeout_ns, report, look, block, Time{&now_ns});
        took_ns = now_ns - begin;
        now_ns += 10'000;
        return result;
    }

    SpinWaits waits{kMost, 100};
    uint64_t now_ns = 1'000'000'000;
    WaitReport report;
    uint64_t took_ns = 0;
};

TEST(SpinWaits, AMillisecondIsSleptThroughAndThenSpun) {
    FakeWaits fake;
    for (int i = 0; i < 8; ++i) EXPECT_EQ(fake.Wait(1'000'000), VK_SUCCESS);
    for (int i = 0; i < 100; ++i) {
        EXPECT_EQ(fake.Wait(1'000'000), VK_SUCCESS);
        EXPECT_EQ(fake.report.decision, Counter::kWaitsSlept);
        EXPECT_FALSE(fake.report.blocked);
        EXPECT_LT(fake.took_ns, 1'001'000u);
        EXPECT_LT(fake.report.spin_ns, kMost);
    }
}

TEST(SpinWaits, ASleepThatWasTooLongIsToldAndLearnedFrom) {
    FakeWaits fake;
    for (int i = 0; i < 20; ++i) fake.Wait(1'000'000);
    ASSERT_EQ(fake.report.decision, Counter::kWaitsSlept);
    EXPECT_EQ(fake.Wait(100'000), VK_SUCCESS);
    EXPECT_EQ(fake.report.decision, Counter::kWaitsOverslept);
    EXPECT_EQ(fake.report.spin_ns, 0u);
    for (int i = 0; i < 20; ++i) fake.Wait(100'000);
    EXPECT_EQ(fake.report.decision, Counter::kWaitsSpun);
}

TEST(SpinWaits, WhatMayTimeOutDuringASleepIsTheDrivers) {
    FakeWaits fake;
    for (int i = 0; i < 20; ++i) fake.Wait(1'000'000);
    EXPECT_EQ(fake.Wait(1'000'000, 500'000), VK_TIMEOUT);
    EXPECT_EQ(fake.report.decision, Counter::kWaitsLong);
    EXPECT_EQ(fake.took_ns, 500'000u + 50);
    // One that cannot: the wait is over before it, or the driver says so.
    EXPECT_EQ(fake.Wait(1'000'000, 1'100'000), VK_SUCCESS);
    EXPECT_EQ(fake.Wait(3'000'000, 1'100'000), VK_TIMEOUT);
    EXPECT_GE(fake.took_ns, 1'100'000u);
    EXPECT_LE(fake.took_ns, 1'101'000u);
}

// A program that looks in once in a while learns nothing from how long it did.
TEST(SpinWaits, WaitsThatTimeOutAreNotSleptThrough) {
    FakeWaits fake;
    for (int i = 0; i < 100; ++i) {
        EXPECT_EQ(fake.Wait(1'000'000'000, 1'000'000), VK_TIMEOUT);
        if (i < 5) continue;
        EXPECT_EQ(fake.report.spin_ns, 0u) << i;
        EXPECT_EQ(fake.report.decision, Counter::kWaitsLong) << i;
    }
}

TEST(SpinWaits, TenMillisecondsAreTheDrivers) {
    FakeWaits fake;
    fake.Wait(10'000'000);
    for (int i = 0; i < 100; ++i) {
        fake.Wait(10'000'000);
        EXPECT_EQ(fake.report.decision, Counter::kWaitsLong);
        EXPECT_EQ(fake.report.spin_ns, 0u);
    }
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
