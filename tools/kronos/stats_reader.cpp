// SPDX-License-Identifier: Apache-2.0
// Statistics logs read into sums and frames.
#include "stats_reader.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

namespace kronos::command {
namespace {

using nlohmann::ordered_json;

constexpr int kKnownVersion = 1;

struct SeriesRow {
    Series series;
    const char* part;
    const char* name;
};
constexpr SeriesRow kSeriesRows[] = {
    {Series::kBarriersAsked, "asked", "barrier_calls"},
    {Series::kBarriersDriver, "driver", "barrier_calls"},
    {Series::kBarriersNecessary, "did", "barriers_necessary"},
    {Series::kSubmitsAsked, "asked", "submits"},
    {Series::kSubmitsDriver, "driver", "submits"},
    {Series::kCommandBuffers, "asked", "command_buffers"},
    {Series::kDispatches, "asked", "dispatches_submitted"},
    {Series::kAllocationsAsked, "asked", "allocations"},
    {Series::kAllocationsDriver, "driver", "allocations"},
    {Series::kBytesAsked, "asked", "allocated_bytes"},
    {Series::kBytesDriver, "driver", "allocated_bytes"},
    {Series::kFrees, "asked", "frees"},
    {Series::kFencesCreated, "asked", "fences_created"},
    {Series::kFencesDestroyed, "asked", "fences_destroyed"},
    {Series::kWaits, "asked", "waits"},
    {Series::kWaitNs, "asked", "wait_ns"},
    {Series::kSpinNs, "did", "spin_ns"},
};

std::string Text(const ordered_json& line, const char* key) {
    auto it = line.find(key);
    return it != line.end() && it->is_string() ? it->get<std::string>() : std::string();
}

uint64_t Number(const ordered_json& line, const char* key) {
    auto it = line.find(key);
    return it != line.end() && it->is_number_unsigned() ? it->get<uint64_t>() : 0;
}

double Milliseconds(const ordered_json& line, const char* key) {
    auto it = line.find(key);
    if (it == line.end() || !it->is_number()) return 0;
    const double value = it->get<double>();
    return std::isfinite(value) && value > 0 ? value : 0;
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

FrameRow RowOf(const ordered_json& line) {
    FrameRow row;
    row.number = Number(line, "frame");
    row.at_ms = Milliseconds(line, "at_ms");
    row.ms = Milliseconds(line, "ms");
    for (const SeriesRow& series : kSeriesRows) {
        if (auto part = line.find(series.part); part != line.end())
            row.value[static_cast<size_t>(series.series)] = Number(*part, series.name);
    }
    if (auto did = line.find("did"); did != line.end()) {
        for (const char* why : kEmittedReasons)
            row.value[static_cast<size_t>(Series::kBarriersEmitted)] += Number(*did, why);
    }
    return row;
}

void AddSettings(const ordered_json& line, DeviceTotals& device) {
    auto it = line.find("settings");
    if (it == line.end() || !it->is_object()) return;
    for (const auto& [key, value] : it->items())
        if (value.is_string()) device.settings[key] = value.get<std::string>();
}

// Of a summary ("memory_most") or a frame ("memory"). What is not of the known shape says nothing.
void RaiseMemory(const ordered_json& line, const char* key, std::map<uint64_t, HeapLevels>& most) {
    auto it = line.find(key);
    if (it == line.end() || !it->is_array()) return;
    for (const ordered_json& heap : *it) {
        if (!heap.is_object()) continue;
        HeapLevels told;
        told.idle = Number(heap, "idle");
        told.idle_bytes = Number(heap, "idle_bytes");
        told.slabs = Number(heap, "slabs");
        told.slab_bytes = Number(heap, "slab_bytes");
        told.slab_live_bytes = Number(heap, "slab_live_bytes");
        told.slab_idle_bytes = Number(heap, "slab_idle_bytes");
        most[Number(heap, "heap")].Raise(told);
    }
}

uint64_t Find(const std::vector<Counter>& counters, std::string_view name, uint64_t Counter::*side) {
    auto found = std::find_if(counters.begin(), counters.end(), [&](const Counter& c) { return c.name == name; });
    return found == counters.end() ? 0 : (*found).*side;
}

// How a line begins, without what would upset a terminal.
std::string Excerpt(const std::string& text) {
    std::string out;
    for (const char c : text.substr(0, 60)) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
    return text.size() > 60 ? out + "..." : out;
}

}  // namespace

uint64_t DeviceTotals::Asked(std::string_view counter) const { return Find(counters, counter, &Counter::asked); }
uint64_t DeviceTotals::Driver(std::string_view counter) const { return Find(counters, counter, &Counter::driver); }
uint64_t DeviceTotals::Did(std::string_view decision) const { return Find(did, decision, &Counter::asked); }
uint64_t DeviceTotals::DidAll(std::string_view prefix) const {
    uint64_t sum = 0;
    for (const Counter& decision : did)
        if (decision.name.starts_with(prefix)) sum += decision.asked;
    return sum;
}

bool StatsReader::ReadLine(const std::string& text) {
    const ordered_json line = ordered_json::parse(text, nullptr, false);
    if (!line.is_object()) return false;
    const std::string event = Text(line, "event");
    if (!line.contains("v") || !line["v"].is_number_unsigned() || event.empty()) return false;
    if (line["v"].get<uint64_t>() != kKnownVersion) {
        if (totals_.other_version++ == 0) totals_.a_version = line["v"].dump();
        return true;
    }
    std::vector<DeviceTotals>& devices = totals_.devices;
    const std::pair<uint64_t, uint64_t> key(Number(line, "pid"), Number(line, "device"));
    if (event == "device") {
        const std::string time = Text(line, "time");
        // A full file's successor says again which devices there are. Otherwise it is a new device, even when an old
        // process had the same number.
        if (Number(line, "part") > 1 || !time.empty()) {
            auto same = std::find_if(devices.begin(), devices.end(), [&](const DeviceTotals& d) {
                return d.pid == key.first && d.index == key.second && d.time == time;
            });
            if (same != devices.end()) {
                device_of_[key] = static_cast<size_t>(same - devices.begin());
                return true;
            }
        }
        device_of_[key] = devices.size();
        DeviceTotals& device = devices.emplace_back();
        device.name = Text(line, "name");
        device.program = Text(line, "program");
        device.driver = Text(line, "driver");
        device.type = Text(line, "type");
        if (const auto unknown = line.find("unknown_extensions"); unknown != line.end() && unknown->is_array())
            for (const ordered_json& name : *unknown)
                if (name.is_string()) device.unknown_extensions.push_back(name);
        device.time = time;
        device.pid = key.first;
        device.index = key.second;
        AddSettings(line, device);
        return true;
    }
    if (event != "frame" && event != "summary") return true;  // an event of a later release
    DeviceTotals read;
    if (!AddCounters(line, read)) return false;
    auto [place, is_new] = device_of_.emplace(key, devices.size());
    if (is_new) {
        DeviceTotals& device = devices.emplace_back();
        device.name = Text(line, "name");
        device.pid = key.first;
        device.index = key.second;
    }
    DeviceTotals& device = devices[place->second];
    RaiseMemory(line, event == "frame" ? "memory" : "memory_most", device.memory_most);
    if (event == "frame") {
        device.rows.push_back(RowOf(line));
        if (device.complete) return true;
        ++device.frames;
        device.ms = std::max(device.ms, device.rows.back().at_ms + device.rows.back().ms);
        AddCounters(line, device);
        return true;
    }
    // The summary is the truth: frames may have been left out of the log (stats_limit, stats=summary).
    device.complete = true;
    device.frames = Number(line, "frames");
    device.ms = Milliseconds(line, "ms");
    device.counters = std::move(read.counters);
    device.did = std::move(read.did);
    if (device.name.empty()) device.name = Text(line, "name");
    return true;
}

void StatsReader::Read(std::istream& in, const std::string& name) {
    std::string text;
    for (uint64_t number = 1; std::getline(in, text); ++number) {
        if (text.empty()) continue;
        ++totals_.lines;
        if (ReadLine(text)) continue;
        if (totals_.damaged++ == 0)
            totals_.first_damaged = name + ":" + std::to_string(number) + ": '" + Excerpt(text) + "'";
    }
}

bool StatsReader::ReadFile(const std::string& path) {
    errno = 0;
    std::ifstream in(path);
    // A folder opens, but cannot be read.
    if (!in || (in.peek() == std::ifstream::traits_type::eof() && errno != 0)) {
        totals_.unreadable.push_back(path + " cannot be read: " + std::strerror(errno ? errno : EIO));
        return false;
    }
    Read(in, path);
    return true;
}

void StatsReader::KeepRows(double ms) {
    Sort();
    for (DeviceTotals& device : totals_.devices) {
        if (device.rows.empty()) continue;
        const double from = device.rows.back().at_ms + device.rows.back().ms - ms;
        std::erase_if(device.rows, [&](const FrameRow& row) { return row.at_ms + row.ms < from; });
    }
}

void StatsReader::Sort() {
    // The files of a process may be given in any order.
    for (DeviceTotals& device : totals_.devices)
        std::stable_sort(device.rows.begin(), device.rows.end(),
                         [](const FrameRow& a, const FrameRow& b) { return a.number < b.number; });
}

const LogTotals& StatsReader::Totals() {
    Sort();
    return totals_;
}

LogTotals StatsReader::TakeTotals() {
    Sort();
    return std::move(totals_);
}

LogTotals ReadLog(std::istream& in) {
    StatsReader reader;
    reader.Read(in, "log");
    return reader.TakeTotals();
}

std::vector<std::string> ReadingFaults(const LogTotals& totals) {
    std::vector<std::string> out;
    if (totals.damaged) {
        out.push_back(std::to_string(totals.damaged) + " of " + std::to_string(totals.lines) +
                      " lines are damaged and were skipped; the first is " + totals.first_damaged);
    }
    if (totals.other_version) {
        out.push_back(std::to_string(totals.other_version) + " lines have a format other than version " +
                      std::to_string(kKnownVersion) +
                      ", the one known here, and were skipped; the first says version " + totals.a_version);
    }
    return out;
}

}  // namespace kronos::command
