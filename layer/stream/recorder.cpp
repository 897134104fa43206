// SPDX-License-Identifier: Apache-2.0
#include "stream/recorder.h"

#include <algorithm>
#include <new>
#include <numeric>

namespace kronos {
namespace {

constexpr Counter kKept[] = {
    Counter::kBarriersUploadRead, Counter::kBarriersReadWrite, Counter::kBarriersWriteRead,
    Counter::kBarriersWriteWrite, Counter::kBarriersEarlier,   Counter::kBarriersHard,
    Counter::kBarriersFence,      Counter::kBarriersOpaque,    Counter::kBarriersEnd,
};
static_assert(std::size(kKept) == static_cast<size_t>(KeepReason::kCount));

constexpr Counter kDropped[] = {
    Counter::kRedundantPipelines,
    Counter::kRedundantSets,
    Counter::kRedundantConstants,
    Counter::kRedundantDescriptors,
};
static_assert(std::size(kDropped) == static_cast<size_t>(Redundant::kCount));

}  // namespace

void Recorder::Forget() {
    mode_ = RecorderMode::kOff;
    second_form_ = false;
    arena_.Reset();
    head_ = nullptr;
    last_ = &head_;
    kept_steps_ = commands_ = 0;
    steps_.Clear();
    bound_.Clear();
    dispatches_.Clear();
    if (drops_) shadow_.Clear();
    dropped_ = {};
    trimmed_ = not_followed_ = 0;
}

DispatchMemo::Accesses Recorder::DispatchAccesses() {
    BoundContent content;
    const bool known = bound_.Content(content);
    if (known)
        if (const DispatchMemo::Accesses* before = dispatches_.Find(content)) return *before;
    DispatchMemo::Accesses made;
    made.first = static_cast<uint32_t>(steps_.accesses.size());
    bound_.DispatchAccesses(steps_.accesses);
    made.count = static_cast<uint32_t>(steps_.accesses.size()) - made.first;
    if (known) dispatches_.Note(content, made);
    return made;
}

HeldWork Recorder::Finish(const VkuDeviceDispatchTable& down, VkCommandBuffer buffer, RecordingCounters& counters,
                          Counters* decisions) noexcept {
    if (mode_ == RecorderMode::kOff) return {};
    bool planned = false;
    try {
        steps_.steps.resize(kept_steps_);
        pass_.Run(steps_, options_, plan_);
        planned = true;
    } catch (const std::bad_alloc&) {
        // Then the barriers stay where the program put them.
    }
    if (Holding()) {
        size_t next = 0;
        const auto emit_barriers = [&](uint32_t end) {
            for (; planned && next < plan_.emissions.size() && plan_.emissions[next].before < end; ++next)
                EmitBarrier(down, buffer, plan_.emissions[next].masks, counters);
            for (; !planned && next < end; ++next)
                if (const Step& step = steps_.steps[next]; step.kind == StepKind::kBarrier)
                    EmitBarrier(down, buffer, steps_.barriers[step.first].masks, counters);
        };
        for (const HeldCommand* command = head_; command; command = command->next) {
            emit_barriers(command->end_step);
            if (command->counter != Counter::kCount) counters.Add(Side::kDriver, command->counter, command->amount);
            if (command->counter == Counter::kBarriers) counters.Add(Side::kDriver, Counter::kBarrierCalls, 1);
            command->emit(down, buffer, *command);
        }
        // The last are before a step that there is not.
        emit_barriers(planned ? kept_steps_ + 1 : kept_steps_);
    }
    if (planned && decisions) CountPlan(*decisions);
    if (drops_ && decisions) CountState(*decisions);
    HeldWork work;
    // Those that the driver does not get cost little, and gain as little as is known of drivers.
    if (Holding()) work.commands = commands_ - std::min(commands_, std::reduce(dropped_.begin(), dropped_.end()));
    if (Holding() && planned) {
        work.barriers_saved = plan_.recorded - std::min(plan_.recorded, plan_.Emitted(steps_));
        work.barriers_narrowed = plan_.narrowed;
        work.waits_saved = plan_.parted - std::min(plan_.parted, plan_.Parting());
    }
    Forget();
    return work;
}

void Recorder::EmitBarrier(const VkuDeviceDispatchTable& down, VkCommandBuffer buffer, const Masks& masks,
                           RecordingCounters& counters) const {
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

void Recorder::CountState(Counters& counters) const {
    const Counters::Own own = counters.OfThisThread();
    for (size_t i = 0; i < dropped_.size(); ++i)
        if (dropped_[i]) own.Decided(kDropped[i], dropped_[i]);
    if (trimmed_) own.Decided(Counter::kRedundantTrimmed, trimmed_);
    if (not_followed_) own.Decided(Counter::kRedundantUnknown, not_followed_);
}

}  // namespace kronos
