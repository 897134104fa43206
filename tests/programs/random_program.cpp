// SPDX-License-Identifier: Apache-2.0
// A valid Vulkan compute program made from a seed: plain Vulkan, without knowledge of any layer. With one thread the
// same seed on the same driver makes the same calls in the same order, and the same checksum with any number of them.
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>
#include <thread>
#include <vector>

#include "counts.h"
#include "gpu.h"
#include "worker.h"

namespace {

using random_program::Counts;
using random_program::Gpu;
using random_program::Rng;
using random_program::Worker;

constexpr const char* kUsage =
    "usage: kronos_random_program --seed N --steps M [--threads T] [--counts FILE] [--device I]\n"
    "       [--avoid simultaneous-queries|secondary-events|moving-semaphores|needed-barriers] ...\n";

struct Options {
    uint64_t seed = 0;
    uint64_t steps = 0;
    uint32_t threads = 1;
    uint32_t device = 0;
    const char* counts = nullptr;
    random_program::Avoid avoid;
};

uint64_t Number(const char* name, const char* text, uint64_t least, uint64_t most) {
    char* end = nullptr;
    errno = 0;
    const uint64_t value = std::strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || errno != 0 || value < least || value > most) {
        std::fprintf(stderr, "random_program: %s %s: a number from %" PRIu64 " to %" PRIu64 " is needed; giving up\n",
                     name, text, least, most);
        std::exit(2);
    }
    return value;
}

// False when there is no such thing to avoid.
bool SetAvoid(random_program::Avoid& avoid, std::string_view what) {
    bool* const flag = what == "simultaneous-queries" ? &avoid.simultaneous_queries
                       : what == "secondary-events"   ? &avoid.secondary_events
                       : what == "moving-semaphores"  ? &avoid.moving_semaphores
                       : what == "needed-barriers"    ? &avoid.needed_barriers
                                                      : nullptr;
    if (flag != nullptr) *flag = true;
    return flag != nullptr;
}

Options Parse(int argc, char** argv) {
    Options options;
    bool seed = false;
    bool steps = false;
    for (int i = 1; i < argc; i += 2) {
        const std::string_view name = argv[i];
        const char* const value = i + 1 < argc ? argv[i + 1] : nullptr;
        if (value != nullptr && name == "--seed") {
            options.seed = Number("--seed", value, 0, UINT64_MAX);
            seed = true;
        } else if (value != nullptr && name == "--steps") {
            options.steps = Number("--steps", value, 0, UINT64_MAX);
            steps = true;
        } else if (value != nullptr && name == "--threads") {
            options.threads = static_cast<uint32_t>(Number("--threads", value, 1, 64));
        } else if (value != nullptr && name == "--device") {
            options.device = static_cast<uint32_t>(Number("--device", value, 0, 1000));
        } else if (value != nullptr && name == "--counts") {
            options.counts = value;
        } else if (value != nullptr && name == "--avoid" && SetAvoid(options.avoid, value)) {
            // done
        } else {
            std::fprintf(stderr, "random_program: %s %s: unknown, or its value is missing; giving up\n%s", argv[i],
                         value != nullptr ? value : "", kUsage);
            std::exit(2);
        }
    }
    if (!seed || !steps) {
        std::fprintf(stderr, "random_program: --seed and --steps are needed; giving up\n%s", kUsage);
        std::exit(2);
    }
    return options;
}

void WriteCounts(const char* path, const Counts& counts) {
    std::FILE* const file = std::fopen(path, "w");
    if (file == nullptr) {
        std::fprintf(stderr, "random_program: --counts %s: %s; giving up\n", path, std::strerror(errno));
        std::exit(2);
    }
    const char* separator = "";
    std::fprintf(file, "{\n  \"counters\": {");
    counts.ForEach([&](const char* name, uint64_t value) {
        std::fprintf(file, "%s\n    \"%s\": %" PRIu64, separator, name, value);
        separator = ",";
    });
    std::fprintf(file, "\n  }\n}\n");
    const bool failed = std::ferror(file) != 0;
    if (std::fclose(file) != 0 || failed) {
        std::fprintf(stderr, "random_program: --counts %s: %s; giving up\n", path, std::strerror(errno));
        std::exit(2);
    }
}

}  // namespace

int main(int argc, char** argv) {
    const Options options = Parse(argc, argv);
    Rng rng(options.seed);
    Counts counts;
    uint64_t checksum = 0;
    {
        Gpu gpu(rng, options.device, options.avoid);
        std::vector<std::unique_ptr<Worker>> workers;
        for (uint32_t i = 0; i < options.threads; ++i) {
            workers.push_back(std::make_unique<Worker>(gpu, options.seed * 1000003 + i + 1, counts));
        }
        if (options.threads == 1) {
            workers.front()->Run(options.steps);
        } else {
            std::vector<std::thread> threads;
            threads.reserve(workers.size());
            for (const auto& worker : workers) {
                threads.emplace_back([&worker, &options] { worker->Run(options.steps); });
            }
            for (std::thread& thread : threads) thread.join();
        }
        for (std::unique_ptr<Worker>& worker : workers) {
            checksum = checksum * 31 + worker->checksum();
            worker.reset();
        }
    }
    if (options.counts != nullptr) WriteCounts(options.counts, counts);
    std::printf("seed %" PRIu64 " checksum %016" PRIx64 "\n", options.seed, checksum);
    return 0;
}
