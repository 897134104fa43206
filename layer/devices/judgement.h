// SPDX-License-Identifier: Apache-2.0
// What was measured of a driver, remembered for the process: the next device of the same driver need not measure again.
// Any thread; takes a lock, so not for the steady state.
#pragma once

#include <string>
#include <string_view>

#include "support/cost_probe.h"
#include "support/log.h"

namespace kronos {

/// What is measured: the setting's name and the calls, for the log.
struct CostKind {
    std::string_view setting;
    std::string_view make;
    std::string_view drop;
};
inline constexpr CostKind kFenceCost{"recycle_fences", "vkCreateFence", "vkDestroyFence"};
inline constexpr CostKind kMemoryCost{"recycle_memory", "vkAllocateMemory", "vkFreeMemory"};

/// `driver`: tells drivers and their versions apart. The probe has just found its verdict: says so and remembers it.
void RememberVerdict(const Log& log, const std::string& driver, const CostKind& kind, const CostProbe& probe);

/// Gives a new device's probe the verdict that is remembered, if any, and says so.
void RecallVerdict(const Log& log, const std::string& driver, const CostKind& kind, CostProbe& probe);

}  // namespace kronos
