// SPDX-License-Identifier: Apache-2.0
// What the doctor found: one line per check. Plain data.
#pragma once

#include <string>
#include <vector>

namespace kronos::command {

enum class Status {
    kOk,
    kWarning,  ///< something is odd, but the layer works
    kFault,    ///< the layer, or Vulkan at all, would not work
};

struct Finding {
    Status status;
    std::string check;  ///< what was looked at: "loader", "driver", "layer", ...
    std::string text;
    std::string fix;  ///< for warnings and faults
};

using Findings = std::vector<Finding>;

bool HasFault(const Findings& findings);
std::string FormatText(const Findings& findings);
std::string FormatJson(const Findings& findings);

}  // namespace kronos::command
