// SPDX-License-Identifier: Apache-2.0
// kronos settings. What is in effect is read by the layer's own code, so that it cannot say otherwise.
#include "settings.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "replace_file.h"
#include "run.h"
#include "setting_names.h"
#include "settings/read.h"

namespace kronos::command {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPrefix = "kronos_compute.";

int Fail(const std::string& line, int status = 1) {
    std::fprintf(stderr, "kronos settings: %s\n", line.c_str());
    return status;
}

std::string Assignment(const std::string& key, const std::string& value) {
    return kPrefix + key + (value.empty() ? " =" : " = " + value) + "\n";
}

// The file of a program's profile. Empty, with a line, when there can be none.
fs::path ProfilePath(const std::string& program) {
    const std::string name = fs::path(program).filename().string();
    if (name.empty() || name == "." || name == "..") {
        Fail("'" + program + "' is no program; allowed is the file name of one, such as llama-bench");
        return {};
    }
    const fs::path folder = ProfileFolder();
    if (folder.empty()) {
        Fail("neither XDG_CONFIG_HOME nor HOME is set: there is no place for profiles");
        return {};
    }
    return folder / (name + ".txt");
}

}  // namespace

std::optional<SettingValues> CheckedValues(const std::vector<std::string>& values, const std::string& preset,
                                           std::string& fault) {
    SettingValues checked;
    std::vector<std::string> all = values;
    if (!preset.empty()) all.insert(all.begin(), "preset=" + preset);
    for (const std::string& text : all) {
        const size_t equals = text.find('=');
        if (equals == std::string::npos) {
            fault = "'" + text + "' is not of the form KEY=VALUE; nothing is written";
            return std::nullopt;
        }
        const std::string key = text.substr(0, equals), value = text.substr(equals + 1);
        const SettingInfo* setting = FindSetting(key);
        if (!setting) {
            fault = "'" + key + "' is no setting; did you mean " + NearestKey(key) + "? There are " + AllKeys() +
                    "; nothing is written";
            return std::nullopt;
        }
        // A # begins a comment in the file, and a line's end ends it.
        const GivenSetting given{key, value, "command line"};
        if (!ResolveSettings({&given, 1}).problems.empty() || value.find_first_of("#\r\n") != std::string::npos) {
            fault = key + " = '" + value + "' is not allowed; allowed: " + setting->allowed + "; nothing is written";
            return std::nullopt;
        }
        std::erase_if(checked, [&](const auto& earlier) { return earlier.first == key; });
        checked.emplace_back(key, value);
    }
    return checked;
}

std::string SettingsFileText(const SettingValues& values) {
    std::string out = std::string(kSettingsFileHeader) + "\n\n";
    for (const SettingInfo& setting : kSettings) {
        out += std::string(setting.comment) + "\n";
        auto given = std::find_if(values.begin(), values.end(), [&](const auto& v) { return v.first == setting.key; });
        out += given == values.end() ? "#" + Assignment(setting.key, setting.default_value)
                                     : Assignment(setting.key, given->second);
        out += "\n";
    }
    return out;
}

std::string ProfileText(const std::string& program, const SettingValues& values) {
    std::string out = "# Settings of VK_LAYER_KRONOS_compute for " + program +
                      " alone, written by kronos settings install. Environment variables win over them; they win over\n"
                      "# vk_layer_settings.txt.\n";
    for (const auto& [key, value] : values)
        out += "\n" + std::string(FindSetting(key)->comment) + "\n" + Assignment(key, value);
    return out;
}

int ShowSettings(const SettingsRequest& request) {
    const std::string program = fs::path(request.program).filename().string();
    const ResolvedSettings resolved = ReadSettings(nullptr, false, program);
    const fs::path file = FindSettingsFile();
    if (request.json) {
        nlohmann::ordered_json settings = nlohmann::ordered_json::array();
        for (const EffectiveSetting& setting : resolved.effective)
            settings.push_back({{"key", setting.key}, {"value", setting.value}, {"source", setting.source}});
        const nlohmann::ordered_json document = {{"v", 1},
                                                 {"program", program},
                                                 {"file", file.string()},
                                                 {"settings", settings},
                                                 {"problems", resolved.problems}};
        std::printf("%s\n", document.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace).c_str());
    } else {
        for (const EffectiveSetting& setting : resolved.effective)
            std::printf("%-18s %-24s %s\n", setting.key.c_str(), setting.value.empty() ? "''" : setting.value.c_str(),
                        setting.source.c_str());
        std::printf("\nsettings file: %s\n", file.empty() ? "none" : file.c_str());
    }
    for (const std::string& problem : resolved.problems) Fail(problem);
    return resolved.problems.empty() ? 0 : 1;
}

int WriteSettings(const SettingsRequest& request) {
    std::string fault;
    const std::optional<SettingValues> values = CheckedValues(request.values, request.preset, fault);
    if (!values) return Fail(fault, kUsageError);
    const std::string text = SettingsFileText(*values);
    if (request.target == "-")
        return std::fputs(text.c_str(), stdout) < 0 || std::fflush(stdout) != 0
                   ? Fail("standard output cannot be written")
                   : 0;
    std::error_code error;
    if (!request.force && fs::exists(request.target, error))
        return Fail(request.target + " is there already and stays as it is; --force replaces it");
    std::string why;
    if (!ReplaceFile(request.target, text, why)) return Fail(request.target + " cannot be written: " + why);
    return 0;
}

int InstallProfile(const SettingsRequest& request) {
    std::string fault;
    const std::optional<SettingValues> values = CheckedValues(request.values, request.preset, fault);
    if (!values) return Fail(fault, kUsageError);
    if (values->empty()) return Fail("a profile needs a setting: KEY=VALUE or --preset NAME", kUsageError);
    const fs::path path = ProfilePath(request.target);
    if (path.empty()) return 1;
    std::error_code error;
    fs::create_directories(path.parent_path(), error);
    std::string why = error.message();
    if (error || !ReplaceFile(path, ProfileText(path.stem().string(), *values), why))
        return Fail(path.string() + " cannot be written: " + why);
    std::printf("%s\n", path.c_str());
    return 0;
}

int RemoveProfile(const SettingsRequest& request) {
    const fs::path path = ProfilePath(request.target);
    if (path.empty()) return 1;
    std::error_code error;
    if (fs::remove(path, error)) return 0;
    return Fail(path.string() +
                (error ? " cannot be removed: " + error.message() : " is not there: the program has no profile"));
}

int ListProfiles() {
    std::error_code error;
    std::vector<fs::path> found;
    for (fs::directory_iterator entry(ProfileFolder(), error), end; !error && entry != end; entry.increment(error))
        if (entry->path().extension() == ".txt") found.push_back(entry->path());
    std::sort(found.begin(), found.end());
    for (const fs::path& path : found) {
        std::printf("%s\n", path.stem().c_str());
        std::ifstream file(path);
        for (std::string line; std::getline(file, line);)
            if (line.starts_with(kPrefix)) std::printf("    %s\n", line.c_str() + std::strlen(kPrefix));
    }
    return 0;
}

}  // namespace kronos::command
