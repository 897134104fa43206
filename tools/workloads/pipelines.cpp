// SPDX-License-Identifier: Apache-2.0
// The compute pipeline of one shader with its layouts.
#include "pipelines.h"

#include <vulkan/utility/vk_struct_helper.hpp>

namespace kronos::workloads {

ComputePipeline::~ComputePipeline() = default;

ComputePipeline::ComputePipeline(const Context& context, const Shader& shader) {
    std::vector<VkDescriptorSetLayoutBinding> bindings;
    for (uint32_t i = 0; i < shader.bindings; ++i) {
        bindings.push_back({i, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1, VK_SHADER_STAGE_COMPUTE_BIT, nullptr});
    }
    auto set_info = vku::InitStruct<VkDescriptorSetLayoutCreateInfo>();
    set_info.bindingCount = shader.bindings;
    set_info.pBindings = bindings.data();
    set_layout_ =
        OwnedSetLayout(context.device(), vkCreateDescriptorSetLayout, set_info, "vkCreateDescriptorSetLayout");

    VkPushConstantRange push{VK_SHADER_STAGE_COMPUTE_BIT, 0, shader.push_words * 4};
    auto layout_info = vku::InitStruct<VkPipelineLayoutCreateInfo>();
    layout_info.setLayoutCount = 1;
    layout_info.pSetLayouts = set_layout_.address();
    layout_info.pushConstantRangeCount = 1;
    layout_info.pPushConstantRanges = &push;
    layout_ = OwnedPipelineLayout(context.device(), vkCreatePipelineLayout, layout_info, "vkCreatePipelineLayout");

    auto module_info = vku::InitStruct<VkShaderModuleCreateInfo>();
    module_info.codeSize = shader.code.size_bytes();
    module_info.pCode = shader.code.data();
    OwnedShaderModule module(context.device(), vkCreateShaderModule, module_info, "vkCreateShaderModule");

    auto info = vku::InitStruct<VkComputePipelineCreateInfo>();
    info.stage.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO;
    info.stage.stage = VK_SHADER_STAGE_COMPUTE_BIT;
    info.stage.module = module.get();
    info.stage.pName = "main";
    info.layout = layout_.get();
    auto create = [](VkDevice device, const VkComputePipelineCreateInfo* one, const VkAllocationCallbacks* callbacks,
                     VkPipeline* pipeline) {
        return vkCreateComputePipelines(device, VK_NULL_HANDLE, 1, one, callbacks, pipeline);
    };
    pipeline_ = Owned<VkPipeline, vkDestroyPipeline>(context.device(), create, info,
                                                     "vkCreateComputePipelines for " + std::string(shader.name));
}

}  // namespace kronos::workloads
