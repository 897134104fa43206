// SPDX-License-Identifier: Apache-2.0
// Which pipeline layouts are compatible: numbers that are equal where the layouts are. Section "Pipeline Layout
// Compatibility".
//
// Threads: any, under LockRank::kResources; only where pipeline layouts are made.
#pragma once

#include <vulkan/vulkan_core.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "resources/facts.h"
#include "support/fork_mutex.h"

namespace kronos {

class LayoutCompatibility {
  public:
    /// More definitions than that are not remembered: a layout with another one is compatible with itself alone.
    static constexpr size_t kMost = 4096;

    /// Sets PipelineLayoutFacts::compatible and ::constants from its sets, ranges and `flags`. A set layout that is not
    /// known, or that cannot be compared, makes the layout compatible with itself alone from that set on. Throws
    /// std::bad_alloc.
    void Number(PipelineLayoutFacts& layout, VkPipelineLayoutCreateFlags flags);

  private:
    using Words = std::vector<uint64_t>;
    uint64_t NumberOf(Words definition);  // with the lock

    ForkMutex mutex_{LockRank::kResources};
    std::map<Words, uint64_t> numbers_;  // guarded by mutex_
};

}  // namespace kronos
