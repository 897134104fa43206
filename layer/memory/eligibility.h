// SPDX-License-Identifier: Apache-2.0
// Which allocations may be recycled, and which of them in place of each other. Pure functions; any thread.
//
// A recycled allocation is one the driver made earlier, for an equal key, with the bytes of the key's size class. So
// everything that vkAllocateMemory is told must be in the key, be without effect, or be a reason to refuse.
#pragma once

#include <vulkan/vulkan_core.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "memory/idle_cache.h"
#include "memory/memory_key.h"

namespace kronos {

enum class MemoryRefusal : uint32_t {
#define REFUSAL(name, enumerator) k##enumerator,
#include "memory/refusals.def"
#undef REFUSAL
    kCount
};

inline constexpr size_t kMemoryRefusals = static_cast<size_t>(MemoryRefusal::kCount);

inline constexpr std::array<std::string_view, kMemoryRefusals> kMemoryRefusalNames = {
#define REFUSAL(name, enumerator) #name,
#include "memory/refusals.def"
#undef REFUSAL
};

/// Properties of memory types that mean nothing for whose memory it is.
inline constexpr VkMemoryPropertyFlags kKnownMemoryProperties =
    VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT | VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT |
    VK_MEMORY_PROPERTY_HOST_CACHED_BIT;

/// The largest allocation that is recycled: a quarter of the largest budget.
inline constexpr uint64_t kLargestRecycledBytes = uint64_t{64} << 20;

/// What is fixed when a device is created.
struct MemoryFacts {
    VkPhysicalDeviceMemoryProperties properties{};
    uint64_t max_allocation_bytes = 0;  ///< VkPhysicalDeviceMaintenance3Properties::maxMemoryAllocationSize
    IdleCache::Budgets idle_budgets{};  ///< bytes of each heap that may be idle
    bool placed_map = false;            ///< VkPhysicalDeviceMapMemoryPlacedFeaturesEXT::memoryMapPlaced is enabled
    bool priority_changes = false;      ///< VK_EXT_pageable_device_local_memory is enabled
    bool memory_report = false;  ///< VkDeviceDeviceMemoryReportCreateInfoEXT was given, or reportAddressBinding is on
};

/// IdleBudget of every heap; 0 for those there are not.
IdleCache::Budgets IdleBudgets(const VkPhysicalDeviceMemoryProperties& properties, uint64_t most_bytes);

/// Puts what follows VkMemoryAllocateInfo into the key, or says why it cannot.
std::optional<MemoryRefusal> JudgeChain(const void* chain, MemoryKey& key);

/// The key, or why there is none, as far as the allocation itself says it: on some device it may be recycled.
/// `has_allocator`: pAllocator is not null.
std::variant<MemoryKey, MemoryRefusal> JudgeItself(const VkMemoryAllocateInfo& info, bool has_allocator);

/// The key under which this allocation may be recycled, or why not. Refused, it goes to the driver as the program asked
/// for it. With a key, the driver is asked for SizeClassBytes(key.size_class) bytes and else the same. Follows "Device
/// Memory" of the Vulkan specification: VkMemoryAllocateInfo and what may extend it.
std::variant<MemoryKey, MemoryRefusal> JudgeAllocation(const VkMemoryAllocateInfo& info, bool has_allocator,
                                                       const MemoryFacts& facts);

}  // namespace kronos
