// SPDX-License-Identifier: Apache-2.0
#include "cross.h"

#include <spirv_cross/spirv_cross_c.h>

#include <algorithm>
#include <exception>
#include <filesystem>
#include <memory>

#include "corpus.h"
#include "shaders/uses.h"

namespace kronos::shaders_test {
namespace {

// Its C interface calls this before it fails; by default what it says goes to standard error.
void Quiet(void*, const char*) {}

void ReflectOrThrow(const std::vector<uint32_t>& words, const std::string& entry, Reflection& reflection) {
    spvc_context raw = nullptr;
    if (spvc_context_create(&raw) != SPVC_SUCCESS) {
        reflection.error = "no context";
        return;
    }
    const std::unique_ptr<spvc_context_s, decltype(&spvc_context_destroy)> context(raw, spvc_context_destroy);
    spvc_context_set_error_callback(raw, Quiet, nullptr);
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
            reflection.active.insert(std::to_string(set) + "." + std::to_string(binding));
        }
    }
}

std::string Joined(const std::set<std::string>& texts) {
    std::string joined;
    for (const std::string& text : texts) joined += " " + text;
    return joined;
}

}  // namespace

Reflection Reflect(const std::vector<uint32_t>& words, const std::string& entry) {
    Reflection reflection;
    try {
        ReflectOrThrow(words, entry, reflection);
    } catch (const std::exception& error) {
        // An entry point that does not exist gets through its C interface as an exception.
        reflection.error = error.what();
    }
    return reflection;
}

std::set<std::string> Missing(const std::vector<uint32_t>& words, const std::string& entry, const Reflection& theirs) {
    const ShaderUses ours = FindUses(words, entry);
    if (ours.everything) return {};
    std::set<std::string> missing = theirs.active;
    for (const BindingUse& one : ours.bindings)
        missing.erase(std::to_string(one.set) + "." + std::to_string(one.binding));
    return missing;
}

std::vector<std::string> ComputeEntries(const std::vector<uint32_t>& words) {
    constexpr size_t kHeaderWords = 5;
    std::vector<std::string> names;
    if (words.size() < kHeaderWords || words[0] != SpvMagicNumber) return names;
    for (size_t at = kHeaderWords; at < words.size();) {
        const uint32_t length = words[at] >> SpvWordCountShift;
        const uint32_t opcode = words[at] & SpvOpCodeMask;
        if (length == 0 || length > words.size() - at || opcode == SpvOpFunction) break;
        if (opcode == SpvOpEntryPoint && length > 3 && words[at + 1] == SpvExecutionModelGLCompute) {
            const char* const text = reinterpret_cast<const char*>(&words[at + 3]);
            names.emplace_back(text, std::find(text, text + size_t{length - 3} * 4, '\0'));
        }
        at += length;
    }
    return names;
}

FolderReport CheckFolder(const std::string& folder) {
    FolderReport report;
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
        if (entry.path().extension() == ".spv") files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    for (const std::filesystem::path& file : files) {
        const std::string name = file.filename().string();
        const std::vector<uint32_t> words = ReadWords(file.string());
        const std::vector<std::string> entries = ComputeEntries(words);
        ++report.modules;
        report.entries += entries.size();
        if (entries.empty()) report.unread.push_back(name + ": no compute shader is in it");
        for (const std::string& entry : entries) {
            const Reflection theirs = Reflect(words, entry);
            if (theirs.error) {
                report.unread.push_back(name + " " + entry + ": " + *theirs.error);
                continue;
            }
            ++report.checked;
            report.bindings += theirs.active.size();
            report.everything += FindUses(words, entry).everything;
            const std::set<std::string> missing = Missing(words, entry, theirs);
            if (!missing.empty()) report.not_contained.push_back(name + " " + entry + ":" + Joined(missing));
        }
    }
    return report;
}

}  // namespace kronos::shaders_test
