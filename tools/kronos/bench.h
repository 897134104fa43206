// SPDX-License-Identifier: Apache-2.0
// kronos bench: the workloads with the layer and without it, in turn. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bench_runs.h"

namespace kronos::command {

struct BenchRequest {
    bool list = false;
    bool quick = false;
    bool counts = false;  ///< nothing is timed
    std::vector<std::string> only;
    std::vector<std::string> configurations;
    std::vector<std::string> sizes;
    std::vector<uint32_t> dispatches;
    std::optional<uint32_t> rounds;
    std::optional<uint32_t> repeat;
    std::optional<double> seconds_per_row;
    std::optional<uint32_t> limit_s;
    std::string writing;  ///< naive, expert, both or "": both, and with quick naive
    std::string driver;   ///< a manifest, or ""
    std::string device;   ///< for the workloads program, or ""
    std::string program;  ///< or "": kronos-workloads beside kronos
    std::string json;     ///< a file, "-", or ""
};

/// What is to be run, from what was asked for and what the program has. The naive writing's groups also hold the expert
/// writing without the layer, to be compared with.
struct PlannedGroups {
    std::vector<Group> groups;
    std::optional<std::string> error;
};
PlannedGroups PlanGroups(const BenchRequest& request, const std::vector<WorkloadEntry>& workloads,
                         const std::vector<const Configuration*>& configurations);

/// The sub-command: 0; 1 when a result or a count is wrong or a run failed; 2 for a wrong request; 130 when
/// interrupted. `arguments` are those of kronos, for the report.
int Bench(const BenchRequest& request, const std::vector<std::string>& arguments);

}  // namespace kronos::command
