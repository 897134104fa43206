// SPDX-License-Identifier: Apache-2.0
#include "shaders/uses.h"

#include <new>

#include "shaders/module_reader.h"
#include "shaders/use_finder.h"

namespace kronos {
namespace {

ShaderUses Everything() { return {.bindings = {}, .addresses = Use::kReadWrite, .everything = true}; }

}  // namespace

ShaderUses FindUses(std::span<const uint32_t> words, std::string_view entry_point) noexcept {
    try {
        spirv::Module module;
        ShaderUses uses;
        if (!module.Read(words, entry_point) || !spirv::UseFinder(module).Find(uses)) return Everything();
        return uses;
    } catch (const std::bad_alloc&) {
        return Everything();
    }
}

}  // namespace kronos
