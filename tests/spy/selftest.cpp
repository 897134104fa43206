// SPDX-License-Identifier: Apache-2.0
// A program whose every call is known by hand; run_selftest.py knows the numbers. Plain Vulkan 1.1 and, where the
// device has it, synchronization2 under its KHR names. --leak ends without destroying device and instance.
#include <vulkan/vulkan.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

namespace {

// #version 450 \n void main() {}, by glslangValidator -V -x
constexpr std::array<uint32_t, 48> kEmptyShader{
    0x07230203, 0x00010000, 0x0008000b, 0x00000006, 0x00000000, 0x00020011, 0x00000001, 0x0006000b,
    0x00000001, 0x4c534c47, 0x6474732e, 0x3035342e, 0x00000000, 0x0003000e, 0x00000000, 0x00000001,
    0x0005000f, 0x00000005, 0x00000004, 0x6e69616d, 0x00000000, 0x00060010, 0x00000004, 0x00000011,
    0x00000001, 0x00000001, 0x00000001, 0x00030003, 0x00000002, 0x000001c2, 0x00040005, 0x00000004,
    0x6e69616d, 0x00000000, 0x00020013, 0x00000002, 0x00030021, 0x00000003, 0x00000002, 0x00050036,
    0x00000002, 0x00000004, 0x00000000, 0x00000003, 0x000200f8, 0x00000005, 0x000100fd, 0x00010038,
};
constexpr size_t kShaderBytes = kEmptyShader.size() * sizeof(uint32_t);

void Check(VkResult result, const char* what) {
    if (result == VK_SUCCESS) return;
    std::fprintf(stderr, "%s: VkResult %d, VK_SUCCESS was needed; giving up\n", what, static_cast<int>(result));
    std::exit(2);
}
#define CHECK(call) Check(call, #call)

VkDevice device = VK_NULL_HANDLE;
VkQueue queue = VK_NULL_HANDLE;

void Record(VkCommandBuffer commands, VkPipeline pipeline, uint32_t dispatches) {
    const VkCommandBufferBeginInfo begin{VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO, nullptr, 0, nullptr};
    CHECK(vkBeginCommandBuffer(commands, &begin));
    vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline);
    for (uint32_t i = 0; i < dispatches; ++i) vkCmdDispatch(commands, 1, 1, 1);
    CHECK(vkEndCommandBuffer(commands));
}

}  // namespace

