// SPDX-License-Identifier: Apache-2.0
// What was measured of each workload, as a table for people and as JSON for machines. Plain data, main only.
#pragma once

#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "context.h"
#include "options.h"
#include "workload.h"
#include "writing.h"

namespace kronos::workloads {

struct Measurement {
    std::string workload;
    bool expert = false;
    uint64_t bytes = 0;
    uint32_t rounds = 0;
    std::vector<RunResult> runs;       ///< the timed ones; their results are dropped
    uint64_t executed = 0;             ///< runs, with the one that is not timed
    bool verified = false;             ///< results were checked, and right unless `wrong` says otherwise
    std::optional<std::string> wrong;  ///< the first difference
    std::string skipped;               ///< why it was not run at all; empty when it was
    Counts per_run;                    ///< what the source says
    Counts once;
    std::vector<std::string_view> unsaid;  ///< counters of which the source says nothing
};

/// Rows of runs without a layer, with it, and without once more, in turn.
struct PairsRow {
    std::string workload;
    bool expert = false;
    struct Ratio {  ///< of the fastest in the two rows of each turn: medians of several sets of devices
        double median = 0;
        double low = 0, high = 0;  ///< of those of the sets
    };
    double alone_ns = 0;  ///< medians of all runs but the first of each row
    double with_ns = 0;
    Ratio with;                        ///< alone / with
    Ratio control;                     ///< alone / alone again, on a device of its own
    size_t turns = 0;                  ///< of all sets
    std::optional<std::string> wrong;  ///< the first difference
};

/// What there is to run, as lines for people or, with a file, as JSON.
void PrintList();
void WriteList(const std::string& file);
void PrintHeader(const Context& context);
void PrintPairsHeader(const Context& context, const Options& options);
void PrintPairsRow(const PairsRow& row);
void WritePairs(const Options& options, const Context& context, const std::vector<PairsRow>& rows);
void PrintRow(const Measurement& measurement);
/// Throws WorkloadError when the file cannot be written.
void WriteJson(const std::string& file, const Context& context, const std::vector<Measurement>& measurements);

}  // namespace kronos::workloads
