// SPDX-License-Identifier: Apache-2.0
// Writings that differ from the expert one in what a recipe names: what their command buffers hold.
#include <vulkan/utility/vk_struct_helper.hpp>

#include "batch.h"

namespace kronos::workloads {
namespace {

constexpr VkAccessFlags kShaderAccess = VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT;
constexpr VkAccessFlags kAnyAccess = VK_ACCESS_MEMORY_READ_BIT | VK_ACCESS_MEMORY_WRITE_BIT;

void GlobalBarrier(VkCommandBuffer commands, VkPipelineStageFlags from, VkAccessFlags from_access,
                   VkPipelineStageFlags to, VkAccessFlags to_access) {
    auto barrier = vku::InitStruct<VkMemoryBarrier>();
    barrier.srcAccessMask = from_access;
    barrier.dstAccessMask = to_access;
    vkCmdPipelineBarrier(commands, from, to, 0, 1, &barrier, 0, nullptr, 0, nullptr);
}

}  // namespace

void BatchWriting::RecordUpload(VkCommandBuffer commands) const {
    for (size_t i = 0; i < uploads_.size(); ++i) {
        VkBufferCopy region{0, 0, up_.bytes(i)};
        vkCmdCopyBuffer(commands, up_.buffer(i), data_.buffer(uploads_[i]), 1, &region);
    }
    GlobalBarrier(commands, VK_PIPELINE_STAGE_TRANSFER_BIT, VK_ACCESS_TRANSFER_WRITE_BIT,
                  VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, kShaderAccess);
}

void BatchWriting::RecordDownload(VkCommandBuffer commands) const {
    if (left_out_ != workload_.dispatches().size()) {
        GlobalBarrier(commands, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, VK_ACCESS_SHADER_WRITE_BIT,
                      VK_PIPELINE_STAGE_TRANSFER_BIT, VK_ACCESS_TRANSFER_READ_BIT);
    }
    for (size_t i = 0; i < downloads_.size(); ++i) {
        VkBufferCopy region{0, 0, down_.bytes(i)};
        vkCmdCopyBuffer(commands, data_.buffer(downloads_[i]), down_.buffer(i), 1, &region);
    }
    GlobalBarrier(commands, VK_PIPELINE_STAGE_TRANSFER_BIT, VK_ACCESS_TRANSFER_WRITE_BIT, VK_PIPELINE_STAGE_HOST_BIT,
                  VK_ACCESS_HOST_READ_BIT);
}

void BatchWriting::BufferBarriers(VkCommandBuffer commands, const Dispatch& dispatch, bool in_one_call) const {
    std::vector<VkBufferMemoryBarrier> barriers;
    for (uint32_t index : dispatch.buffers) {
        auto& barrier = barriers.emplace_back(vku::InitStruct<VkBufferMemoryBarrier>());
        barrier.srcAccessMask = VK_ACCESS_SHADER_WRITE_BIT;
        barrier.dstAccessMask = kShaderAccess;
        barrier.srcQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED;
        barrier.dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED;
        barrier.buffer = data_.buffer(index);
        barrier.size = VK_WHOLE_SIZE;
    }
    size_t step = in_one_call ? barriers.size() : 1;
    for (size_t i = 0; i < barriers.size(); i += step) {
        vkCmdPipelineBarrier(commands, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, 0, 0,
                             nullptr, static_cast<uint32_t>(step), &barriers[i], 0, nullptr);
    }
}

void BatchWriting::BarrierBetween(VkCommandBuffer commands, size_t index) const {
    if (recipe_.barriers == Recipe::Barriers::None || !needed_[index] || index == left_out_) return;
    if (recipe_.barriers == Recipe::Barriers::Wide)
        GlobalBarrier(commands, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, kAnyAccess, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT,
                      kAnyAccess);
    else
        GlobalBarrier(commands, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, VK_ACCESS_SHADER_WRITE_BIT,
                      VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, kShaderAccess);
    if (recipe_.barriers == Recipe::Barriers::ThreeInARow)
        BufferBarriers(commands, workload_.dispatches()[index], false);
}

bool BatchWriting::BindsPipeline(size_t index) const {
    const std::vector<Dispatch>& dispatches = workload_.dispatches();
    // State does not outlive a command buffer.
    return index == 0 || recipe_.submits != Recipe::Submits::One ||
           dispatches[index].shader != dispatches[index - 1].shader;
}

bool BatchWriting::BindsSet(size_t index) const {
    // Another pipeline layout disturbs the set.
    return BindsPipeline(index) || sets_.For(index) != sets_.For(index - 1);
}

void BatchWriting::RecordDispatch(VkCommandBuffer commands, size_t index) const {
    const Dispatch& dispatch = workload_.dispatches()[index];
    const ComputePipeline& pipeline = pipelines_[dispatch.shader];
    VkDescriptorSet set = sets_.For(index);
    bool by_buffer =
        recipe_.barriers == Recipe::Barriers::AfterEach || recipe_.barriers == Recipe::Barriers::AroundEach;
    if (!by_buffer) BarrierBetween(commands, index);
    if (recipe_.barriers == Recipe::Barriers::AroundEach) BufferBarriers(commands, dispatch, true);
    for (uint32_t i = 0; i < recipe_.binds; ++i) {
        if (recipe_.binds > 1 || BindsPipeline(index))
            vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline.pipeline());
        if (recipe_.binds > 1 || BindsSet(index)) {
            vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline.layout(), 0, 1, &set, 0,
                                    nullptr);
        }
    }
    vkCmdPushConstants(commands, pipeline.layout(), VK_SHADER_STAGE_COMPUTE_BIT, 0,
                       static_cast<uint32_t>(dispatch.push.size() * sizeof(uint32_t)), dispatch.push.data());
    vkCmdDispatch(commands, dispatch.groups[0], dispatch.groups[1], dispatch.groups[2]);
    if (fault_ == Fault::ExtraDispatch && index == 0) vkCmdDispatch(commands, 0, 0, 0);
    if (by_buffer) BufferBarriers(commands, dispatch, true);
}

Counts BatchWriting::DispatchCounted(size_t index) const {
    uint64_t buffers = workload_.dispatches()[index].buffers.size();
    Counts counts{.dispatches = 1, .pushes = 1, .dispatches_submitted = 1};
    counts.pipeline_binds = recipe_.binds > 1 ? recipe_.binds : BindsPipeline(index);
    counts.set_binds = recipe_.binds > 1 ? recipe_.binds : BindsSet(index);
    switch (recipe_.barriers) {
        case Recipe::Barriers::None:
            break;
        case Recipe::Barriers::Needed:
        case Recipe::Barriers::Wide:
            counts.barriers = counts.barrier_calls = needed_[index];
            break;
        case Recipe::Barriers::ThreeInARow:
            counts.barriers = counts.barrier_calls = needed_[index] ? 1 + buffers : 0;
            break;
        case Recipe::Barriers::AfterEach:
            counts.barriers = buffers;
            counts.barrier_calls = 1;
            break;
        case Recipe::Barriers::AroundEach:
            counts.barriers = 2 * buffers;
            counts.barrier_calls = 2;
            break;
    }
    return counts;
}

}  // namespace kronos::workloads
