// SPDX-License-Identifier: Apache-2.0
// kronos doctor: which setting gets its value from where, and whether statistics can be written.
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <map>

#include "doctor.h"
#include "setting_names.h"

namespace kronos::command {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSettingsFile = "vk_layer_settings.txt";
constexpr std::string_view kFilePrefix = "kronos_compute.";

struct Source {
    std::string value;
    std::string origin;
};

std::string Trimmed(std::string_view text) {
    constexpr std::string_view kBlank = " \t\r\"";
    size_t first = text.find_first_not_of(kBlank);
    if (first == std::string_view::npos) return {};
    return std::string(text.substr(first, text.find_last_not_of(kBlank) - first + 1));
}

// The first of the places in which the layer looks; empty if there is none.
fs::path FindSettingsFile(const Patient& patient) {
    const Environment& environment = patient.environment;
    std::vector<fs::path> places;
    if (std::string data = environment.Get("XDG_DATA_HOME"); !data.empty()) {
        places.push_back(fs::path(data) / "vulkan/settings.d" / kSettingsFile);
    } else if (std::string home = environment.Get("HOME"); !home.empty()) {
        places.push_back(fs::path(home) / ".local/share/vulkan/settings.d" / kSettingsFile);
    }
    std::error_code ignored;
    if (std::string given = environment.Get("VK_LAYER_SETTINGS_PATH"); !given.empty()) {
        fs::path path = given;
        places.push_back(fs::is_directory(path, ignored) ? path / kSettingsFile : path);
    }
    places.push_back(patient.working_directory / kSettingsFile);
    auto found =
        std::find_if(places.begin(), places.end(), [&](const fs::path& p) { return fs::is_regular_file(p, ignored); });
    return found == places.end() ? fs::path() : *found;
}

void UnknownSetting(const std::string& what, const std::string& key, Findings& findings) {
    findings.push_back({Status::kWarning, "settings", what + " is no setting of the layer and has no effect",
                        "did you mean " + NearestKey(key) + "? There are " + AllKeys()});
}

void ReadSettingsFile(const fs::path& file, std::map<std::string, Source>& sources, Findings& findings) {
    std::ifstream in(file);
    if (!in) {
        findings.push_back({Status::kWarning, "settings", file.string() + " cannot be read", "make it readable"});
        return;
    }
    size_t ours = 0;
    for (std::string line; std::getline(in, line);) {
        std::string text = Trimmed(line.substr(0, line.find('#')));
        size_t equals = text.find('=');
        if (!text.starts_with(kFilePrefix) || equals == std::string::npos) continue;
        std::string key = Trimmed(text.substr(kFilePrefix.size(), equals - kFilePrefix.size()));
        ++ours;
        if (FindSetting(key))
            sources[key] = {Trimmed(text.substr(equals + 1)), file.string()};
        else
            UnknownSetting(std::string(kFilePrefix) + key + " in " + file.string(), key, findings);
    }
    findings.push_back(
        {Status::kOk, "settings", "file " + file.string() + ", " + std::to_string(ours) + " lines for this layer", ""});
}

// KRONOS_ names that are not settings.
bool IsSwitch(const std::string& name) {
    return name == "KRONOS_ENABLE" || name == "KRONOS_DISABLE" || name == "KRONOS_ICD_SEARCH_PATHS";
}

std::string LowerCase(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
    return text;
}

void ReadVariables(const Environment& environment, std::map<std::string, Source>& sources, Findings& findings) {
    // The long names win, so they are read last.
    for (std::string_view prefix : {"KRONOS_", "VK_KRONOS_COMPUTE_"}) {
        for (const auto& [name, value] : environment.values()) {
            if (!name.starts_with(prefix) || IsSwitch(name)) continue;
            if (const SettingInfo* setting = SettingOfVariable(name))
                sources[setting->key] = {value, name};
            else
                UnknownSetting("environment variable " + name, LowerCase(name.substr(prefix.size())), findings);
        }
    }
}

std::map<std::string, Source> ReadSources(const Patient& patient, Findings& findings) {
    std::map<std::string, Source> sources;
    fs::path file = FindSettingsFile(patient);
    if (!file.empty()) ReadSettingsFile(file, sources, findings);
    ReadVariables(patient.environment, sources, findings);
    return sources;
}

}  // namespace

void CheckSettings(const Patient& patient, Findings& findings) {
    std::map<std::string, Source> sources = ReadSources(patient, findings);
    for (const auto& [key, source] : sources) {
        findings.push_back({Status::kOk, "settings", key + " = " + source.value + " (from " + source.origin + ")", ""});
    }
    if (sources.empty())
        findings.push_back({Status::kOk, "settings",
                            "all defaults: no variable and no " + std::string(kSettingsFile) + " sets one", ""});
}

void CheckStatisticsFolder(const Patient& patient, Findings& findings) {
    const Environment& environment = patient.environment;
    Findings dropped;  // CheckSettings has told these
    std::map<std::string, Source> sources = ReadSources(patient, dropped);
    fs::path folder;
    std::string file = sources["stats_file"].value;
    if (!file.empty()) {
        folder = fs::path(file).parent_path();
        if (folder.is_relative()) folder = patient.working_directory / folder;
    } else if (std::string state = environment.Get("XDG_STATE_HOME"); state.starts_with('/')) {
        folder = fs::path(state) / "kronos";
    } else if (std::string home = environment.Get("HOME"); home.starts_with('/')) {
        folder = fs::path(home) / ".local/state/kronos";
    }
    if (folder.empty()) {
        findings.push_back({Status::kWarning, "statistics",
                            "neither XDG_STATE_HOME nor HOME is an absolute path: the log goes to a temporary folder",
                            "set HOME, or KRONOS_STATS_FILE to a file"});
        return;
    }
    // The layer makes the folder: what counts is the nearest one that exists.
    fs::path existing = folder;
    std::error_code ignored;
    while (!fs::exists(existing, ignored) && existing.has_relative_path()) existing = existing.parent_path();
    bool writable = fs::is_directory(existing, ignored) && access(existing.c_str(), W_OK | X_OK) == 0;
    if (writable) {
        findings.push_back(
            {Status::kOk, "statistics", file.empty() ? "go to " + folder.string() : "go to " + file, ""});
    } else {
        findings.push_back({Status::kWarning, "statistics",
                            existing.string() + " cannot be written: no statistics in " + folder.string(),
                            "make it writable, or set KRONOS_STATS_FILE to a file elsewhere"});
    }
}

}  // namespace kronos::command
