// SPDX-License-Identifier: Apache-2.0
// Updates of descriptor sets: what changes nothing is not passed on, and what can wait until the set is bound waits.
// Any thread, each set externally synchronized, as Vulkan demands; no locks but where a set can wait no longer.
#include <array>
#include <cstdint>

#include "entry/hooks.h"
#include "entry/state.h"

namespace kronos {
namespace {

// So many of a call are looked at together; a longer call reaches the driver in parts.
constexpr uint32_t kTogether = 1024;
// So many at a time are given when others between them are left out.
constexpr uint32_t kPart = 32;

// Which writes or copies of a part of a call the driver gets.
class Passing {
  public:
    void Pass(uint32_t i) {
        bits_[i / 64] |= uint64_t{1} << i % 64;
        ++count_;
    }
    bool Passes(uint32_t i) const { return bits_[i / 64] >> i % 64 & 1; }
    uint32_t count() const { return count_; }

  private:
    std::array<uint64_t, kTogether / 64> bits_{};
    uint32_t count_ = 0;
};

void CountGiven(const Device& device, uint64_t entries) {
    device.Count(Side::kDriver, Counter::kDescriptorUpdates);
    device.Count(Side::kDriver, Counter::kDescriptorWrites, entries);
}

// Calls give(entries, count) for those that pass.
template <class Entry, class Give>
void GivePassing(const Device& device, const Entry* entries, uint32_t count, const Passing& passing, Give give) {
    if (!passing.count()) return;
    if (passing.count() == count) {
        CountGiven(device, count);
        return give(entries, count);
    }
    std::array<Entry, kPart> part;
    uint32_t filled = 0;
    for (uint32_t i = 0; i < count; ++i) {
        if (passing.Passes(i)) part[filled++] = entries[i];
        if (filled < kPart && (i + 1 < count || !filled)) continue;
        CountGiven(device, filled);
        give(part.data(), filled);
        filled = 0;
    }
}

// What becomes of a write, a copy, or an update by template.
enum class Fate {
    kPassed,   // the driver gets it
    kDropped,  // it changes nothing
    kHeld,     // what it changes is made real when the set is bound
};

// After the content has changed.
Fate FateOf(const Device& device, DescriptorSet& set, Change change) {
    if (change == Change::kNone) return Fate::kDropped;
    if (!set.held) return Fate::kPassed;
    if (change == Change::kKnown) return Fate::kHeld;
    device.persistent->MakeDirect(set);
    return Fate::kPassed;
}

// Before: what was held back must not be lost by an update of which nobody knows what the driver makes.
void PrepareFor(const Device& device, DescriptorSet& set, bool fits) {
    if (set.held && (!fits || !device.resources->HoldsSets())) device.persistent->MakeDirect(set);
}

Fate NoteWrite(const Device& device, DescriptorSet* set, const VkWriteDescriptorSet& write) {
    if (!set) return Fate::kPassed;
    PrepareFor(device, *set, !set->held || Fits(*set->layout, write));
    return FateOf(device, *set, device.resources->Write(*set, write));
}

Fate NoteCopy(const Device& device, const VkCopyDescriptorSet& copy) {
    Resources& resources = *device.resources;
    DescriptorSet* source = resources.FindToBind(copy.srcSet);
    Fate fate = Fate::kPassed;
    if (DescriptorSet* set = resources.FindToUpdate(copy.dstSet)) {
        PrepareFor(device, *set, !set->held || Fits(source, *set, copy));
        fate = FateOf(device, *set, resources.Copy(*set, copy));
    }
    if (fate == Fate::kPassed && source && source->held) device.persistent->MakeReal(*source);
    return fate;
}

// Of one call.
struct LeftOut {
    uint64_t dropped = 0;
    uint64_t held = 0;

