// SPDX-License-Identifier: Apache-2.0
#include "devices/selector.h"

#include <gmock/gmock.h>

#include "machines.h"

namespace kronos {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using Kind = SelectorTerm::Kind;

SelectorTerm Only(const std::string& text) {
    Selector selector = ParseSelector(text);
    EXPECT_THAT(selector.problems, IsEmpty()) << text;
    EXPECT_THAT(selector.terms, SizeIs(1)) << text;
    return selector.terms.empty() ? SelectorTerm() : selector.terms.front();
}

TEST(SelectorTest, ABareEntryIsWhatItLooksLike) {
    EXPECT_EQ(Only("0").kind, Kind::kIndex);
    EXPECT_EQ(Only("1234567").kind, Kind::kIndex);
    EXPECT_EQ(Only("12345678").kind, Kind::kUuid);
    EXPECT_EQ(Only("4C1b2d3e-00").text, "4c1b2d3e00");
    EXPECT_EQ(Only("GPU-4c1b2d3e").text, "4c1b2d3e");
    EXPECT_EQ(Only("deadbee").kind, Kind::kName);  // too short to be sure
    EXPECT_EQ(Only("discrete").kind, Kind::kType);
    EXPECT_EQ(Only("CPU").kind, Kind::kType);
    EXPECT_EQ(Only("65:00.0").pci, (PciAddress{0, 0x65, 0, 0}));
    EXPECT_EQ(Only("0001:0a:1f.7").pci, (PciAddress{1, 0xa, 0x1f, 7}));
    EXPECT_EQ(Only("NVIDIA H200").text, "nvidia h200");
    EXPECT_EQ(Only("index").kind, Kind::kName);
}

TEST(SelectorTest, AKindMayBeSaid) {
    EXPECT_EQ(Only("name:0").kind, Kind::kName);
    EXPECT_EQ(Only("index: 3").index, 3u);
    EXPECT_EQ(Only("type:virtual").type, VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU);
    EXPECT_EQ(Only("uuid:00000000").kind, Kind::kUuid);
    EXPECT_EQ(Only("pci:65:00.0").kind, Kind::kPci);
    EXPECT_EQ(Only("driver:radv").kind, Kind::kDriver);
    EXPECT_EQ(Only("Vendor:AMD").text, "amd");
}

TEST(SelectorTest, ExclusionsAndLists) {
    const Selector selector = ParseSelector(" 1 , !cpu,-name:foo ");
    ASSERT_THAT(selector.terms, SizeIs(3));
    EXPECT_FALSE(selector.terms[0].exclude);
    EXPECT_TRUE(selector.terms[1].exclude);
    EXPECT_TRUE(selector.terms[2].exclude);
    EXPECT_EQ(selector.terms[2].given, "-name:foo");
    EXPECT_TRUE(ParseSelector("").empty());
    EXPECT_TRUE(ParseSelector("  ").empty());
    EXPECT_THAT(ParseSelector("").problems, IsEmpty());
}

TEST(SelectorTest, WhatIsNoSelectorIsNamed) {
    for (const char* bad : {",",
                            "0,",
                            "!",
                            "-",
                            "index:",
                            "index:x",
                            "index:-1",
                            "index:99999999999999999999",
                            "type:",
                            "type:gpu",
                            "uuid:",
                            "uuid:123",
                            "uuid:xyzxyzxyz",
                            "uuid:4c1b2d3e4c1b2d3e4c1b2d3e4c1b2d3e4",
                            "pci:",
                            "pci:65",
                            "pci:65:00",
                            "pci:65:00.8",
                            "pci:65:20.0",
                            "pci:165:00.0",
                            "pci:zz:00.0",
                            "driver:",
                            "vendor:",
                            "name:",
                            "colour:green",
                            ":",
                            "a:b:c"}) {
        const Selector selector = ParseSelector(bad);
        ASSERT_FALSE(selector.problems.empty()) << bad;
        EXPECT_THAT(selector.problems.front(), HasSubstr("allowed is")) << bad;
        EXPECT_LE(selector.terms.size(), 1u) << bad;
    }
}

TEST(SelectorTest, Matches) {
    DeviceFacts gpu = machines::Discrete("NVIDIA H200 NVL");
    gpu.uuid = Uuid{0x4c, 0x1b, 0x2d, 0x3e, 0x01};
    gpu.pci = PciAddress{0, 0x65, 0, 0};
    for (const char* good : {"2", "discrete", "4c1b2d3e", "4c1b2d3e-0100-0000-0000-000000000000", "gpu-4c1b2d3e01",
                             "65:00.0", "0:65:0.0", "h200", "NVIDIA*", "*nvl", "nvidia h?00 nvl", "driver:nvidia",
                             "driver:550", "vendor:nvidia", "vendor:0x10de"})
        EXPECT_TRUE(Only(good).Matches(gpu, 2)) << good;
    for (const char* other : {"1", "cpu", "4c1b2d3f", "66:00.0", "1:65:0.0", "h100", "H200*", "nvidia h?00",
                              "driver:radv", "vendor:amd", "vendor:0x1002"})
        EXPECT_FALSE(Only(other).Matches(gpu, 2)) << other;
    // Nothing is told: nothing matches.
    EXPECT_FALSE(Only("00000000").Matches(machines::Discrete("GPU"), 0));
    EXPECT_FALSE(Only("00:00.0").Matches(machines::Discrete("GPU"), 0));
}

TEST(SelectorTest, Patterns) {
    EXPECT_TRUE(MatchesPattern("*", ""));
    EXPECT_TRUE(MatchesPattern("a*b*c", "axxbyybc"));
    EXPECT_FALSE(MatchesPattern("a*b*c", "axxbyyb"));
    EXPECT_TRUE(MatchesPattern("**a?", "xxab"));
    EXPECT_FALSE(MatchesPattern("?", ""));
}

TEST(SelectorTest, RulesByProgram) {
    std::vector<std::string> problems;
    const char* rules = "llama-*=discrete; *=!cpu ;";
    EXPECT_EQ(SelectorFor(rules, "llama-bench", problems), "discrete");
    EXPECT_EQ(SelectorFor(rules, "Llama-CLI", problems), "discrete");
    EXPECT_EQ(SelectorFor(rules, "blender", problems), "!cpu");
    EXPECT_EQ(SelectorFor("llama=1", "llama-bench", problems), "");
    EXPECT_EQ(SelectorFor("a=name:x=y", "a", problems), "name:x=y");
    EXPECT_THAT(problems, IsEmpty());
    EXPECT_EQ(SelectorFor("nonsense; =0; a=1", "a", problems), "1");
    EXPECT_THAT(problems, ElementsAre(HasSubstr("'nonsense' is no rule"), HasSubstr("'=0' is no rule")));
}

}  // namespace
}  // namespace kronos
