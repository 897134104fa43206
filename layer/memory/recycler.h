// SPDX-License-Identifier: Apache-2.0
// What the layer knows of the program's memory, and the allocations that wait for their next life. No handle is
// replaced.
//
// Threads: any; no lock is held across a driver call, but for the janitor's, which only vkDestroyDevice waits for.
#pragma once

#include <vulkan/vulkan.h>

#include <atomic>
#include <cstdint>

#include "kronos/settings.h"
#include "memory/eligibility.h"
#include "memory/idle_cache.h"
#include "memory/mapped_range.h"
#include "support/cost_probe.h"

namespace kronos {

/// A driver allocation, through all its lives in the program. `key` and `heap` hold only when `keyed`.
struct MemoryState : IdleNode {
    explicit MemoryState(VkDeviceMemory memory) : handle(memory) {}

    const VkDeviceMemory handle;
    uint64_t program_bytes = 0;  ///< what the program asked for in this life; `bytes` is what the driver made
    bool keyed = false;          ///< it may have another life
    // Set by hooks that Vulkan does not synchronize with each other.
    std::atomic<bool> mapped{false};
    std::atomic<bool> sparse{false};  ///< bound sparsely: the driver's page tables may still name it when it is freed
    std::atomic<bool> marked{false};  ///< carries private data or a debug tag
    std::atomic<bool> named{false};   ///< carries a debug name

    MemorySize size() const { return {program_bytes, bytes}; }
};

/// One a device that recycles.
struct MemoryRecycler {
    MemoryRecycler(const MemoryFacts& given, uint32_t max_blocks, ZeroMemory zeroing, uint64_t age_ns)
        : facts(given), zero(zeroing), max_age_ns(age_ns), cache(facts.idle_budgets, max_blocks) {}

    /// What the driver's two calls take together from which on recycling pays: it costs some hundred nanoseconds
    /// itself.
    static constexpr uint64_t kDearNs = 10'000;

    const MemoryFacts facts;
    const ZeroMemory zero;
    const uint64_t max_age_ns;  ///< idle for longer, it goes back to the driver
    CostProbe probe{kDearNs};
    IdleCache cache;

    VkMemoryPropertyFlags FlagsOf(uint32_t type) const { return facts.properties.memoryTypes[type].propertyFlags; }
    bool Dear() const { return probe.verdict() == CostProbe::Verdict::kDear; }
    /// The driver is fast: allocations are not even looked at.
    bool Cheap() const { return probe.verdict() == CostProbe::Verdict::kCheap; }
    bool AnyIdle() const {
        for (uint32_t heap = 0; heap < facts.properties.memoryHeapCount; ++heap)
            if (cache.IdleBlocks(heap)) return true;
        return false;
    }
};

}  // namespace kronos
