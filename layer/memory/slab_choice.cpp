// SPDX-License-Identifier: Apache-2.0
#include "memory/slab_choice.h"

#include <vulkan/vk_layer.h>

#include <algorithm>
#include <bit>
#include <iterator>
#include <vulkan/utility/vk_struct_helper.hpp>

#include "memory/eligibility.h"
#include "support/extensions.h"
#include "support/formatted.h"

namespace kronos {
namespace {

// Sorted; of slab_review.txt and newer_extensions.txt.
constexpr std::string_view kReviewed[] = {
#include "kronos/slab_extensions.def"
};

bool IsReviewed(VkStructureType type) {
    // By number: some are newer than the headers.
    switch (static_cast<uint32_t>(type)) {
#define REVIEWED(name) case name:
#include "kronos/slab_structures.def"
#undef REVIEWED
        case VK_STRUCTURE_TYPE_LOADER_DEVICE_CREATE_INFO:
            return true;
        default:
            return false;
    }
}

}  // namespace

std::string WhyNoSlabs(const VkDeviceCreateInfo& info, uint32_t program_version,
                       const VkPhysicalDeviceProperties& properties) {
    if (std::string why = NewerThanBuild(program_version, properties); !why.empty()) return why;
    if (std::string why = GroupOfDevices(info); !why.empty()) return why;
    for (uint32_t i = 0; i < info.enabledExtensionCount; ++i) {
        const std::string_view name = info.ppEnabledExtensionNames[i];
        if (!std::binary_search(std::begin(kReviewed), std::end(kReviewed), name))
            return Format("{} is not reviewed, or known to need the driver's memory", name);
    }
    for (auto* next = static_cast<const VkBaseInStructure*>(info.pNext); next; next = next->pNext)
        if (!IsReviewed(next->sType))
            return Format("the structure {} of the device is not reviewed", static_cast<int>(next->sType));
    return {};
}

bool CapturesAddresses(const VkDeviceCreateInfo& info) {
    const auto* all = vku::FindStructInPNextChain<VkPhysicalDeviceVulkan12Features>(info.pNext);
    const auto* alone = vku::FindStructInPNextChain<VkPhysicalDeviceBufferDeviceAddressFeatures>(info.pNext);
    const auto* old = vku::FindStructInPNextChain<VkPhysicalDeviceBufferDeviceAddressFeaturesEXT>(info.pNext);
    return (all && all->bufferDeviceAddressCaptureReplay) || (alone && alone->bufferDeviceAddressCaptureReplay) ||
           (old && old->bufferDeviceAddressCaptureReplay);
}

uint64_t SlabGranule(const VkPhysicalDeviceLimits& limits) {
    constexpr uint64_t kMost = uint64_t{256} << 10;
    const uint64_t least = std::max({SlabOptions::kLeastGranule, limits.nonCoherentAtomSize,
                                     limits.bufferImageGranularity, uint64_t{limits.minMemoryMapAlignment}});
    return least <= kMost ? std::bit_ceil(least) : 0;
}

std::array<SlabType, VK_MAX_MEMORY_TYPES> SlabTypes(const VkPhysicalDeviceMemoryProperties& properties,
                                                    uint64_t most_bytes, uint64_t max_allocation_bytes,
                                                    uint64_t granule) {
    std::array<SlabType, VK_MAX_MEMORY_TYPES> types{};
    for (uint32_t i = 0; i < properties.memoryTypeCount; ++i) {
        const VkMemoryType& from = properties.memoryTypes[i];
        const uint64_t heap_bytes = properties.memoryHeaps[from.heapIndex].size;
        types[i].heap = from.heapIndex;
        types[i].visible = from.propertyFlags & VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT;
        types[i].coherent = from.propertyFlags & VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
        types[i].largest = std::min({most_bytes, heap_bytes / 8, max_allocation_bytes}) & ~(granule - 1);
    }
    return types;
}

std::variant<MemoryKey, SlabRefusal> JudgeSlab(const VkMemoryAllocateInfo& info, bool has_allocator,
                                               const SlabFacts& facts) {
    if (has_allocator) return SlabRefusal::kAllocator;
    if (info.memoryTypeIndex >= facts.properties.memoryTypeCount) return SlabRefusal::kMemoryType;
    const VkMemoryPropertyFlags flags = facts.properties.memoryTypes[info.memoryTypeIndex].propertyFlags;
    if (flags & ~kKnownMemoryProperties) return SlabRefusal::kMemoryType;
    const SlabType& type = facts.options.types[info.memoryTypeIndex];
    if (facts.placed_map && type.visible) return SlabRefusal::kPlacedMap;
    // What the host cannot see nobody zeroes, and what is not coherent would have to be written back besides.
    if (facts.options.zero == ZeroMemory::kAll && !type.visible) return SlabRefusal::kNotZeroed;
    if (facts.options.zero != ZeroMemory::kOff && type.visible && !type.coherent) return SlabRefusal::kNotZeroed;
    MemoryKey key;
    key.type = static_cast<uint8_t>(info.memoryTypeIndex);
    static_assert(static_cast<uint32_t>(SlabRefusal::kMemoryReport) ==
                  static_cast<uint32_t>(MemoryRefusal::kMemoryReport));
    if (const auto refusal = JudgeChain(info.pNext, key)) return static_cast<SlabRefusal>(*refusal);
    if (key.device_address && facts.capture_replay) return SlabRefusal::kCaptureReplay;
    if (!info.allocationSize || info.allocationSize > type.largest / 2) return SlabRefusal::kSize;
    return key;
}

}  // namespace kronos
