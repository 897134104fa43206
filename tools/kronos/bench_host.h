// SPDX-License-Identifier: Apache-2.0
// The machine that a benchmark ran on, a folder for its files, and its progress on standard error. One thread.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "environment.h"

namespace kronos::command {

/// "AMD EPYC 9454, 2 of 4 cores, Linux 6.1.0-18-amd64".
std::string MachineText();

/// Now, UTC, as 2026-01-31T12:00:00Z.
std::string DateText();

/// The loader's version and path, asked in a child process.
std::string LoaderText(const std::filesystem::path& kronos, const Environment& environment);

/// Arguments as a shell would take them.
std::string CommandText(const std::vector<std::string>& words);

/// Removed with all that is in it.
class ScratchFolder {
  public:
    ScratchFolder();
    ~ScratchFolder();
    ScratchFolder(const ScratchFolder&) = delete;
    ScratchFolder& operator=(const ScratchFolder&) = delete;
    const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

/// On a terminal one line that changes; elsewhere a line for each new workload, and one every ten seconds.
class Progress {
  public:
    /// `steps`, 0: not known.
    Progress(size_t steps, bool terminal) : steps_(steps), terminal_(terminal) {}
    ~Progress() { Clear(); }
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;
    void Step(const std::string& workload, const std::string& what);
    void Clear();

  private:
    size_t steps_;
    size_t done_ = 0;
    bool terminal_;
    bool shown_ = false;
    std::string workload_;
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
    std::chrono::steady_clock::time_point told_ = start_;
};

}  // namespace kronos::command
