// SPDX-License-Identifier: Apache-2.0
// What kronos bench found, as tables for people and as JSON for machines. Pure functions.
#pragma once

#include <string>

#include "bench_runs.h"

namespace kronos::command {

/// Where and how it was measured.
struct BenchHeader {
    std::string date;
    std::string command;
    std::string machine;  ///< processor, cores, kernel
    std::string loader;
    std::string layer;  ///< the manifest
};

std::string FormatBench(const BenchHeader& header, const BenchPlan& plan, const BenchSaid& said);
std::string FormatBenchJson(const BenchHeader& header, const BenchPlan& plan, const BenchSaid& said);

/// "1.234 us (1.200..1.300)": the median with four digits and its unit, the quartiles in the same.
std::string TimeText(const Spread& ns);

/// Columns as wide as their widest cell; the first `left` are aligned to the left.
std::string FormatTable(const std::vector<std::vector<std::string>>& rows, size_t left);

}  // namespace kronos::command
