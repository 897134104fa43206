// SPDX-License-Identifier: Apache-2.0
#include "stream/barrier_pass.h"

#include <algorithm>

namespace kronos {
namespace {

constexpr size_t kMostRanges = 64;

constexpr Kinds kUploads = Of(Kind::kCopyWrite) | Of(Kind::kBlitWrite) | Of(Kind::kResolveWrite) |
                           Of(Kind::kClearWrite) | Of(Kind::kHostWrite);

constexpr Access kAnything = Everywhere(kAllKinds);

KeepReason ReasonOf(Kinds earlier, Kinds later) {
    const Kinds written = earlier & kWrites;
    if (!written) return KeepReason::kReadWrite;
    if (!(later & ~kWrites)) return KeepReason::kWriteWrite;
    return !(written & ~kUploads) ? KeepReason::kUploadRead : KeepReason::kWriteRead;
}

// A barrier that may move, and that the program recorded.
bool IsPrograms(const Steps& steps, const Step& step) {
    return step.kind == StepKind::kBarrier && !steps.barriers[step.first].seam;
}

}  // namespace

uint32_t BarrierPlan::Emitted(const Steps& steps) const {
    const auto hard = std::count_if(steps.steps.begin(), steps.steps.end(),
                                    [](const Step& step) { return step.kind == StepKind::kHard; });
    return static_cast<uint32_t>(emissions.size()) + static_cast<uint32_t>(hard);
}

uint32_t BarrierPlan::Parting() const {
    // The one at the end is the last.
    const bool at_end = !emissions.empty() && emissions.back().reason == KeepReason::kEnd;
    return static_cast<uint32_t>(emissions.size()) - (at_end ? 1 : 0);
}

void BarrierPlan::Clear() {
    emissions.clear();
    recorded = necessary = narrowed = parted = 0;
}

void BarrierPass::Run(const Steps& steps, const BarrierOptions& options, BarrierPlan& plan) {
    Start(steps, options, plan);
    const auto count = static_cast<uint32_t>(steps.steps.size());
    for (uint32_t i = 0; i < count; ++i) {
        const Step& step = steps.steps[i];
        switch (step.kind) {
            case StepKind::kAction:
                if (i > 0 && IsPrograms(steps, steps.steps[i - 1])) ++plan.parted;
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
                live_.Clear();
                live_.Add(anything_, sequence_, nullptr);
                so_far_ |= kAllKinds;
                break;
        }
    }
    if (waiting_ && !is_asked_) NothingWaits();
    if (waiting_ || indebted_) Emit(count, KeepReason::kEnd);
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
    NothingWaits();
    live_.Clear();
    anything_ = {.hull = kAnything.where, .accesses = std::span(&kAnything, 1), .kinds = kAnything.kinds};
    ForgetEarlier();

    const size_t count = steps.steps.size();
    parts_.Start(steps);
    ahead_.resize(count + 1);
    ahead_[count] = {};
    for (size_t i = count; i-- > 0;) {
        const Step& step = steps.steps[i];
        Ahead ahead{ahead_[i + 1].kinds, 0};
        switch (step.kind) {
            case StepKind::kAction:
                ahead.action = parts_.Find(step);
                ahead.kinds |= parts_.action(ahead.action).kinds;
                break;
            case StepKind::kHard:
                for (const Access& access : steps.AccessesOf(step)) ahead.kinds |= access.kinds;
                break;
            case StepKind::kFence:
            case StepKind::kOpaque:
                ahead.kinds = kAllKinds;
                last_barred_ = std::max(last_barred_, static_cast<uint32_t>(i) + 1);
                break;
            case StepKind::kBarrier:
                break;
        }
        ahead_[i] = ahead;
    }
}

void BarrierPass::NothingWaits() {
    waiting_ = is_asked_ = false;
    pending_ = asked_ = {};
}

// Whatever ordered earlier work until now counts no more.
void BarrierPass::ForgetEarlier() {
    by_program_.Reset();
    by_output_.Reset();
    by_global_.Reset();
    program_ranges_.clear();
}

BarrierPass::Known& BarrierPass::Look(const Masks& masks) {
    // Mostly the same as before.
    if (known_[last_known_].masks == masks && known_count_) return known_[last_known_];
    for (size_t i = 0; i < known_count_; ++i)
        if (known_[i].masks == masks) return known_[last_known_ = i];
    if (known_count_ < known_.size())
        last_known_ = known_count_++;
    else
        last_known_ = (last_known_ + 1) % known_.size();
    Known& known = known_[last_known_];
    known = {.masks = masks, .least = ScopesOf(masks, true), .most = ScopesOf(masks, false)};
    return known;
}

void BarrierPass::Record(const BarrierStep& barrier) {
    ++sequence_;
    waiting_ = true;
    pending_ |= barrier.masks;
    if (barrier.seam) return;
    ++plan_->recorded;
    is_asked_ = true;
    asked_ |= barrier.masks;
    for (const MemoryRange& range : steps_->RangesOf(barrier)) AddProgramRange(range);
    Order(Look(barrier.masks), barrier.global);
}

// With ranges as without: the program may order more by them together than each of them says.
void BarrierPass::Order(Known& known, bool global) {
    const auto apply = [&](Earlier& order, uint64_t& version, bool makes_available, bool makes_visible) {
        if (version == order.version) return;
        order.Apply(known.most, makes_available, makes_visible);
        version = order.version;
    };
    apply(by_program_, known.program_version, true, true);
    apply(by_global_, known.global_version[global ? 1 : 0], global, global);
}

void BarrierPass::AddProgramRange(const MemoryRange& range) {
    for (const MemoryRange& known : program_ranges_)
        if (known.Contains(range)) return;
    if (program_ranges_.size() >= kMostRanges) {
        // One for each memory; if even these are too many, one for everything.
        std::sort(program_ranges_.begin(), program_ranges_.end(),
                  [](const MemoryRange& a, const MemoryRange& b) { return a.memory < b.memory; });
        size_t kept = 0;
        for (size_t i = 1; i < program_ranges_.size(); ++i) {
            MemoryRange& into = program_ranges_[kept];
            const MemoryRange& next = program_ranges_[i];
            if (into.memory == next.memory)
                into = {into.memory, std::min(into.begin, next.begin), std::max(into.end, next.end)};
            else
                program_ranges_[++kept] = next;
        }
        program_ranges_.resize(kept + 1);
        if (program_ranges_.size() > kMostRanges / 2) program_ranges_.assign(1, {});
    }
    program_ranges_.push_back(range);
}

void BarrierPass::Hard(uint32_t index, const Step& step) {
    const BarrierStep& barrier = steps_->barriers[step.first];
    ++plan_->recorded;
    ++plan_->necessary;
    ++sequence_;
    if (waiting_) Emit(index, KeepReason::kHard);
    for (const MemoryRange& range : steps_->RangesOf(barrier)) AddProgramRange(range);
    Known& known = Look(barrier.masks);
    Order(known, barrier.global);
    const Scopes certain = barrier.uncertain ? Scopes{} : known.least;
    by_output_.Apply(certain, barrier.global, barrier.global);
    live_.Settle(certain, barrier.global);
    // What it does itself is done before its second scope begins.
    for (const Access& access : steps_->AccessesOf(step)) {
        live_.Push({access.where,
                    {},
                    nullptr,
                    sequence_,
                    access.kinds,
                    true,
                    {certain.after, certain.after, certain.visible}});
        so_far_ |= access.kinds;
    }
}

// No barrier of the program's moves past step `index`.
void BarrierPass::Barred(uint32_t index, KeepReason reason) {
    if (is_asked_ || (waiting_ && reason == KeepReason::kOpaque)) {
        ++plan_->necessary;
        Emit(index, reason);
    }
    ForgetEarlier();
}

void BarrierPass::Act(uint32_t index, const Step& step) {
    const Parts::Action& action = parts_.action(ahead_[index].action);
    if (waiting_)
        if (const KeepReason reason = ReasonToEmit(step, action); reason != KeepReason::kCount) Emit(index, reason);
    const Masks* pending = waiting_ ? &pending_ : nullptr;
    for (Part& part : parts_.Of(action)) live_.Add(part, sequence_, pending);
    so_far_ |= action.kinds;
}

// Why what waits is emitted before the action; kCount: it need not be.
KeepReason BarrierPass::ReasonToEmit(const Step& step, const Parts::Action& action) {
    for (const Part& part : parts_.Of(action)) {
        const LiveAccesses::Conflict conflict = live_.FindConflict(part, sequence_);
        if (!conflict.live) continue;
        ++plan_->necessary;
        return ReasonOf(conflict.live->kinds, conflict.kinds);
    }
    return NeedsEarlier(steps_->AccessesOf(step), action.kinds) ? KeepReason::kEarlierWork : KeepReason::kCount;
}

void BarrierPass::Compare() {
    // Each only grows.
    const uint64_t versions = by_program_.version + by_global_.version + by_output_.version;
    if (versions == missing_.versions) return;
    Kinds any = 0, in_ranges = 0;
    for (size_t i = 0; i < Earlier::kLanes; ++i) {
        // By execution too, although for reads it may order nothing: programs that forget masks stay as lucky as they
        // were.
        any |= by_program_.after[i] & ~by_output_.after[i];
        any |= by_global_.visible[i] & ~by_output_.visible[i];
        in_ranges |= by_program_.visible[i] & ~by_output_.visible[i];
    }
    missing_ = {.versions = versions, .any = any, .in_ranges = in_ranges};
}

// Whether the program orders work from before the recording before these accesses, and what was emitted does not.
bool BarrierPass::NeedsEarlier(std::span<const Access> accesses, Kinds kinds) {
    Compare();
    if (kinds & missing_.any) return true;
    if (!(kinds & missing_.in_ranges)) return false;
    return std::any_of(accesses.begin(), accesses.end(), [&](const Access& access) {
        return std::any_of(program_ranges_.begin(), program_ranges_.end(),
                           [&](const MemoryRange& range) { return range.Overlaps(access.where); });
    });
}

void BarrierPass::Emit(uint32_t index, KeepReason reason) {
    Emission emission;
    emission.before = index;
    emission.masks = pending_;
    emission.reason = reason;
    if (reason == KeepReason::kEnd) {
        emission.masks = asked_;
        if (indebted_) emission.masks |= debt_;
        indebted_ = false;
    } else if (options_.narrow && index >= last_barred_ && Narrow(emission.masks, index)) {
        ++plan_->narrowed;
    }
    Known& known = Look(emission.masks);
    if (known.output_version != by_output_.version) {
        by_output_.Apply(known.least, true, true);
        known.output_version = by_output_.version;
    }
    // What is ordered before all that is still to come needs no watching.
    live_.Settle(emission.masks, known.least, ahead_[index].kinds);
    plan_->emissions.push_back(emission);
    NothingWaits();
}

// What nobody in the recording does is left out of the masks that are to be emitted before step `index`, where that
// changes nothing for work from before the recording: the program's are owed until its end.
bool BarrierPass::Narrow(Masks& masks, uint32_t index) {
    const Masks narrowed = Narrowed(masks, so_far_, ahead_[index].kinds);
    if (narrowed == masks) return false;
    if (is_asked_) {
        Earlier by_wide = by_output_;
        Earlier by_narrow = by_output_;
        by_wide.Apply(ScopesOf(asked_, false), true, true);
        by_narrow.Apply(ScopesOf(narrowed, true), true, true);
        Kinds less = 0;
        for (size_t i = 0; i < Earlier::kLanes; ++i) {
            less |= by_wide.after[i] & ~by_narrow.after[i];
            less |= by_wide.available[i] & ~by_narrow.available[i];
            less |= by_wide.visible[i] & ~by_narrow.visible[i] & ahead_[index].kinds;
        }
        if (less) return false;
        debt_ |= asked_;
        indebted_ = true;
    }
    masks = narrowed;
    return true;
}

}  // namespace kronos
