// SPDX-License-Identifier: Apache-2.0
// The command line of kronos-workloads, parsed. Plain data, main only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "workload.h"
#include "writing.h"

namespace kronos::workloads {

struct Options {
    bool list = false;
    bool quick = false;
    std::vector<const WorkloadKind*> kinds;  ///< what to run, in the order of kWorkloads
    uint64_t bytes = 0;
    uint32_t rounds = 0;
    uint32_t repeat = 0;  ///< timed runs, at least
    double seconds = 0;   ///< more of them until they have taken so long
    std::string device;
    std::string json_file;
    std::string against_layer;  ///< pairs of runs, without it and with it
    bool naive = true;          ///< which writings
    bool expert = false;
    bool verify = true;
    Fault fault = Fault::None;
};

/// "65536", "64K", "8M", "1G" (powers of 1024) as bytes; nothing when it is not that.
std::optional<uint64_t> ParseSize(const std::string& text);

/// 65536 -> "64K"
std::string SizeText(uint64_t bytes);

/// The options, or the status to end with (0 after --help, 2 after a bad command line; a line has been printed).
std::optional<Options> ParseOptions(int argc, const char* const* argv, int& status);

}  // namespace kronos::workloads
