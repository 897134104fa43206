// SPDX-License-Identifier: Apache-2.0
// The runs of kronos bench.
#include "bench_runs.h"

#include <algorithm>
#include <fstream>
#include <iterator>

namespace kronos::command {
namespace {

enum class Outcome { kOk, kSkipped, kWrong, kFailed, kInterrupted };

struct OneRun {
    Outcome outcome = Outcome::kFailed;
    WorkloadRun run;
    LayerSaid layer;
    std::string note;
};

std::string Who(const Group& group, const Subject& subject) {
    return group.workload + " (" + subject.writing + ", " + group.size + " x " + std::to_string(group.dispatches) +
           ", " + subject.configuration->name + ")";
}

// What is kept of a turn.
constexpr size_t kMostTimes = 25;

class Runs {
  public:
    Runs(BenchPlan& plan, Interrupts& interrupts, const OnStep& on_step)
        : plan_(plan), interrupts_(interrupts), on_step_(on_step) {}

    BenchSaid All() {
        for (size_t i = 0; i < plan_.groups.size() && !said_.interrupted; ++i) {
            Group& group = plan_.groups[i];
            if (!Count(i, group)) continue;
            group.state = GroupState::kPartly;
            if (Time(i, group)) group.state = GroupState::kMeasured;
        }
        return std::move(said_);
    }

  private:
    // Also fills what the first timed run would pay for: files that are not in memory yet, a driver's own caches.
    bool Count(size_t index, Group& group) {
        bool counted = true;
        for (Subject& subject : group.subjects) {
            on_step_(index, subject, "counted");
            std::error_code ignored;  // it need not be there
            std::filesystem::remove(SpyFile(plan_.places), ignored);
            OneRun one = Run(group, subject, true);
            if (!Accept(group, one)) return false;
            if (subject.configuration->layer) said_.layer[subject.configuration] = std::move(one.layer);
            subject.dispatches = one.run.dispatches;
            subject.counted_runs = one.run.runs;
            if (plan_.places.spy && !ReadCounts(group, subject, one.run)) counted = false;
        }
        return counted;
    }

    bool ReadCounts(Group& group, Subject& subject, const WorkloadRun& run) {
        std::ifstream file(SpyFile(plan_.places));
        subject.counts = ReadSpyCounters({std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()});
        if (!subject.counts) {
            Fail(group, GroupState::kFailed, Who(group, subject) + ": the spy wrote no counters");
            return false;
        }
        // What the layer makes of the calls is its own; what the program makes is in its source.
        if (subject.configuration->layer || !run.expected) return true;
        subject.counts_checked = true;
        const std::vector<std::string> lines = Miscounts(*subject.counts, run.expected_setup, *run.expected, run.runs);
        for (const std::string& line : lines)
            Fail(group, GroupState::kMiscounted, "MISCOUNT: " + Who(group, subject) + ": " + line);
        return lines.empty();
    }

    bool Time(size_t index, Group& group) {
        const auto start = std::chrono::steady_clock::now();
        for (uint32_t round = 0; round < plan_.rounds && Wanted(group, round, start); ++round) {
            std::string step = "round " + std::to_string(round + 1);
            if (!plan_.seconds_per_row) step += " of " + std::to_string(plan_.rounds);
            // Forwards and backwards in turn: what drifts evenly is in no ratio.
            for (size_t i = 0; i < group.subjects.size(); ++i) {
                Subject& subject = group.subjects[round % 2 ? group.subjects.size() - 1 - i : i];
                subject.rounds.resize(round + 1);
                if (!Wanted(group, subject, round)) continue;
                on_step_(index, subject, step);
                OneRun one = Run(group, subject, false);
                if (!Accept(group, one)) return false;
                subject.rounds.back() = Stretches(std::move(one.run.ns), kMostTimes);
            }
        }
        return true;
    }

    // Whether there is another round, and whether a subject takes part in it.
    bool Wanted(const Group& group, uint32_t round, std::chrono::steady_clock::time_point start) const {
        if (!plan_.seconds_per_row || round == 0) return true;
        const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
        if (spent.count() >= *plan_.seconds_per_row * static_cast<double>(group.subjects.size())) return false;
        return std::any_of(group.subjects.begin(), group.subjects.end(),
                           [&](const Subject& subject) { return Wanted(group, subject, round); });
    }
    bool Wanted(const Group& group, const Subject& subject, uint32_t round) const {
        constexpr uint32_t kLeast = 6;  // what an interval needs
        if (!plan_.seconds_per_row || round < kLeast) return true;
        // Without the layer: as long as one is to be compared with it.
        return std::any_of(group.subjects.begin(), group.subjects.end(), [&](const Subject& other) {
            if (&other != &subject && (subject.configuration != &kOff || other.writing != subject.writing))
                return false;
            const std::optional<Ratio> ratio = group.OffRatio(other);
            return ratio && !ratio->Resolved();
        });
    }

