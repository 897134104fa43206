// SPDX-License-Identifier: Apache-2.0
// Which barriers the data of a workload needs. Pure functions, any thread.
#pragma once

#include <vector>

#include "workload.h"

namespace kronos::workloads {

/// For each dispatch, whether a barrier must come between it and those before it: it uses a buffer that was written, or
/// writes one that was used, since the last barrier. With a global barrier in each of these places, and in no others,
/// the results are those of one dispatch after another.
std::vector<bool> NeededBarriers(const Workload& workload);

}  // namespace kronos::workloads
