// SPDX-License-Identifier: Apache-2.0
// What a shader reads and writes, found in its SPIR-V. Pure; any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace kronos {

/// A set of the two: kReadWrite has both bits.
enum class Use : uint8_t { kNone = 0, kRead = 1, kWrite = 2, kReadWrite = 3 };
constexpr Use operator|(Use a, Use b) { return static_cast<Use>(static_cast<int>(a) | static_cast<int>(b)); }
constexpr bool Reads(Use use) { return static_cast<int>(use) & 1; }
constexpr bool Writes(Use use) { return static_cast<int>(use) & 2; }

/// What happens to the descriptors of a binding: to one element of it, or to any of them.
struct BindingUse {
    static constexpr uint32_t kAnyElement = ~0u;
    uint32_t set = 0;
    uint32_t binding = 0;
    uint32_t element = kAnyElement;
    Use use = Use::kNone;
    bool operator==(const BindingUse&) const = default;
};

/// Never less than what the entry point can do, whatever its specialization constants are.
struct ShaderUses {
    std::vector<BindingUse> bindings;  ///< by set, binding, element, each once; kAnyElement last; none with kNone
    Use addresses = Use::kNone;        ///< through physical storage pointers, to any buffer that has a device address
    bool everything = false;  ///< not understood: reads and writes all that is bound and all that has an address
    bool operator==(const ShaderUses&) const = default;
};

/// Of the compute entry point of that name. Words that are no valid module, a missing entry point and anything that is
/// not proven give `everything`; so does running out of memory.
ShaderUses FindUses(std::span<const uint32_t> words, std::string_view entry_point) noexcept;

}  // namespace kronos
