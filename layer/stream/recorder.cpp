// SPDX-License-Identifier: Apache-2.0
#include "stream/recorder.h"

#include <algorithm>
#include <new>
#include <numeric>

#include "stats/layer_time.h"
#include "stream/emit.h"
#include "stream/plan_counts.h"

namespace kronos {
namespace {

constexpr Counter kDropped[] = {
    Counter::kRedundantPipelines,
    Counter::kRedundantSets,
    Counter::kRedundantConstants,
    Counter::kRedundantDescriptors,
};
static_assert(std::size(kDropped) == static_cast<size_t>(Redundant::kCount));

}  // namespace

void Recorder::Begin(Stream& stream, bool plain, bool once) {
    Forget();
    stream.Clear();
    if (!plain || options_.mode == RecorderMode::kOff) return;
    mode_ = options_.mode;
    stream_ = &stream;
    stream.once = once;
    stream.layouts = resources_.LayoutsRemoved();
}

void Recorder::Forget() {
    if (stream_) stream_->Clear();
    ForgetState();
}

// What only a recording that goes on needs.
void Recorder::ForgetState() {
    mode_ = RecorderMode::kOff;
    stream_ = nullptr;
    ChooseSets(nullptr);
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
    made.first = static_cast<uint32_t>(stream_->steps.accesses.size());
    bound_.DispatchAccesses(stream_->steps.accesses);
    made.count = static_cast<uint32_t>(stream_->steps.accesses.size()) - made.first;
    if (known) dispatches_.Note(content, made);
    return made;
}

HeldWork Recorder::Finish(const VkuDeviceDispatchTable& down, VkCommandBuffer buffer, RecordingCounters& counters,
                          Counters* decisions, bool ended) noexcept {
    if (mode_ == RecorderMode::kOff) return {};
    const bool held = Holding();
    bool planned = false;
    try {
        stream_->steps.steps.resize(kept_steps_);
        pass_.Run(stream_->steps, {.narrow = options_.narrow}, plan_);
        planned = true;
    } catch (const std::bad_alloc&) {
        // Then the barriers stay where the program put them.
    }
    const Stream* streams[] = {stream_};
    if (held) {
        const LayerTime::Driver drivers;  // nearly all of it
        Emit(streams, stream_->steps, planned ? &plan_ : nullptr, nullptr, down, buffer, counters);
    }
    if (planned && decisions) {
        decisions->Decided(held ? Counter::kStreamsHeld : Counter::kStreamsObserved);
        CountPlan(plan_, stream_->steps, *decisions);
    }
    if (options_.drops && decisions) CountState(*decisions);
    HeldWork work;
    // Those that the driver does not get cost little, and gain as little as is known of drivers.
    if (held)
        work.commands = stream_->commands - std::min(stream_->commands, std::reduce(dropped_.begin(), dropped_.end()));
    if (held && planned) WorkOf(plan_, stream_->steps, work);
    if (held && ended && !stream_->alone && stream_->commands <= options_.keeps_most && options_.keeps_most) {
        stream_->uid = resources_.NextRecording();
        ForgetState();
    } else {
        Forget();
    }
    return work;
}

bool Recorder::Defer(Counters* decisions) {
    if (!Holding() || stream_->alone || stream_->commands > options_.defers_most || !options_.defers_most) return false;
    stream_->steps.steps.resize(kept_steps_);
    if (decisions) {
        decisions->Decided(Counter::kStreamsHeld);
        if (options_.drops) CountState(*decisions);
    }
    stream_->commands -= std::min(stream_->commands, std::reduce(dropped_.begin(), dropped_.end()));
    stream_->deferred = true;
    stream_->uid = resources_.NextRecording();
    ForgetState();
    return true;
}

void Recorder::CountState(Counters& counters) const {
    const Counters::Own own = counters.OfThisThread();
    for (size_t i = 0; i < dropped_.size(); ++i)
        if (dropped_[i]) own.Decided(kDropped[i], dropped_[i]);
    if (trimmed_) own.Decided(Counter::kRedundantTrimmed, trimmed_);
    if (not_followed_) own.Decided(Counter::kRedundantUnknown, not_followed_);
}

}  // namespace kronos
