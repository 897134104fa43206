// SPDX-License-Identifier: Apache-2.0
#include "trace/gpu_clock.h"

#include <gtest/gtest.h>

namespace kronos {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;

TEST(GpuClock, WithBothClocksTimesAreAsTheyWere) {
    GpuClock clock(64, 2.5);
    clock.Calibrate(1'000, 5'000'000);
    const GpuClock::Span span = clock.Place(1'400, 1'800, 5'000'000, 6'000'000);
    EXPECT_EQ(span.begin_ns, 5'001'000u);
    EXPECT_EQ(span.end_ns, 5'002'000u);
}

TEST(GpuClock, WithoutThemTheFirstOneBeginsWithItsCall) {
    GpuClock clock(64, 1);
    const GpuClock::Span span = clock.Place(77'000, 78'000, 5'000, 20'000);
    EXPECT_EQ(span.begin_ns, 5'000u);
    EXPECT_EQ(span.end_ns, 6'000u);
}

TEST(GpuClock, EachSubmissionSaysMoreOfWhereTheClockStands) {
    constexpr uint64_t kApart = 1'000'000;  // what the device's clock is behind
    GpuClock clock(64, 1);
    // Submitted at 5000, begun late: at first it is taken to have begun at once.
    EXPECT_EQ(clock.Place(kApart + 9'000, kApart + 9'500, 5'000, 10'000).begin_ns, 5'000u);
    // This one begins 100 after its call.
    EXPECT_EQ(clock.Place(kApart + 20'100, kApart + 20'200, 20'000, 30'000).begin_ns, 20'000u);
    // From then on times are as near as that.
    const GpuClock::Span span = clock.Place(kApart + 40'000, kApart + 41'000, 35'000, 50'000);
    EXPECT_EQ(span.begin_ns, 39'900u);
    EXPECT_EQ(span.end_ns, 40'900u);
}

TEST(GpuClock, NothingEndsAfterItWasSeenToHaveEnded) {
    GpuClock clock(64, 1);
    clock.Calibrate(1'000, 5'000);
    // By the calibration it would end at 6'000.
    const GpuClock::Span span = clock.Place(1'500, 2'000, 5'000, 5'900);
    EXPECT_EQ(span.begin_ns, 5'400u);
    EXPECT_EQ(span.end_ns, 5'900u);
}

TEST(GpuClock, OfOneQueueNothingBeginsBeforeTheLastOneEnds) {
    GpuClock clock(64, 1);
    clock.Calibrate(1'000, 5'000);
    EXPECT_EQ(clock.Place(2'000, 3'000, 5'000, 9'000).end_ns, 7'000u);
    const GpuClock::Span span = clock.Place(2'900, 2'950, 5'000, 9'000);
    EXPECT_EQ(span.begin_ns, 7'000u);
    EXPECT_EQ(span.end_ns, 7'000u);
}

TEST(GpuClock, BitsThatRunOutBeginAgain) {
    GpuClock clock(36, 1);
    constexpr uint64_t kEnd = uint64_t{1} << 36;
    clock.Calibrate(kEnd - 100, 10 * kSecond);
    const GpuClock::Span span = clock.Place(kEnd - 50, 50, 10 * kSecond, 11 * kSecond);
    EXPECT_EQ(span.begin_ns, 10 * kSecond + 50);
    EXPECT_EQ(span.end_ns, 10 * kSecond + 150);
    // Bits that are not valid may be anything.
    EXPECT_EQ(clock.Place((uint64_t{5} << 40) + 200, 300, 10 * kSecond, 11 * kSecond).begin_ns, 10 * kSecond + 300);
}

TEST(GpuClock, AfterMoreThanTheBitsCanTellItIsWhereItMustBe) {
    GpuClock clock(36, 1);
    EXPECT_EQ(clock.Place(1'000, 2'000, 5'000, 9'000).begin_ns, 5'000u);
    // Two hours later nobody knows how often they ran out.
    const GpuClock::Span span = clock.Place(7'000, 8'000, 7'200 * kSecond, 7'200 * kSecond + 500'000);
    EXPECT_GE(span.begin_ns, 7'200 * kSecond);
    EXPECT_LE(span.end_ns, 7'200 * kSecond + 500'000);
    EXPECT_EQ(span.end_ns - span.begin_ns, 1'000u);
}

}  // namespace
}  // namespace kronos
