// SPDX-License-Identifier: Apache-2.0
// What a program counts of its own calls: an independent third source beside the layer and the spy.
// Each worker owns one and only its thread writes it; they are added up when all threads have ended.
#pragma once

#include <cstdint>

namespace random_program {

// clang-format off
#define RANDOM_PROGRAM_COUNTERS(X) \
    X(dispatches) X(barrier_calls) X(barriers) X(event_commands) X(transfers) \
    X(pipeline_binds) X(set_binds) X(pushes) X(push_descriptors) X(secondaries) X(recordings) \
    X(descriptor_updates) X(descriptor_writes) X(sets_allocated) X(pool_resets) \
    X(submits) X(submit_infos) X(command_buffers) X(semaphore_waits) X(semaphore_signals) X(dispatches_submitted) \
    X(sparse_binds) X(presents) X(waits) X(polls) X(fences_created) X(fences_destroyed) X(fence_resets) \
    X(allocations) X(allocated_bytes) X(frees) X(freed_bytes) X(maps) X(unmaps) X(flushes) X(invalidates)
// clang-format on

struct Counts {
#define X(name) uint64_t name = 0;
    RANDOM_PROGRAM_COUNTERS(X)
#undef X

    void Add(const Counts& other) {
#define X(name) name += other.name;
        RANDOM_PROGRAM_COUNTERS(X)
#undef X
    }

    // Calls visit(name, value) for every counter.
    template <typename Visit>
    void ForEach(Visit visit) const {
#define X(name) visit(#name, name);
        RANDOM_PROGRAM_COUNTERS(X)
#undef X
    }
};

}  // namespace random_program
