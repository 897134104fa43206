// SPDX-License-Identifier: Apache-2.0
// kronos-workloads: plain Vulkan compute programs with verified results. It knows nothing of any layer.
// Ends 0 when all results are right, 1 when one is wrong, 2 on a bad command line, 3 when Vulkan or memory fails.
#include <algorithm>
#include <cstdio>
#include <new>

#include "context.h"
#include "options.h"
#include "pairs.h"
#include "report.h"
#include "writing.h"

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

// A device for each set of extras, made when first asked for.
class Devices {
  public:
    explicit Devices(const std::string& wanted) : wanted_(wanted) {}
    const Context& For(const Extras& extras) {
        for (Made& made : made_) {
            if (made.extras.timeline == extras.timeline && made.extras.second_queue == extras.second_queue)
                return *made.context;
        }
        made_.push_back({extras, std::make_unique<Context>(wanted_, extras)});
        return *made_.back().context;
    }

  private:
    struct Made {
        Extras extras;
        std::unique_ptr<Context> context;
    };
    std::string wanted_;
    std::vector<Made> made_;
};

Measurement Measure(const Context& context, const WorkloadKind& kind, bool expert, const Options& options) {
    Measurement measurement;
    measurement.workload = kind.name;
    measurement.expert = expert;
    measurement.bytes = options.bytes;
    measurement.rounds = options.rounds;
    if (kind.program == Program::TwoQueues && context.queues().size() < 2) {
        measurement.skipped = "the device has one compute queue only";
        return measurement;
    }
    std::unique_ptr<Workload> workload = kind.make(options.bytes, options.rounds);
    RequireFits(context, *workload, kind.name);
    // Barriers are left out of expert writings only: in the others there are more than the data needs.
    Fault fault = options.fault == Fault::MissingBarrier && !expert ? Fault::None : options.fault;
    std::unique_ptr<Writing> writing = MakeWriting(kind, expert, {context, *workload, fault});
    // The first run, which pays what a driver does once, is verified but not timed.
    constexpr uint32_t kMost = 10'000;
    double seconds = 0;
    for (uint32_t i = 0; (i <= options.repeat || (seconds < options.seconds && i <= kMost)) && !measurement.wrong;
         ++i) {
        RunResult run = writing->Run();
        ++measurement.executed;
        if (options.verify) measurement.wrong = workload->Check(run.results);
        run.results.clear();
        if (i == 0) continue;
        seconds += std::chrono::duration<double>(run.total).count();
        measurement.runs.push_back(std::move(run));
    }
    measurement.verified = options.verify;
    measurement.per_run = writing->PerRun();
    measurement.once = writing->Once();
    measurement.unsaid = writing->Unsaid();
    return measurement;
}

int Run(const Options& options) {
    if (options.list) {
        if (options.json_file != "-") PrintList();
        if (!options.json_file.empty()) WriteList(options.json_file);
        return 0;
    }
    if (!options.against_layer.empty()) return RunPairs(options);
    Devices devices(options.device);
    bool table = options.json_file != "-";
    if (table) PrintHeader(devices.For({.timeline = !options.naive}));
    std::vector<Measurement> measurements;
    for (const WorkloadKind* kind : options.kinds) {
        for (bool expert : {false, true}) {
            if (expert ? !options.expert || !kind->expert : !options.naive) continue;
            const Context& context =
                devices.For({.timeline = expert, .second_queue = kind->program == Program::TwoQueues});
            measurements.push_back(Measure(context, *kind, expert, options));
            if (table) PrintRow(measurements.back());
        }
    }
    const Context& context = devices.For({.timeline = !options.naive});
    if (!options.json_file.empty()) WriteJson(options.json_file, context, measurements);
    bool wrong = std::any_of(measurements.begin(), measurements.end(), [](const auto& m) { return m.wrong; });
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
