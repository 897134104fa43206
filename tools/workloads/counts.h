// SPDX-License-Identifier: Apache-2.0
// How often a program does what can be counted below it: what its source says, not what was measured. Plain values.
#pragma once

#include <cstdint>

namespace kronos::workloads {

// Named as in layer/stats/counters.def. Left out is what no source can say: polls, nanoseconds, bytes after alignment.
// clang-format off
#define KRONOS_WORKLOAD_COUNTERS(X) \
    X(dispatches) X(barriers) X(barrier_calls) X(transfers) X(pipeline_binds) X(set_binds) X(pushes) X(recordings) \
    X(submits) X(submit_infos) X(command_buffers) X(dispatches_submitted) X(semaphore_waits) X(semaphore_signals) \
    X(waits) X(descriptor_updates) X(descriptor_writes) X(sets_allocated) X(pool_resets) \
    X(fences_created) X(fences_destroyed) X(fence_resets) X(allocations) X(frees) X(maps) X(unmaps)
// clang-format on

struct Counts {
#define X(name) uint64_t name = 0;
    KRONOS_WORKLOAD_COUNTERS(X)
#undef X

    Counts& operator+=(const Counts& other) {
#define X(name) name += other.name;
        KRONOS_WORKLOAD_COUNTERS(X)
#undef X
        return *this;
    }
    friend Counts operator+(Counts a, const Counts& b) { return a += b; }
    friend Counts operator*(uint64_t times, Counts counts) {
#define X(name) counts.name *= times;
        KRONOS_WORKLOAD_COUNTERS(X)
#undef X
        return counts;
    }
};

}  // namespace kronos::workloads
