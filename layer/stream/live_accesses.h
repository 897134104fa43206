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
    /// An emitted barrier. Forgets what is ordered before all that is of the kinds `later`.
    void Settle(const Scopes& scopes, Kinds later);
    /// Forgets what is ordered before `access`, a write to all of it: whatever conflicts with one of those conflicts
    /// with the write too.
    void Replace(const Access& access);
    /// Unless one that is as little ordered stands for it.
    void Add(const Access& access, uint32_t sequence);
    void Push(const Live& live) { (live.access.kinds & kWrites ? writes_ : reads_).Push(live); }

  private:
    struct Group {
        std::array<Live, kMost> live;
        size_t count = 0;
        // Of all since there were none.
        Kinds stages = 0;
        bool barriers = false;  ///< what a barrier does itself is among them

        void Clear() {
            count = 0;
            stages = 0, barriers = false;
        }
        template <class Use>
        void ForOverlapping(const MemoryRange& where, Use use) const {
            for (size_t i = 0; i < count; ++i)
                if (live[i].access.where.Overlaps(where)) use(live[i]);
        }
        template <class Gone>
        void Remove(Gone gone);
        void Push(const Live& added);
        void Settle(const Scopes& scopes, Kinds later);
        void Coarsen();
    };

    Group writes_, reads_;
    std::array<uint8_t, kMost> seen_{};  ///< by hash of where it begins: where a read may be found
};

}  // namespace kronos
