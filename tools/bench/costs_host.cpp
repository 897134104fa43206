// SPDX-License-Identifier: Apache-2.0
// What calls cost the CPU: fences, small allocations, submits in both spellings, and each way to wait.
#include <vulkan/utility/vk_struct_helper.hpp>

#include <functional>
#include <memory>

#include "costs_calls.h"
#include "costs_groups.h"

namespace kronos::bench {
namespace {

constexpr int kBatch = 16;
constexpr uint32_t kSubmits = 64;

// Allocation and free of kBatch blocks apart: two cases that share their last sample, taken in the first.
void AddAllocation(std::vector<Case>& cases, const Device& device, uint32_t type, VkDeviceSize bytes,
                   const std::string& what) {
    auto freed = std::make_shared<double>(0);
    cases.push_back({"vkAllocateMemory, device local, " + what, [&device, type, bytes, freed] {
                         VkDeviceMemory blocks[kBatch];
                         const double start = Now();
                         for (VkDeviceMemory& block : blocks) block = device.Allocate(type, bytes);
                         const double allocated = Now();
                         for (VkDeviceMemory block : blocks) vkFreeMemory(device.get(), block, nullptr);
                         *freed = (Now() - allocated) / kBatch;
                         return (allocated - start) / kBatch;
                     }});
    cases.push_back({"vkFreeMemory, device local, " + what, [freed] { return *freed; }});
}

struct TimelineState {
    VkSemaphore semaphore;
    uint64_t value;
};

// From submit to the end of `wait`, one tiny command buffer that signals a timeline.
Case TimelineCase(const Device& device, VkCommandBuffer commands, const std::shared_ptr<TimelineState>& state,
                  const char* name, bool spin) {
    return {name, [&device, commands, state, spin] {
                const uint64_t value = ++state->value;
                auto values = vku::InitStruct<VkTimelineSemaphoreSubmitInfo>();
                values.signalSemaphoreValueCount = 1;
                values.pSignalSemaphoreValues = &value;
                const double start = Now();
                Submit(device.queue(), commands, VK_NULL_HANDLE, &values, &state->semaphore);
                if (spin) {
                    uint64_t now = 0;
                    while (now < value) {
                        Must(vkGetSemaphoreCounterValue(device.get(), state->semaphore, &now),
                             "vkGetSemaphoreCounterValue");
                    }
                } else {
                    auto wait = vku::InitStruct<VkSemaphoreWaitInfo>();
                    wait.semaphoreCount = 1;
                    wait.pSemaphores = &state->semaphore;
                    wait.pValues = &value;
                    Must(vkWaitSemaphores(device.get(), &wait, UINT64_MAX), "vkWaitSemaphores");
                }
                return Now() - start;
            }};
}

}  // namespace

void MeasureBasics(Device& device, Report& report) {
    report.Group("basics", "one call each; a tiny command buffer is one dispatch of 16 work groups");
    const VkDevice d = device.get();
    const uint32_t local = device.MemoryType(VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT);
    const VkFence fence = device.Fence();
    std::vector<Case> calls;
    calls.push_back({"vkCreateFence + vkDestroyFence", [d] {
                         return Each(kBatch, [d] {
                             const auto info = vku::InitStruct<VkFenceCreateInfo>();
                             VkFence made = VK_NULL_HANDLE;
                             Must(vkCreateFence(d, &info, nullptr, &made), "vkCreateFence");
                             vkDestroyFence(d, made, nullptr);
                         });
                     }});
    AddAllocation(calls, device, local, 4096, "4 KiB");
    AddAllocation(calls, device, local, VkDeviceSize{16} << 20, "16 MiB");
    calls.push_back({"vkGetFenceStatus, not signaled",
                     [d, fence] { return Each(1000, [d, fence] { static_cast<void>(vkGetFenceStatus(d, fence)); }); }});
    std::shared_ptr<TimelineState> timeline;
    if (device.HasTimeline()) {
        timeline = std::make_shared<TimelineState>(TimelineState{device.Semaphore(VK_SEMAPHORE_TYPE_TIMELINE), 0});
        calls.push_back({"vkGetSemaphoreCounterValue", [d, timeline] {
                             uint64_t value = 0;
                             return Each(1000, [&] {
                                 static_cast<void>(vkGetSemaphoreCounterValue(d, timeline->semaphore, &value));
                             });
                         }});
    }
    report.Measure(calls);

    const VkCommandBuffer tiny = device.Commands(device.family());
    Device::Record(tiny, [&](VkCommandBuffer commands) {
        device.BindKernel(commands);
        device.Dispatch(commands, 0, 1);
    });
    std::vector<Case> waits;
    waits.push_back({"submit and vkWaitForFences", [&device, d, tiny, fence] {
                         const double start = Now();
                         Submit(device.queue(), tiny, fence);
                         Must(vkWaitForFences(d, 1, &fence, VK_TRUE, UINT64_MAX), "vkWaitForFences");
                         const double took = Now() - start;
                         Must(vkResetFences(d, 1, &fence), "vkResetFences");
                         return took;
                     }});
    waits.push_back({"submit and spin on vkGetFenceStatus", [&device, d, tiny, fence] {
                         const double start = Now();
                         Submit(device.queue(), tiny, fence);
                         VkResult status = VK_NOT_READY;
                         while (status == VK_NOT_READY) status = vkGetFenceStatus(d, fence);
                         const double took = Now() - start;
                         Must(status, "vkGetFenceStatus");
                         Must(vkResetFences(d, 1, &fence), "vkResetFences");
                         return took;
                     }});
    waits.push_back({"submit and vkQueueWaitIdle", [&device, tiny] {
                         const double start = Now();
                         Submit(device.queue(), tiny, VK_NULL_HANDLE);
                         Must(vkQueueWaitIdle(device.queue()), "vkQueueWaitIdle");
                         return Now() - start;
                     }});
    // What vkQueueWaitIdle could be replaced by.
    waits.push_back({"submit, then a fence alone, and spin on vkGetFenceStatus", [&device, d, tiny, fence] {
                         const double start = Now();
                         Submit(device.queue(), tiny, VK_NULL_HANDLE);
                         Must(vkQueueSubmit(device.queue(), 0, nullptr, fence), "vkQueueSubmit");
                         VkResult status = VK_NOT_READY;
                         while (status == VK_NOT_READY) status = vkGetFenceStatus(d, fence);
                         const double took = Now() - start;
                         Must(status, "vkGetFenceStatus");
                         Must(vkResetFences(d, 1, &fence), "vkResetFences");
                         return took;
                     }});
    if (timeline) {
        waits.push_back(
            TimelineCase(device, tiny, timeline, "submit with a timeline signal and vkWaitSemaphores", false));
        waits.push_back(TimelineCase(device, tiny, timeline, "submit with a timeline signal and spin on it", true));
    } else {
        report.Skip("timeline semaphores", "the device has none");
    }
    report.Measure(waits);
}

void MeasureFences(Device& device, Report& report) {
    report.Group("reset of fences", "ns a fence; signaled ones were signaled by a submit each");
    const VkDevice d = device.get();
    std::vector<VkFence> fences(kBatch);
    for (VkFence& fence : fences) fence = device.Fence();
    const auto signal = [&device, d, fences] {
        for (VkFence fence : fences) Must(vkQueueSubmit(device.queue(), 0, nullptr, fence), "vkQueueSubmit");
        Must(vkWaitForFences(d, kBatch, fences.data(), VK_TRUE, UINT64_MAX), "vkWaitForFences");
        Must(vkQueueWaitIdle(device.queue()), "vkQueueWaitIdle");
    };
    const auto singly = [d, fences] {
        const double start = Now();
        for (const VkFence& fence : fences) Must(vkResetFences(d, 1, &fence), "vkResetFences");
        return (Now() - start) / kBatch;
    };
    const auto together = [d, fences] {
        const double start = Now();
        Must(vkResetFences(d, kBatch, fences.data()), "vkResetFences");
        return (Now() - start) / kBatch;
    };
    std::vector<Case> cases;
    cases.push_back({"vkResetFences of 1, signaled", [signal, singly] { return signal(), singly(); }});
    cases.push_back({"vkResetFences of 16 in one call, signaled", [signal, together] { return signal(), together(); }});
    cases.push_back({"vkResetFences of 1, not signaled", singly});
    cases.push_back({"vkResetFences of 16 in one call, not signaled", together});
    cases.push_back({"vkQueueSubmit of a fence alone", [&device, d, fences] {
                         const double start = Now();
                         for (VkFence fence : fences)
                             Must(vkQueueSubmit(device.queue(), 0, nullptr, fence), "vkQueueSubmit");
                         const double took = (Now() - start) / kBatch;
                         Must(vkQueueWaitIdle(device.queue()), "vkQueueWaitIdle");
                         Must(vkResetFences(d, kBatch, fences.data()), "vkResetFences");
                         return took;
                     }});
    report.Measure(cases);
}

namespace {

enum class Signal { None, Fence, Timeline };

struct SubmitSetup {
    const Device& device;
    std::vector<VkCommandBuffer> commands;
    std::vector<VkFence> fences;
    VkSemaphore timeline = VK_NULL_HANDLE;
    uint64_t value = 0;
    double to_idle = 0;
    PFN_vkQueueSubmit2 submit2 = nullptr;

