// SPDX-License-Identifier: Apache-2.0
#include "stream/recorder.h"

#include <algorithm>
#include <new>
#include <numeric>

#include "stream/emit.h"

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

void Recorder::Begin(bool plain, bool once) {
    Forget();
    mode_ = plain ? options_.mode : RecorderMode::kOff;
    stream_.once = once;
    stream_.layouts = resources_.LayoutsRemoved();
}

void Recorder::Forget() {
    ForgetState();
    stream_.Clear();
}

// What only a recording that goes on needs.
void Recorder::ForgetState() {
    mode_ = RecorderMode::kOff;
    kept_steps_ = 0;
    bound_.Clear();
    dispatches_.Clear();
    if (options_.drops) shadow_.Clear();
    dropped_ = {};
    trimmed_ = not_followed_ = 0;
}

DispatchMemo::Accesses Recorder::DispatchAccesses() {
    BoundContent content;
    const bool known = bound_.Content(content);
    if (known)
        if (const DispatchMemo::Accesses* before = dispatches_.Find(content)) return *before;
    DispatchMemo::Accesses made;
    made.first = static_cast<uint32_t>(stream_.steps.accesses.size());
    bound_.DispatchAccesses(stream_.steps.accesses);
    made.count = static_cast<uint32_t>(stream_.steps.accesses.size()) - made.first;
    if (known) dispatches_.Note(content, made);
    return made;
}

HeldWork Recorder::Finish(const VkuDeviceDispatchTable& down, VkCommandBuffer buffer, RecordingCounters& counters,
                          Counters* decisions, bool ended) noexcept {
    if (mode_ == RecorderMode::kOff) return {};
    const bool held = Holding();
    bool planned = false;
    try {
        stream_.steps.steps.resize(kept_steps_);
        pass_.Run(stream_.steps, {.narrow = options_.narrow}, plan_);
        planned = true;
    } catch (const std::bad_alloc&) {
        // Then the barriers stay where the program put them.
    }
    const Stream* streams[] = {&stream_};
    if (held) Emit(streams, stream_.steps, planned ? &plan_ : nullptr, nullptr, down, buffer, counters);
    if (planned && decisions) CountPlan(*decisions);
    if (options_.drops && decisions) CountState(*decisions);
    HeldWork work;
    // Those that the driver does not get cost little, and gain as little as is known of drivers.
    if (held)
        work.commands = stream_.commands - std::min(stream_.commands, std::reduce(dropped_.begin(), dropped_.end()));
    if (held && planned) {
        work.barriers_saved = plan_.recorded - std::min(plan_.recorded, plan_.Emitted(stream_.steps));
        work.barriers_narrowed = plan_.narrowed;
        work.waits_saved = plan_.parted - std::min(plan_.parted, plan_.Parting());
    }
    if (held && ended && !stream_.alone && stream_.commands <= options_.keeps_most && options_.keeps_most) {
        ForgetState();
        stream_.uid = NextUid();
    } else {
        Forget();
    }
    return work;
}

void Recorder::CountPlan(Counters& counters) const {
    const Counters::Own own = counters.OfThisThread();
    own.Decided(Holding() ? Counter::kStreamsHeld : Counter::kStreamsObserved);
    if (!plan_.recorded) return;
    own.Decided(Counter::kBarriersRecorded, plan_.recorded);
    own.Decided(Counter::kBarriersNecessary, plan_.necessary);
    own.Decided(Counter::kBarriersNarrowed, plan_.narrowed);
    own.Decided(Counter::kBarriersFixed, plan_.Emitted(stream_.steps) - plan_.emissions.size());
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
