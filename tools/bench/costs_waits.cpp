// SPDX-License-Identifier: Apache-2.0
// Waits for work that takes long: how late a blocked thread wakes, and how late a wait with a timeout gives up.
#include <ctime>

#include <vulkan/utility/vk_struct_helper.hpp>

#include "costs_calls.h"
#include "costs_groups.h"

namespace kronos::bench {
namespace {

constexpr double kUs = 1e3;

// From submit to the end of the wait.
Case Waited(Device& device, VkCommandBuffer commands, VkFence fence, const std::string& name, bool spin) {
    return {name, [&device, commands, fence, spin] {
                const double start = Now();
                if (spin) {
                    device.SubmitAndSpin(device.queue(), {commands}, fence);
                    return Now() - start;
                }
                Submit(device.queue(), commands, fence);
                Must(vkWaitForFences(device.get(), 1, &fence, VK_TRUE, UINT64_MAX), "vkWaitForFences");
                const double took = Now() - start;
                Must(vkResetFences(device.get(), 1, &fence), "vkResetFences");
                return took;
            }};
}

// How much longer than `ns` it is until `give_up(ns)` returns, while the device is busy.
template <class GiveUp>
Case Late(Device& device, VkCommandBuffer busy, VkFence fence, const std::string& name, uint64_t ns, GiveUp give_up) {
    return {name + ", " + std::to_string(ns / 1'000) + " us", [&device, busy, fence, ns, give_up] {
                Submit(device.queue(), busy, fence);
                const double start = Now();
                give_up(ns);
                const double late = Now() - start - static_cast<double>(ns);
                Must(vkWaitForFences(device.get(), 1, &fence, VK_TRUE, UINT64_MAX), "vkWaitForFences");
                Must(vkResetFences(device.get(), 1, &fence), "vkResetFences");
                return late;
            }};
}

}  // namespace

void MeasureWaits(Device& device, Report& report) {
    report.Group("waits", "submit to the end of the wait; then how late a wait with a timeout returns");
    const VkDevice d = device.get();
    const VkFence fence = device.Fence();
    const bool software = device.properties().deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU;
    for (const double us : {100.0, 300.0, 1'000.0, 3'000.0}) {
        if (software && us > 1'000) break;
        const VkCommandBuffer commands = BusyFor(device, fence, us * kUs);
        const std::string work = "work of about " + std::to_string(static_cast<int>(us)) + " us, ";
        report.Measure({Waited(device, commands, fence, work + "vkWaitForFences", false),
                        Waited(device, commands, fence, work + "spin on vkGetFenceStatus", true)});
    }
    const VkCommandBuffer busy = BusyFor(device, fence, 3'000 * kUs);
    std::vector<Case> cases;
    for (const uint64_t ns : {20'000u, 100'000u, 500'000u, 1'500'000u}) {
        cases.push_back(Late(device, busy, fence, "vkWaitForFences with a timeout, late by", ns,
                             [d, fence](uint64_t t) { static_cast<void>(vkWaitForFences(d, 1, &fence, VK_TRUE, t)); }));
        cases.push_back(Late(device, busy, fence, "a sleep of the operating system, late by", ns, [](uint64_t t) {
            const timespec time = {0, static_cast<long>(t)};
            clock_nanosleep(CLOCK_MONOTONIC, 0, &time, nullptr);
        }));
    }
    report.Measure(cases);
}

}  // namespace kronos::bench
