// SPDX-License-Identifier: Apache-2.0
// A writing: one way of programming Vulkan to execute any workload. All writings give the same results.
// Made for one workload, which it refers to and which outlives it; one thread.
#pragma once

#include <chrono>
#include <vector>

#include "workload.h"

namespace kronos::workloads {

/// What one run of a workload gave and how long its parts took.
struct RunResult {
    std::vector<Words> results;  ///< the buffers with read_back, in order
    std::chrono::nanoseconds total{};
    std::chrono::nanoseconds upload{};      ///< buffers made and filled
    std::chrono::nanoseconds dispatches{};  ///< first to last, waits included
    std::chrono::nanoseconds download{};    ///< results read back
};

class Writing {
  public:
    virtual ~Writing() = default;
    /// Runs the whole workload once, from its first contents. Throws WorkloadError when a Vulkan call fails.
    virtual RunResult Run() = 0;
};

}  // namespace kronos::workloads
