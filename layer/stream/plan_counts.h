// SPDX-License-Identifier: Apache-2.0
// What became of the barriers of a recording, or of several that were joined: for the statistics, and for who asks
// whether it pays. Any thread, with a plan that nobody changes meanwhile.
#pragma once

#include "stats/counters.h"
#include "stream/barrier_pass.h"
#include "stream/worth.h"

namespace kronos {

/// Adds what the plan says of `steps`, for which it was made, and whose barriers it kept for what.
void CountPlan(const BarrierPlan& plan, const Steps& steps, Counters& counters);
/// What the driver does not get of the barriers. Sets all of `work` but its commands.
void WorkOf(const BarrierPlan& plan, const Steps& steps, HeldWork& work);

}  // namespace kronos
