// SPDX-License-Identifier: Apache-2.0
#include "vulkan_loader.h"

#include <dlfcn.h>
#include <vulkan/vk_enum_string_helper.h>

#include <algorithm>

namespace kronos::command {

OpenedInstance OpenInstance(const char* application) {
    OpenedInstance opened;
    void* loader = dlopen("libvulkan.so.1", RTLD_NOW | RTLD_LOCAL);
    if (!loader) {
        opened.failure = dlerror();
        return opened;
    }
    opened.get = reinterpret_cast<PFN_vkGetInstanceProcAddr>(dlsym(loader, "vkGetInstanceProcAddr"));
    const auto global = [&](const char* name) { return opened.get ? opened.get(VK_NULL_HANDLE, name) : nullptr; };
    const auto create = reinterpret_cast<PFN_vkCreateInstance>(global("vkCreateInstance"));
    if (!create) {
        opened.failure = "libvulkan.so.1 has no vkCreateInstance";
        return opened;
    }
    if (const auto version = reinterpret_cast<PFN_vkEnumerateInstanceVersion>(global("vkEnumerateInstanceVersion")))
        version(&opened.version);
    opened.version = std::min(opened.version, uint32_t{VK_API_VERSION_1_3});
    VkApplicationInfo about = {};
    about.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO;
    about.pApplicationName = application;
    about.apiVersion = opened.version;
    VkInstanceCreateInfo info = {};
    info.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO;
    info.pApplicationInfo = &about;
    const VkResult result = create(&info, nullptr, &opened.handle);
    if (result != VK_SUCCESS) {
        opened.failure = std::string("vkCreateInstance: ") + string_VkResult(result);
        return opened;
    }
    vkuInitInstanceDispatchTable(opened.handle, &opened.table, opened.get);
    opened.table.CreateDevice = reinterpret_cast<PFN_vkCreateDevice>(opened.get(opened.handle, "vkCreateDevice"));
    return opened;
}

std::vector<VkPhysicalDevice> PhysicalDevices(const OpenedInstance& instance) {
    uint32_t count = 0;
    if (instance.table.EnumeratePhysicalDevices(instance.handle, &count, nullptr) < VK_SUCCESS) return {};
    std::vector<VkPhysicalDevice> all(count);
    if (instance.table.EnumeratePhysicalDevices(instance.handle, &count, all.data()) < VK_SUCCESS) return {};
    all.resize(std::min<size_t>(count, all.size()));
    return all;
}

}  // namespace kronos::command
