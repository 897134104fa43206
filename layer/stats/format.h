// SPDX-License-Identifier: Apache-2.0
// The lines of the statistics log, as text: pure. The schema: layer/stats/log.schema.json, and README.md ("Read the
// log").
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "stats/frame.h"

namespace kronos {

/// Goes up when a key changes its meaning or goes away; new keys alone do not raise it.
inline constexpr int kStatsSchema = 1;

/// The device a line speaks of. Set once when the device is created.
struct DeviceLabel {
    uint32_t index = 0;  ///< of the device within the process, from 0
    int pid = 0;
    std::string program;
    std::string name;                                           ///< VkPhysicalDeviceProperties::deviceName
    std::string driver;                                         ///< name and version
    std::string api;                                            ///< "1.3.230"
    std::string time;                                           ///< of creation, UTC, ISO 8601
    std::string type;                                           ///< "discrete", "integrated", "virtual", "cpu", "other"
    std::vector<std::pair<std::string, std::string>> settings;  ///< in effect: key, value
    std::vector<std::string> unknown = {};                      ///< UnknownExtensions
};

struct Summary {
    uint64_t frames = 0;
    uint64_t elapsed_ns = 0;  ///< since the device was created
    bool at_exit = false;     ///< the process ended while the device lived
    CounterValues counted;
    MemoryLevels memory_most = {};  ///< the highest that were seen, of each number
};

/// `part`: which file of this process it stands in, from 1 on; a file that is full, or gone, is followed by another.
std::string DeviceJson(const DeviceLabel& device, uint32_t part = 1);
std::string FrameJson(const DeviceLabel& device, const Frame& frame);
std::string SummaryJson(const DeviceLabel& device, const Summary& summary);

std::string CsvHeader();
std::string DeviceCsv(const DeviceLabel& device);
std::string FrameCsv(const DeviceLabel& device, const Frame& frame);
std::string SummaryCsv(const DeviceLabel& device, const Summary& summary);

}  // namespace kronos
