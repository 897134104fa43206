// SPDX-License-Identifier: Apache-2.0
// libFuzzer: whatever is in a manifest or a statistics log, reading it ends, and says what is wrong with it in one
// line. tests/fuzz/run builds and runs it.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <sstream>
#include <string>

#include "manifests.h"
#include "stats_reader.h"

namespace {

using namespace kronos::command;

void Demand(bool condition) {
    if (!condition) std::abort();
}

void DemandLine(const std::string& text) { Demand(text.find_first_of("\n\r") == std::string::npos); }

// A file in memory, always the same one.
std::string FileOf(const uint8_t* data, size_t size) {
    static const int file = memfd_create("fuzzed", 0);
    Demand(file >= 0 && ftruncate(file, 0) == 0);
    Demand(pwrite(file, data, size, 0) == static_cast<ssize_t>(size));
    return "/proc/self/fd/" + std::to_string(file);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const std::string path = FileOf(data, size);
    for (const ManifestKind kind : {ManifestKind::kDriver, ManifestKind::kExplicitLayer, ManifestKind::kImplicitLayer})
        DemandLine(ReadManifest(path, kind, "VK_LAYER_KRONOS_compute").fault);

    StatsReader reader;
    std::istringstream text(std::string(reinterpret_cast<const char*>(data), size));
    reader.Read(text, "fuzzed");
    reader.KeepRows(1000);
    const LogTotals& totals = reader.Totals();
    Demand(totals.damaged + totals.other_version <= totals.lines);
    for (const std::string& fault : ReadingFaults(totals)) DemandLine(fault);
    for (const DeviceTotals& device : totals.devices) {
        for (const Counter& counter : device.counters) Demand(device.Asked(counter.name) == counter.asked);
        static_cast<void>(device.DidAll("submits_"));
    }
    return 0;
}
