// SPDX-License-Identifier: Apache-2.0
#include "stream/parts.h"

#include <algorithm>

namespace kronos {
namespace {

// A part with more would be compared with everything around it, access by access.
constexpr size_t kMostInPart = 16;

// Of one stage: where one of them is in a barrier's scope, all are.
constexpr Kinds kOfShaders =
    Of(Kind::kUniformRead) | Of(Kind::kSampledRead) | Of(Kind::kStorageRead) | Of(Kind::kStorageWrite);

bool OrderedAlike(Kinds a, Kinds b) { return a == b || (!((a | b) & ~kOfShaders) && !((a ^ b) & kWrites)); }

void Widen(MemoryRange& hull, const MemoryRange& by) {
    if (hull.memory != by.memory)
        hull = {};
    else
        hull = {hull.memory, std::min(hull.begin, by.begin), std::max(hull.end, by.end)};
}

}  // namespace

void Parts::Start(const Steps& steps) {
    steps_ = &steps;
    parts_.clear();
    actions_.clear();
    at_.assign(steps.accesses.size() + 1, 0);
}

uint32_t Parts::Find(const Step& action) {
    uint32_t& at = at_[action.first];
    if (at && actions_[at - 1].accesses == action.count) return at - 1;
    Action made{static_cast<uint32_t>(parts_.size()), 0, action.count, 0};
    Add(steps_->AccessesOf(action));
    made.count = static_cast<uint32_t>(parts_.size()) - made.first;
    for (uint32_t i = made.first; i < parts_.size(); ++i) made.kinds |= parts_[i].kinds;
    actions_.push_back(made);
    at = static_cast<uint32_t>(actions_.size());
    return at - 1;
}

void Parts::Add(std::span<const Access> accesses) {
    for (size_t end = 0; end < accesses.size();) {
        const size_t begin = end++;
        Part part{accesses[begin].where, {}, accesses[begin].kinds};
        for (; end < accesses.size() && end - begin < kMostInPart; ++end) {
            const Access& next = accesses[end];
            if (!OrderedAlike(part.kinds, next.kinds)) break;
            part.kinds |= next.kinds;
            Widen(part.hull, next.where);
        }
        part.accesses = accesses.subspan(begin, end - begin);
        parts_.push_back(part);
    }
}

}  // namespace kronos
