// SPDX-License-Identifier: Apache-2.0
#include "pairs.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "context.h"
#include "report.h"

namespace kronos::workloads {
namespace {

double Median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    const size_t middle = values.size() / 2;
    return values.size() % 2 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

// The first run of several pays for the change of devices; the fastest is what nothing came between.
constexpr int kInRow = 5;

// One way of running the workload.
struct Side {
    std::unique_ptr<Writing> writing;
    std::vector<double> ns;   // of the fastest in each row
    std::vector<double> all;  // of every run but the first in each row

    // The first difference, if a result is wrong.
    std::optional<std::string> RunRow(const Workload& workload, bool verify, bool timed) {
        std::optional<std::string> wrong;
        double best = 0;
        for (int i = 0; i < kInRow; ++i) {
            const RunResult run = writing->Run();
            const double took = std::chrono::duration<double, std::nano>(run.total).count();
            if (i && timed) all.push_back(took);
            best = i ? std::min(best, took) : took;
            if (verify && !wrong) wrong = workload.Check(run.results);
        }
        if (timed) ns.push_back(best);
        return wrong;
    }
};

// Alone, with the layer, and alone once more, as a control.
constexpr size_t kSides = 3;
constexpr const char* kSideNames[kSides] = {"alone: ", "with the layer: ", "alone again: "};
using Contexts = std::array<std::unique_ptr<Context>, kSides>;

// Two devices of one process differ by themselves, for as long as they live: each row is measured on several sets of
// them, made in another order each time.
constexpr size_t kSets = 3;

Contexts MakeContexts(const Options& options, const Extras& extras, size_t set) {
    Contexts contexts;
    for (size_t i = 0; i < kSides; ++i) {
        const size_t side = (set + i) % kSides;
        contexts[side] =
            std::make_unique<Context>(options.device, extras, side == 1 ? options.against_layer : std::string());
    }
    return contexts;
}

// The median of what one set of devices says.
double RatioOf(const Side& above, const Side& below) {
    std::vector<double> ratios;
    for (size_t row = 0; row < above.ns.size(); ++row) ratios.push_back(above.ns[row] / below.ns[row]);
    return Median(std::move(ratios));
}

PairsRow::Ratio Summed(const std::vector<double>& of_sets) {
    const auto [low, high] = std::minmax_element(of_sets.begin(), of_sets.end());
    return {Median(of_sets), *low, *high};
}

struct SetResult {
    double with = 0, control = 0;
    std::vector<double> alone_ns, with_ns;
    size_t turns = 0;
    std::optional<std::string> wrong;
};

SetResult MeasureSet(const Contexts& contexts, const WorkloadKind& kind, bool expert, const Options& options) {
    SetResult result;
    const std::unique_ptr<Workload> workload = kind.make(options.bytes, options.rounds);
    std::array<Side, kSides> sides;
    for (size_t i = 0; i < sides.size(); ++i)
        sides[i].writing = MakeWriting(kind, expert, {*contexts[i], *workload, options.fault});
    constexpr uint32_t kMost = 10'000;
    double seconds = 0;
    // The first runs pay what a driver does once.
    for (uint32_t turn = 0; (turn <= options.repeat || seconds < options.seconds / kSets) && turn <= kMost; ++turn) {
        for (size_t i = 0; i < kSides; ++i) {
            const size_t side = (turn + i) % kSides;
            if (auto wrong = sides[side].RunRow(*workload, options.verify, turn != 0)) {
                result.wrong = kSideNames[side] + *wrong;
                return result;
            }
            if (turn) seconds += kInRow * sides[side].ns.back() / 1e9;
        }
        result.turns = turn;
    }
    result.with = RatioOf(sides[0], sides[1]);
    result.control = RatioOf(sides[0], sides[2]);
    result.alone_ns = std::move(sides[0].all);
    result.with_ns = std::move(sides[1].all);
    return result;
}

// Nothing: the device has not what the workload needs.
std::optional<PairsRow> Measure(const WorkloadKind& kind, bool expert, const Options& options) {
    PairsRow row;
    row.workload = kind.name;
    row.expert = expert;
    std::vector<double> with, control, alone_ns, with_ns;
    const bool two_queues = kind.program == Program::TwoQueues;
    for (size_t set = 0; set < kSets; ++set) {
        const Contexts contexts = MakeContexts(options, {.timeline = expert, .second_queue = two_queues}, set);
        if (two_queues && contexts[0]->queues().size() < 2) return std::nullopt;
        const SetResult result = MeasureSet(contexts, kind, expert, options);
        if (result.wrong) {
            row.wrong = result.wrong;
            return row;
        }
        with.push_back(result.with);
        control.push_back(result.control);
        alone_ns.insert(alone_ns.end(), result.alone_ns.begin(), result.alone_ns.end());
        with_ns.insert(with_ns.end(), result.with_ns.begin(), result.with_ns.end());
        row.turns += result.turns;
    }
    row.alone_ns = Median(std::move(alone_ns));
    row.with_ns = Median(std::move(with_ns));
    row.with = Summed(with);
    row.control = Summed(control);
    return row;
}

}  // namespace

int RunPairs(const Options& options) {
    std::vector<PairsRow> rows;
    bool wrong = false;
    const Context first(options.device, {});
    const bool table = options.json_file != "-";
    if (table) PrintPairsHeader(first, options);
    for (const WorkloadKind* kind : options.kinds) {
        for (const bool expert : {false, true}) {
            if (expert ? !options.expert || !kind->expert : !options.naive) continue;
            std::optional<PairsRow> row = Measure(*kind, expert, options);
            if (!row) continue;
            wrong |= row->wrong.has_value();
            if (table) PrintPairsRow(*row);
            rows.push_back(*std::move(row));
        }
    }
    if (!options.json_file.empty()) WritePairs(options, first, rows);
    return wrong ? 1 : 0;
}

}  // namespace kronos::workloads
