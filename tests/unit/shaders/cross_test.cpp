// SPDX-License-Identifier: Apache-2.0
// What SPIRV-Cross calls active must be in our answer. It says nothing about reads and writes except by decorations.
#include <gtest/gtest.h>
#include <spirv_cross/spirv_cross_c.h>

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <memory>
#include <set>

#include "corpus.h"
#include "shaders/uses.h"

namespace kronos::shaders_test {
namespace {

struct Reflection {
    bool read = false;
    std::string error;
    std::vector<std::string> active;  ///< set.binding
};

void Reflect(const std::vector<uint32_t>& words, const std::string& entry, Reflection& reflection) {
    spvc_context raw = nullptr;
    if (spvc_context_create(&raw) != SPVC_SUCCESS) return;
    const std::unique_ptr<spvc_context_s, decltype(&spvc_context_destroy)> context(raw, spvc_context_destroy);
    spvc_parsed_ir module = nullptr;
    spvc_compiler compiler = nullptr;
    spvc_set active = nullptr;
    spvc_resources resources = nullptr;
    if (spvc_context_parse_spirv(raw, words.data(), words.size(), &module) != SPVC_SUCCESS ||
        spvc_context_create_compiler(raw, SPVC_BACKEND_NONE, module, SPVC_CAPTURE_MODE_COPY, &compiler) !=
            SPVC_SUCCESS ||
        spvc_compiler_set_entry_point(compiler, entry.c_str(), SpvExecutionModelGLCompute) != SPVC_SUCCESS ||
        spvc_compiler_get_active_interface_variables(compiler, &active) != SPVC_SUCCESS ||
        spvc_compiler_create_shader_resources_for_active_variables(compiler, &resources, active) != SPVC_SUCCESS) {
        reflection.error = spvc_context_get_last_error_string(raw);
        return;
    }
    for (const spvc_resource_type type :
         {SPVC_RESOURCE_TYPE_UNIFORM_BUFFER, SPVC_RESOURCE_TYPE_STORAGE_BUFFER, SPVC_RESOURCE_TYPE_STORAGE_IMAGE,
          SPVC_RESOURCE_TYPE_SAMPLED_IMAGE, SPVC_RESOURCE_TYPE_SEPARATE_IMAGE, SPVC_RESOURCE_TYPE_SEPARATE_SAMPLERS,
          SPVC_RESOURCE_TYPE_ACCELERATION_STRUCTURE}) {
        const spvc_reflected_resource* list = nullptr;
        size_t count = 0;
        if (spvc_resources_get_resource_list_for_type(resources, type, &list, &count) != SPVC_SUCCESS) continue;
        for (size_t i = 0; i < count; ++i) {
            const uint32_t set = spvc_compiler_get_decoration(compiler, list[i].id, SpvDecorationDescriptorSet);
            const uint32_t binding = spvc_compiler_get_decoration(compiler, list[i].id, SpvDecorationBinding);
            reflection.active.push_back(std::to_string(set) + "." + std::to_string(binding));
        }
    }
    reflection.read = true;
}

Reflection Reflect(const std::vector<uint32_t>& words, const std::string& entry) {
    Reflection reflection;
    try {
        Reflect(words, entry, reflection);
    } catch (const std::exception& error) {
        // An entry point that does not exist gets through its C interface as an exception.
        reflection.error = error.what();
    }
    return reflection;
}

// What is active and not in our answer.
std::set<std::string> Missing(const std::vector<uint32_t>& words, const std::string& entry, const Reflection& theirs) {
    const ShaderUses ours = FindUses(words, entry);
    if (ours.everything) return {};
    std::set<std::string> missing(theirs.active.begin(), theirs.active.end());
    for (const BindingUse& one : ours.bindings)
        missing.erase(std::to_string(one.set) + "." + std::to_string(one.binding));
    return missing;
}

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
    if (!theirs.read) {
        EXPECT_EQ(sample.uses, "everything") << theirs.error;
        return;
    }
    EXPECT_EQ(Missing(sample.words, sample.entry, theirs),
              std::set<std::string>(sample.unaccessed.begin(), sample.unaccessed.end()));
}

INSTANTIATE_TEST_SUITE_P(Corpus, Contains, testing::ValuesIn(ForCross()),
                         [](const auto& info) { return info.param.name; });

// Kernels of real programs: the directories of KRONOS_SHADERS, by colons, and those of this project.
TEST(ContainsOfPrograms, WhatSpirvCrossCallsActive) {
    std::string directories = KRONOS_PROGRAM_SPIRV;
    if (const char* more = std::getenv("KRONOS_SHADERS")) directories += std::string(":") + more;
    size_t modules = 0;
    size_t everything = 0;
    for (size_t begin = 0; begin <= directories.size();) {
        const size_t end = std::min(directories.find(':', begin), directories.size());
        const std::string directory = directories.substr(begin, end - begin);
        begin = end + 1;
        ASSERT_TRUE(std::filesystem::is_directory(directory)) << directory;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
            if (entry.path().extension() != ".spv") continue;
            const std::vector<uint32_t> words = ReadWords(entry.path().string());
            const Reflection theirs = Reflect(words, "main");
            if (!theirs.read) continue;
            ++modules;
            everything += FindUses(words, "main").everything;
            EXPECT_EQ(Missing(words, "main", theirs), std::set<std::string>()) << entry.path();
        }
    }
    EXPECT_GE(modules, 5u);
    RecordProperty("modules", static_cast<int>(modules));
    RecordProperty("everything", static_cast<int>(everything));
}

}  // namespace
}  // namespace kronos::shaders_test
