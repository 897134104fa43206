// SPDX-License-Identifier: Apache-2.0
// kronos settings: what is in effect and why, settings files, profiles of programs. One thread.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace kronos::command {

struct SettingsRequest {
    std::string program;              ///< show: whose; "": of none with a profile
    bool json = false;                ///< show
    std::string target;               ///< a file to write, or a program
    std::vector<std::string> values;  ///< KEY=VALUE
    std::string preset;               ///< or ""
    bool force = false;
};

using SettingValues = std::vector<std::pair<std::string, std::string>>;

/// The values taken apart and looked at as the layer looks at them. nullopt, with one line in `fault`, when one is not
/// allowed.
std::optional<SettingValues> CheckedValues(const std::vector<std::string>& values, const std::string& preset,
                                           std::string& fault);

/// A vk_layer_settings.txt: every setting with what it does; those not given are commented out, at their defaults.
std::string SettingsFileText(const SettingValues& values);
/// A profile: only what is given.
std::string ProfileText(const std::string& program, const SettingValues& values);

// The sub-commands: 0, 2 for a value that is not allowed, 1 for what cannot be read or written, or, shown, where a
// setting has a wrong value. A line on standard error each.
int ShowSettings(const SettingsRequest& request);
int WriteSettings(const SettingsRequest& request);
int InstallProfile(const SettingsRequest& request);
int RemoveProfile(const SettingsRequest& request);
int ListProfiles();

}  // namespace kronos::command
