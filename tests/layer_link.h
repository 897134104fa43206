// SPDX-License-Identifier: Apache-2.0
// What layers of the tests need of the loader's contract with layers. Shares nothing with the layer that they look at.
// Any thread.
#pragma once

#include <vulkan/vk_layer.h>
#include <vulkan/vulkan.h>

// The link that the loader put into pNext for this layer; it is ours to advance.
template <typename Link>
Link* FindLink(const void* next, VkStructureType type) {
    for (auto* in = static_cast<const VkBaseInStructure*>(next); in != nullptr; in = in->pNext) {
        if (in->sType != type) continue;
        auto* const link = reinterpret_cast<Link*>(const_cast<VkBaseInStructure*>(in));
        if (link->function == VK_LAYER_LINK_INFO) return link;
    }
    return nullptr;
}
