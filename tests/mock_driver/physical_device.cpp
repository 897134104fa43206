// SPDX-License-Identifier: Apache-2.0
// Physical device queries: every known property and feature structure is filled member by member from the tables.
#include <algorithm>
#include <cstring>

#include "commands.h"
#include "control_state.h"
#include "tables.h"

namespace mock {
namespace {

template <typename T>
void Put(uint8_t* to, T value) {
    std::memcpy(to, &value, sizeof(T));
}

void PutMember(const Member& member, const PropertyValue& value, uint8_t* base) {
    uint8_t* to = base + member.offset;
    if (member.kind == Kind::kChar) {
        std::strncpy(reinterpret_cast<char*>(to), value.text.c_str(), member.count - 1);
        return;
    }
    for (uint32_t i = 0; i < member.count; ++i) {
        const uint64_t n = i < value.numbers.size() ? value.numbers[i] : 0;
        switch (member.kind) {
            case Kind::kU8:
                Put(to + i, static_cast<uint8_t>(n));
                break;
            case Kind::kU16:
                Put(to + 2 * i, static_cast<uint16_t>(n));
                break;
            case Kind::kU32:
            case Kind::kI32:
                Put(to + 4 * i, static_cast<uint32_t>(n));
                break;
            case Kind::kBool:
                Put(to + 4 * i, static_cast<VkBool32>(n != 0));
                break;
            case Kind::kF32:
                Put(to + 4 * i, i < value.reals.size() ? static_cast<float>(value.reals[i]) : 0.0F);
                break;
            case Kind::kU64:
            case Kind::kI64:
            case Kind::kSize:
                Put(to + 8 * i, n);
                break;
            case Kind::kChar:
                break;
        }
    }
}

size_t SizeOf(const Member& member) {
    switch (member.kind) {
        case Kind::kU8:
        case Kind::kChar:
            return member.count;
        case Kind::kU16:
            return 2UL * member.count;
        case Kind::kU64:
        case Kind::kI64:
        case Kind::kSize:
            return 8UL * member.count;
        default:
            return 4UL * member.count;
    }
}

// Members without a configured or default value are 0.
void FillProperties(const DeviceConfig& device, const StructInfo& info, void* structure) {
    auto* base = static_cast<uint8_t*>(structure);
    for (uint32_t i = 0; i < info.member_count; ++i) {
        const Member& member = info.members[i];
        std::memset(base + member.offset, 0, SizeOf(member));
        if (const PropertyValue* value = FindProperty(device, member.name)) PutMember(member, *value, base);
    }
}

const StructInfo* FindStruct(const StructInfo* structs, uint32_t count, VkStructureType type) {
    for (uint32_t i = 0; i < count; ++i) {
        if (structs[i].type == type) return &structs[i];
    }
    return nullptr;
}

// Off although their core version is there: the mock could not honour them.
bool OffByDefault(const char* name) {
    for (const char* off : {"protectedMemory", "bufferDeviceAddressCaptureReplay", "bufferDeviceAddressMultiDevice",
                            "bufferDeviceAddressCaptureReplayEXT", "hostImageCopy"}) {
        if (std::strcmp(off, name) == 0) return true;
    }
    return false;
}

bool FeatureValue(const PhysicalDevice& device, const StructInfo& info, const char* member) {
    const auto configured = device.config.features.find(member);
    if (configured != device.config.features.end()) return configured->second;
    if (OffByDefault(member)) return false;
    if (info.provider_count == 0) return true;  // VkPhysicalDeviceFeatures
    const uint32_t version = device.config.api_version;
    for (uint32_t i = 0; i < info.provider_count; ++i) {
        const Way& way = info.providers[i];
        if (way.version != 0 ? way.version <= version : Advertises(device, way.extension)) return true;
    }
    return false;
}

void FillFeatures(const PhysicalDevice& device, const StructInfo& info, void* structure) {
    auto* base = static_cast<uint8_t*>(structure);
    for (uint32_t i = 0; i < info.member_count; ++i) {
        Put(base + info.members[i].offset, static_cast<VkBool32>(FeatureValue(device, info, info.members[i].name)));
    }
}

bool Missing(const PhysicalDevice& device, const StructInfo& info, const void* asked, std::string* missing) {
    const auto* base = static_cast<const uint8_t*>(asked);
    for (uint32_t i = 0; i < info.member_count; ++i) {
        VkBool32 wanted = VK_FALSE;
        std::memcpy(&wanted, base + info.members[i].offset, sizeof(wanted));
        if (wanted != VK_FALSE && !FeatureValue(device, info, info.members[i].name)) {
            *missing = std::string(info.name) + "." + info.members[i].name;
            return true;
        }
    }
    return false;
}

constexpr VkFormatFeatureFlags kImageFeatures =
    VK_FORMAT_FEATURE_SAMPLED_IMAGE_BIT | VK_FORMAT_FEATURE_STORAGE_IMAGE_BIT | VK_FORMAT_FEATURE_COLOR_ATTACHMENT_BIT |
    VK_FORMAT_FEATURE_BLIT_SRC_BIT | VK_FORMAT_FEATURE_BLIT_DST_BIT | VK_FORMAT_FEATURE_TRANSFER_SRC_BIT |
    VK_FORMAT_FEATURE_TRANSFER_DST_BIT | VK_FORMAT_FEATURE_SAMPLED_IMAGE_FILTER_LINEAR_BIT;
constexpr VkFormatFeatureFlags kBufferFeatures = VK_FORMAT_FEATURE_UNIFORM_TEXEL_BUFFER_BIT |
                                                 VK_FORMAT_FEATURE_STORAGE_TEXEL_BUFFER_BIT |
                                                 VK_FORMAT_FEATURE_VERTEX_BUFFER_BIT;

}  // namespace

bool Advertises(const PhysicalDevice& device, const std::string& extension) {
    const auto& list = device.config.extensions;
    return std::find(list.begin(), list.end(), extension) != list.end();
}

bool FeaturesPresent(const PhysicalDevice& device, const VkDeviceCreateInfo& info, std::string* missing) {
    if (info.pEnabledFeatures != nullptr && Missing(device, kCoreFeaturesStruct, info.pEnabledFeatures, missing)) {
        return false;
    }
    for (auto* base = static_cast<const VkBaseInStructure*>(info.pNext); base != nullptr; base = base->pNext) {
        if (base->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2) {
            const auto* features = reinterpret_cast<const VkPhysicalDeviceFeatures2*>(base);
            if (Missing(device, kCoreFeaturesStruct, &features->features, missing)) return false;
        } else if (const StructInfo* known = FindStruct(kFeaturesStructs, kFeaturesStructCount, base->sType)) {
            if (Missing(device, *known, base, missing)) return false;
        }
    }
    return true;
}

namespace impl {

void vkGetPhysicalDeviceProperties(VkPhysicalDevice physicalDevice, VkPhysicalDeviceProperties* pProperties) {
    const DeviceConfig& device = Of(physicalDevice)->config;
    VkPhysicalDeviceProperties& p = *pProperties;
    p = {};
    p.apiVersion = device.api_version;
    p.driverVersion = device.driver_version;
    p.vendorID = device.vendor_id;
    p.deviceID = device.device_id;
    p.deviceType = device.type;
    std::strncpy(p.deviceName, device.name.c_str(), VK_MAX_PHYSICAL_DEVICE_NAME_SIZE - 1);
    if (const PropertyValue* uuid = FindProperty(device, "pipelineCacheUUID")) {
        PutMember({"pipelineCacheUUID", 0, Kind::kU8, VK_UUID_SIZE}, *uuid, p.pipelineCacheUUID);
    }
    FillProperties(device, kLimitsStruct, &p.limits);
    FillProperties(device, kSparsePropertiesStruct, &p.sparseProperties);
}

void vkGetPhysicalDeviceProperties2(VkPhysicalDevice physicalDevice, VkPhysicalDeviceProperties2* pProperties) {
    vkGetPhysicalDeviceProperties(physicalDevice, &pProperties->properties);
    for (auto* base = static_cast<VkBaseOutStructure*>(pProperties->pNext); base != nullptr; base = base->pNext) {
        const StructInfo* known = FindStruct(kPropertiesStructs, kPropertiesStructCount, base->sType);
        if (known != nullptr) FillProperties(Of(physicalDevice)->config, *known, base);
    }
}

void vkGetPhysicalDeviceFeatures(VkPhysicalDevice physicalDevice, VkPhysicalDeviceFeatures* pFeatures) {
    FillFeatures(*Of(physicalDevice), kCoreFeaturesStruct, pFeatures);
}

void vkGetPhysicalDeviceFeatures2(VkPhysicalDevice physicalDevice, VkPhysicalDeviceFeatures2* pFeatures) {
    vkGetPhysicalDeviceFeatures(physicalDevice, &pFeatures->features);
    for (auto* base = static_cast<VkBaseOutStructure*>(pFeatures->pNext); base != nullptr; base = base->pNext) {
        const StructInfo* known = FindStruct(kFeaturesStructs, kFeaturesStructCount, base->sType);
        if (known != nullptr) FillFeatures(*Of(physicalDevice), *known, base);
    }
}

void vkGetPhysicalDeviceQueueFamilyProperties(VkPhysicalDevice physicalDevice, uint32_t* pQueueFamilyPropertyCount,
                                              VkQueueFamilyProperties* pQueueFamilyProperties) {
    const auto& families = Of(physicalDevice)->config.families;
    Enumerate(static_cast<uint32_t>(families.size()), pQueueFamilyPropertyCount, pQueueFamilyProperties,
              [&](uint32_t i, VkQueueFamilyProperties& out) { out = families[i]; });
}

void vkGetPhysicalDeviceQueueFamilyProperties2(VkPhysicalDevice physicalDevice, uint32_t* pQueueFamilyPropertyCount,
                                               VkQueueFamilyProperties2* pQueueFamilyProperties) {
    const auto& families = Of(physicalDevice)->config.families;
    Enumerate(static_cast<uint32_t>(families.size()), pQueueFamilyPropertyCount, pQueueFamilyProperties,
              [&](uint32_t i, VkQueueFamilyProperties2& out) { out.queueFamilyProperties = families[i]; });
}

void vkGetPhysicalDeviceMemoryProperties(VkPhysicalDevice physicalDevice,
                                         VkPhysicalDeviceMemoryProperties* pMemoryProperties) {
    const DeviceConfig& device = Of(physicalDevice)->config;
    *pMemoryProperties = {};
    pMemoryProperties->memoryHeapCount = static_cast<uint32_t>(device.heaps.size());
    std::copy(device.heaps.begin(), device.heaps.end(), pMemoryProperties->memoryHeaps);
    pMemoryProperties->memoryTypeCount = static_cast<uint32_t>(device.types.size());
    std::copy(device.types.begin(), device.types.end(), pMemoryProperties->memoryTypes);
}

void vkGetPhysicalDeviceMemoryProperties2(VkPhysicalDevice physicalDevice,
                                          VkPhysicalDeviceMemoryProperties2* pMemoryProperties) {
    vkGetPhysicalDeviceMemoryProperties(physicalDevice, &pMemoryProperties->memoryProperties);
    for (auto* base = static_cast<VkBaseOutStructure*>(pMemoryProperties->pNext); base != nullptr; base = base->pNext) {
        if (base->sType != VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT) continue;
        auto* budget = reinterpret_cast<VkPhysicalDeviceMemoryBudgetPropertiesEXT*>(base);
        const PhysicalDevice* device = Of(physicalDevice);
        for (uint32_t i = 0; i < VK_MAX_MEMORY_HEAPS; ++i) {
            const bool there = i < device->config.heaps.size();
            budget->heapBudget[i] = there ? device->config.heaps[i].size : 0;
            budget->heapUsage[i] = there ? device->heap_used[i].load(std::memory_order_relaxed) : 0;
        }
    }
}

void vkGetPhysicalDeviceFormatProperties(VkPhysicalDevice, VkFormat format, VkFormatProperties* pFormatProperties) {
    *pFormatProperties = {};
    if (format == VK_FORMAT_UNDEFINED) return;
    const bool depth = format >= VK_FORMAT_D16_UNORM && format <= VK_FORMAT_D32_SFLOAT_S8_UINT;
    const VkFormatFeatureFlags image =
        depth ? (kImageFeatures & ~(VK_FORMAT_FEATURE_COLOR_ATTACHMENT_BIT | VK_FORMAT_FEATURE_STORAGE_IMAGE_BIT)) |
                    VK_FORMAT_FEATURE_DEPTH_STENCIL_ATTACHMENT_BIT
              : kImageFeatures;
    *pFormatProperties = {depth ? 0 : image, image, depth ? 0 : kBufferFeatures};
}

void vkGetPhysicalDeviceFormatProperties2(VkPhysicalDevice physicalDevice, VkFormat format,
                                          VkFormatProperties2* pFormatProperties) {
    vkGetPhysicalDeviceFormatProperties(physicalDevice, format, &pFormatProperties->formatProperties);
    for (auto* base = static_cast<VkBaseOutStructure*>(pFormatProperties->pNext); base != nullptr; base = base->pNext) {
        if (base->sType != VK_STRUCTURE_TYPE_FORMAT_PROPERTIES_3) continue;
        auto* more = reinterpret_cast<VkFormatProperties3*>(base);
        more->linearTilingFeatures = pFormatProperties->formatProperties.linearTilingFeatures;
        more->optimalTilingFeatures = pFormatProperties->formatProperties.optimalTilingFeatures;
        more->bufferFeatures = pFormatProperties->formatProperties.bufferFeatures;
    }
}

VkResult vkGetPhysicalDeviceImageFormatProperties(VkPhysicalDevice physicalDevice, VkFormat format, VkImageType type,
                                                  VkImageTiling tiling, VkImageUsageFlags, VkImageCreateFlags,
                                                  VkImageFormatProperties* pImageFormatProperties) {
    *pImageFormatProperties = {};
    if (format == VK_FORMAT_UNDEFINED) return VK_ERROR_FORMAT_NOT_SUPPORTED;
    const DeviceConfig& device = Of(physicalDevice)->config;
    const auto number = [&](const char* name) { return static_cast<uint32_t>(PropertyNumber(device, name)); };
    VkImageFormatProperties& p = *pImageFormatProperties;
    const uint32_t side = number(type == VK_IMAGE_TYPE_1D   ? "maxImageDimension1D"
                                 : type == VK_IMAGE_TYPE_2D ? "maxImageDimension2D"
                                                            : "maxImageDimension3D");
    p.maxExtent = {side, type == VK_IMAGE_TYPE_1D ? 1 : side, type == VK_IMAGE_TYPE_3D ? side : 1};
    p.maxMipLevels = tiling == VK_IMAGE_TILING_LINEAR ? 1 : 15;
    p.maxArrayLayers = type == VK_IMAGE_TYPE_3D ? 1 : number("maxImageArrayLayers");
    p.sampleCounts = tiling == VK_IMAGE_TILING_LINEAR ? 1 : number("sampledImageColorSampleCounts");
    p.maxResourceSize = PropertyNumber(device, "maxMemoryAllocationSize");
    return VK_SUCCESS;
}

VkResult vkGetPhysicalDeviceImageFormatProperties2(VkPhysicalDevice physicalDevice,
                                                   const VkPhysicalDeviceImageFormatInfo2* pImageFormatInfo,
                                                   VkImageFormatProperties2* pImageFormatProperties) {
    const VkPhysicalDeviceImageFormatInfo2& i = *pImageFormatInfo;
    return vkGetPhysicalDeviceImageFormatProperties(physicalDevice, i.format, i.type, i.tiling, i.usage, i.flags,
                                                    &pImageFormatProperties->imageFormatProperties);
}

VkResult vkGetPhysicalDeviceCalibrateableTimeDomainsKHR(VkPhysicalDevice, uint32_t* pTimeDomainCount,
                                                        VkTimeDomainKHR* pTimeDomains) {
    const VkTimeDomainKHR domains[] = {VK_TIME_DOMAIN_DEVICE_KHR, VK_TIME_DOMAIN_CLOCK_MONOTONIC_KHR};
    return Enumerate(2, pTimeDomainCount, pTimeDomains, [&](uint32_t i, VkTimeDomainKHR& out) { out = domains[i]; });
}

}  // namespace impl
}  // namespace mock
