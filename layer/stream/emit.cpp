// SPDX-License-Identifier: Apache-2.0
#include "stream/emit.h"

#include <algorithm>

namespace kronos {
namespace {

constexpr BarrierStep kSeam = {
    .masks = {VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT, VK_ACCESS_2_MEMORY_WRITE_BIT, VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT,
              VK_ACCESS_2_MEMORY_READ_BIT | VK_ACCESS_2_MEMORY_WRITE_BIT},
    .seam = true,
    .global = true};

// Where the steps of a recording begin among the joined ones, by where those of the one before do.
uint32_t After(uint32_t offset, const Stream& stream) {
    return offset + static_cast<uint32_t>(stream.steps.steps.size()) + 1;
}

void EmitBarrier(const Masks& masks, bool second_form, const VkuDeviceDispatchTable& down, VkCommandBuffer buffer,
                 RecordingCounters& counters) {
    counters.Add(Side::kDriver, Counter::kBarrierCalls, 1);
    if (second_form) {
        const VkMemoryBarrier2 memory = {VK_STRUCTURE_TYPE_MEMORY_BARRIER_2,
                                         nullptr,
                                         masks.source_stages,
                                         masks.source_access,
                                         masks.destination_stages,
                                         masks.destination_access};
        VkDependencyInfo info = {};
        info.sType = VK_STRUCTURE_TYPE_DEPENDENCY_INFO;
        info.memoryBarrierCount = 1;  // the second form has its stages here
        info.pMemoryBarriers = &memory;
        counters.Add(Side::kDriver, Counter::kBarriers, 1);
        down.CmdPipelineBarrier2(buffer, &info);
        return;
    }
    const VkMemoryBarrier memory = {VK_STRUCTURE_TYPE_MEMORY_BARRIER, nullptr,
                                    static_cast<VkAccessFlags>(masks.source_access),
                                    static_cast<VkAccessFlags>(masks.destination_access)};
    // An execution dependency alone has no entries.
    const uint32_t count = masks.source_access || masks.destination_access ? 1 : 0;
    counters.Add(Side::kDriver, Counter::kBarriers, count);
    down.CmdPipelineBarrier(buffer, static_cast<VkPipelineStageFlags>(masks.source_stages),
                            static_cast<VkPipelineStageFlags>(masks.destination_stages), 0, count, &memory, 0, nullptr,
                            0, nullptr);
}

}  // namespace

void Join(std::span<const Stream* const> streams, Steps& joined) {
    joined.Clear();
    for (size_t i = 0; i < streams.size(); ++i) {
        const Steps& steps = streams[i]->steps;
        if (i) {
            joined.steps.push_back({StepKind::kBarrier, static_cast<uint32_t>(joined.barriers.size()), 0, 0});
            joined.barriers.push_back(kSeam);
        }
        const auto accesses = static_cast<uint32_t>(joined.accesses.size());
        const auto barriers = static_cast<uint32_t>(joined.barriers.size());
        const auto ranges = static_cast<uint32_t>(joined.ranges.size());
        for (Step step : steps.steps) {
            step.first += step.kind == StepKind::kAction ? accesses : barriers;
            step.first_access += accesses;
            joined.steps.push_back(step);
        }
        joined.accesses.insert(joined.accesses.end(), steps.accesses.begin(), steps.accesses.end());
        for (BarrierStep barrier : steps.barriers) {
            barrier.first_range += ranges;
            joined.barriers.push_back(barrier);
        }
        joined.ranges.insert(joined.ranges.end(), steps.ranges.begin(), steps.ranges.end());
    }
}

void Emit(std::span<const Stream* const> streams, const Steps& joined, const BarrierPlan* plan, Repeats* repeats,
          const VkuDeviceDispatchTable& down, VkCommandBuffer buffer, RecordingCounters& counters) {
    const bool second_form =
        std::any_of(streams.begin(), streams.end(), [](const Stream* stream) { return stream->second_form; });
    size_t next = 0;
    const auto emit_barriers = [&](uint32_t end) {
        for (; plan && next < plan->emissions.size() && plan->emissions[next].before < end; ++next)
            EmitBarrier(plan->emissions[next].masks, second_form, down, buffer, counters);
        for (; !plan && next < end; ++next)
            if (const Step& step = joined.steps[next]; step.kind == StepKind::kBarrier)
                EmitBarrier(joined.barriers[step.first].masks, second_form, down, buffer, counters);
    };
    uint32_t offset = 0;
    for (const Stream* stream : streams) {
        for (const HeldCommand* command = stream->head; command; command = command->next) {
            emit_barriers(offset + command->end_step);
            if (repeats && repeats->Drops(*command)) continue;
            if (command->counter != Counter::kCount) counters.Add(Side::kDriver, command->counter, command->amount);
            if (command->counter == Counter::kBarriers) counters.Add(Side::kDriver, Counter::kBarrierCalls, 1);
            command->emit(down, buffer, *command);
        }
        offset = After(offset, *stream);
    }
    // The last are before a step that there is not.
    const auto count = static_cast<uint32_t>(joined.steps.size());
    emit_barriers(plan ? count + 1 : count);
}

}  // namespace kronos
