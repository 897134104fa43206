// SPDX-License-Identifier: Apache-2.0
#include "resources/descriptors.h"

#include <algorithm>
#include <cstring>

#include "resources/resources.h"
#include "support/handle_bits.h"

namespace kronos {
namespace {

constexpr Descriptor kUnknownDescriptor;
const Identity kUnknownIdentity = Identity::Unknown();

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

// A descriptor as an access sees it, and as the driver does.
struct Seen {
    Descriptor access;
    Identity identity = kUnknownIdentity;
};

template <class Facts>
uint64_t Uid(const Facts& facts) {
    return facts.lasting ? facts.uid : facts.uid | Identity::kLoose;
}

// A written object that is not known may have any memory; what may be done to it is known all the same.
Descriptor AccessOf(const BufferFacts& buffer, const VkDescriptorBufferInfo& info) {
    Descriptor made = Memory(PartOf(buffer.where, info.offset, info.range));
    made.to_end = info.range == VK_WHOLE_SIZE;
    if (made.where.memory == buffer.where.memory) {
        made.whole_begin = buffer.where.begin;
        made.whole_end = buffer.reserved;
    }
    return made;
}

Seen OfBuffer(const Resources& resources, const VkDescriptorBufferInfo& info) {
    Seen seen;
    seen.access = Nothing();
    seen.identity = {.object = Identity::kNull, .offset = info.offset, .range = info.range};
    if (!info.buffer) return seen;
    seen.access = Memory({});
    seen.identity = kUnknownIdentity;
    const BufferFacts* buffer = resources.FindBuffer(info.buffer);
    if (!buffer) return seen;
    seen.access = AccessOf(*buffer, info);
    // Without memory it may mean another address the next time.
    if (buffer->where.memory != MemoryRange::kEverything)
        seen.identity = {.object = Uid(*buffer),
                         .offset = info.offset,
                         .range = info.range,
                         .object_handle = HandleBits(info.buffer)};
    return seen;
}

// The uid of a sampler, or what stands for one.
uint64_t SamplerUid(const Resources& resources, VkSampler handle) {
    if (!handle) return Identity::kNull;
    const SamplerFacts* sampler = resources.FindSampler(handle);
    return sampler ? Uid(*sampler) : Identity::kUnknown;
}

Seen OfSampler(const Resources& resources, const SetBinding& binding, const VkDescriptorImageInfo& info) {
    Seen seen;
    seen.access = Nothing();
    if (binding.immutable_samplers) return seen;  // nobody may write it
    seen.identity = {.object = SamplerUid(resources, info.sampler), .object_handle = HandleBits(info.sampler)};
    return seen;
}

Seen OfImage(const Resources& resources, const SetBinding& binding, const VkDescriptorImageInfo& info) {
    Seen seen;
    const ImageViewFacts* view = info.imageView ? resources.FindImageView(info.imageView) : nullptr;
    seen.access = info.imageView ? Memory(view ? view->where : MemoryRange{}) : Nothing();
    seen.identity = {.object = !info.imageView ? Identity::kNull
                               : view          ? Uid(*view)
                                               : Identity::kUnknown,
                     .offset = static_cast<uint64_t>(info.imageLayout),
                     .object_handle = HandleBits(info.imageView)};
    if (binding.type == VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER && !binding.immutable_samplers) {
        seen.identity.sampler = SamplerUid(resources, info.sampler);
        seen.identity.sampler_handle = HandleBits(info.sampler);
    }
    return seen;
}

Seen OfTexels(const Resources& resources, VkBufferView handle) {
    Seen seen;
    seen.access = Nothing();
    seen.identity = {.object = Identity::kNull};
    if (!handle) return seen;
    seen.access = Memory({});
    seen.identity = kUnknownIdentity;
    const BufferViewFacts* view = resources.FindBufferView(handle);
    if (!view) return seen;
    seen.access = Memory(view->where);
    if (seen.access.where.memory == view->whole.memory) {
        seen.access.whole_begin = view->whole.begin;
        seen.access.whole_end = view->whole.end;
    }
    seen.identity = {.object = Uid(*view), .object_handle = HandleBits(handle)};
    return seen;
}

// `info`: the structure or handle that descriptors of the binding's type are written from.
Seen Written(const Resources& resources, const SetBinding& binding, const void* info) {
    switch (binding.type) {
        case VK_DESCRIPTOR_TYPE_SAMPLER:
            return OfSampler(resources, binding, *static_cast<const VkDescriptorImageInfo*>(info));
        case VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER:
        case VK_DESCRIPTOR_TYPE_SAMPLED_IMAGE:
        case VK_DESCRIPTOR_TYPE_STORAGE_IMAGE:
        case VK_DESCRIPTOR_TYPE_INPUT_ATTACHMENT:
            return OfImage(resources, binding, *static_cast<const VkDescriptorImageInfo*>(info));
        case VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER:
        case VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER:
            return OfTexels(resources, *static_cast<const VkBufferView*>(info));
        case VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER:
        case VK_DESCRIPTOR_TYPE_STORAGE_BUFFER:
        case VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER_DYNAMIC:
        case VK_DESCRIPTOR_TYPE_STORAGE_BUFFER_DYNAMIC:
            return OfBuffer(resources, *static_cast<const VkDescriptorBufferInfo*>(info));
        default:
            return {kUnknownDescriptor, kUnknownIdentity};
    }
}

bool IsBuffer(VkDescriptorType type) {
    return type == VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER || type == VK_DESCRIPTOR_TYPE_STORAGE_BUFFER || IsDynamic(type);
}

// Puts descriptors in their place, and keeps what that changed.
class Placing {
  public:
    explicit Placing(const SetContent& content) : content_(content) {}

