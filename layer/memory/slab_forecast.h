// SPDX-License-Identifier: Apache-2.0
// What slabs would gain, counted where they are off: those of a driver that makes as many as it is asked for. Any
// thread; as SlabMemory, which it asks.
#pragma once

#include <vulkan/vulkan_core.h>

#include <memory>

#include "memory/slab_choice.h"
#include "memory/slabs.h"

namespace kronos {

class SlabForecast {
  public:
    explicit SlabForecast(const SlabFacts& facts);
    ~SlabForecast();

    /// Where an allocation of the program would lie. `room`: in a slab that was there already; of several threads at
    /// once each may be told of the others' slab.
    struct Foreseen {
        VirtualMemory* place = nullptr;  ///< nullptr: it would be the driver's
        bool room = false;
    };
    /// `facts.when_dear` is not looked at: what would be gained is asked of all drivers. Throws std::bad_alloc.
    Foreseen Allocate(const VkMemoryAllocateInfo& info, bool has_allocator);
    void Free(VirtualMemory& place) noexcept;

  private:
    class Driver;
    const SlabFacts facts_;
    const std::unique_ptr<Driver> driver_;
    SlabMemory memory_;
};

}  // namespace kronos
