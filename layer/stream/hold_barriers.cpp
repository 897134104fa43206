// SPDX-License-Identifier: Apache-2.0
// Holding barriers and events. Section "Synchronization and Cache Control".
#include <algorithm>

#include "stream/hold.h"
#include "stream/hold_parts.h"

namespace kronos::hold {
namespace {

using Table = VkuDeviceDispatchTable;

/// One entry of a barrier with its own masks: what the two forms of commands have in common.
struct Entry {
    Masks masks;
    VkBuffer buffer = VK_NULL_HANDLE;
    VkDeviceSize offset = 0;
    VkDeviceSize size = 0;
    VkImage image = VK_NULL_HANDLE;
    VkImageLayout old_layout = VK_IMAGE_LAYOUT_UNDEFINED;
    VkImageLayout new_layout = VK_IMAGE_LAYOUT_UNDEFINED;
    VkImageSubresourceRange subresources{};
    uint32_t source_family = VK_QUEUE_FAMILY_IGNORED;
    uint32_t destination_family = VK_QUEUE_FAMILY_IGNORED;

    bool Transfers() const { return source_family != destination_family; }
    // Does something to memory itself.
    bool Acts() const { return Transfers() || (image && old_layout != new_layout); }
};

template <class Barrier>
Entry Of(const Barrier& barrier, const Masks& masks) {
    Entry entry;
    entry.masks = masks;
    if constexpr (requires { barrier.buffer; }) {
        entry.buffer = barrier.buffer;
        entry.offset = barrier.offset;
        entry.size = barrier.size;
        entry.source_family = barrier.srcQueueFamilyIndex;
        entry.destination_family = barrier.dstQueueFamilyIndex;
    } else if constexpr (requires { barrier.image; }) {
        entry.image = barrier.image;
        entry.old_layout = barrier.oldLayout;
        entry.new_layout = barrier.newLayout;
        entry.subresources = barrier.subresourceRange;
        entry.source_family = barrier.srcQueueFamilyIndex;
        entry.destination_family = barrier.dstQueueFamilyIndex;
    }
    return entry;
}

/// Collects a barrier command's entries into a step.
class Collector {
  public:
    Collector(Recorder& recorder, VkDependencyFlags flags) : recorder_(recorder), hard_(flags != 0) {
        step_.first_range = static_cast<uint32_t>(recorder.steps().ranges.size());
        first_access_ = static_cast<uint32_t>(recorder.steps().accesses.size());
    }

    /// Stages of a command without entries.
    void Stages(const Masks& masks) {
        step_.masks |= masks;
        hard_ |= !KnownFlags(masks);
    }

    void Add(const Entry& entry) {
        Steps& steps = recorder_.steps();
        if (entries_++ && entry.masks != first_) step_.uncertain = true;
        if (entries_ == 1) first_ = entry.masks;
        Stages(entry.masks);
        if (!entry.buffer && !entry.image) {
            step_.global = true;
            return;
        }
        MemoryRange where;
        if (entry.buffer) {
            if (const BufferFacts* facts = recorder_.resources().FindBuffer(entry.buffer))
                where = PartOf(facts->where, entry.offset, entry.size);
        } else if (const ImageFacts* facts = recorder_.resources().FindImage(entry.image)) {
            where = facts->where;
        }
        steps.ranges.push_back(where);
        if (!entry.Acts()) return;
        hard_ = true;
        steps.accesses.push_back({where, kronos::Of(Kind::kOtherWrite)});
    }

    /// True: the step may move, and nothing of the command needs to be held.
    bool Done() {
        Steps& steps = recorder_.steps();
        step_.range_count = static_cast<uint32_t>(steps.ranges.size()) - step_.first_range;
        if (!entries_) step_.global = true;
        step_.uncertain &= hard_;
        const auto barrier = static_cast<uint32_t>(steps.barriers.size());
        const auto accesses = static_cast<uint32_t>(steps.accesses.size());
        steps.barriers.push_back(step_);
        steps.steps.push_back(
            {hard_ ? StepKind::kHard : StepKind::kBarrier, barrier, accesses - first_access_, first_access_});
        if (!hard_) recorder_.KeepSteps();
        return !hard_;
    }

