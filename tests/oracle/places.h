// SPDX-License-Identifier: Apache-2.0
// Where the barrier pass emits barriers, for tests. One thread.
#pragma once

#include <gtest/gtest.h>

#include <vector>

#include "model.h"
#include "recording.h"

namespace kronos::oracle {

/// The steps that barriers are emitted before; that the plan keeps the invariant is checked with and without narrowing.
inline std::vector<uint32_t> Places(const Recording& recording, bool narrow = false) {
    BarrierPlan plan;
    BarrierPass pass;
    std::vector<uint32_t> places;
    for (const bool option : {!narrow, narrow}) {
        pass.Run(recording.steps(), {.narrow = option}, plan);
        for (uint64_t world = 1; world <= 8; ++world)
            EXPECT_EQ(Checker().Check(recording.steps(), {.narrow = option}, plan, world), "")
                << Print(recording.steps(), plan);
    }
    for (const Emission& emission : plan.emissions) places.push_back(emission.before);
    return places;
}

}  // namespace kronos::oracle