    void Place(size_t index, const Seen& seen) {
        if (!content_.identities.empty()) {
            Identity& identity = content_.identities[index];
            if (!seen.identity.Known())
                change_ = Change::kUnknown;
            else if (identity == seen.identity)
                return;
            else if (!seen.identity.MayWait())
                Changed(Change::kLoose);
            identity = seen.identity;
        }
        if (change_ == Change::kNone) change_ = Change::kKnown;
        content_.descriptors[index] = seen.access;
    }
    // What most writes are of, in place.
    void PlaceBuffer(const Resources& resources, size_t index, const VkDescriptorBufferInfo& info) {
        const BufferFacts* buffer = info.buffer ? resources.FindBuffer(info.buffer) : nullptr;
        if (content_.identities.empty()) {
            content_.descriptors[index] = buffer ? AccessOf(*buffer, info) : info.buffer ? Memory({}) : Nothing();
            return Changed(Change::kKnown);
        }
        if (!buffer || buffer->where.memory == MemoryRange::kEverything) return Place(index, OfBuffer(resources, info));
        Identity& identity = content_.identities[index];
        const uint64_t uid = Uid(*buffer);
        if (identity.object == uid && identity.offset == info.offset && identity.range == info.range) return;
        identity = {
            .object = uid, .offset = info.offset, .range = info.range, .object_handle = HandleBits(info.buffer)};
        content_.descriptors[index] = AccessOf(*buffer, info);
        Changed(buffer->lasting ? Change::kKnown : Change::kLoose);
    }
    void PlaceWord(size_t index, uint64_t word) {
        if (index >= content_.words.size()) return Changed(Change::kKnown);
        if (word == kUnknownWord)
            change_ = Change::kUnknown;
        else if (content_.words[index] == word)
            return;
        content_.words[index] = word;
        Changed(Change::kKnown);
    }
    // An update that cannot be: nobody knows what the driver makes of it.
    void ForgetAll() {
        std::fill(content_.descriptors.begin(), content_.descriptors.end(), kUnknownDescriptor);
        std::fill(content_.identities.begin(), content_.identities.end(), kUnknownIdentity);
        std::fill(content_.words.begin(), content_.words.end(), kUnknownWord);
        change_ = Change::kUnknown;
    }
    void Changed(Change change) {
        if (change > change_) change_ = change;
    }
    Change change() const { return change_; }
    size_t size() const { return content_.descriptors.size(); }

