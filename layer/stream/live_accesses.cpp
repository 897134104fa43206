// SPDX-License-Identifier: Apache-2.0
#include "stream/live_accesses.h"

#include <algorithm>
#include <tuple>

namespace kronos {
namespace {

size_t Home(const Access& access) {
    return ((access.where.begin ^ (access.where.memory << 32)) * 0x9E3779B97F4A7C15ull) >> 56;
}

void Apply(Live& live, const Scopes& scopes, bool memory) {
    const bool executes = live.stages && !(live.stages & ~scopes.before);
    live.reach.Apply(scopes, executes, live.stages & kWrites, memory, memory);
}

}  // namespace

bool Live::Settled(Kinds later) const {
    return !(later & ~reach.after) && (!(access.kinds & kWrites) || !(later & ~reach.visible));
}

void LiveAccesses::Settle(const Scopes& scopes, bool memory) {
    for (Group* group : {&writes_, &reads_}) {
        group->known = 0;
        for (size_t i = 0; i < group->count; ++i) Apply(group->live[i], scopes, memory);
    }
}

void LiveAccesses::Settle(const Masks& masks, const Scopes& scopes, Kinds later) {
    const bool again = masks == last_ && later == last_later_;
    writes_.Settle(scopes, later, again);
    reads_.Settle(scopes, later, again);
    last_ = masks;
    last_later_ = later;
}

void LiveAccesses::Add(const Access& access, uint32_t sequence, const Masks* pending) {
    const bool writes = access.kinds & kWrites;
    Group& group = writes ? writes_ : reads_;
    uint8_t& seen = group.seen[Home(access)];
    if (seen < group.count) {
        const Live& live = group.live[seen];
        const bool alike = live.stages && live.access.kinds == access.kinds;
        if (alike && live.access.where.Contains(access.where) && live.sequence == sequence && !live.reach.after) return;
        const bool ordered = !pending || (seen < group.known && *pending == last_);
        if (alike && live.access.where == access.where && ordered) {
            seen = static_cast<uint8_t>(group.Refresh(seen, sequence));
            return;
        }
    }
    group.Push({access, access.kinds, sequence, {}});
    seen = static_cast<uint8_t>(group.count - 1);
}

// The one that is there is done once more. Returns its place.
size_t LiveAccesses::Group::Refresh(size_t index, uint32_t sequence) {
    if (index < known) {
        std::swap(live[index], live[--known]);
        seen[Home(live[index].access)] = static_cast<uint8_t>(index);
        index = known;
    }
    live[index].sequence = sequence;
    live[index].reach = {};
    return index;
}

void LiveAccesses::Group::Push(const Live& added) {
    if (count >= kMost) Coarsen();
    stages |= added.stages;
    barriers |= !added.stages;
    live[count++] = added;
}

void LiveAccesses::Group::Settle(const Scopes& scopes, Kinds later, bool again) {
    // Mostly all are ordered, by a barrier that is for all that they do.
    const Kinds written = stages & kWrites;
    const bool all = !barriers && !(stages & ~scopes.before) && !(later & ~scopes.after) &&
                     (!written || (!(written & ~scopes.available) && !(later & ~scopes.visible)));
    if (all) return Clear();
    const size_t from = again ? known : 0;
    size_t kept = from;
    for (size_t i = from; i < count; ++i) {
        Apply(live[i], scopes, true);
        if (live[i].Settled(later)) continue;
        if (kept != i) live[kept] = live[i];
        ++kept;
    }
    count = known = kept;
}

// One access for each memory and what is done to it, which the same barriers order; if even these are too many, one for
// everything.
void LiveAccesses::Group::Coarsen() {
    const auto join = [](Live& into, const Live& other) {
        Access& access = into.access;
        access.kinds |= other.access.kinds;
        access.where.begin = std::min(access.where.begin, other.access.where.begin);
        access.where.end = std::max(access.where.end, other.access.where.end);
        into.sequence = std::min(into.sequence, other.sequence);
        into.stages = into.stages && other.stages ? into.stages | other.stages : 0;
        into.reach.after &= other.reach.after;
        into.reach.available &= other.reach.available;
        into.reach.visible &= other.reach.visible;
    };
    const auto key = [](const Live& one) { return std::tuple(one.access.where.memory, one.access.kinds, one.stages); };
    const auto begin = live.begin();
    std::sort(begin, begin + static_cast<std::ptrdiff_t>(count),
              [&](const Live& a, const Live& b) { return key(a) < key(b); });
    size_t kept = 0;
    for (size_t i = 1; i < count; ++i) {
        if (key(live[i]) == key(live[kept]))
            join(live[kept], live[i]);
        else
            live[++kept] = live[i];
    }
    count = kept + 1;
    known = 0;
    if (count > kMost / 2) {
        for (size_t i = 1; i < count; ++i) join(live[0], live[i]);
        count = 1;
        live[0].access.where = {};
    }
}

}  // namespace kronos
