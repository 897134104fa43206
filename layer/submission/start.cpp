// SPDX-License-Identifier: Apache-2.0
#include "submission/start.h"

#include <algorithm>

#include "support/extensions.h"
#include "support/vendors.h"

namespace kronos {
namespace {

// What a command buffer holds, if it may be given to the driver as part of another.
const Stream* KeptStream(VkCommandBuffer handle) {
    const CommandBuffer* buffer = FindCommandBuffer(handle);
    // Of what may wait for an event it is said which submission it is in.
    return buffer && buffer->stream && buffer->stream->uid && !buffer->events ? buffer->stream.get() : nullptr;
}

std::string WhyNotFused(const Device& device, const VkPhysicalDeviceProperties& properties) {
    const Fusion choice = device.instance->settings.fusion;
    if (choice == Fusion::kOff) return "off by setting";
    if (device.streams.mode != RecorderMode::kHold || !device.resources) return "command streams are not held";
    if (!device.set_loader_data) return "the loader gives layers no command buffers of their own";
    // There the wait between two command buffers costs more than recording short ones again: FusionPolicy.
    if (choice == Fusion::kAuto && properties.vendorID != kNvidia) return "it is not known to gain on this driver";
    return {};
}

FusionPolicy ChooseFusion(Device& device, const VkPhysicalDeviceProperties& properties) {
    const std::string why_not = WhyNotFused(device, properties);
    FusionPolicy policy;
    policy.on = why_not.empty();
    policy.narrow = device.streams.narrow;
    policy.drops = device.streams.drops;
    policy.set_loader_data = device.set_loader_data;
    policy.resources = device.resources.get();
    policy.find = KeptStream;
    policy.worth = device.worth.get();
    if (policy.on)
        device.log->Info("fusion: command buffers of at most {} commands become one", FusionPolicy::kMostCommands);
    else if (device.instance->settings.fusion == Fusion::kOn)
        device.log->Warn("fusion: command buffers stay as they are: {}", why_not);
    else
        device.log->Info("fusion: command buffers stay as they are: {}", why_not);
    return policy;
}

}  // namespace

std::string WhyNotHeld(const Instance& instance, const VkDeviceCreateInfo& info,
                       const VkPhysicalDeviceProperties& properties, const VkAllocationCallbacks* allocator) {
    if (instance.settings.submits == Submits::kOff) return "off by setting";
    // Section "Host Memory": callbacks are called by the thread of the command alone, which the flusher's is not.
    if (allocator || instance.allocates) return "the program allocates the driver's memory itself";
    if (instance.settings.submits == Submits::kAuto && properties.deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU)
        return "the device is a processor";
    if (std::string why = NewerThanBuild(instance.api_version, properties); !why.empty()) return why;
    for (uint32_t i = 0; i < info.enabledExtensionCount; ++i)
        if (!IsKnownExtension(info.ppEnabledExtensionNames[i]))
            return Format("{} is not known to this build", info.ppEnabledExtensionNames[i]);
    return GroupOfDevices(info);
}

TimelineSupport SupportOf(const Instance& instance, VkPhysicalDevice physical,
                          const VkPhysicalDeviceProperties& properties) {
    TimelineSupport support;
    support.version = std::min(instance.api_version, properties.apiVersion);
    // The query is core in 1.1.
    if (support.version < VK_API_VERSION_1_1 || !instance.down.GetPhysicalDeviceFeatures2) return support;
    if (support.version < VK_API_VERSION_1_2) {
        support.extension = Offers(instance.down.EnumerateDeviceExtensionProperties, physical,
                                   VK_KHR_TIMELINE_SEMAPHORE_EXTENSION_NAME);
        if (!support.extension) return support;
    }
    VkPhysicalDeviceTimelineSemaphoreFeatures feature = {};
    feature.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_TIMELINE_SEMAPHORE_FEATURES;
    VkPhysicalDeviceFeatures2 features = {};
    features.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2;
    features.pNext = &feature;
    instance.down.GetPhysicalDeviceFeatures2(physical, &features);
    support.feature = feature.timelineSemaphore;
    return support;
}

void StartSubmissions(Device& device, const VkPhysicalDeviceProperties& properties, const std::string& why_not) {
    Instance& instance = *device.instance;
    const Settings& settings = instance.settings;
    if (settings.submits == Submits::kOff) return;
    if (!why_not.empty()) {
        // Who asked for it is told; by default it is one of many things that a device may not have.
        if (settings.submits != Submits::kAuto)
            device.log->Warn("submits: as they come: {}", why_not);
        else
            device.log->Info("submits: as they come: {}", why_not);
        return;
    }
    SubmitPolicy policy;
    policy.measure = settings.submits == Submits::kAuto;
    policy.limits.while_idle = settings.submits == Submits::kAlways;
    policy.virtual_fences = settings.virtual_fences != VirtualFences::kOff && device.fences;
    policy.limits.buffers = static_cast<uint32_t>(settings.submit_batch);
    policy.limits.hold_ns = static_cast<uint64_t>(settings.submit_hold) * 1'000;
    policy.limits.gap_ns = static_cast<uint64_t>(settings.submit_gap) * 1'000;
    policy.fusion = ChooseFusion(device, properties);
    if (policy.fusion.on) {
        device.streams.keeps = FusionPolicy::kMostCommands;
        device.streams.defers = FusionPolicy::kMostDeferred;
    }
    device.submissions =
        std::make_unique<Submissions>(device.down, device.handle, device.stats ? &device.stats->counters() : nullptr,
                                      policy, policy.fusion.on ? &device.deferred : nullptr);
    {
        std::lock_guard lock(instance.devices_mutex);
        instance.submitting.push_back(device.submissions.get());
    }
    device.gates |= kGateHeldSubmits;
    device.log->Info("submits: held {}, at most {} command buffers for {} us; fences are {}",
                     policy.limits.while_idle ? "always"
                     : policy.measure         ? "where that gains, while the queue is busy"
                                              : "while the queue is busy",
                     policy.limits.buffers, settings.submit_hold, policy.virtual_fences ? "virtual" : "the driver's");
}

void StopSubmissions(Device& device) {
    if (!device.submissions) return;
    device.submissions->Stop();
    std::lock_guard lock(device.instance->devices_mutex);
    std::erase(device.instance->submitting, device.submissions.get());
}

void EndSubmissions(Device& device) {
    // In a child of fork it would end a thread that is not there.
    if (device.submissions && device.submissions->Inherited())
        static_cast<void>(device.submissions.release());
    else
        device.submissions.reset();
}

}  // namespace kronos
