// SPDX-License-Identifier: Apache-2.0
// From texts to the Settings struct: pure, no environment, no files. Any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kronos/settings.h"

namespace kronos {

/// A value somebody gave for a setting.
struct GivenSetting {
    std::string key;
    std::string value;
    std::string source;  ///< for people: "KRONOS_STATS", "settings file", "application"
};

/// The value that a setting has in the end.
struct EffectiveSetting {
    std::string key;
    std::string value;
    std::string source;  ///< of GivenSetting, "preset", "default", or "instead of a bad value"

    std::string Line() const;  ///< "stats = off (KRONOS_STATS)"
};

struct ResolvedSettings {
    Settings settings;
    std::vector<std::string> problems;        ///< one line each: key, value, what is allowed, what is used instead
    std::vector<EffectiveSetting> effective;  ///< one a setting, in the order of the template
};

/// All settings as key and text, in the order of the template.
std::vector<std::pair<std::string_view, std::string>> SettingTexts(const Settings& settings);

/// Applies defaults, then the preset, then what was given. The first value given for a key wins; a bad one is reported
/// and the preset's or default value stays. Unknown keys are reported with the nearest known one.
ResolvedSettings ResolveSettings(std::span<const GivenSetting> given);

/// "unknown setting 'statz' ...": one line.
std::string UnknownSettingLine(std::string_view key, std::string_view value, std::string_view source);

/// The row of a key, or nullptr. Keys are compared letter by letter.
const SettingRow* FindSetting(std::string_view key);

}  // namespace kronos
