// SPDX-License-Identifier: Apache-2.0
// Tests of the mock driver through the real loader: transfers, dispatch callback, fences, timelines, gates, events,
// queries, device loss, threads.
#include <cstring>
#include <mutex>
#include <thread>

#include "selftest_fixture.h"

TEST_F(MockTest, TransfersMoveBytes) {
    MakeDevice();
    VkDeviceMemory memory;
    void* from = nullptr;
    void* to = nullptr;
    VkBuffer source = MakeBuffer(256, 1, &memory, &from);
    VkBuffer middle = MakeBuffer(256, 0, &memory);
    VkBuffer target = MakeBuffer(256, 1, &memory, &to);
    std::memset(from, 7, 256);
    VkCommandBuffer secondary = MakeCommandBuffer(VK_COMMAND_BUFFER_LEVEL_SECONDARY);
    Begin(secondary);
    const VkBufferCopy half = {0, 64, 128};
    vkCmdCopyBuffer(secondary, source, middle, 1, &half);
    ASSERT_EQ(VK_SUCCESS, vkEndCommandBuffer(secondary));
    VkCommandBuffer buffer = MakeCommandBuffer();
    Begin(buffer, VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT);
    vkCmdFillBuffer(buffer, middle, 0, VK_WHOLE_SIZE, 0x01010101);
    vkCmdExecuteCommands(buffer, 1, &secondary);
    const uint32_t words[2] = {0x02020202, 0x03030303};
    vkCmdUpdateBuffer(buffer, middle, 248, 8, words);
    const VkBufferCopy all = {0, 0, 256};
    vkCmdCopyBuffer(buffer, middle, target, 1, &all);
    ASSERT_EQ(VK_SUCCESS, vkEndCommandBuffer(buffer));
    VkFence fence = MakeFence();
    VkSubmitInfo info = {};
    info.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO;
    info.commandBufferCount = 1;
    info.pCommandBuffers = &buffer;
    ASSERT_EQ(VK_SUCCESS, vkQueueSubmit(queue, 1, &info, fence));
    ASSERT_EQ(VK_SUCCESS, vkWaitForFences(device, 1, &fence, VK_TRUE, UINT64_MAX));
    const auto* bytes = static_cast<const uint8_t*>(to);
    EXPECT_EQ(1, bytes[63]);
    EXPECT_EQ(7, bytes[64]);
    EXPECT_EQ(7, bytes[191]);
    EXPECT_EQ(1, bytes[192]);
    EXPECT_EQ(2, bytes[248]);
    EXPECT_EQ(3, bytes[255]);
}

TEST_F(MockTest, DispatchesCallTheTest) {
    MakeDevice();
    VkDeviceMemory memory;
    void* mapped = nullptr;
    VkBuffer buffer = MakeBuffer(1024, 1, &memory, &mapped);
    std::memset(mapped, 0, 1024);
    const VkDescriptorSetLayoutBinding binding = {3, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER_DYNAMIC, 1,
                                                  VK_SHADER_STAGE_COMPUTE_BIT, nullptr};
    const VkDescriptorSetLayoutCreateInfo layout_info = {VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO, nullptr,
                                                         0, 1, &binding};
    VkDescriptorSetLayout layout;
    ASSERT_EQ(VK_SUCCESS, vkCreateDescriptorSetLayout(device, &layout_info, nullptr, &layout));
    const VkPipelineLayoutCreateInfo pipeline_layout_info = {
        VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO, nullptr, 0, 1, &layout, 0, nullptr};
    VkPipelineLayout pipeline_layout;
    ASSERT_EQ(VK_SUCCESS, vkCreatePipelineLayout(device, &pipeline_layout_info, nullptr, &pipeline_layout));
    const VkDescriptorPoolSize size = {VK_DESCRIPTOR_TYPE_STORAGE_BUFFER_DYNAMIC, 1};
    const VkDescriptorPoolCreateInfo pool_info = {
        VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO, nullptr, 0, 2, 1, &size};
    VkDescriptorPool descriptors;
    ASSERT_EQ(VK_SUCCESS, vkCreateDescriptorPool(device, &pool_info, nullptr, &descriptors));
    const VkDescriptorSetAllocateInfo set_info = {VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO, nullptr, descriptors,
                                                  1, &layout};
    VkDescriptorSet set;
    ASSERT_EQ(VK_SUCCESS, vkAllocateDescriptorSets(device, &set_info, &set));
    VkDescriptorSet none;
    EXPECT_EQ(VK_ERROR_OUT_OF_POOL_MEMORY, vkAllocateDescriptorSets(device, &set_info, &none));
    const VkDescriptorBufferInfo range = {buffer, 256, 64};
    const VkWriteDescriptorSet write = {VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,    nullptr, set,    3,      0, 1,
                                        VK_DESCRIPTOR_TYPE_STORAGE_BUFFER_DYNAMIC, nullptr, &range, nullptr};
    vkUpdateDescriptorSets(device, 1, &write, 0, nullptr);

    uint32_t calls = 0;
    mock.OnDispatch([&](const MockDispatch& dispatch) {
        void* data = nullptr;
        uint64_t bytes = 0;
        ASSERT_EQ(1, mock.DispatchBuffer(&dispatch, 0, 3, 0, &data, &bytes));
        EXPECT_EQ(64U, bytes);
        std::memset(data, static_cast<int>(dispatch.group_count[0]), bytes);
        ++calls;
    });
    VkCommandBuffer commands = MakeCommandBuffer();
    Begin(commands);
    const uint32_t offset = 128;
    vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline_layout, 0, 1, &set, 1, &offset);
    vkCmdDispatch(commands, 9, 1, 1);
    ASSERT_EQ(VK_SUCCESS, vkEndCommandBuffer(commands));
    ASSERT_EQ(VK_SUCCESS, Submit(queue, {commands}));
    ASSERT_EQ(VK_SUCCESS, vkQueueWaitIdle(queue));
    EXPECT_EQ(1U, calls);
    const auto* result = static_cast<const uint8_t*>(mapped);
    EXPECT_EQ(0, result[383]);
    EXPECT_EQ(9, result[384]);
    EXPECT_EQ(9, result[447]);
    EXPECT_EQ(0, result[448]);
    mock.OnDispatch(nullptr);
    vkDestroyDescriptorPool(device, descriptors, nullptr);
    vkDestroyPipelineLayout(device, pipeline_layout, nullptr);
    vkDestroyDescriptorSetLayout(device, layout, nullptr);
}

