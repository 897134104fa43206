// SPDX-License-Identifier: Apache-2.0
// What a device allows of allocations. Any thread.
#pragma once

#include <vulkan/vulkan.h>

#include <algorithm>
#include <cstdint>

#include "entry/state.h"

namespace kronos {

/// VkPhysicalDeviceMaintenance3Properties, core in 1.1. What every device must allow where it cannot be asked.
inline uint64_t MaxAllocationBytes(const Device& device, const VkPhysicalDeviceProperties& properties) {
    constexpr uint64_t kLeast = uint64_t{1} << 30;
    const Instance& instance = *device.instance;
    if (std::min(instance.api_version, properties.apiVersion) < VK_API_VERSION_1_1 ||
        !instance.down.GetPhysicalDeviceProperties2)
        return kLeast;
    VkPhysicalDeviceMaintenance3Properties limits = {};
    limits.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_3_PROPERTIES;
    VkPhysicalDeviceProperties2 query = {};
    query.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2;
    query.pNext = &limits;
    instance.down.GetPhysicalDeviceProperties2(device.physical, &query);
    return limits.maxMemoryAllocationSize;
}

}  // namespace kronos
