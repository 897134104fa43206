// SPDX-License-Identifier: Apache-2.0
// What a layer that spins in waits and recycles fences and memory replaces. Each case warms up by itself: what is
// measured is the steady state. tools/bench/on-off runs this group with and without the layer.
#include <ctime>
#include <memory>
#include <utility>
#include <vector>

#include <vulkan/utility/vk_struct_helper.hpp>

#include "costs_calls.h"
#include "costs_groups.h"

namespace kronos::bench {
namespace {

constexpr int kCalls = 32;
constexpr int kWarmUp = 4;  // the layer measures the driver on a program's first calls

struct Kind {
    const char* name;
    VkMemoryPropertyFlags wanted;
    VkMemoryPropertyFlags unwanted;
};
// Three kinds of memory that compute programs use.
constexpr Kind kKinds[] = {
    {"device local", VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT, VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT},
    {"host visible, coherent", VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT,
     VK_MEMORY_PROPERTY_HOST_CACHED_BIT | VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT},
    {"host visible, cached", VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_CACHED_BIT, 0},
};

void AllocateAndFree(VkDevice device, uint32_t type, VkDeviceSize bytes) {
    auto info = vku::InitStruct<VkMemoryAllocateInfo>();
    info.allocationSize = bytes;
    info.memoryTypeIndex = type;
    VkDeviceMemory memory = VK_NULL_HANDLE;
    Must(vkAllocateMemory(device, &info, nullptr, &memory), "vkAllocateMemory");
    vkFreeMemory(device, memory, nullptr);
}

void CreateAndDestroy(VkDevice device) {
    const auto info = vku::InitStruct<VkFenceCreateInfo>();
    VkFence fence = VK_NULL_HANDLE;
    Must(vkCreateFence(device, &info, nullptr, &fence), "vkCreateFence");
    vkDestroyFence(device, fence, nullptr);
}

// `call` is done kWarmUp times uncounted before the first sample.
template <class Call>
Case Warm(std::string name, Call call) {
    return {std::move(name), [call, warm = false]() mutable {
                for (int i = 0; !warm && i < kWarmUp; ++i) call();
                warm = true;
                return Each(kCalls, call);
            }};
}

// Submits `commands` and waits by `wait`, which gets the fence.
template <class Wait>
Case SubmitAndWait(const char* name, Device& device, VkCommandBuffer commands, VkFence fence, bool fenced, Wait wait) {
    return {name, [&device, commands, fence, fenced, wait] {
                const double start = Now();
                Submit(device.queue(), commands, fenced ? fence : VK_NULL_HANDLE);
                wait(fence);
                const double took = Now() - start;
                if (fenced) Must(vkResetFences(device.get(), 1, &fence), "vkResetFences");
                return took;
            }};
}

double ThreadCpuNs() {
    timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

// The processor time of waiting for 10 ms at a time.
Case LongWait(Device& device, VkFence fence) {
    const VkCommandBuffer commands = BusyFor(device, fence, 10e6);
    return {"processor time of 8 waits of 10 ms", [&device, commands, fence] {
                const double before = ThreadCpuNs();
                for (int i = 0; i < 8; ++i) {
                    Submit(device.queue(), commands, fence);
                    Must(vkWaitForFences(device.get(), 1, &fence, VK_TRUE, UINT64_MAX), "vkWaitForFences");
                    Must(vkResetFences(device.get(), 1, &fence), "vkResetFences");
                }
                return ThreadCpuNs() - before;
            }};
}

// A recording of dispatches with three barriers before each, as programs of many layers do.
Case RecordBarriers(Device& device) {
    constexpr int kDispatches = 256;
    const VkCommandBuffer commands = device.Commands(device.family());
    return {"a recorded dispatch with 3 barriers", [&device, commands] {
                const double start = Now();
                Device::Record(commands, [&](VkCommandBuffer c) {
                    auto barrier = vku::InitStruct<VkMemoryBarrier>();
                    barrier.srcAccessMask = VK_ACCESS_SHADER_WRITE_BIT;
                    barrier.dstAccessMask = VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT;
                    device.BindKernel(c);
                    for (int i = 0; i < kDispatches; ++i) {
                        for (int b = 0; b < 3; ++b)
                            vkCmdPipelineBarrier(c, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT,
                                                 VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, 0, 1, &barrier, 0, nullptr, 0,
                                                 nullptr);
                        device.Dispatch(c, 0, 1);
                    }
                });
                return (Now() - start) / kDispatches;
            }};
}

// 256 dispatches with a barrier after each, recorded once: what the device needs for one of them. `slots`: how many of
// the dispatches touch different bytes.
Case RunBarriers(const char* name, Device& device, VkFence fence, uint32_t slots, VkPipelineStageFlags stages,
                 VkAccessFlags source, VkAccessFlags destination) {
    constexpr uint32_t kDispatches = 256;
    const VkCommandBuffer commands = device.Commands(device.family());
    Device::Record(commands, [&](VkCommandBuffer c) {
        auto barrier = vku::InitStruct<VkMemoryBarrier>();
        barrier.srcAccessMask = source;
        barrier.dstAccessMask = destination;
        device.BindKernel(c);
        for (uint32_t i = 0; i < kDispatches; ++i) {
            device.BindSlot(c, i % slots);
            device.Dispatch(c, 0, 1);
            vkCmdPipelineBarrier(c, stages, stages, 0, 1, &barrier, 0, nullptr, 0, nullptr);
        }
    });
    return {name, [&device, commands, fence] {
                const double start = Now();
                device.SubmitAndSpin(device.queue(), {commands}, fence);
                return (Now() - start) / kDispatches;
            }};
}

// Submissions of a dispatch each, none waited for but at the end: the processor's time for each, and the whole's. All
// write the same bytes, or, `apart`, as few as kSlotSets of them do.
struct ManySubmits {
    static constexpr uint32_t kCount = 256;
    Device& device;
    std::vector<VkCommandBuffer> commands;
    std::vector<VkFence> fences;  // none, or one for each
    bool apart = false;

    void Record(VkCommandBufferUsageFlags flags) const {
        for (uint32_t i = 0; i < kCount; ++i) {
            const VkCommandBuffer one = commands[i];
            auto begin = vku::InitStruct<VkCommandBufferBeginInfo>();
            begin.flags = flags;
            Must(vkBeginCommandBuffer(one, &begin), "vkBeginCommandBuffer");
            device.BindKernel(one);
            if (apart) device.BindSlot(one, i % kSlotSets);
            device.Dispatch(one, 0, 1);
            Must(vkEndCommandBuffer(one), "vkEndCommandBuffer");
        }
    }
    /// Records them first, if `anew`. Nanoseconds each: of the processor, and to idle.
    std::pair<double, double> Run(bool anew) const {
        const double start = Now();
        if (anew) Record(VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT);
        for (uint32_t i = 0; i < kCount; ++i)
            Submit(device.queue(), commands[i], fences.empty() ? VK_NULL_HANDLE : fences[i]);
        const double submitted = Now();
        if (fences.empty())
            Must(vkQueueWaitIdle(device.queue()), "vkQueueWaitIdle");
        else
            Must(vkWaitForFences(device.get(), kCount, fences.data(), VK_TRUE, UINT64_MAX), "vkWaitForFences");
        const double idle = Now();
        if (!fences.empty()) Must(vkResetFences(device.get(), kCount, fences.data()), "vkResetFences");
        return {(submitted - start) / kCount, (idle - start) / kCount};
    }
};

void MeasureManySubmits(Device& device, Report& report) {
    std::vector<Case> cases;
    const auto add = [&](const std::string& name, bool anew, bool fenced, bool apart) {
        auto submits = std::make_shared<ManySubmits>(
            ManySubmits{device, device.CommandBuffers(device.family(), ManySubmits::kCount), {}, apart});
        for (uint32_t i = 0; fenced && i < ManySubmits::kCount; ++i) submits->fences.push_back(device.Fence());
        if (!anew) submits->Record(0);
        auto idle = std::make_shared<double>(0);
        cases.push_back({name + ", CPU", [submits, anew, idle] {
                             const auto [cpu, to_idle] = submits->Run(anew);
                             *idle = to_idle;
                             return cpu;
                         }});
        cases.push_back({name + ", to idle", [idle] { return *idle; }});
    };
    add("one of 256 submits", false, false, false);
    add("one of 256 submits, a fence each", false, true, false);
    add("one of 256 submits, recorded anew", true, false, false);
    add("one of 256 independent submits", false, false, true);
    add("one of 256 independent submits, a fence each", false, true, true);
    report.Measure(cases);
}

}  // namespace

void MeasureReplaced(Device& device, Report& report) {
    report.Group("replaced", "steady state; a tiny command buffer is one dispatch of 16 work groups");
    const VkDevice d = device.get();
    std::vector<Case> calls;
    calls.push_back(Warm("vkCreateFence + vkDestroyFence", [d] { CreateAndDestroy(d); }));
    for (const Kind& kind : kKinds) {
        const uint32_t type = device.FindMemoryType(kind.wanted, kind.unwanted);
        if (type == VK_MAX_MEMORY_TYPES) {
            report.Skip(std::string("memory, ") + kind.name, "the device has no such type");
            continue;
        }
        for (const auto& [bytes, text] : {std::pair{VkDeviceSize{4} << 10, "4 KiB"},
                                          {VkDeviceSize{64} << 10, "64 KiB"},
                                          {VkDeviceSize{1} << 20, "1 MiB"},
                                          {VkDeviceSize{16} << 20, "16 MiB"}})
            calls.push_back(Warm(std::string("vkAllocateMemory + vkFreeMemory, ") + kind.name + ", " + text,
                                 [d, type, bytes = bytes] { AllocateAndFree(d, type, bytes); }));
    }
    report.Measure(calls);
    report.Measure({RecordBarriers(device)});

    const VkCommandBuffer tiny = device.Commands(device.family());
    Device::Record(tiny, [&](VkCommandBuffer commands) {
        device.BindKernel(commands);
        device.Dispatch(commands, 0, 1);
    });
    const VkFence fence = device.Fence();
    report.Measure({
        SubmitAndWait("submit and spin by hand", device, tiny, fence, true,
                      [d](VkFence f) {
                          VkResult status = VK_NOT_READY;
                          while (status == VK_NOT_READY) status = vkGetFenceStatus(d, f);
                          Must(status, "vkGetFenceStatus");
                      }),
        SubmitAndWait("submit and vkWaitForFences", device, tiny, fence, true,
                      [d](VkFence f) { Must(vkWaitForFences(d, 1, &f, VK_TRUE, UINT64_MAX), "vkWaitForFences"); }),
        SubmitAndWait("submit and vkQueueWaitIdle", device, tiny, fence, false,
                      [&device](VkFence) { Must(vkQueueWaitIdle(device.queue()), "vkQueueWaitIdle"); }),
    });
    MeasureManySubmits(device, report);
    constexpr VkAccessFlags kShader = VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT;
    constexpr VkAccessFlags kMemory = VK_ACCESS_MEMORY_READ_BIT | VK_ACCESS_MEMORY_WRITE_BIT;
    constexpr VkPipelineStageFlags kCompute = VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT;
    report.Measure({
        RunBarriers("of 256 independent dispatches, a barrier after each", device, fence, kSlotSets, kCompute,
                    VK_ACCESS_SHADER_WRITE_BIT, kShader),
        RunBarriers("of a chain of 256 dispatches", device, fence, 1, kCompute, VK_ACCESS_SHADER_WRITE_BIT, kShader),
        RunBarriers("of a chain with barriers for all memory", device, fence, 1, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT,
                    kMemory, kMemory),
    });
    report.Measure({LongWait(device, fence)});
}

}  // namespace kronos::bench
