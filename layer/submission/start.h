// SPDX-License-Identifier: Apache-2.0
// Whether a device's submissions may be held. Called while the device is created and destroyed.
#pragma once

#include <string>

#include "entry/state.h"
#include "submission/timelines.h"

namespace kronos {

/// Why the submissions of a device made so are left alone, or nothing, if only it has timelines.
std::string WhyNotHeld(const Instance& instance, const VkDeviceCreateInfo& info,
                       const VkPhysicalDeviceProperties& properties, const VkAllocationCallbacks* allocator);
TimelineSupport SupportOf(const Instance& instance, VkPhysicalDevice physical,
                          const VkPhysicalDeviceProperties& properties);

/// `why_not`: WhyNotHeld, or why the device has no timelines.
void StartSubmissions(Device& device, const VkPhysicalDeviceProperties& properties, const std::string& why_not);
/// Nothing is held any more. Fences may still be values of timelines, which stay.
void StopSubmissions(Device& device);
/// The timelines go too.
void EndSubmissions(Device& device);

}  // namespace kronos
