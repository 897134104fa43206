// SPDX-License-Identifier: Apache-2.0
#include "devices/list.h"

#include <algorithm>
#include <span>

namespace kronos {

std::vector<VkPhysicalDeviceGroupProperties> ShownGroups(const std::vector<VkPhysicalDeviceGroupProperties>& groups,
                                                         const std::vector<VkPhysicalDevice>& shown) {
    std::vector<VkPhysicalDeviceGroupProperties> kept;
    const auto in = [](const VkPhysicalDeviceGroupProperties& group, VkPhysicalDevice device) {
        const std::span members(group.physicalDevices, group.physicalDeviceCount);
        return std::find(members.begin(), members.end(), device) != members.end();
    };
    for (const VkPhysicalDevice device : shown) {
        if (std::any_of(kept.begin(), kept.end(), [&](const auto& group) { return in(group, device); })) continue;
        const auto group =
            std::find_if(groups.begin(), groups.end(), [&](const auto& other) { return in(other, device); });
        if (group == groups.end()) continue;
        VkPhysicalDeviceGroupProperties rest = *group;
        VkPhysicalDevice* const end = std::remove_if(
            rest.physicalDevices, rest.physicalDevices + rest.physicalDeviceCount,
            [&](VkPhysicalDevice member) { return std::find(shown.begin(), shown.end(), member) == shown.end(); });
        rest.physicalDeviceCount = static_cast<uint32_t>(end - rest.physicalDevices);
        if (rest.physicalDeviceCount == 1) rest.subsetAllocation = VK_FALSE;
        kept.push_back(rest);
    }
    return kept;
}

}  // namespace kronos
