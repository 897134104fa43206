// SPDX-License-Identifier: Apache-2.0
// A command buffer as the barrier pass sees it: what each command reads and writes, and what each barrier orders.
// Externally synchronized, as recording is.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "stream/scopes.h"

namespace kronos {

/// Bytes [begin, end) of one memory object. Two ranges overlap if they share a byte of the same memory, or if the
/// memory of one of them is kEverything. kShared is imported and exported memory, which may be one and the same.
struct MemoryRange {
    static constexpr uint64_t kEverything = 0;
    static constexpr uint64_t kShared = 1;
    uint64_t memory = kEverything;
    uint64_t begin = 0;
    uint64_t end = ~uint64_t{0};

    bool Overlaps(const MemoryRange& other) const {
        if (memory == other.memory) return memory <= kShared || (begin < other.end && other.begin < end);
        return memory == kEverything || other.memory == kEverything;
    }
    bool Contains(const MemoryRange& other) const {
        return memory == other.memory && memory > kShared && begin <= other.begin && other.end <= end;
    }
    bool operator==(const MemoryRange&) const = default;
};

struct Access {
    MemoryRange where;
    Kinds kinds = 0;
};

/// An access of nobody knows what.
constexpr Access Everywhere(Kinds kinds) { return {MemoryRange{}, kinds}; }

/// One barrier command: all its entries, with the union of their masks.
struct BarrierStep {
    Masks masks;
    bool uncertain = false;    ///< hard, and its entries' masks differ: it counts as ordering nothing
    bool seam = false;         ///< the layer's, between two recordings: see Join in emit.h
    bool global = false;       ///< it has a memory barrier, or an execution dependency alone: no ranges restrict it
    uint32_t first_range = 0;  ///< into Steps::ranges: its buffers and images
    uint32_t range_count = 0;
};

enum class StepKind : uint8_t {
    kAction,   ///< reads and writes: `first`, `count` of Steps::accesses
    kBarrier,  ///< may move back and merge: Steps::barriers[first]
    kHard,     ///< a barrier that stays where it is, layout transitions and the like: Steps::barriers[first]; what it
               ///< writes itself are the `count` accesses from Steps::accesses[first_access]
    kFence,    ///< events, timestamps: no barrier moves past it, and what was ordered before it counts no more
    kOpaque,   ///< anything: reads and writes everything, no barrier moves past it
};

struct Step {
    StepKind kind = StepKind::kOpaque;
    uint32_t first = 0;
    uint32_t count = 0;
    uint32_t first_access = 0;
};

/// The steps of one recording. Cleared and filled again without allocating.
struct Steps {
    std::vector<Step> steps;
    std::vector<Access> accesses;
    std::vector<BarrierStep> barriers;
    std::vector<MemoryRange> ranges;

    void Clear() {
        steps.clear();
        accesses.clear();
        barriers.clear();
        ranges.clear();
    }
    std::span<const Access> AccessesOf(const Step& step) const {
        const uint32_t first = step.kind == StepKind::kHard ? step.first_access : step.first;
        return std::span(accesses).subspan(first, step.count);
    }
    std::span<const MemoryRange> RangesOf(const BarrierStep& barrier) const {
        return std::span(ranges).subspan(barrier.first_range, barrier.range_count);
    }
};

}  // namespace kronos
