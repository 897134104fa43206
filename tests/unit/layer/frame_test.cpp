// SPDX-License-Identifier: Apache-2.0
#include "stats/frame.h"

#include <gtest/gtest.h>

namespace kronos {
namespace {

TEST(FramePolicy, AWaitEndsAFrameOnlyWhenSomethingWasSubmitted) {
    FramePolicy policy(0);
    EXPECT_FALSE(policy.Waited());
    EXPECT_FALSE(policy.Submitted());
    EXPECT_TRUE(policy.Waited());
    policy.Closed();
    EXPECT_FALSE(policy.Waited()) << "a second wait had no work";
}

TEST(FramePolicy, AProgramWithBoundariesIsNotSplitByWaits) {
    FramePolicy policy(0);
    policy.Boundary();
    policy.Submitted();
    EXPECT_FALSE(policy.Waited());
}

TEST(FramePolicy, EveryNSubmits) {
    FramePolicy policy(3);
    EXPECT_FALSE(policy.Submitted());
    EXPECT_FALSE(policy.Submitted());
    EXPECT_TRUE(policy.Submitted());
    policy.Closed();
    EXPECT_FALSE(policy.Submitted());
}

TEST(Counters, RecordingCountersReachTheDeviceOnce) {
    Counters device;
    RecordingCounters recording;
    recording.Add(Counter::kDispatches);
    recording.Add(Side::kAsked, Counter::kBarriers, 3);
    recording.FlushTo(device);
    recording.FlushTo(device);
    const CounterValues values = device.Snapshot();
    EXPECT_EQ(values.At(Side::kAsked, Counter::kDispatches), 1u);
    EXPECT_EQ(values.At(Side::kDriver, Counter::kDispatches), 1u);
    EXPECT_EQ(values.At(Side::kAsked, Counter::kBarriers), 3u);
    EXPECT_EQ(values.At(Side::kDriver, Counter::kBarriers), 0u);
}

TEST(Counters, NamesAreInOrder) {
    EXPECT_EQ(kCounterNames[static_cast<size_t>(Counter::kDispatches)], "dispatches");
    EXPECT_EQ(kCounterNames[static_cast<size_t>(Counter::kRecordings)], "recordings");
    EXPECT_EQ(kCounterNames[static_cast<size_t>(Counter::kSubmits)], "submits");
    EXPECT_EQ(kCounterNames[kCounters - 1], "invalidates");
}

}  // namespace
}  // namespace kronos
