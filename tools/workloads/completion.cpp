// SPDX-License-Identifier: Apache-2.0
// How the host learns that a submit has ended.
#include "completion.h"

#include <vulkan/utility/vk_struct_helper.hpp>

namespace kronos::workloads {
namespace {

void SubmitWith(const Submission& submission, const std::vector<VkSemaphore>& signals, const void* next,
                VkFence fence) {
    constexpr VkPipelineStageFlags kAll = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
    auto info = vku::InitStruct<VkSubmitInfo>();
    info.pNext = next;
    info.waitSemaphoreCount = submission.wait == VK_NULL_HANDLE ? 0 : 1;
    info.pWaitSemaphores = &submission.wait;
    info.pWaitDstStageMask = &kAll;
    info.commandBufferCount = static_cast<uint32_t>(submission.commands.size());
    info.pCommandBuffers = submission.commands.data();
    info.signalSemaphoreCount = static_cast<uint32_t>(signals.size());
    info.pSignalSemaphores = signals.data();
    Require(vkQueueSubmit(submission.queue, 1, &info, fence), "vkQueueSubmit");
}

std::vector<VkSemaphore> SignalsOf(const Submission& submission) {
    if (submission.signal == VK_NULL_HANDLE) return {};
    return {submission.signal};
}

}  // namespace

void Submit(const Submission& submission, VkFence fence) {
    SubmitWith(submission, SignalsOf(submission), nullptr, fence);
}

Counts SubmitCounted(const Submission& submission) {
    return {.submits = 1,
            .submit_infos = 1,
            .command_buffers = submission.commands.size(),
            .semaphore_waits = submission.wait != VK_NULL_HANDLE,
            .semaphore_signals = submission.signal != VK_NULL_HANDLE};
}

Completion::Completion(const Context& context, bool spinning) : context_(context), spinning_(spinning) {
    if (spinning && context.counter_value()) {
        auto type = vku::InitStruct<VkSemaphoreTypeCreateInfo>();
        type.semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE;
        auto info = vku::InitStruct<VkSemaphoreCreateInfo>(&type);
        timeline_ = OwnedSemaphore(context.device(), vkCreateSemaphore, info, "vkCreateSemaphore");
    } else {
        auto info = vku::InitStruct<VkFenceCreateInfo>();
        fence_ = OwnedFence(context.device(), vkCreateFence, info, "vkCreateFence");
    }
}

void Completion::SubmitLast(const Submission& submission) {
    ++submitted_;
    if (timeline_.get() == VK_NULL_HANDLE) {
        Submit(submission, fence_.get());
        return;
    }
    std::vector<VkSemaphore> signals = SignalsOf(submission);
    signals.push_back(timeline_.get());
    // The values of binary semaphores are ignored.
    const uint64_t values[] = {submitted_, submitted_};
    auto timeline = vku::InitStruct<VkTimelineSemaphoreSubmitInfo>();
    timeline.waitSemaphoreValueCount = submission.wait == VK_NULL_HANDLE ? 0 : 1;
    timeline.pWaitSemaphoreValues = values;
    timeline.signalSemaphoreValueCount = static_cast<uint32_t>(signals.size());
    timeline.pSignalSemaphoreValues = values;
    SubmitWith(submission, signals, &timeline, VK_NULL_HANDLE);
}

void Completion::Wait() {
    VkDevice device = context_.device();
    if (timeline_.get() != VK_NULL_HANDLE) {
        uint64_t value = 0;
        while (value < submitted_) {
            Require(context_.counter_value()(device, timeline_.get(), &value), "vkGetSemaphoreCounterValue");
        }
        return;
    }
    if (spinning_) {
        VkResult status = VK_NOT_READY;
        while (status == VK_NOT_READY) status = vkGetFenceStatus(device, fence_.get());
        Require(status, "vkGetFenceStatus");
    } else {
        Require(vkWaitForFences(device, 1, fence_.address(), VK_TRUE, UINT64_MAX), "vkWaitForFences");
    }
    Require(vkResetFences(device, 1, fence_.address()), "vkResetFences");
}

Counts Completion::PerWait() const {
    if (timeline_.get() != VK_NULL_HANDLE) return {.semaphore_signals = 1};
    return {.waits = spinning_ ? 0U : 1U, .fence_resets = 1};
}

Counts Completion::Once() const {
    if (timeline_.get() != VK_NULL_HANDLE) return {};
    return {.fences_created = 1, .fences_destroyed = 1};
}

}  // namespace kronos::workloads
