// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "settings/parse.h"

namespace kronos {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

ResolvedSettings Resolve(std::vector<GivenSetting> given) { return ResolveSettings(given); }

TEST(Settings, DefaultsWithoutAnything) {
    const ResolvedSettings resolved = Resolve({});
    EXPECT_THAT(resolved.problems, IsEmpty());
    EXPECT_EQ(resolved.settings.preset, Preset::kBalanced);
    EXPECT_EQ(resolved.settings.stats, Stats::kFrames);
    EXPECT_EQ(resolved.settings.stats_limit, 64);
    EXPECT_EQ(resolved.settings.log_level, LogLevel::kWarn);
    EXPECT_THAT(resolved.effective, SizeIs(std::size(kSettingRows)));
    EXPECT_EQ(resolved.effective[1].Line(), "stats = frames (default)");
}

TEST(Settings, PresetMovesDefaultsAndAGivenValueWins) {
    EXPECT_EQ(Resolve({{"preset", "fastest", "a"}}).settings.stats, Stats::kOff);
    EXPECT_EQ(Resolve({{"preset", "safe", "a"}}).settings.stats, Stats::kSummary);
    EXPECT_EQ(Resolve({{"preset", "observe", "a"}}).settings.log_level, LogLevel::kInfo);
    const ResolvedSettings both = Resolve({{"stats", "summary", "KRONOS_STATS"}, {"preset", "fastest", "file"}});
    EXPECT_EQ(both.settings.stats, Stats::kSummary);
    EXPECT_EQ(both.effective[0].Line(), "preset = fastest (file)");
    EXPECT_EQ(both.effective[1].Line(), "stats = summary (KRONOS_STATS)");
    EXPECT_EQ(Resolve({{"preset", "fastest", "a"}}).effective[1].Line(), "stats = off (preset)");
}

TEST(Settings, TheFirstSourceOfAKeyWins) {
    EXPECT_EQ(Resolve({{"frame_ms", "5", "environment"}, {"frame_ms", "7", "file"}}).settings.frame_ms, 5);
}

TEST(Settings, ValuesAreTrimmedAndWordsKnowNoCase) {
    const Settings settings = Resolve({{"stats", " Summary\t", "a"}, {"frame_submits", " 12 ", "a"}}).settings;
    EXPECT_EQ(settings.stats, Stats::kSummary);
    EXPECT_EQ(settings.frame_submits, 12);
}

TEST(Settings, PathsAreTakenAsTheyAre) {
    EXPECT_EQ(Resolve({{"stats_file", "/tmp/a:b,c d.jsonl", "a"}}).settings.stats_file, "/tmp/a:b,c d.jsonl");
}

TEST(Settings, UnknownKeyNamesTheNearest) {
    const ResolvedSettings resolved = Resolve({{"stat_file", "x", "KRONOS_STAT_FILE"}});
    ASSERT_THAT(resolved.problems, SizeIs(1));
    EXPECT_THAT(resolved.problems[0], AllOf(HasSubstr("stat_file"), HasSubstr("nearest is 'stats_file'"),
                                            HasSubstr("KRONOS_STAT_FILE"), HasSubstr("ignored")));
}

struct Bad {
    const char* key;
    const char* value;
};
class BadValue : public ::testing::TestWithParam<Bad> {};

TEST_P(BadValue, GivesOneLineThatSaysEverythingAndKeepsTheDefault) {
    const auto [key, value] = GetParam();
    const ResolvedSettings resolved = Resolve({{key, value, "KRONOS_TEST_SOURCE"}});
    ASSERT_THAT(resolved.problems, SizeIs(1));
    const SettingRow* row = FindSetting(key);
    ASSERT_NE(row, nullptr);
    EXPECT_THAT(
        resolved.problems[0],
        AllOf(HasSubstr(key), HasSubstr("KRONOS_TEST_SOURCE"), HasSubstr("allowed: " + std::string(row->allowed)),
              HasSubstr("using '" + std::string(row->default_text) + "'"), Not(HasSubstr("\n"))));
    const size_t index = static_cast<size_t>(row - kSettingRows);
    EXPECT_EQ(resolved.effective[index].Line().find(
                  std::string(row->key) + " = " + (row->default_text.empty() ? "''" : std::string(row->default_text))),
              0u);
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadValue,
    ::testing::Values(Bad{"preset", "faster"}, Bad{"preset", ""}, Bad{"preset", "safe,fastest"}, Bad{"stats", "yes"},
                      Bad{"stats", "1"}, Bad{"stats", "frame"}, Bad{"stats_format", "xml"}, Bad{"stats_format", "json"},
                      Bad{"stats_limit", "-1"}, Bad{"stats_limit", "1048577"}, Bad{"stats_limit", "64MiB"},
                      Bad{"stats_limit", "9999999999999999999999"}, Bad{"stats_keep", "many"}, Bad{"stats_keep", "1.5"},
                      Bad{"frame_submits", "0x10"}, Bad{"frame_submits", "1e3"}, Bad{"frame_submits", "--5"},
                      Bad{"frame_submits", "1 2"}, Bad{"frame_ms", "3600001"}, Bad{"frame_ms", "ten"},
                      Bad{"frame_ms", "+"}, Bad{"log_level", "verbose"}, Bad{"log_level", "5"},
                      Bad{"log_level", "warn info"}, Bad{"log_file", "a\nb"}, Bad{"stats_file", "a\nb"}));

TEST(Settings, AVeryLongBadValueStaysOneShortLine) {
    const ResolvedSettings resolved = Resolve({{"stats", std::string(100'000, 'x'), "a"}});
    ASSERT_THAT(resolved.problems, SizeIs(1));
    EXPECT_LT(resolved.problems[0].size(), 500u);
}

TEST(Settings, EveryPresetRowSetsSomethingThatExists) {
    for (const PresetRow& row : kPresetRows) {
        EXPECT_NE(FindSetting(row.key), nullptr) << row.key;
        EXPECT_THAT(Resolve({{std::string(row.key), std::string(row.value), "a"}}).problems, IsEmpty());
    }
}

}  // namespace
}  // namespace kronos
