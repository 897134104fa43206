// SPDX-License-Identifier: Apache-2.0
#include "vulkan_loader.h"

#include <dlfcn.h>
#include <vulkan/vk_enum_string_helper.h>

#include <algorithm>

namespace kronos::command {

OpenedInstance OpenInstance(const char* application) {
    OpenedInstance opened;
    void* loader = dlopen("libvulkan.so.1", RTLD_NOW | RTLD_LOCAL);
    if (loader) opened.get = reinterpret_cast<PFN_vkGetInstanceProcAddr>(dlsym(loader, "vkGetInstanceProcAddr"));
    if (!opened.get) {
        opened.loader_failure = loader ? "libvulkan.so.1 does not export vkGetInstanceProcAddr" : dlerror();
        opened.failure = opened.loader_failure;
        return opened;
    }
    if (const auto version =
            reinterpret_cast<PFN_vkEnumerateInstanceVersion>(opened.get(VK_NULL_HANDLE, "vkEnumerateInstanceVersion")))
        version(&opened.loader_version);
    opened.version = std::min(opened.loader_version, uint32_t{VK_API_VERSION_1_3});
    VkApplicationInfo about = {};
    about.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO;
    about.pApplicationName = application;
    about.apiVersion = opened.version;
    VkInstanceCreateInfo info = {};
    info.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO;
    info.pApplicationInfo = &about;
    if (const auto create = reinterpret_cast<PFN_vkCreateInstance>(opened.get(VK_NULL_HANDLE, "vkCreateInstance")))
        opened.result = create(&info, nullptr, &opened.handle);
    if (opened.result != VK_SUCCESS) {
        opened.failure = std::string("vkCreateInstance: ") + string_VkResult(opened.result);
        return opened;
    }
    vkuInitInstanceDispatchTable(opened.handle, &opened.table, opened.get);
    opened.table.CreateDevice = reinterpret_cast<PFN_vkCreateDevice>(opened.get(opened.handle, "vkCreateDevice"));
    return opened;
}

VkResult PhysicalDevices(const OpenedInstance& instance, std::vector<VkPhysicalDevice>& all) {
    uint32_t count = 0;
    VkResult result = instance.table.EnumeratePhysicalDevices(instance.handle, &count, nullptr);
    if (result == VK_SUCCESS) {
        all.resize(count);
        result = instance.table.EnumeratePhysicalDevices(instance.handle, &count, all.data());
    }
    all.resize(result < VK_SUCCESS ? 0 : std::min<size_t>(count, all.size()));
    return result;
}

std::vector<VkPhysicalDevice> PhysicalDevices(const OpenedInstance& instance) {
    std::vector<VkPhysicalDevice> all;
    static_cast<void>(PhysicalDevices(instance, all));
    return all;
}

VkResult TryDevice(const OpenedInstance& instance, VkPhysicalDevice physical, const std::function<void()>& meanwhile) {
    const float priority = 1;
    VkDeviceQueueCreateInfo queue = {};
    queue.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO;
    queue.queueCount = 1;
    queue.pQueuePriorities = &priority;
    VkDeviceCreateInfo info = {};
    info.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO;
    info.queueCreateInfoCount = 1;
    info.pQueueCreateInfos = &queue;
    VkDevice device = VK_NULL_HANDLE;
    const VkResult result = instance.table.CreateDevice(physical, &info, nullptr, &device);
    if (result != VK_SUCCESS) return result;
    meanwhile();
    const auto get = reinterpret_cast<PFN_vkGetDeviceProcAddr>(instance.get(instance.handle, "vkGetDeviceProcAddr"));
    if (const auto destroy = reinterpret_cast<PFN_vkDestroyDevice>(get(device, "vkDestroyDevice")))
        destroy(device, nullptr);
    return result;
}

}  // namespace kronos::command
