// SPDX-License-Identifier: Apache-2.0
// What kronos bench compares: the configurations, and the environment of each. Pure but for looking at files.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "environment.h"
#include "layout.h"

namespace kronos::command {

struct Configuration {
    const char* name;
    bool layer;
    const char* settings;  ///< "KEY=VALUE KEY=VALUE": of the layer, above its defaults
    const char* what;
};

/// The first is what the others are compared with, the second is the layer as it comes. A feature alone is a line here.
inline constexpr Configuration kConfigurations[] = {
    {"off", false, "", "without the layer"},
    {"on", true, "", "with the layer as it comes"},
    {"counting", true, "preset=observe log_level=warn barriers=off",
     "with the layer, which counts and changes nothing"},
    {"waits", true, "preset=observe log_level=warn barriers=off waits=auto", "one feature alone: waits that spin"},
    {"fences", true, "preset=observe log_level=warn barriers=off recycle_fences=auto",
     "one feature alone: fences recycled"},
    {"memory", true, "preset=observe log_level=warn barriers=off recycle_memory=auto",
     "one feature alone: memory recycled"},
    {"slabs", true, "preset=observe log_level=warn barriers=off slabs=on",
     "one feature alone: memory that is parts of larger allocations"},
    {"barriers", true, "preset=observe log_level=warn barriers=on", "one feature alone: the barriers that are needed"},
    {"submits", true, "preset=observe log_level=warn barriers=off submits=busy virtual_fences=on",
     "one feature alone: submissions held while the queue is busy"},
    {"fusion", true, "preset=observe log_level=warn barriers=on submits=busy virtual_fences=on fusion=on",
     "barriers and submits, and short command buffers fused, which needs both"},
};
inline constexpr const Configuration& kOff = kConfigurations[0];
inline constexpr const Configuration& kOn = kConfigurations[1];

/// The configurations of these names, in the table's order and always with the first; all when there are no names.
/// An error is one line.
struct ChosenConfigurations {
    std::vector<const Configuration*> list;
    std::optional<std::string> error;
};
ChosenConfigurations ChooseConfigurations(const std::vector<std::string>& names);

/// The spy of the build tree that this executable lies in, if it is built.
inline constexpr const char* kSpyName = "VK_LAYER_KRONOS_TEST_spy";
std::optional<std::filesystem::path> FindSpy(const std::filesystem::path& executable);

struct BenchPlaces {
    Layout layout;
    std::filesystem::path scratch;                ///< of this run: the layer's statistics and the spy's file
    std::optional<std::filesystem::path> spy;     ///< the folder of its manifest
    std::optional<std::filesystem::path> driver;  ///< the only driver manifest to use
};

/// What the user's environment says of this layer and would reach some configurations only: taken out, and named.
std::vector<std::string> RemoveOwnVariables(Environment& environment);

/// The environment of a run. `counted`: with the spy, where there is one, and the layer telling its settings.
struct BenchEnvironment {
    Environment environment;
    std::vector<std::string> notes;
    std::optional<std::string> error;
};
BenchEnvironment ComposeBenchEnvironment(const Environment& base, const BenchPlaces& places,
                                         const Configuration& configuration, bool counted);

/// Where the spy writes in such a run.
std::filesystem::path SpyFile(const BenchPlaces& places);

}  // namespace kronos::command
