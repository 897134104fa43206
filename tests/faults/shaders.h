// SPDX-License-Identifier: Apache-2.0
// The shaders of kronos-workloads and kronos_random_program, computed on the CPU for the mock driver, which computes
// nothing: with them a program's own checks of its results hold. Any thread may call.
#pragma once

#include "mock_control.h"

namespace faults {

/// A pipeline was made of these words. Shaders that are not among them compute nothing.
void NotePipeline(VkPipeline pipeline, const uint32_t* code, uint64_t words,
                  const VkSpecializationInfo* specialization);

/// As the queue's thread runs it.
void Compute(const mock::Driver& mock, const MockDispatch& dispatch);

}  // namespace faults
