// SPDX-License-Identifier: Apache-2.0
// Accesses and the scopes of barriers as sets of kinds: what the hazard pass computes with. Pure; any thread.
// Section "Synchronization and Cache Control" of the Vulkan specification.
#pragma once

#include <vulkan/vulkan_core.h>

#include <cstdint>

namespace kronos {

/// A stage together with what it does to memory there. What neither compute nor transfer does is kOther*.
enum class Kind : uint8_t {
    kIndirectRead,
    kUniformRead,
    kSampledRead,
    kStorageRead,
    kStorageWrite,
    kCopyRead,
    kCopyWrite,
    kBlitRead,
    kBlitWrite,
    kResolveRead,
    kResolveWrite,
    kClearWrite,
    kHostRead,
    kHostWrite,
    kOtherRead,
    kOtherWrite,
    kCount
};

/// A set of kinds. A command whose stage is one of several, as that of a buffer's fill is COPY or CLEAR, has them all.
using Kinds = uint32_t;
constexpr Kinds Of(Kind kind) { return Kinds{1} << static_cast<int>(kind); }
constexpr Kinds kAllKinds = (Kinds{1} << static_cast<int>(Kind::kCount)) - 1;
constexpr Kinds kWrites = Of(Kind::kStorageWrite) | Of(Kind::kCopyWrite) | Of(Kind::kBlitWrite) |
                          Of(Kind::kResolveWrite) | Of(Kind::kClearWrite) | Of(Kind::kHostWrite) |
                          Of(Kind::kOtherWrite);
constexpr bool Writes(Kind kind) { return Of(kind) & kWrites; }

/// The scopes of a barrier as the specification's flags; those of vkCmdPipelineBarrier have the same values.
struct Masks {
    VkPipelineStageFlags2 source_stages = 0;
    VkAccessFlags2 source_access = 0;
    VkPipelineStageFlags2 destination_stages = 0;
    VkAccessFlags2 destination_access = 0;
    bool operator==(const Masks&) const = default;
    Masks& operator|=(const Masks& other) {
        source_stages |= other.source_stages;
        source_access |= other.source_access;
        destination_stages |= other.destination_stages;
        destination_access |= other.destination_access;
        return *this;
    }
};

/// A barrier's scopes as kinds. `before` execute before it, `after` after it; of `before` the writes in `available` are
/// made available, and visible to those of `after` in `visible`.
struct Scopes {
    Kinds before = 0;
    Kinds available = 0;
    Kinds after = 0;
    Kinds visible = 0;
};

/// With the stages that the specification adds: logically earlier ones to the first scope, logically later ones to the
/// second. `least`: kOther* only if all of what it stands for is meant; otherwise if any of it is.
Scopes ScopesOf(const Masks& masks, bool least);

/// Every flag of the two masks is one that this file knows.
bool KnownFlags(const Masks& masks);

/// `masks` without the accesses of MEMORY_READ and MEMORY_WRITE that nobody in `before` and `after` makes: the flags
/// that stand for many become those that stand for the kinds given. Never wider, never other stages.
Masks Narrowed(const Masks& masks, Kinds before, Kinds after);

}  // namespace kronos
