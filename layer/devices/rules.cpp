// SPDX-License-Identifier: Apache-2.0
#include "devices/rules.h"

#include "devices/ranks.h"
#include "support/formatted.h"
#include "support/text.h"

namespace kronos {

DeviceRules RulesOf(const Settings& settings, std::string_view program,
                    const std::function<const char*(const char*)>& get, std::vector<std::string>& problems) {
    DeviceRules rules;
    rules.aggregate = settings.aggregate_icd;
    rules.prefer_hardware = settings.prefer_hardware;
    rules.collapse = settings.collapse_drivers;
    rules.by_score = settings.device_order == DeviceOrder::kScore;
    rules.none_if_unmatched = settings.device_unmatched == DeviceUnmatched::kNone;
    rules.rank_mode = settings.device_rank;
    rules.selector_text = settings.device;
    if (rules.selector_text.empty()) rules.selector_text = SelectorFor(settings.device_rules, program, problems);
    rules.selector = ParseSelector(rules.selector_text);
    if (rules.rank_mode != DeviceRank::kOff) {
        rules.rank = FindLocalRank(get, problems);
        if (!rules.rank) problems.emplace_back("device_rank is on, but no launcher told a rank; all devices stay");
    }
    return rules;
}

std::vector<std::string> LateVariables(const std::function<const char*(const char*)>& get) {
    // kronos run takes it away when it has done what it asks for.
    const char* paths = get("KRONOS_ICD_SEARCH_PATHS");
    if (!paths || !*paths) return {};
    return {
        Format("KRONOS_ICD_SEARCH_PATHS = '{}' is too late here, the loader has its drivers; start the program with "
               "kronos run, or set VK_ADD_DRIVER_FILES",
               Printable(paths))};
}

}  // namespace kronos
