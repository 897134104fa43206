// SPDX-License-Identifier: Apache-2.0
// The vkCmd* commands that do something when they are executed, recorded as data. All others only count.
#include "commands.h"

#include <cstring>

#include "control_state.h"

namespace mock {
namespace {

bool Tracking() { return g_track_dispatches.load(std::memory_order_relaxed); }

Recorded& Append(VkCommandBuffer handle, Op op) {
    Recorded& recorded = Of(handle)->commands.emplace_back();
    recorded.op = op;
    return recorded;
}

size_t AppendData(VkCommandBuffer handle, const void* data, size_t size) {
    std::vector<uint8_t>& to = Of(handle)->data;
    const size_t at = to.size();
    to.resize(at + size);
    std::memcpy(to.data() + at, data, size);
    return at;
}

void AppendDispatch(VkCommandBuffer handle, Recorded recorded) {
    CommandBuffer* buffer = Of(handle);
    recorded.data = buffer->dispatches.size();
    buffer->dispatches.push_back(std::make_unique<DispatchState>(buffer->bound));
    buffer->commands.push_back(recorded);
}

void PushBytes(VkCommandBuffer handle, uint32_t offset, uint32_t size, const void* values) {
    DispatchState& bound = Of(handle)->bound;
    if (offset > bound.push_constants.size() || size > bound.push_constants.size() - offset) {
        return Violation("vkCmdPushConstants: the range ends beyond " + std::to_string(bound.push_constants.size()));
    }
    std::memcpy(bound.push_constants.data() + offset, values, size);
    bound.push_constant_size = std::max(bound.push_constant_size, offset + size);
}

void PushTemplate(VkCommandBuffer handle, VkDescriptorUpdateTemplate made, uint32_t set, const void* data) {
    const UpdateTemplate* found = Require<UpdateTemplate>(made, "vkCmdPushDescriptorSetWithTemplate");
    if (found == nullptr) return;
    for (const VkDescriptorUpdateTemplateEntry& entry : found->entries) {
        for (uint32_t i = 0; i < entry.descriptorCount; ++i) {
            Of(handle)->bound.sets[set].pushed[{entry.dstBinding, entry.dstArrayElement + i}] =
                FromTemplate(entry, i, data);
        }
    }
}

}  // namespace

namespace impl {

void vkCmdBindPipeline(VkCommandBuffer commandBuffer, VkPipelineBindPoint pipelineBindPoint, VkPipeline pipeline) {
    if (Tracking() && pipelineBindPoint == VK_PIPELINE_BIND_POINT_COMPUTE) Of(commandBuffer)->bound.pipeline = pipeline;
}

void vkCmdBindDescriptorSets(VkCommandBuffer commandBuffer, VkPipelineBindPoint pipelineBindPoint, VkPipelineLayout,
                             uint32_t firstSet, uint32_t descriptorSetCount, const VkDescriptorSet* pDescriptorSets,
                             uint32_t dynamicOffsetCount, const uint32_t* pDynamicOffsets) {
    if (!Tracking() || pipelineBindPoint != VK_PIPELINE_BIND_POINT_COMPUTE) return;
    uint32_t next = 0;
    for (uint32_t i = 0; i < descriptorSetCount; ++i) {
        BoundSet bound;
        bound.set = pDescriptorSets[i];
        const DescriptorSet* set = Require<DescriptorSet>(pDescriptorSets[i], "vkCmdBindDescriptorSets");
        uint32_t dynamic = 0;
        if (set != nullptr) {
            for (const auto& [number, binding] : set->layout->bindings) {
                if (binding.type == VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER_DYNAMIC ||
                    binding.type == VK_DESCRIPTOR_TYPE_STORAGE_BUFFER_DYNAMIC) {
                    dynamic += binding.count;
                }
            }
        }
        for (; dynamic > 0 && next < dynamicOffsetCount; --dynamic) {
            bound.dynamic_offsets.push_back(pDynamicOffsets[next++]);
        }
        Of(commandBuffer)->bound.sets[firstSet + i] = std::move(bound);
    }
}

void vkCmdBindDescriptorSets2(VkCommandBuffer commandBuffer, const VkBindDescriptorSetsInfo* pBindDescriptorSetsInfo) {
    const VkBindDescriptorSetsInfo& i = *pBindDescriptorSetsInfo;
    if (!(i.stageFlags & VK_SHADER_STAGE_COMPUTE_BIT)) return;
    vkCmdBindDescriptorSets(commandBuffer, VK_PIPELINE_BIND_POINT_COMPUTE, i.layout, i.firstSet, i.descriptorSetCount,
                            i.pDescriptorSets, i.dynamicOffsetCount, i.pDynamicOffsets);
}

void vkCmdPushConstants(VkCommandBuffer commandBuffer, VkPipelineLayout, VkShaderStageFlags stageFlags, uint32_t offset,
                        uint32_t size, const void* pValues) {
    if (Tracking() && (stageFlags & VK_SHADER_STAGE_COMPUTE_BIT)) PushBytes(commandBuffer, offset, size, pValues);
}

void vkCmdPushConstants2(VkCommandBuffer commandBuffer, const VkPushConstantsInfo* pPushConstantsInfo) {
    const VkPushConstantsInfo& i = *pPushConstantsInfo;
    vkCmdPushConstants(commandBuffer, i.layout, i.stageFlags, i.offset, i.size, i.pValues);
}

void vkCmdPushDescriptorSet(VkCommandBuffer commandBuffer, VkPipelineBindPoint pipelineBindPoint, VkPipelineLayout,
                            uint32_t set, uint32_t descriptorWriteCount,
                            const VkWriteDescriptorSet* pDescriptorWrites) {
    if (!Tracking() || pipelineBindPoint != VK_PIPELINE_BIND_POINT_COMPUTE) return;
    BoundSet& bound = Of(commandBuffer)->bound.sets[set];
    bound.set = VK_NULL_HANDLE;
    for (uint32_t w = 0; w < descriptorWriteCount; ++w) {
        const VkWriteDescriptorSet& write = pDescriptorWrites[w];
        for (uint32_t i = 0; i < write.descriptorCount; ++i) {
            WriteDescriptor(write, i, &bound.pushed[{write.dstBinding, write.dstArrayElement + i}]);
        }
    }
}

void vkCmdPushDescriptorSet2(VkCommandBuffer commandBuffer, const VkPushDescriptorSetInfo* pPushDescriptorSetInfo) {
    const VkPushDescriptorSetInfo& i = *pPushDescriptorSetInfo;
    if (!(i.stageFlags & VK_SHADER_STAGE_COMPUTE_BIT)) return;
    vkCmdPushDescriptorSet(commandBuffer, VK_PIPELINE_BIND_POINT_COMPUTE, i.layout, i.set, i.descriptorWriteCount,
                           i.pDescriptorWrites);
}

void vkCmdPushDescriptorSetWithTemplate(VkCommandBuffer commandBuffer,
                                        VkDescriptorUpdateTemplate descriptorUpdateTemplate, VkPipelineLayout,
                                        uint32_t set, const void* pData) {
    if (Tracking()) PushTemplate(commandBuffer, descriptorUpdateTemplate, set, pData);
}

void vkCmdPushDescriptorSetWithTemplate2(VkCommandBuffer commandBuffer,
                                         const VkPushDescriptorSetWithTemplateInfo* pInfo) {
    if (Tracking()) PushTemplate(commandBuffer, pInfo->descriptorUpdateTemplate, pInfo->set, pInfo->pData);
}

void vkCmdDispatchBase(VkCommandBuffer commandBuffer, uint32_t baseGroupX, uint32_t baseGroupY, uint32_t baseGroupZ,
                       uint32_t groupCountX, uint32_t groupCountY, uint32_t groupCountZ) {
    if (!Tracking()) return;
    Recorded recorded{};
    recorded.op = Op::kDispatch;
    const uint64_t values[6] = {baseGroupX, baseGroupY, baseGroupZ, groupCountX, groupCountY, groupCountZ};
    std::memcpy(recorded.value, values, sizeof(values));
    AppendDispatch(commandBuffer, recorded);
}

void vkCmdDispatch(VkCommandBuffer commandBuffer, uint32_t groupCountX, uint32_t groupCountY, uint32_t groupCountZ) {
    if (!Tracking()) return;
    vkCmdDispatchBase(commandBuffer, 0, 0, 0, groupCountX, groupCountY, groupCountZ);
}

void vkCmdDispatchIndirect(VkCommandBuffer commandBuffer, VkBuffer buffer, VkDeviceSize offset) {
    if (!Tracking()) return;
    Recorded recorded{};
    recorded.op = Op::kDispatchIndirect;
    recorded.object[0] = FromHandle(buffer);
    recorded.value[0] = offset;
    AppendDispatch(commandBuffer, recorded);
}

void vkCmdCopyBuffer(VkCommandBuffer commandBuffer, VkBuffer srcBuffer, VkBuffer dstBuffer, uint32_t regionCount,
                     const VkBufferCopy* pRegions) {
    const size_t data = AppendData(commandBuffer, pRegions, regionCount * sizeof(VkBufferCopy));
    Recorded& r = Append(commandBuffer, Op::kCopyBuffer);
    r.count = regionCount;
    r.object[0] = FromHandle(srcBuffer);
    r.object[1] = FromHandle(dstBuffer);
    r.data = data;
}

void vkCmdCopyBuffer2(VkCommandBuffer commandBuffer, const VkCopyBufferInfo2* pCopyBufferInfo) {
    std::vector<VkBufferCopy> regions;
    for (uint32_t i = 0; i < pCopyBufferInfo->regionCount; ++i) {
        const VkBufferCopy2& region = pCopyBufferInfo->pRegions[i];
        regions.push_back({region.srcOffset, region.dstOffset, region.size});
    }
    vkCmdCopyBuffer(commandBuffer, pCopyBufferInfo->srcBuffer, pCopyBufferInfo->dstBuffer,
                    static_cast<uint32_t>(regions.size()), regions.data());
}

void vkCmdFillBuffer(VkCommandBuffer commandBuffer, VkBuffer dstBuffer, VkDeviceSize dstOffset, VkDeviceSize size,
                     uint32_t data) {
    Recorded& r = Append(commandBuffer, Op::kFillBuffer);
    r.object[0] = FromHandle(dstBuffer);
    r.value[0] = dstOffset;
    r.value[1] = size;
    r.value[2] = data;
}

void vkCmdUpdateBuffer(VkCommandBuffer commandBuffer, VkBuffer dstBuffer, VkDeviceSize dstOffset, VkDeviceSize dataSize,
                       const void* pData) {
    if (dataSize > 65536 || dataSize % 4 != 0) {
        Violation("vkCmdUpdateBuffer: size " + std::to_string(dataSize) + " is above 65536 or no multiple of 4");
    }
    const size_t data = AppendData(commandBuffer, pData, dataSize);
    Recorded& r = Append(commandBuffer, Op::kUpdateBuffer);
    r.object[0] = FromHandle(dstBuffer);
    r.value[0] = dstOffset;
    r.value[1] = dataSize;
    r.data = data;
}

void vkCmdExecuteCommands(VkCommandBuffer commandBuffer, uint32_t commandBufferCount,
                          const VkCommandBuffer* pCommandBuffers) {
    for (uint32_t i = 0; i < commandBufferCount; ++i) {
        const CommandBuffer* secondary = Of(pCommandBuffers[i]);
        if (!secondary->secondary || secondary->state != CommandBuffer::State::kExecutable) {
            Violation(
                "vkCmdExecuteCommands: " + HandleName(VK_OBJECT_TYPE_COMMAND_BUFFER, FromHandle(pCommandBuffers[i])) +
                " is no executable secondary command buffer");
            continue;
        }
        Append(commandBuffer, Op::kExecuteCommands).object[0] = FromHandle(pCommandBuffers[i]);
    }
}

void vkCmdSetEvent(VkCommandBuffer commandBuffer, VkEvent event, VkPipelineStageFlags) {
    Append(commandBuffer, Op::kSetEvent).object[0] = FromHandle(event);
}

void vkCmdSetEvent2(VkCommandBuffer commandBuffer, VkEvent event, const VkDependencyInfo*) {
    Append(commandBuffer, Op::kSetEvent).object[0] = FromHandle(event);
}

void vkCmdResetEvent(VkCommandBuffer commandBuffer, VkEvent event, VkPipelineStageFlags) {
    Append(commandBuffer, Op::kResetEvent).object[0] = FromHandle(event);
}

void vkCmdResetEvent2(VkCommandBuffer commandBuffer, VkEvent event, VkPipelineStageFlags2) {
    Append(commandBuffer, Op::kResetEvent).object[0] = FromHandle(event);
}

void vkCmdWaitEvents(VkCommandBuffer commandBuffer, uint32_t eventCount, const VkEvent* pEvents, VkPipelineStageFlags,
                     VkPipelineStageFlags, uint32_t, const VkMemoryBarrier*, uint32_t, const VkBufferMemoryBarrier*,
                     uint32_t, const VkImageMemoryBarrier*) {
    for (uint32_t i = 0; i < eventCount; ++i) {
        Append(commandBuffer, Op::kWaitEvents).object[0] = FromHandle(pEvents[i]);
    }
}

void vkCmdWaitEvents2(VkCommandBuffer commandBuffer, uint32_t eventCount, const VkEvent* pEvents,
                      const VkDependencyInfo*) {
    for (uint32_t i = 0; i < eventCount; ++i) {
        Append(commandBuffer, Op::kWaitEvents).object[0] = FromHandle(pEvents[i]);
    }
}

void vkCmdResetQueryPool(VkCommandBuffer commandBuffer, VkQueryPool queryPool, uint32_t firstQuery,
                         uint32_t queryCount) {
    Recorded& r = Append(commandBuffer, Op::kResetQueries);
    r.object[0] = FromHandle(queryPool);
    r.value[0] = firstQuery;
    r.count = queryCount;
}

void vkCmdBeginQuery(VkCommandBuffer, VkQueryPool queryPool, uint32_t query, VkQueryControlFlags) {
    const QueryPool* pool = Require<QueryPool>(queryPool, "vkCmdBeginQuery");
    if (pool != nullptr && query >= pool->queries.size())
        Violation("vkCmdBeginQuery: no query " + std::to_string(query));
}

void vkCmdEndQuery(VkCommandBuffer commandBuffer, VkQueryPool queryPool, uint32_t query) {
    Recorded& r = Append(commandBuffer, Op::kEndQuery);
    r.object[0] = FromHandle(queryPool);
    r.value[0] = query;
}

void vkCmdWriteTimestamp(VkCommandBuffer commandBuffer, VkPipelineStageFlagBits, VkQueryPool queryPool,
                         uint32_t query) {
    Recorded& r = Append(commandBuffer, Op::kTimestamp);
    r.object[0] = FromHandle(queryPool);
    r.value[0] = query;
}

void vkCmdWriteTimestamp2(VkCommandBuffer commandBuffer, VkPipelineStageFlags2, VkQueryPool queryPool, uint32_t query) {
    Recorded& r = Append(commandBuffer, Op::kTimestamp);
    r.object[0] = FromHandle(queryPool);
    r.value[0] = query;
}

void vkCmdCopyQueryPoolResults(VkCommandBuffer commandBuffer, VkQueryPool queryPool, uint32_t firstQuery,
                               uint32_t queryCount, VkBuffer dstBuffer, VkDeviceSize dstOffset, VkDeviceSize stride,
                               VkQueryResultFlags flags) {
    Recorded& r = Append(commandBuffer, Op::kCopyQueryResults);
    r.object[0] = FromHandle(queryPool);
    r.object[1] = FromHandle(dstBuffer);
    r.count = queryCount;
    r.value[0] = firstQuery;
    r.value[1] = dstOffset;
    r.value[2] = stride;
    r.value[3] = flags;
}

}  // namespace impl
}  // namespace mock