    // Whether the driver gets it.
    bool Passes(Fate fate) {
        dropped += fate == Fate::kDropped;
        held += fate == Fate::kHeld;
        return fate == Fate::kPassed;
    }
    void Count(const Device& device) const {
        if (dropped) device.Decided(Counter::kDescriptorWritesDropped, dropped);
        if (held) device.Decided(Counter::kDescriptorWritesHeld, held);
    }
};

// The whole call as it is, if nothing of it is left out.
void Update(const Device& device, uint32_t write_count, const VkWriteDescriptorSet* writes, uint32_t copy_count,
            const VkCopyDescriptorSet* copies) {
    const auto give_writes = [&](const VkWriteDescriptorSet* some, uint32_t count) {
        device.down.UpdateDescriptorSets(device.handle, count, some, 0, nullptr);
    };
    const auto give_copies = [&](const VkCopyDescriptorSet* some, uint32_t count) {
        device.down.UpdateDescriptorSets(device.handle, 0, nullptr, count, some);
    };
    LeftOut left_out;
    const auto note_writes = [&](uint32_t count, Passing& passing) {
        DescriptorSet* set = nullptr;
        for (uint32_t i = 0; i < count; ++i) {
            // Mostly one set after the other.
            if (i == 0 || writes[i].dstSet != writes[i - 1].dstSet)
                set = device.resources->FindToUpdate(writes[i].dstSet);
            if (left_out.Passes(NoteWrite(device, set, writes[i]))) passing.Pass(i);
        }
    };
    for (; write_count > kTogether; write_count -= kTogether, writes += kTogether) {
        Passing passing;
        note_writes(kTogether, passing);
        GivePassing(device, writes, kTogether, passing, give_writes);
    }
    Passing passing_writes;
    note_writes(write_count, passing_writes);
    // Copies come after all writes, and the last of these are not given yet.
    bool first = true;
    do {
        const uint32_t count = copy_count < kTogether ? copy_count : kTogether;
        Passing passing_copies;
        for (uint32_t i = 0; i < count; ++i)
            if (left_out.Passes(NoteCopy(device, copies[i]))) passing_copies.Pass(i);
        if (first && passing_writes.count() == write_count && passing_copies.count() == count &&
            write_count + count > 0) {
            CountGiven(device, uint64_t{write_count} + count);
            device.down.UpdateDescriptorSets(device.handle, write_count, writes, count, copies);
        } else {
            if (first) GivePassing(device, writes, write_count, passing_writes, give_writes);
            GivePassing(device, copies, count, passing_copies, give_copies);
        }
        first = false;
        copy_count -= count;
        copies += count;
    } while (copy_count);
    left_out.Count(device);
}

}  // namespace
}  // namespace kronos

namespace kronos::hook {

VKAPI_ATTR void VKAPI_CALL UpdateDescriptorSets(VkDevice handle, uint32_t write_count,
                                                const VkWriteDescriptorSet* writes, uint32_t copy_count,
                                                const VkCopyDescriptorSet* copies) {
    const Device& device = DeviceOf(handle);
    if (device.resources && device.descriptors.shadow && write_count + copy_count) {
        device.Count(Side::kAsked, Counter::kDescriptorUpdates);
        device.Count(Side::kAsked, Counter::kDescriptorWrites, uint64_t{write_count} + copy_count);
        return Update(device, write_count, writes, copy_count, copies);
    }
    if (device.stats) {
        const Counters::Own counters = device.stats->counters().OfThisThread();
        counters.Add(Counter::kDescriptorUpdates);
        counters.Add(Counter::kDescriptorWrites, uint64_t{write_count} + copy_count);
    }
    device.down.UpdateDescriptorSets(handle, write_count, writes, copy_count, copies);
    if (!device.resources) return;
    if (device.FollowsSets())
        device.resources->UpdateSets(write_count, writes, copy_count, copies);
    else if (device.resources->KnowsSets())
        device.resources->ForgetSets(write_count, writes, copy_count, copies);
}

VKAPI_ATTR void VKAPI_CALL UpdateDescriptorSetWithTemplate(VkDevice handle, VkDescriptorSet set,
                                                           VkDescriptorUpdateTemplate update_template,
                                                           const void* data) {
    const Device& device = DeviceOf(handle);
    if (!device.resources || !device.descriptors.shadow) {
        device.Count(Counter::kDescriptorUpdates);
        device.Count(Counter::kDescriptorWrites);
        device.down.UpdateDescriptorSetWithTemplate(handle, set, update_template, data);
        if (!device.resources) return;
        if (device.FollowsSets())
            device.resources->UpdateSet(set, update_template, data);
        else
            device.resources->ForgetSet(set);
        return;
    }
    device.Count(Side::kAsked, Counter::kDescriptorUpdates);
    device.Count(Side::kAsked, Counter::kDescriptorWrites);
    if (DescriptorSet* known = device.resources->FindToUpdate(set)) {
        Resources& resources = *device.resources;
        PrepareFor(device, *known, !known->held || Fits(*known->layout, resources.FindTemplate(update_template)));
        LeftOut left_out;
        const bool passes = left_out.Passes(FateOf(device, *known, resources.Write(*known, update_template, data)));
        left_out.Count(device);
        if (!passes) return;
    }
    CountGiven(device, 1);
    device.down.UpdateDescriptorSetWithTemplate(handle, set, update_template, data);
}

}  // namespace kronos::hook
