// SPDX-License-Identifier: Apache-2.0
// Giving driver allocations back. Any thread; locks the device's table of allocations, and nothing during the driver
// call.
#pragma once

#include <optional>

#include "entry/state.h"

namespace kronos {

/// Forgets a driver allocation that is about to be freed; `state` is gone afterwards. Before the driver's call: once
/// freed there, the handle may be another thread's new allocation.
inline void Forget(Device& device, MemoryState* state) {
    device.Count(Side::kDriver, Counter::kFrees);
    device.Count(Side::kDriver, Counter::kFreedBytes, state->bytes);
    if (device.slabs) device.slabs->allocations.fetch_sub(1, std::memory_order_relaxed);
    if (device.recycler) {
        device.recycler->allocations.fetch_sub(1, std::memory_order_relaxed);
        if (state->rounding) device.recycler->ReturnRounding(state->heap, state->rounding);
    }
    if (device.resources) device.resources->RemoveMemory(state->handle);
    device.memories.Erase(state->handle);
    delete state;
}

/// The driver frees it, and it is forgotten. `state` belongs to the caller, and is gone afterwards.
inline void Release(Device& device, MemoryState* state) {
    const VkDeviceMemory memory = state->handle;
    Forget(device, state);
    device.down.FreeMemory(device.handle, memory, nullptr);
    if (device.slabs) device.slabs->DriverFreed();
}

/// All of a chain that left the cache, each counted as `why`.
inline void Release(Device& device, IdleChain& chain, std::optional<Counter> why) {
    while (IdleNode* node = chain.Pop()) {
        if (why) device.Decided(*why);
        Release(device, static_cast<MemoryState*>(node));
        device.recycler->cache.departures.Freed();
    }
}

}  // namespace kronos
