// SPDX-License-Identifier: Apache-2.0
// The barriers that a recording needs, in the order that the program gave its commands. Pure; externally synchronized.
//
// Barriers are collected, and emitted as one, with the exact union of their masks, before the first command that needs
// what they order; what nobody in the recording needed is emitted at its end, for work before and after it. Whatever
// the program's barriers order stays ordered, with scopes at least as wide, and never more barriers are emitted than
// the program recorded and seams, but for one at the end where masks were narrowed.
//
// A seam between two recordings is a barrier for what they do, where that conflicts or a layout changes, and none for
// work before the first and after the last.
//
// What is emitted has one memory barrier and no ranges: drivers wait for the stages either way (tools/bench, group
// "barriers"), and one that orders everything leaves nothing for the next.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "stream/live_accesses.h"
#include "stream/parts.h"
#include "stream/reach.h"
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

/// A memory barrier to emit before step `before`; at the end if that is the number of steps.
struct Emission {
    uint32_t before = 0;
    Masks masks;
    KeepReason reason = KeepReason::kEnd;
};

struct BarrierPlan {
    std::vector<Emission> emissions;  ///< ascending by `before`; hard barriers are not in it
    uint32_t recorded = 0;            ///< the program's barriers, hard ones too
    uint32_t necessary = 0;           ///< for what conflicts with each other within the recording, fences and the like
    uint32_t narrowed = 0;            ///< of the emissions, with fewer masks than the program's
    uint32_t parted = 0;              ///< actions right before which the program has a barrier that is not hard

    uint32_t Parting() const;                    ///< emissions but for the one at the end
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
    /// Masks seen before, with what they mean.
    struct Known {
        Masks masks;
        Scopes least, most;
        // Of the orders that applying them to does not change.
        uint64_t program_version = Earlier::kNoVersion;
        uint64_t global_version[2] = {Earlier::kNoVersion, Earlier::kNoVersion};
        uint64_t output_version = Earlier::kNoVersion;
    };
    /// Kinds for which the program orders work from before the recording, and what was emitted does not.
    struct Missing {
        uint64_t versions = Earlier::kNoVersion;  ///< of the orders that it was made from, added up
        Kinds any = 0;                            ///< wherever
        Kinds in_ranges = 0;                      ///< in the program's ranges
    };
    /// What is known of a step before the pass comes to it.
    struct Ahead {
        Kinds kinds = 0;      ///< of it and all steps after it
        uint32_t action = 0;  ///< its number in parts_, if it is one
    };

    void Start(const Steps& steps, const BarrierOptions& options, BarrierPlan& plan);
    Known& Look(const Masks& masks);
    void Record(const BarrierStep& barrier);
    void NothingWaits();
    bool Narrow(Masks& masks, uint32_t index);
    void Order(Known& known, bool global);
    void Hard(uint32_t index, const Step& step);
    void Barred(uint32_t index, KeepReason reason);
    void Act(uint32_t index, const Step& step);
    KeepReason ReasonToEmit(const Step& step, const Parts::Action& action);
    bool NeedsEarlier(std::span<const Access> accesses, Kinds kinds);
    void Compare();
    void AddProgramRange(const MemoryRange& range);
    void Emit(uint32_t index, KeepReason reason);
    void ForgetEarlier();

    const Steps* steps_ = nullptr;
    BarrierOptions options_;
    BarrierPlan* plan_ = nullptr;
    Parts parts_;
    std::vector<Ahead> ahead_;  ///< by step, and one for the end
    Kinds so_far_ = 0;
    uint32_t last_barred_ = 0;  ///< steps up to the last fence or opaque one: masks stay as they are
    uint32_t sequence_ = 0;

    Masks pending_;  ///< of the barriers that wait
    bool waiting_ = false;
    Masks asked_;  ///< of those among them that are the program's
    bool is_asked_ = false;
    Masks debt_;  ///< what narrowing took away
    bool indebted_ = false;

    LiveAccesses live_;
    Earlier by_program_, by_output_;
    Earlier by_global_;                        ///< by the program's barriers, had those with ranges ordered no memory
    std::vector<MemoryRange> program_ranges_;  ///< where those did; joined when there are many
    Missing missing_;
    std::array<Known, 8> known_;
    size_t known_count_ = 0, last_known_ = 0;
    Part anything_;  ///< what an opaque command does
};

}  // namespace kronos
