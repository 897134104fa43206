// SPDX-License-Identifier: Apache-2.0
// Recording of command buffers: counting, and what the recorder is told. Externally synchronized by the program, as
// recording is.
#include "entry/hooks.h"
#include "entry/recording.h"
#include "entry/state.h"
#include "stats/layer_time.h"
#include "stream/hold.h"
#include "support/clock.h"

namespace kronos {
namespace {

// The recorder is another recording's from now on.
void GiveBackRecorder(CommandBuffer& buffer) noexcept {
    if (buffer.recorder) buffer.pool->idle.push_back(std::move(buffer.recorder));  // has room
}

// What the recording counted is the device's.
void FlushCounters(CommandBuffer& buffer) noexcept {
    if (!buffer.counted && buffer.device->stats) buffer.counters.FlushTo(buffer.device->stats->counters());
    buffer.counted = true;
}

// For a recording that begins. False: there is no memory for one.
bool TakeRecorder(CommandBuffer& buffer) noexcept {
    Device::CommandPool& pool = *buffer.pool;
    if (!pool.idle.empty()) {
        buffer.recorder = std::move(pool.idle.back());
        pool.idle.pop_back();
        return true;
    }
    const Device& device = *buffer.device;
    return Guarded(device.log.get(), "vkBeginCommandBuffer", false, [&] {
        pool.idle.reserve(pool.recorders + 1);
        const StreamPolicy& streams = device.streams;
        buffer.recorder = std::make_unique<Recorder>(
            *device.resources,
            RecorderOptions{streams.mode, streams.narrow, streams.drops, streams.keeps, streams.defers});
        ++pool.recorders;
        return true;
    });
}

Counters* CountersOf(const Device& device) { return device.stats ? &device.stats->counters() : nullptr; }

// `ended`: the recording is whole.
void Finish(CommandBuffer& buffer, bool ended) noexcept {
    const Device& device = *buffer.device;
    const HeldWork work =
        buffer.recorder->Finish(*buffer.down, buffer.handle, buffer.counters, CountersOf(device), ended);
    GiveBackRecorder(buffer);
    if (device.worth && work.commands) device.worth->Held(work, NowNs());
}

// The driver begins it now, if it has not yet.
VkResult BeginAtDriver(CommandBuffer& buffer) {
    if (!buffer.not_begun) return VK_SUCCESS;
    buffer.not_begun = false;
    buffer.counters.Add(Side::kDriver, Counter::kRecordings, 1);
    VkCommandBufferBeginInfo info = {};
    info.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO;
    info.flags = buffer.usage;
    return buffer.down->BeginCommandBuffer(buffer.handle, &info);
}

// Whether the driver need not get the recording that begins before it is submitted: where submissions come in crowds,
// their command buffers are recorded as one of the layer's own. What is submitted more than once is better recorded
// once.
bool MayDefer(const CommandBuffer& buffer, const VkCommandBufferBeginInfo& info) {
    const Device& device = *buffer.device;
    return (info.flags & VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT) && buffer.replaceable && device.streams.defers &&
           device.submissions && device.submissions->Defers();
}

// Inside a render pass other rules hold.
bool ToBeHeld(const Device& device, const VkCommandBufferBeginInfo& info) {
    if (info.flags & VK_COMMAND_BUFFER_USAGE_RENDER_PASS_CONTINUE_BIT) return false;
    if (device.stands_aside.load(std::memory_order_relaxed)) {
        device.Decided(Counter::kStreamsWatchdog);
        return false;
    }
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

uint32_t EntriesOf(const VkDependencyInfo& info) {
    return info.memoryBarrierCount + info.bufferMemoryBarrierCount + info.imageMemoryBarrierCount;
}

[[gnu::noinline]] void RecordBarrier(VkCommandBuffer handle, const VkDependencyInfo* info) {
    CommandBuffer* buffer = FindCommandBuffer(handle);
    if (!buffer) return DownOfUnknown(handle).CmdPipelineBarrier2(handle, info);
    const bool held = Records(*buffer) &&
                      HeldBack<&hold::CmdPipelineBarrier2>(*buffer, "vkCmdPipelineBarrier2", Counter::kBarriers, info);
    CountBarrier(*buffer, held, EntriesOf(*info));
    if (!held) buffer->down->CmdPipelineBarrier2(handle, info);
}

}  // namespace

void StartOver(CommandBuffer& buffer) noexcept {
    FlushCounters(buffer);
    buffer.dispatches = 0;
    buffer.events = false;
    buffer.sets.Clear();
    if (buffer.recorder) buffer.recorder->Forget();
    GiveBackRecorder(buffer);
    if (buffer.stream) buffer.stream->Clear();
    buffer.not_begun = false;
    buffer.failed = VK_SUCCESS;
}

bool GiveUp(CommandBuffer& buffer, const char* command, std::atomic_flag& told) noexcept {
    // What follows is held, to no end, until the program is told.
    if (buffer.failed == VK_SUCCESS) buffer.failed = BeginAtDriver(buffer);
    if (buffer.failed != VK_SUCCESS) return false;
    buffer.device->Decided(Counter::kStreamsGivenUp);
    Finish(buffer, false);
    LetPass(buffer);
    if (told.test_and_set(std::memory_order_relaxed)) return true;
    Guarded(buffer.device->log.get(), command, false, [&] {
        buffer.device->log->Info("streams: {} is not held; what follows it in its command buffer is as it was recorded",
                                 command);
        return true;
    });
    return true;
}

}  // namespace kronos

namespace kronos::hook {

VKAPI_ATTR VkResult VKAPI_CALL BeginCommandBuffer(VkCommandBuffer handle, const VkCommandBufferBeginInfo* info) {
    CommandBuffer* buffer = FindCommandBuffer(handle);
    if (!buffer) return DownOfUnknown(handle).BeginCommandBuffer(handle, info);
    StartOver(*buffer);
    if (!buffer->recorded) buffer->pool->recorded.push_back(buffer);  // has room
    buffer->recorded = true;
    buffer->counted = false;
    Watch(*buffer->device);
    buffer->counters.Add(Side::kAsked, Counter::kRecordings, 1);
    const bool own_way = BeginsInItsOwnWay(*info);
    if (buffer->stream && ToBeHeld(*buffer->device, *info) && TakeRecorder(*buffer)) {
        LetPassNoMore(*buffer);
        buffer->recorder->Begin(*buffer->stream, true, info->flags & VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT);
        if (own_way || !buffer->replaceable) buffer->recorder->SetAlone();
        if (!own_way && MayDefer(*buffer, *info)) {
            buffer->not_begun = true;
            buffer->usage = info->flags;
            return VK_SUCCESS;
        }
    } else {
        LetPass(*buffer);
    }
    buffer->counters.Add(Side::kDriver, Counter::kRecordings, 1);
    const VkResult result = buffer->down->BeginCommandBuffer(handle, info);
    if (result != VK_SUCCESS && buffer->recorder) {
        buffer->recorder->Forget();
        GiveBackRecorder(*buffer);
    }
    return result;
}

VKAPI_ATTR VkResult VKAPI_CALL EndCommandBuffer(VkCommandBuffer handle) {
    CommandBuffer* buffer = FindCommandBuffer(handle);
    if (!buffer) return DownOfUnknown(handle).EndCommandBuffer(handle);
    Device& device = *buffer->device;
    // Without a recorder there is next to nothing to time.
    const LayerTime time(buffer->recorder ? CountersOf(device) : nullptr);
    if (buffer->not_begun && !buffer->events && !device.submissions->DefersNoMore() &&
        buffer->recorder->Defer(CountersOf(device))) {
        buffer->stream->WaitIn(device.deferred);
        device.Decided(Counter::kStreamsDeferred);
        GiveBackRecorder(*buffer);
        FlushCounters(*buffer);
        return VK_SUCCESS;
    }
    if (buffer->failed == VK_SUCCESS) buffer->failed = BeginAtDriver(*buffer);
    if (const VkResult failed = buffer->failed; failed != VK_SUCCESS) {
        StartOver(*buffer);
        return failed;
    }
    if (buffer->recorder) Finish(*buffer, true);
    FlushCounters(*buffer);
    const LayerTime::Driver drivers;
    return buffer->down->EndCommandBuffer(handle);
}

VKAPI_ATTR VkResult VKAPI_CALL ResetCommandBuffer(VkCommandBuffer handle, VkCommandBufferResetFlags flags) {
    CommandBuffer* buffer = FindCommandBuffer(handle);
    if (!buffer) return DownOfUnknown(handle).ResetCommandBuffer(handle, flags);
    StartOver(*buffer);
    return buffer->down->ResetCommandBuffer(handle, flags);
}

VKAPI_ATTR void VKAPI_CALL CmdPipelineBarrier(VkCommandBuffer handle, VkPipelineStageFlags source,
                                              VkPipelineStageFlags destination, VkDependencyFlags flags,
                                              uint32_t memory_count, const VkMemoryBarrier* memory,
                                              uint32_t buffer_count, const VkBufferMemoryBarrier* buffers,
                                              uint32_t image_count, const VkImageMemoryBarrier* images) {
    CommandBuffer* buffer = FindPassing(handle);
    if (!buffer)
        return RecordBarrier(handle, source, destination, flags, memory_count, memory, buffer_count, buffers,
                             image_count, images);
    CountBarrier(*buffer, false, memory_count + buffer_count + image_count);
    buffer->down->CmdPipelineBarrier(handle, source, destination, flags, memory_count, memory, buffer_count, buffers,
                                     image_count, images);
}

VKAPI_ATTR void VKAPI_CALL CmdPipelineBarrier2(VkCommandBuffer handle, const VkDependencyInfo* info) {
    CommandBuffer* buffer = FindPassing(handle);
    if (!buffer) return RecordBarrier(handle, info);
    CountBarrier(*buffer, false, EntriesOf(*info));
    buffer->down->CmdPipelineBarrier2(handle, info);
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
