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

std::vector<double> Stretches(std::vector<double> values, size_t most) {
    if (values.size() <= most) return values;
    std::vector<double> medians;
    for (size_t i = 0; i < most; ++i) {
        const auto begin = values.begin() + static_cast<std::ptrdiff_t>(values.size() * i / most);
        const auto end = values.begin() + static_cast<std::ptrdiff_t>(values.size() * (i + 1) / most);
        medians.push_back(SpreadOf({begin, end})->median);
    }
    return medians;
}

std::optional<Spread> SpreadOfRepeats(const Rounds& rounds) {
    std::vector<double> all;
    for (const std::vector<double>& round : rounds) all.insert(all.end(), round.begin(), round.end());
    return SpreadOf(std::move(all));
}

std::optional<Interval> MedianInterval(std::vector<double> values) {
    // As many of n values are below the median as of n coins show heads. `outside` of them may be left out at each end
    // when so few heads have a chance of 2.5 % or less.
    const size_t n = values.size();
    double chance = std::pow(0.5, static_cast<double>(n));  // of i heads
    double sum = 0;
    size_t outside = 0;
    for (size_t i = 0; i < n && sum + chance <= 0.025; ++i) {
        sum += chance;
        chance *= static_cast<double>(n - i) / static_cast<double>(i + 1);
        outside = i + 1;
    }
    if (outside == 0) return std::nullopt;
    std::sort(values.begin(), values.end());
    return Interval{values[outside - 1], values[n - outside]};
}

bool Ratio::Resolved() const { return interval && interval->high - interval->low <= 0.02 * spread.median; }

const char* Ratio::Verdict() const {
    constexpr double kLow = 0.98, kHigh = 1.02;
    if (!interval) return "open";
    if (interval->low >= kLow && interval->high <= kHigh) return "same";
    if (interval->low > kHigh) return "faster";
    return interval->high < kLow ? "slower" : "open";
}

std::optional<Ratio> RatioOf(const Rounds& above, const Rounds& below) {
    std::vector<double> ratios;
    for (size_t i = 0; i < std::min(above.size(), below.size()); ++i) {
        const std::optional<Spread> a = SpreadOf(above[i]);
        const std::optional<Spread> b = SpreadOf(below[i]);
        if (a && b && b->median > 0) ratios.push_back(a->median / b->median);
    }
    const std::optional<Spread> spread = SpreadOf(ratios);
    if (!spread) return std::nullopt;
    return Ratio{*spread, MedianInterval(std::move(ratios))};
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
