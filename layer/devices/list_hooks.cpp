// SPDX-License-Identifier: Apache-2.0
// vkEnumeratePhysicalDevices and the groups: the list is chosen when it is first asked for and stays for the instance's
// life, for programs ask again and take devices by their index. Any thread; no lock is held across a driver call.
#include "entry/enumerate.h"
#include "entry/hooks.h"
#include "entry/state.h"

namespace kronos {
namespace {

// All there are; calls again when there are more by the time they are given.
template <class T, class Call>
VkResult All(std::vector<T>& all, T empty, Call call) {
    VkResult result = VK_INCOMPLETE;
    while (result == VK_INCOMPLETE) {
        uint32_t count = 0;
        result = call(&count, nullptr);
        if (result < VK_SUCCESS) return result;
        all.assign(count, empty);
        result = call(&count, all.data());
        if (result >= VK_SUCCESS) all.resize(std::min<size_t>(count, all.size()));
    }
    return result;
}

void Tell(const Instance& instance, const std::vector<DeviceFacts>& facts, const DeviceChoice& choice) {
    for (const std::string& problem : choice.problems) instance.log->Warn("{}", problem);
    if (!instance.log->Enabled(LogLevel::kInfo)) return;
    for (size_t number = 0; number < choice.numbered.size(); ++number) {
        const DeviceVerdict& verdict = choice.numbered[number];
        const DeviceFacts& device = facts[verdict.device];
        const auto place = std::find(choice.shown.begin(), choice.shown.end(), verdict.device);
        instance.log->Info("device {} ({}, {}): {}; {}", number, device.name, DriverText(device),
                           verdict.shown ? Format("shown as {}", place - choice.shown.begin()) : "hidden", verdict.why);
    }
}

VkResult MakeList(const Instance& instance, std::shared_ptr<const DeviceList>& list) {
    std::vector<VkPhysicalDevice> handles;
    const VkResult result = All(handles, VkPhysicalDevice{}, [&](uint32_t* count, VkPhysicalDevice* out) {
        return instance.down.EnumeratePhysicalDevices(instance.handle, count, out);
    });
    if (result != VK_SUCCESS) return result;
    std::vector<DeviceFacts> facts;
    facts.reserve(handles.size());
    for (const VkPhysicalDevice handle : handles)
        facts.push_back(ReadDeviceFacts(instance.down, instance.api_version, handle));
    const DeviceChoice choice = ChooseDevices(facts, instance.device_rules);
    Tell(instance, facts, choice);
    DeviceList made;
    made.devices.reserve(choice.shown.size());
    for (const size_t i : choice.shown) made.devices.push_back(handles[i]);
    made.refused = made.devices.empty() && !handles.empty();
    list = std::make_shared<const DeviceList>(std::move(made));
    return VK_SUCCESS;
}

// The list of `instance`, made if need be: the first that is made counts.
VkResult ListOf(Instance& instance, std::shared_ptr<const DeviceList>& list) {
    {
        std::lock_guard lock(instance.list_mutex);
        list = instance.list;
    }
    if (list) return VK_SUCCESS;
    const VkResult result = MakeList(instance, list);
    if (result != VK_SUCCESS) return result;
    std::lock_guard lock(instance.list_mutex);
    if (!instance.list) instance.list = list;
    list = instance.list;
    return VK_SUCCESS;
}

}  // namespace
}  // namespace kronos

namespace kronos::hook {

VKAPI_ATTR VkResult VKAPI_CALL EnumeratePhysicalDevices(VkInstance handle, uint32_t* count, VkPhysicalDevice* devices) {
    Instance& instance = InstanceOf(handle);
    return Guarded(instance.log.get(), "vkEnumeratePhysicalDevices", VK_ERROR_OUT_OF_HOST_MEMORY, [&] {
        std::shared_ptr<const DeviceList> list;
        const VkResult result = ListOf(instance, list);
        if (result != VK_SUCCESS) return result;
        if (list->refused) return VK_ERROR_INITIALIZATION_FAILED;
        return Enumerate(list->devices, count, devices);
    });
}

VKAPI_ATTR VkResult VKAPI_CALL EnumeratePhysicalDeviceGroups(VkInstance handle, uint32_t* count,
                                                             VkPhysicalDeviceGroupProperties* groups) {
    Instance& instance = InstanceOf(handle);
    return Guarded(instance.log.get(), "vkEnumeratePhysicalDeviceGroups", VK_ERROR_OUT_OF_HOST_MEMORY, [&] {
        std::shared_ptr<const DeviceList> list;
        VkResult result = ListOf(instance, list);
        if (result != VK_SUCCESS) return result;
        if (list->refused) return VK_ERROR_INITIALIZATION_FAILED;
        VkPhysicalDeviceGroupProperties empty = {};
        empty.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_GROUP_PROPERTIES;
        std::vector<VkPhysicalDeviceGroupProperties> all;
        result = All(all, empty, [&](uint32_t* have, VkPhysicalDeviceGroupProperties* out) {
            return instance.down.EnumeratePhysicalDeviceGroups(handle, have, out);
        });
        if (result != VK_SUCCESS) return result;
        const std::vector<VkPhysicalDeviceGroupProperties> shown = ShownGroups(all, list->devices);
        result = GiveCount(shown.size(), groups != nullptr, count);
        for (uint32_t i = 0; groups && i < *count; ++i) {
            // Nothing extends the structure, and what is behind it stays the program's.
            void* const next = groups[i].pNext;
            groups[i] = shown[i];
            groups[i].pNext = next;
        }
        return result;
    });
}

}  // namespace kronos::hook
