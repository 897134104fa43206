// SPDX-License-Identifier: Apache-2.0
#include "submission/timelines.h"

#include <vulkan/vk_layer.h>

#include <cstring>
#include <vulkan/utility/vk_struct_helper.hpp>

#include "support/extensions.h"
#include "support/formatted.h"

namespace kronos {
namespace {

// 0: not known.
size_t SizeOf(VkStructureType type) {
    switch (type) {
#define NODE(type, name) \
    case type:           \
        return sizeof(name);
#include "kronos/device_chain.def"
#undef NODE
        case VK_STRUCTURE_TYPE_LOADER_DEVICE_CREATE_INFO:
            return sizeof(VkLayerDeviceCreateInfo);
        default:
            return 0;
    }
}

}  // namespace

WithTimelines::WithTimelines(const VkDeviceCreateInfo& program, const TimelineSupport& support)
    : program_(program), copy_(program) {
    const auto* all = vku::FindStructInPNextChain<VkPhysicalDeviceVulkan12Features>(program.pNext);
    const auto* alone = vku::FindStructInPNextChain<VkPhysicalDeviceTimelineSemaphoreFeatures>(program.pNext);
    if ((all && all->timelineSemaphore) || (alone && alone->timelineSemaphore)) return;
    if (!support.feature) {
        why_not_ = "the device has no timeline semaphores";
        return;
    }
    if (support.version < VK_API_VERSION_1_2 && !Enables(program, VK_KHR_TIMELINE_SEMAPHORE_EXTENSION_NAME)) {
        if (support.version < VK_API_VERSION_1_1 || !support.extension) {
            why_not_ = "the program's version of Vulkan has no timeline semaphores";
            return;
        }
        extensions_.assign(program.ppEnabledExtensionNames,
                           program.ppEnabledExtensionNames + program.enabledExtensionCount);
        extensions_.push_back(VK_KHR_TIMELINE_SEMAPHORE_EXTENSION_NAME);
        copy_.enabledExtensionCount = static_cast<uint32_t>(extensions_.size());
        copy_.ppEnabledExtensionNames = extensions_.data();
    }
    if (all || alone) {
        VkBaseOutStructure* node = CopyChain(all ? static_cast<const void*>(all) : alone);
        if (!node) return;
        if (all)
            reinterpret_cast<VkPhysicalDeviceVulkan12Features*>(node)->timelineSemaphore = VK_TRUE;
        else
            reinterpret_cast<VkPhysicalDeviceTimelineSemaphoreFeatures*>(node)->timelineSemaphore = VK_TRUE;
    } else {
        feature_.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_TIMELINE_SEMAPHORE_FEATURES;
        feature_.pNext = const_cast<void*>(copy_.pNext);  // the member is not const, but nobody writes through it
        feature_.timelineSemaphore = VK_TRUE;
        copy_.pNext = &feature_;
    }
    changed_ = true;
}

// Copies the chain up to the structure `until`, which it returns; what follows is the program's. nullptr: something
// before it is not known.
VkBaseOutStructure* WithTimelines::CopyChain(const void* until) {
    const void** link = &copy_.pNext;
    for (const auto* from = static_cast<const VkBaseInStructure*>(program_.pNext);; from = from->pNext) {
        const size_t size = SizeOf(from->sType);
        if (!size) {
            why_not_ = Format("the structure {} before the device's features is not known to this build",
                              static_cast<int>(from->sType));
            return nullptr;
        }
        nodes_.push_back(std::make_unique<std::byte[]>(size));
        std::memcpy(nodes_.back().get(), from, size);
        auto* node = reinterpret_cast<VkBaseOutStructure*>(nodes_.back().get());
        *link = node;
        link = const_cast<const void**>(reinterpret_cast<void**>(&node->pNext));
        if (from == until) return node;
    }
}

}  // namespace kronos
