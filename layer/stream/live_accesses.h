// SPDX-License-Identifier: Apache-2.0
// The accesses of a recording that something later in it may have to wait for. Pure; externally synchronized.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "stream/parts.h"
#include "stream/reach.h"
#include "stream/steps.h"

namespace kronos {

/// Accesses that are ordered alike, and how far.
struct Live {
    MemoryRange hull;                  ///< around all of them
    std::span<const Access> accesses;  ///< none: whatever is in the hull
    Part* part = nullptr;              ///< that they are; nullptr: no part's alone
    uint32_t sequence = 0;             ///< barriers recorded before them
    Kinds kinds = 0;
    bool of_barrier = false;  ///< what a barrier does itself, which only that barrier orders
    Reach reach;

    /// Ordered before all that is of these kinds.
    bool Settled(Kinds later) const {
        return !(later & ~reach.after) && (!(kinds & kWrites) || !(later & ~reach.visible));
    }
    /// The kinds of one of the part's accesses that shares memory with these and is not ordered behind them; 0: of
    /// none.
    Kinds Unordered(const Part& part) const;
};

class LiveAccesses {
  public:
    /// Of more parts that write, or that only read, or of more of their accesses, some are taken together, which may
    /// keep a barrier but loses none.
    static constexpr size_t kMost = 64;
    static constexpr size_t kMostAccesses = 256;

    struct Conflict {
        const Live* live = nullptr;  ///< nullptr: there is none
        Kinds kinds = 0;             ///< of the access that conflicts with it
    };

    void Clear() {
        writes_.Clear();
        reads_.Clear();
    }
    /// With one of the part's accesses; one of the two writes, nothing orders them, and barrier `sequence` or one
    /// before it was recorded between them.
    Conflict FindConflict(const Part& part, uint32_t sequence) const {
        const Conflict found = writes_.FindConflict(part, sequence);
        return found.live || !part.Writes() ? found : reads_.FindConflict(part, sequence);
    }
    /// A barrier that stays where it is. Not `memory`: of memory it orders some, but nobody knows which.
    void Settle(const Scopes& scopes, bool memory);
    /// An emitted barrier, and its scopes. Forgets what is ordered before all that is of the kinds `later`.
    void Settle(const Masks& masks, const Scopes& scopes, Kinds later);
    /// Once more, or for the first time. `pending`: of the barriers that are recorded and not emitted, nullptr if there
    /// are none. If it is there already, but more ordered, that is forgotten: whatever conflicts with it conflicts with
    /// the new one. The part must live until Clear.
    void Add(Part& part, uint32_t sequence, const Masks* pending);
    void Push(const Live& live) { (live.kinds & kWrites ? writes_ : reads_).Push(live); }

  private:
    struct Group {
        std::array<Live, kMost> live;
        size_t count = 0;
        // Of all since there were none.
        size_t accesses = 0;
        Kinds kinds = 0;
        bool of_barriers = false;  ///< what a barrier does itself is among them
        size_t known = 0;          ///< the first so many are from before the last emitted barrier

        void Clear() {
            count = accesses = known = 0;
            kinds = 0, of_barriers = false;
        }
        Conflict FindConflict(const Part& part, uint32_t sequence) const {
            for (size_t i = 0; i < count; ++i) {
                const Live& one = live[i];
                if (one.sequence == sequence || !one.hull.Overlaps(part.hull) || one.Settled(part.kinds)) continue;
                if (const Kinds of = one.Unordered(part)) return {&one, of};
            }
            return {};
        }
        void Refresh(Part& part, uint32_t sequence);
        void Push(const Live& added);
        void Move(size_t from, size_t to);
        void Settle(const Scopes& scopes, Kinds later, bool again);
        void Coarsen();
    };

    Group writes_, reads_;
    // The last emitted barrier, and the kinds after it: one that is the same changes nothing for what was before it.
    Masks last_;
    Kinds last_later_ = 0;
};

}  // namespace kronos