TEST_F(MockTest, FencesAndGates) {
    MakeDevice();
    VkFence done = MakeFence(VK_FENCE_CREATE_SIGNALED_BIT);
    EXPECT_EQ(VK_SUCCESS, vkGetFenceStatus(device, done));
    EXPECT_EQ(VK_SUCCESS, vkResetFences(device, 1, &done));
    EXPECT_EQ(VK_NOT_READY, vkGetFenceStatus(device, done));
    VkFence second = MakeFence();
    mock.CloseGate(queue);
    ASSERT_EQ(VK_SUCCESS, Submit(queue, {}, done));
    ASSERT_EQ(VK_SUCCESS, Submit(queue, {}, second));
    EXPECT_EQ(VK_TIMEOUT, vkWaitForFences(device, 1, &done, VK_TRUE, 0));
    EXPECT_EQ(VK_TIMEOUT, vkWaitForFences(device, 1, &done, VK_TRUE, 1000));
    EXPECT_EQ(2U, mock.Submitted(queue));
    EXPECT_EQ(0U, mock.Completed(queue));
    mock.LetThrough(queue, 1);
    const VkFence both[2] = {second, done};
    EXPECT_EQ(VK_SUCCESS, vkWaitForFences(device, 2, both, VK_FALSE, UINT64_MAX));
    EXPECT_EQ(VK_SUCCESS, vkGetFenceStatus(device, done));
    EXPECT_EQ(VK_NOT_READY, vkGetFenceStatus(device, second));
    mock.OpenGate(queue);
    EXPECT_EQ(VK_SUCCESS, vkWaitForFences(device, 2, both, VK_TRUE, UINT64_MAX));
}

