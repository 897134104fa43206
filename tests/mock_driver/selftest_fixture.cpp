// SPDX-License-Identifier: Apache-2.0
// The fixture of the mock driver's own tests.
#include "selftest_fixture.h"

void MockTest::MakeInstance(uint32_t api_version, std::vector<const char*> extensions) {
    VkApplicationInfo app = {VK_STRUCTURE_TYPE_APPLICATION_INFO, nullptr, "selftest", 1, nullptr, 0, api_version};
    VkInstanceCreateInfo info = {VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,   nullptr,          0, &app, 0, nullptr,
                                 static_cast<uint32_t>(extensions.size()), extensions.data()};
    ASSERT_EQ(VK_SUCCESS, vkCreateInstance(&info, nullptr, &instance));
    uint32_t count = 1;
    const VkResult result = vkEnumeratePhysicalDevices(instance, &count, &physical);
    ASSERT_TRUE(result == VK_SUCCESS || result == VK_INCOMPLETE);
    ASSERT_EQ(1U, count);
}

void MockTest::MakeDevice(std::vector<const char*> extensions, const void* next, uint32_t queues) {
    if (instance == VK_NULL_HANDLE) MakeInstance();
    const std::vector<float> priorities(queues, 1.0F);
    const VkDeviceQueueCreateInfo queue_info = {
        VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO, nullptr, 0, 0, queues, priorities.data()};
    const VkDeviceCreateInfo info = {VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
                                     next,
                                     0,
                                     1,
                                     &queue_info,
                                     0,
                                     nullptr,
                                     static_cast<uint32_t>(extensions.size()),
                                     extensions.data(),
                                     nullptr};
    ASSERT_EQ(VK_SUCCESS, vkCreateDevice(physical, &info, nullptr, &device));
    vkGetDeviceQueue(device, 0, 0, &queue);
    if (queues > 1) vkGetDeviceQueue(device, 0, 1, &queue2);
    const VkCommandPoolCreateInfo pool_info = {VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO, nullptr,
                                               VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT, 0};
    ASSERT_EQ(VK_SUCCESS, vkCreateCommandPool(device, &pool_info, nullptr, &pool));
    WaitSemaphores = DeviceProc<PFN_vkWaitSemaphores>("vkWaitSemaphores");
    SignalSemaphore = DeviceProc<PFN_vkSignalSemaphore>("vkSignalSemaphore");
    CounterValue = DeviceProc<PFN_vkGetSemaphoreCounterValue>("vkGetSemaphoreCounterValue");
    QueueSubmit2 = DeviceProc<PFN_vkQueueSubmit2>("vkQueueSubmit2");
}

void MockTest::TearDown() {
    if (device != VK_NULL_HANDLE) {
        mock.OpenGate(VK_NULL_HANDLE);
        vkDeviceWaitIdle(device);
        for (VkBuffer buffer : buffers) vkDestroyBuffer(device, buffer, nullptr);
        for (VkDeviceMemory memory : memories) vkFreeMemory(device, memory, nullptr);
        for (VkSemaphore semaphore : semaphores) vkDestroySemaphore(device, semaphore, nullptr);
        for (VkFence fence : fences) vkDestroyFence(device, fence, nullptr);
        vkDestroyCommandPool(device, pool, nullptr);
        vkDestroyDevice(device, nullptr);
    }
    if (instance != VK_NULL_HANDLE) vkDestroyInstance(instance, nullptr);
    if (!expect_clean) return;
    EXPECT_EQ(std::vector<std::string>(), mock.Violations());
    EXPECT_EQ(std::vector<std::string>(), mock.LiveObjects());
}

VkBuffer MockTest::MakeBuffer(VkDeviceSize size, uint32_t memory_type, VkDeviceMemory* memory, void** data) {
    const VkBufferCreateInfo info = {
        VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
        nullptr,
        0,
        size,
        VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT | VK_BUFFER_USAGE_STORAGE_BUFFER_BIT,
        VK_SHARING_MODE_EXCLUSIVE,
        0,
        nullptr};
    VkBuffer buffer = VK_NULL_HANDLE;
    EXPECT_EQ(VK_SUCCESS, vkCreateBuffer(device, &info, nullptr, &buffer));
    VkMemoryRequirements needs;
    vkGetBufferMemoryRequirements(device, buffer, &needs);
    const VkMemoryAllocateInfo allocation = {VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, nullptr, needs.size, memory_type};
    EXPECT_EQ(VK_SUCCESS, vkAllocateMemory(device, &allocation, nullptr, memory));
    EXPECT_EQ(VK_SUCCESS, vkBindBufferMemory(device, buffer, *memory, 0));
    if (data != nullptr) {
        EXPECT_EQ(VK_SUCCESS, vkMapMemory(device, *memory, 0, VK_WHOLE_SIZE, 0, data));
    }
    buffers.push_back(buffer);
    memories.push_back(*memory);
    return buffer;
}

