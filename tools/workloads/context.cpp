// SPDX-License-Identifier: Apache-2.0
// One instance, one device and its compute queues.
#include "context.h"

#include <vulkan/vk_enum_string_helper.h>
#include <vulkan/utility/vk_struct_helper.hpp>

#include <algorithm>
#include <charconv>

namespace kronos::workloads {
namespace {

// Lower is better.
int Rank(VkPhysicalDeviceType type) {
    switch (type) {
        case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU:
            return 0;
        case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU:
            return 1;
        case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU:
            return 2;
        case VK_PHYSICAL_DEVICE_TYPE_CPU:
            return 3;
        default:
            return 4;
    }
}

struct Candidate {
    VkPhysicalDevice handle;
    VkPhysicalDeviceProperties properties;
    int family;  // -1: not usable, see why
    const char* why;
};

Candidate Examine(VkPhysicalDevice handle) {
    Candidate candidate{handle, {}, -1, ""};
    vkGetPhysicalDeviceProperties(handle, &candidate.properties);
    uint32_t count = 0;
    vkGetPhysicalDeviceQueueFamilyProperties(handle, &count, nullptr);
    std::vector<VkQueueFamilyProperties> families(count);
    vkGetPhysicalDeviceQueueFamilyProperties(handle, &count, families.data());
    for (uint32_t i = 0; i < count && candidate.family < 0; ++i) {
        if (families[i].queueFlags & VK_QUEUE_COMPUTE_BIT) candidate.family = static_cast<int>(i);
    }
    if (candidate.family < 0) candidate.why = ", which has no compute queue";
    if (candidate.properties.apiVersion < VK_API_VERSION_1_1) {
        candidate.family = -1;
        candidate.why = ", which is older than Vulkan 1.1";
    }
    return candidate;
}

std::string Listed(const std::vector<Candidate>& candidates) {
    std::string text;
    for (size_t i = 0; i < candidates.size(); ++i) {
        text += (i ? ", " : "") + std::to_string(i) + " = " + candidates[i].properties.deviceName;
    }
    return text;
}

// The chosen index, or a WorkloadError that says what there was to choose from.
size_t Choose(const std::vector<Candidate>& candidates, const std::string& wanted) {
    if (wanted.empty()) {
        auto best = candidates.end();
        for (auto it = candidates.begin(); it != candidates.end(); ++it) {
            if (it->family < 0) continue;
            if (best == candidates.end() || Rank(it->properties.deviceType) < Rank(best->properties.deviceType))
                best = it;
        }
        if (best == candidates.end())
            throw WorkloadError("no Vulkan 1.1 device with a compute queue; there is " + Listed(candidates));
        return static_cast<size_t>(best - candidates.begin());
    }
    size_t index = 0;
    auto [end, error] = std::from_chars(wanted.data(), wanted.data() + wanted.size(), index);
    bool number = error == std::errc() && end == wanted.data() + wanted.size();
    size_t found = candidates.size();
    for (size_t i = 0; i < candidates.size() && found == candidates.size(); ++i) {
        bool matches =
            number ? i == index : std::string(candidates[i].properties.deviceName).find(wanted) != std::string::npos;
        if (matches) found = i;
    }
    if (found == candidates.size())
        throw WorkloadError("--device " + wanted + ": no such device; there is " + Listed(candidates));
    if (candidates[found].family < 0) {
        throw WorkloadError("--device " + wanted + " is " + candidates[found].properties.deviceName +
                            candidates[found].why);
    }
    return found;
}

}  // namespace

void Require(VkResult result, const std::string& what) {
    if (result != VK_SUCCESS) throw WorkloadError(what + " failed: " + string_VkResult(result));
}

Context::Context(const std::string& wanted, const Extras& extras, const std::string& layer) {
    try {
        CreateInstance(layer);
        ChooseDevice(wanted);
        CreateDevice(extras);
    } catch (...) {
        // The destructor of a half-made object does not run.
        if (instance_) vkDestroyInstance(instance_, nullptr);
        throw;
    }
}

Context::~Context() {
    vkDestroyDevice(device_, nullptr);
    vkDestroyInstance(instance_, nullptr);
}

void Context::CreateInstance(const std::string& layer) {
    auto application = vku::InitStruct<VkApplicationInfo>();
    application.pApplicationName = "kronos-workloads";
    application.apiVersion = VK_API_VERSION_1_1;
    auto info = vku::InitStruct<VkInstanceCreateInfo>();
    info.pApplicationInfo = &application;
    const char* name = layer.c_str();
    info.enabledLayerCount = layer.empty() ? 0 : 1;
    info.ppEnabledLayerNames = &name;
    VkResult result = vkCreateInstance(&info, nullptr, &instance_);
    if (result == VK_ERROR_INCOMPATIBLE_DRIVER)
        throw WorkloadError("no Vulkan driver found (vkCreateInstance: VK_ERROR_INCOMPATIBLE_DRIVER)");
    if (result == VK_ERROR_LAYER_NOT_PRESENT)
        throw WorkloadError("--against-layer " + layer + ": no such layer; VK_LAYER_PATH says where there are others");
    Require(result, "vkCreateInstance");
}

void Context::ChooseDevice(const std::string& wanted) {
    std::vector<VkPhysicalDevice> handles;
    VkResult result = VK_INCOMPLETE;
    while (result == VK_INCOMPLETE) {
        uint32_t count = 0;
        Require(vkEnumeratePhysicalDevices(instance_, &count, nullptr), "vkEnumeratePhysicalDevices");
        handles.resize(count);
        result = vkEnumeratePhysicalDevices(instance_, &count, handles.data());
        handles.resize(count);
    }
    Require(result, "vkEnumeratePhysicalDevices");
    if (handles.empty()) throw WorkloadError("no Vulkan device found: the drivers list none");
    std::vector<Candidate> candidates;
    candidates.reserve(handles.size());
    for (VkPhysicalDevice handle : handles) candidates.push_back(Examine(handle));
    const Candidate& chosen = candidates[Choose(candidates, wanted)];
    physical_ = chosen.handle;
    properties_ = chosen.properties;
    queues_ = {{VK_NULL_HANDLE, static_cast<uint32_t>(chosen.family)}};
    vkGetPhysicalDeviceMemoryProperties(physical_, &memory_);
}

bool Context::HasExtension(std::string_view name) const {
    uint32_t count = 0;
    Require(vkEnumerateDeviceExtensionProperties(physical_, nullptr, &count, nullptr),
            "vkEnumerateDeviceExtensionProperties");
    std::vector<VkExtensionProperties> extensions(count);
    Require(vkEnumerateDeviceExtensionProperties(physical_, nullptr, &count, extensions.data()),
            "vkEnumerateDeviceExtensionProperties");
    return std::any_of(extensions.begin(), extensions.end(),
                       [&](const VkExtensionProperties& e) { return name == e.extensionName; });
}

// The extension serves devices of 1.2 as well, and keeps the instance at 1.1, which every loader has.
bool Context::HasTimeline() const {
    if (!HasExtension(VK_KHR_TIMELINE_SEMAPHORE_EXTENSION_NAME)) return false;
    auto timeline = vku::InitStruct<VkPhysicalDeviceTimelineSemaphoreFeatures>();
    auto features = vku::InitStruct<VkPhysicalDeviceFeatures2>(&timeline);
    vkGetPhysicalDeviceFeatures2(physical_, &features);
    return timeline.timelineSemaphore == VK_TRUE;
}

void Context::AddSecondQueue() {
    uint32_t count = 0;
    vkGetPhysicalDeviceQueueFamilyProperties(physical_, &count, nullptr);
    std::vector<VkQueueFamilyProperties> families(count);
    vkGetPhysicalDeviceQueueFamilyProperties(physical_, &count, families.data());
    for (uint32_t i = 0; i < count; ++i) {
        if (i != queue_family() && (families[i].queueFlags & VK_QUEUE_COMPUTE_BIT)) {
            queues_.push_back({VK_NULL_HANDLE, i});
            return;
        }
    }
    if (families[queue_family()].queueCount > 1) queues_.push_back({VK_NULL_HANDLE, queue_family()});
}

void Context::CreateDevice(const Extras& extras) {
    if (extras.second_queue) AddSecondQueue();
    const float priorities[] = {1.0F, 1.0F};
    bool one_family = queues_.size() == 2 && queues_[0].family == queues_[1].family;
    std::vector<VkDeviceQueueCreateInfo> infos;
    for (const Queue& queue : queues_) {
        if (one_family && !infos.empty()) break;
        auto& info = infos.emplace_back(vku::InitStruct<VkDeviceQueueCreateInfo>());
        info.queueFamilyIndex = queue.family;
        info.queueCount = one_family ? 2 : 1;
        info.pQueuePriorities = priorities;
    }
    auto info = vku::InitStruct<VkDeviceCreateInfo>();
    info.queueCreateInfoCount = static_cast<uint32_t>(infos.size());
    info.pQueueCreateInfos = infos.data();
    auto timeline = vku::InitStruct<VkPhysicalDeviceTimelineSemaphoreFeatures>();
    timeline.timelineSemaphore = VK_TRUE;
    const char* extension = VK_KHR_TIMELINE_SEMAPHORE_EXTENSION_NAME;
    bool with_timeline = extras.timeline && HasTimeline();
    if (with_timeline) {
        info.pNext = &timeline;
        info.enabledExtensionCount = 1;
        info.ppEnabledExtensionNames = &extension;
    }
    Require(vkCreateDevice(physical_, &info, nullptr, &device_),
            std::string("vkCreateDevice on ") + properties_.deviceName);
    for (size_t i = 0; i < queues_.size(); ++i) {
        vkGetDeviceQueue(device_, queues_[i].family, one_family ? static_cast<uint32_t>(i) : 0, &queues_[i].handle);
    }
    if (with_timeline) {
        counter_value_ = reinterpret_cast<PFN_vkGetSemaphoreCounterValue>(
            vkGetDeviceProcAddr(device_, "vkGetSemaphoreCounterValueKHR"));
    }
}

std::string Context::DriverText() const {
    if (!HasExtension(VK_KHR_DRIVER_PROPERTIES_EXTENSION_NAME)) return std::to_string(properties_.driverVersion);
    auto driver = vku::InitStruct<VkPhysicalDeviceDriverProperties>();
    auto properties = vku::InitStruct<VkPhysicalDeviceProperties2>(&driver);
    vkGetPhysicalDeviceProperties2(physical_, &properties);
    return std::string(driver.driverName) + " " + driver.driverInfo;
}

uint32_t Context::MemoryType(uint32_t type_bits, VkMemoryPropertyFlags flags) const {
    for (uint32_t i = 0; i < memory_.memoryTypeCount; ++i) {
        if ((type_bits >> i & 1U) && (memory_.memoryTypes[i].propertyFlags & flags) == flags) return i;
    }
    throw WorkloadError("no memory type with " + string_VkMemoryPropertyFlags(flags) + " for a buffer");
}

const char* DeviceTypeName(VkPhysicalDeviceType type) {
    switch (type) {
        case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU:
            return "discrete GPU";
        case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU:
            return "integrated GPU";
        case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU:
            return "virtual GPU";
        case VK_PHYSICAL_DEVICE_TYPE_CPU:
            return "CPU";
        default:
            return "other";
    }
}

}  // namespace kronos::workloads
