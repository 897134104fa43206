// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "submission/fence_cache.h"

namespace kronos {
namespace {

const auto kFence = reinterpret_cast<VkFence>(uint64_t{16});
SubmitQueue* const kQueue = reinterpret_cast<SubmitQueue*>(uint64_t{32});

TEST(FenceState, AVirtualFenceIsSignaledWithoutTheDrivers) {
    FenceState state(kFence, false);
    state.SubmittedVirtually(1, kQueue, 7);
    EXPECT_EQ(state.phase(), FenceState::kVirtual);
    EXPECT_EQ(state.timeline(), kQueue);
    EXPECT_EQ(state.value(), 7u);
    state.SawSignaled(state.word());
    EXPECT_EQ(state.phase(), FenceState::kVirtualSignaled);
    state.Reset();
    EXPECT_EQ(state.phase(), FenceState::kReset);
    state.Submitted(1);
    state.SawSignaled(state.word());
    EXPECT_EQ(state.phase(), FenceState::kSignaled);
}

TEST(FenceState, WhatIsSaidOfAnEarlierSubmissionIsNotBelieved) {
    FenceState state(kFence, false);
    state.SubmittedVirtually(1, kQueue, 7);
    const uint64_t asked = state.word();
    state.Reset();
    state.SubmittedVirtually(1, kQueue, 8);
    state.SawSignaled(asked);
    EXPECT_EQ(state.phase(), FenceState::kVirtual);
}

TEST(FenceCache, AVirtualFenceThatIsSignaledIsKeptAsOneThatIsNot) {
    FenceCache cache;
    cache.Add(kFence, false);
    FenceState* state = cache.Find(kFence);
    state->SubmittedVirtually(1, kQueue, 7);
    state->SawSignaled(state->word());
    EXPECT_TRUE(cache.Keep(state));
    EXPECT_EQ(cache.Take(true), nullptr) << "the driver's was never signaled";
    EXPECT_EQ(cache.Take(false), state);
    EXPECT_EQ(state->phase(), FenceState::kReset);
}

}  // namespace
}  // namespace kronos
