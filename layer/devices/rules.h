// SPDX-License-Identifier: Apache-2.0
// From settings to rules for the list of devices. Pure but for the environment that it is given; any thread.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "devices/policy.h"
#include "kronos/settings.h"

namespace kronos {

/// `program`: its file name, for device_rules. `get`: a variable's value, or nullptr; asked only where ranks count.
DeviceRules RulesOf(const Settings& settings, std::string_view program,
                    const std::function<const char*(const char*)>& get, std::vector<std::string>& problems);

/// Of what would have had to be done before the loader was asked for drivers, and is set all the same: a line.
std::vector<std::string> LateVariables(const std::function<const char*(const char*)>& get);

}  // namespace kronos
