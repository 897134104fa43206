// SPDX-License-Identifier: Apache-2.0
#include "devices.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <stdexcept>

#include "bench_host.h"
#include "manifests.h"
#include "probe.h"
#include "run.h"

namespace kronos::command {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

// The layer is not loaded, whoever asked for it.
Environment WithoutLayer(Environment environment) {
    environment.Set("KRONOS_DISABLE", "1");
    std::string others;
    for (const std::string& name : SplitList(environment.Get("VK_INSTANCE_LAYERS")))
        if (name != kLayerName) others += (others.empty() ? "" : ":") + name;
    environment.Set("VK_INSTANCE_LAYERS", others);
    return environment;
}

// Two answers name the same device.
bool Same(const json& a, const json& b) {
    for (const char* key : {"name", "uuid", "driver_uuid", "pci", "driver"})
        if (a.value(key, json()) != b.value(key, json())) return false;
    return true;
}

// Asks each driver alone whose the devices are. Two manifests of one driver: the first.
void AddManifests(const fs::path& kronos, const Environment& environment, json& list) {
    for (const Manifest& manifest : FindManifests(ManifestKind::kDriver, environment).manifests) {
        if (!manifest.fault.empty()) continue;
        Environment alone = WithoutLayer(environment);
        for (const char* variable : {"VK_DRIVER_FILES", "VK_ICD_FILENAMES"})
            alone.Set(variable, manifest.path.string());
        alone.Unset("VK_ADD_DRIVER_FILES");
        for (const json& device : Probe(kronos, {"devices"}, alone).answer.value("devices", json::array()))
            for (json& known : list["devices"])
                if (!known.contains("manifest") && Same(known, device)) {
                    known["manifest"] = manifest.path.string();
                    break;
                }
    }
}

// What a program really sees with the layer, other layers included.
void AddSeen(const fs::path& kronos, const Layout& layout, const Environment& environment, json& list) {
    ComposedEnvironment composed = ComposeRunEnvironment(environment, layout, {});
    if (composed.error) return;
    const ScratchFolder folder;
    Environment with = composed.environment;
    with.Set("KRONOS_STATS", "off");
    with.Set("KRONOS_LOG_LEVEL", "info");
    with.Set("KRONOS_LOG_FILE", (folder.path() / "log").string());
    const ProbeAnswer seen = Probe(kronos, {"seen"}, with);
    const json devices = seen.answer.value("devices", json::array());
    std::string failure = seen.failure;
    if (failure.empty()) failure = seen.answer.value("failure", "");
    if (!failure.empty()) {
        list["problems"].push_back("with the layer: " + failure);
        return;
    }
    std::vector<json*> expected;
    for (json& device : list["devices"])
        if (!device["place"].is_null()) expected.push_back(&device);
    std::sort(expected.begin(), expected.end(),
              [](const json* a, const json* b) { return a->at("place") < b->at("place"); });
    bool same = expected.size() == devices.size();
    for (size_t i = 0; same && i < expected.size(); ++i) {
        same = Same(*expected[i], devices[i]);
        if (!same) break;
        (*expected[i])["layer"] = devices[i].value("layer", json::array());
        if (devices[i].contains("failure")) (*expected[i])["failure"] = devices[i]["failure"];
    }
    if (same) return;
    std::string names;
    for (const json& device : devices) names += (names.empty() ? "" : ", ") + device.value("name", "?");
    list["problems"].push_back("a program sees another list, which a layer or the loader makes: " +
                               (names.empty() ? "no device" : names));
}

std::string Size(uint64_t bytes) {
    char text[32];
    const double gib = static_cast<double>(bytes) / (1024.0 * 1024 * 1024);
    std::snprintf(text, sizeof text, gib >= 10 ? "%.0f GiB" : "%.1f GiB", gib);
    return text;
}

std::string MemoryText(const json& device) {
    uint64_t bytes = 0, free = 0;
    bool known = false;
    for (const json& heap : device["heaps"]) {
        if (!heap.value("device_local", false)) continue;
        bytes += heap.value("bytes", uint64_t{0});
        free += heap.value("free", uint64_t{0});
        known = known || heap.contains("free");
    }
    return Size(bytes) + (known ? ", " + Size(free) + " free" : "");
}

std::string QueuesText(const json& device) {
    std::string text;
    for (const json& family : device["queues"]) {
        text += (text.empty() ? "" : "; ") + std::to_string(family.value("count", 0)) + " x";
        for (const json& flag : family["flags"]) text += " " + flag.get<std::string>();
    }
    return text;
}

void AddLine(std::string& out, const char* label, const std::string& text) {
    if (text.empty()) return;
    out += "      ";
    out += label;
    out.append(10 - std::min<size_t>(10, std::string_view(label).size()), ' ');
    out += text + "\n";
}

std::string FormatDevice(const json& device) {
    std::string out = "  " + std::to_string(device.value("number", 0)) + "   " + device.value("name", "") + " (" +
                      device.value("type", "") + ", " + device.value("vendor", "") + ")\n";
    AddLine(out, "why", device.value("why", ""));
    AddLine(out, "driver",
            device["driver"].value("text", "") + ", Vulkan " + device.value("api", "") +
                (device.contains("manifest") ? ", " + device.value("manifest", "") : ""));
    AddLine(out, "UUID", device.value("uuid", ""));
    AddLine(out, "PCI", device.value("pci", ""));
    AddLine(out, "memory", MemoryText(device));
    AddLine(out, "queues", QueuesText(device));
    AddLine(out, "failure", device.value("failure", ""));
    for (const json& line : device.value("layer", json::array())) AddLine(out, "layer", line.get<std::string>());
    return out;
}

std::string FormatLinks(const json& links) {
    std::string out = "Links, GB/s:\n";
    for (const json& link : links) {
        char text[160];
        const auto number = [&](const char* key) { return link.value(key, 0.0); };
        std::snprintf(text, sizeof text, "  %d -> %d   host-staged %.1f", link.value("from", 0), link.value("to", 0),
                      number("staged"));
        out += text;
        if (link.contains("imported")) {
            std::snprintf(text, sizeof text, ", host-imported %.1f (out %.1f, in %.1f)", number("imported"),
                          number("imported_out"), number("imported_in"));
            out += text;
        }
        if (link.contains("note")) out += "; " + link.value("note", "");
        out += "\n";
    }
    return out;
}

}  // namespace

