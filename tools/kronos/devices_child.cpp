// SPDX-License-Identifier: Apache-2.0
// The child's side of kronos devices.
#include <cstdlib>
#include <fstream>

#include "devices.h"
#include "devices/facts.h"
#include "devices/policy.h"
#include "devices/rules.h"
#include "settings/read.h"
#include "vulkan_loader.h"

namespace kronos::command {
namespace {

using nlohmann::json;

json QueueFlags(VkQueueFlags flags) {
    json names = json::array();
    const std::pair<VkQueueFlags, const char*> all[] = {{VK_QUEUE_GRAPHICS_BIT, "graphics"},
                                                        {VK_QUEUE_COMPUTE_BIT, "compute"},
                                                        {VK_QUEUE_TRANSFER_BIT, "transfer"},
                                                        {VK_QUEUE_SPARSE_BINDING_BIT, "sparse"},
                                                        {VK_QUEUE_PROTECTED_BIT, "protected"}};
    for (const auto& [bit, name] : all)
        if (flags & bit) names.push_back(name);
    return names;
}

json Describe(const DeviceFacts& facts) {
    json heaps = json::array(), families = json::array();
    for (const DeviceHeap& heap : facts.heaps) {
        heaps.push_back({{"bytes", heap.bytes}, {"device_local", heap.device_local}});
        if (heap.free) heaps.back()["free"] = *heap.free;
    }
    for (const QueueFamilyFacts& family : facts.families)
        families.push_back({{"flags", QueueFlags(family.flags)}, {"count", family.count}});
    json device = {{"name", facts.name},
                   {"type", TypeName(facts.type)},
                   {"vendor", VendorName(facts.vendor)},
                   {"vendor_id", facts.vendor},
                   {"device_id", facts.device},
                   {"api", VersionText(facts.api_version)},
                   {"driver",
                    {{"name", facts.driver_name},
                     {"info", facts.driver_info},
                     {"text", DriverText(facts)},
                     {"id", facts.driver_id},
                     {"version", facts.driver_version},
                     {"conformant", facts.conformant}}},
                   {"score", DeviceScore(facts)},
                   {"heaps", heaps},
                   {"queues", families},
                   {"limits",
                    {{"push_constants", facts.max_push_constants},
                     {"storage_buffer_range", facts.max_storage_range},
                     {"allocations", facts.max_allocations}}}};
    if (facts.uuid) device["uuid"] = UuidText(*facts.uuid);
    if (facts.driver_uuid) device["driver_uuid"] = UuidText(*facts.driver_uuid);
    if (facts.pci) device["pci"] = PciText(*facts.pci);
    return device;
}

// The lines that the layer's log got since it had `seen` bytes, without what every line begins with.
json NewLines(const char* path, std::streamoff& seen) {
    json lines = json::array();
    std::ifstream file(path ? path : "");
    file.seekg(seen);
    for (std::string line; std::getline(file, line);) {
        const size_t begin = line.find("kronos: ");
        if (begin != std::string::npos) lines.push_back(line.substr(begin + 8));
        seen += static_cast<std::streamoff>(line.size()) + 1;
    }
    return lines;
}

}  // namespace

json AnswerDevices(const std::string& program) {
    json answer = {{"devices", json::array()}, {"problems", json::array()}};
    const OpenedInstance instance = OpenInstance("kronos devices");
    answer["failure"] = instance.failure;
    if (!instance.failure.empty()) return answer;
    std::vector<DeviceFacts> facts;
    for (VkPhysicalDevice handle : PhysicalDevices(instance)) {
        facts.push_back(ReadDeviceFacts(instance.table, instance.version, handle));
        ReadDeviceDetails(instance.table, instance.version, handle, facts.back());
    }

    ResolvedSettings resolved = ReadSettings(nullptr, false, program);
    std::vector<std::string> problems = resolved.problems;
    const DeviceRules rules = RulesOf(
        resolved.settings, program, [](const char* name) { return static_cast<const char*>(std::getenv(name)); },
        problems);
    const DeviceChoice choice = ChooseDevices(facts, rules);
    for (const std::string& problem : problems) answer["problems"].push_back(problem);
    for (const std::string& problem : choice.problems) answer["problems"].push_back(problem);
    for (size_t number = 0; number < choice.numbered.size(); ++number) {
        const DeviceVerdict& verdict = choice.numbered[number];
        json device = Describe(facts[verdict.device]);
        device["number"] = number;
        device["why"] = verdict.why;
        device["place"] = nullptr;
        for (size_t place = 0; place < choice.shown.size(); ++place)
            if (choice.shown[place] == verdict.device) device["place"] = place;
        answer["devices"].push_back(std::move(device));
    }
    return answer;
}

json AnswerSeen() {
    json answer = {{"devices", json::array()}};
    const OpenedInstance instance = OpenInstance("kronos devices");
    answer["failure"] = instance.failure;
    if (!instance.failure.empty()) return answer;
    const char* log = std::getenv("KRONOS_LOG_FILE");
    std::streamoff seen = 0;
    for (VkPhysicalDevice handle : PhysicalDevices(instance)) {
        json device = Describe(ReadDeviceFacts(instance.table, instance.version, handle));
        static_cast<void>(NewLines(log, seen));
        const VkResult result = TryDevice(instance, handle, [] {});
        device["layer"] = NewLines(log, seen);
        if (result != VK_SUCCESS) device["failure"] = "vkCreateDevice failed with " + std::to_string(result);
        answer["devices"].push_back(std::move(device));
    }
    return answer;
}

}  // namespace kronos::command
