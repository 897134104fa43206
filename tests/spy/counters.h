// SPDX-License-Identifier: Apache-2.0
// What the spy counts, for the whole process, and the JSON file it writes.
// Owned by nobody: one static table. Any thread may count at any time (relaxed atomics); WriteReport locks its own
// mutex.
#pragma once

#include <cstdint>

namespace spy {

// clang-format off
#define SPY_COUNTERS(X) \
    X(dispatches) X(barrier_calls) X(barriers) X(event_commands) X(transfers) \
    X(pipeline_binds) X(set_binds) X(pushes) X(push_descriptors) X(redundant_binds) X(redundant_pushes) \
    X(secondaries) X(recordings) \
    X(descriptor_updates) X(descriptor_writes) X(sets_allocated) X(pool_resets) \
    X(submits) X(submit_infos) X(command_buffers) X(semaphore_waits) X(semaphore_signals) X(dispatches_submitted) \
    X(sparse_binds) X(presents) X(waits) X(polls) X(fences_created) X(fences_destroyed) X(fence_resets) \
    X(allocations) X(allocated_bytes) X(frees) X(freed_bytes) X(maps) X(unmaps) X(flushes) X(invalidates)
// clang-format on

enum class Counter : uint32_t {
#define X(name) name,
    SPY_COUNTERS(X)
#undef X
        Count
};

// Every command of the registry that can be counted, by its exact name.
enum class Id : uint32_t {
#define SPY_COMMAND(name, canonical, level) name,
#include "commands.inc"
#undef SPY_COMMAND
    // Thunks written by hand.
    vkCreateInstance,
    vkDestroyInstance,
    vkCreateDevice,
    vkDestroyDevice,
    vkGetDeviceProcAddr,
    vkEnumerateDeviceExtensionProperties,
    Count
};

void Add(Counter counter, uint64_t amount = 1);
void CountCall(Id id);
// A memory whose handle a layer made up: no counter, for no other layer counts it.
void AddTaggedMemory();
// What a test wants to be counted and not passed on: what it is for must break then.
enum class Dropped : uint8_t { Nothing, Barriers, Updates };
Dropped Drops();
// Adds a device's command to the report's "order": equal for two runs that made the same calls in the same order.
// Between threads the order is what it happens to be.
void NoteOrder(Id id);
const char* NameOf(Id id);

// Writes everything counted so far to the file named by the environment; does nothing when none is named.
void WriteReport();

}  // namespace spy
