// SPDX-License-Identifier: Apache-2.0
// The barriers that a recording needs, in the order that the program gave its commands. Pure; externally synchronized.
//
// Barriers are collected, and emitted as one, with the exact union of their masks, before the first command that needs
// what they order; what nobody in the recording needed is emitted at its end, for work before and after it. Whatever
// the program's barriers order stays ordered, with scopes at least as wide, and never more barriers are emitted than
// the program recorded, but for one at the end where masks were narrowed.
#pragma once

#include <array>
#include <cstddef>
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

    /// More accesses than these are taken together, which may keep a barrier but loses none.
    static constexpr size_t kMostLive = 64;

  private:
    /// An access that something later in the recording may have to wait for.
    struct Live {
        Access access;
        uint32_t sequence = 0;   ///< barriers recorded before it
        uint32_t necessary = 0;  ///< barriers counted as necessary before it
        Kinds after = 0;         ///< execute after it
        Kinds visible = 0;       ///< see its writes
        bool available = false;
    };

    /// How far work from before the recording is ordered: once by the program's barriers, once by the emitted ones.
    struct Order {
        Kinds after = 0;
        Kinds visible = 0;
        bool available = false;
        bool operator==(const Order&) const = default;
    };
    /// Whatever came from each stage, already available; and each kind of write.
    static constexpr size_t kStages = 8;
    static constexpr size_t kEarlier = kStages + 7;
    struct Earlier {
        std::array<Order, kEarlier> order;
        uint32_t version = 0;  ///< changes with it
        void Reset();
        void Apply(const Scopes& scopes, bool memory);
    };

    /// Masks seen before, with what they mean.
    struct Known {
        Masks masks;
        Scopes least, most;
        uint32_t program_version = ~0u;  ///< of the order that applying them to does not change
    };

    struct Pending {
        Masks masks;
        bool any = false;
        bool global = false;
        std::vector<BarrierRange> ranges;
        void Clear();
    };

    void Start(const Steps& steps, const BarrierOptions& options, BarrierPlan& plan);
    Known& Look(const Masks& masks);
    void Record(const BarrierStep& barrier);
    void Hard(uint32_t index, const Step& step);
    void Barred(uint32_t index, KeepReason reason);
    void Act(uint32_t index, const Step& step);
    bool NeedsEarlier(std::span<const Access> accesses, Kinds kinds) const;
    bool EarlierCovered(const BarrierRange& range) const;
    void Emit(uint32_t index, KeepReason reason);
    void Settle(const Scopes& scopes, bool global, std::span<const BarrierRange> ranges);
    void Cover(const Masks& masks, std::span<const BarrierRange> ranges);
    void Add(const Access& access, Kinds after, Kinds visible, bool available);
    void Coarsen();
    void ForgetEarlier();

    const Steps* steps_ = nullptr;
    BarrierOptions options_;
    BarrierPlan* plan_ = nullptr;
    std::vector<Kinds> later_;  ///< kinds of all steps from this one on
    Kinds so_far_ = 0;
    uint32_t last_barred_ = 0;  ///< steps up to the last fence or opaque one: masks stay as they are
    uint32_t sequence_ = 0;

    Pending pending_;
    Masks all_masks_;  ///< of all the program's barriers since the recording's start or the last fence
    Masks debt_;       ///< what narrowing took away
    bool indebted_ = false;

    std::vector<Live> live_;
    Earlier by_program_, by_output_;
    bool program_global_ = false;  ///< one of its barriers has no ranges
    struct Covered {
        BarrierRange range;
        Masks masks;
    };
    std::vector<Covered> covered_;  ///< emitted ranges
    std::array<Known, 8> known_;
    size_t known_count_ = 0, next_known_ = 0;
};

}  // namespace kronos
