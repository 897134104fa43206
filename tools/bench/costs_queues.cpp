// SPDX-License-Identifier: Apache-2.0
// Several queues at once against one: the same command buffers, spread.
#include <vulkan/utility/vk_struct_helper.hpp>

#include <thread>

#include "costs_groups.h"

namespace kronos::bench {
namespace {

constexpr uint32_t kParts = 4;
constexpr uint32_t kChain = 64;
constexpr uint32_t kThreadRounds = 32;

// kParts command buffers, spread over `count` queues in turn, a fence a queue; ns until all have ended.
Case Spread(const std::vector<VkQueue>& queues, size_t count, const std::vector<VkCommandBuffer>& parts,
            const std::vector<VkFence>& fences, VkDevice d, const std::string& name) {
    return {name, [=] {
                std::vector<std::vector<VkCommandBuffer>> shares(count);
                for (size_t i = 0; i < parts.size(); ++i) shares[i % count].push_back(parts[i]);
                const double start = Now();
                for (size_t i = 0; i < count; ++i) {
                    std::vector<VkSubmitInfo> submits;
                    for (const VkCommandBuffer& part : shares[i]) {
                        auto submit = vku::InitStruct<VkSubmitInfo>();
                        submit.commandBufferCount = 1;
                        submit.pCommandBuffers = &part;
                        submits.push_back(submit);
                    }
                    Must(vkQueueSubmit(queues[i], static_cast<uint32_t>(submits.size()), submits.data(), fences[i]),
                         "vkQueueSubmit");
                }
                for (size_t i = 0; i < count; ++i) {
                    VkResult status = VK_NOT_READY;
                    while (status == VK_NOT_READY) status = vkGetFenceStatus(d, fences[i]);
                    Must(status, "vkGetFenceStatus");
                }
                const double took = Now() - start;
                Must(vkResetFences(d, static_cast<uint32_t>(count), fences.data()), "vkResetFences");
                return took;
            }};
}

std::string Queues(size_t count) { return std::to_string(count) + (count == 1 ? " queue" : " queues"); }

// `count` threads, each with a queue, command buffer and fence of its own, submit and wait; ns a round of one thread.
Case Threads(const Device& device, const std::vector<VkQueue>& queues, size_t count,
             const std::vector<VkCommandBuffer>& commands, const std::vector<VkFence>& fences) {
    return {Queues(count) + ", a thread each: submit and spin", [=, &device] {
                std::vector<std::exception_ptr> failed(count);
                const double start = Now();
                {
                    std::vector<std::jthread> threads;
                    for (size_t i = 0; i < count; ++i) {
                        threads.emplace_back([&, i] {
                            try {
                                for (uint32_t round = 0; round < kThreadRounds; ++round)
                                    device.SubmitAndSpin(queues[i], {commands[i]}, fences[i]);
                            } catch (...) {
                                failed[i] = std::current_exception();
                            }
                        });
                    }
                }
                const double took = (Now() - start) / kThreadRounds;
                for (const std::exception_ptr& failure : failed) {
                    if (failure) std::rethrow_exception(failure);
                }
                return took;
            }};
}

// A command buffer each in two queues, the second after the first by a semaphore, against both in one queue.
void MeasureHandOver(Device& device, Report& report, const std::vector<VkQueue>& queues,
                     const std::vector<VkCommandBuffer>& tiny, VkFence fence) {
    const VkSemaphore semaphore = device.Semaphore(VK_SEMAPHORE_TYPE_BINARY);
    const auto pair = [&](VkQueue second, const std::string& name) {
        return Case{name, [&device, &tiny, semaphore, first = queues[0], second, fence] {
                        const VkPipelineStageFlags stage = VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT;
                        auto submit = vku::InitStruct<VkSubmitInfo>();
                        submit.commandBufferCount = 1;
                        submit.pCommandBuffers = &tiny[0];
                        submit.signalSemaphoreCount = 1;
                        submit.pSignalSemaphores = &semaphore;
                        auto after = vku::InitStruct<VkSubmitInfo>();
                        after.commandBufferCount = 1;
                        after.pCommandBuffers = &tiny[1];
                        after.waitSemaphoreCount = 1;
                        after.pWaitSemaphores = &semaphore;
                        after.pWaitDstStageMask = &stage;
                        const double start = Now();
                        Must(vkQueueSubmit(first, 1, &submit, VK_NULL_HANDLE), "vkQueueSubmit");
                        Must(vkQueueSubmit(second, 1, &after, fence), "vkQueueSubmit");
                        VkResult status = VK_NOT_READY;
                        while (status == VK_NOT_READY) status = vkGetFenceStatus(device.get(), fence);
                        const double took = Now() - start;
                        Must(status, "vkGetFenceStatus");
                        Must(vkResetFences(device.get(), 1, &fence), "vkResetFences");
                        return took;
                    }};
    };
    report.Measure({pair(queues[0], "two tiny submits, a semaphore between, one queue"),
                    pair(queues[1], "two tiny submits, a semaphore between, two queues")});
}

void MeasureFamily(Device& device, Report& report, const std::vector<VkQueue>& queues, uint32_t family) {
    const VkDevice d = device.get();
    std::vector<VkFence> fences(kParts);
    for (VkFence& fence : fences) fence = device.Fence();
    struct Work {
        const char* name;
        uint32_t dispatches, iterations, groups;
    };
    // Wide: as many invocations as a large GPU holds at once, for some 100 us; a software device gets less to do.
    const uint32_t iterations = device.properties().deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU ? 10 : 5000;
    for (const Work& work : {Work{"chains of 64 dispatches", kChain, 50, kGroups},
                             Work{"wide dispatches", 1, iterations, kSlots / kParts * kGroups}}) {
        std::vector<VkCommandBuffer> parts = device.CommandBuffers(family, kParts);
        for (uint32_t part = 0; part < kParts; ++part) {
            Device::Record(parts[part], [&](VkCommandBuffer commands) {
                device.BindKernel(commands);
                auto barrier = vku::InitStruct<VkMemoryBarrier>();
                barrier.srcAccessMask = VK_ACCESS_SHADER_WRITE_BIT;
                barrier.dstAccessMask = VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT;
                for (uint32_t i = 0; i < work.dispatches; ++i) {
                    if (i) {
                        vkCmdPipelineBarrier(commands, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT,
                                             VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, 0, 1, &barrier, 0, nullptr, 0,
                                             nullptr);
                    }
                    device.Dispatch(commands, kSlots / kParts * part, work.iterations, work.groups);
                }
            });
        }
        std::vector<Case> cases;
        for (size_t count : {size_t{1}, size_t{2}, size_t{4}}) {
            if (count > queues.size()) continue;
            cases.push_back(
                Spread(queues, count, parts, fences, d, std::string("4 ") + work.name + ", " + Queues(count)));
        }
        report.Measure(cases);
    }

    std::vector<VkCommandBuffer> tiny;
    for (uint32_t i = 0; i < kParts; ++i) {  // a pool each: threads record and submit apart
        tiny.push_back(device.Commands(family));
        Device::Record(tiny.back(), [&](VkCommandBuffer commands) {
            device.BindKernel(commands);
            device.Dispatch(commands, i, 1);
        });
    }
    std::vector<Case> cases;
    for (size_t count : {size_t{1}, size_t{2}, size_t{4}}) {
        if (count <= queues.size()) cases.push_back(Threads(device, queues, count, tiny, fences));
    }
    report.Measure(cases);
    if (queues.size() > 1) MeasureHandOver(device, report, queues, tiny, fences[0]);
    if (queues.size() < kParts) {
        report.Skip(queues.size() < 2 ? "2 and 4 queues" : "4 queues",
                    "queue family " + std::to_string(family) + " has " + Queues(queues.size()));
    }
}

}  // namespace

void MeasureQueues(Device& device, Report& report) {
    report.Group("queues of family " + std::to_string(device.family()), "ns until all parts have ended");
    MeasureFamily(device, report, device.queues(), device.family());
    if (device.compute_only_queues().empty()) {
        report.Skip("queues of a family with compute but no graphics", "the device has no such family");
        return;
    }
    report.Group("queues of family " + std::to_string(device.compute_only_family()) + ", compute without graphics",
                 "ns until all parts have ended");
    MeasureFamily(device, report, device.compute_only_queues(), device.compute_only_family());
}

}  // namespace kronos::bench
