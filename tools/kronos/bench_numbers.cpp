// SPDX-License-Identifier: Apache-2.0
// The arithmetic of kronos bench.
#include "bench_numbers.h"

#include <algorithm>
#include <cmath>
#include <set>

namespace kronos::command {
namespace {

double Quantile(const std::vector<double>& sorted, double part) {
    const double place = part * static_cast<double>(sorted.size() - 1);
    const auto below = static_cast<size_t>(std::floor(place));
    const size_t above = std::min(below + 1, sorted.size() - 1);
    return sorted[below] + (sorted[above] - sorted[below]) * (place - static_cast<double>(below));
}

uint64_t ValueOf(const Counts& counts, const std::string& name) {
    auto found = counts.find(name);
    return found == counts.end() ? 0 : found->second;
}

}  // namespace

std::optional<Spread> SpreadOf(std::vector<double> values) {
    if (values.empty()) return std::nullopt;
    std::sort(values.begin(), values.end());
    return Spread{Quantile(values, 0.5), Quantile(values, 0.25), Quantile(values, 0.75), values.size()};
}

std::optional<Spread> SpreadOfRepeats(const Rounds& rounds) {
    std::vector<double> all;
    for (const std::vector<double>& round : rounds) all.insert(all.end(), round.begin(), round.end());
    return SpreadOf(std::move(all));
}

std::optional<Spread> RatioOf(const Rounds& above, const Rounds& below) {
    std::vector<double> ratios;
    for (size_t i = 0; i < std::min(above.size(), below.size()); ++i) {
        const std::optional<Spread> a = SpreadOf(above[i]);
        const std::optional<Spread> b = SpreadOf(below[i]);
        if (a && b && b->median > 0) ratios.push_back(a->median / b->median);
    }
    return SpreadOf(std::move(ratios));
}

std::vector<std::string> Miscounts(const Counts& counted, const Counts& setup, const Counts& per_run, uint64_t runs) {
    std::set<std::string> names;
    for (const Counts* counts : {&setup, &per_run}) {
        for (const auto& [name, value] : *counts) names.insert(name);
    }
    std::vector<std::string> lines;
    for (const std::string& name : names) {
        auto seen = counted.find(name);
        if (seen == counted.end()) {
            lines.push_back(name + ": the source says how many, but the spy has no such counter");
            continue;
        }
        const uint64_t once = ValueOf(setup, name);
        const uint64_t each = ValueOf(per_run, name);
        const uint64_t wanted = once + runs * each;
        if (seen->second == wanted) continue;
        lines.push_back(name + ": the spy counted " + std::to_string(seen->second) + ", the source says " +
                        std::to_string(wanted) + " (" + std::to_string(once) + " for set-up, " + std::to_string(runs) +
                        " runs of " + std::to_string(each) + ")");
    }
    return lines;
}

}  // namespace kronos::command
