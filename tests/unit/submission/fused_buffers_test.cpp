// SPDX-License-Identifier: Apache-2.0
#include "submission/fused_buffers.h"

#include <gtest/gtest.h>

#include <array>

namespace kronos {
namespace {

std::array<uint64_t, 2> Key(uint64_t i) { return {2 + i, 3 + i}; }

// All that there may be, each with recordings of its own, done when the timeline has 1.
void Fill(FusedBuffers& buffers) {
    for (uint64_t i = 0; i < FusedBuffers::kMost; ++i) {
        FusedBuffer* one = buffers.Take(0);
        ASSERT_TRUE(one);
        const auto key = Key(i);
        one->recordings.assign(key.begin(), key.end());
    }
    buffers.Given(1);
}

TEST(FusedBuffers, PendingOnesAreNeitherFoundNorTaken) {
    FusedBuffers buffers;
    Fill(buffers);
    EXPECT_FALSE(buffers.Find(Key(5), 0));
    EXPECT_FALSE(buffers.Take(0));
    const FusedBuffer* found = buffers.Find(Key(5), 1);
    ASSERT_TRUE(found);
    EXPECT_FALSE(buffers.Find(Key(5), 1)) << "it is chosen";
    buffers.Given(2);
    EXPECT_FALSE(buffers.Find(Key(5), 1));
    EXPECT_EQ(buffers.Find(Key(5), 2), found);
}

TEST(FusedBuffers, WhatWasNotGivenIsFreeAgain) {
    FusedBuffers buffers;
    Fill(buffers);
    const FusedBuffer* found = buffers.Find(Key(5), 1);
    buffers.Given(0);
    EXPECT_EQ(buffers.Find(Key(5), 0), found);
}

TEST(FusedBuffers, WhatMayHaveBeenGivenIsNeverFree) {
    FusedBuffers buffers;
    Fill(buffers);
    EXPECT_TRUE(buffers.Find(Key(5), 1));
    buffers.Abandon();
    buffers.Given(0);
    EXPECT_FALSE(buffers.Find(Key(5), UINT64_MAX - 1));
}

TEST(FusedBuffers, TheLeastRecentlyUsedForgetsWhatItHeld) {
    FusedBuffers buffers;
    Fill(buffers);
    EXPECT_TRUE(buffers.Find(Key(0), 1));
    buffers.Given(0);
    FusedBuffer* taken = buffers.Take(1);
    ASSERT_TRUE(taken);
    EXPECT_TRUE(taken->recordings.empty());
    buffers.Given(0);
    EXPECT_TRUE(buffers.Find(Key(0), 1));
    EXPECT_FALSE(buffers.Find(Key(1), 1)) << "that one was taken";
    buffers.Given(2);
    EXPECT_EQ(buffers.Take(1), taken) << "what holds nothing comes first";
}

TEST(FusedBuffers, WhatIsNotTheLastOfOneGoesOn) {
    FusedBuffers buffers;
    EXPECT_FALSE(buffers.GoesOn(2));
    Fill(buffers);
    const uint64_t last = Key(FusedBuffers::kMost - 1)[1];
    EXPECT_FALSE(buffers.GoesOn(1));
    EXPECT_TRUE(buffers.GoesOn(2));
    EXPECT_TRUE(buffers.GoesOn(last - 1));
    EXPECT_FALSE(buffers.GoesOn(last));
    FusedBuffer* taken = buffers.Take(1);
    ASSERT_TRUE(taken);
    EXPECT_FALSE(buffers.GoesOn(2)) << "what that one held is forgotten";
    taken->recordings = {100, 102, 104};
    EXPECT_TRUE(buffers.GoesOn(102));
    EXPECT_FALSE(buffers.GoesOn(101)) << "between two of them, but none of them";
}

TEST(FusedBuffers, DroppedOnesMakeRoom) {
    FusedBuffers buffers;
    Fill(buffers);
    buffers.Drop(buffers.Take(1));
    EXPECT_EQ(buffers.size(), FusedBuffers::kMost - 1);
    const FusedBuffer* fresh = buffers.Take(0);
    ASSERT_TRUE(fresh);
    EXPECT_FALSE(fresh->handle);
}

}  // namespace
}  // namespace kronos
