// SPDX-License-Identifier: Apache-2.0
// A writing: one way of programming Vulkan to execute a workload. All writings of a workload give the same results.
// Made for one workload, which it refers to and which outlives it; one thread.
#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "counts.h"
#include "workload.h"

namespace kronos::workloads {

class Context;

/// What one run of a workload gave and how long its parts took.
struct RunResult {
    std::vector<Words> results;  ///< the buffers with read_back, in order
    std::chrono::nanoseconds total{};
    std::chrono::nanoseconds upload{};      ///< buffers made and filled
    std::chrono::nanoseconds dispatches{};  ///< first to last, waits included
    std::chrono::nanoseconds download{};    ///< results read back
};

/// What is broken on purpose, so that tests can see whether anyone notices.
enum class Fault {
    None,
    WrongResult,     ///< one word of the first input differs from the one that the check knows
    MissingBarrier,  ///< one barrier that the results need is left out
    ExtraDispatch,   ///< one dispatch more a run, of no work groups: results stay right, counts do not
};

struct Job {
    const Context& context;
    const Workload& workload;
    Fault fault = Fault::None;
};

class Writing {
  public:
    virtual ~Writing() = default;
    /// Runs the whole workload once, from its first contents. Throws WorkloadError when a Vulkan call fails.
    virtual RunResult Run() = 0;
    /// What each Run() calls, and what construction and destruction call together; the same for every run, and
    /// without any fault.
    virtual Counts PerRun() const = 0;
    virtual Counts Once() const = 0;
    /// Counters of which these say nothing, since a library that the writing uses decides on them.
    virtual std::vector<std::string_view> Unsaid() const { return {}; }
};

/// Vulkan as tutorials write it, or as one who knows the hardware does; of a workload that isolates a mechanism: with
/// the mechanism and without it. No expert writing where the kind has none (WorkloadKind::expert).
std::unique_ptr<Writing> MakeWriting(const WorkloadKind& kind, bool expert, const Job& job);

/// The index of the buffer that Fault::WrongResult changes, and its contents.
size_t FaultyBuffer(const Workload& workload);
Words Corrupted(Words words);

}  // namespace kronos::workloads
