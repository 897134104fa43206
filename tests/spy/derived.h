// SPDX-License-Identifier: Apache-2.0
// What is derived from a command beyond "it was called": Derived<Id>::Before / After, by canonical command name.
// Called by the thunks of spy.cpp on the application's thread, around the call down; state is behind one mutex.
#pragma once

#include <vulkan/vulkan.h>

#include <optional>

#include "counters.h"

namespace spy {

// Commands that are worth exactly one of a counter.
constexpr std::optional<Counter> PlainCounter(Id canonical) {
    switch (canonical) {
        case Id::vkCmdSetEvent:
        case Id::vkCmdSetEvent2:
        case Id::vkCmdResetEvent:
        case Id::vkCmdResetEvent2:
        case Id::vkCmdWaitEvents:
        case Id::vkCmdWaitEvents2:
            return Counter::event_commands;
        case Id::vkCmdCopyBuffer:
        case Id::vkCmdCopyBuffer2:
        case Id::vkCmdCopyImage:
        case Id::vkCmdCopyImage2:
        case Id::vkCmdCopyBufferToImage:
        case Id::vkCmdCopyBufferToImage2:
        case Id::vkCmdCopyImageToBuffer:
        case Id::vkCmdCopyImageToBuffer2:
        case Id::vkCmdBlitImage:
        case Id::vkCmdBlitImage2:
        case Id::vkCmdResolveImage:
        case Id::vkCmdResolveImage2:
        case Id::vkCmdUpdateBuffer:
        case Id::vkCmdFillBuffer:
        case Id::vkCmdClearColorImage:
        case Id::vkCmdClearDepthStencilImage:
        case Id::vkCmdCopyQueryPoolResults:
            return Counter::transfers;
        case Id::vkCmdBindPipeline:
            return Counter::pipeline_binds;
        case Id::vkCmdBindDescriptorSets:
        case Id::vkCmdBindDescriptorSets2:
            return Counter::set_binds;
        case Id::vkCmdPushConstants:
        case Id::vkCmdPushConstants2:
            return Counter::pushes;
        case Id::vkCmdPushDescriptorSet:
        case Id::vkCmdPushDescriptorSet2:
        case Id::vkCmdPushDescriptorSetWithTemplate:
        case Id::vkCmdPushDescriptorSetWithTemplate2:
            return Counter::push_descriptors;
        case Id::vkResetDescriptorPool:
            return Counter::pool_resets;
        case Id::vkQueueBindSparse:
            return Counter::sparse_binds;
        case Id::vkQueuePresentKHR:
            return Counter::presents;
        case Id::vkWaitForFences:
        case Id::vkWaitSemaphores:
        case Id::vkQueueWaitIdle:
        case Id::vkDeviceWaitIdle:
            return Counter::waits;
        case Id::vkGetFenceStatus:
        case Id::vkGetSemaphoreCounterValue:
            return Counter::polls;
        case Id::vkMapMemory:
        case Id::vkMapMemory2:
            return Counter::maps;
        case Id::vkUnmapMemory:
        case Id::vkUnmapMemory2:
            return Counter::unmaps;
        case Id::vkFlushMappedMemoryRanges:
            return Counter::flushes;
        case Id::vkInvalidateMappedMemoryRanges:
            return Counter::invalidates;
        default:
            return std::nullopt;
    }
}

// The rest. Before has the command's parameters; After has the result first, where there is one.
template <Id canonical>
struct Derived {};

#define SPY_DERIVED(name) \
    template <>           \
    struct Derived<Id::name>

SPY_DERIVED(vkCmdDispatch) { static void Before(VkCommandBuffer commands, uint32_t, uint32_t, uint32_t); };
SPY_DERIVED(vkCmdDispatchBase) {
    static void Before(VkCommandBuffer commands, uint32_t, uint32_t, uint32_t, uint32_t, uint32_t, uint32_t);
};
SPY_DERIVED(vkCmdDispatchIndirect) { static void Before(VkCommandBuffer commands, VkBuffer, VkDeviceSize); };
SPY_DERIVED(vkCmdPipelineBarrier) {
    static void Before(VkCommandBuffer, VkPipelineStageFlags, VkPipelineStageFlags, VkDependencyFlags,
                       uint32_t memory_count, const VkMemoryBarrier*, uint32_t buffer_count,
                       const VkBufferMemoryBarrier*, uint32_t image_count, const VkImageMemoryBarrier*);
};
SPY_DERIVED(vkCmdPipelineBarrier2) { static void Before(VkCommandBuffer, const VkDependencyInfo* info); };
SPY_DERIVED(vkCmdBindPipeline) { static void Before(VkCommandBuffer, VkPipelineBindPoint, VkPipeline); };
SPY_DERIVED(vkCmdBindDescriptorSets) {
    static void Before(VkCommandBuffer, VkPipelineBindPoint, VkPipelineLayout, uint32_t first, uint32_t count,
                       const VkDescriptorSet*, uint32_t offset_count, const uint32_t*);
};
SPY_DERIVED(vkCmdBindDescriptorSets2) { static void Before(VkCommandBuffer, const VkBindDescriptorSetsInfo*); };
SPY_DERIVED(vkCmdPushConstants) {
    static void Before(VkCommandBuffer, VkPipelineLayout, VkShaderStageFlags, uint32_t offset, uint32_t size,
                       const void*);
};
SPY_DERIVED(vkCmdPushConstants2) { static void Before(VkCommandBuffer, const VkPushConstantsInfo*); };
SPY_DERIVED(vkCmdPushDescriptorSet) {
    static void Before(VkCommandBuffer, VkPipelineBindPoint, VkPipelineLayout, uint32_t set, uint32_t count,
                       const VkWriteDescriptorSet*);
};
SPY_DERIVED(vkCmdPushDescriptorSet2) { static void Before(VkCommandBuffer, const VkPushDescriptorSetInfo*); };
SPY_DERIVED(vkCmdPushDescriptorSetWithTemplate) {
    static void Before(VkCommandBuffer, VkDescriptorUpdateTemplate, VkPipelineLayout, uint32_t set, const void*);
};
SPY_DERIVED(vkCmdPushDescriptorSetWithTemplate2) {
    static void Before(VkCommandBuffer, const VkPushDescriptorSetWithTemplateInfo*);
};
SPY_DERIVED(vkCmdExecuteCommands) {
    static void Before(VkCommandBuffer primary, uint32_t count, const VkCommandBuffer* secondaries);
};
SPY_DERIVED(vkBeginCommandBuffer) { static void Before(VkCommandBuffer commands, const VkCommandBufferBeginInfo*); };
SPY_DERIVED(vkResetCommandBuffer) { static void Before(VkCommandBuffer commands, VkCommandBufferResetFlags); };
SPY_DERIVED(vkAllocateCommandBuffers) {
    static void After(VkResult result, VkDevice, const VkCommandBufferAllocateInfo* info, VkCommandBuffer* buffers);
};
SPY_DERIVED(vkFreeCommandBuffers) {
    static void Before(VkDevice, VkCommandPool, uint32_t count, const VkCommandBuffer* buffers);
};
SPY_DERIVED(vkResetCommandPool) { static void Before(VkDevice device, VkCommandPool pool, VkCommandPoolResetFlags); };
SPY_DERIVED(vkDestroyCommandPool) {
    static void Before(VkDevice device, VkCommandPool pool, const VkAllocationCallbacks*);
};
SPY_DERIVED(vkUpdateDescriptorSets) {
    static void Before(VkDevice, uint32_t write_count, const VkWriteDescriptorSet*, uint32_t copy_count,
                       const VkCopyDescriptorSet*);
};
SPY_DERIVED(vkUpdateDescriptorSetWithTemplate) {
    static void Before(VkDevice, VkDescriptorSet, VkDescriptorUpdateTemplate, const void*);
};
SPY_DERIVED(vkAllocateDescriptorSets) {
    static void After(VkResult result, VkDevice, const VkDescriptorSetAllocateInfo* info, VkDescriptorSet*);
};
SPY_DERIVED(vkQueueSubmit) { static void Before(VkQueue, uint32_t count, const VkSubmitInfo* infos, VkFence); };
SPY_DERIVED(vkQueueSubmit2) { static void Before(VkQueue, uint32_t count, const VkSubmitInfo2* infos, VkFence); };
SPY_DERIVED(vkCreateFence) {
    static void After(VkResult result, VkDevice, const VkFenceCreateInfo*, const VkAllocationCallbacks*, VkFence*);
};
SPY_DERIVED(vkDestroyFence) { static void Before(VkDevice, VkFence fence, const VkAllocationCallbacks*); };
SPY_DERIVED(vkResetFences) { static void Before(VkDevice, uint32_t count, const VkFence*); };
SPY_DERIVED(vkAllocateMemory) {
    static void After(VkResult result, VkDevice device, const VkMemoryAllocateInfo* info, const VkAllocationCallbacks*,
                      VkDeviceMemory* memory);
};
SPY_DERIVED(vkFreeMemory) { static void Before(VkDevice device, VkDeviceMemory memory, const VkAllocationCallbacks*); };
// What a trace of allocations needs.
SPY_DERIVED(vkGetBufferMemoryRequirements) { static void After(VkDevice, VkBuffer, VkMemoryRequirements * needs); };
SPY_DERIVED(vkGetBufferMemoryRequirements2) {
    static void After(VkDevice, const VkBufferMemoryRequirementsInfo2* info, VkMemoryRequirements2* needs);
};
SPY_DERIVED(vkGetImageMemoryRequirements) { static void After(VkDevice, VkImage, VkMemoryRequirements * needs); };
SPY_DERIVED(vkGetImageMemoryRequirements2) {
    static void After(VkDevice, const VkImageMemoryRequirementsInfo2* info, VkMemoryRequirements2* needs);
};
SPY_DERIVED(vkBindBufferMemory) { static void Before(VkDevice, VkBuffer, VkDeviceMemory, VkDeviceSize); };
SPY_DERIVED(vkBindBufferMemory2) { static void Before(VkDevice, uint32_t count, const VkBindBufferMemoryInfo*); };
SPY_DERIVED(vkBindImageMemory) { static void Before(VkDevice, VkImage, VkDeviceMemory, VkDeviceSize); };
SPY_DERIVED(vkBindImageMemory2) { static void Before(VkDevice, uint32_t count, const VkBindImageMemoryInfo*); };
SPY_DERIVED(vkDestroyBuffer) { static void Before(VkDevice, VkBuffer, const VkAllocationCallbacks*); };
SPY_DERIVED(vkDestroyImage) { static void Before(VkDevice, VkImage, const VkAllocationCallbacks*); };
SPY_DERIVED(vkCreateShaderModule) {
    static void Before(VkDevice, const VkShaderModuleCreateInfo* info, const VkAllocationCallbacks*, VkShaderModule*);
};
SPY_DERIVED(vkCreateComputePipelines) {
    static void Before(VkDevice, VkPipelineCache, uint32_t count, const VkComputePipelineCreateInfo* infos,
                       const VkAllocationCallbacks*, VkPipeline*);
};
SPY_DERIVED(vkCreateShadersEXT) {
    static void Before(VkDevice, uint32_t count, const VkShaderCreateInfoEXT* infos, const VkAllocationCallbacks*,
                       VkShaderEXT*);
};

#undef SPY_DERIVED

// Forgets what is known of a device's command pools and memory; call before the device is destroyed.
void ForgetDevice(VkDevice device);

}  // namespace spy
