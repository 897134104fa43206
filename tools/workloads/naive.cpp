// SPDX-License-Identifier: Apache-2.0
// The naive writing: Vulkan as tutorials and many programs write it.
#include "naive.h"

#include <vulkan/utility/vk_struct_helper.hpp>

namespace kronos::workloads {
namespace {

using Clock = std::chrono::steady_clock;

// One entry per bound buffer.
void Barrier(VkCommandBuffer commands, const Dispatch& dispatch, const std::vector<DedicatedBuffer>& buffers,
             VkPipelineStageFlags from, VkAccessFlags from_access, VkPipelineStageFlags to, VkAccessFlags to_access) {
    std::vector<VkBufferMemoryBarrier> barriers;
    for (uint32_t index : dispatch.buffers) {
        auto barrier = vku::InitStruct<VkBufferMemoryBarrier>();
        barrier.srcAccessMask = from_access;
        barrier.dstAccessMask = to_access;
        barrier.srcQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED;
        barrier.dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED;
        barrier.buffer = buffers[index].buffer();
        barrier.size = VK_WHOLE_SIZE;
        barriers.push_back(barrier);
    }
    vkCmdPipelineBarrier(commands, from, to, 0, 0, nullptr, static_cast<uint32_t>(barriers.size()), barriers.data(), 0,
                         nullptr);
}

}  // namespace

NaiveWriting::NaiveWriting(const Job& job) : context_(job.context), workload_(job.workload), fault_(job.fault) {
    auto info = vku::InitStruct<VkCommandPoolCreateInfo>();
    info.queueFamilyIndex = context_.queue_family();
    command_pool_ = OwnedCommandPool(context_.device(), vkCreateCommandPool, info, "vkCreateCommandPool");
    for (const Shader& shader : workload_.shaders()) pipelines_.emplace_back(context_, shader);
}

RunResult NaiveWriting::Run() {
    RunResult run;
    extra_dispatch_ = fault_ == Fault::ExtraDispatch;
    Clock::time_point start = Clock::now();
    {
        std::vector<DedicatedBuffer> buffers;
        for (const BufferSpec& spec : workload_.buffers()) {
            buffers.emplace_back(context_, spec.name, spec.bytes,
                                 VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_TRANSFER_SRC_BIT |
                                     VK_BUFFER_USAGE_TRANSFER_DST_BIT,
                                 VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT);
            if (spec.initial.empty()) continue;
            bool faulty = fault_ == Fault::WrongResult && buffers.size() - 1 == FaultyBuffer(workload_);
            Upload(buffers.back(), spec, faulty ? Corrupted(spec.initial) : spec.initial);
        }
        Clock::time_point uploaded = Clock::now();
        OwnedDescriptorPool pool = MakeDescriptorPool();
        for (const Dispatch& dispatch : workload_.dispatches()) RunDispatch(dispatch, buffers, pool.get());
        Clock::time_point done = Clock::now();
        for (size_t i = 0; i < buffers.size(); ++i) {
            const BufferSpec& spec = workload_.buffers()[i];
            if (spec.read_back) run.results.push_back(Download(buffers[i], spec));
        }
        run.upload = uploaded - start;
        run.dispatches = done - uploaded;
        run.download = Clock::now() - done;
    }
    run.total = Clock::now() - start;  // with the freeing of the buffers
    return run;
}

Counts NaiveWriting::PerRun() const {
    // Upload and Download: a staging buffer, a copy, a submit; the download's barrier to the host.
    const Counts memory{.allocations = 1, .frees = 1};
    const Counts staging = memory + Counts{.transfers = 1, .maps = 1, .unmaps = 1};
    const Counts submit_and_wait{.recordings = 1,
                                 .submits = 1,
                                 .submit_infos = 1,
                                 .command_buffers = 1,
                                 .waits = 1,
                                 .fences_created = 1,
                                 .fences_destroyed = 1};
    Counts counts;
    for (const BufferSpec& spec : workload_.buffers()) {
        counts += memory;
        if (!spec.initial.empty()) counts += staging + submit_and_wait;
        if (spec.read_back) counts += staging + submit_and_wait + Counts{.barriers = 1, .barrier_calls = 1};
    }
    // RunDispatch and MakeSet
    for (const Dispatch& dispatch : workload_.dispatches()) {
        uint64_t buffers = dispatch.buffers.size();
        counts += submit_and_wait + Counts{.dispatches = 1,
                                           .barriers = 2 * buffers,
                                           .barrier_calls = 2,
                                           .pipeline_binds = 1,
                                           .set_binds = 1,
                                           .pushes = 1,
                                           .dispatches_submitted = 1,
                                           .descriptor_updates = 1,
                                           .descriptor_writes = buffers,
                                           .sets_allocated = 1};
    }
    return counts;
}

void NaiveWriting::Upload(const DedicatedBuffer& target, const BufferSpec& spec, const Words& words) {
    DedicatedBuffer staging(context_, std::string("staging for ") + std::string(spec.name), spec.bytes,
                            VK_BUFFER_USAGE_TRANSFER_SRC_BIT,
                            VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT);
    staging.Write(words);
    SubmitAndWait([&](VkCommandBuffer commands) {
        VkBufferCopy region{0, 0, spec.bytes};
        vkCmdCopyBuffer(commands, staging.buffer(), target.buffer(), 1, &region);
    });
}

Words NaiveWriting::Download(const DedicatedBuffer& source, const BufferSpec& spec) {
    DedicatedBuffer staging(context_, std::string("staging for ") + std::string(spec.name), spec.bytes,
                            VK_BUFFER_USAGE_TRANSFER_DST_BIT,
                            VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT);
    SubmitAndWait([&](VkCommandBuffer commands) {
        VkBufferCopy region{0, 0, spec.bytes};
        vkCmdCopyBuffer(commands, source.buffer(), staging.buffer(), 1, &region);
        // A fence makes device writes available, but only a barrier to HOST makes them visible to the host.
        auto barrier = vku::InitStruct<VkBufferMemoryBarrier>();
        barrier.srcAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT;
        barrier.dstAccessMask = VK_ACCESS_HOST_READ_BIT;
        barrier.srcQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED;
        barrier.dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED;
        barrier.buffer = staging.buffer();
        barrier.size = VK_WHOLE_SIZE;
        vkCmdPipelineBarrier(commands, VK_PIPELINE_STAGE_TRANSFER_BIT, VK_PIPELINE_STAGE_HOST_BIT, 0, 0, nullptr, 1,
                             &barrier, 0, nullptr);
    });
    return staging.Read();
}

OwnedDescriptorPool NaiveWriting::MakeDescriptorPool() const {
    uint32_t descriptors = 0;
    for (const Dispatch& dispatch : workload_.dispatches())
        descriptors += static_cast<uint32_t>(dispatch.buffers.size());
    VkDescriptorPoolSize size{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, descriptors};
    auto info = vku::InitStruct<VkDescriptorPoolCreateInfo>();
    info.maxSets = static_cast<uint32_t>(workload_.dispatches().size());
    info.poolSizeCount = 1;
    info.pPoolSizes = &size;
    return {context_.device(), vkCreateDescriptorPool, info, "vkCreateDescriptorPool"};
}

VkDescriptorSet NaiveWriting::MakeSet(const Dispatch& dispatch, const std::vector<DedicatedBuffer>& buffers,
                                      VkDescriptorPool pool) const {
    VkDescriptorSetLayout layout = pipelines_[dispatch.shader].set_layout();
    auto info = vku::InitStruct<VkDescriptorSetAllocateInfo>();
    info.descriptorPool = pool;
    info.descriptorSetCount = 1;
    info.pSetLayouts = &layout;
    VkDescriptorSet set = VK_NULL_HANDLE;
    Require(vkAllocateDescriptorSets(context_.device(), &info, &set), "vkAllocateDescriptorSets");

    std::vector<VkDescriptorBufferInfo> infos;
    for (uint32_t index : dispatch.buffers) infos.push_back({buffers[index].buffer(), 0, VK_WHOLE_SIZE});
    std::vector<VkWriteDescriptorSet> writes;
    for (uint32_t binding = 0; binding < infos.size(); ++binding) {
        auto write = vku::InitStruct<VkWriteDescriptorSet>();
        write.dstSet = set;
        write.dstBinding = binding;
        write.descriptorCount = 1;
        write.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
        write.pBufferInfo = &infos[binding];
        writes.push_back(write);
    }
    vkUpdateDescriptorSets(context_.device(), static_cast<uint32_t>(writes.size()), writes.data(), 0, nullptr);
    return set;
}

void NaiveWriting::RunDispatch(const Dispatch& dispatch, const std::vector<DedicatedBuffer>& buffers,
                               VkDescriptorPool pool) {
    const ComputePipeline& pipeline = pipelines_[dispatch.shader];
    VkDescriptorSet set = MakeSet(dispatch, buffers, pool);
    SubmitAndWait([&](VkCommandBuffer commands) {
        constexpr VkPipelineStageFlags kBoth = VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT;
        Barrier(commands, dispatch, buffers, kBoth, VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT,
                VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT);
        vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline.pipeline());
        vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline.layout(), 0, 1, &set, 0, nullptr);
        vkCmdPushConstants(commands, pipeline.layout(), VK_SHADER_STAGE_COMPUTE_BIT, 0,
                           static_cast<uint32_t>(dispatch.push.size() * sizeof(uint32_t)), dispatch.push.data());
        vkCmdDispatch(commands, dispatch.groups[0], dispatch.groups[1], dispatch.groups[2]);
        if (std::exchange(extra_dispatch_, false)) vkCmdDispatch(commands, 0, 0, 0);
        Barrier(commands, dispatch, buffers, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, VK_ACCESS_SHADER_WRITE_BIT, kBoth,
                VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_READ_BIT);
    });
}

