// SPDX-License-Identifier: Apache-2.0
// kronos summary: a statistics log (JSON lines) read and shown as a table per device. One thread.
#pragma once

#include <cstdint>
#include <istream>
#include <string>
#include <vector>

namespace kronos::command {

struct Counter {
    std::string name;
    uint64_t asked = 0;   ///< by the program
    uint64_t driver = 0;  ///< what of it reached the driver
};

/// What the log says of one device of one process.
struct DeviceTotals {
    std::string name;
    std::string program;
    uint64_t frames = 0;
    bool complete = false;          ///< its summary line is there; else the counters are the sums of its frames
    std::vector<Counter> counters;  ///< in the order of the log
    std::vector<Counter> did;       ///< what the layer decided, in `asked`; in the order of the log
};

struct LogTotals {
    std::vector<DeviceTotals> devices;  ///< in the order of their first line
    uint64_t lines = 0;
    uint64_t damaged = 0;        ///< not JSON, or not of the known shape
    uint64_t other_version = 0;  ///< written in a format this command does not know
};

LogTotals ReadLog(std::istream& in);
std::string FormatTotals(const LogTotals& totals);

/// The sub-command: 0, or 1 with a line when the file cannot be read or holds no statistics.
int Summary(const std::string& file);

}  // namespace kronos::command
