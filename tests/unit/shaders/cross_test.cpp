// SPDX-License-Identifier: Apache-2.0
// What SPIRV-Cross calls active must be in our answer.
#include "cross.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "../../scratch.h"
#include "corpus.h"

namespace kronos::shaders_test {
namespace {

// Without those that SPIRV-Cross does not bear: their headers say so.
std::vector<Sample> ForCross() {
    std::vector<Sample> samples = Corpus();
    std::erase_if(samples, [](const Sample& sample) { return !sample.for_cross; });
    return samples;
}

class Contains : public testing::TestWithParam<Sample> {};

TEST_P(Contains, WhatSpirvCrossCallsActive) {
    const Sample& sample = GetParam();
    const Reflection theirs = Reflect(sample.words, sample.entry);
    if (theirs.error) {
        EXPECT_EQ(sample.uses, "everything") << *theirs.error;
        return;
    }
    EXPECT_EQ(Missing(sample.words, sample.entry, theirs),
              std::set<std::string>(sample.unaccessed.begin(), sample.unaccessed.end()));
}

INSTANTIATE_TEST_SUITE_P(Corpus, Contains, testing::ValuesIn(ForCross()),
                         [](const auto& info) { return info.param.name; });

// Kernels of programs: those of this project, and those in the directories of KRONOS_SHADERS, by colons.
TEST(ContainsOfPrograms, WhatSpirvCrossCallsActive) {
    std::string directories = KRONOS_PROGRAM_SPIRV;
    if (const char* more = std::getenv("KRONOS_SHADERS")) directories += std::string(":") + more;
    for (size_t begin = 0; begin <= directories.size();) {
        const size_t end = std::min(directories.find(':', begin), directories.size());
        const std::string directory = directories.substr(begin, end - begin);
        begin = end + 1;
        ASSERT_TRUE(std::filesystem::is_directory(directory)) << directory;
        const FolderReport report = CheckFolder(directory);
        EXPECT_GE(report.checked, directory == KRONOS_PROGRAM_SPIRV ? 5u : 1u) << directory;
        EXPECT_EQ(report.not_contained, std::vector<std::string>()) << directory;
    }
}

// What tests/apps/shaders relies on.
class ContainsOfFolder : public testing::Test {
  protected:
    void Add(const std::string& sample, const std::string& name) {
        std::filesystem::copy_file(KRONOS_SHADER_CORPUS_SPIRV "/" + sample + ".spv", folder_ / name);
    }

    const Scratch scratch_;
    const std::filesystem::path folder_ = scratch_.path();
};

TEST_F(ContainsOfFolder, EveryEntryPointIsChecked) {
    // Of two entry points that are not called main, each with a binding.
    Add("entry_second", "a.spv");
    const FolderReport report = CheckFolder(folder_);
    EXPECT_EQ(report.modules, 1u);
    EXPECT_EQ(report.entries, 2u);
    EXPECT_EQ(report.checked, 2u);
    EXPECT_EQ(report.bindings, 2u);
    EXPECT_EQ(report.not_contained, std::vector<std::string>());
}

TEST_F(ContainsOfFolder, WhatIsNotContainedIsNamed) {
    // The one case in which SPIRV-Cross calls active what nothing reads or writes.
    Add("array_length", "b.spv");
    const FolderReport report = CheckFolder(folder_);
    ASSERT_EQ(report.not_contained.size(), 1u);
    EXPECT_TRUE(report.not_contained[0].starts_with("b.spv main: 0.")) << report.not_contained[0];
}

TEST_F(ContainsOfFolder, WhatCannotBeReadIsNamed) {
    std::ofstream(folder_ / "empty.spv");
    std::ofstream(folder_ / "text.spv") << "this is no module at all";
    std::ofstream(folder_ / "readme") << "and not looked at";
    const FolderReport report = CheckFolder(folder_);
    EXPECT_EQ(report.modules, 2u);
    EXPECT_EQ(report.checked, 0u);
    ASSERT_EQ(report.unread.size(), 2u);
    EXPECT_TRUE(report.unread[0].starts_with("empty.spv: ")) << report.unread[0];
}

}  // namespace
}  // namespace kronos::shaders_test
