// SPDX-License-Identifier: Apache-2.0
// What recycling memory would gain, counted where it is off. Any thread, without locks.
#pragma once

#include <vulkan/vulkan_core.h>

#include <array>
#include <atomic>
#include <cstdint>

#include "memory/memory_key.h"
#include "memory/size_class.h"

namespace kronos {

/// How many freed allocations of each type and size class would be idle. What else is in a key, how much may be idle,
/// and what a device forbids, it does not ask: a program's allocations of one type and size are nearly always alike.
class RecycleForecast {
  public:
    /// `key`: of JudgeItself.
    void Freed(MemoryKey key) { IdleOf(key).fetch_add(1, std::memory_order_relaxed); }
    /// True: one that was freed would have served.
    bool Wanted(MemoryKey key) {
        std::atomic<uint32_t>& idle = IdleOf(key);
        uint32_t seen = idle.load(std::memory_order_relaxed);
        while (seen && !idle.compare_exchange_weak(seen, seen - 1, std::memory_order_relaxed)) {
        }
        return seen != 0;
    }

  private:
    std::atomic<uint32_t>& IdleOf(MemoryKey key) { return idle_[key.type][key.size_class]; }

    std::array<std::array<std::atomic<uint32_t>, kSizeClasses>, VK_MAX_MEMORY_TYPES> idle_{};
};

}  // namespace kronos
