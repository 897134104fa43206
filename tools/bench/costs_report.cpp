// SPDX-License-Identifier: Apache-2.0
// Sampling, statistics, and how they are written.
#include "costs_report.h"

#include <sys/utsname.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

namespace kronos::bench {
namespace {

constexpr size_t kLeastRounds = 5;

// Of sorted values; between two neighbours in proportion.
double Quantile(const std::vector<double>& sorted, double q) {
    const double at = q * static_cast<double>(sorted.size() - 1);
    const auto below = static_cast<size_t>(at);
    const size_t above = std::min(below + 1, sorted.size() - 1);
    return sorted[below] + (sorted[above] - sorted[below]) * (at - static_cast<double>(below));
}

std::string ProcessorName() {
    std::ifstream in("/proc/cpuinfo");
    for (std::string line; std::getline(in, line);) {
        const size_t colon = line.find(": ");
        if (line.rfind("model name", 0) == 0 && colon != std::string::npos) return line.substr(colon + 2);
    }
    return "unknown processor";
}

std::string VersionText(uint32_t version) {
    return std::to_string(VK_API_VERSION_MAJOR(version)) + "." + std::to_string(VK_API_VERSION_MINOR(version)) + "." +
           std::to_string(VK_API_VERSION_PATCH(version));
}

// Three or four digits that matter, thousands apart.
std::string Digits(double value) {
    char text[40];
    if (value < 100) {
        std::snprintf(text, sizeof text, "%.*f", value < 10 ? 2 : 1, value);
        return text;
    }
    std::snprintf(text, sizeof text, "%.0f", value);
    std::string digits = text;
    for (size_t at = digits.size(); at > 3;) digits.insert(at -= 3, ",");
    return digits;
}

}  // namespace

void Report::Header(const Device& device) {
    utsname system = {};
    uname(&system);
    uint32_t loader = VK_API_VERSION_1_0;
    vkEnumerateInstanceVersion(&loader);
    const char* layers = std::getenv("VK_INSTANCE_LAYERS");
    char date[40] = "";
    const std::time_t now = std::time(nullptr);
    std::tm utc = {};
    gmtime_r(&now, &utc);
    std::strftime(date, sizeof date, "%Y-%m-%d %H:%M UTC", &utc);
    header_ = {{"date", date},
               {"machine", ProcessorName() + ", " + std::to_string(std::thread::hardware_concurrency()) + " threads, " +
                               system.sysname + " " + system.release},
               {"device", device.properties().deviceName},
               {"driver", std::string(device.driver().driverName) + " " + device.driver().driverInfo},
               {"api", VersionText(device.properties().apiVersion)},
               {"loader", VersionText(loader)},
               {"layers", layers && *layers ? layers : "none asked for"}};
    for (const auto& [key, value] : header_) std::printf("%-8s %s\n", (key + ":").c_str(), value.c_str());
    std::printf("\n%-76s %13s %-5s %25s %4s\n", "", "median", "", "quartiles", "n");
}

void Report::Group(const std::string& group, const std::string& about) {
    group_ = group;
    std::printf("%s: %s\n", group.c_str(), about.c_str());
}

void Report::Measure(const std::vector<Case>& cases) {
    const double start = Now();
    const size_t first = rows_.size();
    for (const Case& one : cases) {
        rows_.push_back({group_, one.name, one.unit, "", {}});
        static_cast<void>(one.sample());  // warms up
    }
    for (size_t round = 0; round < rounds_; ++round) {
        if (round >= kLeastRounds && Now() - start > seconds_ * 1e9) break;
        for (size_t i = 0; i < cases.size(); ++i) rows_[first + i].samples.push_back(cases[i].sample());
    }
    for (size_t i = first; i < rows_.size(); ++i) {
        std::sort(rows_[i].samples.begin(), rows_[i].samples.end());
        Print(rows_[i]);
    }
}

void Report::Skip(const std::string& name, const std::string& why) {
    rows_.push_back({group_, name, "", why, {}});
    Print(rows_.back());
}

void Report::Print(const Row& row) const {
    if (!row.skipped.empty()) {
        std::printf("  %-74s not measured: %s\n", row.name.c_str(), row.skipped.c_str());
    } else {
        const std::string quartiles = Digits(Quantile(row.samples, 0.25)) + ".." + Digits(Quantile(row.samples, 0.75));
        std::printf("  %-74s %13s %-5s %25s %4zu\n", row.name.c_str(), Digits(Quantile(row.samples, 0.5)).c_str(),
                    row.unit.c_str(), quartiles.c_str(), row.samples.size());
    }
    std::fflush(stdout);
}

void Report::WriteJson(const std::string& file) const {
    nlohmann::json header = nlohmann::json::object();
    for (const auto& [key, value] : header_) header[key] = value;
    nlohmann::json rows = nlohmann::json::array();
    for (const Row& row : rows_) {
        nlohmann::json one = {{"group", row.group}, {"name", row.name}};
        if (!row.skipped.empty()) {
            one["not_measured"] = row.skipped;
        } else {
            one.update({{"unit", row.unit},
                        {"median", Quantile(row.samples, 0.5)},
                        {"q1", Quantile(row.samples, 0.25)},
                        {"q3", Quantile(row.samples, 0.75)},
                        {"n", row.samples.size()}});
        }
        rows.push_back(std::move(one));
    }
    const nlohmann::json document = {{"v", 1}, {"header", header}, {"costs", rows}};
    const std::string text = document.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
    std::ofstream out(file);
    out << text;
    out.close();
    if (!out) throw CostError("--json " + file + " cannot be written: " + std::strerror(errno));
}

}  // namespace kronos::bench
