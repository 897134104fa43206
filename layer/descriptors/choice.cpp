// SPDX-License-Identifier: Apache-2.0
#include "descriptors/choice.h"

#include <algorithm>
#include <iterator>
#include <string_view>

#include "support/extensions.h"
#include "support/formatted.h"

namespace kronos {
namespace {

// Sorted, from the registry: those that change what a set is or may be used for.
constexpr std::string_view kOfSets[] = {
#include "kronos/set_extensions.def"
};

// Sorted. What they add is a type or flag that makes a layout or pool one that is not understood, or a command that
// commands.def has.
constexpr std::string_view kReviewed[] = {
    VK_EXT_DESCRIPTOR_BUFFER_EXTENSION_NAME,
    VK_EXT_DESCRIPTOR_INDEXING_EXTENSION_NAME,
    VK_EXT_INLINE_UNIFORM_BLOCK_EXTENSION_NAME,
    VK_EXT_MUTABLE_DESCRIPTOR_TYPE_EXTENSION_NAME,
    VK_EXT_SHADER_OBJECT_EXTENSION_NAME,
    VK_KHR_ACCELERATION_STRUCTURE_EXTENSION_NAME,
    VK_KHR_DESCRIPTOR_UPDATE_TEMPLATE_EXTENSION_NAME,
    VK_KHR_MAINTENANCE_6_EXTENSION_NAME,
    VK_KHR_PUSH_DESCRIPTOR_EXTENSION_NAME,
    VK_NV_DESCRIPTOR_POOL_OVERALLOCATION_EXTENSION_NAME,
    VK_NV_RAY_TRACING_EXTENSION_NAME,
    VK_VALVE_MUTABLE_DESCRIPTOR_TYPE_EXTENSION_NAME,
};

template <size_t N>
bool IsOneOf(const std::string_view (&sorted)[N], std::string_view name) {
    return std::binary_search(std::begin(sorted), std::end(sorted), name);
}

}  // namespace

DescriptorPolicy ChooseDescriptors(bool wanted, const VkDeviceCreateInfo& info, uint32_t program_version,
                                   const VkPhysicalDeviceProperties& properties) {
    DescriptorPolicy policy;
    if (!wanted) {
        policy.why = "off by setting";
        return policy;
    }
    policy.refused = true;
    policy.why = NewerThanBuild(program_version, properties);
    if (!policy.why.empty()) return policy;
    for (uint32_t i = 0; i < info.enabledExtensionCount; ++i) {
        const std::string_view name = info.ppEnabledExtensionNames[i];
        if (name == kWritesSets) {
            policy.why = Format("{} writes descriptor sets that nobody sees", name);
            return policy;
        }
        if (policy.why.empty() && (!IsKnownExtension(name) || (IsOneOf(kOfSets, name) && !IsOneOf(kReviewed, name))))
            policy.why = Format("{} is not reviewed", name);
    }
    policy.shadow = true;
    if (policy.why.empty()) policy.why = GroupOfDevices(info);
    if (!policy.why.empty()) return policy;
    policy.refused = false;
    policy.persistent = true;
    policy.why = "by setting";
    return policy;
}

}  // namespace kronos
