// SPDX-License-Identifier: Apache-2.0
// What was measured of each workload, as a table for people and as JSON for machines. Plain data, main only.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "context.h"
#include "workload.h"
#include "writing.h"

namespace kronos::workloads {

struct Measurement {
    std::string workload;
    uint64_t bytes = 0;
    uint32_t rounds = 0;
    size_t dispatches = 0;             ///< of one run
    std::vector<RunResult> runs;       ///< the timed ones; their results are dropped
    std::optional<std::string> wrong;  ///< the first difference
};

void PrintHeader(const Context& context);
void PrintRow(const Measurement& measurement);
/// Throws WorkloadError when the file cannot be written.
void WriteJson(const std::string& file, const Context& context, const std::vector<Measurement>& measurements);

}  // namespace kronos::workloads
