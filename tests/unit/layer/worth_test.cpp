// SPDX-License-Identifier: Apache-2.0
#include "stream/worth.h"

#include <gtest/gtest.h>

namespace kronos {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;

// A program that records `work` every `every_ns`: how many of `count` recordings are held.
struct Program {
    StreamWorth worth;
    uint64_t now = 5 * kSecond;

    int Record(const HeldWork& work, int count, uint64_t every_ns) {
        int held = 0;
        for (int i = 0; i < count; ++i, now += every_ns) {
            if (!worth.Hold(now)) continue;
            ++held;
            worth.Held(work, now);
        }
        return held;
    }
};

TEST(StreamWorth, WhatGainsIsAlwaysHeld) {
    Program program;
    EXPECT_EQ(program.Record({1'000, 250, 0}, 10'000, 100'000), 10'000);
    EXPECT_EQ(program.Record({1'000, 0, 250}, 10'000, 100'000), 10'000);
    EXPECT_EQ(program.Record({1'000, 0, 0, 50}, 10'000, 100'000), 10'000);
}

TEST(StreamWorth, WhatGainsNothingLosesNoMoreThanItsShare) {
    constexpr HeldWork kWork = {1'000, 0, 0};
    constexpr uint64_t kCost = 1'000 * StreamWorth::kCommandNs;
    constexpr uint64_t kEvery = 500'000;
    Program program;
    const int held = program.Record(kWork, 100'000, kEvery);
    const uint64_t allowed = StreamWorth::kFirstLost + StreamWorth::kMostLost + 100'000 * kEvery / StreamWorth::kTimes;
    EXPECT_LE(held * kCost, allowed + 2 * kCost);
    EXPECT_GE(held * kCost, (allowed - StreamWorth::kFirstLost) * 9 / 10);
}

TEST(StreamWorth, WhatGainsInAnotherWayIsHeld) {
    constexpr HeldWork kWork = {1'000, 0, 0};
    Program program;
    for (int i = 0; i < 10'000; ++i) {
        EXPECT_EQ(program.Record(kWork, 1, 100'000), 1) << i;
        program.worth.Gained(1'000 * StreamWorth::kCommandNs, program.now);
    }
}

TEST(StreamWorth, WhatIsWrittenIsFollowedFromBeforeItIsHeldOn) {
    constexpr HeldWork kWork = {1'000, 0, 0};
    Program program;
    EXPECT_TRUE(program.worth.Follows());
    program.Record(kWork, 1'000, 0);
    EXPECT_FALSE(program.worth.Follows());
    // Not until all is made up for.
    const uint64_t all = (StreamWorth::kMostLost + 1'000 * StreamWorth::kCommandNs) * StreamWorth::kTimes;
    program.now += all / 2;
    EXPECT_FALSE(program.worth.Hold(program.now));
    EXPECT_FALSE(program.worth.Follows());
    program.now += all / 2;
    EXPECT_FALSE(program.worth.Hold(program.now));
    EXPECT_TRUE(program.worth.Follows());
    for (uint32_t i = 0; i < StreamWorth::kSettling; ++i) EXPECT_FALSE(program.worth.Hold(program.now)) << i;
    EXPECT_TRUE(program.worth.Hold(program.now));
    // And no longer than they are held.
    program.Record(kWork, 1'000, 0);
    EXPECT_FALSE(program.worth.Follows());
    // What gains is followed on and on.
    program.now += all;
    EXPECT_EQ(program.Record({1'000, 250, 0}, 1'000, 0), 1'000 - 1 - static_cast<int>(StreamWorth::kSettling));
    EXPECT_TRUE(program.worth.Follows());
}

TEST(StreamWorth, WhatIsRecordedSeldomIsAlwaysHeld) {
    Program program;
    EXPECT_EQ(program.Record({1'000, 0, 0}, 10'000, 1'000 * StreamWorth::kCommandNs * StreamWorth::kTimes), 10'000);
}

// A few recordings at the start, then only submits.
TEST(StreamWorth, TheFirstRecordingsAreHeldWhateverTheyAre) {
    Program program;
    EXPECT_EQ(program.Record({3'000, 0, 0}, 8, 0), 8);
    EXPECT_EQ(program.Record({3'000, 1'000, 0}, 1, 0), 1);
}

TEST(StreamWorth, WhatIsLostAtTheStartIsLostOnce) {
    constexpr HeldWork kWork = {1'000, 0, 0};
    constexpr int kLater = 1 + static_cast<int>(StreamWorth::kMostLost / (1'000 * StreamWorth::kCommandNs));
    Program program;
    EXPECT_EQ(program.Record(kWork, 10'000, 0), StreamWorth::kFirstHeld + kLater);
    program.now += 3'600 * kSecond;
    EXPECT_EQ(program.Record(kWork, 10'000, 0), kLater);
}

TEST(StreamWorth, OneThatGainsPaysForSomeThatDoNot) {
    Program program;
    int held = 0;
    for (int i = 0; i < 10'000; ++i) {
        held += program.Record({900, 0, 0}, 3, 1'000);
        held += program.Record({1'000, 1'000, 0}, 1, 1'000);
    }
    EXPECT_EQ(held, 40'000);
}

TEST(StreamWorth, FollowsAProgramThatChanges) {
    Program program;
    program.Record({1'000, 0, 0}, 1'000, 1'000);
    EXPECT_FALSE(program.worth.Hold(program.now));
    // An hour of gains does not pay for later losses.
    program.now += 3'600 * kSecond;
    EXPECT_GE(program.Record({1'000, 1'000, 0}, 1'000, 1'000), 990);
    const int held = program.Record({1'000, 0, 0}, 10'000, 1'000);
    // One more by the time that passes meanwhile.
    EXPECT_NEAR(held, 1 + StreamWorth::kMostLost / (1'000 * StreamWorth::kCommandNs), 1);
    // What was not worth it is tried again, and found to be.
    program.now += kSecond;
    EXPECT_GE(program.Record({1'000, 1'000, 0}, 100, 1'000), 90);
}

TEST(StreamWorth, ManyCommandsDoNotOverflow) {
    Program program;
    program.Record({UINT32_MAX, 0, 0}, 3, 1);
    EXPECT_FALSE(program.worth.Hold(program.now));
    program.Record({1, UINT32_MAX, UINT32_MAX}, 1, 1);
    EXPECT_FALSE(program.worth.Hold(program.now));
    program.worth.Hold(program.now + (uint64_t{1} << 62));
    EXPECT_TRUE(program.worth.Follows());
}

}  // namespace
}  // namespace kronos
