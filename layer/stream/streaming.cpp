// SPDX-License-Identifier: Apache-2.0
#include "stream/streaming.h"

#include <vulkan/utility/vk_struct_helper.hpp>

#include <algorithm>
#include <iterator>
#include <string_view>

#include "support/extensions.h"
#include "support/formatted.h"

namespace kronos {
namespace {

// Sorted; from the registry.
constexpr std::string_view kExtensions[] = {
#include "kronos/known_extensions.def"
};

// Its sets are written through pointers.
constexpr std::string_view kWritesSets = VK_VALVE_DESCRIPTOR_SET_HOST_MAPPING_EXTENSION_NAME;

bool IsKnown(std::string_view extension) {
    return std::binary_search(std::begin(kExtensions), std::end(kExtensions), extension);
}

// Measured by tools/bench, group "barriers": with MEMORY_READ or INDIRECT_COMMAND_READ in its destination a barrier
// takes twice as long there. Of others nothing is known, so their masks stay.
constexpr uint32_t kNvidia = 0x10DE;

}  // namespace

StreamPolicy ChooseStreams(RecorderMode wanted, const VkDeviceCreateInfo& info, uint32_t program_version,
                           const VkPhysicalDeviceProperties& properties) {
    StreamPolicy policy;
    if (wanted == RecorderMode::kOff) {
        policy.why = "off by setting";
        return policy;
    }
    const uint32_t version = std::min(program_version, properties.apiVersion);
    const uint32_t known = VK_HEADER_VERSION_COMPLETE;
    if (VK_API_VERSION_MAJOR(version) != VK_API_VERSION_MAJOR(known) ||
        VK_API_VERSION_MINOR(version) > VK_API_VERSION_MINOR(known)) {
        policy.why = Format("Vulkan {}.{} is newer than this build", VK_API_VERSION_MAJOR(version),
                            VK_API_VERSION_MINOR(version));
        return policy;
    }
    for (uint32_t i = 0; i < info.enabledExtensionCount; ++i) {
        const std::string_view name = info.ppEnabledExtensionNames[i];
        if (IsKnown(name) && name != kWritesSets) continue;
        policy.why = name == kWritesSets ? Format("{} writes descriptor sets that nobody sees", name)
                                         : Format("{} is not known to this build", name);
        return policy;
    }
    const auto* group = vku::FindStructInPNextChain<VkDeviceGroupDeviceCreateInfo>(info.pNext);
    if (group && group->physicalDeviceCount > 1) {
        policy.why = Format("a group of {} devices", group->physicalDeviceCount);
        return policy;
    }
    policy.mode = wanted;
    // Shaders may read acceleration structures, which no kind of access stands for.
    policy.narrow = properties.vendorID == kNvidia && !Enables(info, VK_KHR_ACCELERATION_STRUCTURE_EXTENSION_NAME) &&
                    !Enables(info, VK_NV_RAY_TRACING_EXTENSION_NAME);
    policy.why = "by setting";
    return policy;
}

ResourceOptions BoundsOf(const VkDeviceCreateInfo& info) {
    const auto* features2 = vku::FindStructInPNextChain<VkPhysicalDeviceFeatures2>(info.pNext);
    const VkPhysicalDeviceFeatures* features = features2 ? &features2->features : info.pEnabledFeatures;
    const auto* second = vku::FindStructInPNextChain<VkPhysicalDeviceRobustness2FeaturesEXT>(info.pNext);
    ResourceOptions options;
    options.round_up = second && second->robustBufferAccess2;
    options.widen_writes = features && features->robustBufferAccess && !options.round_up;
    return options;
}

}  // namespace kronos
