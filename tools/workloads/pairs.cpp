// SPDX-License-Identifier: Apache-2.0
#include "pairs.h"

#include <algorithm>
#include <array>
#include <cmath>
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

// Of the median of `ratios`: its 95 % confidence interval, by the order of the values.
std::array<double, 2> Interval(std::vector<double> ratios) {
    std::sort(ratios.begin(), ratios.end());
    const auto count = static_cast<double>(ratios.size());
    const double reach = 0.98 * std::sqrt(count);
    const auto low = static_cast<size_t>(std::max(0.0, std::floor(count / 2 - reach)));
    const auto high = static_cast<size_t>(std::min(count - 1, std::ceil(count / 2 + reach)));
    return {ratios[low], ratios[high]};
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

// Alone, with the layer, and alone once more: two devices of one process differ by themselves, and by how much is said
// beside.
constexpr size_t kSides = 3;
constexpr const char* kSideNames[kSides] = {"alone: ", "with the layer: ", "alone again: "};
using Contexts = std::array<std::unique_ptr<Context>, kSides>;

PairsRow::Ratio RatioOf(const Side& above, const Side& below) {
    PairsRow::Ratio ratio;
    for (size_t row = 0; row < above.ns.size(); ++row) ratio.all.push_back(above.ns[row] / below.ns[row]);
    ratio.median = Median(ratio.all);
    ratio.interval = Interval(ratio.all);
    return ratio;
}

PairsRow Measure(const Contexts& contexts, const WorkloadKind& kind, bool expert, const Options& options) {
    PairsRow row;
    row.workload = kind.name;
    row.expert = expert;
    const std::unique_ptr<Workload> workload = kind.make(options.bytes, options.rounds);
    std::array<Side, kSides> sides;
    for (size_t i = 0; i < sides.size(); ++i)
        sides[i].writing = MakeWriting(kind, expert, {*contexts[i], *workload, options.fault});
    constexpr uint32_t kMost = 10'000;
    double seconds = 0;
    // The first runs pay what a driver does once.
    for (uint32_t turn = 0; (turn <= options.repeat || seconds < options.seconds) && turn <= kMost && !row.wrong;
         ++turn) {
        for (size_t i = 0; i < kSides; ++i) {
            const size_t side = (turn + i) % kSides;
            if (auto wrong = sides[side].RunRow(*workload, options.verify, turn != 0); wrong && !row.wrong)
                row.wrong = kSideNames[side] + *wrong;
            if (turn) seconds += kInRow * sides[side].ns.back() / 1e9;
        }
    }
    if (row.wrong) return row;
    row.alone_ns = Median(sides[0].all);
    row.with_ns = Median(sides[1].all);
    row.with = RatioOf(sides[0], sides[1]);
    row.control = RatioOf(sides[0], sides[2]);
    return row;
}

}  // namespace

int RunPairs(const Options& options) {
    std::vector<PairsRow> rows;
    bool wrong = false;
    const auto contexts = [&](const Extras& extras) {
        return Contexts{std::make_unique<Context>(options.device, extras),
                        std::make_unique<Context>(options.device, extras, options.against_layer),
                        std::make_unique<Context>(options.device, extras)};
    };
    const auto first = contexts({});
    const bool table = options.json_file != "-";
    if (table) PrintPairsHeader(*first[0], options);
    for (const WorkloadKind* kind : options.kinds) {
        for (const bool expert : {false, true}) {
            if (expert ? !options.expert || !kind->expert : !options.naive) continue;
            const auto all = contexts({.timeline = expert, .second_queue = kind->program == Program::TwoQueues});
            if (kind->program == Program::TwoQueues && all[0]->queues().size() < 2) continue;
            rows.push_back(Measure(all, *kind, expert, options));
            wrong |= rows.back().wrong.has_value();
            if (table) PrintPairsRow(rows.back());
        }
    }
    if (!options.json_file.empty()) WritePairs(options, *first[0], rows);
    return wrong ? 1 : 0;
}

}  // namespace kronos::workloads
