// SPDX-License-Identifier: Apache-2.0
#include "stream/plan_counts.h"

#include <algorithm>
#include <iterator>

namespace kronos {
namespace {

constexpr Counter kKept[] = {
    Counter::kBarriersUploadRead, Counter::kBarriersReadWrite, Counter::kBarriersWriteRead,
    Counter::kBarriersWriteWrite, Counter::kBarriersEarlier,   Counter::kBarriersHard,
    Counter::kBarriersFence,      Counter::kBarriersOpaque,    Counter::kBarriersEnd,
};
static_assert(std::size(kKept) == static_cast<size_t>(KeepReason::kCount));

}  // namespace

void CountPlan(const BarrierPlan& plan, const Steps& steps, Counters& counters) {
    if (!plan.recorded) return;
    const Counters::Own own = counters.OfThisThread();
    own.Decided(Counter::kBarriersRecorded, plan.recorded);
    own.Decided(Counter::kBarriersNecessary, plan.necessary);
    own.Decided(Counter::kBarriersNarrowed, plan.narrowed);
    own.Decided(Counter::kBarriersFixed, plan.Emitted(steps) - plan.emissions.size());
    for (const Emission& emission : plan.emissions) own.Decided(kKept[static_cast<size_t>(emission.reason)]);
}

void WorkOf(const BarrierPlan& plan, const Steps& steps, HeldWork& work) {
    work.barriers_saved = plan.recorded - std::min(plan.recorded, plan.Emitted(steps));
    work.barriers_narrowed = plan.narrowed;
    work.waits_saved = plan.parted - std::min(plan.parted, plan.Parting());
}

}  // namespace kronos
