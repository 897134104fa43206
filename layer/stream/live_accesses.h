// SPDX-License-Identifier: Apache-2.0
// The accesses of a recording that something later in it may have to wait for. Pure; externally synchronized.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "stream/reach.h"
#include "stream/steps.h"

namespace kronos {

/// An access, and how far it is ordered.
struct Live {
    Access access;
    Kinds stages = 0;       ///< its kinds; none for what a barrier does itself, which only that barrier orders
    uint32_t sequence = 0;  ///< barriers recorded before it
    Reach reach;

    /// Ordered before all that is of these kinds.
    bool Settled(Kinds later) const;
};

class LiveAccesses {
  public:
    /// More that write, or more that only read, are taken together, which may keep a barrier but loses none.
    static constexpr size_t kMost = 64;

    void Clear() {
        writes_.Clear();
        reads_.Clear();
    }
    /// Calls `use` with each that shares memory with `access`, and one of the two writes.
    template <class Use>
    void ForConflicting(const Access& access, Use use) const {
        writes_.ForOverlapping(access.where, use);
        if (access.kinds & kWrites) reads_.ForOverlapping(access.where, use);
    }
    /// A barrier that stays where it is. Not `memory`: of memory it orders some, but nobody knows which.
    void Settle(const Scopes& scopes, bool memory);
    /// An emitted barrier, and its scopes. Forgets what is ordered before all that is of the kinds `later`.
    void Settle(const Masks& masks, const Scopes& scopes, Kinds later);
    /// A new one. `pending`: of the barriers that are recorded and not emitted, nullptr if there are none. One that is
    /// alike and more ordered is forgotten: whatever conflicts with it conflicts with the new one.
    void Add(const Access& access, uint32_t sequence, const Masks* pending);
    void Push(const Live& live) { (live.access.kinds & kWrites ? writes_ : reads_).Push(live); }

  private:
    struct Group {
        std::array<Live, kMost> live;
        size_t count = 0;
        std::array<uint8_t, 256> seen{};  ///< by hash of where it begins: where one may be found
        // Of all since there were none.
        Kinds stages = 0;
        bool barriers = false;  ///< what a barrier does itself is among them
        size_t known = 0;       ///< the first so many are from before the last emitted barrier

        void Clear() {
            count = known = 0;
            stages = 0, barriers = false;
        }
        template <class Use>
        void ForOverlapping(const MemoryRange& where, Use use) const {
            for (size_t i = 0; i < count; ++i)
                if (live[i].access.where.Overlaps(where)) use(live[i]);
        }
        size_t Refresh(size_t index, uint32_t sequence);
        void Push(const Live& added);
        void Settle(const Scopes& scopes, Kinds later, bool again);
        void Coarsen();
    };

    Group writes_, reads_;
    // The last emitted barrier, and the kinds after it: one that is the same changes nothing for what was before it.
    Masks last_;
    Kinds last_later_ = 0;
};

}  // namespace kronos
