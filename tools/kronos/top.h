// SPDX-License-Identifier: Apache-2.0
// kronos top: the programs that run with the layer, by their logs, which are followed while they grow. One thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "stats_reader.h"

namespace kronos::command {

struct TopRequest {
    std::vector<std::string> logs;  ///< none: those of living processes in the default folders
    bool json = false;
    double interval_s = 1;
    int count = 0;  ///< 0: for ever on a terminal, else once
};

/// A log that is read on from where it was read to.
/// How much of a log rates are made of.
inline constexpr double kTopWindowMs = 1000;

class FollowedLog {
  public:
    explicit FollowedLog(std::string path) : path_(std::move(path)) {}
    /// Reads what is new. A file that became shorter, or is another under the same name (it was full, or deleted), is
    /// read from its begin. False when it cannot be read.
    bool Update();
    /// It could be read at least once.
    bool seen() const { return inode_ != 0; }
    const LogTotals& Totals() { return reader_.Totals(); }
    const std::string& path() const { return path_; }
    /// How long nothing was written, in milliseconds.
    double age_ms() const { return age_ms_; }

  private:
    void ReadOn(std::istream& in);

    std::string path_;
    StatsReader reader_;
    uint64_t offset_ = 0;
    std::string rest_;  // a line that is not complete yet
    std::string head_;  // how the file begins
    dev_t device_ = 0;
    ino_t inode_ = 0;
    double age_ms_ = 0;
};

/// A device of a process, as a row of the table. Rates are of the last second that the log tells of, a second each; all
/// zero when nothing was written for longer than that.
struct TopRow {
    uint64_t pid = 0;
    uint64_t device = 0;
    std::string program, name, log;
    bool alive = false;
    bool ended = false;  ///< the device was destroyed, or the process has told that it ends
    double age_ms = 0;
    uint64_t frames = 0;
    double frame_rate = 0, submit_rate = 0, driver_submit_rate = 0, dispatch_rate = 0, barrier_rate = 0,
           driver_barrier_rate = 0, allocation_rate = 0, driver_allocation_rate = 0;
    double wait_share = 0;  ///< of the time, 0 to 1; more where several threads wait
};

TopRow RowOf(const DeviceTotals& device, double age_ms);

std::string FormatTop(const std::vector<TopRow>& rows);
std::string TopJson(const std::vector<TopRow>& rows);

/// The sub-command: 0, or 1 with a line when a log that was named cannot be read.
int Top(const TopRequest& request);

}  // namespace kronos::command
