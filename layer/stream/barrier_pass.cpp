// SPDX-License-Identifier: Apache-2.0
#include "stream/barrier_pass.h"

#include <algorithm>

namespace kronos {
namespace {

constexpr size_t kMostCovered = 64;

constexpr Kinds kStageKinds[] = {
    Of(Kind::kIndirectRead),
    Of(Kind::kUniformRead) | Of(Kind::kSampledRead) | Of(Kind::kStorageRead) | Of(Kind::kStorageWrite),
    Of(Kind::kCopyRead) | Of(Kind::kCopyWrite),
    Of(Kind::kBlitRead) | Of(Kind::kBlitWrite),
    Of(Kind::kResolveRead) | Of(Kind::kResolveWrite),
    Of(Kind::kClearWrite),
    Of(Kind::kHostRead) | Of(Kind::kHostWrite),
    Of(Kind::kOtherRead) | Of(Kind::kOtherWrite),
};
constexpr Kind kWriteKinds[] = {Kind::kStorageWrite, Kind::kCopyWrite, Kind::kBlitWrite, Kind::kResolveWrite,
                                Kind::kClearWrite,   Kind::kHostWrite, Kind::kOtherWrite};
constexpr Kinds kUploads = Of(Kind::kCopyWrite) | Of(Kind::kBlitWrite) | Of(Kind::kResolveWrite) |
                           Of(Kind::kClearWrite) | Of(Kind::kHostWrite);

bool Within(const Masks& inner, const Masks& outer) {
    Masks both = outer;
    both |= inner;
    return both == outer;
}

bool Conflict(const Access& a, const Access& b) { return ((a.kinds | b.kinds) & kWrites) && a.where.Overlaps(b.where); }

KeepReason ReasonOf(Kinds earlier, Kinds later) {
    const Kinds written = earlier & kWrites;
    if (!written) return KeepReason::kReadWrite;
    if (!(later & ~kWrites)) return KeepReason::kWriteWrite;
    return !(written & ~kUploads) ? KeepReason::kUploadRead : KeepReason::kWriteRead;
}

}  // namespace

uint32_t BarrierPlan::Emitted(const Steps& steps) const {
    const auto hard = std::count_if(steps.steps.begin(), steps.steps.end(),
                                    [](const Step& step) { return step.kind == StepKind::kHard; });
    return static_cast<uint32_t>(emissions.size()) + static_cast<uint32_t>(hard);
}

void BarrierPlan::Clear() {
    emissions.clear();
    ranges.clear();
    recorded = necessary = narrowed = 0;
}

void BarrierPass::Pending::Clear() {
    masks = {};
    any = global = false;
    ranges.clear();
}

void BarrierPass::Earlier::Reset() {
    order.fill({});
    for (size_t i = 0; i < kStages; ++i) order[i].available = true;
    ++version;
}

void BarrierPass::Earlier::Apply(const Scopes& scopes, bool memory) {
    bool changed = false;
    for (size_t i = 0; i < kEarlier; ++i) {
        Order& work = order[i];
        const Kinds itself = i < kStages ? kStageKinds[i] : Of(kWriteKinds[i - kStages]);
        if (!((itself | work.after) & scopes.before)) continue;
        const Order old = work;
        work.after |= scopes.after;
        if (memory) {
            if (itself & scopes.available) work.available = true;
            if (work.available) work.visible |= scopes.visible;
        }
        changed |= work != old;
    }
    if (changed) ++version;
}

void BarrierPass::Run(const Steps& steps, const BarrierOptions& options, BarrierPlan& plan) {
    Start(steps, options, plan);
    const auto count = static_cast<uint32_t>(steps.steps.size());
    for (uint32_t i = 0; i < count; ++i) {
        const Step& step = steps.steps[i];
        switch (step.kind) {
            case StepKind::kAction:
                Act(i, step);
                break;
            case StepKind::kBarrier:
                Record(steps.barriers[step.first]);
                break;
            case StepKind::kHard:
                Hard(i, step);
                break;
            case StepKind::kFence:
                Barred(i, KeepReason::kFence);
                break;
            case StepKind::kOpaque:
                Barred(i, KeepReason::kOpaque);
                live_.clear();
                Add({.where = {}, .kinds = kAllKinds, .object = 0}, 0, 0, false);
                so_far_ |= kAllKinds;
                break;
        }
    }
    if (pending_.any || indebted_) Emit(count, KeepReason::kEnd);
}

void BarrierPass::Start(const Steps& steps, const BarrierOptions& options, BarrierPlan& plan) {
    plan.Clear();
    steps_ = &steps;
    options_ = options;
    plan_ = &plan;
    so_far_ = 0;
    last_barred_ = 0;
    sequence_ = 0;
    indebted_ = false;
    debt_ = {};
    pending_.Clear();
    live_.clear();
    known_count_ = next_known_ = 0;
    ForgetEarlier();

    const size_t count = steps.steps.size();
    later_.resize(count + 1);
    later_[count] = 0;
    for (size_t i = count; i-- > 0;) {
        const Step& step = steps.steps[i];
        Kinds kinds = later_[i + 1];
        if (step.kind == StepKind::kAction || step.kind == StepKind::kHard)
            for (const Access& access : steps.AccessesOf(step)) kinds |= access.kinds;
        if (step.kind == StepKind::kFence || step.kind == StepKind::kOpaque) {
            kinds = kAllKinds;
            last_barred_ = std::max(last_barred_, static_cast<uint32_t>(i) + 1);
        }
        later_[i] = kinds;
    }
}

// Whatever ordered earlier work until now counts no more.
void BarrierPass::ForgetEarlier() {
    by_program_.Reset();
    by_output_.Reset();
    program_global_ = false;
    covered_.clear();
    all_masks_ = {};
}

BarrierPass::Known& BarrierPass::Look(const Masks& masks) {
    for (size_t i = 0; i < known_count_; ++i)
        if (known_[i].masks == masks) return known_[i];
    if (known_count_ < known_.size())
        next_known_ = known_count_++;
    else
        next_known_ = (next_known_ + 1) % known_.size();
    Known& known = known_[next_known_];
    known = {.masks = masks, .least = ScopesOf(masks, true), .most = ScopesOf(masks, false)};
    return known;
}

void BarrierPass::Record(const BarrierStep& barrier) {
    ++plan_->recorded;
    ++sequence_;
    pending_.any = true;
    pending_.masks |= barrier.masks;
    all_masks_ |= barrier.masks;
    if (barrier.global) pending_.global = program_global_ = true;
    for (const BarrierRange& range : steps_->RangesOf(barrier)) {
        const bool there = std::any_of(pending_.ranges.begin(), pending_.ranges.end(), [&](const BarrierRange& other) {
            return other.object == range.object && other.object != 0 && other.where == range.where;
        });
        if (!there) pending_.ranges.push_back(range);
    }
    Known& known = Look(barrier.masks);
    if (known.program_version == by_program_.version) return;
    // With ranges too: the program may order more by them together than each of them says.
    by_program_.Apply(known.most, true);
    known.program_version = by_program_.version;
}

void BarrierPass::Hard(uint32_t index, const Step& step) {
    const BarrierStep& barrier = steps_->barriers[step.first];
    const auto ranges = steps_->RangesOf(barrier);
    ++plan_->recorded;
    ++plan_->necessary;
    ++sequence_;
    if (pending_.any) Emit(index, KeepReason::kHard);
    all_masks_ |= barrier.masks;
    program_global_ |= barrier.global;
    const Known known = Look(barrier.masks);
    by_program_.Apply(known.most, true);
    const Scopes certain = barrier.uncertain ? Scopes{} : known.least;
    by_output_.Apply(certain, barrier.global);
    Settle(certain, barrier.global, ranges);
    if (!barrier.global && !barrier.uncertain) Cover(barrier.masks, ranges);
    // What it does itself is done before its second scope begins.
    for (const Access& access : steps_->AccessesOf(step)) {
        Add(access, certain.after, certain.visible, !barrier.uncertain);
        so_far_ |= access.kinds;
    }
}

// No barrier moves past step `index`.
void BarrierPass::Barred(uint32_t index, KeepReason reason) {
    if (pending_.any) {
        ++plan_->necessary;
        Emit(index, reason);
    }
    ForgetEarlier();
}

void BarrierPass::Act(uint32_t index, const Step& step) {
    const auto accesses = steps_->AccessesOf(step);
    Kinds kinds = 0;
    bool conflict = false;   // with an access that is not ordered, and that a barrier was recorded after
    bool necessary = false;  // the same, had only necessary barriers been emitted
    KeepReason reason = KeepReason::kEarlierWork;
    for (const Access& access : accesses) {
        kinds |= access.kinds;
        for (const Live& live : live_) {
            if (live.sequence == sequence_ || !Conflict(live.access, access)) continue;
            necessary |= live.necessary == plan_->necessary;
            const bool writes = live.access.kinds & kWrites;
            const bool settled =
                !(access.kinds & ~live.after) && (!writes || (live.available && !(access.kinds & ~live.visible)));
            if (settled || conflict) continue;
            conflict = true;
            reason = ReasonOf(live.access.kinds, access.kinds);
        }
    }
    if (necessary) ++plan_->necessary;
    if (pending_.any && (conflict || NeedsEarlier(accesses, kinds))) Emit(index, reason);
    for (const Access& access : accesses) Add(access, 0, 0, false);
    so_far_ |= kinds;
}

// Whether the program orders work from before the recording before these accesses, and what was emitted does not.
bool BarrierPass::NeedsEarlier(std::span<const Access> accesses, Kinds kinds) const {
    const bool writes = kinds & kWrites;
    for (size_t i = 0; i < kEarlier; ++i) {
        const Order& program = by_program_.order[i];
        const Order& output = by_output_.order[i];
        if (writes && (program.after & ~output.after & kinds)) return true;
        if (program_global_ && (program.visible & ~output.visible & kinds)) return true;
    }
    if (program_global_) return false;
    for (const Access& access : accesses)
        for (const BarrierRange& range : pending_.ranges)
            if (range.where.Overlaps(access.where) && !EarlierCovered(range)) return true;
    return false;
}

bool BarrierPass::EarlierCovered(const BarrierRange& range) const {
    return std::any_of(covered_.begin(), covered_.end(), [&](const Covered& covered) {
        return covered.range.Covers(range) && Within(all_masks_, covered.masks);
    });
}

void BarrierPass::Emit(uint32_t index, KeepReason reason) {
    Emission emission;
    emission.before = index;
    emission.masks = pending_.masks;
    emission.global = pending_.global;
    emission.reason = reason;
    const bool last = reason == KeepReason::kEnd;
    if (last && indebted_) {
        emission.masks |= debt_;
        emission.global = true;
        indebted_ = false;
    }
    if (options_.narrow && !last && emission.global && index >= last_barred_) {
        const Masks narrowed = Narrowed(emission.masks, so_far_, later_[index]);
        if (narrowed != emission.masks) {
            // Only where it changes nothing for work from before the recording.
            Earlier by_wide = by_output_;
            Earlier by_narrow = by_output_;
            by_wide.Apply(ScopesOf(emission.masks, true), true);
            by_narrow.Apply(ScopesOf(narrowed, true), true);
            const bool same = std::equal(by_wide.order.begin(), by_wide.order.end(), by_narrow.order.begin(),
                                         [&](const Order& wide, const Order& narrow) {
                                             return wide.after == narrow.after && wide.available == narrow.available &&
                                                    !(wide.visible & ~narrow.visible & later_[index]);
                                         });
            if (same) {
                debt_ |= emission.masks;
                indebted_ = true;
                emission.masks = narrowed;
                ++plan_->narrowed;
            }
        }
    }
    std::span<const BarrierRange> ranges;
    if (!emission.global) {
        ranges = pending_.ranges;
        emission.first_range = static_cast<uint32_t>(plan_->ranges.size());
        emission.range_count = static_cast<uint32_t>(ranges.size());
        plan_->ranges.insert(plan_->ranges.end(), ranges.begin(), ranges.end());
    }
    const Scopes scopes = ScopesOf(emission.masks, true);
    by_output_.Apply(scopes, emission.global);
    if (!emission.global) Cover(emission.masks, ranges);
    Settle(scopes, emission.global, ranges);
    // What is ordered before all that is still to come needs no watching; the necessary barriers are counted by it.
    const Kinds later = later_[std::min<size_t>(index, later_.size() - 1)];
    std::erase_if(live_, [&](const Live& live) {
        const bool writes = live.access.kinds & kWrites;
        return live.necessary != plan_->necessary && !(later & ~live.after) &&
               (!writes || (live.available && !(later & ~live.visible)));
    });
    plan_->emissions.push_back(emission);
    pending_.Clear();
}

void BarrierPass::Settle(const Scopes& scopes, bool global, std::span<const BarrierRange> ranges) {
    for (Live& live : live_) {
        const bool direct = !(live.access.kinds & ~scopes.before);
        if (!direct && !(live.after & scopes.before)) continue;
        live.after |= scopes.after;
        const Kinds writes = live.access.kinds & kWrites;
        if (!writes) continue;
        const bool within = global || std::any_of(ranges.begin(), ranges.end(),
                                                  [&](const BarrierRange& range) { return range.Covers(live.access); });
        if (!within) continue;
        if (direct && !(writes & ~scopes.available)) live.available = true;
        if (live.available) live.visible |= scopes.visible;
    }
}

void BarrierPass::Cover(const Masks& masks, std::span<const BarrierRange> ranges) {
    for (const BarrierRange& range : ranges) {
        const auto same = std::find_if(covered_.begin(), covered_.end(), [&](const Covered& covered) {
            return covered.range.Covers(range) && range.Covers(covered.range);
        });
        if (same != covered_.end() && Within(same->masks, masks))
            same->masks = masks;
        else if (covered_.size() < kMostCovered)
            covered_.push_back({range, masks});
    }
}

void BarrierPass::Add(const Access& access, Kinds after, Kinds visible, bool available) {
    for (const Live& live : live_) {
        // What is as little ordered, and not younger, stands for it.
        const bool same = live.access.kinds == access.kinds && live.access.object == access.object &&
                          (live.access.where == access.where || live.access.where.Contains(access.where));
        if (same && live.sequence == sequence_ && live.necessary == plan_->necessary && !(live.after & ~after) &&
            !(live.visible & ~visible) && live.available <= available)
            return;
    }
    if (live_.size() >= kMostLive) Coarsen();
    live_.push_back({access, sequence_, plan_->necessary, after, visible, available});
}

// One access for each memory; if even these are too many, one for everything.
void BarrierPass::Coarsen() {
    const auto join = [](Live& into, const Live& live) {
        Access& access = into.access;
        access.kinds |= live.access.kinds;
        access.object = access.object == live.access.object ? access.object : 0;
        access.where.begin = std::min(access.where.begin, live.access.where.begin);
        access.where.end = std::max(access.where.end, live.access.where.end);
        into.sequence = std::min(into.sequence, live.sequence);
        into.necessary = std::max(into.necessary, live.necessary);
        into.after &= live.after;
        into.visible &= live.visible;
        into.available &= live.available;
    };
    std::sort(live_.begin(), live_.end(),
              [](const Live& a, const Live& b) { return a.access.where.memory < b.access.where.memory; });
    size_t kept = 0;
    for (size_t i = 1; i < live_.size(); ++i) {
        if (live_[i].access.where.memory == live_[kept].access.where.memory)
            join(live_[kept], live_[i]);
        else
            live_[++kept] = live_[i];
    }
    live_.resize(kept + 1);
    if (live_.size() <= kMostLive / 2) return;
    for (size_t i = 1; i < live_.size(); ++i) join(live_[0], live_[i]);
    live_.resize(1);
    live_[0].access.where = {};
}

}  // namespace kronos
