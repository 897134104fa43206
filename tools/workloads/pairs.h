// SPDX-License-Identifier: Apache-2.0
// Rows of runs of a workload without a layer, with it, and without once more, in turn in one process: what differs from
// process to process, and from second to second, is the same for all of them. Main only.
#pragma once

#include "options.h"

namespace kronos::workloads {

/// Measures options.kinds in turns for options.seconds each, at least options.repeat turns; prints a table, and writes
/// options.json_file, if any. Returns the status to end with: 1 when a result is wrong.
int RunPairs(const Options& options);

}  // namespace kronos::workloads
