// SPDX-License-Identifier: Apache-2.0
// Host and device in turn.
#include "host_turns.h"

#include <vulkan/utility/vk_struct_helper.hpp>

#include <atomic>
#include <cstring>

namespace kronos::workloads {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kX = 0;
constexpr size_t kY = 1;
constexpr size_t kAsked = 2;
constexpr size_t kAnswered = 3;
constexpr uint32_t kLooksBeforeAsking = 1U << 31;  // seconds

void Barrier(VkCommandBuffer commands, VkPipelineStageFlags from, VkAccessFlags from_access, VkPipelineStageFlags to) {
    auto barrier = vku::InitStruct<VkMemoryBarrier>();
    barrier.srcAccessMask = from_access;
    barrier.dstAccessMask = VK_ACCESS_HOST_READ_BIT;
    vkCmdPipelineBarrier(commands, from, to, 0, 1, &barrier, 0, nullptr, 0, nullptr);
}

std::vector<ComputePipeline> OnePipeline(const Context& context, const Workload& workload) {
    std::vector<ComputePipeline> pipelines;
    pipelines.emplace_back(context, workload.shaders()[0]);
    return pipelines;
}

}  // namespace

HostTurns::HostTurns(const Job& job, TurnWait wait)
    : context_(job.context),
      workload_(job.workload),
      fault_(job.fault),
      wait_(wait),
      pipelines_(OnePipeline(job.context, job.workload)),
      buffers_(
          job.context, {job.workload.buffers()[kX].bytes, job.workload.buffers()[kY].bytes, 4, 4},
          {VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT,
           VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT}),
      sets_(job.context, job.workload, pipelines_, SetUse::Persistent),
      completion_(job.context, wait == TurnWait::Spinning) {
    sets_.WriteOnce(buffers_);
    std::memset(buffers_.mapped(kAnswered), 0, 4);
    Record();
}

HostTurns::~HostTurns() {
    // A word in memory says that the results are there, not that the command buffer has ended.
    if (wait_ == TurnWait::PollMapped) vkQueueWaitIdle(context_.queue());
}

void HostTurns::Record() {
    auto info = vku::InitStruct<VkCommandPoolCreateInfo>();
    info.queueFamilyIndex = context_.queue_family();
    pool_ = OwnedCommandPool(context_.device(), vkCreateCommandPool, info, "vkCreateCommandPool");
    auto allocate = vku::InitStruct<VkCommandBufferAllocateInfo>();
    allocate.commandPool = pool_.get();
    allocate.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY;
    allocate.commandBufferCount = 1;
    Require(vkAllocateCommandBuffers(context_.device(), &allocate, &commands_), "vkAllocateCommandBuffers");
    auto begin = vku::InitStruct<VkCommandBufferBeginInfo>();
    // The device may still be ending one turn when the host, which saw its word, submits the next.
    if (wait_ == TurnWait::PollMapped) begin.flags = VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT;
    Require(vkBeginCommandBuffer(commands_, &begin), "vkBeginCommandBuffer");
    const Dispatch& dispatch = workload_.dispatches()[0];
    VkDescriptorSet set = sets_.For(0);
    vkCmdBindPipeline(commands_, VK_PIPELINE_BIND_POINT_COMPUTE, pipelines_[0].pipeline());
    vkCmdBindDescriptorSets(commands_, VK_PIPELINE_BIND_POINT_COMPUTE, pipelines_[0].layout(), 0, 1, &set, 0, nullptr);
    vkCmdPushConstants(commands_, pipelines_[0].layout(), VK_SHADER_STAGE_COMPUTE_BIT, 0,
                       static_cast<uint32_t>(dispatch.push.size() * sizeof(uint32_t)), dispatch.push.data());
    vkCmdDispatch(commands_, dispatch.groups[0], 1, 1);
    if (fault_ == Fault::ExtraDispatch) vkCmdDispatch(commands_, 0, 0, 0);
    if (wait_ == TurnWait::PollMapped) {
        Barrier(commands_, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, VK_ACCESS_SHADER_WRITE_BIT,
                VK_PIPELINE_STAGE_HOST_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT);
        VkBufferCopy region{0, 0, 4};
        vkCmdCopyBuffer(commands_, buffers_.buffer(kAsked), buffers_.buffer(kAnswered), 1, &region);
        Barrier(commands_, VK_PIPELINE_STAGE_TRANSFER_BIT, VK_ACCESS_TRANSFER_WRITE_BIT, VK_PIPELINE_STAGE_HOST_BIT);
    } else if (fault_ != Fault::MissingBarrier) {
        Barrier(commands_, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, VK_ACCESS_SHADER_WRITE_BIT,
                VK_PIPELINE_STAGE_HOST_BIT);
    }
    Require(vkEndCommandBuffer(commands_), "vkEndCommandBuffer");
}

Counts HostTurns::Once() const {
    Counts recorded{.dispatches = 1,
                    .barriers = 1,
                    .barrier_calls = 1,
                    .pipeline_binds = 1,
                    .set_binds = 1,
                    .pushes = 1,
                    .recordings = 1};
    if (wait_ == TurnWait::PollMapped)
        recorded += {.barriers = 1, .barrier_calls = 1, .transfers = 1, .waits = 1};  // the wait: the destructor's
    return recorded + buffers_.Counted() + sets_.Once() + completion_.Once();
}

RunResult HostTurns::Run() {
    RunResult run;
    Clock::time_point start = Clock::now();
    const Words& x = workload_.buffers()[kX].initial;
    buffers_.Write(kX, fault_ == Fault::WrongResult ? Corrupted(x) : x);
    buffers_.Write(kY, workload_.buffers()[kY].initial);
    Clock::time_point uploaded = Clock::now();
    for (size_t i = 0; i < workload_.dispatches().size(); ++i) {
        // What the host makes of the results: the next input.
        if (i > 0) std::memcpy(buffers_.mapped(kX), buffers_.mapped(kY), buffers_.bytes(kX));
        SubmitTurn();
        AwaitTurn();
    }
    Clock::time_point done = Clock::now();
    run.results.push_back(buffers_.Read(kY));
    run.upload = uploaded - start;
    run.dispatches = done - uploaded;
    run.download = Clock::now() - done;
    run.total = Clock::now() - start;
    return run;
}

void HostTurns::SubmitTurn() {
    ++turn_;
    Submission submission{context_.queue(), {commands_}};
    if (wait_ == TurnWait::PollMapped) {
        std::memcpy(buffers_.mapped(kAsked), &turn_, 4);
        Submit(submission, VK_NULL_HANDLE);
    } else {
        completion_.SubmitLast(submission);
    }
}

void HostTurns::AwaitTurn() {
    if (wait_ != TurnWait::PollMapped) {
        completion_.Wait();
        return;
    }
    std::atomic_ref<uint32_t> answered(*reinterpret_cast<uint32_t*>(buffers_.mapped(kAnswered)));
    // A device that is lost writes nothing: it is asked now and then, so that this ends.
    for (uint32_t looks = 1; answered.load(std::memory_order_acquire) != turn_; ++looks) {
        if (looks % kLooksBeforeAsking == 0) Require(vkQueueWaitIdle(context_.queue()), "vkQueueWaitIdle");
    }
}

Counts HostTurns::PerRun() const {
    Counts turn = SubmitCounted({context_.queue(), {commands_}}) + Counts{.dispatches_submitted = 1};
    if (wait_ != TurnWait::PollMapped) turn += completion_.PerWait();
    return workload_.dispatches().size() * turn;
}

}  // namespace kronos::workloads
