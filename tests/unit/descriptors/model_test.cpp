// SPDX-License-Identifier: Apache-2.0
// Random programs above the layer, on a driver that knows what its sets hold: each dispatch must see what its program
// asked for. KRONOS_MODEL_DISPATCHES says how many dispatches; KRONOS_MODEL_SEED the first seed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "program.h"

namespace fake {
namespace {

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

struct Totals {
    uint64_t dispatches = 0;
    uint64_t found = 0;
    uint64_t persisted = 0;
    uint64_t evicted = 0;
    uint64_t forgotten = 0;
    uint64_t dropped = 0;
};

// False: there was a difference, or a fault.
bool RunOne(const LayeredOptions& options, uint64_t seed, uint64_t dispatches, Totals& totals) {
    Driver driver;
    std::string difference;
    {
        LayeredDevice layer(driver, options);
        {
            Program program(driver, layer, seed);
            while (program.dispatches() < dispatches && program.difference().empty() && driver.faults.empty())
                program.Step();
            totals.dispatches += program.dispatches();
            difference = program.difference();
        }
        totals.found += layer.Did(kronos::Counter::kSetsFound);
        totals.persisted += layer.Did(kronos::Counter::kSetsPersisted);
        totals.evicted += layer.Did(kronos::Counter::kSetsEvicted);
        totals.forgotten += layer.Did(kronos::Counter::kSetsForgotten);
        totals.dropped += layer.Did(kronos::Counter::kDescriptorWritesDropped);
        EXPECT_EQ(layer.Given(kronos::Counter::kDescriptorUpdates), driver.updates) << "seed " << seed;
        EXPECT_EQ(layer.Given(kronos::Counter::kSetsAllocated), driver.allocated) << "seed " << seed;
    }
    EXPECT_EQ(difference, "") << "seed " << seed;
    EXPECT_THAT(driver.faults, testing::IsEmpty()) << "seed " << seed;
    return difference.empty() && driver.faults.empty() && !testing::Test::HasFailure();
}

Totals RunMany(const LayeredOptions& options) {
    const uint64_t wanted = FromEnvironment("KRONOS_MODEL_DISPATCHES", 40'000 / KRONOS_TEST_SHARE) / 4;
    constexpr uint64_t kOfOne = 2'500;
    Totals totals;
    for (uint64_t seed = FromEnvironment("KRONOS_MODEL_SEED", 1); totals.dispatches < wanted; ++seed)
        if (!RunOne(options, seed, kOfOne, totals)) break;
    return totals;
}

TEST(Model, HeldRecordings) {
    const Totals totals = RunMany({});
    // Otherwise nothing was tested.
    EXPECT_GT(totals.found, totals.dispatches / 20);
    EXPECT_GT(totals.persisted, totals.dispatches / 400);
    EXPECT_GT(totals.forgotten, totals.dispatches / 10000);
    EXPECT_GT(totals.dropped, totals.dispatches / 100);
}

TEST(Model, RecordingsThatGoToTheDriverAtOnce) {
    const Totals totals = RunMany({.held = false});
    EXPECT_GT(totals.found, totals.dispatches / 20);
}

TEST(Model, FewSets) {
    const Totals totals = RunMany({.most_per_layout = 2});
    EXPECT_GT(totals.evicted, totals.dispatches / 400);
}

TEST(Model, TheShadowAlone) {
    const Totals totals = RunMany({.persistent = false});
    EXPECT_GT(totals.dropped, totals.dispatches / 100);
    EXPECT_EQ(totals.found, 0u);
}

}  // namespace
}  // namespace fake
