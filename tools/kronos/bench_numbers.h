// SPDX-License-Identifier: Apache-2.0
// The arithmetic of kronos bench: medians, quartiles, ratios of paired rounds, and counts against what a source says.
// Pure functions.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace kronos::command {

struct Spread {
    double median = 0;
    double q1 = 0;  ///< quartiles, linear between the two nearest values
    double q3 = 0;
    size_t count = 0;
};

/// Nothing of nothing.
std::optional<Spread> SpreadOf(std::vector<double> values);

/// The times of one subject: for each round, those of its repeats. A round that did not happen is empty.
using Rounds = std::vector<std::vector<double>>;

/// At most `most` values for many: the medians of stretches that follow each other, as long as each other but for one.
std::vector<double> Stretches(std::vector<double> values, size_t most);

/// All repeats of all rounds together.
std::optional<Spread> SpreadOfRepeats(const Rounds& rounds);

struct Interval {
    double low = 0;
    double high = 0;
};

/// Where the median of what the values are samples of lies, with 95 % confidence or more: between two of the values, by
/// their order alone, so whatever their distribution. Nothing of fewer than 6 values, which cannot say.
std::optional<Interval> MedianInterval(std::vector<double> values);

/// A ratio of two subjects, from pairs that were measured beside each other.
struct Ratio {
    Spread spread;
    std::optional<Interval> interval;  ///< of its median

    /// The interval is no wider than the median +- 1 %: more pairs would say little more.
    bool Resolved() const;
    /// What the interval says: "same" when within 1 +- 0.02, "faster" or "slower" when without, "open" when neither.
    const char* Verdict() const;
};

/// above / below, a ratio for each round that both have, from that round's medians.
std::optional<Ratio> RatioOf(const Rounds& above, const Rounds& below);

using Counts = std::map<std::string, uint64_t>;

/// One line for each counter that the spy saw differently than the source says: set-up once, and so much per run.
std::vector<std::string> Miscounts(const Counts& counted, const Counts& setup, const Counts& per_run, uint64_t runs);

}  // namespace kronos::command
