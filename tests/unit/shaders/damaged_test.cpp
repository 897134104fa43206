// SPDX-License-Identifier: Apache-2.0
// Modules that are cut short or have a word replaced. What they do is anybody's guess; that the answer is well-formed,
// and that nothing is read outside of the words, is not. The address sanitizer sees the latter: each module is copied
// to the end of an allocation of its own size.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <tuple>

#include "corpus.h"
#include "shaders/uses.h"

namespace kronos::shaders_test {
namespace {

std::string Malformation(const ShaderUses& uses) {
    if (uses.everything && !uses.bindings.empty()) return "everything, and bindings";
    if (uses.everything && uses.addresses != Use::kReadWrite) return "everything, but not the addresses";
    for (size_t i = 0; i < uses.bindings.size(); ++i) {
        const BindingUse& one = uses.bindings[i];
        if (one.use == Use::kNone || static_cast<int>(one.use) > 3) return "a binding without a use";
        if (i == 0) continue;
        const BindingUse& before = uses.bindings[i - 1];
        if (std::tie(before.set, before.binding, before.element) >= std::tie(one.set, one.binding, one.element))
            return "not in order";
    }
    return "";
}

// Empty if all is well.
std::string Check(const uint32_t* words, size_t count, const std::string& entry) {
    const std::unique_ptr<uint32_t[]> exact(new uint32_t[std::max<size_t>(count, 1)]);
    std::copy(words, words + count, exact.get());
    return Malformation(FindUses({exact.get(), count}, entry));
}

class Damaged : public testing::TestWithParam<Sample> {};

TEST_P(Damaged, CutAfterEachWord) {
    const Sample& sample = GetParam();
    for (size_t count = 0; count <= sample.words.size(); ++count)
        ASSERT_EQ(Check(sample.words.data(), count, sample.entry), "") << "after word " << count;
}

TEST_P(Damaged, CutInTheMiddleOfAFunctionIsEverything) {
    const Sample& sample = GetParam();
    const ShaderUses cut = FindUses(std::span(sample.words).first(sample.words.size() - 1), sample.entry);
    EXPECT_TRUE(cut.everything);
}

TEST_P(Damaged, EachWordReplaced) {
    const Sample& sample = GetParam();
    std::vector<uint32_t> words = sample.words;
    std::mt19937 random(1);
    for (size_t i = 0; i < words.size(); ++i) {
        const uint32_t whole = words[i];
        const uint32_t id = static_cast<uint32_t>(random() % std::max(words[3], 1u));
        const uint32_t to_the_end = static_cast<uint32_t>(words.size() - i) << 16;
        const uint32_t drawn = static_cast<uint32_t>(random());
        for (const uint32_t damage :
             {0u, ~0u, whole ^ 1, whole + 1, whole - 1, whole ^ 0x10000, whole + 0x10000, whole - 0x10000, id, words[3],
              drawn, 1u << 16, (whole & 0xffff0000) | (drawn & 0x1ff), whole | 0xffff0000,
              to_the_end | (whole & 0xffff)}) {
            words[i] = damage;
            ASSERT_EQ(Check(words.data(), words.size(), sample.entry), "") << "word " << i << " is " << damage;
        }
        words[i] = whole;
    }
}

TEST_P(Damaged, SeveralWordsReplaced) {
    const Sample& sample = GetParam();
    for (uint32_t seed = 0; seed < 300; ++seed) {
        std::mt19937 random(seed);
        std::vector<uint32_t> words = sample.words;
        for (int i = 0; i < 4; ++i) words[5 + random() % (words.size() - 5)] = random() % words[3];
        ASSERT_EQ(Check(words.data(), words.size(), sample.entry), "") << "seed " << seed;
    }
}

TEST_P(Damaged, InstructionsLeftOutOrTwice) {
    const Sample& sample = GetParam();
    const std::vector<uint32_t>& words = sample.words;
    for (size_t i = 5, count = 0; i < words.size(); i += count) {
        count = words[i] >> 16;
        ASSERT_NE(count, 0u);
        const auto begin = words.begin() + static_cast<ptrdiff_t>(i);
        const auto end = begin + static_cast<ptrdiff_t>(count);
        std::vector<uint32_t> without(words.begin(), begin);
        without.insert(without.end(), end, words.end());
        ASSERT_EQ(Check(without.data(), without.size(), sample.entry), "") << "without word " << i;
        std::vector<uint32_t> twice(words.begin(), end);
        twice.insert(twice.end(), begin, words.end());
        ASSERT_EQ(Check(twice.data(), twice.size(), sample.entry), "") << "word " << i << " twice";
    }
}

INSTANTIATE_TEST_SUITE_P(Corpus, Damaged, testing::ValuesIn(Corpus()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace kronos::shaders_test
