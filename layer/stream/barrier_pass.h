// SPDX-License-Identifier: Apache-2.0
// The barriers that a recording needs, in the order that the program gave its commands. Pure; externally synchronized.
//
// Barriers are collected, and emitted as one, with the exact union of their masks, before the first command that needs
// what they order; what nobody in the recording needed is emitted at its end, for work before and after it. Whatever
// the program's barriers order stays ordered, with scopes at least as wide, and never more barriers are emitted than
// the program recorded, but for one at the end where masks were narrowed.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "stream/steps.h"

namespace kronos {

/// Why a barrier is emitted.
enum class KeepReason : uint8_t {
    kUploadRead,   ///< a transfer or the host wrote, a shader reads
    kReadWrite,    ///< write after read
    kWriteRead,    ///< read after write
    kWriteWrite,   ///< write after write
    kEarlierWork,  ///< for work before this command buffer
    kHard,         ///< itself a layout transition or the like, or before one
    kFence,        ///< before an event or timestamp
    kOpaque,       ///< before a command that is not understood
    kEnd,          ///< for work after this command buffer
    kCount
};

/// A barrier to emit before step `before`; at the end if that is the number of steps.
struct Emission {
    uint32_t before = 0;
    Masks masks;
    bool global = false;       ///< one memory barrier; otherwise the ranges
    uint32_t first_range = 0;  ///< into BarrierPlan::ranges
    uint32_t range_count = 0;
    KeepReason reason = KeepReason::kEnd;
};

struct BarrierPlan {
    std::vector<Emission> emissions;   ///< ascending by `before`; hard barriers are not in it
    std::vector<BarrierRange> ranges;  ///< each entry once an emission
    uint32_t recorded = 0;             ///< the program's barriers, hard ones too
    uint32_t necessary = 0;            ///< the least that orders all conflicting accesses within the recording
    uint32_t narrowed = 0;             ///< of the emissions, with fewer masks than the program's

    uint32_t Emitted(const Steps& steps) const;  ///< with the hard ones
    void Clear();
};

struct BarrierOptions {
    bool narrow = false;  ///< masks without what nobody in the recording does; the rest once at the end
};

/// Keeps its memory between uses: in steady state nothing is allocated.
class BarrierPass {
  public:
    /// Throws std::bad_alloc; then the plan is of no use.
    void Run(const Steps& steps, const BarrierOptions& options, BarrierPlan& plan);

  private:
    /// An access since which not everything was ordered.
    struct Live {
        Access access;
        Kinds after = 0;    ///< execute after it
        Kinds visible = 0;  ///< see its writes
        bool available = false;
    };
    /// Work before the recording, of one stage and one kind of write; once by the program's barriers, once by ours.
    struct Earlier {
        Kinds after = 0;
        Kinds visible = 0;
        bool available = false;
    };
};

}  // namespace kronos
