// SPDX-License-Identifier: Apache-2.0
#include "descriptors/start.h"

#include "descriptors/set_writer.h"
#include "entry/state.h"

namespace kronos {
namespace {

void ChooseFor(Device& device, const VkDeviceCreateInfo& create_info, const VkPhysicalDeviceProperties& properties) {
    const Settings& settings = device.instance->settings;
    const bool held = settings.barriers == Barriers::kOn || settings.barriers == Barriers::kAuto;
    // What is only watched is watched as it is.
    const bool wanted =
        settings.descriptors == Descriptors::kOn || (settings.descriptors == Descriptors::kAuto && held);
    device.descriptors = ChooseDescriptors(wanted, create_info, device.instance->api_version, properties);
    const char* done = device.descriptors.persistent ? "writes that change nothing are dropped, sets persist"
                       : device.descriptors.shadow   ? "writes that change nothing are dropped, sets do not persist"
                                                     : "as written";
    // Who asked for it is told; by default it is one of many things that a device may not have.
    if (device.descriptors.refused && settings.descriptors == Descriptors::kOn)
        device.log->Warn("descriptors: {}: {}", done, device.descriptors.why);
    else
        device.log->Info("descriptors: {}: {}", done, device.descriptors.why);
    if (device.descriptors.shadow) device.gates |= kGateSets;
}

}  // namespace

void StartObjects(Device& device, const VkDeviceCreateInfo& create_info, const VkPhysicalDeviceProperties& properties) {
    ChooseFor(device, create_info, properties);
    if (device.gates & kGateObjects) {
        ResourceOptions options = BoundsOf(create_info);
        options.follow_sets = device.descriptors.shadow;
        if (device.descriptors.persistent) {
            device.lives = std::make_unique<Lives>();
            options.lives = device.lives.get();
            options.hold_most = kMostHeld;
        }
        device.resources = std::make_unique<Resources>(options);
        if (device.descriptors.persistent)
            device.persistent = std::make_unique<PersistentSets>(
                device.down, device.handle, *device.resources, device.stats ? &device.stats->counters() : nullptr,
                PersistentOptions{.judge = device.instance->settings.descriptors != Descriptors::kOn});
    }
}

}  // namespace kronos
