// SPDX-License-Identifier: Apache-2.0
// Starting and stopping the slabs of a device.
#pragma once

#include <vulkan/vulkan.h>

namespace kronos {

struct Device;

/// Before the program has the device. False: it has none, and one line of the log says why. Throws std::bad_alloc.
bool StartSlabs(Device& device, const VkDeviceCreateInfo& create_info, const VkPhysicalDeviceProperties& properties);

/// The same, where slabs are off and nobody looks for more than what they would gain. Nothing, where the device could
/// have none.
void ForeseeSlabs(Device& device, const VkDeviceCreateInfo& create_info, const VkPhysicalDeviceProperties& properties);

/// Before the device is destroyed, and with nobody looking after it any more: the driver gets all slabs back, and the
/// log says what they were.
void StopSlabs(Device& device);

}  // namespace kronos
