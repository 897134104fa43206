// SPDX-License-Identifier: Apache-2.0
#include "support/extensions.h"

#include <cstring>
#include <iterator>
#include <vector>
#include <vulkan/utility/vk_struct_helper.hpp>

#include "support/formatted.h"

namespace kronos {
namespace {

// Sorted; from the registry.
constexpr std::string_view kExtensions[] = {
#include "kronos/known_extensions.def"
};

}  // namespace

bool Offers(PFN_vkEnumerateDeviceExtensionProperties ask, VkPhysicalDevice physical, const char* extension) {
    uint32_t count = 0;
    if (ask(physical, nullptr, &count, nullptr) != VK_SUCCESS) return false;
    std::vector<VkExtensionProperties> all(count);
    if (ask(physical, nullptr, &count, all.data()) < VK_SUCCESS) return false;
    return std::any_of(all.begin(), all.begin() + count, [&](const VkExtensionProperties& one) {
        return std::strcmp(one.extensionName, extension) == 0;
    });
}

bool IsKnownExtension(std::string_view extension) {
    return std::binary_search(std::begin(kExtensions), std::end(kExtensions), extension);
}

std::vector<std::string> UnknownExtensions(const VkDeviceCreateInfo& info) {
    std::vector<std::string> unknown;
    for (const char* name : std::span(info.ppEnabledExtensionNames, info.enabledExtensionCount))
        if (!IsKnownExtension(name)) unknown.emplace_back(name);
    return unknown;
}

std::string NewerThanBuild(uint32_t program_version, const VkPhysicalDeviceProperties& properties) {
    const uint32_t version = std::min(program_version, properties.apiVersion);
    const uint32_t known = VK_HEADER_VERSION_COMPLETE;
    if (VK_API_VERSION_MAJOR(version) == VK_API_VERSION_MAJOR(known) &&
        VK_API_VERSION_MINOR(version) <= VK_API_VERSION_MINOR(known))
        return {};
    return Format("Vulkan {}.{} is newer than this build", VK_API_VERSION_MAJOR(version),
                  VK_API_VERSION_MINOR(version));
}

std::string GroupOfDevices(const VkDeviceCreateInfo& info) {
    const auto* group = vku::FindStructInPNextChain<VkDeviceGroupDeviceCreateInfo>(info.pNext);
    return group && group->physicalDeviceCount > 1 ? Format("a group of {} devices", group->physicalDeviceCount)
                                                   : std::string();
}

}  // namespace kronos
