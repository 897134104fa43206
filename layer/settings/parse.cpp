// SPDX-License-Identifier: Apache-2.0
#include "settings/parse.h"

#include <charconv>
#include <cstring>
#include <map>

#include "support/formatted.h"
#include "support/text.h"

namespace kronos {
namespace {

// Sets one field; false when the text is not a value of it.
bool Set(Settings& settings, const SettingRow& row, std::string_view text) {
    void* field = row.field(settings);
    switch (row.type) {
        case SettingType::kEnum:
            for (int32_t i = 0; i < row.name_count; ++i) {
                if (Lower(text) == row.names[i]) {
                    std::memcpy(field, &i, sizeof i);  // the field's type is an enumeration of this size
                    return true;
                }
            }
            return false;
        case SettingType::kInt: {
            int64_t value = 0;
            const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
            if (error != std::errc() || end != text.data() + text.size() || value < row.min || value > row.max)
                return false;
            *static_cast<int64_t*>(field) = value;
            return true;
        }
        case SettingType::kBool: {
            const std::string lower = Lower(text);
            const bool on = lower == "true" || lower == "1" || lower == "on";
            if (!on && lower != "false" && lower != "0" && lower != "off") return false;
            *static_cast<bool*>(field) = on;
            return true;
        }
        case SettingType::kText:
            if (text.find('\n') != std::string_view::npos) return false;
            *static_cast<std::string*>(field) = text;
            return true;
    }
    return false;
}

std::string ValueText(Settings& settings, const SettingRow& row) {
    const void* field = row.field(settings);
    switch (row.type) {
        case SettingType::kEnum:
            return std::string(row.names[*static_cast<const int32_t*>(field)]);
        case SettingType::kInt:
            return std::to_string(*static_cast<const int64_t*>(field));
        case SettingType::kBool:
            return *static_cast<const bool*>(field) ? "true" : "false";
        case SettingType::kText:
            return *static_cast<const std::string*>(field);
    }
    return {};
}

}  // namespace

std::string EffectiveSetting::Line() const {
    return Format("{} = {} ({})", key, value.empty() ? "''" : Printable(value), source);
}

std::vector<std::pair<std::string_view, std::string>> SettingTexts(const Settings& settings) {
    std::vector<std::pair<std::string_view, std::string>> texts;
    Settings copy = settings;  // the rows give fields to be written too
    for (const SettingRow& row : kSettingRows) texts.emplace_back(row.key, ValueText(copy, row));
    return texts;
}

const SettingRow* FindSetting(std::string_view key) {
    for (const SettingRow& row : kSettingRows)
        if (row.key == key) return &row;
    return nullptr;
}

std::string UnknownSettingLine(std::string_view key, std::string_view value, std::string_view source) {
    std::string_view nearest = kSettingRows[0].key;
    std::string all;
    for (const SettingRow& row : kSettingRows) {
        if (EditDistance(Lower(key), row.key) < EditDistance(Lower(key), nearest)) nearest = row.key;
        all += (all.empty() ? "" : ", ") + std::string(row.key);
    }
    return Format("unknown setting '{}' = '{}' ({}); nearest is '{}', known are: {}; it is ignored", Printable(key),
                  Printable(value), source, nearest, all);
}

ResolvedSettings ResolveSettings(std::span<const GivenSetting> given) {
    ResolvedSettings out;
    std::map<std::string_view, std::string> sources;

    // The preset first, for it moves the defaults of the others.
    for (const bool presets : {true, false}) {
        for (const GivenSetting& entry : given) {
            const SettingRow* row = FindSetting(entry.key);
            if (!row) {
                if (presets) out.problems.push_back(UnknownSettingLine(entry.key, entry.value, entry.source));
                continue;
            }
            if ((row->key == "preset") != presets || sources.contains(row->key)) continue;
            const std::string_view value = Trim(entry.value);
            if (Set(out.settings, *row, value)) {
                sources[row->key] = entry.source;
            } else {
                out.problems.push_back(Format("{} = '{}' ({}) is not allowed; allowed: {}; using '{}'", row->key,
                                              Printable(value), entry.source, row->allowed,
                                              ValueText(out.settings, *row)));
                sources[row->key] = "instead of a bad value";
            }
        }
        if (!presets) continue;
        const std::string name = ValueText(out.settings, *FindSetting("preset"));
        for (const PresetRow& preset : kPresetRows)
            if (preset.preset == name) Set(out.settings, *FindSetting(preset.key), preset.value);
    }
    for (const SettingRow& row : kSettingRows) {
        const auto source = sources.find(row.key);
        const std::string value = ValueText(out.settings, row);
        out.effective.push_back({std::string(row.key), value,
                                 source != sources.end()     ? source->second
                                 : value == row.default_text ? "default"
                                                             : "preset"});
    }
    return out;
}

}  // namespace kronos
