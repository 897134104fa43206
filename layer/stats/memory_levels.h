// SPDX-License-Identifier: Apache-2.0
// How much memory of a device the layer keeps, and of what it serves the program with how much is in use. Plain data;
// who has it, says who may read it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace kronos {

/// Of one heap.
struct HeapLevels {
    uint32_t heap = 0;
    uint64_t idle = 0;             ///< freed allocations that wait for their next life
    uint64_t idle_bytes = 0;       ///< of them
    uint64_t slabs = 0;            ///< allocations of which the program has parts
    uint64_t slab_bytes = 0;       ///< of them
    uint64_t slab_live_bytes = 0;  ///< what the program asked for of these
    uint64_t slab_idle_bytes = 0;  ///< in slabs of which it has no part

    bool operator==(const HeapLevels&) const = default;
    bool Any() const { return idle || slabs; }
    /// Of each number the higher one.
    void Raise(const HeapLevels& to) {
        idle = std::max(idle, to.idle);
        idle_bytes = std::max(idle_bytes, to.idle_bytes);
        slabs = std::max(slabs, to.slabs);
        slab_bytes = std::max(slab_bytes, to.slab_bytes);
        slab_live_bytes = std::max(slab_live_bytes, to.slab_live_bytes);
        slab_idle_bytes = std::max(slab_idle_bytes, to.slab_idle_bytes);
    }
};

/// Of the heaps that have any, by number.
using MemoryLevels = std::vector<HeapLevels>;

/// Who knows them. Any thread; may take locks of what it knows them from.
class LevelSource {
  public:
    virtual MemoryLevels Levels() const = 0;
    virtual ~LevelSource() = default;
};

}  // namespace kronos