  private:
    Recorder& recorder_;
    bool hard_;
    BarrierStep step_;
    Masks first_;
    uint32_t entries_ = 0;
    uint32_t first_access_ = 0;
};

bool PlainBarriers(const VkDependencyInfo& info) {
    return !info.pNext && Plain(info.pMemoryBarriers, info.memoryBarrierCount) &&
           Plain(info.pBufferMemoryBarriers, info.bufferMemoryBarrierCount) &&
           Plain(info.pImageMemoryBarriers, info.imageMemoryBarrierCount);
}

// An event's dependency that changes layouts or owners does something to memory when it is waited for.
template <class Barrier>
bool AnyActs(const Barrier* barriers, uint32_t count) {
    return std::any_of(barriers, barriers + count, [](const Barrier& barrier) { return Of(barrier, {}).Acts(); });
}

// One memory barrier, which is what most commands have. False: it is not understood.
bool HoldGlobal(Recorder& recorder, const Masks& masks) {
    if (!KnownFlags(masks)) return false;
    Steps& steps = recorder.steps();
    steps.steps.push_back({.kind = StepKind::kBarrier, .first = static_cast<uint32_t>(steps.barriers.size())});
    steps.barriers.push_back({.masks = masks, .global = true});
    recorder.KeepSteps();
    return true;
}

}  // namespace

const VkDependencyInfo* KeepDependency(Recorder& recorder, const VkDependencyInfo& info) {
    if (!PlainBarriers(info)) return nullptr;
    VkDependencyInfo kept = info;
    kept.pMemoryBarriers = recorder.Keep(info.pMemoryBarriers, info.memoryBarrierCount);
    kept.pBufferMemoryBarriers = recorder.Keep(info.pBufferMemoryBarriers, info.bufferMemoryBarrierCount);
    kept.pImageMemoryBarriers = recorder.Keep(info.pImageMemoryBarriers, info.imageMemoryBarrierCount);
    return recorder.Holding() ? recorder.Keep(&kept, 1) : &info;
}

bool CmdPipelineBarrier(Recorder& recorder, VkPipelineStageFlags source, VkPipelineStageFlags destination,
                        VkDependencyFlags flags, uint32_t memory_count, const VkMemoryBarrier* memory,
                        uint32_t buffer_count, const VkBufferMemoryBarrier* buffers, uint32_t image_count,
                        const VkImageMemoryBarrier* images) {
    if (!Plain(memory, memory_count) || !Plain(buffers, buffer_count) || !Plain(images, image_count)) return false;
    if (memory_count == 1 && !buffer_count && !image_count && !flags &&
        HoldGlobal(recorder, {source, memory->srcAccessMask, destination, memory->dstAccessMask}))
        return true;
    Collector collector(recorder, flags);
    const auto add = [&](const auto* barriers, uint32_t count) {
        for (uint32_t i = 0; i < count; ++i)
            collector.Add(Of(barriers[i], {source, barriers[i].srcAccessMask, destination, barriers[i].dstAccessMask}));
    };
    collector.Stages({source, 0, destination, 0});
    add(memory, memory_count);
    add(buffers, buffer_count);
    add(images, image_count);
    if (collector.Done()) return true;
    HeldCommand* held = recorder.Hold<&Table::CmdPipelineBarrier>(
        source, destination, flags, memory_count, recorder.Keep(memory, memory_count), buffer_count,
        recorder.Keep(buffers, buffer_count), image_count, recorder.Keep(images, image_count));
    if (held) held->amount = memory_count + buffer_count + image_count;
    return true;
}

bool CmdPipelineBarrier2(Recorder& recorder, const VkDependencyInfo* info) {
    if (!PlainBarriers(*info)) return false;
    recorder.SetSecondForm();
    const VkMemoryBarrier2* memory = info->pMemoryBarriers;
    if (info->memoryBarrierCount == 1 && !info->bufferMemoryBarrierCount && !info->imageMemoryBarrierCount &&
        !info->dependencyFlags &&
        HoldGlobal(recorder,
                   {memory->srcStageMask, memory->srcAccessMask, memory->dstStageMask, memory->dstAccessMask}))
        return true;
    Collector collector(recorder, info->dependencyFlags);
    const auto add = [&](const auto* barriers, uint32_t count) {
        for (uint32_t i = 0; i < count; ++i)
            collector.Add(Of(barriers[i], {barriers[i].srcStageMask, barriers[i].srcAccessMask,
                                           barriers[i].dstStageMask, barriers[i].dstAccessMask}));
    };
    add(info->pMemoryBarriers, info->memoryBarrierCount);
    add(info->pBufferMemoryBarriers, info->bufferMemoryBarrierCount);
    add(info->pImageMemoryBarriers, info->imageMemoryBarrierCount);
    if (collector.Done()) return true;
    HeldCommand* held = recorder.Hold<&Table::CmdPipelineBarrier2>(KeepDependency(recorder, *info));
    if (held) held->amount = info->memoryBarrierCount + info->bufferMemoryBarrierCount + info->imageMemoryBarrierCount;
    return true;
}

bool CmdSetEvent(Recorder& recorder, VkEvent event, VkPipelineStageFlags stages) {
    AddStep(recorder, StepKind::kFence);
    recorder.Hold<&Table::CmdSetEvent>(event, stages);
    return true;
}

bool CmdSetEvent2(Recorder& recorder, VkEvent event, const VkDependencyInfo* info) {
    const VkDependencyInfo* kept = KeepDependency(recorder, *info);
    if (!kept) return false;
    AddStep(recorder, StepKind::kFence);
    recorder.Hold<&Table::CmdSetEvent2>(event, kept);
    return true;
}

bool CmdResetEvent(Recorder& recorder, VkEvent event, VkPipelineStageFlags stages) {
    AddStep(recorder, StepKind::kFence);
    recorder.Hold<&Table::CmdResetEvent>(event, stages);
    return true;
}

bool CmdResetEvent2(Recorder& recorder, VkEvent event, VkPipelineStageFlags2 stages) {
    AddStep(recorder, StepKind::kFence);
    recorder.Hold<&Table::CmdResetEvent2>(event, stages);
    return true;
}

bool CmdWaitEvents(Recorder& recorder, uint32_t count, const VkEvent* events, VkPipelineStageFlags source,
                   VkPipelineStageFlags destination, uint32_t memory_count, const VkMemoryBarrier* memory,
                   uint32_t buffer_count, const VkBufferMemoryBarrier* buffers, uint32_t image_count,
                   const VkImageMemoryBarrier* images) {
    if (!Plain(memory, memory_count) || !Plain(buffers, buffer_count) || !Plain(images, image_count)) return false;
    const bool acts = AnyActs(buffers, buffer_count) || AnyActs(images, image_count);
    AddStep(recorder, acts ? StepKind::kOpaque : StepKind::kFence);
    recorder.Hold<&Table::CmdWaitEvents>(
        count, recorder.Keep(events, count), source, destination, memory_count, recorder.Keep(memory, memory_count),
        buffer_count, recorder.Keep(buffers, buffer_count), image_count, recorder.Keep(images, image_count));
    return true;
}

bool CmdWaitEvents2(Recorder& recorder, uint32_t count, const VkEvent* events, const VkDependencyInfo* infos) {
    bool acts = false;
    for (uint32_t i = 0; i < count; ++i) {
        if (!PlainBarriers(infos[i])) return false;
        acts |= AnyActs(infos[i].pBufferMemoryBarriers, infos[i].bufferMemoryBarrierCount) ||
                AnyActs(infos[i].pImageMemoryBarriers, infos[i].imageMemoryBarrierCount);
    }
    const VkDependencyInfo* kept = recorder.Keep(infos, count);
    if (recorder.Holding())
        for (uint32_t i = 0; i < count; ++i)
            const_cast<VkDependencyInfo&>(kept[i]) = *KeepDependency(recorder, infos[i]);
    AddStep(recorder, acts ? StepKind::kOpaque : StepKind::kFence);
    recorder.Hold<&Table::CmdWaitEvents2>(count, recorder.Keep(events, count), kept);
    return true;
}

}  // namespace kronos::hold
