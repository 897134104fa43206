// SPDX-License-Identifier: Apache-2.0
// What a program enables when it creates a device. Pure.
#pragma once

#include <vulkan/vulkan_core.h>

#include <algorithm>
#include <span>
#include <string_view>

namespace kronos {

inline bool Enables(const VkDeviceCreateInfo& info, std::string_view extension) {
    const std::span names(info.ppEnabledExtensionNames, info.enabledExtensionCount);
    return std::any_of(names.begin(), names.end(), [&](const char* name) { return name == extension; });
}

}  // namespace kronos
