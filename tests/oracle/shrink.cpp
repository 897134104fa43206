// SPDX-License-Identifier: Apache-2.0
#include <map>
#include <utility>

#include "generator.h"

namespace kronos::oracle {

Steps Select(const Steps& steps, const std::function<bool(size_t)>& keep) {
    Steps result;
    std::map<std::pair<uint32_t, uint32_t>, uint32_t> moved;  // what actions share they still do
    for (size_t i = 0; i < steps.steps.size(); ++i) {
        if (!keep(i)) continue;
        Step step = steps.steps[i];
        if (step.kind == StepKind::kBarrier || step.kind == StepKind::kHard) {
            BarrierStep barrier = steps.barriers[step.first];
            const auto ranges = steps.RangesOf(barrier);
            barrier.first_range = static_cast<uint32_t>(result.ranges.size());
            result.ranges.insert(result.ranges.end(), ranges.begin(), ranges.end());
            step.first = static_cast<uint32_t>(result.barriers.size());
            result.barriers.push_back(barrier);
        }
        if (step.kind == StepKind::kAction && moved.contains({step.first, step.count})) {
            step.first = moved[{step.first, step.count}];
        } else if (step.kind == StepKind::kAction || step.kind == StepKind::kHard) {
            const auto accesses = steps.AccessesOf(steps.steps[i]);
            if (step.kind == StepKind::kAction)
                moved[{step.first, step.count}] = static_cast<uint32_t>(result.accesses.size());
            (step.kind == StepKind::kHard ? step.first_access : step.first) =
                static_cast<uint32_t>(result.accesses.size());
            result.accesses.insert(result.accesses.end(), accesses.begin(), accesses.end());
        }
        result.steps.push_back(step);
    }
    return result;
}

namespace {

// Its accesses, but one, stand at the end of the list then.
Steps WithoutAccess(Steps steps, size_t index, uint32_t which) {
    Step& step = steps.steps[index];
    uint32_t& first = step.kind == StepKind::kHard ? step.first_access : step.first;
    const std::vector<Access> old(steps.accesses.begin() + first, steps.accesses.begin() + first + step.count);
    first = static_cast<uint32_t>(steps.accesses.size());
    for (uint32_t i = 0; i < old.size(); ++i)
        if (i != which) steps.accesses.push_back(old[i]);
    --step.count;
    return steps;
}

}  // namespace

Steps Shrink(const Steps& steps, const std::function<bool(const Steps&)>& fails) {
    Steps best = steps;
    const auto better = [&](Steps candidate) {
        if (!fails(candidate)) return false;
        best = std::move(candidate);
        return true;
    };
    for (bool again = true; again;) {
        again = false;
        for (size_t i = best.steps.size(); i-- > 0;)
            again |= better(Select(best, [&](size_t step) { return step != i; }));
        for (size_t i = 0; i < best.steps.size(); ++i) {
            const Step step = best.steps[i];
            if (step.kind == StepKind::kBarrier) {
                const BarrierStep barrier = best.barriers[step.first];
                Steps candidate = best;
                candidate.barriers[step.first].global = true;
                candidate.barriers[step.first].range_count = 0;
                if (barrier.range_count > 0 && better(candidate)) again = true;
                for (VkFlags64 Masks::*mask : {&Masks::source_stages, &Masks::source_access, &Masks::destination_stages,
                                               &Masks::destination_access})
                    for (VkFlags64 rest = barrier.masks.*mask; rest; rest &= rest - 1) {
                        candidate = best;
                        candidate.barriers[step.first].masks.*mask &= ~(rest & -rest);
                        if (better(candidate)) again = true;
                    }
            }
            if (step.kind != StepKind::kAction && step.kind != StepKind::kHard) continue;
            for (uint32_t which = best.steps[i].count; which-- > 0;)
                if (better(WithoutAccess(best, i, which))) again = true;
        }
    }
    return Select(best, [](size_t) { return true; });
}

}  // namespace kronos::oracle
