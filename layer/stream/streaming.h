// SPDX-License-Identifier: Apache-2.0
// Whether the commands of a device are held, only analysed, or left alone. Pure; any thread.
#pragma once

#include <vulkan/vulkan_core.h>

#include <string>

#include "resources/resources.h"
#include "stream/recorder.h"

namespace kronos {

struct StreamPolicy {
    RecorderMode mode = RecorderMode::kOff;
    bool narrow = false;  ///< masks of barriers are narrowed
    bool drops = false;   ///< binds and pushes that change nothing are dropped
    uint32_t keeps = 0;   ///< recordings of so many commands at most stay known once they have ended
    uint32_t defers = 0;  ///< and of so many, the driver may get no sooner than with their submission
    std::string why;      ///< for people
};

/// `wanted` becomes kOff where a device may do what the recorder's hooks do not see: an extension that the registry of
/// this build does not know, a version of Vulkan newer than it, more than one physical device.
///
/// That an extension is known is enough, for each way by which one can act on a command buffer is looked at where it
/// happens: commands that are not held end the recording, structures behind arguments are known or end it, flags of
/// barriers are known or the barrier stays, descriptor types and shader instructions are known or may touch everything.
StreamPolicy ChooseStreams(RecorderMode wanted, const VkDeviceCreateInfo& info, uint32_t program_version,
                           const VkPhysicalDeviceProperties& properties);

/// What the device's features say of accesses beyond the end of descriptors. Sections "Features" (robustBufferAccess)
/// and VkPhysicalDeviceRobustness2FeaturesEXT.
ResourceOptions BoundsOf(const VkDeviceCreateInfo& info);

}  // namespace kronos
