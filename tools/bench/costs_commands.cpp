// SPDX-License-Identifier: Apache-2.0
// What commands cost, to record and to execute: barriers in both spellings, and events as split barriers.
#include <vulkan/utility/vk_struct_helper.hpp>

#include <memory>

#include "costs_groups.h"

namespace kronos::bench {
namespace {

constexpr uint32_t kChain = 256;
constexpr uint32_t kSplits = 32;

enum class Kind { Global, Buffer, Execution };
constexpr const char* kKindNames[] = {"global memory", "buffer", "execution only"};

struct Commands2 {
    explicit Commands2(const Device& device) {
        if (!device.HasSynchronization2()) return;
        const auto get = [&](const char* name) { return vkGetDeviceProcAddr(device.get(), name); };
        barrier = reinterpret_cast<PFN_vkCmdPipelineBarrier2>(get("vkCmdPipelineBarrier2"));
        set = reinterpret_cast<PFN_vkCmdSetEvent2>(get("vkCmdSetEvent2"));
        wait = reinterpret_cast<PFN_vkCmdWaitEvents2>(get("vkCmdWaitEvents2"));
    }
    PFN_vkCmdPipelineBarrier2 barrier = nullptr;
    PFN_vkCmdSetEvent2 set = nullptr;
    PFN_vkCmdWaitEvents2 wait = nullptr;
};

// Everything that one barrier between two dispatches needs, in both spellings.
struct Masks {
    explicit Masks(const Device& device) {
        memory.srcAccessMask = buffer.srcAccessMask = VK_ACCESS_SHADER_WRITE_BIT;
        memory.dstAccessMask = buffer.dstAccessMask = VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT;
        buffer.srcQueueFamilyIndex = buffer.dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED;
        buffer.buffer = device.buffer();
        buffer.size = VK_WHOLE_SIZE;
        memory2.srcStageMask = memory2.dstStageMask = VK_PIPELINE_STAGE_2_COMPUTE_SHADER_BIT;
        memory2.srcAccessMask = VK_ACCESS_2_SHADER_WRITE_BIT;
        memory2.dstAccessMask = VK_ACCESS_2_SHADER_READ_BIT | VK_ACCESS_2_SHADER_WRITE_BIT;
        execution2 = memory2;
        execution2.srcAccessMask = execution2.dstAccessMask = 0;
        buffer2.srcStageMask = buffer2.dstStageMask = VK_PIPELINE_STAGE_2_COMPUTE_SHADER_BIT;
        buffer2.srcAccessMask = memory2.srcAccessMask;
        buffer2.dstAccessMask = memory2.dstAccessMask;
        buffer2.srcQueueFamilyIndex = buffer2.dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED;
        buffer2.buffer = device.buffer();
        buffer2.size = VK_WHOLE_SIZE;
    }
    VkDependencyInfo Dependency(Kind kind) const {
        auto info = vku::InitStruct<VkDependencyInfo>();
        info.memoryBarrierCount = kind == Kind::Buffer ? 0 : 1;
        info.pMemoryBarriers = kind == Kind::Execution ? &execution2 : &memory2;
        info.bufferMemoryBarrierCount = kind == Kind::Buffer ? 1 : 0;
        info.pBufferMemoryBarriers = &buffer2;
        return info;
    }
    VkMemoryBarrier memory = vku::InitStruct<VkMemoryBarrier>();
    VkBufferMemoryBarrier buffer = vku::InitStruct<VkBufferMemoryBarrier>();
    VkMemoryBarrier2 memory2 = vku::InitStruct<VkMemoryBarrier2>();
    VkMemoryBarrier2 execution2 = vku::InitStruct<VkMemoryBarrier2>();
    VkBufferMemoryBarrier2 buffer2 = vku::InitStruct<VkBufferMemoryBarrier2>();
};

constexpr VkPipelineStageFlags kCompute = VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT;

void Barrier(VkCommandBuffer commands, const Masks& masks, Kind kind, const Commands2* two) {
    if (two) {
        const VkDependencyInfo info = masks.Dependency(kind);
        two->barrier(commands, &info);
    } else {
        vkCmdPipelineBarrier(commands, kCompute, kCompute, 0, kind == Kind::Global ? 1 : 0, &masks.memory,
                             kind == Kind::Buffer ? 1 : 0, &masks.buffer, 0, nullptr);
    }
}

// From the submit of a recorded command buffer to its end, ns each of `count`.
Case ToIdle(const Device& device, const std::string& name, VkCommandBuffer commands, VkFence fence, uint32_t count) {
    return {name, [&device, commands, fence, count] {
                const double start = Now();
                device.SubmitAndSpin(device.queue(), {commands}, fence);
                return (Now() - start) / count;
            }};
}

}  // namespace

void MeasureBarriers(Device& device, Report& report) {
    report.Group("vkCmdPipelineBarrier2 against vkCmdPipelineBarrier", "256 of them, ns each");
    const Masks masks(device);
    const Commands2 two(device);
    const VkFence fence = device.Fence();
    const VkCommandBuffer recorded = device.Commands(device.family());
    std::vector<Case> record;
    std::vector<Case> execute;
    const auto chain = [&](const std::string& name, const std::function<void(VkCommandBuffer)>& between) {
        const VkCommandBuffer commands = device.Commands(device.family());
        Device::Record(commands, [&](VkCommandBuffer to) {
            device.BindKernel(to);
            for (uint32_t i = 0; i < kChain; ++i) {
                if (i) between(to);
                device.Dispatch(to, i, 1);
            }
        });
        execute.push_back(ToIdle(device, name, commands, fence, kChain));
    };
    chain("dispatch with nothing between, submit to idle", [](VkCommandBuffer) {});
    for (Kind kind : {Kind::Global, Kind::Buffer, Kind::Execution}) {
        for (const Commands2* spelling : {static_cast<const Commands2*>(nullptr), &two}) {
            if (spelling && !device.HasSynchronization2()) continue;
            const std::string name = std::string(spelling ? "vkCmdPipelineBarrier2" : "vkCmdPipelineBarrier") + ", " +
                                     kKindNames[static_cast<int>(kind)];
            record.push_back({name + ", to record", [recorded, &masks, kind, spelling] {
                                  double took = 0;
                                  Device::Record(recorded, [&](VkCommandBuffer to) {
                                      const double start = Now();
                                      for (uint32_t i = 0; i < kChain; ++i) Barrier(to, masks, kind, spelling);
                                      took = (Now() - start) / kChain;
                                  });
                                  return took;
                              }});
            chain("dispatch and " + name + ", submit to idle",
                  [&, kind, spelling](VkCommandBuffer to) { Barrier(to, masks, kind, spelling); });
        }
    }
    if (!device.HasSynchronization2()) report.Skip("vkCmdPipelineBarrier2", "the device has no synchronization2");
    report.Measure(record);
    report.Measure(execute);
}

void MeasureEvents(Device& device, Report& report) {
    report.Group("events as split barriers",
                 "A, then B of another slot, then C after A; 32 such triples, ns a triple, submit to idle");
    const Masks masks(device);
    const Commands2 two(device);
    const VkFence fence = device.Fence();
    const VkDevice d = device.get();
    std::vector<VkEvent> events(kSplits);
    for (VkEvent& event : events) event = device.Event();

    enum class Way { Nothing, Barrier, Event, Event2 };
    const std::pair<Way, const char*> ways[] = {{Way::Nothing, "no dependency (not a correct program)"},
                                                {Way::Barrier, "a barrier before C"},
                                                {Way::Event, "vkCmdSetEvent after A, vkCmdWaitEvents before C"},
                                                {Way::Event2, "vkCmdSetEvent2 after A, vkCmdWaitEvents2 before C"}};
    for (const auto& [length, iterations] : {std::pair{"short B", 1U}, std::pair{"B of 2,000 iterations", 2000U}}) {
        std::vector<Case> cases;
        for (const auto& [way, name] : ways) {
            if (way == Way::Event2 && !device.HasSynchronization2()) continue;
            const VkCommandBuffer commands = device.Commands(device.family());
            const VkDependencyInfo info = masks.Dependency(Kind::Global);
            Device::Record(commands, [&, way = way, iterations = iterations](VkCommandBuffer to) {
                device.BindKernel(to);
                for (uint32_t i = 0; i < kSplits; ++i) {
                    device.Dispatch(to, 2 * i, 1);
                    if (way == Way::Event) vkCmdSetEvent(to, events[i], kCompute);
                    if (way == Way::Event2) two.set(to, events[i], &info);
                    device.Dispatch(to, 2 * i + 1, iterations);
                    if (way == Way::Barrier) Barrier(to, masks, Kind::Global, nullptr);
                    if (way == Way::Event)
                        vkCmdWaitEvents(to, 1, &events[i], kCompute, kCompute, 1, &masks.memory, 0, nullptr, 0,
                                        nullptr);
                    if (way == Way::Event2) two.wait(to, 1, &events[i], &info);
                    device.Dispatch(to, 2 * i, 1);
                }
            });
            Case timed = ToIdle(device, std::string(name) + ", " + length, commands, fence, kSplits);
            cases.push_back({timed.name, [d, events, sample = timed.sample] {
                                 const double took = sample();
                                 for (VkEvent event : events) Must(vkResetEvent(d, event), "vkResetEvent");
                                 return took;
                             }});
        }
        report.Measure(cases);
    }

    const VkCommandBuffer recorded = device.Commands(device.family());
    auto waited = std::make_shared<double>(0);
    report.Measure({{"vkCmdSetEvent, to record",
                     [&masks, recorded, events, waited] {
                         double set = 0;
                         Device::Record(recorded, [&](VkCommandBuffer to) {
                             const double start = Now();
                             for (VkEvent event : events) vkCmdSetEvent(to, event, kCompute);
                             const double middle = Now();
                             for (const VkEvent& event : events)
                                 vkCmdWaitEvents(to, 1, &event, kCompute, kCompute, 1, &masks.memory, 0, nullptr, 0,
                                                 nullptr);
                             *waited = (Now() - middle) / kSplits;
                             set = (middle - start) / kSplits;
                         });
                         return set;
                     }},
                    {"vkCmdWaitEvents, to record", [waited] { return *waited; }},
                    {"vkResetEvent by the host", [d, events] {
                         const double start = Now();
                         for (VkEvent event : events) Must(vkResetEvent(d, event), "vkResetEvent");
                         return (Now() - start) / kSplits;
                     }}});
    if (!device.HasSynchronization2()) report.Skip("vkCmdSetEvent2", "the device has no synchronization2");
}

}  // namespace kronos::bench
