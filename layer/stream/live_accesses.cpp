// SPDX-License-Identifier: Apache-2.0
#include "stream/live_accesses.h"

#include <algorithm>
#include <tuple>

namespace kronos {
namespace {

size_t Home(const Access& access) {
    return ((access.where.begin ^ (access.where.memory << 32)) * 0x9E3779B97F4A7C15ull) >> 58;
}

}  // namespace

bool Live::Settled(Kinds later) const {
    return !(later & ~reach.after) && (!(access.kinds & kWrites) || !(later & ~reach.visible));
}

LiveAccesses::Set LiveAccesses::Conflicting(const Access& access) const {
    Set found = 0;
    // Reads conflict with writes alone, and most accesses are reads.
    if (access.kinds & kWrites) {
        for (size_t i = 0; i < count_; ++i) found |= Set{live_[i].access.where.Overlaps(access.where)} << i;
        return found;
    }
    for (Set rest = writes_; rest; rest &= rest - 1) {
        const Set lowest = rest & -rest;
        if (live_[static_cast<size_t>(__builtin_ctzll(rest))].access.where.Overlaps(access.where)) found |= lowest;
    }
    return found;
}

void LiveAccesses::Settle(const Scopes& scopes, bool memory) {
    for (size_t i = 0; i < count_; ++i) {
        Live& live = live_[i];
        const bool executes = live.stages && !(live.stages & ~scopes.before);
        live.reach.Apply(scopes, executes, live.stages & kWrites, memory, memory);
    }
}

void LiveAccesses::Replace(const Access& access, Set conflicting) {
    Set gone = 0;
    for (Set rest = conflicting; rest; rest &= rest - 1) {
        const Live& live = live_[static_cast<size_t>(__builtin_ctzll(rest))];
        if (live.stages && access.where.Contains(live.access.where) && live.Settled(access.kinds)) gone |= rest & -rest;
    }
    Remove(gone);
}

void LiveAccesses::Add(const Access& access, uint32_t sequence, uint32_t necessary) {
    uint8_t& seen = seen_[Home(access)];
    if (seen < count_) {
        const Live& live = live_[seen];
        if (live.stages && live.access.kinds == access.kinds && live.access.where.Contains(access.where) &&
            live.sequence == sequence && live.necessary == necessary && !live.reach.after)
            return;
    }
    Live live;
    live.access = access;
    live.stages = access.kinds;
    live.sequence = sequence;
    live.necessary = necessary;
    Push(live);
    seen = static_cast<uint8_t>(count_ - 1);
}

void LiveAccesses::Push(const Live& live) {
    if (count_ >= kMost) Coarsen();
    if (live.access.kinds & kWrites) writes_ |= Set{1} << count_;
    live_[count_++] = live;
}

void LiveAccesses::Remove(Set gone) {
    if (!gone) return;
    size_t kept = 0;
    Set writes = 0;
    for (size_t i = 0; i < count_; ++i) {
        if (gone >> i & 1) continue;
        if (writes_ >> i & 1) writes |= Set{1} << kept;
        if (kept != i) live_[kept] = live_[i];
        ++kept;
    }
    count_ = kept;
    writes_ = writes;
}

// One access for each memory and what is done to it, which the same barriers order; if even these are too many, one for
// everything.
void LiveAccesses::Coarsen() {
    const auto join = [](Live& into, const Live& live) {
        Access& access = into.access;
        access.kinds |= live.access.kinds;
        access.where.begin = std::min(access.where.begin, live.access.where.begin);
        access.where.end = std::max(access.where.end, live.access.where.end);
        into.sequence = std::min(into.sequence, live.sequence);
        into.necessary = std::max(into.necessary, live.necessary);
        into.stages = into.stages && live.stages ? into.stages | live.stages : 0;
        into.reach.after &= live.reach.after;
        into.reach.available &= live.reach.available;
        into.reach.visible &= live.reach.visible;
    };
    const auto key = [](const Live& live) {
        return std::tuple(live.access.where.memory, live.access.kinds, live.stages);
    };
    const auto begin = live_.begin();
    std::sort(begin, begin + static_cast<std::ptrdiff_t>(count_),
              [&](const Live& a, const Live& b) { return key(a) < key(b); });
    size_t kept = 0;
    for (size_t i = 1; i < count_; ++i) {
        if (key(live_[i]) == key(live_[kept]))
            join(live_[kept], live_[i]);
        else
            live_[++kept] = live_[i];
    }
    count_ = kept + 1;
    if (count_ > kMost / 2) {
        for (size_t i = 1; i < count_; ++i) join(live_[0], live_[i]);
        count_ = 1;
        live_[0].access.where = {};
    }
    writes_ = 0;
    for (size_t i = 0; i < count_; ++i)
        if (live_[i].access.kinds & kWrites) writes_ |= Set{1} << i;
}

}  // namespace kronos
