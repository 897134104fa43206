// SPDX-License-Identifier: Apache-2.0
// The runs of kronos bench: each group of subjects counted once, then timed round by round, all subjects in turn.
// One thread; it waits for one child at a time, so that nothing but that child runs.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "bench_child.h"
#include "bench_numbers.h"
#include "bench_setup.h"
#include "bench_workloads.h"

namespace kronos::command {

/// One writing in one configuration.
struct Subject {
    std::string writing;
    const Configuration* configuration = nullptr;
    Rounds rounds;                 ///< nanoseconds: of each repeat, or medians of stretches of many
    std::optional<Counts> counts;  ///< by the spy, of the whole process of counted_runs runs
    uint64_t counted_runs = 0;
    uint64_t dispatches = 0;  ///< vkCmdDispatch calls of one run
    bool counts_checked = false;
};

enum class GroupState { kNotRun, kMeasured, kPartly, kSkipped, kWrong, kMiscounted, kFailed };

/// One workload at one size and number of dispatches: what is compared with each other.
struct Group {
    std::string workload;
    std::string size;
    uint32_t dispatches = 0;  ///< as asked for; what one run calls is in its subjects
    std::vector<Subject> subjects;
    GroupState state = GroupState::kNotRun;
    std::vector<std::string> notes;  ///< what went wrong, or why it was skipped; a line each

    bool bad() const {
        return state == GroupState::kWrong || state == GroupState::kMiscounted || state == GroupState::kFailed;
    }
    const Subject* Find(const std::string& writing, const Configuration& configuration) const;
    /// Of a subject, and the same writing without the layer: off / this, above 1 where the layer is faster.
    std::optional<Ratio> OffRatio(const Subject& subject) const;
};

struct BenchPlan {
    std::string program;
    std::string device;  ///< passed on, or ""
    std::vector<Group> groups;
    uint32_t rounds = 0;  ///< at most; 0: nothing is timed, only counted, and results are not verified
    /// A group's rounds also end when its ratios are resolved, or when they have taken so long for each of its
    /// subjects. Nothing: they do not.
    std::optional<double> seconds_per_row;
    uint32_t repeat = 0;
    double turn_seconds = 0;  ///< more repeats in a turn, until they have taken so long
    std::chrono::seconds limit{};
    BenchPlaces places;
    /// Of each configuration: environment of a timed run, and of a counted one.
    std::map<const Configuration*, std::pair<Environment, Environment>> environments;
};

/// What the runs said besides their times.
struct BenchSaid {
    std::optional<BenchDevice> device;  ///< the one that all ran on
    std::map<const Configuration*, LayerSaid> layer;
    bool interrupted = false;
};

/// Called before each child: which group, which subject, and "counted" or "round 2 of 7" or "round 2".
using OnStep = std::function<void(size_t group, const Subject& subject, const std::string& step)>;

/// How many children a plan runs; 0 when that depends on what they measure.
size_t ChildrenOf(const BenchPlan& plan);

BenchSaid RunPlan(BenchPlan& plan, Interrupts& interrupts, const OnStep& on_step);

}  // namespace kronos::command
