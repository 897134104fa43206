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
    Kinds stages = 0;        ///< its kinds; none for what a barrier does itself, which only that barrier orders
    uint32_t sequence = 0;   ///< barriers recorded before it
    uint32_t necessary = 0;  ///< barriers counted as necessary before it
    Reach reach;

    /// Ordered before all that is of these kinds.
    bool Settled(Kinds later) const;
};

class LiveAccesses {
  public:
    /// More are taken together, which may keep a barrier but loses none.
    static constexpr size_t kMost = 64;
    /// A bit for each of them.
    using Set = uint64_t;

    void Clear() { count_ = 0, writes_ = 0; }

    /// Those that share memory with `access`, and one of the two writes.
    Set Conflicting(const Access& access) const;
    /// Calls `use` with each of the set.
    template <class Use>
    void ForEach(Set set, Use use) const {
        for (; set; set &= set - 1) use(live_[static_cast<size_t>(__builtin_ctzll(set))]);
    }

    /// A barrier. Not `memory`: of memory it orders some, but nobody knows which.
    void Settle(const Scopes& scopes, bool memory);
    /// Forgets what is ordered before all that is of the kinds `later`, but for those that `keep` says.
    template <class Keep>
    void Forget(Kinds later, Keep keep) {
        Set gone = 0;
        for (size_t i = 0; i < count_; ++i)
            if (live_[i].Settled(later) && !keep(live_[i])) gone |= Set{1} << i;
        Remove(gone);
    }
    /// Of `conflicting`, forgets what is ordered before `access`, a write to all of it: whatever conflicts with one of
    /// those conflicts with the write too.
    void Replace(const Access& access, Set conflicting);
    /// Unless one that is as little ordered stands for it.
    void Add(const Access& access, uint32_t sequence, uint32_t necessary);
    void Push(const Live& live);

  private:
    void Remove(Set gone);
    void Coarsen();

    std::array<Live, kMost> live_;
    size_t count_ = 0;
    Set writes_ = 0;                     ///< those that write
    std::array<uint8_t, kMost> seen_{};  ///< by hash of where it begins: where an access may be found
};

}  // namespace kronos
