// SPDX-License-Identifier: Apache-2.0
// Random programs through the recorder: each dispatch sees, by the letter of the specification, what the program bound
// and pushed for it, however the specification is read; and no whole command is left that surely changes nothing: what
// readings differ about is not sure from then on.
// KRONOS_STATE_DISPATCHES is how many dispatches, 20,000 if it is not set; KRONOS_STATE_SEED the first program's seed.
#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "state_program.h"

namespace kronos::model {
namespace {

constexpr const char* kNames[] = {"pipeline", "sets", "constants", "descriptors", "secondaries", "dispatch"};

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
    const char* value = std::getenv(name);
    return value ? std::strtoull(value, nullptr, 10) : otherwise;
}

std::vector<Reading> Readings() {
    std::vector<Reading> readings;
    for (int i = 0; i < 8; ++i) readings.push_back({(i & 1) != 0, (i & 2) != 0, (i & 4) != 0});
    return readings;
}

std::string Print(const Program::Recorded& recorded, size_t until) {
    std::string text;
    for (size_t i = 0; i <= until && i < recorded.commands.size(); ++i) {
        const Command& command = recorded.commands[i];
        const auto& given = recorded.given[i];
        text += std::to_string(i) + (given ? "   " : " - ") + kNames[static_cast<size_t>(command.kind)];
        if (command.layout) {
            text += " layout of";
            for (const uint64_t set : command.layout->sets) text += " " + std::to_string(set);
            text += " (" + std::to_string(command.layout->ranges.size()) + " ranges)";
        }
        text += " from " + std::to_string(command.first) + ":";
        if (command.pipeline) text += " " + std::to_string(command.pipeline);
        for (const Content& set : command.sets) {
            text += " [";
            for (const uint64_t word : set) text += " " + std::to_string(word);
            text += " ]";
        }
        for (const uint32_t word : command.words) text += " " + std::to_string(word);
        for (const auto& [where, what] : command.writes)
            text += " " + std::to_string(where) + "=" + std::to_string(what[0]);
        if (given && given->sets.size() != command.sets.size())
            text += "   given: " + std::to_string(given->sets.size()) + " from " + std::to_string(given->first);
        text += "\n";
    }
    return text;
}

struct Totals {
    uint64_t dispatches = 0, asked[4] = {}, dropped[4] = {}, trimmed = 0;
};

/// What is wrong with a recording; empty: nothing.
std::string Fault(const Program::Recorded& recorded, Totals& totals) {
    if (!recorded.fault.empty()) return recorded.fault + "\n" + Print(recorded, recorded.commands.size());
    const std::vector<Reading> readings = Readings();
    std::vector<State> app(readings.begin(), readings.end());
    std::vector<State> driver(readings.begin(), readings.end());
    // What of the driver's the layer can know.
    std::vector<State> known = driver;
    for (size_t i = 0; i < recorded.commands.size(); ++i) {
        const Command& command = recorded.commands[i];
        const auto& given = recorded.given[i];
        const auto kind = static_cast<size_t>(command.kind);
        if (kind < 4) ++totals.asked[kind], totals.dropped[kind] += given ? 0 : 1;
        if (given) totals.trimmed += command.sets.size() - given->sets.size();
        std::optional<Command> followed = given;
        bool changes = !command.provable || kind >= 4 || i >= recorded.held;
        if (followed)
            for (Content& set : followed->sets)
                if (set.size() > 2 + BoundShadow::kMostOffsets) set.clear(), changes = true;
        for (size_t reading = 0; reading < readings.size(); ++reading) {
            app[reading].Apply(command);
            if (!given) continue;
            driver[reading].Apply(*given);
            const State before = known[reading];
            if (command.provable)
                known[reading].Apply(*followed);
            else
                known[reading].Forget(*followed);
            changes = changes || !(before == known[reading]);
        }
        State::ForgetDisputed(known);
        if (given && !changes) return "command " + std::to_string(i) + " surely changes nothing\n" + Print(recorded, i);
        if (command.kind != Command::Kind::kDispatch) continue;
        ++totals.dispatches;
        for (size_t reading = 0; reading < readings.size(); ++reading)
            if (const std::string missing = app[reading].Missing(driver[reading]); !missing.empty())
                return "dispatch " + std::to_string(i) + ", reading " + std::to_string(reading) + ": " + missing +
                       "\n" + Print(recorded, i);
    }
    return {};
}

TEST(RedundantState, DispatchesOfRandomProgramsSeeWhatWasBound) {
    const uint64_t wanted = FromEnvironment("KRONOS_STATE_DISPATCHES", 20'000 / KRONOS_TEST_SHARE);
    Totals totals;
    Counters decisions;
    uint64_t counted[5] = {};
    for (uint64_t seed = FromEnvironment("KRONOS_STATE_SEED", 1); totals.dispatches < wanted; ++seed) {
        Program program(seed);
        for (uint32_t recording = 0; recording < 20; ++recording) {
            const Program::Recorded recorded = program.Record(60);
            const std::string fault = Fault(recorded, totals);
            ASSERT_EQ(fault, "") << "seed " << seed << ", recording " << recording;
        }
        const Counter counters[] = {Counter::kRedundantPipelines, Counter::kRedundantSets, Counter::kRedundantConstants,
                                    Counter::kRedundantDescriptors, Counter::kRedundantTrimmed};
        for (size_t i = 0; i < 5; ++i) counted[i] += program.decisions().Sum(Side::kAsked, counters[i]);
    }
    // What is said to be dropped is what the driver did not get.
    for (size_t i = 0; i < 4; ++i) {
        EXPECT_EQ(counted[i], totals.dropped[i]) << kNames[i];
        // Programs that leave nothing to drop prove nothing.
        EXPECT_GT(totals.dropped[i] * 50, totals.asked[i]) << kNames[i];
        EXPECT_LT(totals.dropped[i] * 10, totals.asked[i] * 9) << kNames[i];
        RecordProperty(kNames[i], std::to_string(totals.dropped[i]) + " of " + std::to_string(totals.asked[i]));
    }
    EXPECT_EQ(counted[4], totals.trimmed);
    EXPECT_GT(totals.trimmed, 0u);
    RecordProperty("trimmed", std::to_string(totals.trimmed));
}

}  // namespace
}  // namespace kronos::model
