// SPDX-License-Identifier: Apache-2.0
#include "state_model.h"

#include <algorithm>

namespace kronos::model {
namespace {

const Layout kForgotten = {{}, {}, false, false, false};

}  // namespace

// "Two pipeline layouts are defined to be compatible for set N, if they were created with identically defined
// descriptor set layouts for sets zero through N, if both of them either were or were not created with
// INDEPENDENT_SETS, and if they were created with identical push constant ranges."
bool CompatibleForSet(const Layout& a, const Layout& b, size_t set) {
    if (!a.comparable || !b.comparable) return false;
    if (&a == &b) return true;
    if (a.independent != b.independent || a.ranges != b.ranges) return false;
    if (set >= a.sets.size() || set >= b.sets.size()) return false;
    for (size_t i = 0; i <= set; ++i)
        if (a.sets[i] != b.sets[i]) return false;
    return true;
}

// "... compatible for push constants, if they were created with identical push constant ranges."
bool CompatibleForConstants(const Layout& a, const Layout& b) { return &a == &b || a.ranges == b.ranges; }

// "When a descriptor set is disturbed by binding descriptor sets, the disturbed set is considered to contain undefined
// descriptors bound with the same pipeline layout as the disturbing descriptor set."
void State::Undefine(Slot& slot, const Layout& layout) {
    if (!slot.layout) return;
    // Forgotten: whether anything was bound is not known either.
    if (!slot.layout->comparable) return;
    slot = {};
    slot.layout = &layout;
}

// "When binding a descriptor set to set number N, if the previously bound descriptor sets for sets zero through N-1
// were all bound using compatible pipeline layouts, then performing this binding does not disturb any of the lower
// numbered sets. If, additionally, the previously bound descriptor set for set N was bound using a pipeline layout
// compatible for set N, then the bindings in sets numbered greater than N are also not disturbed."
void State::Disturb(size_t set, const Layout& layout) {
    bool lower = true;
    for (size_t i = 0; i < set; ++i)
        lower = lower && (!slots_[i].layout || CompatibleForSet(*slots_[i].layout, layout, i));
    for (size_t i = 0; !lower && i < set; ++i)
        if (slots_[i].layout && (reading_.lower_together || !CompatibleForSet(*slots_[i].layout, layout, i)))
            Undefine(slots_[i], layout);
    const Slot& at = slots_[set];
    const bool keeps = lower && (at.layout ? CompatibleForSet(*at.layout, layout, set) : !reading_.empty_disturbs);
    for (size_t i = set + 1; !keeps && i < kSets; ++i) Undefine(slots_[i], layout);
}

void State::Apply(const Command& command) {
    switch (command.kind) {
        case Command::Kind::kPipeline:
            pipeline_ = command.pipeline;
            break;
        case Command::Kind::kSets:
            for (size_t i = 0; i < command.sets.size(); ++i) {
                Disturb(command.first + i, *command.layout);
                Slot& slot = slots_[command.first + i];
                slot = {};
                slot.layout = command.layout;
                slot.set = command.sets[i];
            }
            break;
        case Command::Kind::kConstants:
            for (size_t stage = 0; stage < kStages; ++stage)
                for (Word& word : constants_[stage])
                    if (reading_.constants_together && word.layout &&
                        !CompatibleForConstants(*word.layout, *command.layout))
                        word = {};
            for (size_t stage = 0; stage < kStages; ++stage)
                for (size_t i = 0; i < command.words.size(); ++i)
                    if (command.stages >> stage & 1)
                        constants_[stage][command.first + i] = {command.layout, command.words[i]};
            break;
        case Command::Kind::kDescriptors: {
            Disturb(command.first, *command.layout);
            Slot& slot = slots_[command.first];
            // "... until the descriptor is overwritten, or else until the set is disturbed."
            if (!slot.pushed || !CompatibleForSet(*slot.layout, *command.layout, command.first)) slot = {};
            slot.pushed = true;
            slot.layout = command.layout;
            for (const auto& [where, what] : command.writes) slot.descriptors[where] = what;
            break;
        }
        case Command::Kind::kExecute:
            *this = State(reading_);
            break;
        case Command::Kind::kDispatch:
            break;
    }
}

void State::ForgetDisputed(std::vector<State>& states) {
    for (size_t i = 0; i < kSets; ++i) {
        const Layout* first = states[0].slots_[i].layout;
        const bool agreed = std::all_of(states.begin(), states.end(), [&](const State& state) {
            const Layout* other = state.slots_[i].layout;
            return first == other || (first && other && CompatibleForSet(*first, *other, i));
        });
        if (agreed) continue;
        for (State& state : states) {
            state.slots_[i] = {};
            state.slots_[i].layout = &kForgotten;
        }
    }
}

void State::Forget(const Command& command) {
    switch (command.kind) {
        case Command::Kind::kPipeline:
            pipeline_ = 0;
            break;
        case Command::Kind::kSets:
        case Command::Kind::kDescriptors:
            for (Slot& slot : slots_) {
                slot = {};
                slot.layout = &kForgotten;
            }
            break;
        case Command::Kind::kConstants:
            constants_ = {};
            break;
        case Command::Kind::kExecute:
        case Command::Kind::kDispatch:
            break;
    }
}

bool State::operator==(const State& other) const {
    if (pipeline_ != other.pipeline_) return false;
    for (size_t i = 0; i < kSets; ++i) {
        const Slot& a = slots_[i];
        const Slot& b = other.slots_[i];
        if (!a.layout != !b.layout || (a.layout && !CompatibleForSet(*a.layout, *b.layout, i))) return false;
        if (a.pushed != b.pushed || a.set != b.set || a.descriptors != b.descriptors) return false;
    }
    for (size_t stage = 0; stage < kStages; ++stage)
        for (size_t i = 0; i < kWords; ++i) {
            const Word& a = constants_[stage][i];
            const Word& b = other.constants_[stage][i];
            if (!a.layout != !b.layout) return false;
            if (a.layout && (a.value != b.value || !CompatibleForConstants(*a.layout, *b.layout))) return false;
        }
    return true;
}

// "... as long as all lower numbered sets were also bound with compatible layouts."
bool State::Usable(size_t set) const {
    const Slot& slot = slots_[set];
    if (!slot.layout || (slot.set.empty() && slot.descriptors.empty())) return false;
    for (size_t i = 0; i < set; ++i)
        if (slots_[i].layout && !CompatibleForSet(*slots_[i].layout, *slot.layout, i)) return false;
    return true;
}

std::string State::Missing(const State& other) const {
    if (pipeline_ && pipeline_ != other.pipeline_) return "the pipeline";
    for (size_t i = 0; i < kSets; ++i) {
        if (!Usable(i)) continue;
        const Slot& a = slots_[i];
        const Slot& b = other.slots_[i];
        const std::string name = "set " + std::to_string(i);
        if (!other.Usable(i) || !CompatibleForSet(*a.layout, *b.layout, i)) return name + " itself";
        if (a.set != b.set) return name;
        for (const auto& [where, what] : a.descriptors) {
            const auto found = b.descriptors.find(where);
            if (found == b.descriptors.end() || found->second != what)
                return name + ", descriptor " + std::to_string(where);
        }
    }
    for (size_t stage = 0; stage < kStages; ++stage)
        for (size_t i = 0; i < kWords; ++i) {
            const Word& a = constants_[stage][i];
            const Word& b = other.constants_[stage][i];
            if (!a.layout) continue;
            if (!b.layout || a.value != b.value || !CompatibleForConstants(*a.layout, *b.layout))
                return "word " + std::to_string(i) + " of stage " + std::to_string(stage);
        }
    return {};
}

}  // namespace kronos::model
