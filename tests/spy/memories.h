// SPDX-License-Identifier: Apache-2.0
// Looks at every VkDeviceMemory that a command carries, by what generate_memories.py finds in the registry, and counts
// those that are no driver's: the layer under test tags the handles that it makes up. Included by spy.cpp alone.
#pragma once

#include <vulkan/vulkan.h>

#include <cstdint>

#include "counters.h"

namespace spy {
namespace {

// As layer/memory/slabs.h says; not included, for the spy shares no code with the layer.
constexpr uint64_t kTag = 0x4b52;

void FoundBits(uint64_t handle) {
    if (handle >> 48 == kTag) AddTaggedMemory();
}
void Found(VkDeviceMemory memory) { FoundBits(reinterpret_cast<uintptr_t>(memory)); }

#include "memories.inc"

}  // namespace
}  // namespace spy
