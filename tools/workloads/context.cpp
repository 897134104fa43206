// SPDX-License-Identifier: Apache-2.0
// One instance, one device and one compute queue.
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

Context::Context(const std::string& wanted) {
    try {
        CreateInstance();
        ChooseDevice(wanted);
        CreateDevice();
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

void Context::CreateInstance() {
    auto application = vku::InitStruct<VkApplicationInfo>();
    application.pApplicationName = "kronos-workloads";
    application.apiVersion = VK_API_VERSION_1_1;
    auto info = vku::InitStruct<VkInstanceCreateInfo>();
    info.pApplicationInfo = &application;
    VkResult result = vkCreateInstance(&info, nullptr, &instance_);
    if (result == VK_ERROR_INCOMPATIBLE_DRIVER)
        throw WorkloadError("no Vulkan driver found (vkCreateInstance: VK_ERROR_INCOMPATIBLE_DRIVER)");
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
    queue_family_ = static_cast<uint32_t>(chosen.family);
    vkGetPhysicalDeviceMemoryProperties(physical_, &memory_);
}

void Context::CreateDevice() {
    float priority = 1.0F;
    auto queue = vku::InitStruct<VkDeviceQueueCreateInfo>();
    queue.queueFamilyIndex = queue_family_;
    queue.queueCount = 1;
    queue.pQueuePriorities = &priority;
    auto info = vku::InitStruct<VkDeviceCreateInfo>();
    info.queueCreateInfoCount = 1;
    info.pQueueCreateInfos = &queue;
    Require(vkCreateDevice(physical_, &info, nullptr, &device_),
            std::string("vkCreateDevice on ") + properties_.deviceName);
    vkGetDeviceQueue(device_, queue_family_, 0, &queue_);
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
