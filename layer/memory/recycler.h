// SPDX-License-Identifier: Apache-2.0
// What the layer knows of the program's memory, and the allocations that wait for their next life. No handle is
// replaced.
//
// Threads: any; no lock is held across a driver call, but for the janitor's, which only vkDestroyDevice waits for.
#pragma once

#include <vulkan/vulkan.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <optional>

#include "kronos/settings.h"
#include "memory/eligibility.h"
#include "memory/idle_cache.h"
#include "memory/mapped_range.h"
#include "support/cost_probe.h"

namespace kronos {

struct VirtualMemory;

/// A driver allocation, through all its lives in the program. `key` and `heap` hold only when `keyed`.
struct MemoryState : IdleNode {
    explicit MemoryState(VkDeviceMemory memory) : handle(memory) {}

    const VkDeviceMemory handle;
    uint64_t program_bytes = 0;  ///< what the program asked for in this life; `bytes` is what the driver made
    uint64_t rounding = 0;  ///< bytes that the driver made more than were asked for when it did, reserved in the heap
    bool keyed = false;     ///< it may have another life
    bool timed = false;     ///< making it was measured, so freeing it may be
    std::optional<MemoryKey> foreseen;        ///< where it could have another life, were recycling on
    VirtualMemory* foreseen_place = nullptr;  ///< where it would lie, were slabs on
    // Set by hooks that Vulkan does not synchronize with each other.
    std::atomic<bool> mapped{false};
    std::atomic<bool> sparse{false};  ///< bound sparsely: the driver's page tables may still name it when it is freed
    std::atomic<bool> marked{false};  ///< carries private data or a debug tag
    std::atomic<bool> named{false};   ///< carries a debug name

    MemorySize size() const { return {program_bytes, bytes}; }
};

/// One a device that recycles.
class MemoryRecycler {
  public:
    MemoryRecycler(const MemoryFacts& given, uint32_t max_count, ZeroMemory zeroing, uint64_t age_ns)
        : facts(given),
          max_allocations(max_count),
          zero(zeroing),
          max_age_ns(age_ns),
          cache(facts.idle_budgets, IdleBlockLimit(max_count)) {}

    /// What the driver's two calls take together from which on recycling pays: it costs some hundred nanoseconds
    /// itself.
    static constexpr uint64_t kDearNs = 10'000;

    const MemoryFacts facts;
    const uint64_t max_allocations;  ///< VkPhysicalDeviceLimits::maxMemoryAllocationCount
    const ZeroMemory zero;
    const uint64_t max_age_ns;  ///< idle for longer, it goes back to the driver
    CostProbe probe{kDearNs};
    IdleCache cache;
    std::atomic<uint64_t> allocations{0};  ///< that the driver has, idle ones included
    std::atomic<bool> ended{false};        ///< no allocation has another life any more

    /// Rounding up to size classes is lost to the program as long as its allocation lives. At most a 64th of a heap,
    /// and 64 MiB, may be lost so; then allocations are made as large as they were asked for.
    bool ReserveRounding(uint32_t heap, uint64_t bytes) {
        const uint64_t most = std::min(facts.properties.memoryHeaps[heap].size / 64, kLargestRecycledBytes);
        uint64_t lost = rounding_[heap].load(std::memory_order_relaxed);
        do {
            if (lost + bytes > most) return false;
        } while (!rounding_[heap].compare_exchange_weak(lost, lost + bytes, std::memory_order_relaxed));
        return true;
    }
    void ReturnRounding(uint32_t heap, uint64_t bytes) { rounding_[heap].fetch_sub(bytes, std::memory_order_relaxed); }

    VkMemoryPropertyFlags FlagsOf(uint32_t type) const { return facts.properties.memoryTypes[type].propertyFlags; }
    bool Dear() const { return probe.verdict() == CostProbe::Verdict::kDear; }
    /// The driver is fast: allocations are not even looked at.
    bool Cheap() const { return probe.verdict() == CostProbe::Verdict::kCheap; }
    bool AnyIdle() const {
        for (uint32_t heap = 0; heap < facts.properties.memoryHeapCount; ++heap)
            if (cache.IdleBlocks(heap)) return true;
        return false;
    }

  private:
    std::array<std::atomic<uint64_t>, VK_MAX_MEMORY_HEAPS> rounding_{};
};

}  // namespace kronos
