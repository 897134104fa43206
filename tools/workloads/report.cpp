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

const char* Result(const Measurement& m) {
    if (!m.skipped.empty()) return "skipped";
    if (m.wrong) return "WRONG";
    return m.verified ? "ok" : "unchecked";
}

nlohmann::json Json(const Counts& counts, const std::vector<std::string_view>& unsaid) {
    nlohmann::json object = nlohmann::json::object();
#define X(name) object[#name] = counts.name;
    KRONOS_WORKLOAD_COUNTERS(X)
#undef X
    for (std::string_view name : unsaid) object.erase(std::string(name));
    return object;
}

nlohmann::json Json(const Measurement& m) {
    nlohmann::json ns = nlohmann::json::array();
    for (const RunResult& run : m.runs) ns.push_back(run.total.count());
    nlohmann::json row = {{"name", m.workload},
                          {"writing", m.expert ? "expert" : "naive"},
                          {"size", m.bytes},
                          {"rounds", m.rounds},
                          {"dispatches", m.per_run.dispatches_submitted},
                          {"repeats", m.runs.size()},
                          {"runs", m.executed},
                          {"result", Result(m)},
                          {"verified", nullptr},
                          {"ns", ns},
                          {"total", Json(SpreadOf(m.runs, &RunResult::total))},
                          {"upload", Json(SpreadOf(m.runs, &RunResult::upload))},
                          {"run", Json(SpreadOf(m.runs, &RunResult::dispatches))},
                          {"download", Json(SpreadOf(m.runs, &RunResult::download))},
                          {"expected", Json(m.per_run, m.unsaid)},
                          {"expected_setup", Json(m.once, m.unsaid)}};
    if (m.verified) row["verified"] = !m.wrong;
    if (m.wrong) row["difference"] = *m.wrong;
    if (!m.skipped.empty()) row["reason"] = m.skipped;
    if (m.skipped.empty() && !m.verified) row["reason"] = "--no-verify";
    return row;
}

void Write(const std::string& file, const nlohmann::json& document) {
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

}  // namespace

void PrintList() {
    for (const WorkloadKind& kind : kWorkloads) {
        std::printf("%-21s %-12s %s\n", std::string(kind.name).c_str(), kind.expert ? "naive,expert" : "naive",
                    std::string(kind.description).c_str());
        if (!IsBuilt(kind)) std::printf("%-21s %-12s left out of this build: %s\n", "", "", kWithoutVkFft);
    }
}

void WriteList(const std::string& file) {
    nlohmann::json kinds = nlohmann::json::array();
    for (const WorkloadKind& kind : kWorkloads) {
        nlohmann::json writings = {"naive"};
        if (kind.expert) writings.push_back("expert");
        nlohmann::json row = {{"name", kind.name},
                              {"isolates", kind.description},
                              {"writings", writings},
                              {"mechanism", kind.program != Program::General},
                              {"built", IsBuilt(kind)}};
        if (!IsBuilt(kind)) row["reason"] = kWithoutVkFft;
        kinds.push_back(row);
    }
    Write(file, {{"v", 2}, {"workloads", kinds}});
}

void PrintHeader(const Context& context) {
    std::printf("device: %s (%s)\n", context.properties().deviceName, DeviceTypeName(context.properties().deviceType));
    std::printf("%-21s %-7s %6s %10s %-9s %12s  %s\n", "workload", "writing", "size", "dispatches", "result", "median",
                "min..max of a repeat");
}

void PrintRow(const Measurement& m) {
    Spread total = SpreadOf(m.runs, &RunResult::total);
    std::printf("%-21s %-7s %6s %10llu %-9s", m.workload.c_str(), m.expert ? "expert" : "naive",
                SizeText(m.bytes).c_str(), static_cast<unsigned long long>(m.per_run.dispatches_submitted), Result(m));
    if (m.wrong || !m.skipped.empty()) {
        std::printf(" %s\n", m.wrong ? m.wrong->c_str() : m.skipped.c_str());
    } else {
        std::printf(" %9.3f ms  %.3f..%.3f ms of %zu\n", Milliseconds(total.median), Milliseconds(total.min),
                    Milliseconds(total.max), m.runs.size());
    }
    std::fflush(stdout);
}

void PrintPairsHeader(const Context& context, const Options& options) {
    std::printf("device: %s (%s), driver %s\nlayer:  %s; --size %s --dispatches %u\n", context.properties().deviceName,
                DeviceTypeName(context.properties().deviceType), context.DriverText().c_str(),
                options.against_layer.c_str(), SizeText(options.bytes).c_str(), options.rounds);
    std::printf(
        "of the fastest of 5 runs in a row, on 3 sets of devices: median (lowest..highest); control: alone / alone\n");
    std::printf("%-21s %-7s %12s %12s  %-22s  %-22s\n", "workload", "writing", "alone", "with", "alone / with",
                "control");
}

void PrintPairsRow(const PairsRow& row) {
    std::printf("%-21s %-7s", row.workload.c_str(), row.expert ? "expert" : "naive");
    if (row.wrong)
        std::printf(" WRONG %s\n", row.wrong->c_str());
    else
        std::printf(" %9.1f us %9.1f us  %.3f (%.3f..%.3f)   %.3f (%.3f..%.3f)   of %zu\n", row.alone_ns / 1e3,
                    row.with_ns / 1e3, row.with.median, row.with.low, row.with.high, row.control.median,
                    row.control.low, row.control.high, row.turns);
    std::fflush(stdout);
}

void WritePairs(const Options& options, const Context& context, const std::vector<PairsRow>& rows) {
    nlohmann::json list = nlohmann::json::array();
    for (const PairsRow& row : rows) {
        list.push_back({{"name", row.workload},
                        {"writing", row.expert ? "expert" : "naive"},
                        {"alone_ns", row.alone_ns},
                        {"with_ns", row.with_ns},
                        {"ratio", row.with.median},
                        {"low", row.with.low},
                        {"high", row.with.high},
                        {"control", row.control.median},
                        {"control_low", row.control.low},
                        {"control_high", row.control.high},
                        {"pairs", row.turns},
                        {"verified", options.verify && !row.wrong}});
        if (row.wrong) list.back()["difference"] = *row.wrong;
    }
    Write(options.json_file, {{"v", 2},
                              {"device", context.properties().deviceName},
                              {"driver", context.DriverText()},
                              {"layer", options.against_layer},
                              {"size", options.bytes},
                              {"rounds", options.rounds},
                              {"pairs", list}});
}

void WriteJson(const std::string& file, const Context& context, const std::vector<Measurement>& measurements) {
    nlohmann::json rows = nlohmann::json::array();
    for (const Measurement& m : measurements) rows.push_back(Json(m));
    const VkPhysicalDeviceProperties& properties = context.properties();
    uint32_t api = properties.apiVersion;
    std::string api_text = std::to_string(VK_API_VERSION_MAJOR(api)) + "." + std::to_string(VK_API_VERSION_MINOR(api)) +
                           "." + std::to_string(VK_API_VERSION_PATCH(api));
    Write(file, {{"v", 2},
                 {"device",
                  {{"name", properties.deviceName},
                   {"type", DeviceTypeName(properties.deviceType)},
                   {"driver", context.DriverText()},
                   {"api", api_text},
                   {"vendor_id", properties.vendorID},
                   {"device_id", properties.deviceID},
                   {"driver_version", properties.driverVersion},
                   {"api_version", api}}},
                 {"workloads", rows}});
}

}  // namespace kronos::workloads
