// SPDX-License-Identifier: Apache-2.0
#include "stats/location.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include "support/process.h"

namespace kronos {
namespace fs = std::filesystem;
namespace {

constexpr const char* kSuffixes[] = {".kronos.jsonl", ".kronos.csv"};

fs::path DefaultFolder() {
    std::error_code error;
    std::vector<fs::path> places;
    const char* state = std::getenv("XDG_STATE_HOME");
    const char* home = std::getenv("HOME");
    if (state && *state == '/')
        places.push_back(fs::path(state) / "kronos");
    else if (home && *home == '/')
        places.push_back(fs::path(home) / ".local/state/kronos");
    // In a shared temporary folder somebody else can have made the name first: only a folder of our own will do.
    if (const fs::path temporary = fs::temp_directory_path(error); !error)
        places.push_back(temporary / ("kronos-" + std::to_string(getuid())));
    for (const fs::path& place : places) {
        fs::create_directories(place, error);
        struct stat status = {};
        if (lstat(place.c_str(), &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == geteuid() &&
            access(place.c_str(), W_OK | X_OK) == 0)
            return place;
    }
    return {};
}

bool IsStatsFile(const fs::path& path) {
    const std::string name = path.filename().string();
    return std::any_of(std::begin(kSuffixes), std::end(kSuffixes),
                       [&](const char* suffix) { return name.ends_with(suffix); });
}

}  // namespace

void PruneStatsFiles(const std::string& folder, size_t keep) {
    std::error_code error;
    std::vector<std::pair<fs::file_time_type, fs::path>> files;
    for (const auto& entry : fs::directory_iterator(folder, error)) {
        if (!IsStatsFile(entry.path()) || !entry.is_regular_file(error)) continue;
        const auto time = entry.last_write_time(error);
        if (!error) files.emplace_back(time, entry.path());
    }
    if (files.size() <= keep) return;
    std::sort(files.begin(), files.end());
    for (size_t i = 0; i + keep < files.size(); ++i) fs::remove(files[i].second, error);
}

std::string StatsPath(const Settings& settings, const Log& log) {
    if (!settings.stats_file.empty()) return ExpandPath(settings.stats_file);
    const fs::path folder = DefaultFolder();
    if (folder.empty()) {
        log.Warn(
            "stats_file is not set and no folder for it can be written (XDG_STATE_HOME, HOME, TMPDIR); counting "
            "without a file");
        return {};
    }
    const std::string suffix = settings.stats_format == StatsFormat::kCsv ? kSuffixes[1] : kSuffixes[0];
    const fs::path path = folder / ExpandPath("{program}-{pid}" + suffix);
    std::error_code error;
    if (settings.stats_keep > 0 && !fs::exists(path, error))
        PruneStatsFiles(folder.string(), static_cast<size_t>(settings.stats_keep) - 1);
    return path.string();
}

}  // namespace kronos
