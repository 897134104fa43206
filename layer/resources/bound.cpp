// SPDX-License-Identifier: Apache-2.0
#include "resources/bound.h"

#include <algorithm>
#include <new>

#include "resources/descriptors.h"
#include "resources/resources.h"

namespace kronos {
namespace {

// The bytes that `use` may touch of the descriptor. `offset`: its dynamic one.
MemoryRange Touched(const PipelineUse& use, const Descriptor& descriptor, uint64_t offset) {
    MemoryRange where = descriptor.where;
    if (where.memory <= MemoryRange::kShared) return where;
    if (use.widens) return {where.memory, descriptor.whole_begin, descriptor.whole_end};
    if (__builtin_add_overflow(where.begin, offset, &where.begin)) return {};
    if (!descriptor.to_end && __builtin_add_overflow(where.end, offset, &where.end)) return {};
    if (where.begin > where.end) return {};
    if (use.rounding > 1) {
        const uint64_t beyond = (where.end - where.begin) % use.rounding;
        if (beyond && __builtin_add_overflow(where.end, use.rounding - beyond, &where.end)) return {};
    }
    return where;
}

}  // namespace

const DescriptorSet* SetBind::Set(const Resources& resources, size_t i) const {
    return found ? found[i] : resources.FindSet(sets[i]);
}

void BoundState::Clear() noexcept {
    pipeline_ = nullptr;
    for (uint32_t i = 0; i < used_; ++i) slots_[i].holds = Slot::Holds::kUnknown;
    used_ = 0;
}

void BoundState::BindPipeline(VkPipelineBindPoint bind_point, VkPipeline pipeline) noexcept {
    if (bind_point == VK_PIPELINE_BIND_POINT_COMPUTE) pipeline_ = resources_->FindPipeline(pipeline);
}

void BoundState::BindSets(VkPipelineBindPoint bind_point, const SetBind& bind) noexcept {
    if (bind_point != VK_PIPELINE_BIND_POINT_COMPUTE) return;
    if (!bind.IsPlain() || bind.first >= kMostSets) return BindSeveral(bind);
    used_ = std::max(used_, bind.first + 1);
    Slot& slot = slots_[bind.first];
    slot.holds = Slot::Holds::kUnknown;
    const DescriptorSet* set = bind.sets[0] ? bind.Set(*resources_, 0) : nullptr;
    if (!set || !set->layout || set->layout->dynamic_offsets) return;
    slot.offsets.clear();
    slot.set = set;
    slot.uid = set->uid;
    slot.holds = Slot::Holds::kSet;
}

// Apart from the above, which most binds need no more of.
[[gnu::noinline]] void BoundState::BindSeveral(const SetBind& bind) noexcept {
    const size_t count = bind.sets.size();
    std::span<const uint32_t> dynamic_offsets = bind.offsets;
    bool offsets_known = true;
    for (size_t i = 0; i < count && bind.first + i < kMostSets; ++i) {
        Slot& slot = slots_[bind.first + i];
        used_ = std::max(used_, static_cast<uint32_t>(bind.first + i + 1));
        slot.holds = Slot::Holds::kUnknown;
        if (!bind.sets[i]) continue;
        const DescriptorSet* set = bind.Set(*resources_, i);
        // It may take any number of the offsets.
        if (!set || !set->layout) {
            offsets_known = false;
            continue;
        }
        const uint32_t taken = set->layout->dynamic_offsets;
        if (taken && (!offsets_known || dynamic_offsets.size() < taken)) {
            offsets_known = false;
            continue;
        }
        try {
            slot.offsets.assign(dynamic_offsets.begin(), dynamic_offsets.begin() + taken);
        } catch (const std::bad_alloc&) {
            dynamic_offsets = dynamic_offsets.subspan(taken);
            continue;
        }
        dynamic_offsets = dynamic_offsets.subspan(taken);
        slot.set = set;
        slot.uid = set->uid;
        slot.holds = Slot::Holds::kSet;
    }
}

// The slot, holding pushed descriptors of the layout's set; nullptr: nothing is known of it.
BoundState::Slot* BoundState::SlotToPush(VkPipelineLayout layout, uint32_t set) noexcept {
    if (set >= kMostSets) return nullptr;
    Slot& slot = slots_[set];
    used_ = std::max(used_, set + 1);
    const bool pushed_before = slot.holds == Slot::Holds::kPushed;
    slot.holds = Slot::Holds::kUnknown;
    slot.offsets.clear();
    const PipelineLayoutFacts* known = resources_->FindPipelineLayout(layout);
    if (!known || set >= known->sets.size()) return nullptr;
    const std::shared_ptr<const SetLayoutFacts>& wanted = known->sets[set];
    if (!wanted || !wanted->understood || !wanted->push) return nullptr;
    if (!pushed_before || !slot.pushed_layout->Same(*wanted)) {
        try {
            slot.pushed.assign(wanted->descriptors, Descriptor{});
        } catch (const std::bad_alloc&) {
            return nullptr;
        }
        slot.pushed_layout = wanted;
    }
    slot.holds = Slot::Holds::kPushed;
    slot.pushes = ++pushes_;
    return &slot;
}

void BoundState::PushDescriptors(VkPipelineBindPoint bind_point, VkPipelineLayout layout, uint32_t set,
                                 std::span<const VkWriteDescriptorSet> writes) noexcept {
    if (bind_point != VK_PIPELINE_BIND_POINT_COMPUTE) return;
    Slot* slot = SlotToPush(layout, set);
    for (size_t i = 0; slot && i < writes.size(); ++i)
        WriteDescriptors(*resources_, *slot->pushed_layout, {slot->pushed, {}, {}}, writes[i]);
}

void BoundState::PushDescriptors(VkDescriptorUpdateTemplate update_template, VkPipelineLayout layout, uint32_t set,
                                 const void* data) noexcept {
    const UpdateTemplate* known = resources_->FindTemplate(update_template);
    if (known && known->bind_point != VK_PIPELINE_BIND_POINT_COMPUTE) return;
    Slot* slot = SlotToPush(layout, set);
    if (slot && known)
        WriteDescriptors(*resources_, *slot->pushed_layout, {slot->pushed, {}, {}}, *known, data);
    else if (slot)
        slot->holds = Slot::Holds::kUnknown;
}

// The descriptors in the slot. Not `known`: they are not those that the pipeline's layout tells of.
std::span<const Descriptor> BoundState::ContentOf(const Slot& slot, const SetLayoutFacts* wanted, bool& known) {
    known = false;
    const bool pushed = slot.holds == Slot::Holds::kPushed;
    if (slot.holds == Slot::Holds::kUnknown || (!pushed && slot.set->uid != slot.uid)) return {};
    const SetLayoutFacts* layout = pushed ? slot.pushed_layout.get() : slot.set->layout.get();
    known = wanted && layout && layout->understood && layout->Same(*wanted);
    return pushed ? slot.pushed : slot.set->descriptors;
}

// False: something is not known.
bool BoundState::Write(const PipelineUse& use, const Slot& slot, std::span<const Descriptor> content, Access*& next) {
    if (use.everything) {
        *next++ = Everywhere(use.kinds);
        return true;
    }
    // Of the last binding a set may have fewer. An element alone that it does not have is nothing that is known.
    if (use.first >= content.size()) return use.count > 1;
    const auto count = static_cast<uint32_t>(std::min<size_t>(use.count, content.size() - use.first));
    if (use.dynamic && slot.offsets.size() < size_t{use.first_dynamic} + count) return false;
    for (uint32_t i = 0; i < count; ++i) {
        const Descriptor& descriptor = content[use.first + i];
        if (descriptor.state == Descriptor::State::kUnknown) return false;
        if (descriptor.state == Descriptor::State::kNothing) continue;
        const uint64_t offset = use.dynamic ? slot.offsets[use.first_dynamic + i] : 0;
        *next++ = {use.as_written ? descriptor.where : Touched(use, descriptor, offset), use.kinds};
    }
    return true;
}

bool BoundState::WriteAll(Access*& next) const {
    uint32_t set = kMostSets;
    std::span<const Descriptor> content;
    for (const PipelineUse& use : pipeline_->uses) {
        if (use.set != set) {
            if (use.set >= used_) return false;
            set = use.set;
            bool known = false;
            content = ContentOf(slots_[set], pipeline_->layout->sets[set].get(), known);
            if (!known) return false;
        }
        // Mostly a use is of one descriptor, as it was written.
        if (use.count == 1 && use.as_written && use.first < content.size() &&
            content[use.first].state == Descriptor::State::kMemory)
            *next++ = {content[use.first].where, use.kinds};
        else if (!Write(use, slots_[set], content, next))
            return false;
    }
    if (pipeline_->addresses) *next++ = Everywhere(pipeline_->addresses);
    return true;
}

void BoundState::DispatchAccesses(std::vector<Access>& accesses) const {
    const size_t before = accesses.size();
    if (pipeline_ && !pipeline_->everything) {
        accesses.resize(before + pipeline_->most_accesses);
        Access* next = accesses.data() + before;
        if (WriteAll(next)) {
            accesses.resize(static_cast<size_t>(next - accesses.data()));
            return;
        }
        accesses.resize(before);
    }
    accesses.push_back(Everywhere(kAnyShaderAccess));
}

bool BoundState::Content(BoundContent& content) const {
    content = {};
    if (!pipeline_ || pipeline_->everything) return true;
    if (pipeline_->sets > BoundContent::kMostSets) return false;
    content.pipeline = pipeline_->uid;
    for (uint32_t i = 0; i < pipeline_->sets; ++i) {
        const Slot& slot = slots_[i];
        if (slot.holds == Slot::Holds::kPushed) {
            content.sets[i] = BoundContent::kPush | slot.pushes;
        } else if (slot.holds == Slot::Holds::kSet && slot.set->uid == slot.uid) {
            if (!slot.offsets.empty()) return false;
            content.sets[i] = slot.set->content;
        }
    }
    return true;
}

}  // namespace kronos
