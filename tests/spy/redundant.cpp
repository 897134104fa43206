// SPDX-License-Identifier: Apache-2.0
#include "redundant.h"

#include <atomic>
#include <map>
#include <mutex>
#include <type_traits>
#include <unordered_map>
#include <utility>

namespace spy {
namespace {

constinit std::atomic<uint64_t> device_calls{0};

using Words = std::vector<uint64_t>;
struct State {
    std::mutex mutex;
    std::unordered_map<VkCommandBuffer, std::map<std::pair<StateKind, int>, Words>> last;
};

// Never destroyed: programs call Vulkan from their own exit handlers.
State& Remembered() {
    static State* const state = new State;
    return *state;
}

template <typename Handle>
uint64_t Number(Handle handle) {
    if constexpr (std::is_pointer_v<Handle>)
        return reinterpret_cast<uint64_t>(handle);
    else
        return handle;
}

constexpr int kCompute = VK_PIPELINE_BIND_POINT_COMPUTE;

void NoteSets(VkCommandBuffer commands, int bind_point, uint64_t stages, VkPipelineLayout layout, uint32_t first,
              uint32_t count, const VkDescriptorSet* sets, uint32_t offset_count, const uint32_t* offsets) {
    Words words{stages, Number(layout), first, count};
    for (uint32_t i = 0; i < count; ++i) words.push_back(Number(sets[i]));
    words.insert(words.end(), offsets, offsets + offset_count);
    NoteState(commands, StateKind::Sets, bind_point, std::move(words), Counter::redundant_binds);
}

// Buffers alone: of other types, and of what has structures behind it, nothing is compared.
void NoteWrites(VkCommandBuffer commands, int bind_point, VkPipelineLayout layout, uint32_t set, uint32_t count,
                const VkWriteDescriptorSet* writes) {
    Words words{Number(layout), set, count, 1};
    for (uint32_t i = 0; i < count; ++i) {
        const VkWriteDescriptorSet& write = writes[i];
        if (write.pNext != nullptr || (write.descriptorType != VK_DESCRIPTOR_TYPE_STORAGE_BUFFER &&
                                       write.descriptorType != VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER))
            return ForgetState(commands, StateKind::Sets);
        words.insert(words.end(), {write.dstBinding, write.dstArrayElement, write.descriptorCount,
                                   static_cast<uint64_t>(write.descriptorType)});
        for (uint32_t j = 0; j < write.descriptorCount; ++j)
            words.insert(words.end(), {Number(write.pBufferInfo[j].buffer), write.pBufferInfo[j].offset,
                                       write.pBufferInfo[j].range});
    }
    NoteState(commands, StateKind::Sets, bind_point, std::move(words), Counter::redundant_pushes);
}

void NoteConstants(VkCommandBuffer commands, VkPipelineLayout layout, VkShaderStageFlags stages, uint32_t offset,
                   uint32_t size, const void* values) {
    Words words{Number(layout), stages, offset, size};
    const auto* bytes = static_cast<const uint8_t*>(values);
    words.insert(words.end(), bytes, bytes + size);
    NoteState(commands, StateKind::Constants, 0, std::move(words), Counter::redundant_pushes);
}

// What is for more bind points than one is not compared, nor is what has structures behind it.
template <typename Info>
bool ComputeAlone(const Info& info) {
    return info.pNext == nullptr && info.stageFlags == VK_SHADER_STAGE_COMPUTE_BIT;
}

}  // namespace

void NoteState(VkCommandBuffer commands, StateKind kind, int bind_point, Words words, Counter counter) {
    words.push_back(device_calls.load(std::memory_order_relaxed));
    State& state = Remembered();
    const std::lock_guard lock(state.mutex);
    Words& last = state.last[commands][{kind, bind_point}];
    if (last == words) Add(counter);
    last = std::move(words);
}

void ForgetState(VkCommandBuffer commands, StateKind kind) {
    State& state = Remembered();
    const std::lock_guard lock(state.mutex);
    std::erase_if(state.last[commands], [kind](const auto& entry) { return entry.first.first == kind; });
}

void ForgetState(VkCommandBuffer commands) {
    State& state = Remembered();
    const std::lock_guard lock(state.mutex);
    state.last[commands].clear();
}

void DropState(VkCommandBuffer commands) {
    State& state = Remembered();
    const std::lock_guard lock(state.mutex);
    state.last.erase(commands);
}

void NoteDeviceCall() { device_calls.fetch_add(1, std::memory_order_relaxed); }

void Derived<Id::vkCmdBindPipeline>::Before(VkCommandBuffer commands, VkPipelineBindPoint point, VkPipeline pipeline) {
    NoteState(commands, StateKind::Pipeline, point, {Number(pipeline)}, Counter::redundant_binds);
}

void Derived<Id::vkCmdBindDescriptorSets>::Before(VkCommandBuffer commands, VkPipelineBindPoint point,
                                                  VkPipelineLayout layout, uint32_t first, uint32_t count,
                                                  const VkDescriptorSet* sets, uint32_t offset_count,
                                                  const uint32_t* offsets) {
    NoteSets(commands, point, 0, layout, first, count, sets, offset_count, offsets);
}

void Derived<Id::vkCmdBindDescriptorSets2>::Before(VkCommandBuffer commands, const VkBindDescriptorSetsInfo* info) {
    if (!ComputeAlone(*info)) return ForgetState(commands, StateKind::Sets);
    NoteSets(commands, kCompute, info->stageFlags, info->layout, info->firstSet, info->descriptorSetCount,
             info->pDescriptorSets, info->dynamicOffsetCount, info->pDynamicOffsets);
}

void Derived<Id::vkCmdPushConstants>::Before(VkCommandBuffer commands, VkPipelineLayout layout,
                                             VkShaderStageFlags stages, uint32_t offset, uint32_t size,
                                             const void* values) {
    NoteConstants(commands, layout, stages, offset, size, values);
}

void Derived<Id::vkCmdPushConstants2>::Before(VkCommandBuffer commands, const VkPushConstantsInfo* info) {
    if (info->pNext != nullptr) return ForgetState(commands, StateKind::Constants);
    NoteConstants(commands, info->layout, info->stageFlags, info->offset, info->size, info->pValues);
}

void Derived<Id::vkCmdPushDescriptorSet>::Before(VkCommandBuffer commands, VkPipelineBindPoint point,
                                                 VkPipelineLayout layout, uint32_t set, uint32_t count,
                                                 const VkWriteDescriptorSet* writes) {
    NoteWrites(commands, point, layout, set, count, writes);
}

void Derived<Id::vkCmdPushDescriptorSet2>::Before(VkCommandBuffer commands, const VkPushDescriptorSetInfo* info) {
    if (!ComputeAlone(*info)) return ForgetState(commands, StateKind::Sets);
    NoteWrites(commands, kCompute, info->layout, info->set, info->descriptorWriteCount, info->pDescriptorWrites);
}

void Derived<Id::vkCmdPushDescriptorSetWithTemplate>::Before(VkCommandBuffer commands, VkDescriptorUpdateTemplate,
                                                             VkPipelineLayout, uint32_t, const void*) {
    ForgetState(commands, StateKind::Sets);
}

void Derived<Id::vkCmdPushDescriptorSetWithTemplate2>::Before(VkCommandBuffer commands,
                                                              const VkPushDescriptorSetWithTemplateInfo*) {
    ForgetState(commands, StateKind::Sets);
}

}  // namespace spy
