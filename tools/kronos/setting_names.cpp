// SPDX-License-Identifier: Apache-2.0
// The layer's setting names as the command needs them.
#include "setting_names.h"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <vector>

namespace kronos::command {
namespace {

size_t EditDistance(std::string_view a, std::string_view b) {
    std::vector<size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), size_t{0});
    for (size_t i = 1; i <= a.size(); ++i) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.size(); ++j) {
            size_t replaced = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
        }
    }
    return row[b.size()];
}

}  // namespace

const SettingInfo* FindSetting(std::string_view key) {
    auto found = std::find_if(std::begin(kSettings), std::end(kSettings), [&](auto& s) { return key == s.key; });
    return found == std::end(kSettings) ? nullptr : &*found;
}

const SettingInfo* SettingOfVariable(std::string_view name) {
    auto found = std::find_if(std::begin(kSettings), std::end(kSettings),
                              [&](auto& s) { return name == s.env || name == s.short_env; });
    return found == std::end(kSettings) ? nullptr : &*found;
}

std::string NearestKey(std::string_view key) {
    return std::min_element(std::begin(kSettings), std::end(kSettings),
                            [&](auto& a, auto& b) { return EditDistance(key, a.key) < EditDistance(key, b.key); })
        ->key;
}

std::string AllKeys() {
    std::string keys;
    for (const SettingInfo& setting : kSettings) keys += (keys.empty() ? "" : ", ") + std::string(setting.key);
    return keys;
}

std::string AllPresets() {
    std::string presets;
    for (const char* preset : kPresets) presets += (presets.empty() ? "" : ", ") + std::string(preset);
    return presets;
}

bool IsPreset(std::string_view name) {
    return std::find(std::begin(kPresets), std::end(kPresets), name) != std::end(kPresets);
}

}  // namespace kronos::command
