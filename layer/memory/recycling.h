// SPDX-License-Identifier: Apache-2.0
// Starting and stopping the recycling of a device's memory.
#pragma once

#include <vulkan/vulkan.h>

namespace kronos {

struct Device;

/// Before the program has the device. False: recycling is off for it, and the log says why, or the setting is; then
/// what it would gain is counted, where anything is. Throws std::bad_alloc.
bool StartRecycling(Device& device, const VkDeviceCreateInfo& create_info,
                    const VkPhysicalDeviceProperties& properties);

/// After StartRecycling and StartSlabs, where either is on: what lies idle goes back after a while, or when another
/// device of the program needs it. Throws std::bad_alloc.
void LookAfterIdle(Device& device);

/// Before the device is destroyed: all that is idle, and all slabs, go back to the driver, and nothing is known of any
/// memory any more.
void StopRecycling(Device& device);

}  // namespace kronos