TEST_F(MockTest, TimelineAcrossQueuesWaitBeforeSignal) {
    MakeDevice();
    VkSemaphore timeline = MakeTimeline(5);
    VkSemaphore result = MakeTimeline();
    VkDeviceMemory memory;
    void* data = nullptr;
    VkBuffer buffer = MakeBuffer(64, 1, &memory, &data);
    VkCommandBuffer first = MakeCommandBuffer();
    Begin(first);
    vkCmdFillBuffer(first, buffer, 0, 64, 1);
    ASSERT_EQ(VK_SUCCESS, vkEndCommandBuffer(first));
    VkCommandBuffer second = MakeCommandBuffer();
    Begin(second);
    vkCmdFillBuffer(second, buffer, 0, 4, 2);
    ASSERT_EQ(VK_SUCCESS, vkEndCommandBuffer(second));
    // The wait is submitted first, to the other queue; the one that signals waits for the host.
    ASSERT_EQ(VK_SUCCESS, Submit(queue2, {second}, VK_NULL_HANDLE, timeline, 7, result, 1));
    ASSERT_EQ(VK_SUCCESS, Submit(queue, {first}, VK_NULL_HANDLE, timeline, 6, timeline, 7));
    EXPECT_EQ(VK_TIMEOUT, Wait(result, 1, 0));
    uint64_t value = 0;
    ASSERT_EQ(VK_SUCCESS, CounterValue(device, timeline, &value));
    EXPECT_EQ(5U, value);
    const VkSemaphoreSignalInfo signal = {VK_STRUCTURE_TYPE_SEMAPHORE_SIGNAL_INFO, nullptr, timeline, 6};
    ASSERT_EQ(VK_SUCCESS, SignalSemaphore(device, &signal));
    EXPECT_EQ(VK_SUCCESS, Wait(result, 1));
    ASSERT_EQ(VK_SUCCESS, CounterValue(device, timeline, &value));
    EXPECT_EQ(7U, value);
    EXPECT_EQ(2U, static_cast<uint32_t*>(data)[0]);
    EXPECT_EQ(1U, static_cast<uint32_t*>(data)[1]);
    const VkSemaphore two[2] = {result, timeline};
    const uint64_t values[2] = {9, 7};
    VkSemaphoreWaitInfo any = {
        VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO, nullptr, VK_SEMAPHORE_WAIT_ANY_BIT, 2, two, values};
    EXPECT_EQ(VK_SUCCESS, WaitSemaphores(device, &any, UINT64_MAX));
    any.flags = 0;
    EXPECT_EQ(VK_TIMEOUT, WaitSemaphores(device, &any, 1000));
}

TEST_F(MockTest, BinarySemaphoresOrderQueues) {
    MakeDevice();
    const VkSemaphoreCreateInfo info = {VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO, nullptr, 0};
    VkSemaphore binary = VK_NULL_HANDLE;
    ASSERT_EQ(VK_SUCCESS, vkCreateSemaphore(device, &info, nullptr, &binary));
    semaphores.push_back(binary);
    for (int i = 0; i < 100; ++i) {
        ASSERT_EQ(VK_SUCCESS, Submit(queue, {}, VK_NULL_HANDLE, VK_NULL_HANDLE, 0, binary));
        ASSERT_EQ(VK_SUCCESS, Submit(queue2, {}, VK_NULL_HANDLE, binary));
        ASSERT_EQ(VK_SUCCESS, vkQueueWaitIdle(queue2));
    }
    EXPECT_EQ(100U, mock.Completed(queue2));
}

TEST_F(MockTest, EventsAndQueries) {
    MakeDevice();
    const VkEventCreateInfo event_info = {VK_STRUCTURE_TYPE_EVENT_CREATE_INFO, nullptr, 0};
    VkEvent host = VK_NULL_HANDLE;
    VkEvent gpu = VK_NULL_HANDLE;
    ASSERT_EQ(VK_SUCCESS, vkCreateEvent(device, &event_info, nullptr, &host));
    ASSERT_EQ(VK_SUCCESS, vkCreateEvent(device, &event_info, nullptr, &gpu));
    const VkQueryPoolCreateInfo pool_info = {
        VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO, nullptr, 0, VK_QUERY_TYPE_TIMESTAMP, 2, 0};
    VkQueryPool queries = VK_NULL_HANDLE;
    ASSERT_EQ(VK_SUCCESS, vkCreateQueryPool(device, &pool_info, nullptr, &queries));
    VkCommandBuffer buffer = MakeCommandBuffer();
    Begin(buffer);
    vkCmdResetQueryPool(buffer, queries, 0, 2);
    vkCmdWriteTimestamp(buffer, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, queries, 0);
    vkCmdWaitEvents(buffer, 1, &host, VK_PIPELINE_STAGE_HOST_BIT, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, 0, nullptr, 0,
                    nullptr, 0, nullptr);
    vkCmdSetEvent(buffer, gpu, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT);
    vkCmdWriteTimestamp(buffer, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, queries, 1);
    ASSERT_EQ(VK_SUCCESS, vkEndCommandBuffer(buffer));
    ASSERT_EQ(VK_SUCCESS, Submit(queue, {buffer}));
    uint64_t stamps[2] = {0, 0};
    EXPECT_EQ(VK_SUCCESS, vkGetQueryPoolResults(device, queries, 0, 1, 8, stamps, 8,
                                                VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WAIT_BIT));
    EXPECT_EQ(VK_NOT_READY, vkGetQueryPoolResults(device, queries, 1, 1, 8, stamps, 8, VK_QUERY_RESULT_64_BIT));
    EXPECT_EQ(VK_EVENT_RESET, vkGetEventStatus(device, gpu));
    EXPECT_EQ(VK_SUCCESS, vkSetEvent(device, host));
    ASSERT_EQ(VK_SUCCESS, vkQueueWaitIdle(queue));
    EXPECT_EQ(VK_EVENT_SET, vkGetEventStatus(device, gpu));
    EXPECT_EQ(VK_SUCCESS, vkGetQueryPoolResults(device, queries, 0, 2, 16, stamps, 8, VK_QUERY_RESULT_64_BIT));
    EXPECT_LE(stamps[0], stamps[1]);
    EXPECT_GT(stamps[0], 0U);
    vkDestroyQueryPool(device, queries, nullptr);
    vkDestroyEvent(device, host, nullptr);
    vkDestroyEvent(device, gpu, nullptr);
}

