// SPDX-License-Identifier: Apache-2.0
// Layouts, shader modules and compute pipelines, known to command streams. Any thread; no locks but those of Resources.
#include "entry/hooks.h"
#include "entry/state.h"
#include "resources/remember.h"

namespace kronos::hook {

VKAPI_ATTR VkResult VKAPI_CALL CreateDescriptorSetLayout(VkDevice handle, const VkDescriptorSetLayoutCreateInfo* info,
                                                         const VkAllocationCallbacks* allocator,
                                                         VkDescriptorSetLayout* made) {
    Device& device = DeviceOf(handle);
    const VkResult result = device.down.CreateDescriptorSetLayout(handle, info, allocator, made);
    if (result == VK_SUCCESS)
        Remember(device, "vkCreateDescriptorSetLayout",
                 [&](Resources& resources) { resources.AddSetLayout(*made, *info); });
    return result;
}

VKAPI_ATTR void VKAPI_CALL DestroyDescriptorSetLayout(VkDevice handle, VkDescriptorSetLayout layout,
                                                      const VkAllocationCallbacks* allocator) {
    Device& device = DeviceOf(handle);
    Remember(device, "vkDestroyDescriptorSetLayout", [&](Resources& resources) { resources.RemoveSetLayout(layout); });
    device.down.DestroyDescriptorSetLayout(handle, layout, allocator);
}

VKAPI_ATTR VkResult VKAPI_CALL CreatePipelineLayout(VkDevice handle, const VkPipelineLayoutCreateInfo* info,
                                                    const VkAllocationCallbacks* allocator, VkPipelineLayout* made) {
    Device& device = DeviceOf(handle);
    // Section "Host Memory": whoever destroys it later could not call these. Before there is one that could be named.
    if (allocator && device.submissions) device.submissions->StopDeferring(Counter::kDeferralsLayouts);
    const VkResult result = device.down.CreatePipelineLayout(handle, info, allocator, made);
    // VkPhysicalDeviceLimits::maxPushConstantsSize is at least this.
    constexpr uint32_t kEverywhere = 128;
    for (uint32_t i = 0; i < info->pushConstantRangeCount; ++i) {
        const VkPushConstantRange& range = info->pPushConstantRanges[i];
        if (uint64_t{range.offset} + range.size <= kEverywhere) continue;
        device.Decided(Counter::kAdvicePushConstants);
        break;
    }
    if (result == VK_SUCCESS)
        Remember(device, "vkCreatePipelineLayout",
                 [&](Resources& resources) { resources.AddPipelineLayout(*made, *info); });
    return result;
}

VKAPI_ATTR void VKAPI_CALL DestroyPipelineLayout(VkDevice handle, VkPipelineLayout layout,
                                                 const VkAllocationCallbacks* allocator) {
    Device& device = DeviceOf(handle);
    const PipelineLayoutFacts* facts =
        device.resources && layout ? device.resources->FindPipelineLayout(layout) : nullptr;
    const uint64_t uid = facts ? facts->uid : 0;
    Remember(device, "vkDestroyPipelineLayout", [&](Resources& resources) { resources.RemovePipelineLayout(layout); });
    const auto lock = LockFusion(device);
    // One with callbacks was made when nothing was deferred any more.
    if (layout && lock && !allocator && device.submissions->Bury(layout, uid)) return;
    device.down.DestroyPipelineLayout(handle, layout, allocator);
}

VKAPI_ATTR VkResult VKAPI_CALL CreateShaderModule(VkDevice handle, const VkShaderModuleCreateInfo* info,
                                                  const VkAllocationCallbacks* allocator, VkShaderModule* made) {
    Device& device = DeviceOf(handle);
    const VkResult result = device.down.CreateShaderModule(handle, info, allocator, made);
    if (result == VK_SUCCESS)
        Remember(device, "vkCreateShaderModule",
                 [&](Resources& resources) { resources.AddShaderModule(*made, *info); });
    return result;
}

VKAPI_ATTR void VKAPI_CALL DestroyShaderModule(VkDevice handle, VkShaderModule module,
                                               const VkAllocationCallbacks* allocator) {
    Device& device = DeviceOf(handle);
    Remember(device, "vkDestroyShaderModule", [&](Resources& resources) { resources.RemoveShaderModule(module); });
    device.down.DestroyShaderModule(handle, module, allocator);
}

// VK_PIPELINE_COMPILE_REQUIRED: some were not made, and are VK_NULL_HANDLE. After an error none is known.
// Creation".
VKAPI_ATTR VkResult VKAPI_CALL CreateComputePipelines(VkDevice handle, VkPipelineCache cache, uint32_t count,
                                                      const VkComputePipelineCreateInfo* infos,
                                                      const VkAllocationCallbacks* allocator, VkPipeline* pipelines) {
    Device& device = DeviceOf(handle);
    const VkResult result = device.down.CreateComputePipelines(handle, cache, count, infos, allocator, pipelines);
    for (uint32_t i = 0; result >= VK_SUCCESS && i < count; ++i)
        if (pipelines[i])
            Remember(device, "vkCreateComputePipelines",
                     [&](Resources& resources) { resources.AddPipeline(pipelines[i], infos[i]); });
    return result;
}

VKAPI_ATTR void VKAPI_CALL DestroyPipeline(VkDevice handle, VkPipeline pipeline,
                                           const VkAllocationCallbacks* allocator) {
    Device& device = DeviceOf(handle);
    Remember(device, "vkDestroyPipeline", [&](Resources& resources) { resources.RemovePipeline(pipeline); });
    device.down.DestroyPipeline(handle, pipeline, allocator);
}

}  // namespace kronos::hook
