// SPDX-License-Identifier: Apache-2.0
// What kronos summary makes of a log.
#include "summary.h"

#include <gmock/gmock.h>

#include <sstream>

namespace kronos::command {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

LogTotals Read(const std::string& text) {
    std::istringstream in(text);
    return ReadLog(in);
}

const Counter* Find(const DeviceTotals& device, const std::string& name) {
    for (const Counter& counter : device.counters) {
        if (counter.name == name) return &counter;
    }
    return nullptr;
}

constexpr const char* kDevice = R"({"v":1,"event":"device","pid":7,"device":1,"program":"prog","name":"GPU"})"
                                "\n";
constexpr const char* kFrame =
    R"({"v":1,"event":"frame","pid":7,"device":1,"frame":1,"asked":{"dispatches":3,"wait_ns":1500000},"driver":{"dispatches":2}})"
    "\n";
constexpr const char* kSummary =
    R"({"v":1,"event":"summary","pid":7,"device":1,"name":"GPU","frames":9,"asked":{"dispatches":30,"barriers":4},"driver":{"dispatches":30}})"
    "\n";

TEST(Summary, AddsFramesUntilThereIsASummary) {
    LogTotals totals = Read(std::string(kDevice) + kFrame + kFrame);
    ASSERT_THAT(totals.devices, SizeIs(1));
    const DeviceTotals& device = totals.devices[0];
    EXPECT_FALSE(device.complete);
    EXPECT_EQ(device.frames, 2U);
    EXPECT_EQ(Find(device, "dispatches")->asked, 6U);
    EXPECT_EQ(Find(device, "dispatches")->driver, 4U);
    EXPECT_THAT(FormatTotals(totals), HasSubstr("3.000 ms waited"));
}

TEST(Summary, SaysWhatTheLayerDid) {
    const LogTotals totals = Read(
        std::string(kDevice) +
        R"({"v":1,"event":"summary","pid":7,"device":1,"name":"GPU","frames":1,"asked":{"waits":3},"driver":{"polls":9},"did":{"waits_spun":3,"spin_ns":1500000}})");
    ASSERT_EQ(totals.devices.size(), 1U);
    const std::string text = FormatTotals(totals);
    EXPECT_NE(text.find("waits_spun"), std::string::npos);
    EXPECT_NE(text.find("1.500 ms"), std::string::npos);
}

TEST(Summary, TheSummaryLineIsTheTruth) {
    LogTotals totals = Read(std::string(kDevice) + kFrame + kSummary);
    ASSERT_THAT(totals.devices, SizeIs(1));
    EXPECT_TRUE(totals.devices[0].complete);
    EXPECT_EQ(totals.devices[0].frames, 9U);
    EXPECT_EQ(Find(totals.devices[0], "dispatches")->asked, 30U);
    EXPECT_EQ(Find(totals.devices[0], "barriers")->driver, 0U);
    EXPECT_THAT(FormatTotals(totals), testing::ContainsRegex("dispatches +30 +30"));
}

TEST(Summary, AppendedRunsAndDevicesAreApart) {
    // The same process number again, and another device of that process.
    std::string other = kFrame;
    other.replace(other.find("\"device\":1"), 10, "\"device\":2");
    LogTotals totals = Read(std::string(kDevice) + kSummary + kDevice + kFrame + other);
    ASSERT_THAT(totals.devices, SizeIs(3));
    EXPECT_TRUE(totals.devices[0].complete);
    EXPECT_EQ(totals.devices[1].frames, 1U);
    EXPECT_EQ(totals.devices[2].frames, 1U);
}

TEST(Summary, DamagedLinesAreCountedAndSkipped) {
    LogTotals totals = Read(std::string(kDevice) + "{\"v\":1,\"event\":\"fra\n" + "[]\n\n" +
                            R"({"v":1,"event":"frame","pid":7,"device":1,"asked":{"dispatches":-3}})"
                            "\n" +
                            R"({"v":1,"event":"frame","pid":7,"device":1,"asked":[3]})"
                            "\n" +
                            kFrame);
    EXPECT_EQ(totals.lines, 6U);
    EXPECT_EQ(totals.damaged, 4U);
    EXPECT_EQ(totals.devices[0].frames, 1U);
    EXPECT_EQ(Find(totals.devices[0], "dispatches")->asked, 3U);
    EXPECT_THAT(FormatTotals(totals), HasSubstr("4 of 6 lines are damaged"));
}

TEST(Summary, OtherVersionsAndEventsAreLeftAlone) {
    LogTotals totals = Read(std::string(kDevice) +
                            R"({"v":2,"event":"frame"})"
                            "\n" +
                            R"({"v":1,"event":"advice"})"
                            "\n");
    EXPECT_EQ(totals.other_version, 1U);
    EXPECT_EQ(totals.damaged, 0U);
}

}  // namespace
}  // namespace kronos::command
