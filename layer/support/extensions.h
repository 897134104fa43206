// SPDX-License-Identifier: Apache-2.0
// What a program enables when it creates a device, and what of that this build knows. Pure; any thread.
#pragma once

#include <vulkan/vulkan_core.h>

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kronos {

/// Its sets are written through pointers, which nobody sees.
constexpr std::string_view kWritesSets = VK_VALVE_DESCRIPTOR_SET_HOST_MAPPING_EXTENSION_NAME;

inline bool Enables(const VkDeviceCreateInfo& info, std::string_view extension) {
    const std::span names(info.ppEnabledExtensionNames, info.enabledExtensionCount);
    return std::any_of(names.begin(), names.end(), [&](const char* name) { return name == extension; });
}

/// The device has it, with what is below. `ask`: the instance's command from below. Throws std::bad_alloc.
bool Offers(PFN_vkEnumerateDeviceExtensionProperties ask, VkPhysicalDevice physical, const char* extension);

/// The registry that this build was made from has it, or entry/newer_extensions.txt.
bool IsKnownExtension(std::string_view extension);

/// Of the device's extensions those that are not known: most features leave such a device alone.
std::vector<std::string> UnknownExtensions(const VkDeviceCreateInfo& info);

// What an optimisation may have to leave alone, in words; empty: it is not so.
/// The version that program and device share is newer than this build.
std::string NewerThanBuild(uint32_t program_version, const VkPhysicalDeviceProperties& properties);
/// The device is made of several.
std::string GroupOfDevices(const VkDeviceCreateInfo& info);

}  // namespace kronos
