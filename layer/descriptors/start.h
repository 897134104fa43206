// SPDX-License-Identifier: Apache-2.0
// What a new device keeps of its objects, for command streams and for descriptor sets. In vkCreateDevice's thread.
#pragma once

#include <vulkan/vulkan_core.h>

namespace kronos {

struct Device;

/// After it is decided what is done with command streams. Decides what is done with descriptor sets, says it in the
/// log, and makes Device::resources if either needs it. Throws std::bad_alloc.
void StartObjects(Device& device, const VkDeviceCreateInfo& create_info, const VkPhysicalDeviceProperties& properties);

}  // namespace kronos
