// SPDX-License-Identifier: Apache-2.0
// Writes of the layer's own: what makes a driver's set hold a given content. Section "Descriptor Set Updates".
//
// Threads: externally synchronized, and Lives::mutex() is held, so that nothing that is written ends meanwhile. No
// allocations.
#pragma once

#include <vulkan/utility/vk_dispatch_table.h>

#include <cstdint>
#include <span>

#include "resources/facts.h"
#include "resources/lives.h"

namespace kronos {

/// So many descriptors, and words of inline uniform blocks, a set may have.
constexpr uint32_t kMostHeld = 64;

/// What a set of the driver holds, or is to hold.
struct RealContent {
    std::span<Identity> identities;
    std::span<uint64_t> words;
};

/// Writes what `wanted` has and `real` has not, and notes it in `real`. Left out is what was never written, what is not
/// known, and what names an object that is no more: a program may bind a set that has such, and not use it. Returns how
/// many writes the driver got, in one call; 0: none.
uint32_t WriteSet(const VkuDeviceDispatchTable& down, VkDevice device, const Lives& lives, VkDescriptorSet set,
                  const SetLayoutFacts& layout, std::span<const Identity> wanted,
                  std::span<const uint64_t> wanted_words, const RealContent& real) noexcept;

/// Everything that `identity` names exists.
bool IsAlive(const Lives& lives, const Identity& identity);

}  // namespace kronos
