// SPDX-License-Identifier: Apache-2.0
#include "submission/bursts.h"

#include <gtest/gtest.h>

namespace kronos {
namespace {

constexpr uint64_t kSoon = Bursts::kPauseNs;
constexpr uint64_t kLater = Bursts::kPauseNs + 1;

// How many of `count` submissions, each so long after the end of the one before, would be no call of their own.
uint64_t Joined(uint64_t count, uint64_t pause_ns, bool may_join = true, uint64_t call_ns = 8'000) {
    Bursts bursts;
    uint64_t now = 1'000'000, joined = 0;
    for (uint64_t i = 0; i < count; ++i) {
        joined += bursts.Comes(now, may_join);
        now += call_ns;
        bursts.Ended(now);
        now += pause_ns;
    }
    return joined;
}

TEST(Bursts, AllButThoseGivenAtOnceAndOneCallForTheOthers) {
    EXPECT_EQ(SubmitLimits::kInFlight, 2U);
    EXPECT_EQ(Joined(64, kSoon), 61U);
    EXPECT_EQ(Joined(4, kSoon), 1U);
    EXPECT_EQ(Joined(3, kSoon), 0U);
}

TEST(Bursts, NoneOfWhatComesLater) { EXPECT_EQ(Joined(64, kLater), 0U); }

TEST(Bursts, NoneOfWhatWaits) { EXPECT_EQ(Joined(64, kSoon, false), 0U); }

TEST(Bursts, HowLongTheCallTakesDoesNotMatter) { EXPECT_EQ(Joined(64, kSoon, true, 10'000'000), 61U); }

TEST(Bursts, APauseOrOneThatWaitsBeginsAnother) {
    for (const bool waits : {false, true}) {
        Bursts bursts;
        uint64_t now = 1'000'000;
        const auto comes = [&](uint64_t pause_ns, bool may_join) {
            const bool joined = bursts.Comes(now += pause_ns, may_join);
            bursts.Ended(now);
            return joined;
        };
        for (int i = 0; i < 5; ++i) comes(1, true);
        EXPECT_TRUE(comes(1, true));
        EXPECT_FALSE(comes(waits ? 1 : kLater, !waits));
        EXPECT_FALSE(comes(1, true));
        EXPECT_FALSE(comes(1, true));
        EXPECT_TRUE(comes(1, true));
    }
}

}  // namespace
}  // namespace kronos
