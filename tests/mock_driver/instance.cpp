// SPDX-License-Identifier: Apache-2.0
// Instances: creation from the current configuration, physical devices and their groups.
#include <algorithm>
#include <cstring>

#include "commands.h"
#include "control_state.h"
#include "recording.h"
#include "tables.h"

namespace mock {
namespace {

template <typename T>
void Keep(std::unique_ptr<T> object) {
    static std::mutex* mutex = new std::mutex;
    static auto* graveyard = new std::vector<std::unique_ptr<T>>;
    std::lock_guard lock(*mutex);
    graveyard->push_back(std::move(object));
}

void FillExtension(const std::string& name, VkExtensionProperties& out) {
    out = {};
    std::strncpy(out.extensionName, name.c_str(), VK_MAX_EXTENSION_NAME_SIZE - 1);
    const ExtensionInfo* info = FindExtension(name);
    out.specVersion = info == nullptr ? 1 : info->spec_version;
}

}  // namespace

void Bury(std::unique_ptr<Instance> instance) {
    instance->extensions.clear();
    for (auto& device : instance->physical_devices) device->config = DeviceConfig();
    Keep(std::move(instance));
}

void Bury(std::unique_ptr<Device> device) {
    device->extensions.clear();
    device->private_data.clear();
    Keep(std::move(device));
}

namespace impl {

VkResult vkEnumerateInstanceVersion(uint32_t* pApiVersion) {
    *pApiVersion = CurrentConfig().api_version;
    return VK_SUCCESS;
}

VkResult vkEnumerateInstanceExtensionProperties(const char* pLayerName, uint32_t* pPropertyCount,
                                                VkExtensionProperties* pProperties) {
    if (pLayerName != nullptr) return VK_ERROR_LAYER_NOT_PRESENT;
    const Config config = CurrentConfig();
    return Enumerate(static_cast<uint32_t>(config.extensions.size()), pPropertyCount, pProperties,
                     [&](uint32_t i, VkExtensionProperties& out) { FillExtension(config.extensions[i], out); });
}

VkResult vkEnumerateInstanceLayerProperties(uint32_t* pPropertyCount, VkLayerProperties*) {
    *pPropertyCount = 0;
    return VK_SUCCESS;
}

VkResult vkCreateInstance(const VkInstanceCreateInfo* pCreateInfo, const VkAllocationCallbacks*,
                          VkInstance* pInstance) {
    const Config config = CurrentConfig();
    auto instance = std::make_unique<Instance>();
    const VkApplicationInfo* app = pCreateInfo->pApplicationInfo;
    if (app != nullptr && app->apiVersion != 0) instance->api_version = app->apiVersion;
    if (config.api_version < VK_API_VERSION_1_1 && instance->api_version >= VK_API_VERSION_1_1) {
        return VK_ERROR_INCOMPATIBLE_DRIVER;
    }
    instance->api_version = std::min(instance->api_version, config.api_version);
    for (uint32_t i = 0; i < pCreateInfo->enabledExtensionCount; ++i) {
        const std::string name = pCreateInfo->ppEnabledExtensionNames[i];
        if (std::find(config.extensions.begin(), config.extensions.end(), name) == config.extensions.end()) {
            return VK_ERROR_EXTENSION_NOT_PRESENT;
        }
        instance->extensions.insert(name);
    }
    AddDispatchable(VK_OBJECT_TYPE_INSTANCE, nullptr, instance.get());
    for (const DeviceConfig& device_config : config.devices) {
        auto device = std::make_unique<PhysicalDevice>();
        device->instance = instance.get();
        device->config = device_config;
        AddDispatchable(VK_OBJECT_TYPE_PHYSICAL_DEVICE, instance.get(), device.get());
        instance->physical_devices.push_back(std::move(device));
    }
    // Devices that no configured group names are groups of one.
    instance->groups = config.groups;
    for (uint32_t i = 0; i < instance->physical_devices.size(); ++i) {
        const bool grouped = std::any_of(config.groups.begin(), config.groups.end(), [i](const auto& group) {
            return std::find(group.begin(), group.end(), i) != group.end();
        });
        if (!grouped) instance->groups.push_back({i});
    }
    *pInstance = ToHandle<VkInstance>(FromHandle(instance.release()));
    return VK_SUCCESS;
}

void vkDestroyInstance(VkInstance instance, const VkAllocationCallbacks*) {
    Instance* i = Of(instance);
    if (!RemoveDispatchable(i, VK_OBJECT_TYPE_INSTANCE, "vkDestroyInstance")) return;
    std::string leaks;
    ForEachLive(i, [&](const LiveObject& object) {
        if (object.type != VK_OBJECT_TYPE_PHYSICAL_DEVICE) leaks += " " + HandleName(object.type, object.handle);
    });
    if (!leaks.empty()) Violation("vkDestroyInstance: instance#" + std::to_string(i->id) + " still has" + leaks);
    ForgetOwned(i);
    Bury(std::unique_ptr<Instance>(i));
    FlushRecordFile();
}

VkResult vkEnumeratePhysicalDevices(VkInstance instance, uint32_t* pPhysicalDeviceCount,
                                    VkPhysicalDevice* pPhysicalDevices) {
    const auto& devices = Of(instance)->physical_devices;
    return Enumerate(
        static_cast<uint32_t>(devices.size()), pPhysicalDeviceCount, pPhysicalDevices,
        [&](uint32_t i, VkPhysicalDevice& out) { out = ToHandle<VkPhysicalDevice>(FromHandle(devices[i].get())); });
}

VkResult vkEnumeratePhysicalDeviceGroups(VkInstance instance, uint32_t* pPhysicalDeviceGroupCount,
                                         VkPhysicalDeviceGroupProperties* pPhysicalDeviceGroupProperties) {
    const Instance* owner = Of(instance);
    return Enumerate(static_cast<uint32_t>(owner->groups.size()), pPhysicalDeviceGroupCount,
                     pPhysicalDeviceGroupProperties, [&](uint32_t i, VkPhysicalDeviceGroupProperties& out) {
                         out.physicalDeviceCount = static_cast<uint32_t>(owner->groups[i].size());
                         out.subsetAllocation = VK_FALSE;
                         for (uint32_t d = 0; d < out.physicalDeviceCount; ++d) {
                             out.physicalDevices[d] = ToHandle<VkPhysicalDevice>(
                                 FromHandle(owner->physical_devices[owner->groups[i][d]].get()));
                         }
                     });
}

PFN_vkVoidFunction vkGetInstanceProcAddr(VkInstance instance, const char* pName) {
    return InstanceProc(Of(instance), pName);
}

PFN_vkVoidFunction vkGetDeviceProcAddr(VkDevice device, const char* pName) { return DeviceProc(Of(device), pName); }

VkResult vkEnumerateDeviceExtensionProperties(VkPhysicalDevice physicalDevice, const char* pLayerName,
                                              uint32_t* pPropertyCount, VkExtensionProperties* pProperties) {
    if (pLayerName != nullptr) return VK_ERROR_LAYER_NOT_PRESENT;
    const auto& extensions = Of(physicalDevice)->config.extensions;
    return Enumerate(static_cast<uint32_t>(extensions.size()), pPropertyCount, pProperties,
                     [&](uint32_t i, VkExtensionProperties& out) { FillExtension(extensions[i], out); });
}

VkResult vkEnumerateDeviceLayerProperties(VkPhysicalDevice, uint32_t* pPropertyCount, VkLayerProperties*) {
    *pPropertyCount = 0;
    return VK_SUCCESS;
}

}  // namespace impl
}  // namespace mock
