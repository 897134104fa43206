// SPDX-License-Identifier: Apache-2.0
// A program around the library VkFFT, of a build that has it. One thread.
#pragma once

#include "writing.h"

namespace kronos::workloads {

/// Naive: a command buffer, a submit and a fence for upload, each transform and download, waited for one by one.
/// Expert: one of each for all of them, and Completion's spinning wait.
std::unique_ptr<Writing> MakeFftWriting(const Job& job, bool expert);

}  // namespace kronos::workloads
