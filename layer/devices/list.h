// SPDX-License-Identifier: Apache-2.0
// The physical devices and groups that an instance shows. Plain data, unchanged once made; any thread.
#pragma once

#include <vulkan/vulkan_core.h>

#include <vector>

namespace kronos {

struct DeviceList {
    std::vector<VkPhysicalDevice> devices;  ///< the driver's handles: they are never wrapped
    /// There are devices, and none may be seen: enumerating fails, for layers above may not expect an empty list.
    /// Mesa's device selection of 22.3 reads behind its end.
    bool refused = false;
};

/// Of `groups`, what is left of them when only `shown` is: sections "Device Groups" and
/// VkPhysicalDeviceGroupProperties. Groups are in the order of their first device in `shown`.
std::vector<VkPhysicalDeviceGroupProperties> ShownGroups(const std::vector<VkPhysicalDeviceGroupProperties>& groups,
                                                         const std::vector<VkPhysicalDevice>& shown);

}  // namespace kronos
