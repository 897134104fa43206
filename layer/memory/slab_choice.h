// SPDX-License-Identifier: Apache-2.0
// Where memory of the program may be a part of a slab: which devices, and which allocations of them. Pure functions;
// any thread.
#pragma once

#include <vulkan/vulkan_core.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "memory/memory_key.h"
#include "memory/slabs.h"

namespace kronos {

enum class SlabRefusal : uint32_t {
#define REFUSAL(name, enumerator) k##enumerator,
#include "memory/slab_refusals.def"
#undef REFUSAL
    kCount
};

inline constexpr std::array<std::string_view, static_cast<size_t>(SlabRefusal::kCount)> kSlabRefusalNames = {
#define REFUSAL(name, enumerator) #name,
#include "memory/slab_refusals.def"
#undef REFUSAL
};

/// What is fixed when a device is created.
struct SlabFacts {
    VkPhysicalDeviceMemoryProperties properties{};
    SlabOptions options;
    bool placed_map = false;       ///< VkPhysicalDeviceMapMemoryPlacedFeaturesEXT::memoryMapPlaced is enabled
    bool capture_replay = false;   ///< bufferDeviceAddressCaptureReplay is enabled
    bool when_dear = false;        ///< only while the recycler finds the driver dear
    uint64_t max_allocations = 0;  ///< VkPhysicalDeviceLimits::maxMemoryAllocationCount
    uint64_t age_ns = 0;           ///< empty for longer, a slab goes back to the driver
};

/// Why no memory of the device may be virtual, in words, naming what is in the way; empty: it may. All that the device
/// enables must be in slab_review.txt.
std::string WhyNoSlabs(const VkDeviceCreateInfo& info, uint32_t program_version,
                       const VkPhysicalDeviceProperties& properties);

/// bufferDeviceAddressCaptureReplay is enabled, in whatever structure.
bool CapturesAddresses(const VkDeviceCreateInfo& info);

/// A multiple of all that a neighbour in the same memory must keep away: "Buffer-Image Granularity",
/// nonCoherentAtomSize, minMemoryMapAlignment. 0: too large to be worth it.
uint64_t SlabGranule(const VkPhysicalDeviceLimits& limits);

/// SlabOptions::types: slabs of at most `most_bytes`, and of an eighth of their heap.
std::array<SlabType, VK_MAX_MEMORY_TYPES> SlabTypes(const VkPhysicalDeviceMemoryProperties& properties,
                                                    uint64_t most_bytes, uint64_t max_allocation_bytes,
                                                    uint64_t granule);

/// The kind of slab that this allocation may be a part of, its size class 0, or why it may not.
std::variant<MemoryKey, SlabRefusal> JudgeSlab(const VkMemoryAllocateInfo& info, bool has_allocator,
                                               const SlabFacts& facts);

}  // namespace kronos
