// SPDX-License-Identifier: Apache-2.0
// What the workloads program says: which workloads there are, what a run of one took, and what the spy and the layer
// say of that run. Pure functions of text.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bench_numbers.h"

namespace kronos::command {

struct WorkloadEntry {
    std::string name;
    std::string description;
    bool expert = false;  ///< has an expert writing
    std::string missing;  ///< why this build lacks it
};

/// The answer to --list --json -; nothing when it is not understood.
std::optional<std::vector<WorkloadEntry>> ReadWorkloadList(const std::string& json);

/// The device as the program tells of it.
struct BenchDevice {
    std::string name;
    std::string type;
    std::string driver;
    std::string api;
    bool operator==(const BenchDevice&) const = default;
};

/// "NVIDIA H200 (discrete GPU), driver NVIDIA 580.159, Vulkan 1.4.312".
std::string DeviceText(const BenchDevice& device);

struct WorkloadRun {
    bool verified = false;
    std::string difference;   ///< what is wrong, where the program says it
    std::string skipped;      ///< why it does not run on this device; all else is empty then
    std::vector<double> ns;   ///< a timed repeat each
    uint64_t runs = 0;        ///< executions in the process
    uint64_t dispatches = 0;  ///< vkCmdDispatch calls of one
    std::optional<Counts> expected;
    Counts expected_setup;
    BenchDevice device;
};

/// The run of the one workload and writing that was asked for. `error` is one line: what of the JSON is not as it must
/// be.
struct ReadRun {
    std::optional<WorkloadRun> run;
    std::string error;
};
/// Unless `checked`, results and times are not looked at.
ReadRun ReadWorkloadRun(const std::string& json, const std::string& name, const std::string& writing, bool checked);

/// The spy's counters; nothing when the text is not its report.
std::optional<Counts> ReadSpyCounters(const std::string& json);

/// What the layer wrote on standard error at log level info.
struct LayerSaid {
    bool active = false;  ///< a device was made with it
    std::string version;
    std::vector<std::pair<std::string, std::string>> settings;  ///< in effect: key, value with where it is from
};
LayerSaid ReadLayerLog(const std::string& errors);

}  // namespace kronos::command
