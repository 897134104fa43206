// SPDX-License-Identifier: Apache-2.0
// What each feature of the layer did for a program, by its log; what it would do where it only observed or was off; and
// which setting would change that. Pure. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "stats_reader.h"

namespace kronos::command {

enum class FeatureState {
    kGained,    ///< the driver had less to do
    kNothing,   ///< the program asks nothing of that kind, or nothing of it could be spared
    kAside,     ///< the feature left things alone, for a reason that is counted
    kObserved,  ///< only looked at
    kOff,
};
const char* StateName(FeatureState state);

/// How many fewer calls of a kind the driver would get. Where both bounds are equal the layer has decided it already,
/// and would do so again.
struct Prediction {
    std::string counter;  ///< of the log
    uint64_t asked = 0;
    uint64_t at_least = 0;
    uint64_t at_most = 0;
    std::optional<uint64_t> expected = {};  ///< within these bounds; none where nobody looked
};

/// What would be left of what was asked: "12", "about 20 (12 to 64)", or "12 to 64".
std::string RemainingText(const Prediction& prediction);

struct Reason {
    std::string name;  ///< of the log
    uint64_t count = 0;
};

struct FeatureReport {
    std::string name;   ///< for people
    std::string key;    ///< its setting
    std::string value;  ///< of the setting; "" where the log does not tell
    FeatureState state = FeatureState::kNothing;
    std::string text;  ///< what was gained, or why nothing
    std::vector<Reason> reasons;
    std::vector<Prediction> predictions;
    std::string advice;  ///< names the setting that would change it; "" where none would
};

/// All features, in the order of what usually pays most.
std::vector<FeatureReport> ReportFeatures(const DeviceTotals& device);

/// What the program itself could do better: one line each.
std::vector<std::string> AdviceForProgram(const DeviceTotals& device);

/// What of it a creation could have been served by something destroyed earlier, going by the order of frames: in one
/// frame, either all creations come first, or all destructions.
struct Bounds {
    uint64_t at_least = 0;
    uint64_t at_most = 0;
};
Bounds Recyclable(const std::vector<FrameRow>& rows, Series created, Series destroyed);

/// "vkX" texts of decisions.def: what a counter of the log means; "" for a name that is not known.
std::string CountText(const std::string& name);

}  // namespace kronos::command