int main(int argc, char** argv) {
    const bool leak = argc > 1 && std::strcmp(argv[1], "--leak") == 0;
    VkApplicationInfo application{};
    application.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO;
    application.apiVersion = VK_API_VERSION_1_1;
    VkInstanceCreateInfo instance_info{};
    instance_info.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO;
    instance_info.pApplicationInfo = &application;
    VkInstance instance = VK_NULL_HANDLE;
    CHECK(vkCreateInstance(&instance_info, nullptr, &instance));
    uint32_t count = 1;
    VkPhysicalDevice physical = VK_NULL_HANDLE;
    const VkResult found = vkEnumeratePhysicalDevices(instance, &count, &physical);
    if (found != VK_INCOMPLETE || count == 0) CHECK(found);

    const float priority = 1;
    const VkDeviceQueueCreateInfo queue_info{VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO, nullptr, 0, 0, 1, &priority};
    const char* const extension = VK_KHR_SYNCHRONIZATION_2_EXTENSION_NAME;
    VkPhysicalDeviceSynchronization2Features sync2{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SYNCHRONIZATION_2_FEATURES,
                                                   nullptr, VK_TRUE};
    VkDeviceCreateInfo device_info{};
    device_info.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO;
    device_info.pNext = &sync2;
    device_info.queueCreateInfoCount = 1;
    device_info.pQueueCreateInfos = &queue_info;
    device_info.enabledExtensionCount = 1;
    device_info.ppEnabledExtensionNames = &extension;
    CHECK(vkCreateDevice(physical, &device_info, nullptr, &device));
    vkGetDeviceQueue(device, 0, 0, &queue);
    const auto submit2 = reinterpret_cast<PFN_vkQueueSubmit2>(vkGetDeviceProcAddr(device, "vkQueueSubmit2KHR"));
    const auto barrier2 =
        reinterpret_cast<PFN_vkCmdPipelineBarrier2>(vkGetDeviceProcAddr(device, "vkCmdPipelineBarrier2KHR"));
    if (vkGetDeviceProcAddr(device, "vkNoSuchCommand") != nullptr) {
        std::fprintf(stderr, "vkNoSuchCommand: not NULL, NULL was needed; giving up\n");
        return 2;
    }

    // Memory: 2 allocations, 4096 + 256 bytes, the smaller freed; vkFreeMemory(NULL) counts as a call only.
    VkMemoryAllocateInfo allocate{VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, nullptr, 4096, 0};
    VkPhysicalDeviceMemoryProperties memories{};
    vkGetPhysicalDeviceMemoryProperties(physical, &memories);
    while ((memories.memoryTypes[allocate.memoryTypeIndex].propertyFlags & VK_MEMORY_PROPERTY_HOST_COHERENT_BIT) == 0) {
        ++allocate.memoryTypeIndex;
    }
    VkDeviceMemory large = VK_NULL_HANDLE;
    VkDeviceMemory small = VK_NULL_HANDLE;
    CHECK(vkAllocateMemory(device, &allocate, nullptr, &large));
    allocate.allocationSize = 256;
    CHECK(vkAllocateMemory(device, &allocate, nullptr, &small));
    void* data = nullptr;
    CHECK(vkMapMemory(device, large, 0, VK_WHOLE_SIZE, 0, &data));
    const VkMappedMemoryRange range{VK_STRUCTURE_TYPE_MAPPED_MEMORY_RANGE, nullptr, large, 0, VK_WHOLE_SIZE};
    CHECK(vkFlushMappedMemoryRanges(device, 1, &range));
    CHECK(vkInvalidateMappedMemoryRanges(device, 1, &range));
    vkUnmapMemory(device, large);
    vkFreeMemory(device, small, nullptr);
    vkFreeMemory(device, VK_NULL_HANDLE, nullptr);

    // Descriptors: 3 sets allocated in 2 calls, 1 update of 2 writes, 1 of 1 copy, 1 by template, 1 pool reset.
    VkBufferCreateInfo buffer_info{};
    buffer_info.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO;
    buffer_info.size = 1024;
    buffer_info.usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT;
    VkBuffer buffer = VK_NULL_HANDLE;
    CHECK(vkCreateBuffer(device, &buffer_info, nullptr, &buffer));
    VkMemoryRequirements needs{};
    vkGetBufferMemoryRequirements(device, buffer, &needs);
    CHECK(vkBindBufferMemory(device, buffer, large, 0));
    const VkDescriptorSetLayoutBinding binding{0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1, VK_SHADER_STAGE_COMPUTE_BIT,
                                               nullptr};
    const VkDescriptorSetLayoutCreateInfo set_layout_info{VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO, nullptr,
                                                          0, 1, &binding};
    VkDescriptorSetLayout set_layout = VK_NULL_HANDLE;
    CHECK(vkCreateDescriptorSetLayout(device, &set_layout_info, nullptr, &set_layout));
    const VkDescriptorPoolSize pool_size{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 3};
    const VkDescriptorPoolCreateInfo set_pool_info{
        VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO, nullptr, 0, 3, 1, &pool_size};
    VkDescriptorPool set_pool = VK_NULL_HANDLE;
    CHECK(vkCreateDescriptorPool(device, &set_pool_info, nullptr, &set_pool));
    const std::array<VkDescriptorSetLayout, 2> layouts{set_layout, set_layout};
    VkDescriptorSetAllocateInfo sets_info{VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO, nullptr, set_pool, 2,
                                          layouts.data()};
    std::array<VkDescriptorSet, 3> sets{};
    CHECK(vkAllocateDescriptorSets(device, &sets_info, sets.data()));
    sets_info.descriptorSetCount = 1;
    CHECK(vkAllocateDescriptorSets(device, &sets_info, &sets[2]));
    const VkDescriptorBufferInfo bound{buffer, 0, VK_WHOLE_SIZE};
    std::array<VkWriteDescriptorSet, 2> writes{};
    for (size_t i = 0; i < 2; ++i) {
        writes[i].sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET;
        writes[i].dstSet = sets[i];
        writes[i].descriptorCount = 1;
        writes[i].descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
        writes[i].pBufferInfo = &bound;
    }
    vkUpdateDescriptorSets(device, 2, writes.data(), 0, nullptr);
    VkCopyDescriptorSet copy{};
    copy.sType = VK_STRUCTURE_TYPE_COPY_DESCRIPTOR_SET;
    copy.srcSet = sets[0];
    copy.dstSet = sets[2];
    copy.descriptorCount = 1;
    vkUpdateDescriptorSets(device, 0, nullptr, 1, &copy);
    const VkDescriptorUpdateTemplateEntry entry{0, 0, 1, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 0, 0};
    VkDescriptorUpdateTemplateCreateInfo template_info{};
    template_info.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_UPDATE_TEMPLATE_CREATE_INFO;
    template_info.descriptorUpdateEntryCount = 1;
    template_info.pDescriptorUpdateEntries = &entry;
    template_info.descriptorSetLayout = set_layout;
    VkDescriptorUpdateTemplate update = VK_NULL_HANDLE;
    CHECK(vkCreateDescriptorUpdateTemplate(device, &template_info, nullptr, &update));
    vkUpdateDescriptorSetWithTemplate(device, sets[1], update, &bound);

    const VkPushConstantRange push{VK_SHADER_STAGE_COMPUTE_BIT, 0, 4};
    const VkPipelineLayoutCreateInfo layout_info{
        VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO, nullptr, 0, 1, &set_layout, 1, &push};
    VkPipelineLayout layout = VK_NULL_HANDLE;
    CHECK(vkCreatePipelineLayout(device, &layout_info, nullptr, &layout));
    const VkShaderModuleCreateInfo module_info{VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO, nullptr, 0, kShaderBytes,
                                               kEmptyShader.data()};
    VkShaderModule module = VK_NULL_HANDLE;
    CHECK(vkCreateShaderModule(device, &module_info, nullptr, &module));
    VkComputePipelineCreateInfo pipeline_info{};
    pipeline_info.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO;
    pipeline_info.flags = VK_PIPELINE_CREATE_DISPATCH_BASE_BIT;
    pipeline_info.stage.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO;
    pipeline_info.stage.stage = VK_SHADER_STAGE_COMPUTE_BIT;
    pipeline_info.stage.module = module;
    pipeline_info.stage.pName = "main";
    pipeline_info.layout = layout;
    VkPipeline pipeline = VK_NULL_HANDLE;
    CHECK(vkCreateComputePipelines(device, VK_NULL_HANDLE, 1, &pipeline_info, nullptr, &pipeline));

    // Commands: 4 primaries and a secondary from a pool that is reset as a whole, 2 from one that is destroyed.
    const VkCommandPoolCreateInfo pool_info{VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO, nullptr,
                                            VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT, 0};
    VkCommandPool pool = VK_NULL_HANDLE;
    VkCommandPool second_pool = VK_NULL_HANDLE;
    CHECK(vkCreateCommandPool(device, &pool_info, nullptr, &pool));
    CHECK(vkCreateCommandPool(device, &pool_info, nullptr, &second_pool));
    std::array<VkCommandBuffer, 4> primaries{};
    VkCommandBufferAllocateInfo buffers_info{VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO, nullptr, pool,
                                             VK_COMMAND_BUFFER_LEVEL_PRIMARY, 4};
    CHECK(vkAllocateCommandBuffers(device, &buffers_info, primaries.data()));
    buffers_info.level = VK_COMMAND_BUFFER_LEVEL_SECONDARY;
    buffers_info.commandBufferCount = 1;
    VkCommandBuffer secondary = VK_NULL_HANDLE;
    CHECK(vkAllocateCommandBuffers(device, &buffers_info, &secondary));
    buffers_info.commandPool = second_pool;
    buffers_info.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY;
    buffers_info.commandBufferCount = 2;
    std::array<VkCommandBuffer, 2> threaded{};
    CHECK(vkAllocateCommandBuffers(device, &buffers_info, threaded.data()));

    VkCommandBufferInheritanceInfo inheritance{};
    inheritance.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_INHERITANCE_INFO;
    const VkCommandBufferBeginInfo begin_secondary{VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO, nullptr,
                                                   VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT, &inheritance};
    CHECK(vkBeginCommandBuffer(secondary, &begin_secondary));
    vkCmdBindPipeline(secondary, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline);
    for (int i = 0; i < 3; ++i) vkCmdDispatch(secondary, 1, 1, 1);
    CHECK(vkEndCommandBuffer(secondary));

    const VkCommandBufferBeginInfo begin{VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO, nullptr, 0, nullptr};
    CHECK(vkBeginCommandBuffer(primaries[0], &begin));
    vkCmdBindPipeline(primaries[0], VK_PIPELINE_BIND_POINT_COMPUTE, pipeline);
    vkCmdBindDescriptorSets(primaries[0], VK_PIPELINE_BIND_POINT_COMPUTE, layout, 0, 1, sets.data(), 0, nullptr);
    const uint32_t constant = 1;
    vkCmdPushConstants(primaries[0], layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, 4, &constant);
    vkCmdDispatch(primaries[0], 1, 1, 1);
    // Each again, which changes nothing; then with something between, or something else.
    for (int i = 0; i < 2; ++i) {
        vkCmdBindPipeline(primaries[0], VK_PIPELINE_BIND_POINT_COMPUTE, pipeline);
        vkCmdBindDescriptorSets(primaries[0], VK_PIPELINE_BIND_POINT_COMPUTE, layout, 0, 1, &sets[i], 0, nullptr);
        const uint32_t pushed = constant + static_cast<uint32_t>(i);
        vkCmdPushConstants(primaries[0], layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, 4, &pushed);
        VkMemoryRequirements between;
        vkGetBufferMemoryRequirements(device, buffer, &between);
    }
    vkCmdDispatchBase(primaries[0], 1, 0, 0, 1, 1, 1);
    vkCmdFillBuffer(primaries[0], buffer, 0, VK_WHOLE_SIZE, 1);
    const VkMemoryBarrier memory_barrier{VK_STRUCTURE_TYPE_MEMORY_BARRIER, nullptr, VK_ACCESS_TRANSFER_WRITE_BIT,
                                         VK_ACCESS_TRANSFER_WRITE_BIT};
    VkBufferMemoryBarrier buffer_barrier{};
    buffer_barrier.sType = VK_STRUCTURE_TYPE_BUFFER_MEMORY_BARRIER;
    buffer_barrier.buffer = buffer;
    buffer_barrier.size = VK_WHOLE_SIZE;
    buffer_barrier.srcQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED;
    buffer_barrier.dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED;
    const std::array<VkBufferMemoryBarrier, 2> buffer_barriers{buffer_barrier, buffer_barrier};
    vkCmdPipelineBarrier(primaries[0], VK_PIPELINE_STAGE_TRANSFER_BIT, VK_PIPELINE_STAGE_TRANSFER_BIT, 0, 1,
                         &memory_barrier, 2, buffer_barriers.data(), 0, nullptr);
    vkCmdUpdateBuffer(primaries[0], buffer, 0, 4, &constant);
    const VkMemoryBarrier2 memory_barrier2{VK_STRUCTURE_TYPE_MEMORY_BARRIER_2,   nullptr,
                                           VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT, VK_ACCESS_2_MEMORY_WRITE_BIT,
                                           VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT, VK_ACCESS_2_MEMORY_READ_BIT};
    VkDependencyInfo dependency{};
    dependency.sType = VK_STRUCTURE_TYPE_DEPENDENCY_INFO;
    dependency.memoryBarrierCount = 1;
    dependency.pMemoryBarriers = &memory_barrier2;
    barrier2(primaries[0], &dependency);
    const std::array<VkCommandBuffer, 2> twice{secondary, secondary};
    vkCmdExecuteCommands(primaries[0], 2, twice.data());
    CHECK(vkEndCommandBuffer(primaries[0]));  // 2 + 2 * 3 = 8 dispatches

    VkEventCreateInfo event_info{};
    event_info.sType = VK_STRUCTURE_TYPE_EVENT_CREATE_INFO;
    VkEvent event = VK_NULL_HANDLE;
    CHECK(vkCreateEvent(device, &event_info, nullptr, &event));
    CHECK(vkBeginCommandBuffer(primaries[1], &begin));
    vkCmdBindPipeline(primaries[1], VK_PIPELINE_BIND_POINT_COMPUTE, pipeline);
    vkCmdDispatch(primaries[1], 1, 1, 1);
    vkCmdSetEvent(primaries[1], event, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT);
    vkCmdWaitEvents(primaries[1], 1, &event, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, VK_PIPELINE_STAGE_TRANSFER_BIT, 0,
                    nullptr, 0, nullptr, 0, nullptr);
    vkCmdPipelineBarrier(primaries[1], VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, 0, 0,
                         nullptr, 0, nullptr, 0, nullptr);
    vkCmdResetEvent(primaries[1], event, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT);
    CHECK(vkEndCommandBuffer(primaries[1]));  // 1 dispatch
    Record(primaries[2], pipeline, 10);
    CHECK(vkResetCommandBuffer(primaries[2], 0));
    Record(primaries[2], pipeline, 5);
    Record(primaries[3], pipeline, 7);
    Record(primaries[3], pipeline, 4);  // begin resets: 4, not 11

    // Submits: 1 of 2 infos (8 + 1 and 5), 1 by submit2 (4), 1 again after a wait (8), 1 without anything.
    const VkFenceCreateInfo fence_info{VK_STRUCTURE_TYPE_FENCE_CREATE_INFO, nullptr, 0};
    VkFence fence = VK_NULL_HANDLE;
    CHECK(vkCreateFence(device, &fence_info, nullptr, &fence));
    const VkSemaphoreCreateInfo semaphore_info{VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO, nullptr, 0};
    VkSemaphore semaphore = VK_NULL_HANDLE;
    CHECK(vkCreateSemaphore(device, &semaphore_info, nullptr, &semaphore));
    const VkPipelineStageFlags stage = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
    std::array<VkSubmitInfo, 2> submits{};
    submits[0].sType = submits[1].sType = VK_STRUCTURE_TYPE_SUBMIT_INFO;
    submits[0].commandBufferCount = 2;
    submits[0].pCommandBuffers = primaries.data();
    submits[0].signalSemaphoreCount = 1;
    submits[0].pSignalSemaphores = &semaphore;
    submits[1].waitSemaphoreCount = 1;
    submits[1].pWaitSemaphores = &semaphore;
    submits[1].pWaitDstStageMask = &stage;
    submits[1].commandBufferCount = 1;
    submits[1].pCommandBuffers = &primaries[2];
    CHECK(vkQueueSubmit(queue, 2, submits.data(), fence));
    CHECK(vkWaitForFences(device, 1, &fence, VK_TRUE, UINT64_MAX));
    CHECK(vkGetFenceStatus(device, fence));
    CHECK(vkResetFences(device, 1, &fence));
    const VkCommandBufferSubmitInfo submitted{VK_STRUCTURE_TYPE_COMMAND_BUFFER_SUBMIT_INFO, nullptr, primaries[3], 0};
    const VkSemaphoreSubmitInfo signalled{VK_STRUCTURE_TYPE_SEMAPHORE_SUBMIT_INFO, nullptr, semaphore, 0,
                                          VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT,    0};
    VkSubmitInfo2 submit_info2{};
    submit_info2.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO_2;
    submit_info2.commandBufferInfoCount = 1;
    submit_info2.pCommandBufferInfos = &submitted;
    submit_info2.signalSemaphoreInfoCount = 1;
    submit_info2.pSignalSemaphoreInfos = &signalled;
    CHECK(submit2(queue, 1, &submit_info2, VK_NULL_HANDLE));
    submits[0].commandBufferCount = 1;
    submits[0].signalSemaphoreCount = 0;
    submits[0].waitSemaphoreCount = 1;
    submits[0].pWaitSemaphores = &semaphore;
    submits[0].pWaitDstStageMask = &stage;
    CHECK(vkQueueSubmit(queue, 1, submits.data(), VK_NULL_HANDLE));
    CHECK(vkQueueSubmit(queue, 0, nullptr, fence));
    CHECK(vkQueueWaitIdle(queue));
    CHECK(vkDeviceWaitIdle(device));

    // Two threads record at the same time: 1000 + 1000 dispatches, which a pool's reset then forgets.
    std::vector<std::thread> threads;
    std::array<VkCommandBuffer, 2> concurrent{primaries[0], threaded[0]};
    threads.reserve(concurrent.size());
    for (VkCommandBuffer commands : concurrent) {
        threads.emplace_back([commands, pipeline] { Record(commands, pipeline, 1000); });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(vkResetCommandPool(device, pool, 0));

    if (leak) {
        std::fflush(nullptr);
        return 0;
    }
    CHECK(vkResetDescriptorPool(device, set_pool, 0));
    vkFreeCommandBuffers(device, pool, 1, &secondary);
    vkDestroyCommandPool(device, pool, nullptr);
    vkDestroyCommandPool(device, second_pool, nullptr);
    vkDestroySemaphore(device, semaphore, nullptr);
    vkDestroyFence(device, fence, nullptr);
    vkDestroyFence(device, VK_NULL_HANDLE, nullptr);
    vkDestroyEvent(device, event, nullptr);
    vkDestroyPipeline(device, pipeline, nullptr);
    vkDestroyShaderModule(device, module, nullptr);
    vkDestroyPipelineLayout(device, layout, nullptr);
    vkDestroyDescriptorUpdateTemplate(device, update, nullptr);
    vkDestroyDescriptorPool(device, set_pool, nullptr);
    vkDestroyDescriptorSetLayout(device, set_layout, nullptr);
    vkDestroyBuffer(device, buffer, nullptr);
    vkFreeMemory(device, large, nullptr);
    vkDestroyDevice(device, nullptr);
    vkDestroyInstance(instance, nullptr);
    return 0;
}
