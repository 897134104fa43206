// SPDX-License-Identifier: Apache-2.0
// The invariant: what the program's barriers order, those of the plan order too. Section "Execution and Memory
// Dependencies" of the Vulkan specification: dependencies chain where the second scope of one meets the first scope of
// the next; a write is available once a barrier's first access scope has it, and visible to the second access scopes of
// what chains with that barrier.
#include <algorithm>
#include <bit>
#include <sstream>

#include "model.h"

namespace kronos::oracle {
namespace {

constexpr Stages kEveryStage = 0x7FF;
constexpr Atoms kEveryAtom = 0xFFFFFF;

template <typename... Parts>
std::string Say(const Parts&... parts) {
    std::ostringstream text;
    (text << ... << parts);
    return text.str();
}

std::string Name(int32_t step) { return step < 0 ? "earlier work" : Say("step ", step); }

// A number that stands for what nobody knows of an entry in this world.
uint64_t Guess(uint64_t world, uint64_t entry) {
    uint64_t x = world * 0x9E3779B97F4A7C15u + entry * 0xBF58476D1CE4E5B9u + 1;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

struct Reach {
    Bytes read = 0;
    Bytes written = 0;
};

Reach ReachOf(const Steps& steps, const Step& step) {
    Reach reach;
    if (step.kind == StepKind::kOpaque) return {kAllBytes, kAllBytes};
    if (step.kind != StepKind::kAction && step.kind != StepKind::kHard) return reach;
    for (const Access& access : steps.AccessesOf(step)) {
        const Bytes bytes = BytesOf(access.where);
        const Atoms atoms = AtomsOf(access.kinds);
        // A layout transition reads and writes, whatever it is called.
        if (WritesOf(atoms) || step.kind == StepKind::kHard) reach.written |= bytes;
        reach.read |= bytes;
    }
    return reach;
}

bool Conflicts(const Reach& a, const Reach& b) { return (a.written & (b.read | b.written)) || (a.read & b.written); }

}  // namespace

std::string Checker::Check(const Steps& steps, const BarrierOptions& options, const BarrierPlan& plan, uint64_t world) {
    std::string fault = CheckForm(steps, options, plan);
    if (fault.empty()) fault = CheckMasks(steps, plan);
    if (fault.empty()) fault = CheckBetween(steps, plan);
    if (!fault.empty()) return fault;
    Prepare(steps, plan, world);
    return CheckOrder(steps, plan, true);
}

std::string Checker::CheckWithSeams(const Steps& steps, const BarrierOptions& options, const BarrierPlan& plan,
                                    uint64_t world) {
    std::string fault = CheckForm(steps, options, plan);
    if (fault.empty()) fault = CheckMasks(steps, plan);
    if (fault.empty()) fault = CheckBetween(steps, plan);
    if (!fault.empty()) return fault;
    Prepare(steps, plan, world);
    fault = CheckOrder(steps, plan, false);
    if (!fault.empty()) return "between them: " + fault;
    Steps without = steps;
    for (BarrierStep& barrier : without.barriers)
        if (barrier.seam) barrier.masks = {};
    Prepare(without, plan, world);
    fault = CheckOrder(without, plan, true);
    return fault.empty() ? fault : "without the seams: " + fault;
}

std::string Checker::CheckForm(const Steps& steps, const BarrierOptions& options, const BarrierPlan& plan) const {
    const auto count = static_cast<uint32_t>(steps.steps.size());
    uint32_t recorded = 0, emitted = 0, programs = 0;  // not the seams
    size_t next = 0;
    for (uint32_t i = 0; i <= count; ++i) {
        while (next < plan.emissions.size() && plan.emissions[next].before == i) {
            ++next;
            ++emitted;
        }
        const uint32_t more = i == count && options.narrow && plan.narrowed > 0 ? 1 : 0;
        if (emitted > recorded + more)
            return Say(emitted, " barriers emitted before step ", i, ", where ", recorded, " were recorded");
        if (i == count) break;
        if (steps.steps[i].kind == StepKind::kHard) ++emitted;
        const Step& step = steps.steps[i];
        if (step.kind != StepKind::kHard && step.kind != StepKind::kBarrier) continue;
        ++recorded;
        if (!steps.barriers[step.first].seam) ++programs;
    }
    if (next != plan.emissions.size()) return "emissions not in order, or after the end";
    if (plan.recorded != programs) return Say("plan.recorded is ", plan.recorded, ", not ", programs);
    if (plan.Emitted(steps) != emitted) return Say("Emitted() is ", plan.Emitted(steps), ", not ", emitted);
    if (plan.narrowed > (options.narrow ? plan.emissions.size() : 0)) return "plan.narrowed is too large";
    return {};
}

// Nothing is invented: masks of barriers that were recorded before.
std::string Checker::CheckMasks(const Steps& steps, const BarrierPlan& plan) const {
    Masks so_far;
    size_t next = 0;
    for (uint32_t i = 0; i <= steps.steps.size(); ++i) {
        for (; next < plan.emissions.size() && plan.emissions[next].before == i; ++next) {
            const Emission& emission = plan.emissions[next];
            Masks both = Primitive(so_far);
            both |= Primitive(emission.masks);
            if (both != Primitive(so_far)) return Say("emission ", next, " is wider than what was recorded");
        }
        if (i == steps.steps.size() || steps.steps[i].kind != StepKind::kBarrier) continue;
        const BarrierStep& barrier = steps.barriers[steps.steps[i].first];
        so_far |= barrier.masks;
    }
    return {};
}

// Two conflicting commands that had a barrier between them have one still, whatever its masks.
std::string Checker::CheckBetween(const Steps& steps, const BarrierPlan& plan) {
    const auto count = static_cast<int32_t>(steps.steps.size());
    int32_t last_recorded = -1;  // a barrier at or before the step
    int32_t last_output = -1;    // the youngest step that an output barrier comes before
    size_t next = 0;
    std::vector<Reach> reach(steps.steps.size());
    for (int32_t j = 0; j < count; ++j) {
        const Step& step = steps.steps[static_cast<size_t>(j)];
        for (; next < plan.emissions.size() && plan.emissions[next].before == static_cast<uint32_t>(j); ++next)
            last_output = j;
        reach[static_cast<size_t>(j)] = ReachOf(steps, step);
        // Those with a recorded barrier between, and none of the output.
        for (int32_t i = std::max(last_output, 0); i < last_recorded; ++i)
            if (Conflicts(reach[static_cast<size_t>(i)], reach[static_cast<size_t>(j)]))
                return Say("no barrier left between step ", i, " and step ", j);
        if (step.kind == StepKind::kBarrier || step.kind == StepKind::kHard) last_recorded = j;
        if (step.kind == StepKind::kHard) last_output = j + 1;
    }
    return {};
}

Checker::Barrier Checker::Resolve(const Steps& steps, const BarrierStep& step, const Masks& masks,
                                  uint64_t world) const {
    Barrier barrier{.sets = Expand(masks), .global = step.global, .covers = 0};
    if (step.global) return barrier;
    for (uint32_t i = step.first_range; i < step.first_range + step.range_count; ++i) {
        const MemoryRange& range = steps.ranges[i];
        barrier.covers |= BytesOf(range) & (range.memory < kFirstOwnMemory ? Guess(world, i) : kAllBytes);
    }
    return barrier;
}

void Checker::Prepare(const Steps& steps, const BarrierPlan& plan, uint64_t world) {
    recorded_.clear();
    emitted_.clear();
    for (const BarrierStep& barrier : steps.barriers) {
        Masks masks = barrier.masks;
        if (barrier.uncertain) {
            // Entries with masks of their own, of which those of one count here.
            const uint64_t some = Guess(world, recorded_.size()), more = Guess(some, 0);
            masks.source_stages &= some;
            masks.source_access &= some >> 7;
            masks.destination_stages &= more;
            masks.destination_access &= more >> 7;
        }
        recorded_.push_back(Resolve(steps, barrier, masks, world));
    }
    for (const Emission& emission : plan.emissions)
        emitted_.push_back({.sets = Expand(emission.masks), .global = true, .covers = 0});
    classes_.assign(1, kAllBytes);
    for (const Barrier& barrier : recorded_) {
        if (barrier.global) continue;
        for (size_t i = classes_.size(); i-- > 0;) {
            const Bytes inside = classes_[i] & barrier.covers;
            if (!inside || inside == classes_[i]) continue;
            classes_.push_back(classes_[i] & ~barrier.covers);
            classes_[i] = inside;
        }
    }
}

void Checker::Apply(const Barrier& barrier, Order Source::*which) {
    for (Source& source : sources_) {
        Order& order = source.*which;
        const Stages reach = order.ordered | source.self;
        if (!(barrier.sets.before & reach)) continue;
        const bool makes_available = (barrier.sets.available & source.write) && barrier.Covers(source.bytes);
        if (makes_available || (barrier.sets.before & order.chained)) {
            order.chained |= barrier.sets.after;
            if (barrier.Covers(source.bytes)) order.visible |= barrier.sets.visible;
        }
        order.ordered |= barrier.sets.after;
    }
}

std::string Checker::CheckAccess(uint32_t step, const Access& access) const {
    const Bytes bytes = BytesOf(access.where);
    const Atoms atoms = AtomsOf(access.kinds);
    for (const Source& source : sources_) {
        if (!(source.bytes & bytes)) continue;
        if (source.reads) {
            if (StagesOf(WritesOf(atoms)) & source.program.ordered & ~source.output.ordered)
                return Say("step ", step, " no longer executes after ", Name(source.step));
        } else if (atoms & source.program.visible & ~source.output.visible) {
            return Say("step ", step, " no longer sees the writes of ", Name(source.step));
        }
    }
    return {};
}

// Of a hard barrier: its layout transition comes after its first scope.
std::string Checker::CheckTransition(uint32_t step, const Barrier& barrier, const Access& access) const {
    const Bytes bytes = BytesOf(access.where);
    for (const Source& source : sources_) {
        if (!(source.bytes & bytes)) continue;
        const auto executes = [&](const Order& order) {
            return (barrier.sets.before & (order.ordered | source.self)) != 0;
        };
        const auto sees = [&](const Order& order) { return (barrier.sets.before & order.chained) != 0; };
        if (source.reads && executes(source.program) && !executes(source.output))
            return Say("the transition of step ", step, " no longer executes after ", Name(source.step));
        if (!source.reads && sees(source.program) && !sees(source.output))
            return Say("the transition of step ", step, " no longer sees the writes of ", Name(source.step));
    }
    return {};
}

// Whatever may come now, with barriers of its own.
std::string Checker::CheckEverything(uint32_t step) const {
    for (const Source& source : sources_) {
        if (source.program.ordered & ~source.output.ordered)
            return Say("what is unknown from step ", step, " on no longer executes after ", Name(source.step));
        if (source.reads) continue;
        if (source.program.visible & ~source.output.visible)
            return Say("what is unknown from step ", step, " on no longer sees the writes of ", Name(source.step));
        if (source.program.chained & ~source.output.chained)
            return Say("barriers from step ", step, " on no longer chain with the writes of ", Name(source.step));
    }
    return {};
}

void Checker::Add(const Source& source) {
    for (const Bytes bytes : classes_) {
        if (!(bytes & source.bytes)) continue;
        Source part = source;
        part.bytes &= bytes;
        sources_.push_back(part);
    }
}

void Checker::AddAccess(int32_t step, const Access& access) {
    const Atoms atoms = AtomsOf(access.kinds);
    Source source;
    source.bytes = BytesOf(access.where);
    source.step = step;
    for (Atoms rest = atoms & ~WritesOf(atoms); rest; rest &= rest - 1) {
        source.self = StagesOf(rest & -rest);
        source.reads = true;
        Add(source);
    }
    for (Atoms rest = WritesOf(atoms); rest; rest &= rest - 1) {
        source.write = rest & -rest;
        source.self = StagesOf(source.write);
        source.reads = false;
        Add(source);
    }
}

void Checker::AddUnknown(int32_t step, bool accesses) {
    Source source;
    source.bytes = kAllBytes;
    source.step = step;
    for (Stages rest = kEveryStage; rest; rest &= static_cast<Stages>(rest - 1)) {
        source.self = static_cast<Stages>(rest & -rest);
        source.reads = true;
        Add(source);
        source.reads = false;
        source.program.chained = source.output.chained = source.self;
        Add(source);
        source.program = source.output = {};
    }
    if (!accesses) return;
    for (Atoms rest = WritesOf(kEveryAtom); rest; rest &= rest - 1) {
        source.write = rest & -rest;
        source.self = StagesOf(source.write);
        Add(source);
    }
}

void Checker::AddTransition(int32_t step, const Barrier& barrier, const Access& access) {
    Source source;
    source.bytes = BytesOf(access.where);
    source.step = step;
    source.program.ordered = source.program.chained = barrier.sets.after;
    source.program.visible = barrier.sets.visible;
    source.output = source.program;
    Add(source);
}

std::string Checker::Take(const Steps& steps, uint32_t index, bool around) {
    const Step& step = steps.steps[index];
    const auto place = static_cast<int32_t>(index);
    std::string fault;
    switch (step.kind) {
        case StepKind::kAction:
            for (const Access& access : steps.AccessesOf(step))
                if (fault.empty()) fault = CheckAccess(index, access);
            for (const Access& access : steps.AccessesOf(step)) AddAccess(place, access);
            break;
        case StepKind::kBarrier:
            Apply(recorded_[step.first], &Source::program);
            break;
        case StepKind::kHard:
            for (const Access& access : steps.AccessesOf(step))
                if (fault.empty()) fault = CheckTransition(index, recorded_[step.first], access);
            Apply(recorded_[step.first], &Source::program);
            Apply(recorded_[step.first], &Source::output);
            for (const Access& access : steps.AccessesOf(step)) AddTransition(place, recorded_[step.first], access);
            break;
        case StepKind::kFence:
            if (!around) break;
            fault = CheckEverything(index);
            AddUnknown(place, false);
            break;
        case StepKind::kOpaque:
            fault = CheckEverything(index);
            AddUnknown(place, true);
            break;
    }
    return fault;
}

// `around`: for work before and after it, and for fences, too.
std::string Checker::CheckOrder(const Steps& steps, const BarrierPlan& plan, bool around) {
    sources_.clear();
    if (around) AddUnknown(-1, true);
    size_t next = 0;
    for (uint32_t i = 0; i <= steps.steps.size(); ++i) {
        for (; next < plan.emissions.size() && plan.emissions[next].before == i; ++next)
            Apply(emitted_[next], &Source::output);
        const bool end = i == steps.steps.size();
        const std::string fault = !end ? Take(steps, i, around) : around ? CheckEverything(i) : std::string();
        if (!fault.empty()) return fault;
    }
    return {};
}

uint32_t Optimum(const Steps& steps) {
    std::vector<Reach> reach;
    size_t barrier_before = 0;  // steps before the youngest recorded barrier
    size_t stab = 0;            // the youngest one chosen is before this step
    uint32_t chosen = 0;
    for (size_t j = 0; j < steps.steps.size(); ++j) {
        const Step& step = steps.steps[j];
        reach.push_back(ReachOf(steps, step));
        for (size_t i = stab; i < barrier_before; ++i) {
            if (!Conflicts(reach[i], reach[j])) continue;
            ++chosen;
            stab = j;
            break;
        }
        if (step.kind == StepKind::kBarrier) barrier_before = j;
    }
    return chosen;
}

bool Plain(const Steps& steps) {
    const bool known = std::all_of(steps.steps.begin(), steps.steps.end(), [](const Step& step) {
        return step.kind == StepKind::kAction || step.kind == StepKind::kBarrier;
    });
    return known && std::all_of(steps.barriers.begin(), steps.barriers.end(),
                                [](const BarrierStep& barrier) { return barrier.global; });
}

bool Uniform(const Steps& steps) {
    if (!Plain(steps) || steps.barriers.empty()) return false;
    Atoms atoms = 0;
    for (const Step& step : steps.steps)
        if (step.kind == StepKind::kAction)
            for (const Access& access : steps.AccessesOf(step)) atoms |= AtomsOf(access.kinds);
    const Masks& masks = steps.barriers[0].masks;
    const Sets sets = Expand(masks);
    if ((StagesOf(atoms) & ~(sets.before & sets.after)) || (WritesOf(atoms) & ~sets.available) ||
        (atoms & ~sets.visible))
        return false;
    return std::all_of(steps.barriers.begin(), steps.barriers.end(),
                       [&](const BarrierStep& barrier) { return barrier.masks == masks; });
}

}  // namespace kronos::oracle
