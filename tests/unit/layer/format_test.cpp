// SPDX-License-Identifier: Apache-2.0
#include "stats/format.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace kronos {
namespace {

using nlohmann::json;

DeviceLabel Label() {
    return {3, 42, "pro\"gram\n", "GPU, \"fast\"", "drv 1", "1.3.0", "2026-01-01T00:00:00Z", "cpu", {}};
}

CounterValues Values() {
    CounterValues values;
    values.At(Side::kAsked, Counter::kDispatches) = 16;
    values.At(Side::kDriver, Counter::kDispatches) = 15;
    values.At(Side::kAsked, Counter::kInvalidates) = 1;
    values.At(Side::kAsked, Counter::kWaitsSpun) = 4;
    return values;
}

TEST(Format, AFrameIsOneJsonLineWithoutZeros) {
    const Frame frame{7, 1'500'000, 4'000'000, FrameEnd::kWait, Values(), std::nullopt};
    const std::string line = FrameJson(Label(), frame);
    EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
    EXPECT_EQ(line.back(), '\n');
    const json parsed = json::parse(line);
    EXPECT_EQ(parsed["v"], kStatsSchema);
    EXPECT_EQ(parsed["event"], "frame");
    EXPECT_EQ(parsed["device"], 3);
    EXPECT_EQ(parsed["frame"], 7);
    EXPECT_DOUBLE_EQ(parsed["at_ms"], 1.5);
    EXPECT_DOUBLE_EQ(parsed["ms"], 2.5);
    EXPECT_EQ(parsed["closed_by"], "wait");
    EXPECT_EQ(parsed["asked"], (json{{"dispatches", 16}, {"invalidates", 1}}));
    EXPECT_EQ(parsed["driver"], (json{{"dispatches", 15}}));
    EXPECT_EQ(parsed["did"], (json{{"waits_spun", 4}}));
}

TEST(Format, MemoryIsToldWhenItChanged) {
    Frame frame{7, 1'500'000, 4'000'000, FrameEnd::kWait, Values(), std::nullopt};
    EXPECT_FALSE(json::parse(FrameJson(Label(), frame)).contains("memory"));
    frame.memory = MemoryLevels{};
    EXPECT_EQ(json::parse(FrameJson(Label(), frame))["memory"], json::array());
    frame.memory = MemoryLevels{{0, 1, 4096, 0, 0, 0, 0}, {2, 0, 0, 3, 3 << 20, 2 << 20, 1 << 20}};
    const json memory = json::parse(FrameJson(Label(), frame))["memory"];
    ASSERT_EQ(memory.size(), 2u);
    EXPECT_EQ(memory[0]["idle_bytes"], 4096);
    EXPECT_EQ(memory[1], (json{{"heap", 2},
                               {"idle", 0},
                               {"idle_bytes", 0},
                               {"slabs", 3},
                               {"slab_bytes", 3 << 20},
                               {"slab_live_bytes", 2 << 20},
                               {"slab_idle_bytes", 1 << 20}}));
    Summary summary{5, 1'000'000, false, Values(), {}};
    EXPECT_FALSE(json::parse(SummaryJson(Label(), summary)).contains("memory_most"));
    summary.memory_most = *frame.memory;
    EXPECT_EQ(json::parse(SummaryJson(Label(), summary))["memory_most"], memory);
}

TEST(Format, TextsAreEscaped) {
    const json parsed = json::parse(DeviceJson(Label()));
    EXPECT_EQ(parsed["program"], "pro\"gram\n");
    EXPECT_EQ(parsed["name"], "GPU, \"fast\"");
    EXPECT_EQ(parsed["event"], "device");
}

TEST(Format, ADeviceTellsItsSettingsAndWhichFileItIs) {
    DeviceLabel label = Label();
    label.type = "cpu";
    label.settings = {{"waits", "auto"}, {"stats_file", "a\"b"}};
    const json first = json::parse(DeviceJson(label));
    EXPECT_EQ(first["type"], "cpu");
    EXPECT_EQ(first["settings"], (json{{"waits", "auto"}, {"stats_file", "a\"b"}}));
    EXPECT_FALSE(first.contains("part"));
    EXPECT_EQ(json::parse(DeviceJson(label, 3))["part"], 3);
}

TEST(Format, ASummarySaysWhenItWasMade) {
    EXPECT_EQ(json::parse(SummaryJson(Label(), {5, 1'000'000, false, Values(), {}}))["at"], "destroy");
    const json at_exit = json::parse(SummaryJson(Label(), {5, 1'000'000, true, Values(), {}}));
    EXPECT_EQ(at_exit["at"], "exit");
    EXPECT_EQ(at_exit["frames"], 5);
}

// Splits one CSV line, quotes respected.
std::vector<std::string> Fields(const std::string& line) {
    std::vector<std::string> fields(1);
    bool quoted = false;
    for (size_t i = 0; i + 1 < line.size(); ++i) {
        if (line[i] == '"' && quoted && line[i + 1] == '"') {
            fields.back() += '"';
            ++i;
        } else if (line[i] == '"') {
            quoted = !quoted;
        } else if (line[i] == ',' && !quoted) {
            fields.emplace_back();
        } else {
            fields.back() += line[i];
        }
    }
    return fields;
}

TEST(Format, EveryCsvRowHasTheColumnsOfTheHeader) {
    const std::vector<std::string> header = Fields(CsvHeader());
    EXPECT_EQ(header.size(), 9 + kCounters + kCountersAndDecisions);
    const std::vector<std::string> frame =
        Fields(FrameCsv(Label(), {7, 0, 1'000'000, FrameEnd::kPresent, Values(), std::nullopt}));
    ASSERT_EQ(frame.size(), header.size());
    EXPECT_EQ(Fields(DeviceCsv(Label())).size(), header.size());
    EXPECT_EQ(Fields(SummaryCsv(Label(), {})).size(), header.size());
    EXPECT_EQ(frame[4], "GPU, \"fast\"");
    const auto column = [&](const char* name) {
        return static_cast<size_t>(std::find(header.begin(), header.end(), name) - header.begin());
    };
    EXPECT_EQ(frame[column("closed_by")], "present");
    EXPECT_EQ(frame[column("asked_dispatches")], "16");
    EXPECT_EQ(frame[column("driver_dispatches")], "15");
    EXPECT_EQ(frame[column("driver_invalidates")], "0");
    EXPECT_EQ(frame[column("did_waits_spun")], "4");
}

}  // namespace
}  // namespace kronos
