// SPDX-License-Identifier: Apache-2.0
// Random recordings for the barrier pass, the same for the same seed, and smaller ones that fail as they do. Pure; any
// thread.
#pragma once

#include <cstdint>
#include <functional>

#include "stream/steps.h"

namespace kronos::oracle {

/// Fills `steps` with a recording of 5 to 40 steps, now and then of more.
void Generate(uint64_t seed, Steps& steps);

/// The steps for which `keep` is true, with copies of all that they refer to.
Steps Select(const Steps& steps, const std::function<bool(size_t)>& keep);

/// The fewest steps, accesses and ranges found for which `fails` is still true; it is true for `steps`.
Steps Shrink(const Steps& steps, const std::function<bool(const Steps&)>& fails);

}  // namespace kronos::oracle
