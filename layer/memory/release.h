// SPDX-License-Identifier: Apache-2.0
// Giving driver allocations back. Any thread; locks the device's table of allocations, and nothing during the driver
// call.
#pragma once

#include <optional>

#include "entry/state.h"

namespace kronos {

/// The driver frees it, and it is forgotten. `state` belongs to the caller, and is gone afterwards.
inline void Release(const Device& device, HandleMap<VkDeviceMemory, MemoryState*>& memories, MemoryState* state) {
    const VkDeviceMemory memory = state->handle;
    device.Count(Side::kDriver, Counter::kFrees);
    device.Count(Side::kDriver, Counter::kFreedBytes, state->bytes);
    // First: once freed in the driver, the handle may be another thread's new allocation.
    memories.Erase(memory);
    delete state;
    device.down.FreeMemory(device.handle, memory, nullptr);
}

/// All of a chain that left the cache, each counted as `why`.
inline void Release(Device& device, IdleChain& chain, std::optional<Counter> why) {
    while (IdleNode* node = chain.Pop()) {
        if (why) device.Decided(*why);
        Release(device, device.memories, static_cast<MemoryState*>(node));
    }
}

}  // namespace kronos
