// SPDX-License-Identifier: Apache-2.0
// Logical devices: creation, destruction with its leak check, queues by index, private data, generic objects.
#include <cstdio>

#include "commands.h"
#include "control_state.h"
#include "entry_support.h"
#include "tables.h"

namespace mock {

void DestroyByHandle(Command command, VkObjectType type, uint64_t handle) {
    RemoveObject(handle, type, kCommands[command].name);
}

void NotRecording(VkCommandBuffer buffer, Command command) {
    Violation(std::string(kCommands[command].name) + ": " +
              HandleName(VK_OBJECT_TYPE_COMMAND_BUFFER, FromHandle(buffer)) + " is not recording");
}

namespace impl {

VkResult vkCreateDevice(VkPhysicalDevice physicalDevice, const VkDeviceCreateInfo* pCreateInfo,
                        const VkAllocationCallbacks*, VkDevice* pDevice) {
    PhysicalDevice* physical = Of(physicalDevice);
    auto device = std::make_unique<Device>();
    device->physical_device = physical;
    device->instance = physical->instance;
    device->api_version = std::min(physical->instance->api_version, physical->config.api_version);
    for (uint32_t i = 0; i < pCreateInfo->enabledExtensionCount; ++i) {
        const std::string name = pCreateInfo->ppEnabledExtensionNames[i];
        if (!Advertises(*physical, name)) return VK_ERROR_EXTENSION_NOT_PRESENT;
        device->extensions.insert(name);
    }
    std::string missing;
    if (!FeaturesPresent(*physical, *pCreateInfo, &missing)) return VK_ERROR_FEATURE_NOT_PRESENT;
    for (uint32_t i = 0; i < pCreateInfo->queueCreateInfoCount; ++i) {
        const VkDeviceQueueCreateInfo& info = pCreateInfo->pQueueCreateInfos[i];
        if (info.queueFamilyIndex >= physical->config.families.size() ||
            info.queueCount > physical->config.families[info.queueFamilyIndex].queueCount) {
            Violation("vkCreateDevice: no " + std::to_string(info.queueCount) + " queues in family " +
                      std::to_string(info.queueFamilyIndex));
            return VK_ERROR_INITIALIZATION_FAILED;
        }
    }
    AddDispatchable(VK_OBJECT_TYPE_DEVICE, physical->instance, device.get());
    const bool gated = NewQueuesGated();
    for (uint32_t i = 0; i < pCreateInfo->queueCreateInfoCount; ++i) {
        const VkDeviceQueueCreateInfo& info = pCreateInfo->pQueueCreateInfos[i];
        for (uint32_t index = 0; index < info.queueCount; ++index) {
            auto queue = std::make_unique<Queue>();
            queue->device = device.get();
            queue->family = info.queueFamilyIndex;
            queue->index = index;
            queue->flags = info.flags;
            queue->gate_closed = gated;
            AddDispatchable(VK_OBJECT_TYPE_QUEUE, device.get(), queue.get());
            device->queues.push_back(std::move(queue));
        }
    }
    *pDevice = ToHandle<VkDevice>(FromHandle(device.release()));
    return VK_SUCCESS;
}

void vkDestroyDevice(VkDevice device, const VkAllocationCallbacks*) {
    Device* d = Of(device);
    if (!RemoveDispatchable(d, VK_OBJECT_TYPE_DEVICE, "vkDestroyDevice")) return;
    StopQueues(d);
    std::string leaks;
    ForEachLive(d, [&](const LiveObject& object) {
        if (object.type == VK_OBJECT_TYPE_QUEUE) return;
        leaks += " " + HandleName(object.type, object.handle);
    });
    if (!leaks.empty()) Violation("vkDestroyDevice: dev#" + std::to_string(d->id) + " still has" + leaks);
    ForgetOwned(d);
    Bury(std::unique_ptr<Device>(d));
}

void vkGetDeviceQueue2(VkDevice device, const VkDeviceQueueInfo2* pQueueInfo, VkQueue* pQueue) {
    *pQueue = VK_NULL_HANDLE;
    for (auto& queue : Of(device)->queues) {
        if (queue->family == pQueueInfo->queueFamilyIndex && queue->index == pQueueInfo->queueIndex &&
            queue->flags == pQueueInfo->flags) {
            *pQueue = ToHandle<VkQueue>(FromHandle(queue.get()));
            return;
        }
    }
    Violation("vkGetDeviceQueue: no queue " + std::to_string(pQueueInfo->queueIndex) + " of family " +
              std::to_string(pQueueInfo->queueFamilyIndex) + " was created");
}

void vkGetDeviceQueue(VkDevice device, uint32_t queueFamilyIndex, uint32_t queueIndex, VkQueue* pQueue) {
    const VkDeviceQueueInfo2 info = {VK_STRUCTURE_TYPE_DEVICE_QUEUE_INFO_2, nullptr, 0, queueFamilyIndex, queueIndex};
    vkGetDeviceQueue2(device, &info, pQueue);
}

VkResult vkDeviceWaitIdle(VkDevice device) {
    Device* d = Of(device);
    std::unique_lock lock(d->sync->mutex);
    d->sync->changed.wait(lock, [d] {
        // A lost device's queues drop their work at once.
        for (const auto& queue : d->queues) {
            if (!QueueIdle(*queue)) return false;
        }
        return true;
    });
    return d->sync->lost ? VK_ERROR_DEVICE_LOST : VK_SUCCESS;
}

VkResult vkSetPrivateData(VkDevice device, VkObjectType, uint64_t objectHandle, VkPrivateDataSlot privateDataSlot,
                          uint64_t data) {
    Device* d = Of(device);
    std::lock_guard lock(d->private_data_mutex);
    d->private_data[{FromHandle(privateDataSlot), objectHandle}] = data;
    return VK_SUCCESS;
}

void vkGetPrivateData(VkDevice device, VkObjectType, uint64_t objectHandle, VkPrivateDataSlot privateDataSlot,
                      uint64_t* pData) {
    Device* d = Of(device);
    std::lock_guard lock(d->private_data_mutex);
    const auto found = d->private_data.find({FromHandle(privateDataSlot), objectHandle});
    *pData = found == d->private_data.end() ? 0 : found->second;
}

VkResult vkGetCalibratedTimestampsKHR(VkDevice, uint32_t timestampCount, const VkCalibratedTimestampInfoKHR*,
                                      uint64_t* pTimestamps, uint64_t* pMaxDeviation) {
    const uint64_t now = Now();
    for (uint32_t i = 0; i < timestampCount; ++i) pTimestamps[i] = now;
    *pMaxDeviation = 0;
    return VK_SUCCESS;
}

}  // namespace impl
}  // namespace mock
