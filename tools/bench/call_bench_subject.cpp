// SPDX-License-Identifier: Apache-2.0
// The objects of a subject.
#include "call_bench.h"
#include "call_bench_spv.h"

namespace kronos::bench {
namespace {

template <class Create, class InfoType, class Handle>
void New(Create create, VkDevice device, const InfoType& info, Handle& handle) {
    Expect(create(device, &info, nullptr, &handle), "making an object");
}

const VkPushConstantRange kConstants = {VK_SHADER_STAGE_COMPUTE_BIT, 0, 16};

constexpr uint32_t kMostSets = kCalls + 1;
const VkDescriptorPoolSize kPoolSize = {VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, kMostSets* kBindings};

// One after the other, as are the ranges.
constexpr auto kEntries = [] {
    std::array<VkDescriptorUpdateTemplateEntry, kBindings> entries{};
    for (uint32_t i = 0; i < kBindings; ++i)
        entries[i] = {i,
                      0,
                      1,
                      VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
                      i * sizeof(VkDescriptorBufferInfo),
                      sizeof(VkDescriptorBufferInfo)};
    return entries;
}();

constexpr auto kLayoutBindings = [] {
    std::array<VkDescriptorSetLayoutBinding, kBindings> bindings{};
    for (uint32_t i = 0; i < kBindings; ++i)
        bindings[i] = {i, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1, VK_SHADER_STAGE_COMPUTE_BIT, nullptr};
    return bindings;
}();

VkDescriptorSet NewSetOf(const Subject& s, VkDescriptorPool pool) {
    auto info = Info<VkDescriptorSetAllocateInfo>(VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO);
    info.descriptorPool = pool;
    info.descriptorSetCount = 1;
    info.pSetLayouts = &s.set_layout;
    VkDescriptorSet set = VK_NULL_HANDLE;
    Expect(s.down.AllocateDescriptorSets(s.device, &info, &set), "vkAllocateDescriptorSets");
    return set;
}

void MakeBuffer(Subject& s) {
    auto info = Info<VkBufferCreateInfo>(VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO);
    info.size = std::size(s.ranges) * kRangeBytes;
    info.usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_INDIRECT_BUFFER_BIT |
                 VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT;
    New(s.down.CreateBuffer, s.device, info, s.buffer);
    VkMemoryRequirements requirements = {};
    s.down.GetBufferMemoryRequirements(s.device, s.buffer, &requirements);
    auto memory = Info<VkMemoryAllocateInfo>(VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO);
    memory.allocationSize = requirements.size;
    memory.memoryTypeIndex = s.host_visible;
    New(s.down.AllocateMemory, s.device, memory, s.buffer_memory);
    Expect(s.down.BindBufferMemory(s.device, s.buffer, s.buffer_memory, 0), "vkBindBufferMemory");
    for (size_t i = 0; i < std::size(s.ranges); ++i) s.ranges[i] = {s.buffer, i * kRangeBytes, kRangeBytes};
}

void MakeKernel(Subject& s) {
    New(s.down.CreatePipelineLayout, s.device, s.LayoutInfo(), s.layout);
    New(s.down.CreateShaderModule, s.device, s.ShaderInfo(), s.shader);
    const VkComputePipelineCreateInfo info = s.KernelInfo();
    Expect(s.down.CreateComputePipelines(s.device, VK_NULL_HANDLE, 1, &info, nullptr, &s.kernel),
           "vkCreateComputePipelines");
    New(s.down.CreateDescriptorPool, s.device, Subject::PoolInfo(), s.kernel_pool);
    for (size_t i = 0; i < kKernelSets; ++i) {
        s.kernel_sets[i] = NewSetOf(s, s.kernel_pool);
        s.down.UpdateDescriptorSets(s.device, kBindings, s.WritesOf(s.kernel_sets[i], i).data(), 0, nullptr);
    }
    VkDescriptorSetLayoutCreateInfo push_set = Subject::SetLayoutInfo();
    push_set.flags = VK_DESCRIPTOR_SET_LAYOUT_CREATE_PUSH_DESCRIPTOR_BIT;
    New(s.down.CreateDescriptorSetLayout, s.device, push_set, s.push_set_layout);
    VkPipelineLayoutCreateInfo push = s.LayoutInfo();
    push.pSetLayouts = &s.push_set_layout;
    New(s.down.CreatePipelineLayout, s.device, push, s.push_layout);
    VkDescriptorUpdateTemplateCreateInfo update = s.TemplateInfo();
    update.templateType = VK_DESCRIPTOR_UPDATE_TEMPLATE_TYPE_PUSH_DESCRIPTORS;
    update.pipelineBindPoint = VK_PIPELINE_BIND_POINT_COMPUTE;
    update.pipelineLayout = s.push_layout;
    New(s.down.CreateDescriptorUpdateTemplate, s.device, update, s.push_template);
}

void MakeObjects(Subject& s) {
    s.unsignaled = s.NewFence(0);
    s.signaled = s.NewFence(VK_FENCE_CREATE_SIGNALED_BIT);
    auto type = Info<VkSemaphoreTypeCreateInfo>(VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO);
    type.semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE;
    New(s.down.CreateSemaphore, s.device, Info<VkSemaphoreCreateInfo>(VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO, &type),
        s.timeline);
    auto memory = Info<VkMemoryAllocateInfo>(VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO);
    memory.allocationSize = kRangeBytes;
    VkPhysicalDeviceMemoryProperties types = {};
    vkGetPhysicalDeviceMemoryProperties(s.physical, &types);
    while (!(types.memoryTypes[s.host_visible].propertyFlags & VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT)) ++s.host_visible;
    memory.memoryTypeIndex = s.host_visible;
    New(s.down.AllocateMemory, s.device, memory, s.memory);
    void* data = nullptr;
    Expect(s.down.MapMemory(s.device, s.memory, 0, VK_WHOLE_SIZE, 0, &data), "vkMapMemory");
    New(s.down.CreateDescriptorSetLayout, s.device, Subject::SetLayoutInfo(), s.set_layout);
    New(s.down.CreateDescriptorPool, s.device, Subject::PoolInfo(), s.set_pool);
    s.NewSet();
    New(s.down.CreateDescriptorUpdateTemplate, s.device, s.TemplateInfo(), s.update_template);
    New(s.down.CreatePrivateDataSlot, s.device,
        Info<VkPrivateDataSlotCreateInfo>(VK_STRUCTURE_TYPE_PRIVATE_DATA_SLOT_CREATE_INFO), s.slot);
    auto queries = Info<VkQueryPoolCreateInfo>(VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO);
    queries.queryType = VK_QUERY_TYPE_TIMESTAMP;
    queries.queryCount = 1;
    New(s.down.CreateQueryPool, s.device, queries, s.queries);
    s.recording = s.NewBuffer();
    s.whole = s.NewBuffer();
    s.secondary = s.NewBuffer(VK_COMMAND_BUFFER_LEVEL_SECONDARY);
    const auto inherited = Info<VkCommandBufferInheritanceInfo>(VK_STRUCTURE_TYPE_COMMAND_BUFFER_INHERITANCE_INFO);
    auto begin = Info<VkCommandBufferBeginInfo>(VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO);
    begin.flags = VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT;
    begin.pInheritanceInfo = &inherited;
    Expect(vkBeginCommandBuffer(s.secondary, &begin), "vkBeginCommandBuffer");
    End(s.secondary);
}

}  // namespace

void Subject::MakeAll() {
    Make(request);
    vkuInitDeviceDispatchTable(device, &down, vkGetDeviceProcAddr);
    MakeObjects(*this);
    MakeBuffer(*this);
    MakeKernel(*this);
    lost = *this;
    lost.MakeDevice(request);
    vkGetDeviceQueue(lost.device, family, 0, &lost.queue);
    lost.MakePool();
    lost_buffer = lost.NewBuffer();
    Begin(lost_buffer, VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT);
    End(lost_buffer);
    vkuInitDeviceDispatchTable(lost.device, &lost_down, vkGetDeviceProcAddr);
}

void Subject::DestroyAll() {
    lost.DestroyDevice();
    down.DestroyQueryPool(device, queries, nullptr);
    down.DestroyDescriptorUpdateTemplate(device, push_template, nullptr);
    down.DestroyPipelineLayout(device, push_layout, nullptr);
    down.DestroyDescriptorSetLayout(device, push_set_layout, nullptr);
    down.DestroyDescriptorPool(device, kernel_pool, nullptr);
    down.DestroyPipeline(device, kernel, nullptr);
    down.DestroyShaderModule(device, shader, nullptr);
    down.DestroyPipelineLayout(device, layout, nullptr);
    down.DestroyBuffer(device, buffer, nullptr);
    down.FreeMemory(device, buffer_memory, nullptr);
    down.DestroyPrivateDataSlot(device, slot, nullptr);
    down.DestroyDescriptorUpdateTemplate(device, update_template, nullptr);
    down.DestroyDescriptorPool(device, set_pool, nullptr);
    down.DestroyDescriptorSetLayout(device, set_layout, nullptr);
    down.FreeMemory(device, memory, nullptr);
    down.DestroySemaphore(device, timeline, nullptr);
    down.DestroyFence(device, signaled, nullptr);
    down.DestroyFence(device, unsignaled, nullptr);
    Destroy();
}

void Subject::NewSet() { set = NewSetOf(*this, set_pool); }

KernelWrites Subject::WritesOf(VkDescriptorSet to, size_t i) const {
    KernelWrites writes;
    for (uint32_t binding = 0; binding < kBindings; ++binding) {
        VkWriteDescriptorSet& write = writes[binding];
        write = Info<VkWriteDescriptorSet>(VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET);
        write.dstSet = to;
        write.dstBinding = binding;
        write.descriptorCount = 1;
        write.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
        write.pBufferInfo = &ranges[i * kBindings + binding];
    }
    return writes;
}

VkDescriptorSetLayoutCreateInfo Subject::SetLayoutInfo() {
    auto info = Info<VkDescriptorSetLayoutCreateInfo>(VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO);
    info.bindingCount = kBindings;
    info.pBindings = kLayoutBindings.data();
    return info;
}

VkDescriptorPoolCreateInfo Subject::PoolInfo() {
    auto info = Info<VkDescriptorPoolCreateInfo>(VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO);
    info.flags = VK_DESCRIPTOR_POOL_CREATE_FREE_DESCRIPTOR_SET_BIT;
    info.maxSets = kMostSets;
    info.poolSizeCount = 1;
    info.pPoolSizes = &kPoolSize;
    return info;
}

VkPipelineLayoutCreateInfo Subject::LayoutInfo() const {
    auto info = Info<VkPipelineLayoutCreateInfo>(VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO);
    info.setLayoutCount = 1;
    info.pSetLayouts = &set_layout;
    info.pushConstantRangeCount = 1;
    info.pPushConstantRanges = &kConstants;
    return info;
}

VkShaderModuleCreateInfo Subject::ShaderInfo() {
    auto info = Info<VkShaderModuleCreateInfo>(VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO);
    info.codeSize = sizeof kCallBenchSpirv;
    info.pCode = kCallBenchSpirv;
    return info;
}

VkComputePipelineCreateInfo Subject::KernelInfo() const {
    auto info = Info<VkComputePipelineCreateInfo>(VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO);
    info.stage.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO;
    info.stage.stage = VK_SHADER_STAGE_COMPUTE_BIT;
    info.stage.module = shader;
    info.stage.pName = "main";
    info.layout = layout;
    return info;
}

VkDescriptorUpdateTemplateCreateInfo Subject::TemplateInfo() const {
    auto info = Info<VkDescriptorUpdateTemplateCreateInfo>(VK_STRUCTURE_TYPE_DESCRIPTOR_UPDATE_TEMPLATE_CREATE_INFO);
    info.descriptorUpdateEntryCount = kBindings;
    info.pDescriptorUpdateEntries = kEntries.data();
    info.templateType = VK_DESCRIPTOR_UPDATE_TEMPLATE_TYPE_DESCRIPTOR_SET;
    info.descriptorSetLayout = set_layout;
    return info;
}

}  // namespace kronos::bench
