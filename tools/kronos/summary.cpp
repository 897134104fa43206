// SPDX-License-Identifier: Apache-2.0
// kronos summary: a statistics log read and shown as a table per device.
#include "summary.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

namespace kronos::command {
namespace {

using nlohmann::ordered_json;

constexpr int kKnownVersion = 1;

std::string Text(const ordered_json& line, const char* key) {
    auto it = line.find(key);
    return it != line.end() && it->is_string() ? it->get<std::string>() : std::string();
}

uint64_t Number(const ordered_json& line, const char* key) {
    auto it = line.find(key);
    return it != line.end() && it->is_number_unsigned() ? it->get<uint64_t>() : 0;
}

Counter& CounterNamed(std::vector<Counter>& counters, const std::string& name) {
    auto found = std::find_if(counters.begin(), counters.end(), [&](const Counter& c) { return c.name == name; });
    if (found != counters.end()) return *found;
    counters.push_back({name, 0, 0});
    return counters.back();
}

// False when a part is there but is not an object of unsigned numbers; nothing is added then.
bool AddCounters(const ordered_json& line, DeviceTotals& device) {
    for (const char* part : {"asked", "driver", "did"}) {
        auto it = line.find(part);
        if (it == line.end()) continue;
        if (!it->is_object()) return false;
        for (const auto& value : *it) {
            if (!value.is_number_unsigned()) return false;
        }
    }
    const auto add = [&](const char* part, std::vector<Counter>& to, uint64_t Counter::*side) {
        auto it = line.find(part);
        if (it == line.end()) return;
        for (const auto& [name, value] : it->items()) CounterNamed(to, name).*side += value.get<uint64_t>();
    };
    add("asked", device.counters, &Counter::asked);
    add("driver", device.counters, &Counter::driver);
    add("did", device.did, &Counter::asked);
    return true;
}

class Reader {
  public:
    /// False when the line is damaged.
    bool Read(const std::string& text, LogTotals& totals) {
        ordered_json line = ordered_json::parse(text, nullptr, false);
        if (!line.is_object()) return false;
        std::string event = Text(line, "event");
        if (!line.contains("v") || !line["v"].is_number_unsigned() || event.empty()) return false;
        if (line["v"].get<uint64_t>() != kKnownVersion) {
            ++totals.other_version;
            return true;
        }
        std::pair<uint64_t, uint64_t> key(Number(line, "pid"), Number(line, "device"));
        if (event == "device") {
            // A new device, even when an old process had the same number.
            device_of_[key] = totals.devices.size();
            totals.devices.push_back({Text(line, "name"), Text(line, "program"), 0, false, {}, {}});
            return true;
        }
        if (event != "frame" && event != "summary") return true;  // an event of a later release
        DeviceTotals read;
        if (!AddCounters(line, read)) return false;
        auto [place, is_new] = device_of_.emplace(key, totals.devices.size());
        if (is_new) totals.devices.push_back({Text(line, "name"), {}, 0, false, {}, {}});
        DeviceTotals& device = totals.devices[place->second];
        if (event == "frame") {
            if (device.complete) return true;
            ++device.frames;
            AddCounters(line, device);
            return true;
        }
        // The summary is the truth: frames may have been left out of the log (stats_limit, stats=summary).
        device.complete = true;
        device.frames = Number(line, "frames");
        device.counters = std::move(read.counters);
        device.did = std::move(read.did);
        if (device.name.empty()) device.name = Text(line, "name");
        return true;
    }

  private:
    std::map<std::pair<uint64_t, uint64_t>, size_t> device_of_;  // by process and number
};

std::string Line(const char* format, const std::string& name, const std::string& asked, const std::string& driver) {
    char text[256];
    std::snprintf(text, sizeof text, format, name.c_str(), asked.c_str(), driver.c_str());
    return text;
}

// Nanoseconds are shown as milliseconds; everything else as it is.
std::string Value(const Counter& counter, uint64_t value) {
    if (!counter.name.ends_with("_ns")) return std::to_string(value);
    char text[40];
    std::snprintf(text, sizeof text, "%.3f ms", static_cast<double>(value) / 1e6);
    return text;
}

}  // namespace

LogTotals ReadLog(std::istream& in) {
    LogTotals totals;
    Reader reader;
    std::string text;
    while (std::getline(in, text)) {
        if (text.empty()) continue;
        ++totals.lines;
        if (!reader.Read(text, totals)) ++totals.damaged;
    }
    return totals;
}

std::string FormatTotals(const LogTotals& totals) {
    std::string out;
    for (const DeviceTotals& device : totals.devices) {
        if (!out.empty()) out += "\n";
        out += device.name.empty() ? "(device without a name)" : device.name;
        if (!device.program.empty()) out += ", used by " + device.program;
        uint64_t wait_ns = 0;
        for (const Counter& counter : device.counters) {
            if (counter.name == "wait_ns") wait_ns = counter.asked;
        }
        char frames[120];
        std::snprintf(frames, sizeof frames, "\n%llu frames, %.3f ms waited by the program%s\n",
                      static_cast<unsigned long long>(device.frames), static_cast<double>(wait_ns) / 1e6,
                      device.complete ? "" : "; no summary line yet, these are the frames so far");
        out += frames;
        out += Line("  %-22s %16s %20s\n", "counter", "asked", "reached the driver");
        for (const Counter& counter : device.counters) {
            if (counter.name == "wait_ns") continue;
            out += Line("  %-22s %16s %20s\n", counter.name, Value(counter, counter.asked),
                        Value(counter, counter.driver));
        }
        if (!device.did.empty()) out += Line("\n  %-22s %16s%s\n", "what the layer did", "", "");
        for (const Counter& decision : device.did)
            out += Line("  %-22s %16s%s\n", decision.name, Value(decision, decision.asked), "");
    }
    if (totals.damaged) {
        out += "\n" + std::to_string(totals.damaged) + " of " + std::to_string(totals.lines) +
               " lines are damaged and were skipped\n";
    }
    if (totals.other_version) {
        out += "\n" + std::to_string(totals.other_version) + " lines have a format other than version " +
               std::to_string(kKnownVersion) + ", the one known here, and were skipped\n";
    }
    return out;
}

int Summary(const std::string& file) {
    errno = 0;
    std::ifstream in(file);
    // A folder opens, but cannot be read.
    if (!in || (in.peek() == std::ifstream::traits_type::eof() && errno != 0)) {
        std::fprintf(stderr, "kronos summary: %s cannot be read: %s\n", file.c_str(),
                     std::strerror(errno ? errno : EIO));
        return 1;
    }
    LogTotals totals = ReadLog(in);
    std::fputs(FormatTotals(totals).c_str(), stdout);
    if (totals.devices.empty()) {
        std::fprintf(stderr, "kronos summary: %s holds no statistics of a device (%llu lines read)\n", file.c_str(),
                     static_cast<unsigned long long>(totals.lines));
        return 1;
    }
    return 0;
}

}  // namespace kronos::command
