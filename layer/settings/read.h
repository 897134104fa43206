// SPDX-License-Identifier: Apache-2.0
// Collects the settings of an instance from environment, settings file and application, in that order of priority
// (Vulkan-Utility-Libraries' LayerSettings). Called once per instance, in vkCreateInstance, on the program's thread.
#pragma once

#include <vulkan/vulkan.h>

#include "settings/parse.h"

namespace kronos {

/// `secure`: the process has more rights than its user; then all settings are those of a secure process: defaults, and
/// no file is written.
ResolvedSettings ReadSettings(const VkInstanceCreateInfo* create_info, bool secure);

}  // namespace kronos
