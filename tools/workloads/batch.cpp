// SPDX-License-Identifier: Apache-2.0
// Writings that differ from the expert one in what a recipe names: what is made once, and a run.
#include "batch.h"

#include <vulkan/utility/vk_struct_helper.hpp>

#include "hazards.h"

namespace kronos::workloads {
namespace {

using Clock = std::chrono::steady_clock;

std::vector<ComputePipeline> MakePipelines(const Context& context, const Workload& workload) {
    std::vector<ComputePipeline> pipelines;
    for (const Shader& shader : workload.shaders()) pipelines.emplace_back(context, shader);
    return pipelines;
}

// The middle one of those between dispatches, else the one before the download.
size_t LeftOut(const std::vector<bool>& needed) {
    std::vector<size_t> places;
    for (size_t i = 0; i < needed.size(); ++i) {
        if (needed[i]) places.push_back(i);
    }
    return places.empty() ? needed.size() : places[places.size() / 2];
}

}  // namespace

BatchWriting::BatchWriting(const Job& job, const Recipe& recipe)
    : context_(job.context),
      workload_(job.workload),
      fault_(job.fault),
      recipe_(recipe),
      pipelines_(MakePipelines(job.context, job.workload)),
      needed_(NeededBarriers(job.workload)),
      sets_(job.context, job.workload, pipelines_, recipe.sets) {
    if (fault_ == Fault::MissingBarrier) left_out_ = LeftOut(needed_);
    MakeStaging();
    MakeCommandBuffers();
    if (!recipe_.new_buffers) {
        data_ = MakeBuffers();
        data_counted_ = data_.Counted();
        sets_.WriteOnce(data_);
    }
    if (recipe_.waits == Recipe::Waits::Blocking) completion_.emplace(context_, false);
    if (recipe_.waits == Recipe::Waits::Spinning) completion_.emplace(context_, true);
}

Counts BatchWriting::Once() const {
    Counts counts = up_.Counted() + down_.Counted() + sets_.Once();
    if (!recipe_.new_buffers) counts += data_counted_;
    if (completion_) counts += completion_->Once();
    return counts;
}

SlabBuffers BatchWriting::MakeBuffers() const {
    std::vector<uint64_t> sizes;
    for (const BufferSpec& spec : workload_.buffers()) sizes.push_back(spec.bytes);
    return {context_,
            sizes,
            {VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT,
             VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT, recipe_.slab_bytes}};
}

void BatchWriting::MakeStaging() {
    std::vector<uint64_t> up;
    std::vector<uint64_t> down;
    for (size_t i = 0; i < workload_.buffers().size(); ++i) {
        const BufferSpec& spec = workload_.buffers()[i];
        if (!spec.initial.empty()) {
            uploads_.push_back(i);
            up.push_back(spec.bytes);
        }
        if (spec.read_back) {
            downloads_.push_back(i);
            down.push_back(spec.bytes);
        }
    }
    constexpr VkMemoryPropertyFlags kHost = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
    up_ = SlabBuffers(context_, up, {VK_BUFFER_USAGE_TRANSFER_SRC_BIT, kHost});
    down_ = SlabBuffers(context_, down, {VK_BUFFER_USAGE_TRANSFER_DST_BIT, kHost});
}

size_t BatchWriting::Segments() const {
    return recipe_.submits == Recipe::Submits::One ? 1 : workload_.dispatches().size() + 2;
}

void BatchWriting::MakeCommandBuffers() {
    size_t queues = recipe_.submits == Recipe::Submits::TwoQueues ? 2 : 1;
    for (size_t i = 0; i < queues; ++i) {
        auto info = vku::InitStruct<VkCommandPoolCreateInfo>();
        info.queueFamilyIndex = context_.queues()[i].family;
        pools_.emplace_back(context_.device(), vkCreateCommandPool, info, "vkCreateCommandPool");
    }
    for (size_t i = 0; i < Segments(); ++i) {
        auto info = vku::InitStruct<VkCommandBufferAllocateInfo>();
        info.commandPool = pools_[i % queues].get();
        info.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY;
        info.commandBufferCount = 1;
        commands_.push_back(VK_NULL_HANDLE);
        Require(vkAllocateCommandBuffers(context_.device(), &info, &commands_.back()), "vkAllocateCommandBuffers");
        if (recipe_.submits != Recipe::Submits::TwoQueues || i + 1 == Segments()) continue;
        auto semaphore = vku::InitStruct<VkSemaphoreCreateInfo>();
        semaphores_.emplace_back(context_.device(), vkCreateSemaphore, semaphore, "vkCreateSemaphore");
    }
}

RunResult BatchWriting::Run() {
    RunResult run;
    Clock::time_point start = Clock::now();
    if (recipe_.new_buffers) {
        data_ = MakeBuffers();
        data_counted_ = data_.Counted();
    }
    for (size_t i = 0; i < uploads_.size(); ++i) {
        const Words& words = workload_.buffers()[uploads_[i]].initial;
        bool faulty = fault_ == Fault::WrongResult && uploads_[i] == FaultyBuffer(workload_);
        up_.Write(i, faulty ? Corrupted(words) : words);
    }
    Clock::time_point filled = Clock::now();
    sets_.Prepare(data_);
    for (const OwnedCommandPool& pool : pools_)
        Require(vkResetCommandPool(context_.device(), pool.get(), 0), "vkResetCommandPool");
    RecordAndSubmit();
    Clock::time_point done = Clock::now();
    for (size_t i = 0; i < downloads_.size(); ++i) run.results.push_back(down_.Read(i));
    Clock::time_point read = Clock::now();
    if (recipe_.new_buffers) data_ = {};
    run.upload = filled - start;
    run.dispatches = done - filled;
    run.download = read - done;
    run.total = Clock::now() - start;  // with the freeing of new buffers
    return run;
}

Counts BatchWriting::PerRun() const {
    Submission segment{VK_NULL_HANDLE, {VK_NULL_HANDLE}};
    Counts counts = sets_.PerPrepare() + Segments() * (SubmitCounted(segment) + Counts{.recordings = 1});
    if (recipe_.new_buffers) counts += data_counted_;
    // RecordUpload and RecordDownload: a barrier behind the uploads, one on either side of the downloads.
    counts += {.barriers = 3, .barrier_calls = 3, .transfers = uploads_.size() + downloads_.size()};
    for (size_t i = 0; i < workload_.dispatches().size(); ++i) counts += DispatchCounted(i);
    // RecordAndSubmit
    counts += {.semaphore_waits = semaphores_.size(), .semaphore_signals = semaphores_.size()};
    if (completion_) counts += completion_->PerWait();
    if (recipe_.waits == Recipe::Waits::FenceEach)
        counts += {.waits = 1, .fences_created = Segments(), .fences_destroyed = Segments()};
    if (recipe_.waits == Recipe::Waits::IdleEach) counts += {.waits = Segments()};
    return counts;
}

void BatchWriting::RecordAndSubmit() {
    size_t dispatches = workload_.dispatches().size();
    bool one = recipe_.submits == Recipe::Submits::One;
    for (size_t segment = 0; segment < Segments(); ++segment) {
        VkCommandBuffer commands = commands_[segment];
        auto begin = vku::InitStruct<VkCommandBufferBeginInfo>();
        begin.flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT;
        Require(vkBeginCommandBuffer(commands, &begin), "vkBeginCommandBuffer");
        if (segment == 0) RecordUpload(commands);
        if (one) {
            for (size_t i = 0; i < dispatches; ++i) RecordDispatch(commands, i);
        } else if (segment > 0 && segment <= dispatches) {
            RecordDispatch(commands, segment - 1);
        }
        if (segment + 1 == Segments()) RecordDownload(commands);
        Require(vkEndCommandBuffer(commands), "vkEndCommandBuffer");
        SubmitSegment(segment, commands);
    }
    if (completion_) completion_->Wait();
    if (recipe_.waits == Recipe::Waits::FenceEach) {
        std::vector<VkFence> handles;
        for (const OwnedFence& fence : fences_) handles.push_back(fence.get());
        Require(vkWaitForFences(context_.device(), static_cast<uint32_t>(handles.size()), handles.data(), VK_TRUE,
                                UINT64_MAX),
                "vkWaitForFences");
        fences_.clear();
    }
}

void BatchWriting::SubmitSegment(size_t segment, VkCommandBuffer commands) {
    bool last = segment + 1 == Segments();
    Submission submission{context_.queue(), {commands}};
    if (recipe_.submits == Recipe::Submits::TwoQueues) {
        submission.queue = context_.queues()[segment % 2].handle;
        if (segment > 0) submission.wait = semaphores_[segment - 1].get();
        if (!last) submission.signal = semaphores_[segment].get();
    }
    if (last && completion_) {
        completion_->SubmitLast(submission);
        return;
    }
    VkFence fence = VK_NULL_HANDLE;
    if (recipe_.waits == Recipe::Waits::FenceEach) {
        auto info = vku::InitStruct<VkFenceCreateInfo>();
        fence = fences_.emplace_back(context_.device(), vkCreateFence, info, "vkCreateFence").get();
    }
    Submit(submission, fence);
    if (recipe_.waits == Recipe::Waits::IdleEach) Require(vkQueueWaitIdle(submission.queue), "vkQueueWaitIdle");
}

}  // namespace kronos::workloads
