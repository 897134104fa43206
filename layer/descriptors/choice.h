// SPDX-License-Identifier: Apache-2.0
// What is done with the descriptor sets of a device. Pure; any thread.
#pragma once

#include <vulkan/vulkan_core.h>

#include <string>

namespace kronos {

struct DescriptorPolicy {
    bool shadow = false;      ///< what sets hold is kept, and writes that change nothing are dropped
    bool persistent = false;  ///< and sets of the layer's own, already written, are bound in place of the program's
    std::string why;          ///< for people
    bool refused = false;     ///< `why` names what the device has that is not reviewed
};

/// Neither where sets are written through pointers, or in a version of Vulkan newer than this build.
///
/// Sets persist only where every way to use one is known: an extension of the registry that has a command, structure or
/// flag of descriptor sets must have been reviewed, and one that the registry does not know, or a group of devices,
/// ends it too. The shadow needs less, for it leaves every set where the program has it.
DescriptorPolicy ChooseDescriptors(bool wanted, const VkDeviceCreateInfo& info, uint32_t program_version,
                                   const VkPhysicalDeviceProperties& properties);

}  // namespace kronos
