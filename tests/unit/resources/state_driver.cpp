// SPDX-License-Identifier: Apache-2.0
#include "state_driver.h"

#include <span>
#include <type_traits>

#include "support/handle_bits.h"

namespace kronos::model {
namespace {

using Table = VkuDeviceDispatchTable;

// Whatever it is, as numbers.
template <class T>
uint64_t Word(T value) {
    if constexpr (std::is_pointer_v<T>)
        return HandleBits(value);
    else
        return static_cast<uint64_t>(value);
}

void Write(std::vector<uint64_t>& words, uint32_t count, const VkWriteDescriptorSet* writes) {
    for (const VkWriteDescriptorSet& write : std::span(writes, count)) {
        words.insert(words.end(), {write.dstBinding, write.dstArrayElement, write.descriptorCount});
        for (uint32_t i = 0; i < write.descriptorCount; ++i)
            words.insert(words.end(), {HandleBits(write.pBufferInfo[i].buffer), write.pBufferInfo[i].offset,
                                       write.pBufferInfo[i].range});
    }
}
void WriteSets(std::vector<uint64_t>& words, uint32_t first, uint32_t count, const VkDescriptorSet* sets,
               uint32_t offset_count, const uint32_t* offsets) {
    words.insert(words.end(), {first, count});
    for (uint32_t i = 0; i < count; ++i) words.push_back(HandleBits(sets[i]));
    words.insert(words.end(), offsets, offsets + offset_count);
}

VKAPI_ATTR void VKAPI_CALL GotPipeline(VkCommandBuffer, VkPipelineBindPoint point, VkPipeline pipeline) {
    DriverGot().push_back({'p', {Word(point), HandleBits(pipeline)}});
}
VKAPI_ATTR void VKAPI_CALL GotSets(VkCommandBuffer, VkPipelineBindPoint point, VkPipelineLayout layout, uint32_t first,
                                   uint32_t count, const VkDescriptorSet* sets, uint32_t offset_count,
                                   const uint32_t* offsets) {
    Raw raw = {'s', {Word(point), HandleBits(layout)}};
    WriteSets(raw.words, first, count, sets, offset_count, offsets);
    DriverGot().push_back(raw);
}
VKAPI_ATTR void VKAPI_CALL GotSets2(VkCommandBuffer, const VkBindDescriptorSetsInfo* info) {
    Raw raw = {'S', {info->stageFlags, HandleBits(info->layout)}};
    WriteSets(raw.words, info->firstSet, info->descriptorSetCount, info->pDescriptorSets, info->dynamicOffsetCount,
              info->pDynamicOffsets);
    DriverGot().push_back(raw);
}
VKAPI_ATTR void VKAPI_CALL GotConstants(VkCommandBuffer, VkPipelineLayout layout, VkShaderStageFlags stages,
                                        uint32_t offset, uint32_t size, const void* values) {
    Raw raw = {'c', {HandleBits(layout), stages, offset, size}};
    for (const uint8_t byte : std::span(static_cast<const uint8_t*>(values), size)) raw.words.push_back(byte);
    DriverGot().push_back(raw);
}
VKAPI_ATTR void VKAPI_CALL GotConstants2(VkCommandBuffer buffer, const VkPushConstantsInfo* info) {
    GotConstants(buffer, info->layout, info->stageFlags, info->offset, info->size, info->pValues);
    DriverGot().back().letter = 'C';
}
VKAPI_ATTR void VKAPI_CALL GotDescriptors(VkCommandBuffer, VkPipelineBindPoint point, VkPipelineLayout layout,
                                          uint32_t set, uint32_t count, const VkWriteDescriptorSet* writes) {
    Raw raw = {'d', {Word(point), HandleBits(layout), set, count}};
    Write(raw.words, count, writes);
    DriverGot().push_back(raw);
}
VKAPI_ATTR void VKAPI_CALL GotDescriptors2(VkCommandBuffer, const VkPushDescriptorSetInfo* info) {
    Raw raw = {'D', {info->stageFlags, HandleBits(info->layout), info->set, info->descriptorWriteCount}};
    Write(raw.words, info->descriptorWriteCount, info->pDescriptorWrites);
    DriverGot().push_back(raw);
}
VKAPI_ATTR void VKAPI_CALL GotDispatch(VkCommandBuffer, uint32_t x, uint32_t y, uint32_t z) {
    DriverGot().push_back({'x', {x, y, z}});
}
VKAPI_ATTR void VKAPI_CALL GotExecute(VkCommandBuffer, uint32_t count, const VkCommandBuffer*) {
    DriverGot().push_back({'e', {count}});
}
VKAPI_ATTR void VKAPI_CALL GotReset(VkCommandBuffer, VkQueryPool, uint32_t first, uint32_t) {
    DriverGot().push_back({kDriverMark, {first}});
}

}  // namespace

std::vector<Raw>& DriverGot() {
    thread_local std::vector<Raw> got;
    return got;
}

const VkuDeviceDispatchTable& DriverTable() {
    static const Table table = [] {
        Table made = {};
        made.CmdBindPipeline = GotPipeline;
        made.CmdBindDescriptorSets = GotSets;
        made.CmdBindDescriptorSets2 = GotSets2;
        made.CmdPushConstants = GotConstants;
        made.CmdPushConstants2 = GotConstants2;
        made.CmdPushDescriptorSet = GotDescriptors;
        made.CmdPushDescriptorSet2 = GotDescriptors2;
        made.CmdDispatch = GotDispatch;
        made.CmdExecuteCommands = GotExecute;
        made.CmdResetQueryPool = GotReset;
        return made;
    }();
    return table;
}

}  // namespace kronos::model
