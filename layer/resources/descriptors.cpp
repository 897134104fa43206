// SPDX-License-Identifier: Apache-2.0
#include "resources/descriptors.h"

#include <algorithm>

#include "resources/resources.h"

namespace kronos {
namespace {

constexpr Descriptor kUnknownDescriptor;

Descriptor Nothing() {
    Descriptor nothing;
    nothing.state = Descriptor::State::kNothing;
    return nothing;
}

Descriptor Memory(const MemoryRange& where) {
    Descriptor made;
    made.state = Descriptor::State::kMemory;
    made.where = where;
    made.whole_begin = where.begin;
    made.whole_end = where.end;
    return made;
}

// A written object that is not known may have any memory; what may be done to it is known all the same.
Descriptor OfBuffer(const Resources& resources, const VkDescriptorBufferInfo& info) {
    if (!info.buffer) return Nothing();
    const BufferFacts* buffer = resources.FindBuffer(info.buffer);
    if (!buffer) return Memory({});
    Descriptor made = Memory(PartOf(buffer->where, info.offset, info.range));
    made.to_end = info.range == VK_WHOLE_SIZE;
    if (made.where.memory == buffer->where.memory) {
        made.whole_begin = buffer->where.begin;
        made.whole_end = buffer->reserved;
    }
    return made;
}

Descriptor OfImage(const Resources& resources, const VkDescriptorImageInfo& info) {
    if (!info.imageView) return Nothing();
    const ImageViewFacts* view = resources.FindImageView(info.imageView);
    if (!view) return Memory({});
    Descriptor made = Memory(view->where);
    return made;
}

Descriptor OfTexels(const Resources& resources, VkBufferView handle) {
    if (!handle) return Nothing();
    const BufferViewFacts* view = resources.FindBufferView(handle);
    if (!view) return Memory({});
    Descriptor made = Memory(view->where);
    if (made.where.memory == view->whole.memory) {
        made.whole_begin = view->whole.begin;
        made.whole_end = view->whole.end;
    }
    return made;
}

// `info`: the structure or handle that descriptors of the type are written from.
Descriptor Written(const Resources& resources, VkDescriptorType type, const void* info) {
    switch (type) {
        case VK_DESCRIPTOR_TYPE_SAMPLER:
            return Nothing();
        case VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER:
        case VK_DESCRIPTOR_TYPE_SAMPLED_IMAGE:
        case VK_DESCRIPTOR_TYPE_STORAGE_IMAGE:
        case VK_DESCRIPTOR_TYPE_INPUT_ATTACHMENT:
            return OfImage(resources, *static_cast<const VkDescriptorImageInfo*>(info));
        case VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER:
        case VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER:
            return OfTexels(resources, *static_cast<const VkBufferView*>(info));
        case VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER:
        case VK_DESCRIPTOR_TYPE_STORAGE_BUFFER:
        case VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER_DYNAMIC:
        case VK_DESCRIPTOR_TYPE_STORAGE_BUFFER_DYNAMIC:
            return OfBuffer(resources, *static_cast<const VkDescriptorBufferInfo*>(info));
        default:
            return kUnknownDescriptor;
    }
}

// Calls visit(descriptor, i) for the i-th of `count` consecutive descriptors from `element` of `binding` on. Where a
// binding ends the next one follows, those without descriptors left out. Descriptors that are of another type are none
// that the update may name: they become unknown. False: the update goes beyond the set.
template <class Visit>
bool ForEachDescriptor(const SetLayoutFacts& layout, std::span<Descriptor> descriptors, VkDescriptorType type,
                       uint32_t binding, uint32_t element, uint32_t count, Visit visit) {
    const SetBinding* at = layout.Find(binding);
    if (!at) return false;
    const SetBinding* const end = layout.bindings.data() + layout.bindings.size();
    for (uint32_t i = 0; i < count; ++i, ++element) {
        while (element >= at->count) {
            element -= at->count;
            if (++at == end) return false;
        }
        if (at->type == VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK) return false;
        const size_t index = size_t{at->first} + element;
        if (index >= descriptors.size()) return false;
        if (at->type == type)
            visit(descriptors[index], i);
        else
            descriptors[index] = kUnknownDescriptor;
    }
    return true;
}

// An update that cannot be: nobody knows what the driver makes of it.
void ForgetAll(std::span<Descriptor> descriptors) {
    std::fill(descriptors.begin(), descriptors.end(), kUnknownDescriptor);
}

}  // namespace

void WriteDescriptors(const Resources& resources, const SetLayoutFacts& layout, std::span<Descriptor> descriptors,
                      const VkWriteDescriptorSet& write) noexcept {
    const VkDescriptorType type = write.descriptorType;
    if (type == VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK) return;  // bytes in the set itself
    const bool known = !write.pNext;
    const auto info = [&](uint32_t i) -> const void* {
        switch (type) {
            case VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER:
            case VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER:
                return write.pTexelBufferView + i;
            case VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER:
            case VK_DESCRIPTOR_TYPE_STORAGE_BUFFER:
            case VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER_DYNAMIC:
            case VK_DESCRIPTOR_TYPE_STORAGE_BUFFER_DYNAMIC:
                return write.pBufferInfo + i;
            default:
                return write.pImageInfo + i;
        }
    };
    if (!ForEachDescriptor(layout, descriptors, type, write.dstBinding, write.dstArrayElement, write.descriptorCount,
                           [&](Descriptor& descriptor, uint32_t i) {
                               descriptor = known ? Written(resources, type, info(i)) : kUnknownDescriptor;
                           }))
        ForgetAll(descriptors);
}

void WriteDescriptors(const Resources& resources, const SetLayoutFacts& layout, std::span<Descriptor> descriptors,
                      const UpdateTemplate& update_template, const void* data) noexcept {
    for (const VkDescriptorUpdateTemplateEntry& entry : update_template.entries) {
        if (entry.descriptorType == VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK) continue;
        const char* bytes = static_cast<const char*>(data) + entry.offset;
        if (!ForEachDescriptor(layout, descriptors, entry.descriptorType, entry.dstBinding, entry.dstArrayElement,
                               entry.descriptorCount, [&](Descriptor& descriptor, uint32_t i) {
                                   descriptor = Written(resources, entry.descriptorType, bytes + i * entry.stride);
                               }))
            return ForgetAll(descriptors);
    }
}

void CopyDescriptors(const DescriptorSet* source, DescriptorSet& destination,
                     const VkCopyDescriptorSet& copy) noexcept {
    const SetLayoutFacts& to_layout = *destination.layout;
    const SetBinding* to = to_layout.Find(copy.dstBinding);
    if (to && to->type == VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK) return;
    const SetLayoutFacts* from_layout = source && source->layout ? source->layout.get() : nullptr;
    const SetBinding* from = from_layout && from_layout->understood ? from_layout->Find(copy.srcBinding) : nullptr;
    const auto source_of = [&](uint32_t i) {
        const size_t index = from ? size_t{from->first} + copy.srcArrayElement + i : ~size_t{0};
        return from && index < source->descriptors.size() ? source->descriptors[index] : kUnknownDescriptor;
    };
    const auto take = [&](Descriptor& descriptor, uint32_t i) { descriptor = source_of(i); };
    if (!to || (from && from->type != to->type) ||
        !ForEachDescriptor(to_layout, destination.descriptors, to->type, copy.dstBinding, copy.dstArrayElement,
                           copy.descriptorCount, take))
        ForgetAll(destination.descriptors);
}

}  // namespace kronos
