// SPDX-License-Identifier: Apache-2.0
// What SPIRV-Cross says of a module, held against our answer. It says which bindings are active, and nothing of reads
// and writes except by decorations. No state: any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace kronos::shaders_test {

/// set.binding of what an entry point of a compute shader names; `error` says why SPIRV-Cross could not read it.
struct Reflection {
    std::set<std::string> active;
    std::optional<std::string> error;
};

Reflection Reflect(const std::vector<uint32_t>& words, const std::string& entry);

/// What is active and not in our answer.
std::set<std::string> Missing(const std::vector<uint32_t>& words, const std::string& entry, const Reflection& theirs);

/// The names of the entry points of compute shaders, as the module gives them; SPIRV-Cross need not be able to read it.
std::vector<std::string> ComputeEntries(const std::vector<uint32_t>& words);

/// The modules of a folder.
struct FolderReport {
    size_t modules = 0;                      ///< files named *.spv
    size_t entries = 0;                      ///< their entry points of compute shaders
    size_t checked = 0;                      ///< of those, the ones that SPIRV-Cross could read
    size_t bindings = 0;                     ///< active in those
    size_t everything = 0;                   ///< of those, the ones of which we say that they may touch everything
    std::vector<std::string> not_contained;  ///< file, entry point and what is missing
    std::vector<std::string> unread;         ///< file, entry point and why SPIRV-Cross could not read it
};

/// Files that are not modules, or have no compute shader, are among the unread.
FolderReport CheckFolder(const std::string& folder);

}  // namespace kronos::shaders_test
