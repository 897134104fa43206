// SPDX-License-Identifier: Apache-2.0
// The memory model of the Vulkan specification for one queue, by brute force: what the barriers of a recording order,
// byte by byte, and whether a plan of the barrier pass orders as much. Shares only the data structures with the layer.
// Pure; any thread, one Checker a thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "stream/barrier_pass.h"

namespace kronos::oracle {

/// A set of stages, one bit each, of those in model.cpp's table.
using Stages = uint16_t;
/// A set of atoms: one kind of memory access by one stage.
using Atoms = uint32_t;
/// A set of bytes of all the memories that the model knows.
using Bytes = uint64_t;

constexpr uint64_t kFirstOwnMemory = 2;   ///< 0 is MemoryRange::kEverything, 1 is kShared
constexpr uint32_t kOwnMemories = 4;      ///< whose ids are kFirstOwnMemory and up
constexpr uint64_t kBytesOfAMemory = 14;  ///< of each of those; what lies beyond does not exist
constexpr Bytes kSharedBytes = Bytes{0xF} << 56;
constexpr Bytes kAllBytes = (Bytes{1} << 60) - 1;

/// The scopes of a barrier: stages that execute before and after, accesses made available and visible.
struct Sets {
    Stages before = 0;
    Atoms available = 0;
    Stages after = 0;
    Atoms visible = 0;
};

Sets Expand(const Masks& masks);
Atoms AtomsOf(Kinds kinds);
Stages StagesOf(Atoms atoms);
Atoms WritesOf(Atoms atoms);

/// Stage and access flags that stand for several, replaced by what they stand for.
Masks Primitive(const Masks& masks);
/// Flags that the generator may use: all that the model gives a meaning.
Masks ModelledFlags();

/// The bytes that an access may touch.
Bytes BytesOf(const MemoryRange& range);

/// Finds out whether a plan keeps the invariant of the barrier pass. Keeps its memory between uses.
class Checker {
  public:
    /// What the plan breaks, readable; empty if nothing. `world` decides what bytes unknown ranges of barriers cover.
    std::string Check(const Steps& steps, const BarrierOptions& options, const BarrierPlan& plan, uint64_t world);
    /// The same where some of the barriers are seams: these order commands of the recording, and ask for nothing that
    /// earlier or later work, or a fence, would notice.
    std::string CheckWithSeams(const Steps& steps, const BarrierOptions& options, const BarrierPlan& plan,
                               uint64_t world);

  private:
    struct Barrier {
        Sets sets;
        bool global = true;
        Bytes covers = 0;  ///< if not global

        bool Covers(Bytes bytes) const { return global || (covers & bytes); }
    };
    /// What is known to come after a source. `ordered` executes after it; its writes are available to what chains with
    /// `chained`, and visible to `visible`.
    struct Order {
        Stages ordered = 0;
        Stages chained = 0;
        Atoms visible = 0;
    };
    /// Something in the queue that later work may depend on, in bytes that all barriers treat alike.
    struct Source {
        Bytes bytes = 0;
        int32_t step = -1;   ///< that made it; -1 is work before the recording
        bool reads = false;  ///< it only reads
        Stages self = 0;     ///< the stage it executes in; chains begin there
        Atoms write = 0;     ///< the one kind of write that it is, if that is not available from the start
        Order program;
        Order output;
    };
    Barrier Resolve(const Steps& steps, const BarrierStep& step, const Masks& masks, uint64_t world) const;
    void Prepare(const Steps& steps, const BarrierPlan& plan, uint64_t world);
    std::string CheckForm(const Steps& steps, const BarrierOptions& options, const BarrierPlan& plan) const;
    std::string CheckMasks(const Steps& steps, const BarrierPlan& plan) const;
    std::string CheckBetween(const Steps& steps, const BarrierPlan& plan);
    std::string CheckOrder(const Steps& steps, const BarrierPlan& plan, bool around);
    std::string Take(const Steps& steps, uint32_t index, bool around);

    void Apply(const Barrier& barrier, Order Source::*order);
    std::string CheckAccess(uint32_t step, const Access& access) const;
    std::string CheckTransition(uint32_t step, const Barrier& barrier, const Access& access) const;
    std::string CheckEverything(uint32_t step) const;
    void Add(const Source& source);
    void AddAccess(int32_t step, const Access& access);
    void AddUnknown(int32_t step, bool accesses);
    void AddTransition(int32_t step, const Barrier& barrier, const Access& access);

    std::vector<Barrier> recorded_;  ///< by barrier index
    std::vector<Barrier> emitted_;   ///< by emission index
    std::vector<Bytes> classes_;     ///< that all barriers treat alike
    std::vector<Source> sources_;
};

/// The least number of barriers, each before some step and after a barrier that the program recorded, such that every
/// two conflicting accesses with a recorded barrier between them have one between them.
uint32_t Optimum(const Steps& steps);

/// All barriers are global and soft, have the same masks, and these cover all kinds of accesses that are recorded.
bool Uniform(const Steps& steps);
/// Neither ranges nor hard barriers, fences or opaque commands.
bool Plain(const Steps& steps);

std::string Print(const Steps& steps, const BarrierPlan& plan);
std::string Print(const Masks& masks);

}  // namespace kronos::oracle
