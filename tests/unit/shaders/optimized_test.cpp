// SPDX-License-Identifier: Apache-2.0
// What spirv-opt makes of a module does no more than the module: its uses must be among those of the original, although
// functions are inlined, variables and loops are gone, and nothing has the same id.
#include <gtest/gtest.h>

#include <filesystem>

#include "corpus.h"
#include "shaders/uses.h"

namespace kronos::shaders_test {
namespace {

bool Contains(Use outer, Use inner) { return (outer | inner) == outer; }

// Of an element of a binding, or of any.
Use UseIn(const ShaderUses& uses, const BindingUse& of) {
    Use use = Use::kNone;
    for (const BindingUse& one : uses.bindings) {
        const bool covers = one.element == of.element || one.element == BindingUse::kAnyElement;
        if (one.set == of.set && one.binding == of.binding && covers) use = use | one.use;
    }
    return use;
}

std::string OptimizedPath(const Sample& sample) {
    return KRONOS_SHADER_CORPUS_SPIRV "/optimized/" + sample.name + ".spv";
}

// Those that spirv-opt bears: the build made them.
std::vector<Sample> OfOptimizer() {
    std::vector<Sample> samples = Corpus();
    std::erase_if(samples, [](const Sample& sample) { return !std::filesystem::exists(OptimizedPath(sample)); });
    return samples;
}

TEST(OptimizedCorpus, IsMostOfIt) { EXPECT_GE(OfOptimizer().size(), 100u); }

class Optimized : public testing::TestWithParam<Sample> {};

TEST_P(Optimized, DoesNoMore) {
    const Sample& sample = GetParam();
    const ShaderUses original = FindUses(sample.words, sample.entry);
    const ShaderUses optimized = FindUses(ReadWords(OptimizedPath(sample)), sample.entry);
    if (original.everything) return;
    EXPECT_FALSE(optimized.everything);
    EXPECT_TRUE(Contains(original.addresses, optimized.addresses)) << Text(optimized);
    for (const BindingUse& one : optimized.bindings)
        EXPECT_TRUE(Contains(UseIn(original, one), one.use)) << Text(optimized) << " of " << Text(original);
}

INSTANTIATE_TEST_SUITE_P(Corpus, Optimized, testing::ValuesIn(OfOptimizer()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace kronos::shaders_test