    // kSubmits submits of a tiny command buffer each; returns CPU ns each and keeps ns each to idle.
    double Run(bool two, Signal signal) {
        const double start = Now();
        for (uint32_t i = 0; i < kSubmits; ++i) {
            const VkFence fence = signal == Signal::Fence ? fences[i] : VK_NULL_HANDLE;
            if (two) {
                auto buffer = vku::InitStruct<VkCommandBufferSubmitInfo>();
                buffer.commandBuffer = commands[i];
                auto done = vku::InitStruct<VkSemaphoreSubmitInfo>();
                done.semaphore = timeline;
                done.stageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT;
                auto info = vku::InitStruct<VkSubmitInfo2>();
                info.commandBufferInfoCount = 1;
                info.pCommandBufferInfos = &buffer;
                if (signal == Signal::Timeline) {
                    done.value = ++value;
                    info.signalSemaphoreInfoCount = 1;
                    info.pSignalSemaphoreInfos = &done;
                }
                Must(submit2(device.queue(), 1, &info, fence), "vkQueueSubmit2");
            } else if (signal == Signal::Timeline) {
                const uint64_t next = ++value;
                auto values = vku::InitStruct<VkTimelineSemaphoreSubmitInfo>();
                values.signalSemaphoreValueCount = 1;
                values.pSignalSemaphoreValues = &next;
                Submit(device.queue(), commands[i], fence, &values, &timeline);
            } else {
                Submit(device.queue(), commands[i], fence);
            }
        }
        const double submitted = Now();
        Must(vkQueueWaitIdle(device.queue()), "vkQueueWaitIdle");
        to_idle = (Now() - start) / kSubmits;
        if (signal == Signal::Fence) Must(vkResetFences(device.get(), kSubmits, fences.data()), "vkResetFences");
        return (submitted - start) / kSubmits;
    }
};

}  // namespace

void MeasureSubmits(Device& device, Report& report) {
    report.Group("vkQueueSubmit2 against vkQueueSubmit", "64 submits of a tiny command buffer each, ns a submit");
    SubmitSetup setup{device, device.CommandBuffers(device.family(), kSubmits), {}};
    for (uint32_t i = 0; i < kSubmits; ++i) {
        setup.fences.push_back(device.Fence());
        Device::Record(setup.commands[i], [&](VkCommandBuffer commands) {
            device.BindKernel(commands);
            device.Dispatch(commands, i, 1);
        });
    }
    if (device.HasTimeline()) setup.timeline = device.Semaphore(VK_SEMAPHORE_TYPE_TIMELINE);
    std::vector<Case> cases;
    for (Signal signal : {Signal::None, Signal::Fence, Signal::Timeline}) {
        if (signal == Signal::Timeline && !device.HasTimeline()) continue;
        const char* with[] = {"", ", a fence each", ", a timeline signal each"};
        for (bool two : {false, true}) {
            if (two && !device.HasSynchronization2()) continue;
            const std::string name =
                std::string(two ? "vkQueueSubmit2" : "vkQueueSubmit") + with[static_cast<int>(signal)];
            auto idle = std::make_shared<double>(0);
            cases.push_back({name + ", CPU", [&setup, two, signal, idle] {
                                 const double cpu = setup.Run(two, signal);
                                 *idle = setup.to_idle;
                                 return cpu;
                             }});
            cases.push_back({name + ", to idle", [idle] { return *idle; }});
        }
    }
    if (device.HasSynchronization2()) {
        setup.submit2 = reinterpret_cast<PFN_vkQueueSubmit2>(vkGetDeviceProcAddr(device.get(), "vkQueueSubmit2"));
        for (bool two : {false, true}) {
            cases.push_back({std::string(two ? "vkQueueSubmit2" : "vkQueueSubmit") + " of nothing", [&setup, two] {
                                 const VkQueue queue = setup.device.queue();
                                 return Each(static_cast<int>(kSubmits), [&] {
                                     Must(two ? setup.submit2(queue, 0, nullptr, VK_NULL_HANDLE)
                                              : vkQueueSubmit(queue, 0, nullptr, VK_NULL_HANDLE),
                                          "submit of nothing");
                                 });
                             }});
        }
    } else {
        report.Skip("vkQueueSubmit2", "the device has no synchronization2");
    }
    report.Measure(cases);
}

void MeasureFusion(Device& device, Report& report) {
    report.Group("what fusing command buffers replaces",
                 "64 tiny command buffers in one submit, or all as one, ns each");
    std::vector<VkCommandBuffer> apart = device.CommandBuffers(device.family(), kSubmits);
    const VkCommandBuffer one = device.CommandBuffers(device.family(), 1).front();
    const auto record = [&device](VkCommandBuffer commands, uint32_t i) {
        device.BindKernel(commands);
        device.Dispatch(commands, i, 1);
    };
    const auto record_one = [one, record] {
        Device::Record(one, [&](VkCommandBuffer commands) {
            for (uint32_t i = 0; i < kSubmits; ++i) record(commands, i);
        });
    };
    const auto record_apart = [apart, record] {
        for (uint32_t i = 0; i < kSubmits; ++i)
            Device::Record(apart[i], [&](VkCommandBuffer commands) { record(commands, i); });
    };
    const auto record_none = [none = device.CommandBuffers(device.family(), kSubmits)] {
        for (const VkCommandBuffer commands : none) Device::Record(commands, [](VkCommandBuffer) {});
    };
    record_one();
    record_apart();
    const auto to_idle = [&device](const std::vector<VkCommandBuffer>& buffers) {
        auto info = vku::InitStruct<VkSubmitInfo>();
        info.commandBufferCount = static_cast<uint32_t>(buffers.size());
        info.pCommandBuffers = buffers.data();
        const double start = Now();
        Must(vkQueueSubmit(device.queue(), 1, &info, VK_NULL_HANDLE), "vkQueueSubmit");
        Must(vkQueueWaitIdle(device.queue()), "vkQueueWaitIdle");
        return (Now() - start) / kSubmits;
    };
    const auto timed = [](const auto& body) {
        return [body] {
            const double start = Now();
            body();
            return (Now() - start) / kSubmits;
        };
    };
    report.Measure({{"a command buffer each, to idle", [to_idle, apart] { return to_idle(apart); }},
                    {"one command buffer, to idle", [to_idle, one] { return to_idle({one}); }},
                    {"recording a command buffer each, CPU", timed(record_apart)},
                    {"recording all into one, CPU", timed(record_one)},
                    {"recording nothing into each, CPU", timed(record_none)}});
}

}  // namespace kronos::bench
