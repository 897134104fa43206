// SPDX-License-Identifier: Apache-2.0
// Recording of command buffers: counting, and what the recorder is told. Externally synchronized by the program, as
// recording is.
#include "entry/hooks.h"
#include "entry/recording.h"
#include "entry/state.h"
#include "stream/hold.h"
#include "support/clock.h"

namespace kronos {
namespace {

void StartOver(CommandBuffer* buffer) {
    if (buffer->device->stats) buffer->counters.FlushTo(buffer->device->stats->counters());
    buffer->dispatches = 0;
    buffer->events = false;
    buffer->sets.Clear();
    if (buffer->recorder) buffer->recorder->Forget();
}

// `ended`: the recording is whole.
void Finish(CommandBuffer& buffer, bool ended) noexcept {
    Device& device = *buffer.device;
    const HeldWork work = buffer.recorder->Finish(*buffer.down, buffer.handle, buffer.counters,
                                                  device.stats ? &device.stats->counters() : nullptr, ended);
    if (device.worth && work.commands) device.worth->Held(work, NowNs());
}

// Inside a render pass other rules hold.
bool ToBeHeld(const Device& device, const VkCommandBufferBeginInfo& info) {
    if (info.flags & VK_COMMAND_BUFFER_USAGE_RENDER_PASS_CONTINUE_BIT) return false;
    if (!device.worth || device.worth->Hold(NowNs())) return true;
    device.Decided(Counter::kStreamsDirect);
    return false;
}

// Another command buffer would not begin the same way: whoever submits it must get this one.
bool BeginsInItsOwnWay(const VkCommandBufferBeginInfo& info) {
    constexpr VkCommandBufferUsageFlags kKnown =
        VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT | VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT;
    return info.pNext || (info.flags & ~kKnown);
}

// On the driver's side a held one counts when, and if, the driver gets it.
void CountBarrier(CommandBuffer& buffer, bool held, uint32_t entries) {
    if (held) {
        buffer.counters.Add(Side::kAsked, Counter::kBarrierCalls, 1);
        buffer.counters.Add(Side::kAsked, Counter::kBarriers, entries);
    } else {
        buffer.counters.Add(Counter::kBarrierCalls);
        buffer.counters.Add(Counter::kBarriers, entries);
    }
}

// Of a recording that is analysed, or of a command buffer that is not known. Apart from the hook, and with its
// arguments, so that what is only counted need not move them.
[[gnu::noinline]] void RecordBarrier(VkCommandBuffer handle, VkPipelineStageFlags source,
                                     VkPipelineStageFlags destination, VkDependencyFlags flags, uint32_t memory_count,
                                     const VkMemoryBarrier* memory, uint32_t buffer_count,
                                     const VkBufferMemoryBarrier* buffers, uint32_t image_count,
                                     const VkImageMemoryBarrier* images) {
    CommandBuffer* buffer = FindCommandBuffer(handle);
    if (!buffer)
        return DownOfUnknown(handle).CmdPipelineBarrier(handle, source, destination, flags, memory_count, memory,
                                                        buffer_count, buffers, image_count, images);
    const bool held = Records(*buffer) && HeldBack<&hold::CmdPipelineBarrier>(
                                              *buffer, "vkCmdPipelineBarrier", Counter::kBarriers, source, destination,
                                              flags, memory_count, memory, buffer_count, buffers, image_count, images);
    CountBarrier(*buffer, held, memory_count + buffer_count + image_count);
    if (held) return;
    buffer->down->CmdPipelineBarrier(handle, source, destination, flags, memory_count, memory, buffer_count, buffers,
                                     image_count, images);
}

}  // namespace

void GiveUp(CommandBuffer& buffer, const char* command, std::atomic_flag& told) noexcept {
    buffer.device->Decided(Counter::kStreamsGivenUp);
    Finish(buffer, false);
    if (told.test_and_set(std::memory_order_relaxed)) return;
    Guarded(buffer.device->log.get(), command, false, [&] {
        buffer.device->log->Info("streams: {} is not held; what follows it in its command buffer is as it was recorded",
                                 command);
        return true;
    });
}

}  // namespace kronos

namespace kronos::hook {

VKAPI_ATTR VkResult VKAPI_CALL BeginCommandBuffer(VkCommandBuffer handle, const VkCommandBufferBeginInfo* info) {
    CommandBuffer* buffer = FindCommandBuffer(handle);
    if (!buffer) return DownOfUnknown(handle).BeginCommandBuffer(handle, info);
    StartOver(buffer);
    buffer->counters.Add(Counter::kRecordings);
    const VkResult result = buffer->down->BeginCommandBuffer(handle, info);
    if (result == VK_SUCCESS && buffer->recorder) {
        buffer->recorder->Begin(ToBeHeld(*buffer->device, *info),
                                info->flags & VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT);
        if (BeginsInItsOwnWay(*info)) buffer->recorder->SetAlone();
    }
    return result;
}

VKAPI_ATTR VkResult VKAPI_CALL EndCommandBuffer(VkCommandBuffer handle) {
    CommandBuffer* buffer = FindCommandBuffer(handle);
    if (!buffer) return DownOfUnknown(handle).EndCommandBuffer(handle);
    if (buffer->recorder) Finish(*buffer, true);
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
    CommandBuffer* buffer = GlimpseCommandBuffer(handle);
    if (!buffer || Records(*buffer))
        return RecordBarrier(handle, source, destination, flags, memory_count, memory, buffer_count, buffers,
                             image_count, images);
    CountBarrier(*buffer, false, memory_count + buffer_count + image_count);
    buffer->down->CmdPipelineBarrier(handle, source, destination, flags, memory_count, memory, buffer_count, buffers,
                                     image_count, images);
}

VKAPI_ATTR void VKAPI_CALL CmdPipelineBarrier2(VkCommandBuffer handle, const VkDependencyInfo* info) {
    CommandBuffer* buffer = FindCommandBuffer(handle);
    if (!buffer) return DownOfUnknown(handle).CmdPipelineBarrier2(handle, info);
    const bool held = Records(*buffer) &&
                      HeldBack<&hold::CmdPipelineBarrier2>(*buffer, "vkCmdPipelineBarrier2", Counter::kBarriers, info);
    CountBarrier(*buffer, held,
                 info->memoryBarrierCount + info->bufferMemoryBarrierCount + info->imageMemoryBarrierCount);
    if (!held) buffer->down->CmdPipelineBarrier2(handle, info);
}

VKAPI_ATTR void VKAPI_CALL CmdExecuteCommands(VkCommandBuffer handle, uint32_t count,
                                              const VkCommandBuffer* secondaries) {
    CommandBuffer* buffer = FindCommandBuffer(handle);
    if (!buffer) return DownOfUnknown(handle).CmdExecuteCommands(handle, count, secondaries);
    for (uint32_t i = 0; i < count; ++i) {
        const CommandBuffer* secondary = FindCommandBuffer(secondaries[i]);
        if (secondary) buffer->dispatches += secondary->dispatches;
        buffer->events = buffer->events || !secondary || secondary->events;
    }
    if (Records(*buffer) && HeldBack<&hold::CmdExecuteCommands>(*buffer, "vkCmdExecuteCommands", Counter::kSecondaries,
                                                                count, secondaries)) {
        buffer->counters.Add(Side::kAsked, Counter::kSecondaries, count);
        return;
    }
    buffer->counters.Add(Counter::kSecondaries, count);
    buffer->down->CmdExecuteCommands(handle, count, secondaries);
}

}  // namespace kronos::hook