  private:
    const SetContent& content_;
    Change change_ = Change::kNone;
};

// Calls place(index, binding, i) for the i-th of `count` consecutive descriptors from `element` of `binding` on. Where
// a binding ends the next one follows, those without descriptors left out. Descriptors that are of another type are
// none that the update may name: they become unknown. What goes beyond the set makes all of it unknown.
template <class Place>
void ForEachDescriptor(const SetLayoutFacts& layout, Placing& placing, VkDescriptorType type, uint32_t binding,
                       uint32_t element, uint32_t count, Place place) {
    const SetBinding* at = layout.Find(binding);
    if (!at) return placing.ForgetAll();
    const SetBinding* const end = layout.bindings.data() + layout.bindings.size();
    for (uint32_t i = 0; i < count; ++i, ++element) {
        while (element >= at->count) {
            element -= at->count;
            if (++at == end) return placing.ForgetAll();
        }
        if (at->type == VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK) return placing.ForgetAll();
        const size_t index = size_t{at->first} + element;
        if (index >= placing.size()) return placing.ForgetAll();
        if (at->type == type)
            place(index, *at, i);
        else
            placing.Place(index, {kUnknownDescriptor, kUnknownIdentity});
    }
}

// Bytes of an inline uniform block. `data` nullptr: nobody knows which.
void WriteBytes(const SetLayoutFacts& layout, Placing& placing, uint32_t binding, uint32_t offset, uint32_t size,
                const void* data) {
    const SetBinding* at = layout.Find(binding);
    if (!at || at->type != VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK || offset % 4 || size % 4 || offset > at->count ||
        size > at->count - offset)
        return placing.ForgetAll();
    for (uint32_t i = 0; i < size / 4; ++i) {
        uint32_t bytes = 0;
        if (data) std::memcpy(&bytes, static_cast<const char*>(data) + size_t{i} * 4, sizeof bytes);
        placing.PlaceWord(size_t{at->first_word} + offset / 4 + i, data ? WordOf(bytes) : kUnknownWord);
    }
}

bool Fits(const SetLayoutFacts& layout, VkDescriptorType type, uint32_t binding, uint32_t element, uint32_t count) {
    const SetBinding* at = layout.Find(binding);
    if (type == VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK)
        return at && at->type == type && element % 4 == 0 && count % 4 == 0 && element <= at->count &&
               count <= at->count - element;
    const SetBinding* const end = layout.bindings.data() + layout.bindings.size();
    for (uint64_t last = uint64_t{element} + count; at && at != end; last -= at->count, ++at) {
        if (at->type != type) return false;
        if (last <= at->count) return true;
    }
    return false;
}

}  // namespace

bool Fits(const SetLayoutFacts& layout, const VkWriteDescriptorSet& write) noexcept {
    return Fits(layout, write.descriptorType, write.dstBinding, write.dstArrayElement, write.descriptorCount);
}

bool Fits(const SetLayoutFacts& layout, const UpdateTemplate* update_template) noexcept {
    return update_template && std::all_of(update_template->entries.begin(), update_template->entries.end(),
                                          [&](const VkDescriptorUpdateTemplateEntry& entry) {
                                              return Fits(layout, entry.descriptorType, entry.dstBinding,
                                                          entry.dstArrayElement, entry.descriptorCount);
                                          });
}

bool Fits(const DescriptorSet* source, const DescriptorSet& destination, const VkCopyDescriptorSet& copy) noexcept {
    const SetBinding* to = destination.layout->Find(copy.dstBinding);
    const SetBinding* from =
        source && source->layout && source->layout->understood ? source->layout->Find(copy.srcBinding) : nullptr;
    return to && from && from->type == to->type &&
           Fits(*destination.layout, to->type, copy.dstBinding, copy.dstArrayElement, copy.descriptorCount);
}

Change WriteDescriptors(const Resources& resources, const SetLayoutFacts& layout, const SetContent& content,
                        const VkWriteDescriptorSet& write) noexcept {
    Placing placing(content);
    const VkDescriptorType type = write.descriptorType;
    if (type == VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK) {
        const auto* block = static_cast<const VkWriteDescriptorSetInlineUniformBlock*>(write.pNext);
        const bool known = block && block->sType == VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET_INLINE_UNIFORM_BLOCK &&
                           !block->pNext && block->dataSize == write.descriptorCount;
        WriteBytes(layout, placing, write.dstBinding, write.dstArrayElement, write.descriptorCount,
                   known ? block->pData : nullptr);
        return placing.change();
    }
    const bool known = !write.pNext;
    if (known && IsBuffer(type)) {
        ForEachDescriptor(layout, placing, type, write.dstBinding, write.dstArrayElement, write.descriptorCount,
                          [&](size_t index, const SetBinding&, uint32_t i) {
                              placing.PlaceBuffer(resources, index, write.pBufferInfo[i]);
                          });
        return placing.change();
    }
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
    ForEachDescriptor(layout, placing, type, write.dstBinding, write.dstArrayElement, write.descriptorCount,
                      [&](size_t index, const SetBinding& binding, uint32_t i) {
                          placing.Place(index, known ? Written(resources, binding, info(i)) : Seen{});
                      });
    return placing.change();
}

Change WriteDescriptors(const Resources& resources, const SetLayoutFacts& layout, const SetContent& content,
                        const UpdateTemplate& update_template, const void* data) noexcept {
    Placing placing(content);
    for (const VkDescriptorUpdateTemplateEntry& entry : update_template.entries) {
        const char* bytes = static_cast<const char*>(data) + entry.offset;
        if (entry.descriptorType == VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK)
            WriteBytes(layout, placing, entry.dstBinding, entry.dstArrayElement, entry.descriptorCount, bytes);
        else
            ForEachDescriptor(layout, placing, entry.descriptorType, entry.dstBinding, entry.dstArrayElement,
                              entry.descriptorCount, [&](size_t index, const SetBinding& binding, uint32_t i) {
                                  placing.Place(index, Written(resources, binding, bytes + i * entry.stride));
                              });
    }
    return placing.change();
}

Change CopyDescriptors(const DescriptorSet* source, DescriptorSet& destination,
                       const VkCopyDescriptorSet& copy) noexcept {
    const SetContent content = ContentOf(destination);
    Placing placing(content);
    const SetLayoutFacts& to_layout = *destination.layout;
    const SetBinding* to = to_layout.Find(copy.dstBinding);
    const SetLayoutFacts* from_layout =
        source && source->layout && source->layout->understood ? source->layout.get() : nullptr;
    const SetBinding* from = from_layout ? from_layout->Find(copy.srcBinding) : nullptr;
    if (!to || (from && from->type != to->type)) {
        placing.ForgetAll();
        return placing.change();
    }
    if (to->type == VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK) {
        const bool fits = to->count >= copy.dstArrayElement && copy.descriptorCount <= to->count - copy.dstArrayElement;
        const uint32_t first = copy.dstArrayElement / 4;
        for (uint32_t i = 0; fits && i < copy.descriptorCount / 4; ++i) {
            const size_t at = from ? size_t{from->first_word} + copy.srcArrayElement / 4 + i : 0;
            const bool known =
                from && size_t{copy.srcArrayElement} / 4 + i < from->count / 4 && at < source->words.size();
            placing.PlaceWord(size_t{to->first_word} + first + i, known ? source->words[at] : kUnknownWord);
        }
        if (!fits) placing.ForgetAll();
        return placing.change();
    }
    const SetBinding* const from_end = from ? from_layout->bindings.data() + from_layout->bindings.size() : nullptr;
    uint32_t element = copy.srcArrayElement;
    // In order, so that the source's bindings are gone through once.
    const auto seen_of = [&](const SetBinding& into) -> Seen {
        while (from && element >= from->descriptors()) {
            element -= from->descriptors();
            if (++from == from_end) from = nullptr;
        }
        if (!from || from->type != into.type) return {};
        const size_t index = size_t{from->first} + element++;
        if (index >= source->descriptors.size()) return {};
        Seen seen{source->descriptors[index], kUnknownIdentity};
        if (index >= source->identities.size()) return seen;
        seen.identity = source->identities[index];
        // What is copied of the sampler where one of the two is immutable, nobody says.
        if (from->immutable_samplers != into.immutable_samplers) seen.identity = kUnknownIdentity;
        return seen;
    };
    ForEachDescriptor(to_layout, placing, to->type, copy.dstBinding, copy.dstArrayElement, copy.descriptorCount,
                      [&](size_t index, const SetBinding& into, uint32_t) { placing.Place(index, seen_of(into)); });
    return placing.change();
}

}  // namespace kronos
