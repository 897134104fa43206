// SPDX-License-Identifier: Apache-2.0
// The configurations of kronos bench and their environments.
#include "bench_setup.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "run.h"
#include "setting_names.h"

namespace kronos::command {
namespace {

namespace fs = std::filesystem;

std::string AllConfigurations() {
    std::string names;
    for (const Configuration& c : kConfigurations) names += (names.empty() ? "" : ", ") + std::string(c.name);
    return names;
}

void RemoveFromList(Environment& environment, const char* variable, const std::string& entry) {
    if (!environment.Has(variable)) return;
    std::string kept;
    for (const std::string& one : SplitList(environment.Get(variable))) {
        if (one != entry) kept += (kept.empty() ? "" : ":") + one;
    }
    environment.Set(variable, kept);
}

}  // namespace

ChosenConfigurations ChooseConfigurations(const std::vector<std::string>& names) {
    ChosenConfigurations chosen;
    for (const std::string& name : names) {
        const bool known = std::any_of(std::begin(kConfigurations), std::end(kConfigurations),
                                       [&](const Configuration& c) { return c.name == name; });
        if (!known) {
            chosen.error = "'" + name + "' is no configuration; there are " + AllConfigurations();
            return chosen;
        }
    }
    for (const Configuration& c : kConfigurations) {
        const bool named = names.empty() || std::find(names.begin(), names.end(), c.name) != names.end();
        if (named || &c == &kOff) chosen.list.push_back(&c);
    }
    return chosen;
}

std::optional<fs::path> FindSpy(const fs::path& executable) {
    const fs::path folder = (executable.parent_path() / "../tests/spy").lexically_normal();
    std::ifstream file(folder / "VkLayer_kronos_spy.json");
    const nlohmann::json manifest = nlohmann::json::parse(file, nullptr, false);
    if (!manifest.is_object() || !manifest.contains("layer") || !manifest["layer"].is_object()) return std::nullopt;
    const nlohmann::json& layer = manifest["layer"];
    if (!layer.contains("library_path") || !layer["library_path"].is_string()) return std::nullopt;
    std::error_code ignored;
    if (!fs::exists(folder / layer["library_path"].get<std::string>(), ignored)) return std::nullopt;
    return folder;
}

std::vector<std::string> RemoveOwnVariables(Environment& environment) {
    std::vector<std::string> removed;
    for (const auto& [name, value] : environment.values()) {
        const bool own = name == "KRONOS_ENABLE" || name == "KRONOS_DISABLE" || SettingOfVariable(name) != nullptr;
        if (own) removed.push_back(name);
    }
    for (const std::string& name : removed) environment.Unset(name);
    RemoveFromList(environment, "VK_INSTANCE_LAYERS", kLayerName);
    return removed;
}

BenchEnvironment ComposeBenchEnvironment(const Environment& base, const BenchPlaces& places,
                                         const Configuration& configuration, bool counted) {
    Environment start = base;
    if (places.driver) {
        // Old loaders know one name, new ones prefer the other.
        for (const char* variable : {"VK_DRIVER_FILES", "VK_ICD_FILENAMES"})
            start.Set(variable, places.driver->string());
        start.Unset("VK_ADD_DRIVER_FILES");
        start.Unset("KRONOS_ICD_SEARCH_PATHS");
    }
    // The same in all configurations, so that nothing but the layer differs. What it writes is part of what it costs.
    start.Set("XDG_STATE_HOME", (places.scratch / "state").string());
    RunRequest request;
    request.settings = SplitList(configuration.settings, ' ');
    ComposedEnvironment composed = ComposeRunEnvironment(std::move(start), places.layout, request);
    BenchEnvironment made{std::move(composed.environment), std::move(composed.notes), std::move(composed.error)};
    Environment& environment = made.environment;
    if (!configuration.layer) {
        RemoveFromList(environment, "VK_INSTANCE_LAYERS", kLayerName);
        // Also where it is enabled for the user.
        environment.Set("KRONOS_DISABLE", "1");
    }
    // Its first words on standard error are how a run with the layer is told from one without.
    environment.Set(FindSetting("log_level")->env, counted ? "info" : "warn");
    environment.Set(FindSetting("log_file")->env, "");
    if (counted && places.spy) {
        const char* variable = environment.Get("VK_LAYER_PATH").empty() ? "VK_ADD_LAYER_PATH" : "VK_LAYER_PATH";
        // After ours in both lists: below it, for every loader.
        environment.AppendOnce(variable, places.spy->string());
        environment.AppendOnce("VK_INSTANCE_LAYERS", kSpyName);
        environment.Set("SPY_OUT", SpyFile(places).string());
    }
    return made;
}

fs::path SpyFile(const BenchPlaces& places) { return places.scratch / "spy.json"; }

}  // namespace kronos::command
