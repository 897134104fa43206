// SPDX-License-Identifier: Apache-2.0
// Makes the instance and the device of a random program, with every extension it knows that the device has.
#include "gpu.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <string_view>

namespace random_program {
namespace {

constexpr uint32_t kMostLanes = 2;
constexpr uint32_t kMostQueuesPerLane = 3;

template <typename T>
T Chained(VkStructureType type, void*& chain) {
    T value{};
    value.sType = type;
    value.pNext = chain;
    return value;
}

}  // namespace

void Check(VkResult result, const char* what) {
    if (result == VK_SUCCESS) return;
    std::fprintf(stderr, "random_program: %s: VkResult %d, VK_SUCCESS was needed; giving up\n", what,
                 static_cast<int>(result));
    std::exit(2);
}

Gpu::Gpu(Rng& rng, uint32_t index, const Avoid& avoid) : avoid(avoid) {
    CreateInstance();
    uint32_t count = 0;
    CHECK(vkEnumeratePhysicalDevices(instance_, &count, nullptr));
    std::vector<VkPhysicalDevice> devices(count);
    CHECK(vkEnumeratePhysicalDevices(instance_, &count, devices.data()));
    if (index >= count) {
        std::fprintf(stderr, "random_program: --device %u: there are %u devices; giving up\n", index, count);
        std::exit(2);
    }
    physical_ = devices[index];
    CreateDevice(rng);
    LoadCommands(rng);
    for (const Lane& lane : lanes) {
        VkFormatProperties format{};
        vkGetPhysicalDeviceFormatProperties(physical_, VK_FORMAT_R32_UINT, &format);
        constexpr VkFormatFeatureFlags kBlit = VK_FORMAT_FEATURE_BLIT_SRC_BIT | VK_FORMAT_FEATURE_BLIT_DST_BIT;
        can_blit = can_blit || (lane.graphics && (format.optimalTilingFeatures & kBlit) == kBlit);
    }
}

Gpu::~Gpu() {
    vkDestroyDevice(device, nullptr);
    vkDestroyInstance(instance_, nullptr);
}

void Gpu::CreateInstance() {
    uint32_t version = VK_API_VERSION_1_0;
    CHECK(vkEnumerateInstanceVersion(&version));
    version_ = std::min(version, VK_MAKE_API_VERSION(0, 1, 4, 0));
    VkApplicationInfo application{};
    application.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO;
    application.pApplicationName = "random_program";
    application.apiVersion = version_;
    VkInstanceCreateInfo info{};
    info.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO;
    info.pApplicationInfo = &application;
    CHECK(vkCreateInstance(&info, nullptr, &instance_));
}

void Gpu::CreateDevice(Rng& rng) {
    VkPhysicalDeviceProperties properties{};
    vkGetPhysicalDeviceProperties(physical_, &properties);
    vkGetPhysicalDeviceMemoryProperties(physical_, &memory_);
    version_ = std::min(version_, properties.apiVersion);
    if (version_ < VK_API_VERSION_1_1) {
        std::fprintf(stderr, "random_program: %s: Vulkan 1.0, 1.1 or newer is needed; giving up\n",
                     properties.deviceName);
        std::exit(2);
    }
    limits = properties.limits;
    name = properties.deviceName;

    uint32_t count = 0;
    CHECK(vkEnumerateDeviceExtensionProperties(physical_, nullptr, &count, nullptr));
    std::vector<VkExtensionProperties> offered(count);
    CHECK(vkEnumerateDeviceExtensionProperties(physical_, nullptr, &count, offered.data()));
    std::vector<const char*> enabled;
    const auto has = [&](const char* extension) {
        return std::any_of(offered.begin(), offered.end(), [extension](const VkExtensionProperties& entry) {
            return std::string_view(entry.extensionName) == extension;
        });
    };
    const auto way = [&](uint32_t core_since, const char* extension) {
        return Way{version_ >= core_since, has(extension)};
    };
    features.group = way(VK_API_VERSION_1_1, VK_KHR_DEVICE_GROUP_EXTENSION_NAME);
    // Depends on an instance extension of Vulkan 1.0; the core name will do.
    features.group.extension = false;
    features.bind2 = way(VK_API_VERSION_1_1, VK_KHR_BIND_MEMORY_2_EXTENSION_NAME);
    features.requirements2 = way(VK_API_VERSION_1_1, VK_KHR_GET_MEMORY_REQUIREMENTS_2_EXTENSION_NAME);
    features.trim = way(VK_API_VERSION_1_1, VK_KHR_MAINTENANCE_1_EXTENSION_NAME);
    features.templates = way(VK_API_VERSION_1_1, VK_KHR_DESCRIPTOR_UPDATE_TEMPLATE_EXTENSION_NAME);
    features.timeline = way(VK_API_VERSION_1_2, VK_KHR_TIMELINE_SEMAPHORE_EXTENSION_NAME);
    features.query_reset = way(VK_API_VERSION_1_2, VK_EXT_HOST_QUERY_RESET_EXTENSION_NAME);
    features.sync2 = way(VK_API_VERSION_1_3, VK_KHR_SYNCHRONIZATION_2_EXTENSION_NAME);
    features.copy2 = way(VK_API_VERSION_1_3, VK_KHR_COPY_COMMANDS_2_EXTENSION_NAME);
    const uint32_t version_1_4 = VK_MAKE_API_VERSION(0, 1, 4, 0);
    features.map2 = way(version_1_4, VK_KHR_MAP_MEMORY_2_EXTENSION_NAME);
    features.push_descriptor = way(version_1_4, VK_KHR_PUSH_DESCRIPTOR_EXTENSION_NAME);
    features.maintenance6 = way(version_1_4, VK_KHR_MAINTENANCE_6_EXTENSION_NAME);

    // What is asked for must be what the device says it has.
    void* chain = nullptr;
    auto timeline = Chained<VkPhysicalDeviceTimelineSemaphoreFeatures>(
        VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_TIMELINE_SEMAPHORE_FEATURES, chain);
    if (features.timeline) chain = &timeline;
    auto query_reset = Chained<VkPhysicalDeviceHostQueryResetFeatures>(
        VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_HOST_QUERY_RESET_FEATURES, chain);
    if (features.query_reset) chain = &query_reset;
    auto sync2 = Chained<VkPhysicalDeviceSynchronization2Features>(
        VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SYNCHRONIZATION_2_FEATURES, chain);
    if (features.sync2) chain = &sync2;
    auto vulkan14 =
        Chained<VkPhysicalDeviceVulkan14Features>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_4_FEATURES, chain);
    auto maintenance6 =
        Chained<VkPhysicalDeviceMaintenance6Features>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_6_FEATURES, chain);
    if (version_ >= version_1_4) {
        chain = &vulkan14;
    } else if (features.maintenance6) {
        chain = &maintenance6;
    }
    VkPhysicalDeviceFeatures2 all{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, chain, {}};
    vkGetPhysicalDeviceFeatures2(physical_, &all);
    all.features = {};
    // Robustness and the like cost time and are not used; only what is named below stays on.
    const VkBool32 push = vulkan14.pushDescriptor;
    const VkBool32 six = vulkan14.maintenance6;
    void* const rest = vulkan14.pNext;
    vulkan14 = {};
    vulkan14.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_4_FEATURES;
    vulkan14.pNext = rest;
    vulkan14.pushDescriptor = push;
    vulkan14.maintenance6 = six;
    if (!timeline.timelineSemaphore) features.timeline = {};
    if (!query_reset.hostQueryReset) features.query_reset = {};
    if (!sync2.synchronization2) features.sync2 = {};
    if (!push) features.push_descriptor.core = false;
    if (!maintenance6.maintenance6 && !six) features.maintenance6 = {};
    const auto enable = [&](const Way& wanted, const char* extension) {
        if (wanted.extension) enabled.push_back(extension);
    };
    enable(features.bind2, VK_KHR_BIND_MEMORY_2_EXTENSION_NAME);
    enable(features.requirements2, VK_KHR_GET_MEMORY_REQUIREMENTS_2_EXTENSION_NAME);
    enable(features.trim, VK_KHR_MAINTENANCE_1_EXTENSION_NAME);
    enable(features.templates, VK_KHR_DESCRIPTOR_UPDATE_TEMPLATE_EXTENSION_NAME);
    enable(features.timeline, VK_KHR_TIMELINE_SEMAPHORE_EXTENSION_NAME);
    enable(features.query_reset, VK_EXT_HOST_QUERY_RESET_EXTENSION_NAME);
    enable(features.sync2, VK_KHR_SYNCHRONIZATION_2_EXTENSION_NAME);
    enable(features.copy2, VK_KHR_COPY_COMMANDS_2_EXTENSION_NAME);
    enable(features.map2, VK_KHR_MAP_MEMORY_2_EXTENSION_NAME);
    enable(features.push_descriptor, VK_KHR_PUSH_DESCRIPTOR_EXTENSION_NAME);
    enable(features.maintenance6, VK_KHR_MAINTENANCE_6_EXTENSION_NAME);

    vkGetPhysicalDeviceQueueFamilyProperties(physical_, &count, nullptr);
    std::vector<VkQueueFamilyProperties> families(count);
    vkGetPhysicalDeviceQueueFamilyProperties(physical_, &count, families.data());
    const std::vector<float> priorities(kMostQueuesPerLane, 1.0F);
    std::vector<VkDeviceQueueCreateInfo> queue_infos;
    for (uint32_t family = 0; family < count && lanes.size() < kMostLanes; ++family) {
        const VkQueueFamilyProperties& entry = families[family];
        if ((entry.queueFlags & VK_QUEUE_COMPUTE_BIT) == 0) continue;
        lanes.push_back({family, (entry.queueFlags & VK_QUEUE_GRAPHICS_BIT) != 0, entry.timestampValidBits != 0});
        const uint32_t wanted = rng.Between(1, kMostQueuesPerLane);
        queue_infos.push_back({VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO, nullptr, 0, family,
                               std::min(wanted, entry.queueCount), priorities.data()});
    }
    VkDeviceCreateInfo info{};
    info.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO;
    info.pNext = &all;
    info.queueCreateInfoCount = static_cast<uint32_t>(queue_infos.size());
    info.pQueueCreateInfos = queue_infos.data();
    info.enabledExtensionCount = static_cast<uint32_t>(enabled.size());
    info.ppEnabledExtensionNames = enabled.data();
    CHECK(vkCreateDevice(physical_, &info, nullptr, &device));
    for (uint32_t lane = 0; lane < queue_infos.size(); ++lane) {
        for (uint32_t i = 0; i < queue_infos[lane].queueCount; ++i) {
            Queue& queue = queues.emplace_back();
            queue.lane = lane;
            vkGetDeviceQueue(device, lanes[lane].family, i, &queue.handle);
        }
    }
}

