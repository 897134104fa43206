// SPDX-License-Identifier: Apache-2.0
// kronos-slab-bench: what is wasted when traces of allocations come to slabs, and how long a call takes; beside VMA,
// where that was there when this was built. No Vulkan device is used: the driver below both only counts.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "memory/slab_pool.h"
#include "slab_subjects.h"
#include "slab_traces.h"
#include "support/clock.h"

namespace {

using slab_bench::Driver;
using slab_bench::Event;
using slab_bench::Subject;
using slab_bench::Trace;

constexpr double kMostWaste = 1.12;

struct Replayed {
    Driver driver;
    double fragmented = 0;  ///< of what is free at the end: what is not in the largest hole
    double call_ns = 0;
};

Replayed Replay(const Trace& trace, std::unique_ptr<Subject> subject) {
    std::vector<void*> live(trace.allocations);
    // What reading a long trace costs for the first time is not the subject's.
    for (const Event& event : trace.events) live[event.number] = subject.get();
    std::fill(live.begin(), live.end(), nullptr);
    const uint64_t begun = kronos::NowNs();
    for (const Event& event : trace.events) {
        void*& memory = live[event.number];
        if (event.frees) {
            subject->Free(memory);
            memory = nullptr;
        } else {
            memory = subject->Allocate(event.type, event.bytes, event.alignment);
        }
    }
    Replayed result;
    result.call_ns = static_cast<double>(kronos::NowNs() - begun) / static_cast<double>(trace.events.size());
    result.driver = subject->driver();
    const Subject::Holes holes = subject->Free();
    if (holes.all) result.fragmented = 1 - static_cast<double>(holes.largest) / static_cast<double>(holes.all);
    for (void* memory : live)
        if (memory) subject->Free(memory);
    return result;
}

double Median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

struct Column {
    double waste = 0;  ///< the most bytes of the driver's at once, to the most of the program's
    uint64_t more = 0;
    std::vector<double> call_ns;
    Replayed last;

    void Add(const Trace& trace, const Replayed& replayed) {
        last = replayed;
        more = replayed.driver.most_bytes - std::min(replayed.driver.most_bytes, trace.most_bytes);
        waste = static_cast<double>(replayed.driver.most_bytes) / static_cast<double>(trace.most_bytes);
        call_ns.push_back(replayed.call_ns);
    }
    void Print() const {
        const auto [least, most] = std::minmax_element(call_ns.begin(), call_ns.end());
        std::printf("%9.3f%7llu%8.2f%7.0f (%.0f..%.0f)", waste, static_cast<unsigned long long>(last.driver.calls),
                    last.fragmented, Median(call_ns), *least, *most);
    }
};

struct Options {
    std::string traces;
    uint64_t calls = 100'000;
    uint32_t repeat = 5;
    bool check = false;
};

// Returns whether it is as it should be.
bool Show(const Trace& trace, const Options& options) {
    Column ours, vma;
    std::vector<double> ratios;
    for (uint32_t i = 0; i < options.repeat; ++i) {
        ours.Add(trace, Replay(trace, slab_bench::MakeKronos()));
        std::unique_ptr<Subject> other = slab_bench::MakeVma();
        if (!other) continue;
        vma.Add(trace, Replay(trace, std::move(other)));
        ratios.push_back(ours.call_ns.back() / vma.call_ns.back());
    }
    std::printf("%-24s%9zu%9.1f |", trace.name.c_str(), trace.events.size(),
                static_cast<double>(trace.most_bytes) / (1 << 20));
    ours.Print();
    if (!ratios.empty()) {
        std::printf(" |");
        vma.Print();
        std::printf(" | %.2f", Median(ratios));
    }
    const bool ok = ours.waste <= kMostWaste || ours.more <= kronos::kSmallestSlab;
    std::printf("%s\n", ok ? "" : "  TOO MUCH");
    std::fflush(stdout);
    return ok;
}

int Run(const Options& options) {
    std::vector<Trace> traces;
    if (!options.traces.empty()) {
        std::vector<std::string> paths;
        for (const auto& entry : std::filesystem::directory_iterator(options.traces))
            if (entry.path().extension() == ".txt") paths.push_back(entry.path());
        std::sort(paths.begin(), paths.end());
        for (const std::string& path : paths) {
            std::variant<Trace, std::string> read = slab_bench::ReadTrace(path);
            if (const std::string* wrong = std::get_if<std::string>(&read)) {
                std::fprintf(stderr, "kronos-slab-bench: %s\n", wrong->c_str());
                return 2;
            }
            traces.push_back(std::get<Trace>(std::move(read)));
        }
        if (traces.empty()) {
            std::fprintf(stderr, "kronos-slab-bench: %s: no .txt is in it\n", options.traces.c_str());
            return 2;
        }
    }
    const bool compared = slab_bench::MakeVma() != nullptr;
    if (!compared)
        std::printf(
            "VMA is left out: no vk_mem_alloc.h was there when this was built (tests/apps/fetch vma, and build "
            "again)\n");
    std::printf(
        "waste: the most that the driver gave at once, to the most that the program had at once; frag.: of what is "
        "free at\n"
        "the end, the part that is not in the largest hole; ns: of a call, median (least..most) of %u replays in "
        "turn\n",
        options.repeat);
    std::printf("%-24s%9s%9s |%9s%7s%8s%7s%12s", "trace", "calls", "MiB", "waste", "driver", "frag.", "ns", "");
    if (compared) std::printf(" |%9s%7s%8s%7s%12s | ns, to VMA's", "VMA", "driver", "frag.", "ns", "");
    std::printf("\n");
    bool ok = true;
    for (const Trace& trace : traces) ok &= Show(trace, options);
    for (uint32_t i = 0; i < slab_bench::SyntheticCount(); ++i)
        ok &= Show(slab_bench::Synthetic(i, options.calls), options);
    return options.check && !ok ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app(
        "What slabs waste and take on traces of allocations, beside VMA where that was there when this was built.");
    Options options;
    app.add_option("--traces", options.traces,
                   "a folder of recorded traces, NAME.txt (tests/apps/allocations writes them)")
        ->check(CLI::ExistingDirectory);
    app.add_option("--calls", options.calls, "how many calls follow in each trace that is made up, once it is full")
        ->check(CLI::Range(uint64_t{1'000}, uint64_t{100'000'000}))
        ->capture_default_str();
    app.add_option("--repeat", options.repeat, "replays of each trace")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    app.add_flag("--check", options.check, "end with 1 where more than a slab and more than 1.12 is wasted");
    CLI11_PARSE(app, argc, argv);
    return Run(options);
}