TEST_F(MockTest, LostDeviceEndsEveryWait) {
    MakeDevice();
    VkFence fence = MakeFence();
    mock.CloseGate(VK_NULL_HANDLE);
    ASSERT_EQ(VK_SUCCESS, Submit(queue, {}, fence));
    std::thread waiter(
        [&] { EXPECT_EQ(VK_ERROR_DEVICE_LOST, vkWaitForFences(device, 1, &fence, VK_TRUE, UINT64_MAX)); });
    mock.LoseDevice(device);
    waiter.join();
    EXPECT_EQ(VK_ERROR_DEVICE_LOST, Submit(queue2, {}));
    EXPECT_EQ(VK_ERROR_DEVICE_LOST, vkQueueWaitIdle(queue));
    mock.WaitCompleted(queue, 1);
}

TEST_F(MockTest, EightThreadsRecordAndSubmit) {
    MakeDevice();
    std::vector<std::thread> threads;
    std::mutex queue_mutex;
    for (int t = 0; t < 8; ++t) {
        threads.emplace_back([&] {
            const VkCommandPoolCreateInfo info = {VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO, nullptr, 0, 0};
            VkCommandPool own = VK_NULL_HANDLE;
            EXPECT_EQ(VK_SUCCESS, vkCreateCommandPool(device, &info, nullptr, &own));
            const VkCommandBufferAllocateInfo allocation = {VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO, nullptr,
                                                            own, VK_COMMAND_BUFFER_LEVEL_PRIMARY, 1};
            VkCommandBuffer buffer = VK_NULL_HANDLE;
            EXPECT_EQ(VK_SUCCESS, vkAllocateCommandBuffers(device, &allocation, &buffer));
            const VkFenceCreateInfo fence_info = {VK_STRUCTURE_TYPE_FENCE_CREATE_INFO, nullptr, 0};
            for (int round = 0; round < 20; ++round) {
                const VkCommandBufferBeginInfo begin = {VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO, nullptr, 0,
                                                        nullptr};
                EXPECT_EQ(VK_SUCCESS, vkBeginCommandBuffer(buffer, &begin));
                for (int i = 0; i < 100; ++i) vkCmdDispatch(buffer, 1, 1, 1);
                EXPECT_EQ(VK_SUCCESS, vkEndCommandBuffer(buffer));
                VkFence fence = VK_NULL_HANDLE;
                EXPECT_EQ(VK_SUCCESS, vkCreateFence(device, &fence_info, nullptr, &fence));
                {
                    std::lock_guard lock(queue_mutex);
                    EXPECT_EQ(VK_SUCCESS, Submit(queue, {buffer}, fence));
                }
                EXPECT_EQ(VK_SUCCESS, vkWaitForFences(device, 1, &fence, VK_TRUE, UINT64_MAX));
                vkDestroyFence(device, fence, nullptr);
                EXPECT_EQ(VK_SUCCESS, vkResetCommandPool(device, own, 0));
            }
            vkDestroyCommandPool(device, own, nullptr);
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(8U * 20U * 100U, mock.Calls("vkCmdDispatch"));
}

TEST_F(MockTest, SparseBindsSignal) {
    MakeDevice();
    VkSemaphore timeline = MakeTimeline();
    const uint64_t value = 3;
    const VkTimelineSemaphoreSubmitInfo values = {
        VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO, nullptr, 0, nullptr, 1, &value};
    VkBindSparseInfo info = {};
    info.sType = VK_STRUCTURE_TYPE_BIND_SPARSE_INFO;
    info.pNext = &values;
    info.signalSemaphoreCount = 1;
    info.pSignalSemaphores = &timeline;
    ASSERT_EQ(VK_SUCCESS, vkQueueBindSparse(queue, 1, &info, VK_NULL_HANDLE));
    EXPECT_EQ(VK_SUCCESS, Wait(timeline, 3));
}
