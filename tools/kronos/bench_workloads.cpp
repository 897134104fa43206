// SPDX-License-Identifier: Apache-2.0
// Reading what the workloads program, the spy and the layer wrote.
#include "bench_workloads.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

namespace kronos::command {
namespace {

using nlohmann::ordered_json;

ordered_json Parse(const std::string& text) { return ordered_json::parse(text, nullptr, false); }

std::string Text(const ordered_json& object, const char* key) {
    auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::optional<Counts> ReadCounts(const ordered_json& object) {
    if (!object.is_object()) return std::nullopt;
    Counts counts;
    for (const auto& [name, value] : object.items()) {
        if (!value.is_number_unsigned()) return std::nullopt;
        counts[name] = value.get<uint64_t>();
    }
    return counts;
}

bool ReadNumber(const ordered_json& object, const char* key, uint64_t& value) {
    auto found = object.find(key);
    if (found == object.end() || !found->is_number_unsigned()) return false;
    value = found->get<uint64_t>();
    return true;
}

bool ReadTimes(const ordered_json& object, std::vector<double>& ns) {
    auto found = object.find("ns");
    if (found == object.end() || !found->is_array()) return false;
    for (const ordered_json& value : *found) {
        if (!value.is_number() || value.get<double>() <= 0) return false;
        ns.push_back(value.get<double>());
    }
    return true;
}

const char* const kPrefix = "kronos: ";

}  // namespace

std::optional<std::vector<WorkloadEntry>> ReadWorkloadList(const std::string& json) {
    ordered_json document = Parse(json);
    if (document.is_object() && document.contains("workloads")) document = ordered_json(document["workloads"]);
    if (!document.is_array()) return std::nullopt;
    std::vector<WorkloadEntry> list;
    for (const ordered_json& entry : document) {
        if (!entry.is_object() || Text(entry, "name").empty()) return std::nullopt;
        WorkloadEntry read{Text(entry, "name"), Text(entry, "isolates"), false, {}};
        if (entry.contains("built") && entry["built"] == false)
            read.missing = "left out of this build: " + Text(entry, "reason");
        if (auto writings = entry.find("writings"); writings != entry.end() && writings->is_array())
            read.expert = std::find(writings->begin(), writings->end(), "expert") != writings->end();
        list.push_back(std::move(read));
    }
    return list;
}

ReadRun ReadWorkloadRun(const std::string& json, const std::string& name, const std::string& writing, bool checked) {
    const ordered_json document = Parse(json);
    if (!document.is_object() || !document.contains("workloads") || !document["workloads"].is_array())
        return {{}, "its answer is not JSON with \"workloads\""};
    for (const ordered_json& entry : document["workloads"]) {
        if (!entry.is_object() || Text(entry, "name") != name || Text(entry, "writing") != writing) continue;
        WorkloadRun run;
        if (document.contains("device") && document["device"].is_object()) {
            const ordered_json& device = document["device"];
            run.device = {Text(device, "name"), Text(device, "type"), Text(device, "driver"), Text(device, "api")};
        }
        if (Text(entry, "result") == "skipped") {
            run.skipped = Text(entry, "reason").empty() ? "no reason given" : Text(entry, "reason");
            return {std::move(run), {}};
        }
        if (checked) {
            auto verified = entry.find("verified");
            if (verified == entry.end() || !verified->is_boolean()) return {{}, "its answer lacks \"verified\""};
            run.verified = verified->get<bool>();
            run.difference = Text(entry, "difference");
            if (!run.verified) return {std::move(run), {}};
            if (!ReadTimes(entry, run.ns) || run.ns.empty()) return {{}, "\"ns\" in its answer is not a list of times"};
        }
        if (!ReadNumber(entry, "runs", run.runs)) return {{}, "its answer lacks \"runs\""};
        ReadNumber(entry, "dispatches", run.dispatches);
        if (entry.contains("expected")) {
            run.expected = ReadCounts(entry["expected"]);
            std::optional<Counts> setup = Counts();
            if (entry.contains("expected_setup")) setup = ReadCounts(entry["expected_setup"]);
            if (!run.expected || !setup) return {{}, "\"expected\" in its answer is not a list of counts"};
            run.expected_setup = std::move(*setup);
        }
        return {std::move(run), {}};
    }
    return {{}, "its answer does not name " + name + ", " + writing};
}

std::optional<Counts> ReadSpyCounters(const std::string& json) {
    const ordered_json document = Parse(json);
    if (!document.is_object() || !document.contains("counters")) return std::nullopt;
    return ReadCounts(document["counters"]);
}

LayerSaid ReadLayerLog(const std::string& errors) {
    LayerSaid said;
    std::istringstream lines(errors);
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with(kPrefix)) continue;
        line.erase(0, std::string(kPrefix).size());
        if (line.starts_with("active on ")) said.active = true;
        if (line.starts_with("Kronos ")) said.version = line.substr(7, line.find(' ', 7) - 7);
        const size_t equals = line.find(" = ");
        if (line.starts_with("  ") && equals != std::string::npos)
            said.settings.emplace_back(line.substr(2, equals - 2), line.substr(equals + 3));
    }
    return said;
}

std::string DeviceText(const BenchDevice& device) {
    std::string text = device.name.empty() ? "a device without a name" : device.name;
    if (!device.type.empty()) text += " (" + device.type + ")";
    if (!device.driver.empty()) text += ", driver " + device.driver;
    if (!device.api.empty()) text += ", Vulkan " + device.api;
    return text;
}

}  // namespace kronos::command
