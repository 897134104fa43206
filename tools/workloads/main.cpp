// SPDX-License-Identifier: Apache-2.0
// kronos-workloads: plain Vulkan 1.1 compute programs with verified results. It knows nothing of any layer.
// Ends 0 when all results are right, 1 when one is wrong, 2 on a bad command line, 3 when Vulkan or memory fails.
#include <cstdio>
#include <new>

#include "context.h"
#include "naive.h"
#include "options.h"
#include "report.h"

namespace kronos::workloads {
namespace {

// Better one line now than a failed call later: what the device allows of one storage buffer.
void RequireFits(const Context& context, const Workload& workload, std::string_view name) {
    for (const BufferSpec& spec : workload.buffers()) {
        if (spec.bytes > context.properties().limits.maxStorageBufferRange) {
            throw WorkloadError(std::string(name) + ": a buffer of " + std::to_string(spec.bytes) +
                                " bytes is more than the " +
                                std::to_string(context.properties().limits.maxStorageBufferRange) +
                                " that this device allows; choose a smaller --size");
        }
    }
}

Measurement Measure(const Context& context, const WorkloadKind& kind, const Options& options) {
    std::unique_ptr<Workload> workload = kind.make(options.bytes, options.rounds);
    RequireFits(context, *workload, kind.name);
    Measurement measurement{
        std::string(kind.name), options.bytes, options.rounds, workload->dispatches().size(), {}, {}};
    NaiveWriting writing(context, *workload);
    // The first run, which pays what a driver does once, is verified but not timed.
    for (uint32_t i = 0; i <= options.repeat && !measurement.wrong; ++i) {
        RunResult run = writing.Run();
        measurement.wrong = workload->Check(run.results);
        run.results.clear();
        if (i > 0) measurement.runs.push_back(std::move(run));
    }
    return measurement;
}

int Run(const Options& options) {
    if (options.list) {
        for (const WorkloadKind& kind : kWorkloads) {
            std::printf("%-10.*s %.*s\n", static_cast<int>(kind.name.size()), kind.name.data(),
                        static_cast<int>(kind.description.size()), kind.description.data());
        }
        return 0;
    }
    Context context(options.device);
    bool table = options.json_file != "-";
    if (table) PrintHeader(context);
    bool wrong = false;
    std::vector<Measurement> measurements;
    for (const WorkloadKind* kind : options.kinds) {
        measurements.push_back(Measure(context, *kind, options));
        wrong |= measurements.back().wrong.has_value();
        if (table) PrintRow(measurements.back());
    }
    if (!options.json_file.empty()) WriteJson(options.json_file, context, measurements);
    return wrong ? 1 : 0;
}

}  // namespace
}  // namespace kronos::workloads

int main(int argc, char** argv) {
    using kronos::workloads::Options;
    try {
        int status = 0;
        std::optional<Options> options = kronos::workloads::ParseOptions(argc, argv, status);
        return options ? kronos::workloads::Run(*options) : status;
    } catch (const kronos::workloads::WorkloadError& error) {
        std::fprintf(stderr, "kronos-workloads: %s\n", error.what());
    } catch (const std::bad_alloc&) {
        std::fprintf(stderr, "kronos-workloads: out of host memory; choose a smaller --size\n");
    }
    return 3;
}
