// SPDX-License-Identifier: Apache-2.0
// What the benchmarks that time or count single calls run on: an instance, its first device with one compute queue, a
// command pool. One thread. What goes wrong ends the process with a line on standard error.
#pragma once

#include <vulkan/vulkan.h>

#include <cstdio>
#include <cstdlib>
#include <vector>

namespace kronos::bench {

inline void Expect(VkResult result, const char* what) {
    if (result == VK_SUCCESS) return;
    std::fprintf(stderr, "bench: %s failed (%d)\n", what, result);
    std::exit(1);
}

/// With sType and, it may be, pNext set; all else zero.
template <class T>
T Info(VkStructureType type, const void* next = nullptr) {
    T info = {};
    info.sType = type;
    info.pNext = const_cast<void*>(next);
    return info;
}

/// What is asked for beyond the least.
struct BenchDeviceRequest {
    uint32_t api_version = VK_API_VERSION_1_1;
    const void* instance_next = nullptr;
    const void* device_next = nullptr;
    std::vector<const char*> layers, instance_extensions, device_extensions;
};

struct BenchDevice {
    VkInstance instance = VK_NULL_HANDLE;
    VkPhysicalDevice physical = VK_NULL_HANDLE;
    uint32_t family = 0;
    VkDevice device = VK_NULL_HANDLE;
    VkQueue queue = VK_NULL_HANDLE;
    VkCommandPool pool = VK_NULL_HANDLE;

    void MakeInstance(const BenchDeviceRequest& request) {
        auto application = Info<VkApplicationInfo>(VK_STRUCTURE_TYPE_APPLICATION_INFO);
        application.apiVersion = request.api_version;
        auto info = Info<VkInstanceCreateInfo>(VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO, request.instance_next);
        info.pApplicationInfo = &application;
        info.enabledLayerCount = static_cast<uint32_t>(request.layers.size());
        info.ppEnabledLayerNames = request.layers.data();
        info.enabledExtensionCount = static_cast<uint32_t>(request.instance_extensions.size());
        info.ppEnabledExtensionNames = request.instance_extensions.data();
        Expect(vkCreateInstance(&info, nullptr, &instance), "vkCreateInstance");
    }

    void FindPhysical() {
        uint32_t count = 1;
        const VkResult result = vkEnumeratePhysicalDevices(instance, &count, &physical);
        if (result != VK_INCOMPLETE) Expect(result, "vkEnumeratePhysicalDevices");
        if (count == 0) Expect(VK_ERROR_INITIALIZATION_FAILED, "finding a device");
        vkGetPhysicalDeviceQueueFamilyProperties(physical, &count, nullptr);
        std::vector<VkQueueFamilyProperties> families(count);
        vkGetPhysicalDeviceQueueFamilyProperties(physical, &count, families.data());
        for (family = 0; family < count; ++family)
            if (families[family].queueFlags & VK_QUEUE_COMPUTE_BIT) return;
        Expect(VK_ERROR_INITIALIZATION_FAILED, "finding a compute queue");
    }

    void MakeDevice(const BenchDeviceRequest& request) {
        const float priority = 1;
        auto queue_info = Info<VkDeviceQueueCreateInfo>(VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO);
        queue_info.queueFamilyIndex = family;
        queue_info.queueCount = 1;
        queue_info.pQueuePriorities = &priority;
        auto info = Info<VkDeviceCreateInfo>(VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO, request.device_next);
        info.queueCreateInfoCount = 1;
        info.pQueueCreateInfos = &queue_info;
        info.enabledExtensionCount = static_cast<uint32_t>(request.device_extensions.size());
        info.ppEnabledExtensionNames = request.device_extensions.data();
        Expect(vkCreateDevice(physical, &info, nullptr, &device), "vkCreateDevice");
    }

    void Make(const BenchDeviceRequest& request = {}) {
        MakeInstance(request);
        FindPhysical();
        MakeDevice(request);
        vkGetDeviceQueue(device, family, 0, &queue);
        MakePool();
    }

    void MakePool() {
        auto info = Info<VkCommandPoolCreateInfo>(VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO);
        info.flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT;
        info.queueFamilyIndex = family;
        Expect(vkCreateCommandPool(device, &info, nullptr, &pool), "vkCreateCommandPool");
    }

    void DestroyDevice() {
        vkDestroyCommandPool(device, pool, nullptr);
        vkDestroyDevice(device, nullptr);
    }

    void Destroy() {
        DestroyDevice();
        vkDestroyInstance(instance, nullptr);
    }

    VkCommandBuffer NewBuffer(VkCommandBufferLevel level = VK_COMMAND_BUFFER_LEVEL_PRIMARY) const {
        auto info = Info<VkCommandBufferAllocateInfo>(VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO);
        info.commandPool = pool;
        info.level = level;
        info.commandBufferCount = 1;
        VkCommandBuffer buffer = VK_NULL_HANDLE;
        Expect(vkAllocateCommandBuffers(device, &info, &buffer), "vkAllocateCommandBuffers");
        return buffer;
    }

    VkFence NewFence(VkFenceCreateFlags flags) const {
        auto info = Info<VkFenceCreateInfo>(VK_STRUCTURE_TYPE_FENCE_CREATE_INFO);
        info.flags = flags;
        VkFence fence = VK_NULL_HANDLE;
        Expect(vkCreateFence(device, &info, nullptr, &fence), "vkCreateFence");
        return fence;
    }
};

inline void Begin(VkCommandBuffer buffer, VkCommandBufferUsageFlags flags = 0) {
    auto info = Info<VkCommandBufferBeginInfo>(VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO);
    info.flags = flags;
    Expect(vkBeginCommandBuffer(buffer, &info), "vkBeginCommandBuffer");
}

inline void End(VkCommandBuffer buffer) { Expect(vkEndCommandBuffer(buffer), "vkEndCommandBuffer"); }

}  // namespace kronos::bench
