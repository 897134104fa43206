// SPDX-License-Identifier: Apache-2.0
#include "stats/frame.h"

#include <gtest/gtest.h>

namespace kronos {
namespace {

TEST(FramePolicy, AWaitEndsAFrameOnlyWhenSomethingWasSubmitted) {
    FramePolicy policy(0);
    EXPECT_FALSE(policy.Waited(0));
    EXPECT_FALSE(policy.Submitted(1));
    EXPECT_TRUE(policy.Waited(1));
    policy.Closed(1);
    EXPECT_FALSE(policy.Waited(1)) << "a second wait had no work";
    EXPECT_FALSE(policy.Waited(0)) << "what another thread closed meanwhile had more submits than this one saw";
    EXPECT_TRUE(policy.Waited(2));
}

TEST(FramePolicy, AProgramWithBoundariesIsNotSplitByWaits) {
    FramePolicy policy(0);
    policy.Boundary();
    EXPECT_FALSE(policy.ByWaits());
    EXPECT_FALSE(policy.Waited(1));
}

TEST(FramePolicy, EveryNSubmits) {
    FramePolicy policy(3);
    EXPECT_FALSE(policy.Submitted(1));
    EXPECT_FALSE(policy.Submitted(2));
    EXPECT_TRUE(policy.Submitted(3));
    policy.Closed(3);
    EXPECT_FALSE(policy.Submitted(4));
    EXPECT_TRUE(policy.Submitted(6));
}

}  // namespace
}  // namespace kronos
