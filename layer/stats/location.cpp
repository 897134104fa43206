// SPDX-License-Identifier: Apache-2.0
#include "stats/location.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <vector>

#include "support/process.h"

namespace kronos {
namespace fs = std::filesystem;
namespace {

constexpr const char* kSuffixes[] = {".kronos.jsonl", ".kronos.csv"};

// True when the folder is there, ours and writable. Missing folders are made, for us alone, but only under one that
// exists and is ours: no home is made that was not there, and none of somebody else (sudo -E) gets files that he cannot
// remove.
bool MakeFolder(const fs::path& folder) {
    struct stat status = {};
    const auto is_ours = [&] {
        return S_ISDIR(status.st_mode) && status.st_uid == geteuid() && access(folder.c_str(), W_OK | X_OK) == 0;
    };
    if (stat(folder.c_str(), &status) == 0) return is_ours();
    const fs::path parent = folder.parent_path();
    const bool temporary = lstat(parent.c_str(), &status) == 0 && S_ISDIR(status.st_mode) && (status.st_mode & S_ISVTX);
    if (!temporary && (parent == folder || !parent.has_relative_path() || !MakeFolder(parent))) return false;
    if (mkdir(folder.c_str(), 0700) == 0) return true;
    // Another process of the program's was faster.
    return errno == EEXIST && stat(folder.c_str(), &status) == 0 && is_ours();
}

fs::path DefaultFolder() {
    for (const fs::path& place : StatsFolders())
        if (MakeFolder(place)) return place;
    return {};
}

// Of a process that is no more. What users call otherwise is theirs.
bool IsLeftOver(const fs::path& path) {
    const std::optional<pid_t> pid = ProcessOfStatsFile(path);
    return pid && kill(*pid, 0) != 0 && errno == ESRCH;
}

}  // namespace

std::vector<fs::path> StatsFolders() {
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
    return places;
}

std::optional<pid_t> ProcessOfStatsFile(const fs::path& path) {
    std::string_view name = path.native();
    name.remove_prefix(name.rfind('/') + 1);
    // The older files of a process that wrote much: .1, .2, ...
    if (const size_t dot = name.rfind('.');
        dot + 1 < name.size() && name.find_first_not_of("0123456789", dot + 1) == std::string_view::npos)
        name = name.substr(0, dot);
    const auto* suffix =
        std::find_if(std::begin(kSuffixes), std::end(kSuffixes), [&](const char* s) { return name.ends_with(s); });
    if (suffix == std::end(kSuffixes)) return std::nullopt;
    name.remove_suffix(std::strlen(*suffix));
    const size_t dash = name.rfind('-');
    pid_t pid = 0;
    if (dash == std::string_view::npos) return std::nullopt;
    const auto [end, error] = std::from_chars(name.data() + dash + 1, name.data() + name.size(), pid);
    if (error != std::errc() || end != name.data() + name.size() || pid <= 0) return std::nullopt;
    return pid;
}

void PruneStatsFiles(const std::string& folder, size_t keep) {
    // Not by std::filesystem, whose iterators end the process when there is no memory.
    const std::unique_ptr<DIR, int (*)(DIR*)> opened(opendir(folder.c_str()), closedir);
    if (!opened) return;
    std::error_code error;
    std::vector<std::pair<fs::file_time_type, fs::path>> files;
    while (const dirent* entry = readdir(opened.get())) {
        const fs::path path = fs::path(folder) / entry->d_name;
        if (!IsLeftOver(path) || !fs::is_regular_file(path, error)) continue;
        const auto time = fs::last_write_time(path, error);
        if (!error) files.emplace_back(time, path);
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
