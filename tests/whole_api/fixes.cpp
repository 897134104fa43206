// SPDX-License-Identifier: Apache-2.0
// What the registry does not say of valid values: sizes that fit, ranges that exist, work that ends. By the names of
// structures and commands; whatever is not here is valid as it is built, or nothing that a driver for tests or the
// layer looks at.
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <unordered_map>

#include "world.h"

namespace whole_api {
namespace {

constexpr VkDeviceSize kBufferSize = 65536;
constexpr VkDeviceSize kMemorySize = 1 << 20;

// An empty compute shader: OpEntryPoint GLCompute %3 "main", LocalSize 1 1 1.
constexpr std::array<uint32_t, 35> kShader = {
    0x07230203, 0x00010000, 0,  5,          0,     // magic, 1.0, generator, bound, schema
    0x00020011, 1,                                 // OpCapability Shader
    0x0003000E, 0,          1,                     // OpMemoryModel Logical GLSL450
    0x0005000F, 5,          3,  0x6E69616D, 0,     // OpEntryPoint GLCompute %3 "main"
    0x00060010, 3,          17, 1,          1, 1,  // OpExecutionMode %3 LocalSize 1 1 1
    0x00020013, 1,                                 // %1 = OpTypeVoid
    0x00030021, 2,          1,                     // %2 = OpTypeFunction %1
    0x00050036, 1,          3,  0,          2,     // %3 = OpFunction %1 None %2
    0x000200F8, 4,                                 // %4 = OpLabel
    0x000100FD, 0x00010038,                        // OpReturn, OpFunctionEnd
};

VKAPI_ATTR VkBool32 VKAPI_CALL OnMessage(VkDebugUtilsMessageSeverityFlagBitsEXT, VkDebugUtilsMessageTypeFlagsEXT,
                                         const VkDebugUtilsMessengerCallbackDataEXT*, void*) {
    return VK_FALSE;
}
VKAPI_ATTR VkBool32 VKAPI_CALL OnReport(VkDebugReportFlagsEXT, VkDebugReportObjectTypeEXT, uint64_t, size_t, int32_t,
                                        const char*, const char*, void*) {
    return VK_FALSE;
}
VKAPI_ATTR void* VKAPI_CALL Allocate(void*, size_t size, size_t alignment, VkSystemAllocationScope) {
    return std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}
// Nothing here grows what it has allocated.
VKAPI_ATTR void* VKAPI_CALL Reallocate(void*, void*, size_t, size_t, VkSystemAllocationScope) { return nullptr; }
VKAPI_ATTR void VKAPI_CALL Free(void*, void* memory) { std::free(memory); }
constexpr VkAllocationCallbacks kAllocator = {nullptr, Allocate, Reallocate, Free, nullptr, nullptr};

VKAPI_ATTR void VKAPI_CALL OnMemory(const VkDeviceMemoryReportCallbackDataEXT*, void*) {}

// What a name, a tag or private data is given to.
struct Named {
    VkObjectType type;
    uint64_t handle;
};
Named SomeObject(World& world) {
    switch (world.Random(3)) {
        case 0:
            return {VK_OBJECT_TYPE_DEVICE_MEMORY, world.First(World::TypeOf("VkDeviceMemory"))};
        case 1:
            return {VK_OBJECT_TYPE_FENCE, world.First(World::TypeOf("VkFence"))};
        default:
            return {VK_OBJECT_TYPE_BUFFER, world.First(World::TypeOf("VkBuffer"))};
    }
}

void Level(VkImageSubresourceLayers* layers) { *layers = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1}; }

using Fix = std::function<void(World&, void*)>;
using StructMap = std::unordered_map<std::string, Fix>;

// FIX(VkStructure, statements on `s`, with `w` the world)
#define FIX(type, ...)                                           \
    fixes[#type] = []([[maybe_unused]] World& w, void* memory) { \
        [[maybe_unused]] type& s = *static_cast<type*>(memory);  \
        __VA_ARGS__                                              \
    }

StructMap MakeStructFixes() {
    StructMap fixes;
    FIX(VkShaderModuleCreateInfo, auto* code = w.arena.Take<uint32_t>(kShader.size());
        std::copy(kShader.begin(), kShader.end(), code); s.codeSize = kShader.size() * sizeof(uint32_t);
        s.pCode = code;);
    FIX(VkPipelineShaderStageCreateInfo, s.flags = 0; s.stage = VK_SHADER_STAGE_COMPUTE_BIT; s.pName = "main";
        s.pSpecializationInfo = nullptr;);
    FIX(VkBufferCreateInfo, s.flags = 0; s.size = kBufferSize;
        s.usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_TRANSFER_SRC_BIT |
                  VK_BUFFER_USAGE_TRANSFER_DST_BIT | VK_BUFFER_USAGE_UNIFORM_BUFFER_BIT |
                  VK_BUFFER_USAGE_INDIRECT_BUFFER_BIT | VK_BUFFER_USAGE_STORAGE_TEXEL_BUFFER_BIT |
                  VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT;
        s.sharingMode = VK_SHARING_MODE_EXCLUSIVE; s.queueFamilyIndexCount = 0; s.pQueueFamilyIndices = nullptr;);
    FIX(VkImageCreateInfo, s.flags = 0; s.imageType = VK_IMAGE_TYPE_2D; s.format = VK_FORMAT_R8G8B8A8_UNORM;
        s.extent = {16, 16, 1}; s.mipLevels = 1; s.arrayLayers = 1; s.samples = VK_SAMPLE_COUNT_1_BIT;
        s.tiling = VK_IMAGE_TILING_OPTIMAL;
        s.usage = VK_IMAGE_USAGE_STORAGE_BIT | VK_IMAGE_USAGE_TRANSFER_SRC_BIT | VK_IMAGE_USAGE_TRANSFER_DST_BIT;
        s.sharingMode = VK_SHARING_MODE_EXCLUSIVE; s.queueFamilyIndexCount = 0; s.pQueueFamilyIndices = nullptr;
        s.initialLayout = VK_IMAGE_LAYOUT_UNDEFINED;);
    FIX(VkBufferViewCreateInfo, s.flags = 0; s.format = VK_FORMAT_R32_UINT; s.offset = 0; s.range = 256;);
    FIX(VkImageSubresourceRange, s = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1};);
    FIX(VkImageSubresourceLayers, Level(&s););
    FIX(VkImageSubresource, s = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0};);
    FIX(VkImageViewCreateInfo, s.flags = 0; s.viewType = VK_IMAGE_VIEW_TYPE_2D; s.format = VK_FORMAT_R8G8B8A8_UNORM;);
    FIX(VkMemoryAllocateInfo, s.allocationSize = kMemorySize; s.memoryTypeIndex = 1;);
    FIX(VkMemoryDedicatedAllocateInfo, s.image = VK_NULL_HANDLE;);
    FIX(VkMemoryAllocateFlagsInfo, s.flags = VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT; s.deviceMask = 0;);
    FIX(VkImportMemoryHostPointerInfoEXT, static auto* const host = std::aligned_alloc(65536, kMemorySize);
        s.handleType = VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT; s.pHostPointer = host;);
    FIX(VkImportMemoryFdInfoKHR, s.fd = -1;);
    FIX(VkImportFenceFdInfoKHR, s.fd = -1; s.handleType = VK_EXTERNAL_FENCE_HANDLE_TYPE_SYNC_FD_BIT;);
    FIX(VkImportSemaphoreFdInfoKHR, s.fd = -1; s.handleType = VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT;);
    FIX(VkDeviceQueueCreateInfo, s.flags = 0; s.queueFamilyIndex = 0; s.queueCount = 1;);
    FIX(VkDeviceQueueInfo2, s.flags = 0; s.queueFamilyIndex = 0; s.queueIndex = 0;);
    FIX(VkDeviceCreateInfo, s.queueCreateInfoCount = 1; s.enabledLayerCount = 0;
        s.enabledExtensionCount = static_cast<uint32_t>(w.device_extensions.size());
        s.ppEnabledExtensionNames = w.device_extensions.data(); s.pEnabledFeatures = nullptr;);
    FIX(VkApplicationInfo, s.apiVersion = w.api_version;);
    FIX(VkInstanceCreateInfo, s.flags = 0; s.enabledLayerCount = 0;
        s.enabledExtensionCount = static_cast<uint32_t>(w.instance_extensions.size());
        s.ppEnabledExtensionNames = w.instance_extensions.data(); auto* application = w.arena.Take<VkApplicationInfo>();
        application->sType = VK_STRUCTURE_TYPE_APPLICATION_INFO; application->pApplicationName = "whole_api";
        application->apiVersion = w.api_version; s.pApplicationInfo = application;);
    FIX(VkLayerSettingEXT, s.pLayerName = "VK_LAYER_TEST_none"; s.type = VK_LAYER_SETTING_TYPE_UINT32_EXT;);
    FIX(VkDebugUtilsMessengerCreateInfoEXT, s.flags = 0; s.pfnUserCallback = OnMessage;);
    FIX(VkDebugReportCallbackCreateInfoEXT, s.pfnCallback = OnReport;);
    FIX(VkDeviceDeviceMemoryReportCreateInfoEXT, s.flags = 0; s.pfnUserCallback = OnMemory;);
    FIX(VkDescriptorSetLayoutBinding,
        s = {0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1, VK_SHADER_STAGE_COMPUTE_BIT, nullptr};);
    FIX(VkDescriptorSetLayoutCreateInfo, s.flags = 0; s.bindingCount = 1;);
    FIX(VkDescriptorSetLayoutBindingFlagsCreateInfo, s.bindingCount = 1;
        if (s.pBindingFlags) const_cast<VkDescriptorBindingFlags*>(s.pBindingFlags)[0] &=
        VK_DESCRIPTOR_BINDING_PARTIALLY_BOUND_BIT;);
    FIX(VkPushConstantRange, s = {VK_SHADER_STAGE_COMPUTE_BIT, 0, 64};);
    FIX(VkPipelineLayoutCreateInfo, s.flags = 0; s.setLayoutCount = 1; s.pushConstantRangeCount = 1;);
    FIX(VkDescriptorPoolSize, s = {VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1000};);
    FIX(VkDescriptorPoolCreateInfo, s.flags = VK_DESCRIPTOR_POOL_CREATE_FREE_DESCRIPTOR_SET_BIT; s.maxSets = 1000;);
    FIX(VkDescriptorSetAllocateInfo, s.descriptorSetCount = 1;);
    FIX(VkDescriptorBufferInfo, s.offset = 0; s.range = 256;);
    FIX(VkWriteDescriptorSet, s.dstBinding = 0; s.dstArrayElement = 0; s.descriptorCount = 1;
        s.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;);
    FIX(VkCopyDescriptorSet, s.dstSet = w.Nth<VkDescriptorSet>("VkDescriptorSet", 1);
        s.srcBinding = s.srcArrayElement = 0; s.dstBinding = s.dstArrayElement = 0; s.descriptorCount = 1;);
    FIX(VkDescriptorUpdateTemplateEntry, s = {0, 0, 1, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 0, 0};);
    FIX(VkDescriptorUpdateTemplateCreateInfo, s.flags = 0; s.descriptorUpdateEntryCount = 1;
        s.templateType = VK_DESCRIPTOR_UPDATE_TEMPLATE_TYPE_DESCRIPTOR_SET;
        s.pipelineBindPoint = VK_PIPELINE_BIND_POINT_COMPUTE; s.set = 0;);
    FIX(VkComputePipelineCreateInfo, s.flags = 0; s.basePipelineHandle = VK_NULL_HANDLE; s.basePipelineIndex = -1;);
    FIX(VkSemaphoreTypeCreateInfo, s.initialValue = 0;);
    FIX(VkQueryPoolCreateInfo, s.flags = 0; s.queryType = VK_QUERY_TYPE_TIMESTAMP; s.queryCount = 8;
        s.pipelineStatistics = 0;);
    FIX(VkCommandPoolCreateInfo, s.flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT; s.queueFamilyIndex = 0;);
    FIX(VkCommandBufferAllocateInfo, s.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY; s.commandBufferCount = 1;);
    FIX(VkCommandBufferBeginInfo, s.flags = 0;);
    FIX(VkCommandBufferInheritanceInfo, s.renderPass = VK_NULL_HANDLE; s.framebuffer = VK_NULL_HANDLE; s.subpass = 0;
        s.occlusionQueryEnable = VK_FALSE; s.queryFlags = 0; s.pipelineStatistics = 0;);
    FIX(VkSwapchainCreateInfoKHR, s.flags = 0; s.minImageCount = 2; s.imageSharingMode = VK_SHARING_MODE_EXCLUSIVE;
        s.queueFamilyIndexCount = 0; s.oldSwapchain = VK_NULL_HANDLE;);
    FIX(VkSubmitInfo, s.waitSemaphoreCount = s.signalSemaphoreCount = 0; s.commandBufferCount = 1;
        auto* buffer = w.arena.Take<VkCommandBuffer>(); *buffer = w.to_submit; s.pCommandBuffers = buffer;);
    FIX(VkSubmitInfo2, s.flags = 0; s.waitSemaphoreInfoCount = s.signalSemaphoreInfoCount = 0;
        s.commandBufferInfoCount = 1;);
    FIX(VkCommandBufferSubmitInfo, s.commandBuffer = w.to_submit; s.deviceMask = 0;);
    FIX(VkTimelineSemaphoreSubmitInfo, s.waitSemaphoreValueCount = s.signalSemaphoreValueCount = 0;);
    FIX(VkDeviceGroupSubmitInfo, s.waitSemaphoreCount = s.signalSemaphoreCount = 0; s.commandBufferCount = 1;);
    FIX(VkBindSparseInfo, s.waitSemaphoreCount = s.signalSemaphoreCount = 0;);
    FIX(VkSparseMemoryBind, s.resourceOffset = 0; s.size = 4096; s.memoryOffset = 0;);
    FIX(VkPresentInfoKHR, s.waitSemaphoreCount = 0; s.swapchainCount = 1; const_cast<uint32_t*>(s.pImageIndices)[0] = 0;
        s.pResults = nullptr;);
    FIX(VkAcquireNextImageInfoKHR, s.timeout = 0; s.semaphore = VK_NULL_HANDLE; s.deviceMask = 1;);
    FIX(VkSemaphoreWaitInfo, s.flags = 0; s.semaphoreCount = 1; const_cast<VkSemaphore*>(s.pSemaphores)[0] = w.timeline;
        const_cast<uint64_t*>(s.pValues)[0] = 0;);
    FIX(VkSemaphoreSignalInfo, s.semaphore = w.timeline; s.value = ++w.timeline_value;);
    FIX(VkMappedMemoryRange, s.offset = 0; s.size = VK_WHOLE_SIZE;);
    FIX(VkMemoryMapInfo, s.flags = 0; s.offset = 0; s.size = VK_WHOLE_SIZE;);
    FIX(VkMemoryUnmapInfo, s.flags = 0;);
    FIX(VkBindBufferMemoryInfo, s.memoryOffset = 0; s.buffer = w.Nth<VkBuffer>("VkBuffer", w.fresh););
    FIX(VkBindImageMemoryInfo, s.memoryOffset = 0; s.image = w.Nth<VkImage>("VkImage", w.fresh););
    FIX(VkDebugUtilsObjectNameInfoEXT, const Named o = SomeObject(w); s.objectType = o.type;
        s.objectHandle = o.handle;);
    FIX(VkDebugUtilsObjectTagInfoEXT, const Named o = SomeObject(w); s.objectType = o.type; s.objectHandle = o.handle;);
    FIX(VkDebugMarkerObjectNameInfoEXT, const Named o = SomeObject(w);
        s.objectType = static_cast<VkDebugReportObjectTypeEXT>(o.type); s.object = o.handle;);
    FIX(VkDebugMarkerObjectTagInfoEXT, const Named o = SomeObject(w);
        s.objectType = static_cast<VkDebugReportObjectTypeEXT>(o.type); s.object = o.handle;);
    FIX(VkBufferMemoryBarrier, s.srcQueueFamilyIndex = s.dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED; s.offset = 0;
        s.size = 64;);
    FIX(VkBufferMemoryBarrier2, s.srcQueueFamilyIndex = s.dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED; s.offset = 0;
        s.size = 64;);
    FIX(VkImageMemoryBarrier, s.srcQueueFamilyIndex = s.dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED;);
    FIX(VkImageMemoryBarrier2, s.srcQueueFamilyIndex = s.dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED;);
    FIX(VkBufferCopy, s = {0, 256, 16};);
    FIX(VkBufferCopy2, s.srcOffset = 0; s.dstOffset = 256; s.size = 16;);
    FIX(VkPushConstantsInfo, s.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT; s.offset = 0; s.size = 16;);
    FIX(VkBindDescriptorSetsInfo, s.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT; s.firstSet = 0; s.descriptorSetCount = 1;
        s.dynamicOffsetCount = 0; s.pDynamicOffsets = nullptr;);
    FIX(VkPushDescriptorSetInfo, s.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT; s.set = 0;);
    FIX(VkPushDescriptorSetWithTemplateInfo, s.descriptorUpdateTemplate = w.push_template; s.set = 0;
        auto* data = w.arena.Take<VkDescriptorBufferInfo>(); *data = {w.First<VkBuffer>("VkBuffer"), 0, 256};
        s.pData = data;);
    return fixes;
}

