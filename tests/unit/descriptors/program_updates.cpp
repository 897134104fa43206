// SPDX-License-Identifier: Apache-2.0
// What the random program writes, records and submits.
#include <algorithm>
#include <cstring>

#include "program.h"
#include "support/formatted.h"

namespace fake {
namespace {

namespace hook = kronos::hook;

template <class Handle>
uint64_t Number(Handle handle) {
    return reinterpret_cast<uint64_t>(handle);
}

uint32_t UnitOf(VkDescriptorType type) { return type == VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK ? 4 : 1; }

}  // namespace

// Work in flight has the program's set.
bool Program::MayUpdate(VkDescriptorSet set) const {
    for (const Work& work : work_) {
        if (work.state != State::kPending) continue;
        for (const Recorded& one : work.recorded)
            for (const Seen& seen : one.sets)
                if (seen.set == Number(set)) return false;
        for (const Seen& seen : work.bound)
            if (seen.set == Number(set)) return false;
    }
    return true;
}

// The i-th descriptor of a write; false: there is no object for it.
bool Program::Fill(VkDescriptorType type, uint32_t i, Data& data) {
    switch (type) {
        case VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK:
            data.words[i] = Below(8) ? 1 : Below(3);
            return true;
        case VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER: {
            if (texels_.empty()) return false;
            const Texels& texels = Often(texels_);
            data.texels[i] = texels.handle;
            return driver_.objects.Alive(driver_.names.texels.at(Number(texels.handle)));
        }
        case VK_DESCRIPTOR_TYPE_SAMPLER:
        case VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER:
        case VK_DESCRIPTOR_TYPE_STORAGE_IMAGE: {
            if (samplers_.empty() || views_.empty()) return false;
            const View& view = Often(views_);
            data.images[i] = {Often(samplers_), view.handle,
                              Below(16) ? VK_IMAGE_LAYOUT_GENERAL : VK_IMAGE_LAYOUT_SHADER_READ_ONLY_OPTIMAL};
            return view.has_image;
        }
        default: {
            if (buffers_.empty()) return false;
            const Buffer& buffer = Often(buffers_);
            data.buffers[i] = {buffer.handle, Below(16) ? 0u : 64u, Below(16) ? VK_WHOLE_SIZE : 64u};
            return buffer.has_memory;
        }
    }
}

bool Program::MakeWrite(VkDescriptorSet set, VkWriteDescriptorSet& write, Data& data) {
    const Set& known = asked_.At(Number(set));
    const LayoutBinding& binding = known.layout[Below(static_cast<uint32_t>(known.layout.size()))];
    const uint32_t unit = UnitOf(binding.type);
    const uint32_t element = Below(binding.slots);
    // On into the bindings that follow, where they are of the same type.
    uint32_t room = binding.slots - element;
    for (const LayoutBinding& next : known.layout) {
        if (next.first < binding.first + binding.slots) continue;
        if (next.type != binding.type || unit == 4 || next.immutable != binding.immutable) break;
        room += next.slots;
    }
    const uint32_t count = Below(3) ? room : 1 + Below(room);
    for (uint32_t i = 0; i < count; ++i)
        if (!Fill(binding.type, i, data)) return false;
    write = {};
    write.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET;
    write.dstSet = set;
    write.dstBinding = binding.number;
    write.dstArrayElement = element * unit;
    write.descriptorCount = count * unit;
    write.descriptorType = binding.type;
    write.pBufferInfo = data.buffers.data();
    write.pImageInfo = data.images.data();
    write.pTexelBufferView = data.texels.data();
    if (unit == 4) {
        data.block = {VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET_INLINE_UNIFORM_BLOCK, nullptr, count * 4,
                      data.words.data()};
        write.pNext = &data.block;
    }
    return true;
}

bool Program::MakeCopy(VkDescriptorSet set, VkCopyDescriptorSet& copy) {
    const VkDescriptorSet from = Any(sets_).first;
    const Set& source = asked_.At(Number(from));
    const Set& target = asked_.At(Number(set));
    const LayoutBinding& out = source.layout[Below(static_cast<uint32_t>(source.layout.size()))];
    const LayoutBinding& in = target.layout[Below(static_cast<uint32_t>(target.layout.size()))];
    if (from == set || out.type != in.type || out.immutable != in.immutable) return false;
    const uint32_t unit = UnitOf(in.type);
    const uint32_t first = Below(out.slots);
    const uint32_t to = Below(in.slots);
    const uint32_t count = 1 + Below(std::min(out.slots - first, in.slots - to));
    copy = {VK_STRUCTURE_TYPE_COPY_DESCRIPTOR_SET,
            nullptr,
            from,
            out.number,
            first * unit,
            set,
            in.number,
            to * unit,
            count * unit};
    return true;
}

void Program::Update() {
    if (sets_.empty()) return;
    std::array<VkWriteDescriptorSet, 6> writes;
    std::array<Data, 6> data;
    std::array<VkCopyDescriptorSet, 2> copies;
    uint32_t write_count = 0;
    uint32_t copy_count = 0;
    const uint32_t wanted = Below(7);
    VkDescriptorSet set = Any(sets_).first;
    for (uint32_t i = 0; i < wanted; ++i) {
        if (Below(4) == 0) set = Any(sets_).first;
        if (MayUpdate(set) && MakeWrite(set, writes[write_count], data[write_count])) ++write_count;
    }
    for (uint32_t i = Below(4) ? 2 : 0; i < 2; ++i) {
        set = Any(sets_).first;
        if (MayUpdate(set) && MakeCopy(set, copies[copy_count])) ++copy_count;
    }
    for (uint32_t i = 0; i < write_count; ++i) asked_.Write(driver_.names, writes[i]);
    for (uint32_t i = 0; i < copy_count; ++i) asked_.Copy(copies[i]);
    hook::UpdateDescriptorSets(device_, write_count, writes.data(), copy_count, copies.data());
}

void Program::UpdateByTemplate() {
    if (sets_.empty() || kinds_.empty()) return;
    const Kind& kind = Any(kinds_);
    const auto [set, shape] = Any(sets_);
    if (shape != kind.shape || !MayUpdate(set)) return;
    std::array<char, 1024> bytes{};
    for (const VkDescriptorUpdateTemplateEntry& entry : kind.entries) {
        const uint32_t unit = UnitOf(entry.descriptorType);
        for (uint32_t i = 0; i < entry.descriptorCount / unit; ++i) {
            Data data;
            if (!Fill(entry.descriptorType, 0, data)) return;
            char* to = bytes.data() + entry.offset + i * entry.stride;
            switch (entry.descriptorType) {
                case VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK:
                    std::memcpy(to, &data.words[0], 4);
                    break;
                case VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER:
                    std::memcpy(to, &data.texels[0], sizeof(VkBufferView));
                    break;
                case VK_DESCRIPTOR_TYPE_SAMPLER:
                case VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER:
                case VK_DESCRIPTOR_TYPE_STORAGE_IMAGE:
                    std::memcpy(to, &data.images[0], sizeof(VkDescriptorImageInfo));
                    break;
                default:
                    std::memcpy(to, &data.buffers[0], sizeof(VkDescriptorBufferInfo));
            }
        }
    }
    asked_.Write(driver_.names, Number(set), kind.entries, bytes.data());
    hook::UpdateDescriptorSetWithTemplate(device_, set, kind.update, bytes.data());
}

void Program::Bind(Work& work) {
    const uint32_t first = Below(kSets);
    const uint32_t count = 1 + Below(kSets - first);
    std::array<VkDescriptorSet, kSets> sets = {};
    for (uint32_t i = 0; i < count; ++i) {
        if (!sets_.empty() && Below(8)) sets[i] = Any(sets_).first;
        Seen& seen = work.bound[first + i];
        seen = {};
        if (!sets[i]) continue;
        const Set& known = asked_.At(Number(sets[i]));
        seen = {Number(sets[i]), known.life, known.version, {}};
    }
    if (Below(2)) {
        hook::CmdBindDescriptorSets(work.handle, VK_PIPELINE_BIND_POINT_COMPUTE, VK_NULL_HANDLE, first, count,
                                    sets.data(), 0, nullptr);
    } else {
        VkBindDescriptorSetsInfo info = {};
        info.sType = VK_STRUCTURE_TYPE_BIND_DESCRIPTOR_SETS_INFO;
        info.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT;
        info.firstSet = first;
        info.descriptorSetCount = count;
        info.pDescriptorSets = sets.data();
        hook::CmdBindDescriptorSets2(work.handle, &info);
    }
}

// It holds what it held when it was bound, and what of it is used is there.
bool Program::Valid(const Seen& seen) const {
    if (!seen.set) return true;
    if (!asked_.Has(seen.set)) return false;
    const Set& now = asked_.At(seen.set);
    return now.life == seen.life && now.version == seen.version &&
           std::all_of(seen.slots.begin(), seen.slots.end(), [&](const Slot& slot) {
               return !slot.written || (driver_.objects.Alive(slot.object) && driver_.objects.Alive(slot.sampler));
           });
}

bool Program::Valid(const Work& work) const {
    const auto valid = [&](const Seen& seen) { return Valid(seen); };
    return std::all_of(work.bound.begin(), work.bound.end(), valid) &&
           std::all_of(work.recorded.begin(), work.recorded.end(),
                       [&](const Recorded& one) { return std::all_of(one.sets.begin(), one.sets.end(), valid); });
}

void Program::Record(Work& work) {
    switch (work.state) {
        case State::kPending:
            if (Below(3) == 0) Finish(work);
            return;
        case State::kExecutable:
            // Recordings are submitted again, too.
            if (Below(4) && Valid(work)) return Submit(work);
            if (Below(2)) {
                hook::ResetCommandBuffer(work.handle, 0);
                work.state = State::kInitial;
                return;
            }
            [[fallthrough]];
        case State::kInitial: {
            const VkCommandBufferBeginInfo info = {};
            hook::BeginCommandBuffer(work.handle, &info);
            work.state = State::kRecording;
            work.bound = {};
            work.recorded.clear();
            return;
        }
        case State::kRecording:
            break;
    }
    if (!Valid(work)) {
        hook::ResetCommandBuffer(work.handle, 0);
        work.state = State::kInitial;
        return;
    }
    const uint32_t many = 1 + Below(6);
    for (uint32_t i = 0; i < many; ++i) {
        if (Below(3)) Bind(work);
        Recorded recorded;
        for (uint32_t k = 0; k < kSets; ++k) {
            Seen seen = work.bound[k];
            if (!seen.set) continue;
            // The shader uses some of what is there.
            seen.slots = asked_.At(seen.set).slots;
            for (Slot& slot : seen.slots)
                if (!driver_.objects.Alive(slot.object) || !driver_.objects.Alive(slot.sampler) || Below(5) == 0)
                    slot = {};
            recorded.sets[k] = seen;
        }
        work.recorded.push_back(recorded);
        layer_.Dispatch(work.handle);
    }
    if (Below(2)) return;
    hook::EndCommandBuffer(work.handle);
    work.state = State::kExecutable;
}

void Program::Submit(Work& work) {
    work.state = State::kPending;
    Driver::Of(work.handle).pending = true;
    dispatches_ += work.recorded.size();
    Compare(work, "submitted");
}

void Program::Finish(Work& work) {
    Compare(work, "done");
    work.state = State::kExecutable;
    Driver::Of(work.handle).pending = false;
}

void Program::Compare(const Work& work, const char* when) {
    const std::vector<Bound>& real = Driver::Of(work.handle).dispatches;
    if (real.size() != work.recorded.size()) difference_ = "dispatches are missing";
    for (size_t i = 0; i < real.size() && difference_.empty(); ++i) {
        for (uint32_t k = 0; k < kSets; ++k) {
            const Seen& seen = work.recorded[i].sets[k];
            if (!seen.set) continue;
            if (!driver_.sets.Has(real[i][k])) {
                difference_ = kronos::Format("{}: dispatch {} has no set {}", when, i, k);
                return;
            }
            const std::vector<Slot>& has = driver_.sets.At(real[i][k]).slots;
            for (size_t s = 0; s < seen.slots.size(); ++s)
                if (seen.slots[s].written && (s >= has.size() || has[s] != seen.slots[s]))
                    difference_ = kronos::Format("{}: dispatch {}, set {}, descriptor {}", when, i, k, s);
        }
    }
}

}  // namespace fake
