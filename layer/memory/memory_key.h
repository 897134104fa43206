// SPDX-License-Identifier: Apache-2.0
// What two driver allocations must have in common for one to serve in place of the other. Plain data.
#pragma once

#include <bit>
#include <cstdint>

namespace kronos {

struct MemoryKey {
    uint8_t type = 0;  ///< VkMemoryAllocateInfo::memoryTypeIndex
    uint8_t size_class = 0;
    bool device_address = false;  ///< VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT was given
    bool has_priority = false;    ///< VkMemoryPriorityAllocateInfoEXT was given
    uint32_t priority = 0;        ///< the bits of its float, compared exactly; 0 when it was not given

    uint64_t Bits() const { return std::bit_cast<uint64_t>(*this); }
    friend bool operator==(const MemoryKey& a, const MemoryKey& b) { return a.Bits() == b.Bits(); }
};

}  // namespace kronos
