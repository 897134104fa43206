// SPDX-License-Identifier: Apache-2.0
#include "shaders/uses.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "corpus.h"

namespace kronos::shaders_test {
namespace {

class UsesOf : public testing::TestWithParam<Sample> {};

TEST_P(UsesOf, AreExactlyWhatTheSourceSays) {
    const Sample& sample = GetParam();
    ASSERT_FALSE(sample.words.empty());
    ASSERT_FALSE(sample.uses.empty());
    EXPECT_EQ(Text(FindUses(sample.words, sample.entry)), sample.uses);
}

TEST_P(UsesOf, AreTheSameTwice) {
    const Sample& sample = GetParam();
    EXPECT_EQ(FindUses(sample.words, sample.entry), FindUses(sample.words, sample.entry));
}

TEST_P(UsesOf, AnotherEntryPointAreEverything) {
    EXPECT_EQ(Text(FindUses(GetParam().words, "no such entry point")), "everything");
    EXPECT_EQ(Text(FindUses(GetParam().words, "")), "everything");
}

INSTANTIATE_TEST_SUITE_P(Corpus, UsesOf, testing::ValuesIn(Corpus()), [](const auto& info) { return info.param.name; });

TEST(ShaderCorpus, IsThere) { EXPECT_GE(Corpus().size(), 60u); }

const Sample& Named(const std::string& name) {
    return *std::find_if(Corpus().begin(), Corpus().end(), [&](const Sample& sample) { return sample.name == name; });
}

std::string Uses(const std::vector<uint32_t>& words) { return Text(FindUses(words, "main")); }

TEST(ShaderHeader, NoWordsAreEverything) {
    const ShaderUses nothing = FindUses({}, "main");
    EXPECT_TRUE(nothing.everything);
    EXPECT_TRUE(nothing.bindings.empty());
    EXPECT_EQ(nothing.addresses, Use::kReadWrite);
}

TEST(ShaderHeader, ALoneHeaderIsEverything) {
    const std::vector<uint32_t>& words = Named("load").words;
    EXPECT_EQ(Uses({words.begin(), words.begin() + 5}), "everything");
}

TEST(ShaderHeader, SwappedBytesAreEverything) {
    std::vector<uint32_t> words = Named("load").words;
    for (uint32_t& word : words) word = __builtin_bswap32(word);
    EXPECT_EQ(Uses(words), "everything");
}

TEST(ShaderHeader, VersionsFrom10To16AreUnderstood) {
    std::vector<uint32_t> words = Named("load").words;
    for (uint32_t minor = 0; minor <= 6; ++minor) {
        words[1] = 0x10000 | minor << 8;
        EXPECT_EQ(Uses(words), "0.0 r") << minor;
    }
    for (const uint32_t version : {0u, 1u, 0x99u, 0xff00u, 0x10001u, 0x10601u, 0x10700u, 0x20000u, 0x01010000u, ~0u}) {
        words[1] = version;
        EXPECT_EQ(Uses(words), "everything") << version;
    }
}

TEST(ShaderHeader, TheGeneratorDoesNotMatter) {
    std::vector<uint32_t> words = Named("load").words;
    words[2] = ~0u;
    EXPECT_EQ(Uses(words), "0.0 r");
}

TEST(ShaderHeader, AnAbsurdBoundIsEverything) {
    std::vector<uint32_t> words = Named("load").words;
    const uint32_t bound = words[3];
    words[3] = 65536;
    EXPECT_EQ(Uses(words), "0.0 r");
    for (const uint32_t absurd : {0u, 1u, bound - 1, 65537u, 4194303u, 4194304u, ~0u}) {
        words[3] = absurd;
        EXPECT_EQ(Uses(words), "everything") << absurd;
    }
}

TEST(ShaderHeader, AnotherSchemaIsEverything) {
    std::vector<uint32_t> words = Named("load").words;
    words[4] = 1;
    EXPECT_EQ(Uses(words), "everything");
}

TEST(ShaderName, IsComparedWhole) {
    const std::vector<uint32_t>& words = Named("load").words;
    EXPECT_EQ(Text(FindUses(words, "main")), "0.0 r");
    for (const std::string name : {"mai", "main ", "Main", "maim", "mainmain"})
        EXPECT_EQ(Text(FindUses(words, name)), "everything") << name;
    EXPECT_EQ(Text(FindUses(words, std::string_view("main\0", 5))), "everything");
}

// Its work must grow with the module alone: chains of OpPhi as long as a function, calls in each of which two meet.
TEST(ShaderSize, ALongModuleEnds) {
    std::vector<uint32_t> words = Named("load").words;
    // Copies of the last access chain and load: before OpReturn and OpFunctionEnd.
    const std::vector<uint32_t> end(words.end() - 2, words.end());
    words.resize(words.size() - 2);
    const std::vector<uint32_t> load(words.end() - 4, words.end());
    const uint32_t type = words[words.size() - 4 - 5];
    uint32_t pointer = load[3];
    uint32_t next = words[3];
    for (int i = 0; i < 100000; ++i) {
        words.insert(words.end(), {4u << 16 | 83, type, next, pointer});
        pointer = next++;
    }
    words.insert(words.end(), {4u << 16 | 61, load[1], next++, pointer});
    words.insert(words.end(), end.begin(), end.end());
    words[3] = next;
    EXPECT_EQ(Uses(words), "0.0 r");
}

}  // namespace
}  // namespace kronos::shaders_test
