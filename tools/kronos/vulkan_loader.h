// SPDX-License-Identifier: Apache-2.0
// The Vulkan loader, opened rather than linked, and an instance on it: for children that ask drivers. One thread.
#pragma once

#include <vulkan/utility/vk_dispatch_table.h>
#include <vulkan/vulkan_core.h>

#include <string>
#include <vector>

namespace kronos::command {

/// An instance of the newest version that the loader has, 1.3 at most, without extensions. Not destroyed: the child
/// ends without running anybody's exit handlers.
struct OpenedInstance {
    VkInstance handle = VK_NULL_HANDLE;
    uint32_t version = VK_API_VERSION_1_0;
    PFN_vkGetInstanceProcAddr get = nullptr;
    VkuInstanceDispatchTable table{};
    std::string failure;  ///< why there is none
};
OpenedInstance OpenInstance(const char* application);

/// All that the instance shows; empty when it fails.
std::vector<VkPhysicalDevice> PhysicalDevices(const OpenedInstance& instance);

}  // namespace kronos::command
