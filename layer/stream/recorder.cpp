// SPDX-License-Identifier: Apache-2.0
#include "stream/recorder.h"

#include <new>

namespace kronos {
namespace {

constexpr Counter kKept[] = {
    Counter::kBarriersUploadRead, Counter::kBarriersReadWrite, Counter::kBarriersWriteRead,
    Counter::kBarriersWriteWrite, Counter::kBarriersEarlier,   Counter::kBarriersHard,
    Counter::kBarriersFence,      Counter::kBarriersOpaque,    Counter::kBarriersEnd,
};
static_assert(std::size(kKept) == static_cast<size_t>(KeepReason::kCount));

}  // namespace

void Recorder::Forget() {
    mode_ = RecorderMode::kOff;
    second_form_ = false;
    arena_.Reset();
    head_ = nullptr;
    last_ = &head_;
    first_step_ = 0;
    steps_.Clear();
    entries_.clear();
    bound_.Clear();
}

void Recorder::Finish(const VkuDeviceDispatchTable& down, VkCommandBuffer buffer, RecordingCounters& counters,
                      Counters* decisions) noexcept {
    if (mode_ == RecorderMode::kOff) return;
    bool planned = false;
    try {
        steps_.steps.resize(first_step_);
        pass_.Run(steps_, options_, plan_);
        if (Holding()) PrepareArrays();
        planned = true;
    } catch (const std::bad_alloc&) {
        // Then the barriers stay where the program put them.
    }
    size_t next = 0;
    const size_t emissions = planned ? plan_.emissions.size() : 0;
    for (const HeldCommand* command = head_; command; command = command->next) {
        const uint32_t end = command->first_step + command->step_count;
        while (next < emissions && plan_.emissions[next].before < end) EmitBarrier(down, buffer, next++, counters);
        if (command->barrier && planned) continue;
        if (command->counter != Counter::kCount) counters.Add(Side::kDriver, command->counter, command->amount);
        if (command->counter == Counter::kBarriers) counters.Add(Side::kDriver, Counter::kBarrierCalls, 1);
        command->emit(down, buffer, *command);
    }
    if (Holding())
        while (next < emissions) EmitBarrier(down, buffer, next++, counters);
    if (planned && decisions) CountPlan(*decisions);
    Forget();
}

void Recorder::PrepareArrays() {
    buffers_.clear();
    images_.clear();
    buffers2_.clear();
    images2_.clear();
    arrays_.clear();
    for (const Emission& emission : plan_.emissions) {
        const Masks& masks = emission.masks;
        const auto first_buffer = static_cast<uint32_t>(second_form_ ? buffers2_.size() : buffers_.size());
        const auto first_image = static_cast<uint32_t>(second_form_ ? images2_.size() : images_.size());
        for (uint32_t i = 0; i < emission.range_count; ++i) {
            const BarrierEntry& entry = entries_[plan_.ranges[emission.first_range + i].entry];
            if (entry.buffer && second_form_)
                buffers2_.push_back({VK_STRUCTURE_TYPE_BUFFER_MEMORY_BARRIER_2, nullptr, masks.source_stages,
                                     masks.source_access, masks.destination_stages, masks.destination_access,
                                     VK_QUEUE_FAMILY_IGNORED, VK_QUEUE_FAMILY_IGNORED, entry.buffer, entry.offset,
                                     entry.size});
            else if (entry.buffer)
                buffers_.push_back({VK_STRUCTURE_TYPE_BUFFER_MEMORY_BARRIER, nullptr,
                                    static_cast<VkAccessFlags>(masks.source_access),
                                    static_cast<VkAccessFlags>(masks.destination_access), VK_QUEUE_FAMILY_IGNORED,
                                    VK_QUEUE_FAMILY_IGNORED, entry.buffer, entry.offset, entry.size});
            else if (second_form_)
                images2_.push_back({VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER_2, nullptr, masks.source_stages,
                                    masks.source_access, masks.destination_stages, masks.destination_access,
                                    entry.layout, entry.layout, VK_QUEUE_FAMILY_IGNORED, VK_QUEUE_FAMILY_IGNORED,
                                    entry.image, entry.subresources});
            else
                images_.push_back({VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER, nullptr,
                                   static_cast<VkAccessFlags>(masks.source_access),
                                   static_cast<VkAccessFlags>(masks.destination_access), entry.layout, entry.layout,
                                   VK_QUEUE_FAMILY_IGNORED, VK_QUEUE_FAMILY_IGNORED, entry.image, entry.subresources});
        }
        const auto buffers = static_cast<uint32_t>(second_form_ ? buffers2_.size() : buffers_.size());
        const auto images = static_cast<uint32_t>(second_form_ ? images2_.size() : images_.size());
        arrays_.push_back({first_buffer, buffers - first_buffer, first_image, images - first_image});
    }
}

void Recorder::EmitBarrier(const VkuDeviceDispatchTable& down, VkCommandBuffer buffer, size_t index,
                           RecordingCounters& counters) const {
    const Emission& emission = plan_.emissions[index];
    const Masks& masks = emission.masks;
    const Arrays& arrays = arrays_[index];
    counters.Add(Side::kDriver, Counter::kBarrierCalls, 1);
    if (second_form_) {
        const VkMemoryBarrier2 memory = {VK_STRUCTURE_TYPE_MEMORY_BARRIER_2,
                                         nullptr,
                                         masks.source_stages,
                                         masks.source_access,
                                         masks.destination_stages,
                                         masks.destination_access};
        VkDependencyInfo info = {};
        info.sType = VK_STRUCTURE_TYPE_DEPENDENCY_INFO;
        info.memoryBarrierCount = emission.global ? 1 : 0;
        info.pMemoryBarriers = &memory;
        info.bufferMemoryBarrierCount = arrays.buffer_count;
        info.pBufferMemoryBarriers = buffers2_.data() + arrays.first_buffer;
        info.imageMemoryBarrierCount = arrays.image_count;
        info.pImageMemoryBarriers = images2_.data() + arrays.first_image;
        counters.Add(Side::kDriver, Counter::kBarriers,
                     info.memoryBarrierCount + info.bufferMemoryBarrierCount + info.imageMemoryBarrierCount);
        down.CmdPipelineBarrier2(buffer, &info);
        return;
    }
    const VkMemoryBarrier memory = {VK_STRUCTURE_TYPE_MEMORY_BARRIER, nullptr,
                                    static_cast<VkAccessFlags>(masks.source_access),
                                    static_cast<VkAccessFlags>(masks.destination_access)};
    // An execution dependency alone has no entries.
    const uint32_t memory_count = emission.global && (masks.source_access || masks.destination_access) ? 1 : 0;
    counters.Add(Side::kDriver, Counter::kBarriers, memory_count + arrays.buffer_count + arrays.image_count);
    down.CmdPipelineBarrier(buffer, static_cast<VkPipelineStageFlags>(masks.source_stages),
                            static_cast<VkPipelineStageFlags>(masks.destination_stages), 0, memory_count, &memory,
                            arrays.buffer_count, buffers_.data() + arrays.first_buffer, arrays.image_count,
                            images_.data() + arrays.first_image);
}

void Recorder::CountPlan(Counters& counters) const {
    const Counters::Own own = counters.OfThisThread();
    own.Decided(Holding() ? Counter::kStreamsHeld : Counter::kStreamsObserved);
    if (!plan_.recorded) return;
    own.Decided(Counter::kBarriersRecorded, plan_.recorded);
    own.Decided(Counter::kBarriersNecessary, plan_.necessary);
    own.Decided(Counter::kBarriersNarrowed, plan_.narrowed);
    own.Decided(Counter::kBarriersFixed, plan_.Emitted(steps_) - plan_.emissions.size());
    for (const Emission& emission : plan_.emissions) own.Decided(kKept[static_cast<size_t>(emission.reason)]);
}

}  // namespace kronos
