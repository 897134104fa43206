// SPDX-License-Identifier: Apache-2.0
// kronos report --trace: frames as trace events.
#include <algorithm>
#include <ctime>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "report.h"

namespace kronos::command {
namespace {

using nlohmann::ordered_json;

// Seconds since 1970 of "2026-01-01T00:00:00Z"; 0 for what is no such time.
int64_t Seconds(const std::string& time) {
    std::tm utc = {};
    const char* end = strptime(time.c_str(), "%Y-%m-%dT%H:%M:%SZ", &utc);
    return end && !*end ? static_cast<int64_t>(timegm(&utc)) : 0;
}

struct Track {
    const char* name;
    std::vector<std::pair<const char*, Series>> values;
    double scale;
};
const std::vector<Track>& Tracks() {
    static const std::vector<Track> tracks = {
        {"submits", {{"asked", Series::kSubmitsAsked}, {"driver", Series::kSubmitsDriver}}, 1},
        {"barriers", {{"asked", Series::kBarriersAsked}, {"driver", Series::kBarriersDriver}}, 1},
        {"dispatches", {{"asked", Series::kDispatches}}, 1},
        {"allocations", {{"asked", Series::kAllocationsAsked}, {"driver", Series::kAllocationsDriver}}, 1},
        {"waiting, ms", {{"program", Series::kWaitNs}, {"spinning", Series::kSpinNs}}, 1e-6},
    };
    return tracks;
}

}  // namespace

std::string TraceJson(const LogTotals& totals) {
    int64_t first = std::numeric_limits<int64_t>::max();
    for (const DeviceTotals& device : totals.devices) first = std::min(first, Seconds(device.time));
    ordered_json events = ordered_json::array();
    std::set<uint64_t> named;
    for (const DeviceTotals& device : totals.devices) {
        const uint64_t row = device.index + 1;
        if (named.insert(device.pid).second)
            events.push_back(
                {{"ph", "M"}, {"pid", device.pid}, {"name", "process_name"}, {"args", {{"name", device.program}}}});
        events.push_back({{"ph", "M"},
                          {"pid", device.pid},
                          {"tid", row},
                          {"name", "thread_name"},
                          {"args", {{"name", "frames on " + device.name}}}});
        const double begin_us = static_cast<double>(Seconds(device.time) - first) * 1e6;
        const std::string prefix = "device " + std::to_string(device.index) + ": ";
        for (const FrameRow& frame : device.rows) {
            const double at_us = begin_us + frame.at_ms * 1e3;
            ordered_json arguments = ordered_json::object();
            for (const Track& track : Tracks()) {
                ordered_json values = ordered_json::object();
                for (const auto& [name, series] : track.values) {
                    if (track.scale == 1)
                        values[name] = frame.At(series);
                    else
                        values[name] = static_cast<double>(frame.At(series)) * track.scale;
                }
                arguments[track.name] = values;
                events.push_back(
                    {{"ph", "C"}, {"pid", device.pid}, {"ts", at_us}, {"name", prefix + track.name}, {"args", values}});
            }
            events.push_back({{"ph", "X"},
                              {"pid", device.pid},
                              {"tid", row},
                              {"ts", at_us},
                              {"dur", frame.ms * 1e3},
                              {"name", "frame " + std::to_string(frame.number)},
                              {"cat", "frame"},
                              {"args", arguments}});
        }
        // After the last frame nothing is counted.
        if (!device.rows.empty()) {
            for (const Track& track : Tracks()) {
                ordered_json none = ordered_json::object();
                for (const auto& value : track.values) none[value.first] = 0;
                events.push_back({{"ph", "C"},
                                  {"pid", device.pid},
                                  {"ts", begin_us + (device.rows.back().at_ms + device.rows.back().ms) * 1e3},
                                  {"name", prefix + track.name},
                                  {"args", none}});
            }
        }
    }
    const ordered_json document = {{"displayTimeUnit", "ms"}, {"traceEvents", events}};
    return document.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace kronos::command
