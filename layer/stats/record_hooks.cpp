// SPDX-License-Identifier: Apache-2.0
// Counting while command buffers record. Externally synchronized by the program, as recording is.
#include "entry/hooks.h"
#include "entry/state.h"

namespace kronos {
namespace {

void StartOver(CommandBuffer* buffer) {
    if (buffer->device->stats) buffer->counters.FlushTo(buffer->device->stats->counters());
    buffer->dispatches = 0;
}

}  // namespace
}  // namespace kronos

namespace kronos::hook {

VKAPI_ATTR VkResult VKAPI_CALL BeginCommandBuffer(VkCommandBuffer handle, const VkCommandBufferBeginInfo* info) {
    CommandBuffer* buffer = FindCommandBuffer(handle);
    if (!buffer) return DownOfUnknown(handle).BeginCommandBuffer(handle, info);
    StartOver(buffer);
    buffer->counters.Add(Counter::kRecordings);
    return buffer->down->BeginCommandBuffer(handle, info);
}

VKAPI_ATTR VkResult VKAPI_CALL EndCommandBuffer(VkCommandBuffer handle) {
    CommandBuffer* buffer = FindCommandBuffer(handle);
    if (!buffer) return DownOfUnknown(handle).EndCommandBuffer(handle);
    if (buffer->device->stats) buffer->counters.FlushTo(buffer->device->stats->counters());
    return buffer->down->EndCommandBuffer(handle);
}

VKAPI_ATTR VkResult VKAPI_CALL ResetCommandBuffer(VkCommandBuffer handle, VkCommandBufferResetFlags flags) {
    CommandBuffer* buffer = FindCommandBuffer(handle);
    if (!buffer) return DownOfUnknown(handle).ResetCommandBuffer(handle, flags);
    StartOver(buffer);
    return buffer->down->ResetCommandBuffer(handle, flags);
}

VKAPI_ATTR void VKAPI_CALL CmdPipelineBarrier(VkCommandBuffer handle, VkPipelineStageFlags source,
                                              VkPipelineStageFlags destination, VkDependencyFlags flags,
                                              uint32_t memory_count, const VkMemoryBarrier* memory,
                                              uint32_t buffer_count, const VkBufferMemoryBarrier* buffers,
                                              uint32_t image_count, const VkImageMemoryBarrier* images) {
    CommandBuffer* buffer = FindCommandBuffer(handle);
    const VkuDeviceDispatchTable& down = buffer ? *buffer->down : DownOfUnknown(handle);
    if (buffer) {
        buffer->counters.Add(Counter::kBarrierCalls);
        buffer->counters.Add(Counter::kBarriers, memory_count + buffer_count + image_count);
    }
    down.CmdPipelineBarrier(handle, source, destination, flags, memory_count, memory, buffer_count, buffers,
                            image_count, images);
}

VKAPI_ATTR void VKAPI_CALL CmdPipelineBarrier2(VkCommandBuffer handle, const VkDependencyInfo* info) {
    CommandBuffer* buffer = FindCommandBuffer(handle);
    const VkuDeviceDispatchTable& down = buffer ? *buffer->down : DownOfUnknown(handle);
    if (buffer) {
        buffer->counters.Add(Counter::kBarrierCalls);
        buffer->counters.Add(Counter::kBarriers,
                             info->memoryBarrierCount + info->bufferMemoryBarrierCount + info->imageMemoryBarrierCount);
    }
    down.CmdPipelineBarrier2(handle, info);
}

VKAPI_ATTR void VKAPI_CALL CmdExecuteCommands(VkCommandBuffer handle, uint32_t count,
                                              const VkCommandBuffer* secondaries) {
    CommandBuffer* buffer = FindCommandBuffer(handle);
    if (!buffer) return DownOfUnknown(handle).CmdExecuteCommands(handle, count, secondaries);
    buffer->counters.Add(Counter::kSecondaries, count);
    for (uint32_t i = 0; i < count; ++i)
        if (const CommandBuffer* secondary = FindCommandBuffer(secondaries[i]))
            buffer->dispatches += secondary->dispatches;
    buffer->down->CmdExecuteCommands(handle, count, secondaries);
}

}  // namespace kronos::hook