json ListDevices(const fs::path& kronos, const Layout& layout, const Environment& environment,
                 const std::string& program) {
    const ProbeAnswer all = Probe(kronos, {"devices", program.empty() ? "-" : program}, WithoutLayer(environment));
    json list = all.answer;
    if (!list.contains("devices")) list = {{"devices", json::array()}, {"problems", json::array()}};
    std::string failure = all.failure;
    if (failure.empty()) failure = list.value("failure", "");
    list.erase("failure");
    if (!failure.empty()) list["problems"].push_back("Vulkan: " + failure);
    AddManifests(kronos, environment, list);
    // The rules of a program cannot be seen from another.
    if (!program.empty()) return list;
    try {
        AddSeen(kronos, layout, environment, list);
    } catch (const std::runtime_error& error) {
        list["problems"].push_back(std::string("with the layer: ") + error.what());  // no folder for its log
    }
    return list;
}

std::string FormatDevices(const json& list) {
    std::string shown, hidden, out;
    std::vector<const json*> places;
    for (const json& device : list["devices"]) {
        if (device["place"].is_null())
            hidden += FormatDevice(device);
        else
            places.push_back(&device);
    }
    std::sort(places.begin(), places.end(),
              [](const json* a, const json* b) { return a->at("place") < b->at("place"); });
    for (const json* device : places) shown += FormatDevice(*device);
    out += shown.empty() ? "A program sees no device.\n" : "A program sees, in this order:\n" + shown;
    if (!hidden.empty()) out += "Hidden:\n" + hidden;
    if (list.contains("links")) out += FormatLinks(list["links"]);
    for (const json& problem : list["problems"]) out += "note: " + problem.get<std::string>() + "\n";
    return out;
}

int Devices(const DevicesRequest& request) {
    const fs::path kronos = OwnExecutable();
    const Layout layout = FindLayout(kronos);
    // Drivers off the path count as they do for a program that is started by kronos run.
    Environment environment = Environment::Current();
    const ComposedEnvironment drivers = ComposeRunEnvironment(environment, layout, {});
    for (const char* variable : {"VK_ADD_DRIVER_FILES", "VK_DRIVER_FILES", "VK_ICD_FILENAMES"})
        if (drivers.environment.Has(variable)) environment.Set(variable, drivers.environment.Get(variable));
    environment.Unset("KRONOS_ICD_SEARCH_PATHS");
    json list = ListDevices(kronos, layout, environment, request.program);
    for (const std::string& note : drivers.notes) list["problems"].push_back(note);
    if (request.links) {
        const ProbeAnswer links = Probe(kronos, {"links"}, ComposeRunEnvironment(environment, layout, {}).environment,
                                        std::chrono::minutes(5));
        list["links"] = links.answer.value("links", json::array());
        const std::string failure = links.failure.empty() ? links.answer.value("failure", "") : links.failure;
        if (!failure.empty()) list["problems"].push_back("links: " + failure);
    }
    const std::string text =
        request.json ? list.dump(2, ' ', false, json::error_handler_t::replace) + "\n" : FormatDevices(list);
    std::fputs(text.c_str(), stdout);
    return std::any_of(list["devices"].begin(), list["devices"].end(),
                       [](const json& device) { return !device["place"].is_null(); })
               ? 0
               : 1;
}

}  // namespace kronos::command
