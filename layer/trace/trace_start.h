// SPDX-License-Identifier: Apache-2.0
// The trace of a device: begun, put in the driver's place, and ended. Called while the device is created and destroyed.
#pragma once

#include <vector>

#include "entry/state.h"

namespace kronos {

/// A device's create info with what the trace would like to have, VK_EXT_calibrated_timestamps: section "Calibrated
/// Timestamps". Made of the program's info, which must outlive it.
class WithCalibration {
  public:
    /// `traced`: else nothing is changed. Throws std::bad_alloc.
    WithCalibration(const Instance& instance, VkPhysicalDevice physical, const VkDeviceCreateInfo& program,
                    bool traced);
    WithCalibration(const WithCalibration&) = delete;
    WithCalibration& operator=(const WithCalibration&) = delete;

    bool changed() const { return !extensions_.empty(); }
    const VkDeviceCreateInfo& info() const { return copy_; }

  private:
    VkDeviceCreateInfo copy_;
    std::vector<const char*> extensions_;
};

/// From now on the device has a trace, if the setting asks for one and its file can be had: calls of the driver that
/// are in it go through the trace, which stands for them in the device's dispatch table. `info`: with which the device
/// was made.
void StartTrace(Device& device, const VkDeviceCreateInfo& info, const VkPhysicalDeviceProperties& properties);
/// What is done is written. Nothing of the trace may be called any more: nobody but vkDestroyDevice is left.
void EndTrace(Device& device);

}  // namespace kronos
