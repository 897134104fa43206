// SPDX-License-Identifier: Apache-2.0
#include "stream/live_accesses.h"

#include <algorithm>

namespace kronos {
namespace {

void Apply(Live& live, const Scopes& scopes, bool memory) {
    const bool executes = !live.of_barrier && !(live.kinds & ~scopes.before);
    live.reach.Apply(scopes, executes, live.kinds & kWrites, memory, memory);
}

}  // namespace

Kinds Live::Unordered(const Part& other) const {
    for (const Access& access : other.accesses) {
        if (Settled(access.kinds)) continue;
        if (accesses.size() <= 1) {
            if (hull.Overlaps(access.where)) return access.kinds;
            continue;
        }
        for (const Access& own : accesses)
            if (own.where.Overlaps(access.where)) return access.kinds;
    }
    return 0;
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

void LiveAccesses::Add(Part& part, uint32_t sequence, const Masks* pending) {
    Group& group = part.Writes() ? writes_ : reads_;
    if (part.place < group.count && group.live[part.place].part == &part) {
        const Live& live = group.live[part.place];
        const bool known = part.place < group.known;
        // Without a barrier in between, neither recorded nor emitted.
        if (!known && live.sequence == sequence) return;
        if (!pending || (known && *pending == last_)) return group.Refresh(part, sequence);
    }
    group.Push({part.hull, part.accesses, &part, sequence, part.kinds, false, {}});
}

void LiveAccesses::Group::Move(size_t from, size_t to) {
    live[to] = live[from];
    if (live[to].part) live[to].part->place = static_cast<uint32_t>(to);
}

// What is there is done once more, and no longer from before the last emitted barrier.
void LiveAccesses::Group::Refresh(Part& part, uint32_t sequence) {
    if (part.place < known) {
        const size_t place = part.place;
        const Live refreshed = live[place];
        Move(--known, place);
        live[known] = refreshed;
        part.place = static_cast<uint32_t>(known);
    }
    live[part.place].sequence = sequence;
    live[part.place].reach = {};
}

void LiveAccesses::Group::Push(const Live& added) {
    if (count >= kMost || accesses >= kMostAccesses) Coarsen();
    accesses += std::max<size_t>(added.accesses.size(), 1);
    kinds |= added.of_barrier ? 0 : added.kinds;
    of_barriers |= added.of_barrier;
    live[count] = added;
    if (added.part) added.part->place = static_cast<uint32_t>(count);
    ++count;
}

void LiveAccesses::Group::Settle(const Scopes& scopes, Kinds later, bool again) {
    // Mostly all are ordered, by a barrier that is for all that they do.
    const Kinds written = kinds & kWrites;
    const bool all = !of_barriers && !(kinds & ~scopes.before) && !(later & ~scopes.after) &&
                     (!written || (!(written & ~scopes.available) && !(later & ~scopes.visible)));
    if (all) return Clear();
    const size_t from = again ? known : 0;
    size_t kept = from;
    for (size_t i = from; i < count; ++i) {
        Apply(live[i], scopes, true);
        if (live[i].Settled(later)) continue;
        if (kept != i) Move(i, kept);
        ++kept;
    }
    count = known = kept;
}

// One for each memory and what is done to it, which the same barriers order; if even these are too many, one for
// everything.
void LiveAccesses::Group::Coarsen() {
    std::array<Live, kMost / 2> joined;
    size_t made = 0;
    const auto join = [](Live& into, const Live& other, const MemoryRange& where) {
        into.hull.begin = std::min(into.hull.begin, where.begin);
        into.hull.end = std::max(into.hull.end, where.end);
        into.sequence = std::min(into.sequence, other.sequence);
        into.kinds |= other.kinds;
        into.of_barrier |= other.of_barrier;
        into.reach.after &= other.reach.after;
        into.reach.available &= other.reach.available;
        into.reach.visible &= other.reach.visible;
    };
    const auto add = [&](const Live& one, const MemoryRange& where) {
        const auto end = joined.begin() + static_cast<std::ptrdiff_t>(made);
        const auto found = std::find_if(joined.begin(), end, [&](const Live& into) {
            return into.hull.memory == where.memory && into.kinds == one.kinds && into.of_barrier == one.of_barrier;
        });
        if (found != end) {
            join(*found, one, where);
        } else if (made < joined.size()) {
            joined[made++] = {where, {}, nullptr, one.sequence, one.kinds, one.of_barrier, one.reach};
        } else {
            join(joined[0], one, where);
            joined[0].hull = {};
        }
    };
    for (size_t i = 0; i < count; ++i) {
        if (live[i].accesses.empty()) add(live[i], live[i].hull);
        for (const Access& access : live[i].accesses) add(live[i], access.where);
    }
    std::copy_n(joined.begin(), made, live.begin());
    count = accesses = made;
    known = 0;
}

}  // namespace kronos
