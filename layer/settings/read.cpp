// SPDX-License-Identifier: Apache-2.0
#include "settings/read.h"

#include <unistd.h>
#include <vulkan/layer/vk_layer_settings.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string_view>

#include "support/text.h"

namespace kronos {
namespace {

constexpr const char* kLayerName = "VK_LAYER_KRONOS_compute";
constexpr std::string_view kFilePrefix = "kronos_compute.";
// Variables of ours that are not settings: the manifest's switches and the launcher's driver search path.
constexpr std::string_view kOtherVariables[] = {"KRONOS_ENABLE", "KRONOS_DISABLE", "KRONOS_ICD_SEARCH_PATHS"};

// Our lines of a settings file, exactly as written.
std::vector<GivenSetting> FileLines(const std::filesystem::path& path) {
    std::vector<GivenSetting> lines;
    if (path.empty()) return lines;
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        std::string_view text = Trim(std::string_view(line).substr(0, line.find('#')));
        if (!text.starts_with(kFilePrefix)) continue;
        text.remove_prefix(kFilePrefix.size());
        const size_t equals = text.find('=');
        lines.push_back({Lower(Trim(text.substr(0, equals))),
                         equals == std::string_view::npos ? "" : std::string(Trim(text.substr(equals + 1))),
                         path.string()});
    }
    return lines;
}

void AddUnknownVariables(std::vector<GivenSetting>& given) {
    for (char** variable = environ; variable && *variable; ++variable) {
        const std::string_view text(*variable);
        const size_t equals = text.find('=');
        if (equals == std::string_view::npos) continue;
        const std::string_view name = text.substr(0, equals);
        std::string_view key;
        for (const std::string_view prefix : {std::string_view("VK_KRONOS_COMPUTE_"), std::string_view("KRONOS_")})
            if (name.starts_with(prefix) && key.empty()) key = name.substr(prefix.size());
        const SettingRow* row = FindSetting(Lower(key));
        if (key.empty() || (row && (name == row->long_env || name == row->short_env))) continue;
        bool other = false;
        for (const std::string_view known : kOtherVariables) other = other || name == known;
        // A known key in the wrong case is told by the whole name: variables are compared letter by letter.
        if (!other)
            given.push_back(
                {row ? std::string(name) : Lower(key), std::string(text.substr(equals + 1)), std::string(name)});
    }
}

}  // namespace

// The same file that LayerSettings takes; it does not say which, nor which unknown keys the file has.
std::filesystem::path FindSettingsFile() {
    constexpr const char* kName = "vk_layer_settings.txt";
    std::error_code ignored;
    std::vector<std::filesystem::path> places;
    if (const char* data = std::getenv("XDG_DATA_HOME"); data && *data) {
        places.push_back(std::filesystem::path(data) / "vulkan/settings.d" / kName);
    } else if (const char* home = std::getenv("HOME"); home && *home) {
        places.push_back(std::filesystem::path(home) / ".local/share/vulkan/settings.d" / kName);
    }
    if (const char* path = std::getenv("VK_LAYER_SETTINGS_PATH"); path && *path)
        places.push_back(std::filesystem::is_directory(path, ignored) ? std::filesystem::path(path) / kName
                                                                      : std::filesystem::path(path));
    places.emplace_back(kName);
    for (const auto& place : places)
        if (std::filesystem::is_regular_file(place, ignored)) return place;
    return {};
}

std::filesystem::path ProfileFolder() {
    if (const char* config = std::getenv("XDG_CONFIG_HOME"); config && *config)
        return std::filesystem::path(config) / "kronos/programs";
    if (const char* home = std::getenv("HOME"); home && *home)
        return std::filesystem::path(home) / ".config/kronos/programs";
    return {};
}

std::vector<std::filesystem::path> ProfileFolders() {
    std::vector<std::filesystem::path> folders;
    if (std::filesystem::path own = ProfileFolder(); !own.empty()) folders.push_back(std::move(own));
    // XDG Base Directory Specification.
    const char* given = std::getenv("XDG_CONFIG_DIRS");
    std::string_view rest = given && *given ? given : "/etc/xdg";
    while (!rest.empty()) {
        const std::string_view folder = rest.substr(0, rest.find(':'));
        rest.remove_prefix(std::min(rest.size(), folder.size() + 1));
        if (folder.starts_with('/')) folders.push_back(std::filesystem::path(folder) / "kronos/programs");
    }
    return folders;
}

ResolvedSettings ReadSettings(const VkInstanceCreateInfo* create_info, bool secure, const std::string& program) {
    if (secure) {
        const GivenSetting none{"stats", "off", "setuid program"};
        return ResolveSettings({&none, 1});
    }
    const VkLayerSettingsCreateInfoEXT* from_app = vkuFindLayerSettingsCreateInfo(create_info);
    // The profiles' lines first: the first one of a key counts.
    std::vector<GivenSetting> file;
    for (const std::filesystem::path& folder : ProfileFolders())
        for (GivenSetting& line : FileLines(folder / (program + ".txt"))) file.push_back(std::move(line));
    for (GivenSetting& line : FileLines(FindSettingsFile())) file.push_back(std::move(line));
    VkuLayerSettingSet set = VK_NULL_HANDLE;
    std::vector<GivenSetting> given;
    if (vkuCreateLayerSettingSet(kLayerName, from_app, nullptr, nullptr, &set) != VK_SUCCESS) set = VK_NULL_HANDLE;

    for (const SettingRow& row : kSettingRows) {
        // Environment and file are read here, exactly as written: LayerSettings tears a path at its colons, and passes
        // over a line without a value. The last two names are its own short forms.
        const std::string key(row.key);
        std::string upper(row.long_env + std::strlen("VK_KRONOS_COMPUTE_"));
        bool found = false;
        for (const std::string& name :
             {std::string(row.long_env), std::string(row.short_env), "VK_COMPUTE_" + upper, "VK_" + upper}) {
            const char* value = found ? nullptr : std::getenv(name.c_str());
            if (!value) continue;
            found = true;
            given.push_back({key, value, name});
        }
        const auto line =
            std::find_if(file.begin(), file.end(), [&](const GivenSetting& l) { return l.key == row.key; });
        if (!found && line != file.end()) given.push_back(*line);
        if (found || line != file.end() || !set || !vkuHasLayerSetting(set, key.c_str())) continue;
        uint32_t count = 0;
        vkuGetLayerSettingValues(set, key.c_str(), VKU_LAYER_SETTING_TYPE_STRING, &count, nullptr);
        std::vector<const char*> values(count);
        vkuGetLayerSettingValues(set, key.c_str(), VKU_LAYER_SETTING_TYPE_STRING, &count, values.data());
        std::string joined;
        for (const char* value : values) joined += (joined.empty() ? "" : ":") + std::string(value ? value : "");
        given.push_back({key, joined, "application"});
    }
    if (set) vkuDestroyLayerSettingSet(set, nullptr);

    AddUnknownVariables(given);
    for (const GivenSetting& line : file)
        if (!FindSetting(line.key)) given.push_back(line);
    for (const auto* info = from_app; info; info = vkuNextLayerSettingsCreateInfo(info)) {
        for (uint32_t i = 0; i < info->settingCount; ++i) {
            const VkLayerSettingEXT& setting = info->pSettings[i];
            if (setting.pLayerName && std::strcmp(setting.pLayerName, kLayerName) == 0 && setting.pSettingName &&
                !FindSetting(setting.pSettingName))
                given.push_back({setting.pSettingName, "", "application"});
        }
    }
    return ResolveSettings(given);
}

}  // namespace kronos
