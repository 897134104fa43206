// SPDX-License-Identifier: Apache-2.0
// The descriptor sets of a workload's dispatches.
#include "sets.h"

#include <vulkan/utility/vk_struct_helper.hpp>

#include <map>

namespace kronos::workloads {

DescriptorSets::DescriptorSets(const Context& context, const Workload& workload,
                               const std::vector<ComputePipeline>& pipelines, SetUse use)
    : context_(context), workload_(workload), use_(use) {
    std::map<std::pair<uint32_t, std::vector<uint32_t>>, size_t> known;
    uint32_t descriptors = 0;
    for (size_t i = 0; i < workload.dispatches().size(); ++i) {
        const Dispatch& dispatch = workload.dispatches()[i];
        size_t set = first_.size();
        if (use != SetUse::EachAllocated && use != SetUse::Ring)
            set = known.try_emplace({dispatch.shader, dispatch.buffers}, set).first->second;
        set_of_.push_back(set);
        if (set < first_.size()) continue;
        first_.push_back(i);
        layouts_.push_back(pipelines[dispatch.shader].set_layout());
        descriptors += static_cast<uint32_t>(dispatch.buffers.size());
    }
    if (use == SetUse::Ring) {
        // So that each run begins elsewhere in it.
        first_.push_back(0);
        layouts_.push_back(layouts_[0]);
        descriptors += static_cast<uint32_t>(workload.dispatches()[0].buffers.size());
    }
    VkDescriptorPoolSize size{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, descriptors};
    auto info = vku::InitStruct<VkDescriptorPoolCreateInfo>();
    info.maxSets = static_cast<uint32_t>(first_.size());
    info.poolSizeCount = 1;
    info.pPoolSizes = &size;
    pool_ = OwnedDescriptorPool(context.device(), vkCreateDescriptorPool, info, "vkCreateDescriptorPool");
    sets_.resize(first_.size());
    if (use != SetUse::EachAllocated) Allocate();
}

void DescriptorSets::Allocate() {
    auto info = vku::InitStruct<VkDescriptorSetAllocateInfo>();
    info.descriptorPool = pool_.get();
    info.descriptorSetCount = static_cast<uint32_t>(layouts_.size());
    info.pSetLayouts = layouts_.data();
    Require(vkAllocateDescriptorSets(context_.device(), &info, sets_.data()), "vkAllocateDescriptorSets");
}

void DescriptorSets::WriteOnce(const SlabBuffers& buffers) {
    if (use_ != SetUse::Persistent) return;
    for (size_t dispatch : first_) Write(dispatch, buffers);
}

Counts DescriptorSets::Once() const {
    if (use_ == SetUse::EachAllocated) return {};
    Counts counts{.sets_allocated = sets_.size()};
    if (use_ == SetUse::Persistent) counts += first_.size() * WriteCounted();
    return counts;
}

void DescriptorSets::Prepare(const SlabBuffers& buffers) {
    if (use_ == SetUse::Persistent) return;
    if (use_ == SetUse::EachAllocated)
        Require(vkResetDescriptorPool(context_.device(), pool_.get(), 0), "vkResetDescriptorPool");
    if (use_ == SetUse::Ring) turned_ += set_of_.size();
    for (size_t dispatch = 0; dispatch < set_of_.size(); ++dispatch) {
        if (use_ == SetUse::EachAllocated) {
            auto info = vku::InitStruct<VkDescriptorSetAllocateInfo>();
            info.descriptorPool = pool_.get();
            info.descriptorSetCount = 1;
            info.pSetLayouts = &layouts_[dispatch];
            Require(vkAllocateDescriptorSets(context_.device(), &info, &sets_[dispatch]), "vkAllocateDescriptorSets");
        }
        Write(dispatch, buffers);
    }
}

Counts DescriptorSets::PerPrepare() const {
    if (use_ == SetUse::Persistent) return {};
    Counts counts = set_of_.size() * WriteCounted();
    if (use_ == SetUse::EachAllocated) counts += {.sets_allocated = set_of_.size(), .pool_resets = 1};
    return counts;
}

void DescriptorSets::Write(size_t dispatch, const SlabBuffers& buffers) const {
    std::vector<VkDescriptorBufferInfo> infos;
    for (uint32_t index : workload_.dispatches()[dispatch].buffers)
        infos.push_back({buffers.buffer(index), 0, VK_WHOLE_SIZE});
    auto write = vku::InitStruct<VkWriteDescriptorSet>();
    write.dstSet = For(dispatch);
    // The bindings are of one type and one stage, so one write runs over all of them.
    write.descriptorCount = static_cast<uint32_t>(infos.size());
    write.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
    write.pBufferInfo = infos.data();
    vkUpdateDescriptorSets(context_.device(), 1, &write, 0, nullptr);
}

}  // namespace kronos::workloads
