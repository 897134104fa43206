// SPDX-License-Identifier: Apache-2.0
#include "stream/streaming.h"

#include <string_view>
#include <vulkan/utility/vk_struct_helper.hpp>

#include "support/extensions.h"
#include "support/formatted.h"
#include "support/vendors.h"

namespace kronos {

StreamPolicy ChooseStreams(RecorderMode wanted, const VkDeviceCreateInfo& info, uint32_t program_version,
                           const VkPhysicalDeviceProperties& properties) {
    StreamPolicy policy;
    if (wanted == RecorderMode::kOff) {
        policy.why = "off by setting";
        return policy;
    }
    policy.why = NewerThanBuild(program_version, properties);
    if (!policy.why.empty()) return policy;
    for (uint32_t i = 0; i < info.enabledExtensionCount; ++i) {
        const std::string_view name = info.ppEnabledExtensionNames[i];
        if (IsKnownExtension(name) && name != kWritesSets) continue;
        policy.why = name == kWritesSets ? Format("{} writes descriptor sets that nobody sees", name)
                                         : Format("{} is not known to this build", name);
        return policy;
    }
    policy.why = GroupOfDevices(info);
    if (!policy.why.empty()) return policy;
    policy.mode = wanted;
    // Measured by tools/bench, group "barriers": with MEMORY_READ or INDIRECT_COMMAND_READ in its destination a barrier
    // takes twice as long there. Of others nothing is known, so their masks stay.
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
