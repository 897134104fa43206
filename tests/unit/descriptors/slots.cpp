// SPDX-License-Identifier: Apache-2.0
#include "slots.h"

#include <algorithm>
#include <cstring>

namespace fake {
namespace {

template <class Handle>
uint64_t Number(Handle handle) {
    return reinterpret_cast<uint64_t>(handle);
}

}  // namespace

SetLayout LayoutOf(const VkDescriptorSetLayoutCreateInfo& info) {
    SetLayout layout;
    for (uint32_t i = 0; i < info.bindingCount; ++i) {
        const VkDescriptorSetLayoutBinding& from = info.pBindings[i];
        const bool block = from.descriptorType == VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK;
        layout.push_back({from.binding, from.descriptorType, block ? from.descriptorCount / 4 : from.descriptorCount, 0,
                          from.pImmutableSamplers != nullptr});
    }
    std::sort(layout.begin(), layout.end(), [](const auto& a, const auto& b) { return a.number < b.number; });
    uint32_t first = 0;
    for (LayoutBinding& binding : layout) {
        binding.first = first;
        first += binding.slots;
    }
    return layout;
}

const LayoutBinding& BindingOf(const SetLayout& layout, uint32_t number) {
    return *std::find_if(layout.begin(), layout.end(), [&](const auto& one) { return one.number == number; });
}

uint32_t SlotsOf(const SetLayout& layout) { return layout.empty() ? 0 : layout.back().first + layout.back().slots; }

void Sets::Add(uint64_t handle, const SetLayout& layout, uint64_t life) {
    sets_[handle] = {layout, std::vector<Slot>(SlotsOf(layout)), life, 0};
}

uint64_t Sets::LifeOf(const std::map<uint64_t, uint64_t>& lives, uint64_t handle) {
    if (!handle) return 0;
    const auto found = lives.find(handle);
    if (found == lives.end()) ++unknown_names;
    return found == lives.end() ? 0 : found->second;
}

Slot Sets::Named(const Names& names, const LayoutBinding& binding, const void* info) {
    Slot slot;
    slot.written = true;
    switch (binding.type) {
        case VK_DESCRIPTOR_TYPE_SAMPLER:
            slot.object = LifeOf(names.samplers, Number(static_cast<const VkDescriptorImageInfo*>(info)->sampler));
            break;
        case VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER:
        case VK_DESCRIPTOR_TYPE_STORAGE_IMAGE: {
            const auto& image = *static_cast<const VkDescriptorImageInfo*>(info);
            slot.object = LifeOf(names.views, Number(image.imageView));
            slot.offset = image.imageLayout;
            if (binding.type == VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER && !binding.immutable)
                slot.sampler = LifeOf(names.samplers, Number(image.sampler));
            break;
        }
        case VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER:
            slot.object = LifeOf(names.texels, Number(*static_cast<const VkBufferView*>(info)));
            break;
        default: {
            const auto& buffer = *static_cast<const VkDescriptorBufferInfo*>(info);
            slot.object = LifeOf(names.buffers, Number(buffer.buffer));
            slot.offset = buffer.offset;
            slot.range = buffer.range;
        }
    }
    return slot;
}

void Sets::Write(const Names& names, const VkWriteDescriptorSet& write) {
    // As a template of one entry, with its data one behind the other.
    VkDescriptorUpdateTemplateEntry entry = {
        write.dstBinding, write.dstArrayElement, write.descriptorCount, write.descriptorType, 0, 0};
    const void* data = write.pBufferInfo;
    entry.stride = sizeof(VkDescriptorBufferInfo);
    switch (write.descriptorType) {
        case VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK:
            data = static_cast<const VkWriteDescriptorSetInlineUniformBlock*>(write.pNext)->pData;
            break;
        case VK_DESCRIPTOR_TYPE_SAMPLER:
        case VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER:
        case VK_DESCRIPTOR_TYPE_STORAGE_IMAGE:
            data = write.pImageInfo;
            entry.stride = sizeof(VkDescriptorImageInfo);
            break;
        case VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER:
            data = write.pTexelBufferView;
            entry.stride = sizeof(VkBufferView);
            break;
        default:
            break;
    }
    Write(names, Number(write.dstSet), {entry}, data);
}

void Sets::Write(const Names& names, uint64_t handle, const std::vector<VkDescriptorUpdateTemplateEntry>& entries,
                 const void* data) {
    Set& set = At(handle);
    ++set.version;
    for (const VkDescriptorUpdateTemplateEntry& entry : entries) {
        const LayoutBinding& binding = BindingOf(set.layout, entry.dstBinding);
        const char* from = static_cast<const char*>(data) + entry.offset;
        if (entry.descriptorType == VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK) {
            for (uint32_t i = 0; i < entry.descriptorCount / 4; ++i) {
                uint32_t bytes = 0;
                std::memcpy(&bytes, from + i * 4, 4);
                set.slots.at(binding.first + entry.dstArrayElement / 4 + i) = {true, 0, 0, bytes, 0};
            }
            continue;
        }
        // Behind a binding's last element comes the next binding's first.
        for (uint32_t i = 0; i < entry.descriptorCount; ++i) {
            const uint32_t at = binding.first + entry.dstArrayElement + i;
            const auto& owner = *std::find_if(set.layout.begin(), set.layout.end(),
                                              [&](const auto& one) { return at < one.first + one.slots; });
            set.slots.at(at) = Named(names, owner, from + i * entry.stride);
        }
    }
}

void Sets::Copy(const VkCopyDescriptorSet& copy) {
    const Set& from = At(Number(copy.srcSet));
    Set& to = At(Number(copy.dstSet));
    ++to.version;
    const LayoutBinding& source = BindingOf(from.layout, copy.srcBinding);
    const LayoutBinding& target = BindingOf(to.layout, copy.dstBinding);
    const uint32_t unit = target.type == VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK ? 4 : 1;
    for (uint32_t i = 0; i < copy.descriptorCount / unit; ++i)
        to.slots.at(target.first + copy.dstArrayElement / unit + i) =
            from.slots.at(source.first + copy.srcArrayElement / unit + i);
}

}  // namespace fake
