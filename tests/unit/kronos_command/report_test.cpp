// SPDX-License-Identifier: Apache-2.0
// What kronos report makes of logs: features, predictions, groups, comparisons, charts.
#include "report.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "report_charts.h"

namespace kronos::command {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

// {} is null to the library; in a log it is an object.
json Object(const json& value) { return value.is_null() ? json::object() : value; }

std::string Device(const json& settings, int pid = 7, const char* type = "discrete", const char* program = "prog") {
    return json{{"v", 1},
                {"event", "device"},
                {"pid", pid},
                {"device", 0},
                {"time", "2026-01-01T00:00:00Z"},
                {"program", program},
                {"name", "G"},
                {"driver", "d"},
                {"api", "1.3.0"},
                {"type", type},
                {"settings", Object(settings)}}
               .dump() +
           "\n";
}
std::string Frame(int number, const json& asked, const json& driver, const json& did, int pid = 7) {
    return json{{"v", 1},
                {"event", "frame"},
                {"pid", pid},
                {"device", 0},
                {"frame", number},
                {"at_ms", number * 2.0},
                {"ms", 2.0},
                {"asked", Object(asked)},
                {"driver", Object(driver)},
                {"did", Object(did)},
                {"closed_by", "wait"}}
               .dump() +
           "\n";
}
std::string Sum(const json& asked, const json& driver, const json& did, int frames, int pid = 7) {
    return json{{"v", 1},
                {"event", "summary"},
                {"pid", pid},
                {"device", 0},
                {"name", "G"},
                {"frames", frames},
                {"ms", 10.0},
                {"at", "destroy"},
                {"asked", Object(asked)},
                {"driver", Object(driver)},
                {"did", Object(did)}}
               .dump() +
           "\n";
}

std::vector<ReportGroup> Groups(const std::string& text) {
    std::istringstream in(text);
    return GroupRuns(ReadLog(in));
}
const FeatureReport& Feature(const ReportGroup& group, const std::string& key) {
    static const FeatureReport none;
    for (const FeatureReport& feature : group.features)
        if (feature.key == key) return feature;
    ADD_FAILURE() << "no feature " << key;
    return none;
}

TEST(Report, WhatIsOffSaysWhichSettingWouldChangeIt) {
    json off = {{"waits", "off"},         {"submits", "off"},        {"barriers", "off"},
                {"fusion", "auto"},       {"descriptors", "off"},    {"recycle_fences", "off"},
                {"drop_redundant", "on"}, {"recycle_memory", "off"}, {"preset", "observe"}};
    const json asked = {{"waits", 3},
                        {"wait_ns", 30'000},
                        {"submits", 4},
                        {"command_buffers", 4},
                        {"barrier_calls", 5},
                        {"set_binds", 2},
                        {"descriptor_writes", 9},
                        {"fences_created", 2},
                        {"fences_destroyed", 2},
                        {"allocations", 2},
                        {"frees", 2}};
    const auto groups =
        Groups(Device(off) + Frame(0, asked, asked, {{"waits_forwarded", 3}}) +
               Frame(1, asked, asked,
                     {{"waits_forwarded", 3}, {"submits_close", 4}, {"buffers_close", 70}, {"memory_again", 1}}));
    ASSERT_THAT(groups, SizeIs(1));
    for (const auto& [key, advice] :
         {std::pair("waits", "KRONOS_WAITS=auto"), std::pair("submits", "KRONOS_SUBMITS=auto"),
          std::pair("fusion", "KRONOS_SUBMITS=auto KRONOS_FUSION=auto"),
          std::pair("barriers", "KRONOS_BARRIERS=observe"), std::pair("drop_redundant", "KRONOS_BARRIERS=observe"),
          std::pair("descriptors", "KRONOS_DESCRIPTORS=on"), std::pair("recycle_fences", "KRONOS_RECYCLE_FENCES=auto"),
          std::pair("recycle_memory", "KRONOS_RECYCLE_MEMORY=auto")}) {
        EXPECT_EQ(Feature(groups[0], key).state, FeatureState::kOff) << key;
        EXPECT_THAT(Feature(groups[0], key).advice, testing::StartsWith(advice)) << key;
    }
    // Each frame needs a call; three of four may go with it.
    EXPECT_EQ(Feature(groups[0], "submits").predictions.at(0).at_most, 6U);
    EXPECT_EQ(Feature(groups[0], "submits").predictions.at(0).expected, 4U);
    EXPECT_EQ(Feature(groups[0], "fusion").predictions.at(0).expected, 6U) << "not more than at most";
    EXPECT_EQ(Feature(groups[0], "recycle_memory").predictions.at(0).expected, 1U);
    EXPECT_THAT(FormatReport({groups, {}, {}}), HasSubstr("would be: about 4 (2 to 8) of 8 submits"));
    EXPECT_EQ(Feature(groups[0], "waits").predictions.at(0).at_most, 6U);
    EXPECT_EQ(Feature(groups[0], "recycle_fences").predictions.at(0).at_least, 2U);
    EXPECT_EQ(Feature(groups[0], "recycle_fences").predictions.at(0).at_most, 4U);

    off["preset"] = "safe";
    const auto unseen = Groups(Device(off) + Frame(0, asked, asked, {{"waits_forwarded", 3}}));
    EXPECT_FALSE(Feature(unseen.at(0), "submits").predictions.at(0).expected) << "nobody looked";
    EXPECT_FALSE(Feature(unseen.at(0), "recycle_memory").predictions.at(0).expected);
    EXPECT_THAT(FormatReport({unseen, {}, {}}), HasSubstr("would be: 1 to 4 of 4 submits"));
}

TEST(Report, AProgramThatAsksNothingIsGivenNoAdvice) {
    const auto groups = Groups(Device({{"waits", "off"}, {"submits", "off"}, {"barriers", "off"}}) +
                               Sum({{"dispatches", 1}}, {{"dispatches", 1}}, {}, 0));
    for (const FeatureReport& feature : groups.at(0).features) {
        EXPECT_THAT(feature.advice, IsEmpty()) << feature.name;
        EXPECT_THAT(feature.predictions, IsEmpty()) << feature.name;
        EXPECT_THAT(feature.text, Not(IsEmpty())) << feature.name;
    }
}

TEST(Report, WaitsThatAreLongAreNotPromised) {
    const auto groups = Groups(Device({{"waits", "off"}, {"wait_spin", "50"}}) +
                               Frame(0, {{"waits", 2}, {"wait_ns", 80'000}}, {{"waits", 2}}, {}) +
                               Frame(1, {{"waits", 2}, {"wait_ns", 200'000}}, {{"waits", 2}}, {}));
    EXPECT_EQ(Feature(groups.at(0), "waits").predictions.at(0).at_most, 2U)
        << "40 us each in the first frame, 100 in the second";
}

TEST(Report, WhatWasGainedIsCountedWithItsReasons) {
    const auto groups =
        Groups(Device({{"waits", "auto"}, {"barriers", "auto"}}) +
               Sum({{"waits", 10}, {"wait_ns", 1'000'000}, {"barrier_calls", 8}}, {{"waits", 1}, {"barrier_calls", 3}},
                   {{"waits_spun", 8},
                    {"waits_ready", 1},
                    {"waits_overrun", 1},
                    {"spin_ns", 250'000},
                    {"streams_held", 2},
                    {"barriers_recorded", 8},
                    {"barriers_write_read", 2},
                    {"barriers_end", 1},
                    {"barriers_necessary", 2}},
                   4));
    const FeatureReport& waits = Feature(groups.at(0), "waits");
    EXPECT_EQ(waits.state, FeatureState::kGained);
    EXPECT_THAT(waits.text, HasSubstr("9 of 10 waits ended without a wake-up"));
    EXPECT_THAT(waits.text, HasSubstr("0.250 ms spinning"));
    EXPECT_THAT(waits.reasons, SizeIs(3));
    EXPECT_THAT(Feature(groups[0], "barriers").text, HasSubstr("the driver got 3 of 8 barriers; 2 order"));
    EXPECT_THAT(FormatReport({groups, {}, {}}), HasSubstr("over while spinning")) << "a reason without its meaning";
}

TEST(Report, PartsOfSlabsAreForeseenAndCounted) {
    const json asked = {{"allocations", 40}, {"allocated_bytes", 163'840}, {"frees", 3}};
    const auto before =
        Groups(Device({{"recycle_memory", "off"}, {"slabs", "off"}, {"preset", "observe"}}) +
               Frame(0, asked, asked, {}) + Frame(1, {}, {}, {{"slabs_room", 30}, {"memory_again", 2}}));
    const FeatureReport& off = Feature(before.at(0), "recycle_memory");
    EXPECT_EQ(off.state, FeatureState::kOff);
    EXPECT_EQ(off.predictions.at(0).expected, 32U);
    EXPECT_THAT(off.advice, HasSubstr("KRONOS_SLABS=auto: up to 33 of 40"));
    // Where slabs are on, recycling that is off is no loss.
    const auto after = Groups(Device({{"recycle_memory", "off"}, {"slabs", "on"}}) +
                              Sum(asked, {{"allocations", 5}}, {{"slabs_served", 36}, {"slabs_made", 1}}, 2));
    const FeatureReport& on = Feature(after.at(0), "recycle_memory");
    EXPECT_EQ(on.state, FeatureState::kGained);
    EXPECT_THAT(on.text, HasSubstr("36 are parts of 1 slabs"));
}

TEST(Report, StandingAsideHasAReason) {
    const json asked = {{"waits", 2}, {"fences_created", 3}, {"allocations", 4}, {"barrier_calls", 5}};
    const json did = {{"waits_forwarded", 2}, {"fences_cheap", 3}, {"memory_cheap", 4}, {"streams_direct", 6}};
    const json automatic = {
        {"waits", "auto"}, {"recycle_fences", "auto"}, {"recycle_memory", "auto"}, {"barriers", "auto"}};
    const auto groups = Groups(Device(automatic, 7, "cpu") + Sum(asked, asked, did, 1));
    for (const auto& [key, why] :
         {std::pair("waits", "the device is a processor"), std::pair("recycle_fences", "cheap"),
          std::pair("recycle_memory", "cheap"), std::pair("barriers", "had nothing to gain")}) {
        EXPECT_EQ(Feature(groups.at(0), key).state, FeatureState::kAside) << key;
        EXPECT_THAT(Feature(groups[0], key).text, HasSubstr(why));
    }
}

TEST(Report, ObservedBarriersAreAPrediction) {
    const auto groups = Groups(Device({{"barriers", "observe"}, {"drop_redundant", "on"}}) +
                               Sum({{"barrier_calls", 20}, {"set_binds", 9}}, {{"barrier_calls", 20}, {"set_binds", 9}},
                                   {{"streams_observed", 3},
                                    {"barriers_recorded", 18},
                                    {"barriers_write_read", 4},
                                    {"barriers_earlier", 2},
                                    {"barriers_necessary", 4},
                                    {"redundant_sets", 5}},
                                   2));
    const FeatureReport& barriers = Feature(groups.at(0), "barriers");
    EXPECT_EQ(barriers.state, FeatureState::kObserved);
    EXPECT_EQ(barriers.predictions.at(0).at_least, 12U);
    EXPECT_EQ(barriers.predictions.at(0).at_most, 12U);
    EXPECT_THAT(barriers.advice, HasSubstr("KRONOS_BARRIERS=auto"));
    EXPECT_EQ(Feature(groups[0], "drop_redundant").predictions.at(0).at_most, 5U);
    EXPECT_THAT(FormatReport({groups, {}, {}}), HasSubstr("would be: 8 of 20 barrier_calls"));
}

TEST(Report, NothingIsRecycledAcrossProcesses) {
    const json made = {{"fences_created", 1}}, gone = {{"fences_destroyed", 1}};
    const std::string one = Frame(0, made, made, {}, 1) + Frame(1, gone, gone, {}, 1);
    const std::string two = Frame(0, made, made, {}, 2) + Frame(1, gone, gone, {}, 2);
    const json off = {{"recycle_fences", "off"}};
    const auto groups = Groups(Device(off, 1) + one + Device(off, 2) + two);
    ASSERT_THAT(groups, SizeIs(1));
    EXPECT_EQ(groups[0].runs, 2U);
    EXPECT_EQ(groups[0].unfinished, 2U);
    EXPECT_THAT(Feature(groups[0], "recycle_fences").predictions, IsEmpty());
    const auto longer = Groups(Device(off, 1) + one + Frame(2, made, made, {}, 1));
    EXPECT_EQ(Feature(longer.at(0), "recycle_fences").predictions.at(0).at_least, 1U) << "the neighbour case";
}

TEST(Report, ExtensionsThatTheLayerDidNotKnowAreNamed) {
    const auto run = [](int pid, const json& unknown) {
        json line = json::parse(Device({{"waits", "auto"}}, pid));
        line["unknown_extensions"] = unknown;
        return line.dump() + "\n" + Sum({{"submits", 2}}, {{"submits", 1}}, {}, 3, pid);
    };
    const auto groups = Groups(run(1, {"VK_KHR_first"}) + run(2, {"VK_KHR_first", "VK_KHR_second", 7}));
    ASSERT_THAT(groups, SizeIs(1));
    const Report report = {groups, {}, {}};
    for (const std::string& text : {FormatReport(report), ReportHtml(report)})
        EXPECT_THAT(text, HasSubstr("the program enables VK_KHR_first, VK_KHR_second, which the layer did not know"));
    EXPECT_EQ(json::parse(ReportJson(report))["groups"][0]["unknown_extensions"],
              json({"VK_KHR_first", "VK_KHR_second"}));
    EXPECT_EQ(UnknownText(Groups(Device({})).at(0).sum), "");
}

TEST(Report, RunsOfOneProgramAreAddedUpAndOthersAreNot) {
    const auto groups = Groups(Device({{"waits", "auto"}}, 1) + Sum({{"submits", 2}}, {{"submits", 1}}, {}, 3, 1) +
                               Device({{"waits", "off"}}, 2) + Sum({{"submits", 5}}, {{"submits", 4}}, {}, 4, 2) +
                               Device({}, 3, "discrete", "other") + Sum({{"submits", 7}}, {}, {}, 1, 3));
    ASSERT_THAT(groups, SizeIs(2));
    EXPECT_EQ(groups[0].sum.Asked("submits"), 7U);
    EXPECT_EQ(groups[0].sum.Driver("submits"), 5U);
    EXPECT_EQ(groups[0].sum.frames, 7U);
    EXPECT_TRUE(groups[0].settings_differ);
    EXPECT_FALSE(groups[1].settings_differ);
    EXPECT_EQ(groups[1].sum.Asked("submits"), 7U);
}

TEST(Report, ALogThatDoesNotTellItsSettingsIsReadAllTheSame) {
    const auto groups = Groups(
        R"({"v":1,"event":"summary","pid":1,"device":0,"name":"G","frames":1,"asked":{"waits":4,"barrier_calls":2},"driver":{"waits":4}})");
    ASSERT_THAT(groups, SizeIs(1));
    EXPECT_THAT(FormatReport({groups, {}, {}}), HasSubstr("(program not told) on G"));
}

TEST(Report, ComparedAreCountersAndSettings) {
    std::vector<std::string> notes;
    const auto before =
        Groups(Device({{"waits", "off"}, {"submits", "off"}}) +
               Sum({{"waits", 4}, {"submits", 3}}, {{"waits", 4}, {"submits", 3}}, {{"waits_forwarded", 4}}, 2));
    const auto after = Groups(Device({{"waits", "auto"}, {"submits", "off"}}) +
                              Sum({{"waits", 4}, {"submits", 3}}, {{"submits", 3}}, {{"waits_spun", 4}}, 2));
    const auto compared = Compare(before, after, notes);
    ASSERT_THAT(compared, SizeIs(1));
    ASSERT_THAT(compared[0].differences, SizeIs(3));
    EXPECT_EQ(compared[0].differences[0].name, "waits");
    EXPECT_EQ(compared[0].differences[0].side, "driver");
    EXPECT_EQ(compared[0].differences[0].before, 4U);
    EXPECT_EQ(compared[0].differences[0].after, 0U);
    ASSERT_THAT(compared[0].settings, SizeIs(1));
    EXPECT_EQ(compared[0].settings[0].key, "waits");
    EXPECT_THAT(FormatReport({after, compared, notes}), HasSubstr("setting waits: 'off' before, 'auto' after"));
    EXPECT_THAT(Compare(after, after, notes)[0].differences, IsEmpty());
    EXPECT_THAT(notes, IsEmpty());
    const auto two = Groups(Device({}, 1, "discrete", "a") + Sum({{"waits", 1}}, {}, {}, 1, 1) +
                            Device({}, 2, "discrete", "b") + Sum({{"waits", 1}}, {}, {}, 1, 2));
    EXPECT_THAT(Compare(before, two, notes), IsEmpty());
    EXPECT_THAT(notes, SizeIs(2)) << "what has no counterpart is told";
}

TEST(Charts, PointsAreMeansAndNothingIsLost) {
    std::vector<FrameRow> rows(1001);
    uint64_t sum = 0;
    for (size_t i = 0; i < rows.size(); ++i) {
        rows[i].value[static_cast<size_t>(Series::kSubmitsAsked)] = i % 7;
        sum += i % 7;
    }
    const auto charts = MakeCharts(rows);
    ASSERT_THAT(charts, SizeIs(1)) << "what is always zero is not drawn";
    const Chart& chart = charts[0];
    EXPECT_EQ(chart.id, "submits");
    EXPECT_LE(chart.frames.size(), kMostPoints);
    double drawn = 0;
    uint64_t frames = 0;
    for (size_t i = 0; i < chart.frames.size(); ++i) {
        drawn += chart.lines[0].points[i] * static_cast<double>(chart.frames[i]);
        frames += chart.frames[i];
    }
    EXPECT_EQ(frames, rows.size());
    EXPECT_EQ(chart.lines[0].total, sum);
    EXPECT_NEAR(drawn, static_cast<double>(sum), 1e-6);
    EXPECT_THAT(MakeCharts({}), IsEmpty());
}

TEST(Charts, OneFrameIsSeen) {
    std::vector<FrameRow> rows(1);
    rows[0].value[static_cast<size_t>(Series::kWaitNs)] = 2'000'000;
    const auto charts = MakeCharts(rows);
    ASSERT_THAT(charts, SizeIs(1));
    EXPECT_DOUBLE_EQ(charts[0].highest, 2.0) << "milliseconds";
    EXPECT_THAT(ChartHtml(charts[0], "x"), HasSubstr("points=\"0.00,0.000 1000.00,0.000\""));
}

TEST(Trace, EveryFrameIsASliceAndNoTwoOfADeviceOverlap) {
    std::istringstream in(Device({}) + Frame(0, {{"submits", 1}}, {}, {}) +
                          Frame(1, {{"submits", 2}, {"wait_ns", 500'000}}, {}, {}) + Device({}, 8, "cpu", "<other>") +
                          Frame(0, {{"submits", 4}}, {}, {}, 8));
    const json trace = json::parse(TraceJson(ReadLog(in)));
    double end = 0;
    uint64_t slices = 0, submits = 0;
    std::vector<std::string> processes;
    for (const json& event : trace.at("traceEvents")) {
        const std::string kind = event.at("ph");
        ASSERT_TRUE(kind == "M" || kind == "X" || kind == "C") << event;
        EXPECT_TRUE(event.at("pid").is_number_unsigned());
        EXPECT_TRUE(event.at("name").is_string());
        if (event.at("name") == "process_name") processes.push_back(event["args"]["name"]);
        if (kind == "M") continue;
        EXPECT_GE(event.at("ts").get<double>(), 0);
        for (const auto& [name, value] : event.at("args").items())
            EXPECT_TRUE(kind == "X" || value.is_number()) << name;
        if (kind != "X") continue;
        ++slices;
        submits += event["args"]["submits"]["asked"].get<uint64_t>();
        if (event["pid"] == 7) {
            EXPECT_GE(event["ts"].get<double>(), end);
            end = event["ts"].get<double>() + event.at("dur").get<double>();
        }
    }
    EXPECT_EQ(slices, 3U);
    EXPECT_EQ(submits, 7U);
    EXPECT_DOUBLE_EQ(end, 4000) << "microseconds";
    EXPECT_THAT(processes, testing::ElementsAre("prog", "<other>"));
}

TEST(Html, WhatALogHoldsCannotBecomePartOfThePage) {
    const std::string evil = "</script><script>alert(1)</script>&\"'";
    const auto groups =
        Groups(Device({{"stats_file", evil}}, 7, "cpu", evil.c_str()) + Sum({{evil, 1}}, {}, {{evil, 2}}, 1));
    const std::string page = ReportHtml({groups, {}, {evil}});
    EXPECT_THAT(page, Not(HasSubstr("<script>")));
    EXPECT_THAT(page, Not(HasSubstr("alert(1)</script>")));
    EXPECT_THAT(page, HasSubstr("&lt;/script&gt;"));
}

TEST(StatsReader, FullFilesAreContinuedInWhateverOrderTheyAreRead) {
    const std::string first = Device({}) + Frame(0, {{"submits", 1}}, {}, {}) + Frame(1, {{"submits", 2}}, {}, {});
    json again = json::parse(Device({}));
    again["part"] = 2;
    const std::string second =
        again.dump() + "\n" + Frame(2, {{"submits", 4}}, {}, {}) + Sum({{"submits", 7}}, {}, {}, 3);
    for (const auto& order : {std::pair(first, second), std::pair(second, first)}) {
        StatsReader reader;
        std::istringstream a(order.first), b(order.second);
        reader.Read(a, "a");
        reader.Read(b, "b");
        const LogTotals& totals = reader.Totals();
        ASSERT_THAT(totals.devices, SizeIs(1));
        EXPECT_EQ(totals.devices[0].frames, 3U);
        EXPECT_EQ(totals.devices[0].Asked("submits"), 7U);
        ASSERT_THAT(totals.devices[0].rows, SizeIs(3));
        for (uint64_t i = 0; i < 3; ++i) EXPECT_EQ(totals.devices[0].rows[i].number, i);
    }
}

TEST(StatsReader, FaultsNameTheLineAndTheVersion) {
    std::istringstream in(Device({}) + "{\"v\":1,\"event\":\"fra\x01\n" + "{\"v\":3,\"event\":\"frame\"}\n");
    StatsReader reader;
    reader.Read(in, "some.log");
    const auto faults = ReadingFaults(reader.Totals());
    ASSERT_THAT(faults, SizeIs(2));
    EXPECT_THAT(
        faults[0],
        HasSubstr("1 of 3 lines are damaged and were skipped; the first is some.log:2: '{\"v\":1,\"event\":\"fra?'"));
    EXPECT_THAT(faults[1],
                HasSubstr("other than version 1, the one known here, and were skipped; the first says version 3"));
}

}  // namespace
}  // namespace kronos::command
