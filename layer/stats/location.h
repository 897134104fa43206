// SPDX-License-Identifier: Apache-2.0
// Where the statistics of this process go when nobody says. Called when the first device of an instance is created.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "kronos/settings.h"
#include "support/log.h"

namespace kronos {

/// The path that stats_file stands for, with {program} and {pid} replaced. Empty stats_file: a file in
/// $XDG_STATE_HOME/kronos or ~/.local/state/kronos, which is made, or failing that in the temporary folder; the oldest
/// files of the folder go when there are more than stats_keep. Returns "" when no folder can be had (one line in
/// `log`).
std::string StatsPath(const Settings& settings, const Log& log);

/// The folders that may be meant when stats_file is empty, the first choice first. They need not be there. Also for the
/// kronos command.
std::vector<std::filesystem::path> StatsFolders();

/// The process that a file belongs to, by the name that the layer gives files itself, <program>-<pid>; nullopt for
/// other names.
std::optional<pid_t> ProcessOfStatsFile(const std::filesystem::path& path);

/// Removes the oldest statistics files of processes that are no more until at most `keep` of those remain. Files of
/// running processes and files under other names are never touched.
void PruneStatsFiles(const std::string& folder, size_t keep);

}  // namespace kronos
