// SPDX-License-Identifier: Apache-2.0
// VkPhysicalDeviceProperties::vendorID of those for whom something is known. PCI vendor numbers.
#pragma once

#include <cstdint>

namespace kronos {

inline constexpr uint32_t kNvidia = 0x10DE;

}  // namespace kronos
