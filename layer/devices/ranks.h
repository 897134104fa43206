// SPDX-License-Identifier: Apache-2.0
// Which of the processes on this machine a launcher says this one is. Pure; any thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "devices/policy.h"

namespace kronos {

/// `get`: a variable's value, or nullptr. The most specific launcher counts: one may run inside another. A value that
/// is no number is left out and named in `problems`.
std::optional<LocalRank> FindLocalRank(const std::function<const char*(const char*)>& get,
                                       std::vector<std::string>& problems);

}  // namespace kronos