    // Whether the group goes on.
    bool Accept(Group& group, const OneRun& one) {
        switch (one.outcome) {
            case Outcome::kOk:
                return true;
            case Outcome::kInterrupted:
                said_.interrupted = true;
                return false;
            case Outcome::kSkipped:
                Fail(group, GroupState::kSkipped, one.note);
                return false;
            case Outcome::kWrong:
                Fail(group, GroupState::kWrong, one.note);
                return false;
            case Outcome::kFailed:
                break;
        }
        Fail(group, GroupState::kFailed, one.note);
        return false;
    }

    // Times of a group that is not as it must be are not for comparing: they go.
    static void Fail(Group& group, GroupState state, std::string note) {
        group.state = state;
        group.notes.push_back(std::move(note));
        for (Subject& subject : group.subjects) subject.rounds.clear();
    }

    OneRun Run(const Group& group, const Subject& subject, bool counted) {
        OneRun one;
        std::vector<std::string> command = {plan_.program,
                                            "--only",
                                            group.workload,
                                            "--writing",
                                            subject.writing,
                                            "--size",
                                            group.size,
                                            "--dispatches",
                                            std::to_string(group.dispatches),
                                            "--repeat",
                                            std::to_string(counted ? 1 : plan_.repeat),
                                            "--seconds",
                                            std::to_string(counted ? 0 : plan_.turn_seconds),
                                            "--json",
                                            "-"};
        if (plan_.rounds == 0) command.emplace_back("--no-verify");
        if (!plan_.device.empty()) command.insert(command.end(), {"--device", plan_.device});
        const auto& [timed_environment, counted_environment] = plan_.environments.at(subject.configuration);
        const ChildEnd end =
            RunChild(command, counted ? counted_environment : timed_environment, plan_.limit, interrupts_);
        const std::string who = Who(group, subject);
        if (end.how == ChildEnd::How::kInterrupted) {
            one.outcome = Outcome::kInterrupted;
            return one;
        }
        // A wrong result is told by its JSON and status 1 alike.
        const bool answered = end.how == ChildEnd::How::kExited && end.status <= 1;
        ReadRun read;
        if (answered) read = ReadWorkloadRun(end.output, group.workload, subject.writing, plan_.rounds > 0);
        if (plan_.rounds > 0 && read.run && !read.run->verified && read.run->skipped.empty()) {
            one.outcome = Outcome::kWrong;
            one.note = "WRONG: " + who + ": " +
                       (read.run->difference.empty() ? "its results do not verify" : read.run->difference);
            return one;
        }
        if (!end.ok()) {
            one.note = "FAILED: " + who + ": " + plan_.program + " " + DescribeEnd(end, plan_.limit);
            return one;
        }
        if (!read.run) {
            one.note = "FAILED: " + who + ": " + plan_.program + ": " + read.error;
            return one;
        }
        one.run = std::move(*read.run);
        if (!one.run.skipped.empty()) {
            one.outcome = Outcome::kSkipped;
            one.note = "skipped: " + group.workload + " (" + subject.writing + "): " + one.run.skipped;
            return one;
        }
        one.layer = ReadLayerLog(end.errors);
        one.note = CheckSubject(who, subject, one);
        if (one.note.empty()) one.outcome = Outcome::kOk;
        return one;
    }

    // That the run was what its configuration says, on the device that the others ran on.
    std::string CheckSubject(const std::string& who, const Subject& subject, const OneRun& one) {
        if (one.layer.active != subject.configuration->layer) {
            return "FAILED: " + who + ": the layer was " +
                   (one.layer.active ? "loaded in a run that must be without it"
                                     : "not loaded; kronos doctor tells what is wrong");
        }
        if (!said_.device) said_.device = one.run.device;
        if (*said_.device != one.run.device) {
            return "FAILED: " + who + ": ran on " + DeviceText(one.run.device) + ", others on " +
                   DeviceText(*said_.device);
        }
        return {};
    }

    BenchPlan& plan_;
    Interrupts& interrupts_;
    const OnStep& on_step_;
    BenchSaid said_;
};

}  // namespace

const Subject* Group::Find(const std::string& writing, const Configuration& configuration) const {
    for (const Subject& subject : subjects) {
        if (subject.writing == writing && subject.configuration == &configuration) return &subject;
    }
    return nullptr;
}

std::optional<Ratio> Group::OffRatio(const Subject& subject) const {
    const Subject* off = Find(subject.writing, kOff);
    return off && off != &subject ? RatioOf(off->rounds, subject.rounds) : std::nullopt;
}

size_t ChildrenOf(const BenchPlan& plan) {
    if (plan.seconds_per_row && plan.rounds > 0) return 0;
    size_t children = 0;
    for (const Group& group : plan.groups) children += group.subjects.size() * (plan.rounds + 1);
    return children;
}

BenchSaid RunPlan(BenchPlan& plan, Interrupts& interrupts, const OnStep& on_step) {
    return Runs(plan, interrupts, on_step).All();
}

}  // namespace kronos::command
