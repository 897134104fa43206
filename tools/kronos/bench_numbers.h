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

/// All repeats of all rounds together.
std::optional<Spread> SpreadOfRepeats(const Rounds& rounds);

/// above / below, a ratio for each round that both have, from that round's medians; then their median and quartiles.
std::optional<Spread> RatioOf(const Rounds& above, const Rounds& below);

using Counts = std::map<std::string, uint64_t>;

/// One line for each counter that the spy saw differently than the source says: set-up once, and so much per run.
std::vector<std::string> Miscounts(const Counts& counted, const Counts& setup, const Counts& per_run, uint64_t runs);

}  // namespace kronos::command