VkSemaphore MockTest::MakeTimeline(uint64_t value) {
    const VkSemaphoreTypeCreateInfo type = {VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO, nullptr,
                                            VK_SEMAPHORE_TYPE_TIMELINE, value};
    const VkSemaphoreCreateInfo info = {VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO, &type, 0};
    VkSemaphore semaphore = VK_NULL_HANDLE;
    EXPECT_EQ(VK_SUCCESS, vkCreateSemaphore(device, &info, nullptr, &semaphore));
    semaphores.push_back(semaphore);
    return semaphore;
}

VkFence MockTest::MakeFence(VkFenceCreateFlags flags) {
    const VkFenceCreateInfo info = {VK_STRUCTURE_TYPE_FENCE_CREATE_INFO, nullptr, flags};
    VkFence fence = VK_NULL_HANDLE;
    EXPECT_EQ(VK_SUCCESS, vkCreateFence(device, &info, nullptr, &fence));
    fences.push_back(fence);
    return fence;
}

VkCommandBuffer MockTest::MakeCommandBuffer(VkCommandBufferLevel level) {
    const VkCommandBufferAllocateInfo info = {VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO, nullptr, pool, level, 1};
    VkCommandBuffer buffer = VK_NULL_HANDLE;
    EXPECT_EQ(VK_SUCCESS, vkAllocateCommandBuffers(device, &info, &buffer));
    return buffer;
}

void MockTest::Begin(VkCommandBuffer buffer, VkCommandBufferUsageFlags flags) {
    const VkCommandBufferInheritanceInfo inheritance = {
        VK_STRUCTURE_TYPE_COMMAND_BUFFER_INHERITANCE_INFO, nullptr, VK_NULL_HANDLE, 0, VK_NULL_HANDLE, VK_FALSE, 0, 0};
    const VkCommandBufferBeginInfo info = {VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO, nullptr, flags, &inheritance};
    ASSERT_EQ(VK_SUCCESS, vkBeginCommandBuffer(buffer, &info));
}

VkResult MockTest::Submit(VkQueue to, std::vector<VkCommandBuffer> command_buffers, VkFence fence, VkSemaphore wait,
                          uint64_t wait_value, VkSemaphore signal, uint64_t signal_value) {
    const VkSemaphoreSubmitInfo wait_info = {VK_STRUCTURE_TYPE_SEMAPHORE_SUBMIT_INFO, nullptr, wait, wait_value,
                                             VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT,    0};
    const VkSemaphoreSubmitInfo signal_info = {VK_STRUCTURE_TYPE_SEMAPHORE_SUBMIT_INFO, nullptr, signal, signal_value,
                                               VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT,    0};
    std::vector<VkCommandBufferSubmitInfo> infos;
    for (VkCommandBuffer buffer : command_buffers) {
        infos.push_back({VK_STRUCTURE_TYPE_COMMAND_BUFFER_SUBMIT_INFO, nullptr, buffer, 0});
    }
    const VkSubmitInfo2 info = {VK_STRUCTURE_TYPE_SUBMIT_INFO_2,
                                nullptr,
                                0,
                                wait == VK_NULL_HANDLE ? 0U : 1U,
                                &wait_info,
                                static_cast<uint32_t>(infos.size()),
                                infos.data(),
                                signal == VK_NULL_HANDLE ? 0U : 1U,
                                &signal_info};
    return QueueSubmit2(to, 1, &info, fence);
}

VkResult MockTest::Wait(VkSemaphore semaphore, uint64_t value, uint64_t timeout) {
    const VkSemaphoreWaitInfo info = {VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO, nullptr, 0, 1, &semaphore, &value};
    return WaitSemaphores(device, &info, timeout);
}
