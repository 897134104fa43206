// SPDX-License-Identifier: Apache-2.0
// Binding descriptor sets: the program's, or sets of the layer's that hold the same. Externally synchronized by the
// program, as recording is; no locks and no allocations in the steady state.
#include <array>

#include "entry/hooks.h"
#include "entry/recording.h"
#include "entry/state.h"
#include "stream/hold.h"

namespace kronos {
namespace {

// A command that binds more binds the program's.
constexpr uint32_t kMostBound = 32;

// What is bound in place of the program's sets, which are `found`.
struct Chosen {
    const VkDescriptorSet* sets = nullptr;
    const DescriptorSet* const* found = nullptr;  // nullptr: nobody has looked

    std::array<VkDescriptorSet, kMostBound> room;
    std::array<const DescriptorSet*, kMostBound> found_room;
};

DescriptorSet* FindBound(const Device& device, VkDescriptorSet set) {
    return set && device.resources ? device.resources->FindToBind(set) : nullptr;
}

// For the driver to look at as they are.
void MakeReal(const Device& device, uint32_t count, const VkDescriptorSet* sets) {
    for (uint32_t i = 0; device.persistent && i < count; ++i)
        if (DescriptorSet* set = FindBound(device, sets[i]); set && set->held) device.persistent->MakeReal(*set);
}

void Choose(CommandBuffer& buffer, uint32_t count, const VkDescriptorSet* sets, Chosen& chosen) {
    chosen.sets = sets;
    // Where nothing is done with sets a bind costs no look-up; nor is there advice then.
    if (!buffer.chooses_sets) return;
    const Device& device = *buffer.device;
    if (count > kMostBound) return MakeReal(device, count, sets);
    for (uint32_t i = 0; i < count; ++i) {
        chosen.room[i] = sets[i];
        DescriptorSet* set = FindBound(device, sets[i]);
        chosen.found_room[i] = set;
        if (!set) continue;
        if (const uint32_t binds = set->binds.load(std::memory_order_relaxed); binds < 2)
            set->binds.store(binds + 1, std::memory_order_relaxed);
        if (set->held) chosen.room[i] = device.persistent->Bind(*set, buffer.sets);
    }
    chosen.sets = chosen.room.data();
    chosen.found = chosen.found_room.data();
}

// True: the command is held. The recording follows what the program's sets hold, and keeps those that were chosen.
template <auto Hold, class... Args>
bool Held(CommandBuffer& buffer, const char* command, const Chosen& chosen, Args... args) {
    if (!Records(buffer)) return false;
    buffer.recorder->ChooseSets(chosen.sets, chosen.found);
    const bool held = HeldBack<Hold>(buffer, command, Counter::kSetBinds, args...);
    if (buffer.recorder) buffer.recorder->ChooseSets(nullptr);  // not if the command ended the recording
    return held;
}

// Of a recording that is analysed, of sets that are looked at, or of a command buffer that is not known: as
// RecordBarrier.
[[gnu::noinline]] void BindChosen(VkCommandBuffer handle, VkPipelineBindPoint bind_point, VkPipelineLayout layout,
                                  uint32_t first, uint32_t count, const VkDescriptorSet* sets, uint32_t offset_count,
                                  const uint32_t* offsets) {
    CommandBuffer* buffer = FindCommandBuffer(handle);
    if (!buffer) {
        MakeReal(DeviceOf(handle), count, sets);
        return DownOfUnknown(handle).CmdBindDescriptorSets(handle, bind_point, layout, first, count, sets, offset_count,
                                                           offsets);
    }
    Chosen chosen;
    Choose(*buffer, count, sets, chosen);
    if (Held<&hold::CmdBindDescriptorSets>(*buffer, "vkCmdBindDescriptorSets", chosen, bind_point, layout, first, count,
                                           sets, offset_count, offsets))
        return buffer->counters.Add(Side::kAsked, Counter::kSetBinds, 1);
    buffer->counters.Add(Counter::kSetBinds);
    buffer->down->CmdBindDescriptorSets(handle, bind_point, layout, first, count, chosen.sets, offset_count, offsets);
}

}  // namespace
}  // namespace kronos

namespace kronos::hook {

VKAPI_ATTR void VKAPI_CALL CmdBindDescriptorSets(VkCommandBuffer handle, VkPipelineBindPoint bind_point,
                                                 VkPipelineLayout layout, uint32_t first, uint32_t count,
                                                 const VkDescriptorSet* sets, uint32_t offset_count,
                                                 const uint32_t* offsets) {
    CommandBuffer* buffer = FindPassing(handle);
    if (!buffer) return BindChosen(handle, bind_point, layout, first, count, sets, offset_count, offsets);
    buffer->counters.Add(Counter::kSetBinds);
    buffer->down->CmdBindDescriptorSets(handle, bind_point, layout, first, count, sets, offset_count, offsets);
}

VKAPI_ATTR void VKAPI_CALL CmdBindDescriptorSets2(VkCommandBuffer handle, const VkBindDescriptorSetsInfo* info) {
    CommandBuffer* buffer = FindCommandBuffer(handle);
    if (!buffer) {
        MakeReal(DeviceOf(handle), info->descriptorSetCount, info->pDescriptorSets);
        return DownOfUnknown(handle).CmdBindDescriptorSets2(handle, info);
    }
    Chosen chosen;
    Choose(*buffer, info->descriptorSetCount, info->pDescriptorSets, chosen);
    VkBindDescriptorSetsInfo bound = *info;
    bound.pDescriptorSets = chosen.sets;
    if (Held<&hold::CmdBindDescriptorSets2>(*buffer, "vkCmdBindDescriptorSets2", chosen, info))
        return buffer->counters.Add(Side::kAsked, Counter::kSetBinds, 1);
    buffer->counters.Add(Counter::kSetBinds);
    buffer->down->CmdBindDescriptorSets2(handle, &bound);
}

}  // namespace kronos::hook