const StructMap& StructFixes() {
    static const auto* fixes = new StructMap(MakeStructFixes());
    return *fixes;
}

using CallFix = std::function<void(World&, Call&)>;

const std::unordered_map<std::string, CallFix>& CallFixes() {
    static const auto* fixes = new std::unordered_map<std::string, CallFix>{
        {"vkGetDeviceQueue",
         [](World&, Call& c) {
             c.Set("queueFamilyIndex", 0U);
             c.Set("queueIndex", 0U);
         }},
        {"vkBindBufferMemory",
         [](World& w, Call& c) {
             c.Set("buffer", w.Nth<VkBuffer>("VkBuffer", w.fresh));
             c.Set("memoryOffset", VkDeviceSize{0});
         }},
        {"vkBindImageMemory",
         [](World& w, Call& c) {
             c.Set("image", w.Nth<VkImage>("VkImage", w.fresh));
             c.Set("memoryOffset", VkDeviceSize{0});
         }},
        {"vkMapMemory",
         [](World&, Call& c) {
             c.Set("offset", VkDeviceSize{0});
             c.Set("size", VK_WHOLE_SIZE);
             c.Set("flags", 0U);
         }},
        {"vkResetDescriptorPool",
         [](World& w, Call& c) { c.Set("descriptorPool", w.Nth<VkDescriptorPool>("VkDescriptorPool", 1)); }},
        {"vkResetCommandPool",
         [](World& w, Call& c) { c.Set("commandPool", w.Nth<VkCommandPool>("VkCommandPool", 1)); }},
        {"vkTrimCommandPool",
         [](World& w, Call& c) { c.Set("commandPool", w.Nth<VkCommandPool>("VkCommandPool", 1)); }},
        {"vkUpdateDescriptorSetWithTemplate",
         [](World& w, Call& c) {
             auto* data = w.arena.Take<VkDescriptorBufferInfo>();
             *data = {w.First<VkBuffer>("VkBuffer"), 0, 256};
             c.Set("pData", data);
         }},
        {"vkCmdPushDescriptorSetWithTemplate",
         [](World& w, Call& c) {
             auto* data = w.arena.Take<VkDescriptorBufferInfo>();
             *data = {w.First<VkBuffer>("VkBuffer"), 0, 256};
             c.Set("pData", data);
             c.Set("descriptorUpdateTemplate", w.push_template);
             c.Set("set", 0U);
         }},
        {"vkCmdPushDescriptorSet",
         [](World&, Call& c) {
             c.Set("pipelineBindPoint", VK_PIPELINE_BIND_POINT_COMPUTE);
             c.Set("set", 0U);
         }},
        {"vkSetPrivateData",
         [](World& w, Call& c) {
             const Named o = SomeObject(w);
             c.Set("objectType", o.type);
             c.Set("objectHandle", o.handle);
         }},
        {"vkGetPrivateData",
         [](World& w, Call& c) {
             const Named o = SomeObject(w);
             c.Set("objectType", o.type);
             c.Set("objectHandle", o.handle);
         }},
        {"vkDebugReportMessageEXT",
         [](World&, Call& c) {
             c.Set("objectType", VK_DEBUG_REPORT_OBJECT_TYPE_UNKNOWN_EXT);
             c.Set("object", uint64_t{7});
         }},
        {"vkWaitForFences", [](World&, Call& c) { c.Set("timeout", uint64_t{0}); }},
        {"vkWaitSemaphores", [](World&, Call& c) { c.Set("timeout", uint64_t{0}); }},
        {"vkGetSemaphoreCounterValue", [](World& w, Call& c) { c.Set("semaphore", w.timeline); }},
        {"vkAcquireNextImageKHR",
         [](World&, Call& c) {
             c.Set("timeout", uint64_t{0});
             c.Set("semaphore", VkSemaphore{});
         }},
        {"vkGetQueryPoolResults",
         [](World&, Call& c) {
             c.Set("firstQuery", 0U);
             c.Set("queryCount", 1U);
             c.Set("stride", VkDeviceSize{8});
             c.Set("flags", 0U);
             c.Set("dataSize", size_t{16});
         }},
        {"vkResetQueryPool",
         [](World&, Call& c) {
             c.Set("firstQuery", 0U);
             c.Set("queryCount", 1U);
         }},
        {"vkCmdResetQueryPool",
         [](World&, Call& c) {
             c.Set("firstQuery", 0U);
             c.Set("queryCount", 1U);
         }},
        {"vkCmdCopyQueryPoolResults",
         [](World&, Call& c) {
             c.Set("firstQuery", 0U);
             c.Set("queryCount", 1U);
             c.Set("dstOffset", VkDeviceSize{0});
             c.Set("stride", VkDeviceSize{8});
             c.Set("flags", 0U);
         }},
        {"vkCmdUpdateBuffer",
         [](World&, Call& c) {
             c.Set("dstOffset", VkDeviceSize{0});
             c.Set("dataSize", VkDeviceSize{16});
         }},
        {"vkCmdFillBuffer",
         [](World&, Call& c) {
             c.Set("dstOffset", VkDeviceSize{0});
             c.Set("size", VkDeviceSize{64});
         }},
        {"vkCmdPushConstants",
         [](World&, Call& c) {
             c.Set("stageFlags", VkShaderStageFlags{VK_SHADER_STAGE_COMPUTE_BIT});
             c.Set("offset", 0U);
             c.Set("size", 16U);
         }},
        {"vkCmdBindDescriptorSets",
         [](World&, Call& c) {
             c.Set("pipelineBindPoint", VK_PIPELINE_BIND_POINT_COMPUTE);
             c.Set("firstSet", 0U);
             c.Set("descriptorSetCount", 1U);
             c.Set("dynamicOffsetCount", 0U);
         }},
        {"vkCmdBindPipeline", [](World&, Call& c) { c.Set("pipelineBindPoint", VK_PIPELINE_BIND_POINT_COMPUTE); }},
        {"vkCmdDispatchIndirect", [](World&, Call& c) { c.Set("offset", VkDeviceSize{0}); }},
        {"vkCmdCopyBuffer", [](World& w, Call& c) { c.Set("dstBuffer", w.Nth<VkBuffer>("VkBuffer", 1)); }},
        {"vkCmdCopyImage", [](World& w, Call& c) { c.Set("dstImage", w.Nth<VkImage>("VkImage", 1)); }},
        {"vkCmdExecuteCommands",
         [](World& w, Call& c) {
             auto* secondary = w.arena.Take<VkCommandBuffer>();
             *secondary = w.secondary;
             c.Set("commandBufferCount", 1U);
             c.Set("pCommandBuffers", secondary);
         }},
        {"vkGetPipelinePropertiesEXT",
         [](World& w, Call& c) {
             auto* properties = w.arena.Take<VkPipelinePropertiesIdentifierEXT>();
             properties->sType = VK_STRUCTURE_TYPE_PIPELINE_PROPERTIES_IDENTIFIER_EXT;
             c.Set("pPipelineProperties", properties);
         }},
    };
    return *fixes;
}

}  // namespace

void World::FixStruct(const Struct& type, void* memory) {
    const auto fix = StructFixes().find(type.name);
    if (fix != StructFixes().end()) fix->second(*this, memory);
}

void World::FixArguments(Call* call) {
    const auto fix = CallFixes().find(call->command->canonical);
    if (fix != CallFixes().end()) fix->second(*this, *call);
    // Of objects of a device: what is the loader's own it allocates with them itself.
    if (allocators && call->command->level == Level::kDevice && call->Find("pAllocator") >= 0 &&
        std::strcmp(call->command->name, "vkDestroyDevice") != 0)
        call->Set("pAllocator", &kAllocator);
    // One work and one resource at a time: the same twice would not be valid.
    for (const char* count : {"submitCount", "bindInfoCount"})
        if (call->Find(count) >= 0) call->Set(count, 1U);
    if (call->Find("query") >= 0) call->Set("query", 0U);
    // What is recorded, is recorded there.
    if (call->command->level == Level::kCommandBuffer) call->Set("commandBuffer", recording);
}

}  // namespace whole_api