void NaiveWriting::SubmitAndWait(const std::function<void(VkCommandBuffer)>& record) {
    VkDevice device = context_.device();
    auto allocate = vku::InitStruct<VkCommandBufferAllocateInfo>();
    allocate.commandPool = command_pool_.get();
    allocate.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY;
    allocate.commandBufferCount = 1;
    VkCommandBuffer commands = VK_NULL_HANDLE;
    Require(vkAllocateCommandBuffers(device, &allocate, &commands), "vkAllocateCommandBuffers");
    auto begin = vku::InitStruct<VkCommandBufferBeginInfo>();
    begin.flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT;
    Require(vkBeginCommandBuffer(commands, &begin), "vkBeginCommandBuffer");
    record(commands);
    Require(vkEndCommandBuffer(commands), "vkEndCommandBuffer");

    auto fence_info = vku::InitStruct<VkFenceCreateInfo>();
    OwnedFence fence(device, vkCreateFence, fence_info, "vkCreateFence");
    auto submit = vku::InitStruct<VkSubmitInfo>();
    submit.commandBufferCount = 1;
    submit.pCommandBuffers = &commands;
    Require(vkQueueSubmit(context_.queue(), 1, &submit, fence.get()), "vkQueueSubmit");
    Require(vkWaitForFences(device, 1, fence.address(), VK_TRUE, UINT64_MAX), "vkWaitForFences");
    vkFreeCommandBuffers(device, command_pool_.get(), 1, &commands);
}

}  // namespace kronos::workloads
