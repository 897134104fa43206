// SPDX-License-Identifier: Apache-2.0
#include "memory/eligibility.h"

#include <algorithm>
#include <bit>

#include "memory/size_class.h"

namespace kronos {
namespace {

// Puts what the structure says into the key, or says why it cannot.
std::optional<MemoryRefusal> JudgeStructure(const VkBaseInStructure& structure, MemoryKey& key) {
    switch (structure.sType) {
        case VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_FLAGS_INFO: {
            // deviceMask counts only with its flag.
            const auto flags = reinterpret_cast<const VkMemoryAllocateFlagsInfo&>(structure).flags;
            if (flags & ~VkMemoryAllocateFlags{VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT})
                return MemoryRefusal::kAllocateFlags;
            key.device_address = flags != 0;
            return std::nullopt;
        }
        case VK_STRUCTURE_TYPE_MEMORY_PRIORITY_ALLOCATE_INFO_EXT:
            key.has_priority = true;
            key.priority =
                std::bit_cast<uint32_t>(reinterpret_cast<const VkMemoryPriorityAllocateInfoEXT&>(structure).priority);
            return std::nullopt;
        case VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO: {
            const auto& dedicated = reinterpret_cast<const VkMemoryDedicatedAllocateInfo&>(structure);
            if (dedicated.image || dedicated.buffer) return MemoryRefusal::kDedicated;
            return std::nullopt;
        }
        case VK_STRUCTURE_TYPE_DEDICATED_ALLOCATION_MEMORY_ALLOCATE_INFO_NV:
            return MemoryRefusal::kDedicated;
        case VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO:
            if (reinterpret_cast<const VkExportMemoryAllocateInfo&>(structure).handleTypes)
                return MemoryRefusal::kExport;
            return std::nullopt;
        case VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO_NV:
        case VK_STRUCTURE_TYPE_EXPORT_MEMORY_WIN32_HANDLE_INFO_KHR:
        case VK_STRUCTURE_TYPE_EXPORT_MEMORY_WIN32_HANDLE_INFO_NV:
        case VK_STRUCTURE_TYPE_EXPORT_METAL_OBJECT_CREATE_INFO_EXT:
            return MemoryRefusal::kExport;
        case VK_STRUCTURE_TYPE_IMPORT_ANDROID_HARDWARE_BUFFER_INFO_ANDROID:
        case VK_STRUCTURE_TYPE_IMPORT_MEMORY_BUFFER_COLLECTION_FUCHSIA:
        case VK_STRUCTURE_TYPE_IMPORT_MEMORY_FD_INFO_KHR:
        case VK_STRUCTURE_TYPE_IMPORT_MEMORY_HOST_POINTER_INFO_EXT:
        case VK_STRUCTURE_TYPE_IMPORT_MEMORY_METAL_HANDLE_INFO_EXT:
        case VK_STRUCTURE_TYPE_IMPORT_MEMORY_WIN32_HANDLE_INFO_KHR:
        case VK_STRUCTURE_TYPE_IMPORT_MEMORY_WIN32_HANDLE_INFO_NV:
        case VK_STRUCTURE_TYPE_IMPORT_MEMORY_ZIRCON_HANDLE_INFO_FUCHSIA:
        case VK_STRUCTURE_TYPE_IMPORT_METAL_BUFFER_INFO_EXT:
        case VK_STRUCTURE_TYPE_IMPORT_SCREEN_BUFFER_INFO_QNX:
            return MemoryRefusal::kImport;
        default:
            return MemoryRefusal::kUnknownStructure;
    }
}

}  // namespace

std::optional<MemoryRefusal> JudgeChain(const void* chain, MemoryKey& key) {
    for (auto* next = static_cast<const VkBaseInStructure*>(chain); next; next = next->pNext)
        if (const auto refusal = JudgeStructure(*next, key)) return refusal;
    return std::nullopt;
}

IdleCache::Budgets IdleBudgets(const VkPhysicalDeviceMemoryProperties& properties, uint64_t most_bytes) {
    static_assert(IdleCache::kHeaps == VK_MAX_MEMORY_HEAPS);
    IdleCache::Budgets budgets{};
    for (uint32_t i = 0; i < properties.memoryHeapCount; ++i)
        budgets[i] = IdleBudget(properties.memoryHeaps[i].size, most_bytes);
    return budgets;
}

std::variant<MemoryKey, MemoryRefusal> JudgeItself(const VkMemoryAllocateInfo& info, bool has_allocator) {
    if (has_allocator) return MemoryRefusal::kAllocator;
    if (info.memoryTypeIndex >= VK_MAX_MEMORY_TYPES) return MemoryRefusal::kMemoryType;
    MemoryKey key;
    key.type = static_cast<uint8_t>(info.memoryTypeIndex);
    if (const auto refusal = JudgeChain(info.pNext, key)) return *refusal;
    const std::optional<uint32_t> size_class = SizeClassOf(info.allocationSize);
    if (!size_class || SizeClassBytes(*size_class) > kLargestRecycledBytes) return MemoryRefusal::kSize;
    key.size_class = static_cast<uint8_t>(*size_class);
    return key;
}

std::variant<MemoryKey, MemoryRefusal> JudgeAllocation(const VkMemoryAllocateInfo& info, bool has_allocator,
                                                       const MemoryFacts& facts) {
    std::variant<MemoryKey, MemoryRefusal> judged = JudgeItself(info, has_allocator);
    const MemoryKey* key = std::get_if<MemoryKey>(&judged);
    if (!key) return judged;
    if (facts.memory_report) return MemoryRefusal::kMemoryReport;
    if (facts.priority_changes) return MemoryRefusal::kPriorityChanges;

    if (info.memoryTypeIndex >= facts.properties.memoryTypeCount) return MemoryRefusal::kMemoryType;
    const VkMemoryType& type = facts.properties.memoryTypes[info.memoryTypeIndex];
    if (type.propertyFlags & ~kKnownMemoryProperties) return MemoryRefusal::kMemoryType;
    // What the old life wrote without flushing may lie in a cache, and be written over what the new life's GPU wrote.
    if ((type.propertyFlags & VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT) &&
        !(type.propertyFlags & VK_MEMORY_PROPERTY_HOST_COHERENT_BIT))
        return MemoryRefusal::kNotCoherent;
    // A map of the whole would reach beyond the addresses that the program set aside for its own size.
    if (facts.placed_map && (type.propertyFlags & VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT))
        return MemoryRefusal::kPlacedMap;

    // What the budget never lets lie idle would be rounded up for nothing.
    if (SizeClassBytes(key->size_class) > std::min(facts.max_allocation_bytes, facts.idle_budgets[type.heapIndex]))
        return MemoryRefusal::kSize;
    return judged;
}

}  // namespace kronos
