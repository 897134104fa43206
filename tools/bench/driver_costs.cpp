// SPDX-License-Identifier: Apache-2.0
// kronos-driver-costs: what a driver's calls cost, measured by a plain Vulkan program without any layer: what the
// layer's optimisations have to gain, and which of them a driver does not need.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>

#include "costs_groups.h"

namespace {

using kronos::bench::Device;
using kronos::bench::Report;

struct Group {
    const char* name;
    const char* about;
    void (*measure)(Device&, Report&);
};

constexpr Group kGroups[] = {
    {"basics", "fences, allocations, one submit and each way to wait for it", kronos::bench::MeasureBasics},
    {"fences", "vkResetFences", kronos::bench::MeasureFences},
    {"submits", "vkQueueSubmit2 against vkQueueSubmit", kronos::bench::MeasureSubmits},
    {"fusion", "one command buffer against many", kronos::bench::MeasureFusion},
    {"barriers", "vkCmdPipelineBarrier2 against vkCmdPipelineBarrier", kronos::bench::MeasureBarriers},
    {"events", "events as split barriers", kronos::bench::MeasureEvents},
    {"queues", "2 and 4 queues at once against 1", kronos::bench::MeasureQueues},
    {"ranges", "vkFlush- and vkInvalidateMappedMemoryRanges of each host-visible type", kronos::bench::MeasureRanges},
    {"memory", "each host-visible memory type: allocation, map, bandwidth", kronos::bench::MeasureMemoryTypes},
    {"waits", "how late blocked waits wake, and waits with a timeout give up", kronos::bench::MeasureWaits},
    {"replaced", "what a layer that spins and recycles replaces", kronos::bench::MeasureReplaced},
};

int Run(int argc, char** argv) {
    CLI::App app{"What this machine's Vulkan driver costs, call by call: medians and quartiles."};
    std::string device_name;
    std::string json;
    std::vector<std::string> only;
    bool quick = false;
    bool list = false;
    app.add_option("--device", device_name, "index or part of the name (default: the first GPU)");
    app.add_option("--only", only, "groups to measure, separated by commas")->delimiter(',');
    app.add_option("--json", json, "also write the medians to this file");
    app.add_flag("--quick", quick, "few samples: shows that it works");
    app.add_flag("--list", list, "list the groups");
    CLI11_PARSE(app, argc, argv);
    if (list) {
        for (const Group& group : kGroups) std::printf("%-10s %s\n", group.name, group.about);
        return 0;
    }
    for (const std::string& name : only) {
        if (std::none_of(std::begin(kGroups), std::end(kGroups),
                         [&](const Group& group) { return name == group.name; })) {
            std::fprintf(stderr, "kronos-driver-costs: --only %s: no such group; see --list\n", name.c_str());
            return 2;
        }
    }
    Device device(device_name);
    Report report(quick ? 5 : 41, quick ? 0.2 : 4);
    report.Header(device);
    for (const Group& group : kGroups) {
        if (only.empty() || std::find(only.begin(), only.end(), group.name) != only.end())
            group.measure(device, report);
    }
    if (!json.empty()) report.WriteJson(json);
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return Run(argc, argv);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "kronos-driver-costs: %s\n", error.what());
        return 1;
    }
}