void Gpu::LoadCommands(Rng& rng) {
    const auto need = [](PFN_vkVoidFunction function, const char* command) {
        if (function != nullptr) return function;
        std::fprintf(stderr, "random_program: %s: the device has no such command, though it should; giving up\n",
                     command);
        std::exit(2);
    };
    // Some programs ask for the device's own entry points, others for the loader's trampolines.
    const bool trampolines = rng.OneIn(3);
#define X(command)                                                                                                  \
    api.command = reinterpret_cast<PFN_vk##command>(need(                                                           \
        trampolines ? vkGetInstanceProcAddr(instance_, "vk" #command) : vkGetDeviceProcAddr(device, "vk" #command), \
        "vk" #command));
    CORE_COMMANDS(X)
#undef X
    const auto choose = [&rng](const Way& way, const char* core, const char* extension) {
        const bool heads = rng.OneIn(2);
        return way.core && (!way.extension || heads) ? core : extension;
    };
#define X(command, suffix, way)                                                                 \
    if (features.way) {                                                                         \
        const char* const chosen = choose(features.way, "vk" #command, "vk" #command #suffix);  \
        api.command = reinterpret_cast<PFN_vk##command>(                                        \
            std::string_view(#way) == "maintenance6" && !features.push_descriptor &&            \
                    std::string_view(#command).find("PushDescriptor") != std::string_view::npos \
                ? nullptr                                                                       \
                : need(vkGetDeviceProcAddr(device, chosen), chosen));                           \
    }
    OPTIONAL_COMMANDS(X)
#undef X
}

uint32_t Gpu::PickMemoryType(Rng& rng, uint32_t bits, bool host_visible) const {
    constexpr VkMemoryPropertyFlags kKnown = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT | VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT |
                                             VK_MEMORY_PROPERTY_HOST_COHERENT_BIT | VK_MEMORY_PROPERTY_HOST_CACHED_BIT;
    std::vector<uint32_t> fit;
    for (uint32_t i = 0; i < memory_.memoryTypeCount; ++i) {
        const VkMemoryPropertyFlags flags = memory_.memoryTypes[i].propertyFlags;
        if ((bits >> i & 1) == 0 || (flags & ~kKnown) != 0) continue;
        if (host_visible && (flags & VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT) == 0) continue;
        fit.push_back(i);
    }
    if (fit.empty()) {
        std::fprintf(stderr, "random_program: no %smemory type among 0x%x; giving up\n",
                     host_visible ? "host visible " : "", bits);
        std::exit(2);
    }
    return fit[rng.Below(static_cast<uint32_t>(fit.size()))];
}

}  // namespace random_program
