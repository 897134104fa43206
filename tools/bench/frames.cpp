// SPDX-License-Identifier: Apache-2.0
// A plain Vulkan program with many short frames, each a submission and the wait for it, at a rate that it keeps:
// kronos-frames FRAMES MICROSECONDS. Prints JSON for tools/bench/log-cost: how long the frames kept the thread busy,
// and how much processor time all the other threads took.
#include <vulkan/vulkan.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <nlohmann/json.hpp>
#include <vector>

#include "bench_device.h"

namespace {

using namespace kronos::bench;

uint64_t Now(clockid_t clock) {
    timespec now;
    clock_gettime(clock, &now);
    return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(now.tv_nsec);
}

// Processor time of all threads but this one.
uint64_t Others() { return Now(CLOCK_PROCESS_CPUTIME_ID) - Now(CLOCK_THREAD_CPUTIME_ID); }

void SpinUntil(uint64_t ns) {
    while (Now(CLOCK_MONOTONIC) < ns) {
    }
}

constexpr uint64_t kLookEveryNs = 20'000;

}  // namespace

int main(int argc, char** argv) {
    const long frames = argc > 1 ? std::atol(argv[1]) : 0;
    const long every_us = argc > 2 ? std::atol(argv[2]) : 0;
    if (frames < 1 || every_us < 1) {
        std::fprintf(stderr, "usage: kronos-frames FRAMES MICROSECONDS\n");
        return 2;
    }
    BenchDevice program;
    program.Make();
    const VkCommandBuffer buffer = program.NewBuffer();
    Begin(buffer);
    End(buffer);
    const VkFence fence = program.NewFence(0);
    auto submit = Info<VkSubmitInfo>(VK_STRUCTURE_TYPE_SUBMIT_INFO);
    submit.commandBufferCount = 1;
    submit.pCommandBuffers = &buffer;
    // Nanoseconds of the calls; what the device takes meanwhile is not in it, however busy the machine is.
    const auto frame = [&] {
        const uint64_t submit_ns = Now(CLOCK_MONOTONIC);
        Expect(vkQueueSubmit(program.queue, 1, &submit, fence), "vkQueueSubmit");
        uint64_t busy = Now(CLOCK_MONOTONIC) - submit_ns;
        for (;;) {
            SpinUntil(Now(CLOCK_MONOTONIC) + kLookEveryNs);
            const uint64_t wait_ns = Now(CLOCK_MONOTONIC);
            const VkResult result = vkWaitForFences(program.device, 1, &fence, VK_TRUE, 0);
            if (result == VK_TIMEOUT) continue;
            Expect(result, "vkWaitForFences");
            Expect(vkResetFences(program.device, 1, &fence), "vkResetFences");
            return busy + Now(CLOCK_MONOTONIC) - wait_ns;
        }
    };
    for (int i = 0; i < 1000; ++i) frame();  // all that is learned and measured by layers and drivers is
    std::vector<uint64_t> busy(static_cast<size_t>(frames));
    const uint64_t every_ns = static_cast<uint64_t>(every_us) * 1'000;
    const uint64_t others_before = Others();
    const uint64_t begin = Now(CLOCK_MONOTONIC);
    uint64_t next = begin;
    for (uint64_t& ns : busy) {
        ns = frame();
        // What came late is not made up for: a machine that others use would never be on time again.
        next = std::max(next + every_ns, Now(CLOCK_MONOTONIC));
        SpinUntil(next);
    }
    const uint64_t took = Now(CLOCK_MONOTONIC) - begin;
    const uint64_t others = Others() - others_before;
    vkDestroyFence(program.device, fence, nullptr);
    program.Destroy();
    std::sort(busy.begin(), busy.end());
    const nlohmann::ordered_json document = {{"frames", frames},
                                             {"seconds", static_cast<double>(took) / 1e9},
                                             {"busy_ns", busy[busy.size() / 2]},
                                             {"others_ns", others / static_cast<uint64_t>(frames)}};
    // Layers may write on standard output too: ours is the last line.
    std::printf("\n%s\n", document.dump().c_str());
}
