// SPDX-License-Identifier: Apache-2.0
// The physical devices and groups that an instance shows. Plain data, unchanged once made; any thread.
#pragma once

#include <vulkan/vulkan_core.h>

#include <vector>

namespace kronos {

struct DeviceList {
    std::vector<VkPhysicalDevice> devices;  ///< the driver's handles: they are never wrapped
};

/// Of `groups`, what is left of them when only `shown` is: sections "Device Groups" and
/// VkPhysicalDeviceGroupProperties. Groups are in the order of their first device in `shown`.
std::vector<VkPhysicalDeviceGroupProperties> ShownGroups(const std::vector<VkPhysicalDeviceGroupProperties>& groups,
                                                         const std::vector<VkPhysicalDevice>& shown);

}  // namespace kronos
