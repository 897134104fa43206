// SPDX-License-Identifier: Apache-2.0
// kronos summary: a statistics log read and shown as a table per device.
#include "summary.h"

#include <cstdio>

namespace kronos::command {
namespace {

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
    for (const std::string& fault : ReadingFaults(totals)) out += "\n" + fault + "\n";
    return out;
}

int Summary(const std::string& file) {
    StatsReader reader;
    if (!reader.ReadFile(file)) {
        std::fprintf(stderr, "kronos summary: %s\n", reader.Totals().unreadable.front().c_str());
        return 1;
    }
    const LogTotals& totals = reader.Totals();
    std::fputs(FormatTotals(totals).c_str(), stdout);
    if (totals.devices.empty()) {
        std::fprintf(stderr, "kronos summary: %s holds no statistics of a device (%llu lines read)\n", file.c_str(),
                     static_cast<unsigned long long>(totals.lines));
        return 1;
    }
    return 0;
}

}  // namespace kronos::command
