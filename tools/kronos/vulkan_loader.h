// SPDX-License-Identifier: Apache-2.0
// The Vulkan loader, opened rather than linked, and an instance on it: for children that ask drivers. One thread.
#pragma once

#include <vulkan/utility/vk_dispatch_table.h>
#include <vulkan/vulkan_core.h>

#include <functional>
#include <string>
#include <vector>

namespace kronos::command {

/// An instance of the newest version that the loader has, 1.3 at most, without extensions. Not destroyed: the child
/// ends without running anybody's exit handlers.
struct OpenedInstance {
    VkInstance handle = VK_NULL_HANDLE;
    uint32_t loader_version = VK_API_VERSION_1_0;
    uint32_t version = VK_API_VERSION_1_0;
    PFN_vkGetInstanceProcAddr get = nullptr;
    VkuInstanceDispatchTable table{};
    std::string loader_failure;                        ///< why there is no loader
    VkResult result = VK_ERROR_INITIALIZATION_FAILED;  ///< of vkCreateInstance
    std::string failure;                               ///< why there is no instance, for whatever reason
};
OpenedInstance OpenInstance(const char* application);

/// All that the instance shows; none when it fails.
VkResult PhysicalDevices(const OpenedInstance& instance, std::vector<VkPhysicalDevice>& all);
std::vector<VkPhysicalDevice> PhysicalDevices(const OpenedInstance& instance);

/// A device as most programs make it: one queue, nothing else. `meanwhile` is called while it exists.
VkResult TryDevice(const OpenedInstance& instance, VkPhysicalDevice physical, const std::function<void()>& meanwhile);

}  // namespace kronos::command
