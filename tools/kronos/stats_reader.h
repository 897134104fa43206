// SPDX-License-Identifier: Apache-2.0
// Statistics logs read into sums and frames, for summary, report and top. Pure but for the streams given. One thread.
#pragma once

#include <array>
#include <cstdint>
#include <istream>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "stats/memory_levels.h"

namespace kronos::command {

struct Counter {
    std::string name;
    uint64_t asked = 0;
    uint64_t driver = 0;
};

/// What of each frame is kept: what is drawn, and what predictions are made of.
enum class Series : uint32_t {
    kBarriersAsked,
    kBarriersDriver,
    kBarriersNecessary,
    kBarriersEmitted,
    kSubmitsAsked,
    kSubmitsDriver,
    kCommandBuffers,
    kDispatches,
    kAllocationsAsked,
    kAllocationsDriver,
    kBytesAsked,
    kBytesDriver,
    kFrees,
    kFencesCreated,
    kFencesDestroyed,
    kWaits,
    kWaitNs,
    kSpinNs,
    kCount
};
inline constexpr size_t kSeriesCount = static_cast<size_t>(Series::kCount);

/// Why a barrier that a held (or observed) command buffer needs was emitted: all of these are the emitted ones.
inline constexpr const char* kEmittedReasons[] = {
    "barriers_fixed",   "barriers_upload_read", "barriers_read_write", "barriers_write_read", "barriers_write_write",
    "barriers_earlier", "barriers_hard",        "barriers_fence",      "barriers_opaque",     "barriers_end"};

struct FrameRow {
    uint64_t number = 0;
    uint32_t run = 0;  ///< which of several runs that were added up
    double at_ms = 0;  ///< since the device was created
    double ms = 0;
    std::array<uint64_t, kSeriesCount> value{};

    uint64_t At(Series series) const { return value[static_cast<size_t>(series)]; }
};

/// One device of one process.
struct DeviceTotals {
    std::string name;
    std::string program;
    std::string driver;
    std::vector<std::string> unknown_extensions;  ///< of the device, unknown to the layer that ran
    std::string type;                             ///< "discrete", "cpu", ...; empty in logs of the layer's first weeks
    std::string time;                             ///< of creation
    uint64_t pid = 0;
    uint64_t index = 0;
    uint64_t frames = 0;
    double ms = 0;                  ///< that the device lived, or so far
    bool complete = false;          ///< its summary line is there; else the counters are the sums of its frames
    std::vector<Counter> counters;  ///< in the order of the log
    std::vector<Counter> did;       ///< what the layer decided, in `asked`; in the order of the log
    std::map<uint64_t, HeapLevels> memory_most;   ///< by heap: the highest of each number
    std::map<std::string, std::string> settings;  ///< in effect; empty where the log does not tell
    std::vector<FrameRow> rows;                   ///< the frames that the log has, by number

    uint64_t Asked(std::string_view counter) const;
    uint64_t Driver(std::string_view counter) const;
    uint64_t Did(std::string_view decision) const;
    /// All decisions whose names begin so.
    uint64_t DidAll(std::string_view prefix) const;
};

struct LogTotals {
    std::vector<DeviceTotals> devices;  ///< in the order of their first line
    uint64_t lines = 0;
    uint64_t damaged = 0;                 ///< not JSON, or not of the known shape
    std::string first_damaged;            ///< "FILE:LINE: how it begins"
    uint64_t other_version = 0;           ///< written in a format this command does not know
    std::string a_version;                ///< of those the first
    std::vector<std::string> unreadable;  ///< "FILE cannot be read: why", one a file
};

/// Reads logs, one after the other. What belongs to one device is one entry, from however many files it comes: full
/// files are continued in others.
class StatsReader {
  public:
    /// `name`: for people.
    void Read(std::istream& in, const std::string& name);
    /// One line. False when it is damaged.
    bool ReadLine(const std::string& text);
    /// False, with a line in `unreadable`, when the file cannot be read.
    bool ReadFile(const std::string& path);

    /// Frames that ended longer before a device's last one are forgotten; the sums stay.
    void KeepRows(double ms);

    /// What was read so far, frames in their order.
    const LogTotals& Totals();
    LogTotals TakeTotals();

  private:
    void Sort();

    LogTotals totals_;
    std::map<std::pair<uint64_t, uint64_t>, size_t> device_of_;  // by process and number: the latest of that name
};

LogTotals ReadLog(std::istream& in);

/// What is wrong with the logs, one line each, for people: damaged lines, other versions.
std::vector<std::string> ReadingFaults(const LogTotals& totals);

}  // namespace kronos::command
