// SPDX-License-Identifier: Apache-2.0
// Sizes of maps and mapped ranges of an allocation that the driver made larger than the program asked for.
// Pure functions; any thread.
//
// A range may end off the multiples of nonCoherentAtomSize only where the allocation ends (VUID-VkMappedMemoryRange-
// size-01390; with VK_WHOLE_SIZE the same holds for the end of the mapping, -size-01389). The program's end is not the
// driver's: a map that reaches it must reach the driver's too, and a range that ends there must go on to the next
// multiple. See "Host Access to Device Memory Objects" of the Vulkan specification.
#pragma once

#include <vulkan/vulkan_core.h>

#include <algorithm>

namespace kronos {

/// Bytes that the program asked for and that the driver allocated: at least as many.
struct MemorySize {
    VkDeviceSize program = 0;
    VkDeviceSize driver = 0;
};

/// True for a range with a size of its own that ends where the program's allocation ends, and not the driver's.
constexpr bool EndsWithProgram(VkDeviceSize offset, VkDeviceSize size, MemorySize memory) {
    return memory.driver > memory.program && size != VK_WHOLE_SIZE && offset <= memory.program &&
           size == memory.program - offset;
}

/// The size to give to vkMapMemory[2]: VK_WHOLE_SIZE for a map to the end of the program's allocation, else `size`.
constexpr VkDeviceSize DriverMapSize(VkDeviceSize offset, VkDeviceSize size, MemorySize memory) {
    return EndsWithProgram(offset, size, memory) ? VK_WHOLE_SIZE : size;
}

/// The size for VkMappedMemoryRange, of memory that was mapped with DriverMapSize. `atom` is nonCoherentAtomSize: a
/// power of two, not 0. VK_WHOLE_SIZE stays: it ends with the driver's mapping.
constexpr VkDeviceSize DriverRangeSize(VkDeviceSize offset, VkDeviceSize size, MemorySize memory, VkDeviceSize atom) {
    if (!EndsWithProgram(offset, size, memory)) return size;
    const VkDeviceSize beyond = memory.program & (atom - 1);
    if (!beyond) return size;
    return size + std::min(atom - beyond, memory.driver - memory.program);
}

}  // namespace kronos
