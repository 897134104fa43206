// SPDX-License-Identifier: Apache-2.0
#include "stream/bound_shadow.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "resources/resources.h"
#include "support/handle_bits.h"

namespace kronos {
namespace {

// Written from VkDescriptorBufferInfo, and without offsets of binds: a push has none.
bool OfBuffers(VkDescriptorType type) {
    return type == VK_DESCRIPTOR_TYPE_STORAGE_BUFFER || type == VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER;
}

// The binding that all of a write is in; nullptr: there is none. Beyond its end the next one's descriptors would be
// written.
const SetBinding* BindingOf(const SetLayoutFacts& layout, VkDescriptorType type, uint32_t number, uint32_t element,
                            uint32_t count) {
    const SetBinding* binding = layout.Find(number);
    const bool in_it =
        binding && binding->type == type && element < binding->count && count <= binding->count - element;
    return in_it ? binding : nullptr;
}

}  // namespace

void BoundShadow::Clear() noexcept {
    pipeline_ = 0;
    for (Slot& slot : slots_) {
        slot.compatible = kNeverBound;
        slot.holds = Slot::Holds::kUnknown;
    }
    ForgetConstants();
}

// Any of them may be bound with any layout now.
void BoundShadow::ForgetSets() noexcept {
    for (Slot& slot : slots_) {
        slot.compatible = kAnyLayout;
        slot.holds = Slot::Holds::kUnknown;
    }
}

void BoundShadow::ForgetConstants() noexcept {
    if (constants_) stages_.fill(0);
    constants_ = 0;
}

Effect BoundShadow::BindPipeline(VkPipeline pipeline) noexcept {
    const PipelineFacts* known = resources_->FindPipeline(pipeline);
    const uint64_t uid = known ? known->uid : 0;
    if (!uid) {
        pipeline_ = 0;
        return Effect::kUnknown;
    }
    if (uid == pipeline_) return Effect::kNothing;
    pipeline_ = uid;
    return Effect::kChange;
}

// Binding to `set` leaves sets of lower numbers alone: those that were bound before were bound with layouts that are
// compatible so far.
bool BoundShadow::KeepsLower(const PipelineLayoutFacts& layout, uint32_t set) const noexcept {
    for (uint32_t i = 0; i < set; ++i)
        if (slots_[i].compatible != kNeverBound && slots_[i].compatible != layout.compatible[i]) return false;
    return true;
}

// `set` is about to be bound with the layout, whatever to. What that disturbs is undefined from then on, and counts as
// bound with the same layout.
void BoundShadow::Occupy(const PipelineLayoutFacts& layout, uint32_t set) noexcept {
    const uint64_t before = slots_[set].compatible;
    const bool keeps_lower = KeepsLower(layout, set);
    if (!keeps_lower) {
        for (uint32_t i = 0; i < set; ++i) {
            // Of what is not known, not even whether anything was bound.
            if (slots_[i].compatible > kAnyLayout) slots_[i].compatible = layout.compatible[i];
            slots_[i].holds = Slot::Holds::kUnknown;
        }
    }
    slots_[set].compatible = layout.compatible[set];
    slots_[set].holds = Slot::Holds::kUnknown;
    if (keeps_lower && before == layout.compatible[set]) return;
    // Where nothing was bound to `set`, those above may be disturbed or not.
    const bool surely = before > kAnyLayout && before != kSomeLayout && before != layout.compatible[set];
    for (uint32_t i = set + 1; i < kMostSets; ++i) {
        Slot& slot = slots_[i];
        if (slot.compatible == kNeverBound) continue;
        const uint64_t now = i < layout.compatible.size() ? layout.compatible[i] : kSomeLayout;
        if (slot.compatible > kAnyLayout && slot.compatible != now) slot.compatible = surely ? now : kSomeLayout;
        slot.holds = Slot::Holds::kUnknown;
    }
}

// What is known of a set that is bound, and of the offsets that it takes. From a set on that may take any number of
// them, nobody can tell whose they are: they are not `countable`.
void BoundShadow::Look(const DescriptorSet* set, std::span<const uint32_t> offsets, uint32_t& taken, bool& countable,
                       Set& found) noexcept {
    found = {};
    if (!set || !set->layout) {
        countable = false;
        return;
    }
    const uint32_t count = set->layout->dynamic_offsets;
    if (count) {
        if (!countable || count > offsets.size() - taken) {
            countable = false;
            return;
        }
        found.offset_count = count;
        found.offsets = offsets.data() + taken;
        taken += count;
        if (count > kMostOffsets) return;
    }
    // Of what is not understood updates are not seen.
    if (!set->layout->understood) return;
    found.uid = set->uid;
    found.content = set->content;
}

// Of SetBind::IsPlain.
Effect BoundShadow::BindSet(const PipelineLayoutFacts& layout, uint32_t number, const DescriptorSet* set,
                            VkDescriptorSet chosen) noexcept {
    const bool known = set && set->uid && set->layout && set->layout->understood && !set->layout->dynamic_offsets;
    if (!known) {
        Occupy(layout, number);
        return Effect::kUnknown;
    }
    const bool itself = chosen == set->handle;
    const uint64_t uid = itself ? set->uid : HandleBits(chosen);
    const uint64_t content = itself ? set->content : kChosen;
    Slot& slot = slots_[number];
    if (slot.holds == Slot::Holds::kSet && slot.uid == uid && slot.content == content &&
        slot.compatible == layout.compatible[number] && !slot.offset_count)
        return Effect::kNothing;
    Occupy(layout, number);
    slot.holds = Slot::Holds::kSet;
    slot.uid = uid;
    slot.content = content;
    slot.offset_count = 0;
    return Effect::kChange;
}

Effect BoundShadow::BindSets(const SetBind& bind, SetRun& run, const VkDescriptorSet* chosen) noexcept {
    run = {0, static_cast<uint32_t>(bind.sets.size()), 0, static_cast<uint32_t>(bind.offsets.size())};
    const PipelineLayoutFacts* known = resources_->FindPipelineLayout(bind.layout);
    if (bind.IsPlain() && known && bind.first < kMostSets && bind.first < known->compatible.size())
        return BindSet(*known, bind.first, bind.Set(*resources_, 0), chosen ? chosen[0] : bind.sets[0]);
    return BindSeveral(known, bind, run, chosen);
}

// Apart from the above, which most binds need no more of.
[[gnu::noinline]] Effect BoundShadow::BindSeveral(const PipelineLayoutFacts* known, const SetBind& bind, SetRun& run,
                                                  const VkDescriptorSet* chosen) noexcept {
    const std::span<const VkDescriptorSet>& sets = bind.sets;
    const std::span<const uint32_t>& offsets = bind.offsets;
    const uint32_t first = bind.first;
    if (!known || sets.empty() || first >= kMostSets || sets.size() > kMostSets - first ||
        first + sets.size() > known->compatible.size()) {
        ForgetSets();
        return Effect::kUnknown;
    }
    std::array<Set, kMostSets> found;
    const auto count = static_cast<uint32_t>(sets.size());
    uint32_t taken = 0, head = 0, tail = 0, head_offsets = 0, tail_offsets = 0;
    bool countable = true, all_known = true;
    for (uint32_t i = 0; i < count; ++i) {
        Look(bind.Set(*resources_, i), offsets, taken, countable, found[i]);
        if (found[i].uid && chosen && chosen[i] != sets[i]) {
            // Two of the program's sets that hold the same are one.
            found[i].uid = HandleBits(chosen[i]);
            found[i].content = kChosen;
        }
        const Set& set = found[i];
        const Slot& slot = slots_[first + i];
        all_known = all_known && set.uid;
        const bool same = set.uid && slot.holds == Slot::Holds::kSet && slot.uid == set.uid &&
                          slot.content == set.content && slot.compatible == known->compatible[first + i] &&
                          slot.offset_count == set.offset_count &&
                          std::equal(set.offsets, set.offsets + set.offset_count, slot.offsets.begin());
        tail = same ? tail + 1 : 0;
        tail_offsets = same ? tail_offsets + set.offset_count : 0;
        if (!same || head != i) continue;
        ++head;
        head_offsets += set.offset_count;
    }
    // Offsets that no set takes: not a valid bind.
    const bool odd = countable && taken != offsets.size();
    if (head == count && !odd) return Effect::kNothing;
    // What is bound below a set that is known is compatible with its layout so far, and stays.
    if (!odd) {
        run.first += head, run.count -= head;
        run.first_offset += head_offsets, run.offset_count -= head_offsets;
        // What is above the run stays only if the run takes the place of what was bound with compatible layouts.
        bool keeps_higher = true;
        for (uint32_t i = head; i < count - tail; ++i)
            keeps_higher = keeps_higher && slots_[first + i].compatible == known->compatible[first + i];
        if (keeps_higher) run.count -= tail, run.offset_count -= tail_offsets;
    }
    for (uint32_t i = run.first; i < run.first + run.count; ++i) {
        Occupy(*known, first + i);
        const Set& set = found[i];
        if (!set.uid || odd) continue;
        Slot& slot = slots_[first + i];
        slot.holds = Slot::Holds::kSet;
        slot.uid = set.uid;
        slot.content = set.content;
        slot.offset_count = set.offset_count;
        std::copy_n(set.offsets, set.offset_count, slot.offsets.begin());
    }
    return all_known && !odd ? Effect::kChange : Effect::kUnknown;
}

Effect BoundShadow::PushConstants(VkPipelineLayout layout, VkShaderStageFlags stages, uint32_t offset, uint32_t size,
                                  const void* values) noexcept {
    const PipelineLayoutFacts* known = resources_->FindPipelineLayout(layout);
    if (!known || !stages || !size || offset % 4 || size % 4 || offset >= kMostConstants ||
        size > kMostConstants - offset) {
        ForgetConstants();
        return Effect::kUnknown;
    }
    // Values are what a pipeline sees only if all were pushed with layouts that are compatible for push constants.
    if (constants_ != known->constants) {
        ForgetConstants();
        constants_ = known->constants;
    }
    const uint32_t first = offset / 4;
    const uint32_t count = size / 4;
    bool same = true;
    for (uint32_t i = 0; i < count; ++i) {
        uint32_t value = 0;
        std::memcpy(&value, static_cast<const std::byte*>(values) + size_t{i} * 4, sizeof value);
        VkShaderStageFlags& have = stages_[first + i];
        if (have && values_[first + i] == value) {
            same = same && !(stages & ~have);
            have |= stages;
            continue;
        }
        same = false;
        values_[first + i] = value;
        have = stages;
    }
    return same ? Effect::kNothing : Effect::kChange;
}

// A sampler's uid, 0: its life is not known.
uint64_t BoundShadow::SamplerLife(const SetBinding& binding, VkSampler) const noexcept {
    // The layout's, whatever is written: section "Descriptor Set Updates".
    return binding.immutable_samplers ? 1 : 0;
}

// What a descriptor of the binding is written from, by uids.
BoundShadow::Pushed BoundShadow::Written(const SetBinding& binding, const void* info) const noexcept {
    switch (binding.type) {
        case VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER:
        case VK_DESCRIPTOR_TYPE_STORAGE_BUFFER: {
            const auto& from = *static_cast<const VkDescriptorBufferInfo*>(info);
            const BufferFacts* buffer = from.buffer ? resources_->FindBuffer(from.buffer) : nullptr;
            return {buffer ? buffer->uid : 0, 0, from.offset, from.range, HandleBits(from.buffer)};
        }
        case VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER:
        case VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER: {
            const VkBufferView from = *static_cast<const VkBufferView*>(info);
            const BufferViewFacts* view = from ? resources_->FindBufferView(from) : nullptr;
            return {view ? view->uid : 0};
        }
        case VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER:
        case VK_DESCRIPTOR_TYPE_SAMPLED_IMAGE:
        case VK_DESCRIPTOR_TYPE_STORAGE_IMAGE:
        case VK_DESCRIPTOR_TYPE_INPUT_ATTACHMENT: {
            const auto& from = *static_cast<const VkDescriptorImageInfo*>(info);
            const ImageViewFacts* view = from.imageView ? resources_->FindImageView(from.imageView) : nullptr;
            Pushed made = {view ? view->uid : 0, 0, static_cast<uint64_t>(from.imageLayout)};
            if (binding.type == VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER) {
                made.sampler = SamplerLife(binding, from.sampler);
                if (!made.sampler) made.object = 0;
            }
            return made;
        }
        case VK_DESCRIPTOR_TYPE_SAMPLER:
            return {SamplerLife(binding, static_cast<const VkDescriptorImageInfo*>(info)->sampler)};
        default:
            return {};
    }
}

// It is written as before, and that buffer lives still.
bool BoundShadow::SameBuffer(const Pushed& before, VkDescriptorType type, const void* info) noexcept {
    if (!before.object || !before.buffer || !OfBuffers(type)) return false;
    const auto& from = *static_cast<const VkDescriptorBufferInfo*>(info);
    return HandleBits(from.buffer) == before.buffer && from.offset == before.offset && from.range == before.range;
}

// Whether all of it is as it was last pushed, from buffers alone, which mostly is so: looked at before anything else.
// buffers_of(write): what its descriptors are written from; nullptr: not plainly buffers.
template <class Writes, class BuffersOf>
bool BoundShadow::Repeats(VkPipelineLayout layout, uint32_t set, const Writes& writes,
                          BuffersOf buffers_of) const noexcept {
    const PipelineLayoutFacts* known = resources_->FindPipelineLayout(layout);
    if (!known || set >= kMostSets || set >= known->sets.size()) return false;
    const Slot& slot = slots_[set];
    const SetLayoutFacts* pushed = known->sets[set].get();
    if (!pushed || slot.holds != Slot::Holds::kPushed || slot.compatible != known->compatible[set] ||
        buffer_changes_ != resources_->BufferChanges())
        return false;
    for (const auto& write : writes) {
        const uint32_t element = write.dstArrayElement, count = write.descriptorCount;
        const SetBinding* binding = BindingOf(*pushed, write.descriptorType, write.dstBinding, element, count);
        if (!binding || !OfBuffers(binding->type)) return false;  // what others are written from may be anything
        const auto buffers = buffers_of(write);
        if (!buffers) return false;
        const Pushed* before = &pushed_[binding->first + element];
        for (uint32_t i = 0; i < count; ++i)
            if (!SameBuffer(before[i], binding->type, buffers + i)) return false;
    }
    return true;
}

// for_each(visit) calls visit(type, binding, element, count, info), where info(i) is what the i-th descriptor is
// written from, for each write until one returns false.
template <class ForEachWrite>
Effect BoundShadow::Push(VkPipelineLayout layout, uint32_t set, ForEachWrite for_each) noexcept {
    const PipelineLayoutFacts* known = resources_->FindPipelineLayout(layout);
    if (!known || set >= kMostSets || set >= known->sets.size()) {
        ForgetSets();
        return Effect::kUnknown;
    }
    const SetLayoutFacts* wanted = known->sets[set].get();
    if (!wanted || !wanted->understood || !wanted->push || wanted->descriptors > kMostPushed) {
        Occupy(*known, set);
        return Effect::kUnknown;
    }
    Slot& slot = slots_[set];
    const bool goes_on = slot.holds == Slot::Holds::kPushed && slot.compatible == known->compatible[set];
    if (!goes_on) {
        // Nothing that was pushed before is left; a pipeline layout has one such set.
        std::fill_n(pushed_.begin(), wanted->descriptors, Pushed{});
        for (Slot& other : slots_)
            if (other.holds == Slot::Holds::kPushed) other.holds = Slot::Holds::kUnknown;
    }
    const uint64_t changes = resources_->BufferChanges();
    if (buffer_changes_ != changes)
        for (Pushed& one : pushed_) one.buffer = 0;
    buffer_changes_ = changes;
    bool same = goes_on, understood = true, certain = true;
    for_each([&](VkDescriptorType type, uint32_t number, uint32_t element, uint32_t count, auto info) {
        const SetBinding* binding = BindingOf(*wanted, type, number, element, count);
        understood = binding != nullptr;
        for (uint32_t i = 0; understood && i < count; ++i) {
            Pushed& before = pushed_[binding->first + element + i];
            if (SameBuffer(before, type, info(i))) continue;
            const Pushed now = Written(*binding, info(i));
            same = same && now.object && now.Same(before);
            certain = certain && now.object;
            before = now;
        }
        return understood;
    });
    if (understood && same) return Effect::kNothing;
    Occupy(*known, set);
    if (understood) slot.holds = Slot::Holds::kPushed;
    return understood && certain ? Effect::kChange : Effect::kUnknown;
}

Effect BoundShadow::PushDescriptors(VkPipelineLayout layout, uint32_t set,
                                    std::span<const VkWriteDescriptorSet> writes) noexcept {
    if (Repeats(layout, set, writes,
                [](const VkWriteDescriptorSet& write) { return write.pNext ? nullptr : write.pBufferInfo; }))
        return Effect::kNothing;
    return Push(layout, set, [&](auto visit) {
        for (const VkWriteDescriptorSet& write : writes) {
            const auto info = [&](uint32_t i) -> const void* {
                switch (write.descriptorType) {
                    case VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER:
                    case VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER:
                        return write.pTexelBufferView + i;
                    case VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER:
                    case VK_DESCRIPTOR_TYPE_STORAGE_BUFFER:
                        return write.pBufferInfo + i;
                    default:
                        return write.pImageInfo + i;
                }
            };
            // With structures behind it, it is none that anybody understands.
            const VkDescriptorType type = write.pNext ? VK_DESCRIPTOR_TYPE_MAX_ENUM : write.descriptorType;
            if (!visit(type, write.dstBinding, write.dstArrayElement, write.descriptorCount, info)) return;
        }
    });
}

Effect BoundShadow::PushDescriptors(const UpdateTemplate& update_template, VkPipelineLayout layout, uint32_t set,
                                    const void* data) noexcept {
    if (Repeats(layout, set, update_template.entries, [&](const VkDescriptorUpdateTemplateEntry& entry) {
            const bool in_a_row = entry.descriptorCount <= 1 || entry.stride == sizeof(VkDescriptorBufferInfo);
            const void* from = static_cast<const std::byte*>(data) + entry.offset;
            return in_a_row ? static_cast<const VkDescriptorBufferInfo*>(from) : nullptr;
        }))
        return Effect::kNothing;
    return Push(layout, set, [&](auto visit) {
        for (const VkDescriptorUpdateTemplateEntry& entry : update_template.entries) {
            const auto info = [&](uint32_t i) -> const void* {
                return static_cast<const std::byte*>(data) + entry.offset + i * entry.stride;
            };
            if (!visit(entry.descriptorType, entry.dstBinding, entry.dstArrayElement, entry.descriptorCount, info))
                return;
        }
    });
}

}  // namespace kronos
