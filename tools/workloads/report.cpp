// SPDX-License-Identifier: Apache-2.0
// What was measured of each workload, as a table and as JSON.
#include "report.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "options.h"

namespace kronos::workloads {
namespace {

struct Spread {
    int64_t median = 0;
    int64_t min = 0;
    int64_t max = 0;
};

Spread SpreadOf(const std::vector<RunResult>& runs, std::chrono::nanoseconds RunResult::*part) {
    if (runs.empty()) return {};
    std::vector<int64_t> times;
    times.reserve(runs.size());
    for (const RunResult& run : runs) times.push_back((run.*part).count());
    std::sort(times.begin(), times.end());
    size_t middle = times.size() / 2;
    int64_t median = times.size() % 2 ? times[middle] : (times[middle - 1] + times[middle]) / 2;
    return {median, times.front(), times.back()};
}

nlohmann::json Json(const Spread& spread) {
    return {{"median_ns", spread.median}, {"min_ns", spread.min}, {"max_ns", spread.max}};
}

double Milliseconds(int64_t ns) { return static_cast<double>(ns) / 1e6; }

}  // namespace

void PrintHeader(const Context& context) {
    std::printf("device: %s (%s)\n", context.properties().deviceName, DeviceTypeName(context.properties().deviceType));
    std::printf("%-10s %6s %10s %-6s %12s  %s\n", "workload", "size", "dispatches", "result", "median",
                "min..max of a repeat");
}

void PrintRow(const Measurement& m) {
    Spread total = SpreadOf(m.runs, &RunResult::total);
    std::printf("%-10s %6s %10zu %-6s", m.workload.c_str(), SizeText(m.bytes).c_str(), m.dispatches,
                m.wrong ? "WRONG" : "ok");
    if (m.wrong) {
        std::printf(" %s\n", m.wrong->c_str());
    } else {
        std::printf(" %9.3f ms  %.3f..%.3f ms of %zu\n", Milliseconds(total.median), Milliseconds(total.min),
                    Milliseconds(total.max), m.runs.size());
    }
    std::fflush(stdout);
}

void WriteJson(const std::string& file, const Context& context, const std::vector<Measurement>& measurements) {
    nlohmann::json rows = nlohmann::json::array();
    for (const Measurement& m : measurements) {
        nlohmann::json row = {{"workload", m.workload},
                              {"writing", "naive"},
                              {"bytes", m.bytes},
                              {"rounds", m.rounds},
                              {"dispatches", m.dispatches},
                              {"repeats", m.runs.size()},
                              {"result", m.wrong ? "WRONG" : "ok"},
                              {"total", Json(SpreadOf(m.runs, &RunResult::total))},
                              {"upload", Json(SpreadOf(m.runs, &RunResult::upload))},
                              {"run", Json(SpreadOf(m.runs, &RunResult::dispatches))},
                              {"download", Json(SpreadOf(m.runs, &RunResult::download))}};
        if (m.wrong) row["difference"] = *m.wrong;
        rows.push_back(row);
    }
    const VkPhysicalDeviceProperties& properties = context.properties();
    nlohmann::json document = {{"v", 1},
                               {"device",
                                {{"name", properties.deviceName},
                                 {"type", DeviceTypeName(properties.deviceType)},
                                 {"vendor_id", properties.vendorID},
                                 {"device_id", properties.deviceID},
                                 {"driver_version", properties.driverVersion},
                                 {"api_version", properties.apiVersion}}},
                               {"measurements", rows}};
    std::string text = document.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
    if (file == "-") {
        std::cout << text << std::flush;
        return;
    }
    std::ofstream out(file);
    out << text;
    out.close();
    if (!out) throw WorkloadError("--json " + file + " cannot be written: " + std::strerror(errno));
}

}  // namespace kronos::workloads
