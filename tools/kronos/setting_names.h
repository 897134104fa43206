// SPDX-License-Identifier: Apache-2.0
// The layer's setting names as the command needs them: look-up, nearest name, environment variables. Any thread.
#pragma once

#include <string>
#include <string_view>

#include "kronos/settings_info.h"

namespace kronos::command {

/// The setting with this key, or nullptr.
const SettingInfo* FindSetting(std::string_view key);

/// The setting that an environment variable gives a value (its long or short name), or nullptr.
const SettingInfo* SettingOfVariable(std::string_view name);

/// The known key nearest to a wrong one (by Levenshtein distance), and all keys as "a, b, c".
std::string NearestKey(std::string_view key);
std::string AllKeys();
std::string AllPresets();
bool IsPreset(std::string_view name);

}  // namespace kronos::command
