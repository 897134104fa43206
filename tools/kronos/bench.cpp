// SPDX-License-Identifier: Apache-2.0
// kronos bench: from the request to the report.
#include "bench.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>

#include "bench_host.h"
#include "bench_report.h"
#include "run.h"

namespace kronos::command {
namespace {

namespace fs = std::filesystem;

constexpr int kInterrupted = 130;  // as a shell tells of Ctrl-C
constexpr std::chrono::seconds kListLimit{60};
constexpr uint32_t kMostRounds = 1000;

int Complain(int status, const std::string& text) {
    std::fprintf(stderr, "kronos bench: %s\n", text.c_str());
    return status;
}

// What the program answers to --list.
struct Listed {
    std::vector<WorkloadEntry> workloads;
    std::optional<std::string> error;
};
Listed AskForWorkloads(const std::string& program, const Environment& environment, Interrupts& interrupts) {
    const ChildEnd end = RunChild({program, "--list", "--json", "-"}, environment, kListLimit, interrupts);
    if (!end.ok()) return {{}, program + " --list " + DescribeEnd(end, kListLimit)};
    std::optional<std::vector<WorkloadEntry>> list = ReadWorkloadList(end.output);
    if (!list || list->empty()) return {{}, program + " --list --json - does not answer with a list of workloads"};
    return {std::move(*list), {}};
}

void PrintList(const std::vector<WorkloadEntry>& workloads) {
    std::vector<std::vector<std::string>> rows;
    rows.reserve(workloads.size());
    for (const WorkloadEntry& entry : workloads) {
        rows.push_back({entry.name, entry.expert ? "naive,expert" : "naive",
                        entry.missing.empty() ? entry.description : entry.missing});
    }
    std::printf("workloads (--only):\n%s\nconfigurations (--config):\n", FormatTable(rows, 3).c_str());
    rows.clear();
    for (const Configuration& c : kConfigurations) rows.push_back({c.name, c.what});
    std::printf("%s", FormatTable(rows, 2).c_str());
}

std::string AllNames(const std::vector<WorkloadEntry>& workloads) {
    std::string names;
    for (const WorkloadEntry& entry : workloads) names += (names.empty() ? "" : ", ") + entry.name;
    return names;
}

// What is quick ends within 3 minutes, of which counting takes about half: a run for each row, too.
double SecondsPerRow(bool quick, const BenchPlan& plan) {
    if (!quick) return 10;
    size_t rows = 0;
    for (const Group& group : plan.groups) rows += group.subjects.size();
    return std::min(2.0, 70.0 / static_cast<double>(rows));
}

// The folders and environments of a plan; a complaint when a configuration cannot be had.
std::optional<std::string> Prepare(BenchPlan& plan, const Environment& base,
                                   const std::vector<const Configuration*>& configurations) {
    std::vector<std::string> notes;
    for (const Configuration* configuration : configurations) {
        auto& [timed, counted] = plan.environments[configuration];
        for (auto* environment : {&timed, &counted}) {
            BenchEnvironment made = ComposeBenchEnvironment(base, plan.places, *configuration, environment == &counted);
            if (made.error) return std::string(configuration->name) + ": " + *made.error;
            *environment = std::move(made.environment);
            notes = std::move(made.notes);  // the same each time
        }
    }
    for (const std::string& note : notes) Complain(0, note);
    return std::nullopt;
}

bool WriteReports(const std::string& file, const BenchHeader& header, const BenchPlan& plan, const BenchSaid& said) {
    if (file != "-") std::fputs(FormatBench(header, plan, said).c_str(), stdout);
    if (file.empty()) return true;
    const std::string json = FormatBenchJson(header, plan, said);
    if (file == "-") {
        std::fputs(json.c_str(), stdout);
        return true;
    }
    std::ofstream out(file);
    out << json;
    out.close();
    if (!out) Complain(0, "--json " + file + " cannot be written: " + std::strerror(errno));
    return static_cast<bool>(out);
}

int Verdict(const BenchPlan& plan, const BenchSaid& said) {
    bool bad = false;
    size_t measured = 0;
    for (const Group& group : plan.groups) {
        bad |= group.bad();
        measured += group.state == GroupState::kMeasured;
        // Where the report goes to a file or a machine, a person still sees what is wrong.
        for (const std::string& note : group.notes) {
            if (group.bad()) Complain(1, note);
        }
    }
    if (said.interrupted) return kInterrupted;
    if (!bad && measured == 0) return Complain(1, "nothing was measured: all workloads were skipped");
    return bad ? 1 : 0;
}

}  // namespace

PlannedGroups PlanGroups(const BenchRequest& request, const std::vector<WorkloadEntry>& workloads,
                         const std::vector<const Configuration*>& configurations) {
    using Texts = std::vector<std::string>;
    using Numbers = std::vector<uint32_t>;
    PlannedGroups planned;
    for (const std::string& name : request.only) {
        auto found = std::find_if(workloads.begin(), workloads.end(), [&](auto& entry) { return entry.name == name; });
        if (found == workloads.end())
            planned.error = "'" + name + "' is no workload; there are " + AllNames(workloads);
        else if (!found->missing.empty())
            planned.error = name + " is " + found->missing;
        if (planned.error) return planned;
    }
    Texts sizes = request.sizes;
    if (sizes.empty()) sizes = request.quick ? Texts{"64K"} : Texts{"64K", "8M", "64M"};
    Numbers dispatches = request.dispatches;
    if (dispatches.empty()) dispatches = request.quick ? Numbers{4} : Numbers{1, 16, 256};
    const std::string writing = !request.writing.empty() ? request.writing : request.quick ? "naive" : "both";
    for (const WorkloadEntry& entry : workloads) {
        const Texts& only = request.only;
        if (!entry.missing.empty()) continue;
        if (!only.empty() && std::find(only.begin(), only.end(), entry.name) == only.end()) continue;
        Group group;
        group.workload = entry.name;
        for (const Configuration* configuration : configurations) {
            if (writing != "expert") group.subjects.push_back({"naive", configuration, {}, {}, 0, 0, false});
        }
        for (const Configuration* configuration : configurations) {
            if (entry.expert && (writing != "naive" || configuration == &kOff))
                group.subjects.push_back({"expert", configuration, {}, {}, 0, 0, false});
        }
        if (group.subjects.empty()) continue;
        for (const std::string& size : sizes) {
            for (uint32_t count : dispatches) {
                group.size = size;
                group.dispatches = count;
                planned.groups.push_back(group);
            }
        }
    }
    if (planned.groups.empty()) planned.error = "none of these workloads has an expert writing";
    return planned;
}

int Bench(const BenchRequest& request, const std::vector<std::string>& arguments) {
    const fs::path executable = OwnExecutable();
    BenchPlan plan;
    plan.program = request.program.empty() ? (executable.parent_path() / "kronos-workloads").string() : request.program;
    plan.device = request.device;
    plan.rounds = request.counts ? 0 : request.rounds.value_or(kMostRounds);
    plan.repeat = request.repeat.value_or(3);
    if (!request.repeat) plan.turn_seconds = request.quick ? 0.05 : 0.2;
    plan.limit = std::chrono::seconds(request.limit_s.value_or(request.quick ? 60 : 300));
    ChosenConfigurations chosen = ChooseConfigurations(request.configurations);
    if (chosen.error) return Complain(kUsageError, *chosen.error);
    std::error_code error;
    if (!request.driver.empty()) {
        if (!fs::is_regular_file(request.driver, error))
            return Complain(kUsageError, "--driver " + request.driver + " is no file; it must be a driver's manifest");
        plan.places.driver = fs::absolute(request.driver, error);
    }
    ScratchFolder scratch;
    plan.places.scratch = scratch.path();
    plan.places.layout = FindLayout(executable);
    plan.places.spy = FindSpy(executable);
    if (request.counts && !plan.places.spy)
        return Complain(kCannotRun, "--counts needs the spy; it is not in this build tree (target kronos_spy)");
    if (!fs::exists(plan.places.layout.explicit_manifest(), error)) {
        return Complain(
            kCannotRun,
            "the layer's manifest " + plan.places.layout.explicit_manifest().string() + " is missing; " +
                (plan.places.layout.build_tree ? "build the target kronos_manifest" : "install Kronos again"));
    }
    Environment base = Environment::Current();
    const std::vector<std::string> removed = RemoveOwnVariables(base);
    for (const std::string& name : removed)
        Complain(0, name + " is not passed on: configurations set what they need (kronos bench --list)");
    if (std::optional<std::string> complaint = Prepare(plan, base, chosen.list); complaint)
        return Complain(kCannotRun, *complaint);

    BenchHeader header;
    BenchSaid said;
    {
        Interrupts interrupts;
        Listed listed = AskForWorkloads(plan.program, plan.environments.at(&kOff).first, interrupts);
        if (listed.error) return Complain(kCannotRun, *listed.error);
        if (request.list) {
            PrintList(listed.workloads);
            return 0;
        }
        PlannedGroups planned = PlanGroups(request, listed.workloads, chosen.list);
        if (planned.error) return Complain(kUsageError, *planned.error);
        plan.groups = std::move(planned.groups);
        if (!request.rounds)
            plan.seconds_per_row = request.seconds_per_row.value_or(SecondsPerRow(request.quick, plan));
        header = {DateText(), CommandText(arguments), MachineText(),
                  LoaderText(executable, plan.environments.at(&kOff).first),
                  plan.places.layout.explicit_manifest().string()};
        Progress progress(ChildrenOf(plan), isatty(STDERR_FILENO) != 0);
        said = RunPlan(plan, interrupts, [&](size_t index, const Subject& subject, const std::string& step) {
            const Group& group = plan.groups[index];
            progress.Step(group.workload + " " + group.size + " x " + std::to_string(group.dispatches),
                          subject.writing + ", " + subject.configuration->name + ", " + step);
        });
    }
    const bool written = WriteReports(request.json, header, plan, said);
    const int verdict = Verdict(plan, said);
    return verdict == 0 && !written ? 1 : verdict;
}

}  // namespace kronos::command
