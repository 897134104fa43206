// SPDX-License-Identifier: Apache-2.0
// Submissions that are held: what flushes them and what is never held. One test for each row of the flush table, named
// after the section of the specification where there is one.

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "submits_fixture.h"

namespace {

using layered::Asked;
using layered::Device;
using layered::Did;
using layered::Driver;
using layered::kHeld;
using layered::SubmitsTest;
using layered::When;
using layered::With;

TEST_F(SubmitsTest, OffNothingIsHeld) {
    Start({{"submits", "off"}});
    for (int i = 0; i < 5; ++i) EXPECT_EQ(device->Submit(Recorded()), VK_SUCCESS);
    EXPECT_EQ(mock.Calls("vkQueueSubmit"), 5u);
    EXPECT_EQ(mock.Calls("vkCreateSemaphore"), 0u);
}

TEST_F(SubmitsTest, ByDefaultNothingIsHeld) {
    Start({});
    for (int i = 0; i < 5; ++i) EXPECT_EQ(device->Submit(Recorded()), VK_SUCCESS);
    EXPECT_EQ(mock.Calls("vkQueueSubmit"), 5u);
}

class ForesightTest : public SubmitsTest {
  protected:
    // Summary of 64 submissions that follow each other at once.
    nlohmann::json Summed(const char* preset) {
        Start({{"preset", preset}, {"submits", "off"}, {"log_level", "error"}});
        std::vector<VkCommandBuffer> recorded;
        for (int i = 0; i < 64; ++i) recorded.push_back(Recorded());
        for (const VkCommandBuffer buffer : recorded) EXPECT_EQ(device->Submit(buffer), VK_SUCCESS);
        const nlohmann::json summary = Ended();
        EXPECT_EQ(Driver(summary, "submits"), 64u);
        return summary;
    }
};

TEST_F(ForesightTest, WhoObservesCountsWhatHoldingWouldGain) {
    const nlohmann::json summary = Summed("observe");
    // Two would be given at once, and the third is the first of those that wait.
    EXPECT_LE(Did(summary, "submits_close"), 61u);
    EXPECT_EQ(Did(summary, "buffers_close"), Did(summary, "submits_close"));
}

TEST_F(ForesightTest, ByDefaultNobodyAsks) {
    const nlohmann::json summary = Summed("balanced");
    EXPECT_EQ(Did(summary, "submits_close"), 0u);
    EXPECT_EQ(Did(summary, "buffers_close"), 0u);
}

TEST_F(SubmitsTest, ManySubmissionsOfABusyQueueAreOneCall) {
    Start();
    Hold();
    std::vector<VkFence> all;
    for (int i = 0; i < 40; ++i) {
        all.push_back(Fence());
        EXPECT_EQ(device->Submit(Recorded(), all.back()), VK_SUCCESS);
    }
    EXPECT_EQ(Given(), 0u);
    const When opened(mock, "vkQueueSubmit", 1, [&] { mock.OpenGate(device->queue); });
    EXPECT_EQ(vkWaitForFences(device->handle, 40, all.data(), VK_TRUE, UINT64_MAX), VK_SUCCESS);
    EXPECT_EQ(Given(), 1u);
    EXPECT_EQ(mock.Submitted(device->queue), 3u) << "one batch of 41 command buffers";
    const nlohmann::json summary = Ended();
    EXPECT_EQ(Asked(summary, "submits"), 43u);
    EXPECT_EQ(Driver(summary, "submits"), 3u);
    EXPECT_EQ(Asked(summary, "command_buffers"), 43u);
    EXPECT_EQ(Driver(summary, "command_buffers"), 43u);
    EXPECT_EQ(Driver(summary, "submit_infos"), 3u);
    EXPECT_EQ(Did(summary, "submits_held"), 41u);
    EXPECT_EQ(Did(summary, "batches_folded"), 40u);
    EXPECT_EQ(Did(summary, "fences_virtual"), 40u);
    EXPECT_EQ(Did(summary, "flushes_wait"), 1u);
}

TEST_F(SubmitsTest, AnIdleQueueGetsItsWorkAtOnce) {
    Start();
    mock.OpenGate(device->queue);
    for (uint64_t i = 1; i <= 20; ++i) {
        const VkFence fence = Fence();
        EXPECT_EQ(device->Submit(Recorded(), fence), VK_SUCCESS);
        EXPECT_EQ(mock.Calls("vkQueueSubmit"), i);
        EXPECT_EQ(vkWaitForFences(device->handle, 1, &fence, VK_TRUE, UINT64_MAX), VK_SUCCESS);
    }
    EXPECT_EQ(Did(Ended(), "submits_held"), 0u);
}

TEST_F(SubmitsTest, WaitingForFences) {
    Start();
    const VkFence fence = Fence();
    Hold(fence);
    EXPECT_EQ(vkWaitForFences(device->handle, 1, &fence, VK_TRUE, 0), VK_TIMEOUT);
    EXPECT_EQ(Given(), 1u);
    EXPECT_EQ(vkWaitForFences(device->handle, 1, &fence, VK_TRUE, 1'000'000), VK_TIMEOUT);
    mock.OpenGate(device->queue);
    EXPECT_EQ(vkWaitForFences(device->handle, 1, &fence, VK_TRUE, UINT64_MAX), VK_SUCCESS);
    EXPECT_EQ(vkWaitForFences(device->handle, 1, &fence, VK_TRUE, 0), VK_SUCCESS);
    EXPECT_EQ(Did(Ended(), "flushes_wait"), 1u);
}

TEST_F(SubmitsTest, FenceStatus) {
    Start();
    const VkFence fence = Fence();
    Hold(fence);
    EXPECT_EQ(vkGetFenceStatus(device->handle, Fence(true)), VK_SUCCESS);
    EXPECT_EQ(Given(), 0u) << "who learns that a fence is signaled need not wait for more";
    EXPECT_EQ(vkGetFenceStatus(device->handle, fence), VK_NOT_READY);
    EXPECT_EQ(Given(), 1u);
    mock.OpenGate(device->queue);
    mock.WaitCompleted(device->queue, 3);
    EXPECT_EQ(vkGetFenceStatus(device->handle, fence), VK_SUCCESS);
    EXPECT_EQ(Did(Ended(), "flushes_poll"), 1u);
}

TEST_F(SubmitsTest, WaitingForSemaphoreValues) {
    Start();
    const VkSemaphore semaphore = MakeSemaphore(true);
    Hold();
    const uint64_t value = 0;
    const VkSemaphoreWaitInfo info = {VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO, nullptr, 0, 1, &semaphore, &value};
    EXPECT_EQ(vkWaitSemaphores(device->handle, &info, 0), VK_SUCCESS);
    EXPECT_EQ(Given(), 1u);
}

TEST_F(SubmitsTest, SemaphoreCounterValue) {
    Start();
    const VkSemaphore semaphore = MakeSemaphore(true);
    Hold();
    uint64_t value = 1;
    EXPECT_EQ(vkGetSemaphoreCounterValue(device->handle, semaphore, &value), VK_SUCCESS);
    EXPECT_EQ(value, 0u);
    EXPECT_EQ(Given(), 1u);
}

TEST_F(SubmitsTest, SignalingSemaphores) {
    Start();
    const VkSemaphore semaphore = MakeSemaphore(true);
    Hold();
    const VkSemaphoreSignalInfo info = {VK_STRUCTURE_TYPE_SEMAPHORE_SIGNAL_INFO, nullptr, semaphore, 1};
    EXPECT_EQ(vkSignalSemaphore(device->handle, &info), VK_SUCCESS);
    EXPECT_EQ(Given(), 1u);
    EXPECT_EQ(Did(Ended(), "flushes_signal"), 1u);
}

TEST_F(SubmitsTest, WaitingOnAQueue) {
    Start();
    Hold();
    const When opened(mock, "vkQueueSubmit", 1, [&] { mock.OpenGate(device->queue); });
    EXPECT_EQ(vkQueueWaitIdle(device->queue), VK_SUCCESS);
    EXPECT_EQ(mock.Completed(device->queue), 3u);
    EXPECT_EQ(Given(), 1u) << "the timeline says when it is idle: no fence of the layer's";
    EXPECT_EQ(Did(Ended(), "flushes_idle"), 1u);
}

TEST_F(SubmitsTest, WaitingOnADevice) {
    Start();
    Hold();
    const When opened(mock, "vkQueueSubmit", 1, [&] { mock.OpenGate(device->queue); });
    EXPECT_EQ(vkDeviceWaitIdle(device->handle), VK_SUCCESS);
    EXPECT_EQ(mock.Completed(device->queue), 3u);
    EXPECT_EQ(Given(), 1u);
}

TEST_F(SubmitsTest, WaitingOnAQueueWithoutSpinning) {
    Start(With(kHeld, {{"waits", "off"}}));
    Hold();
    const When opened(mock, "vkQueueWaitIdle", 1, [&] { mock.OpenGate(device->queue); });
    EXPECT_EQ(vkQueueWaitIdle(device->queue), VK_SUCCESS);
    EXPECT_EQ(mock.Completed(device->queue), 3u);
}

class SubmitsQueryTest : public SubmitsTest {
  protected:
    VkQueryPool MakePool() {
        VkQueryPoolCreateInfo info = {};
        info.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO;
        info.queryType = VK_QUERY_TYPE_TIMESTAMP;
        info.queryCount = 1;
        VkQueryPool pool = VK_NULL_HANDLE;
        EXPECT_EQ(vkCreateQueryPool(device->handle, &info, nullptr, &pool), VK_SUCCESS);
        return pool;
    }
};

TEST_F(SubmitsQueryTest, CopyingQueryResultsToTheHost) {
    Start();
    const VkQueryPool pool = MakePool();
    Hold();
    uint64_t value = 0;
    EXPECT_EQ(
        vkGetQueryPoolResults(device->handle, pool, 0, 1, sizeof value, &value, sizeof value, VK_QUERY_RESULT_64_BIT),
        VK_NOT_READY);
    EXPECT_EQ(Given(), 1u);
    vkDestroyQueryPool(device->handle, pool, nullptr);
    EXPECT_EQ(Did(Ended(), "flushes_query"), 1u);
}

TEST_F(SubmitsQueryTest, ResettingQueriesOnTheHost) {
    Start();
    const VkQueryPool pool = MakePool();
    Hold();
    vkResetQueryPool(device->handle, pool, 0, 1);
    EXPECT_EQ(Given(), 1u);
    vkDestroyQueryPool(device->handle, pool, nullptr);
}

TEST_F(SubmitsTest, MappingMemory) {
    Start();
    const VkMemoryAllocateInfo info = {VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, nullptr, 4096, 2};
    VkDeviceMemory memory = VK_NULL_HANDLE;
    ASSERT_EQ(vkAllocateMemory(device->handle, &info, nullptr, &memory), VK_SUCCESS);
    void* data = nullptr;
    Hold();
    if (vkMapMemory(device->handle, memory, 0, VK_WHOLE_SIZE, 0, &data) == VK_SUCCESS) {
        EXPECT_EQ(Given(), 1u);
        EXPECT_EQ(device->Submit(Recorded()), VK_SUCCESS);
        EXPECT_EQ(Given(), 1u);
        const VkMappedMemoryRange range = {VK_STRUCTURE_TYPE_MAPPED_MEMORY_RANGE, nullptr, memory, 0, VK_WHOLE_SIZE};
        EXPECT_EQ(vkInvalidateMappedMemoryRanges(device->handle, 1, &range), VK_SUCCESS);
        EXPECT_EQ(Given(), 2u);
        vkUnmapMemory(device->handle, memory);
    } else {
        ADD_FAILURE() << "memory type 2 of the mock driver is not for the host";
    }
    vkFreeMemory(device->handle, memory, nullptr);
}

// The host sets the event once it has seen the fence of what came before the work that waits for it.
TEST_F(SubmitsTest, Events) {
    for (const bool secondary : {false, true}) {
        Start();
        mock.OpenGate(device->queue);
        const VkEventCreateInfo info = {VK_STRUCTURE_TYPE_EVENT_CREATE_INFO, nullptr, 0};
        VkEvent event = VK_NULL_HANDLE;
        ASSERT_EQ(vkCreateEvent(device->handle, &info, nullptr, &event), VK_SUCCESS);
        const VkCommandBuffer inner = device->MakeBuffer(VK_NULL_HANDLE, VK_COMMAND_BUFFER_LEVEL_SECONDARY);
        const VkCommandBuffer waiting = device->MakeBuffer();
        const VkCommandBuffer waits = secondary ? inner : waiting;
        Device::Begin(waits);
        vkCmdWaitEvents(waits, 1, &event, VK_PIPELINE_STAGE_HOST_BIT, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, 0, nullptr, 0,
                        nullptr, 0, nullptr);
        EXPECT_EQ(vkEndCommandBuffer(waits), VK_SUCCESS);
        if (secondary) {
            Device::Begin(waiting);
            vkCmdExecuteCommands(waiting, 1, &inner);
            EXPECT_EQ(vkEndCommandBuffer(waiting), VK_SUCCESS);
        }
        mock.CloseGate(device->queue);
        const VkFence before = Fence(), after = Fence();
        Hold(before);
        EXPECT_EQ(device->Submit(waiting, after), VK_SUCCESS);
        EXPECT_EQ(Given(), 2u) << "what waits is a call of its own";
        mock.OpenGate(device->queue);
        EXPECT_EQ(vkWaitForFences(device->handle, 1, &before, VK_TRUE, UINT64_MAX), VK_SUCCESS);
        EXPECT_EQ(vkSetEvent(device->handle, event), VK_SUCCESS);
        EXPECT_EQ(vkWaitForFences(device->handle, 1, &after, VK_TRUE, UINT64_MAX), VK_SUCCESS);
        vkDestroyEvent(device->handle, event, nullptr);
        End();
        fences.clear();
    }
}

TEST_F(SubmitsTest, EventsOnTheHost) {
    Start();
    const VkEventCreateInfo info = {VK_STRUCTURE_TYPE_EVENT_CREATE_INFO, nullptr, 0};
    VkEvent event = VK_NULL_HANDLE;
    ASSERT_EQ(vkCreateEvent(device->handle, &info, nullptr, &event), VK_SUCCESS);
    Hold();
    EXPECT_EQ(vkGetEventStatus(device->handle, event), VK_EVENT_RESET);
    EXPECT_EQ(Given(), 1u);
    EXPECT_EQ(device->Submit(Recorded()), VK_SUCCESS);
    EXPECT_EQ(vkSetEvent(device->handle, event), VK_SUCCESS);
    EXPECT_EQ(Given(), 2u);
    EXPECT_EQ(device->Submit(Recorded()), VK_SUCCESS);
    EXPECT_EQ(vkResetEvent(device->handle, event), VK_SUCCESS);
    EXPECT_EQ(Given(), 3u);
    vkDestroyEvent(device->handle, event, nullptr);
    EXPECT_EQ(Did(Ended(), "flushes_event"), 3u);
}

TEST_F(SubmitsTest, SparseResources) {
    Start();
    Hold();
    const VkFence fence = Fence();
    EXPECT_EQ(vkQueueBindSparse(device->queue, 0, nullptr, fence), VK_SUCCESS);
    EXPECT_EQ(Given(), 1u);
    EXPECT_EQ(device->Submit(Recorded()), VK_SUCCESS);
    EXPECT_EQ(Given(), 2u) << "a queue that binds memory holds nothing";
    mock.OpenGate(device->queue);
    EXPECT_EQ(vkWaitForFences(device->handle, 1, &fence, VK_TRUE, UINT64_MAX), VK_SUCCESS);
}

TEST_F(SubmitsTest, QueueLabels) {
    instance.emplace(true, ToFile(kHeld), VK_API_VERSION_1_3,
                     std::vector<const char*>{VK_EXT_DEBUG_UTILS_EXTENSION_NAME});
    device.emplace(*instance);
    mock.CloseGate(device->queue);
    Hold();
    const auto begin = device->Get<PFN_vkQueueBeginDebugUtilsLabelEXT>("vkQueueBeginDebugUtilsLabelEXT");
    const auto end = device->Get<PFN_vkQueueEndDebugUtilsLabelEXT>("vkQueueEndDebugUtilsLabelEXT");
    const auto insert = device->Get<PFN_vkQueueInsertDebugUtilsLabelEXT>("vkQueueInsertDebugUtilsLabelEXT");
    ASSERT_TRUE(begin && end && insert);
    const VkDebugUtilsLabelEXT label = {VK_STRUCTURE_TYPE_DEBUG_UTILS_LABEL_EXT, nullptr, "part", {}};
    begin(device->queue, &label);
    EXPECT_EQ(Given(), 1u);
    EXPECT_EQ(device->Submit(Recorded()), VK_SUCCESS);
    insert(device->queue, &label);
    EXPECT_EQ(Given(), 2u);
    EXPECT_EQ(device->Submit(Recorded()), VK_SUCCESS);
    end(device->queue);
    EXPECT_EQ(Given(), 3u);
}

TEST_F(SubmitsTest, AStructureThatIsNotKnownGoesAloneAndAsItIs) {
    Start();
    Hold();
    VkDeviceGroupSubmitInfo group = {};
    group.sType = VK_STRUCTURE_TYPE_DEVICE_GROUP_SUBMIT_INFO;
    const VkFence fence = Fence();
    EXPECT_EQ(device->Submit(Recorded(), fence, &group), VK_SUCCESS);
    EXPECT_EQ(Given(), 2u);
    const VkFence alone = Fence();
    EXPECT_EQ(vkQueueSubmit(device->queue, 0, nullptr, alone), VK_SUCCESS);
    mock.LetThrough(device->queue, 3);
    mock.WaitCompleted(device->queue, 3);
    EXPECT_EQ(vkGetFenceStatus(device->handle, alone), VK_NOT_READY) << "what is not known is not done";
    mock.OpenGate(device->queue);
    const VkFence both[] = {fence, alone};
    EXPECT_EQ(vkWaitForFences(device->handle, 2, both, VK_TRUE, UINT64_MAX), VK_SUCCESS);
    const nlohmann::json summary = Ended();
    EXPECT_EQ(Did(summary, "submits_unknown"), 1u);
    EXPECT_EQ(Did(summary, "flushes_unknown"), 1u);
}

TEST_F(SubmitsTest, SemaphoreWaiting) {
    Start();
    const VkSemaphore semaphore = MakeSemaphore(false);
    Hold();
    const VkCommandBuffer buffers[] = {Recorded(), Recorded()};
    VkSubmitInfo infos[2] = {};
    for (int i = 0; i < 2; ++i) {
        infos[i].sType = VK_STRUCTURE_TYPE_SUBMIT_INFO;
        infos[i].commandBufferCount = 1;
        infos[i].pCommandBuffers = &buffers[i];
    }
    infos[0].signalSemaphoreCount = infos[1].waitSemaphoreCount = 1;
    infos[0].pSignalSemaphores = infos[1].pWaitSemaphores = &semaphore;
    const VkPipelineStageFlags stages = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
    infos[1].pWaitDstStageMask = &stages;
    EXPECT_EQ(vkQueueSubmit(device->queue, 1, &infos[0], VK_NULL_HANDLE), VK_SUCCESS);
    EXPECT_EQ(Given(), 0u) << "what signals may be held";
    EXPECT_EQ(vkQueueSubmit(device->queue, 1, &infos[1], VK_NULL_HANDLE), VK_SUCCESS);
    EXPECT_EQ(Given(), 2u) << "what waits is a call of its own";
    EXPECT_EQ(Did(Ended(), "flushes_waiting"), 1u);
}

TEST_F(SubmitsTest, ExportingSemaphorePayloads) {
    mock.Use(R"({"devices": [{"addExtensions": ["VK_KHR_external_semaphore_fd"]}]})");
    Start(kHeld, {"VK_KHR_external_semaphore_fd"});
    const VkExportSemaphoreCreateInfo shared = {VK_STRUCTURE_TYPE_EXPORT_SEMAPHORE_CREATE_INFO, nullptr,
                                                VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_OPAQUE_FD_BIT};
    const VkSemaphore others = MakeSemaphore(false, &shared);
    const VkSemaphore own = MakeSemaphore(false);
    Hold();
    const auto signal = [&](VkSemaphore semaphore) {
        const VkCommandBuffer buffer = Recorded();
        VkSubmitInfo info = {};
        info.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO;
        info.commandBufferCount = info.signalSemaphoreCount = 1;
        info.pCommandBuffers = &buffer;
        info.pSignalSemaphores = &semaphore;
        EXPECT_EQ(vkQueueSubmit(device->queue, 1, &info, VK_NULL_HANDLE), VK_SUCCESS);
    };
    signal(own);
    EXPECT_EQ(Given(), 0u);
    signal(others);
    EXPECT_EQ(Given(), 1u);
    EXPECT_EQ(device->Submit(Recorded()), VK_SUCCESS);
    const auto export_fd = device->Get<PFN_vkGetSemaphoreFdKHR>("vkGetSemaphoreFdKHR");
    ASSERT_TRUE(export_fd);
    const VkSemaphoreGetFdInfoKHR get = {VK_STRUCTURE_TYPE_SEMAPHORE_GET_FD_INFO_KHR, nullptr, others,
                                         VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_OPAQUE_FD_BIT};
    int fd = -1;
    export_fd(device->handle, &get, &fd);
    EXPECT_EQ(Given(), 2u);
    EXPECT_EQ(Did(Ended(), "submits_shared"), 1u);
}

TEST_F(SubmitsTest, ExportingSemaphorePayloadsOfTheSecondForm) {
    mock.Use(R"({"devices": [{"addExtensions": ["VK_KHR_external_semaphore_fd"]}]})");
    VkPhysicalDeviceSynchronization2Features features = layered::Synchronization2();
    Start(kHeld, {"VK_KHR_external_semaphore_fd"}, &features);
    const VkExportSemaphoreCreateInfo shared = {VK_STRUCTURE_TYPE_EXPORT_SEMAPHORE_CREATE_INFO, nullptr,
                                                VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_OPAQUE_FD_BIT};
    VkSemaphoreSubmitInfo others = {};
    others.sType = VK_STRUCTURE_TYPE_SEMAPHORE_SUBMIT_INFO;
    others.semaphore = MakeSemaphore(false, &shared);
    others.stageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT;
    VkSemaphoreSubmitInfo own = others;
    own.semaphore = MakeSemaphore(false);
    Hold();
    const auto given = [&, before = mock.Calls("vkQueueSubmit2")] { return mock.Calls("vkQueueSubmit2") - before; };
    const auto signal = [&](const std::vector<VkSemaphoreSubmitInfo>& semaphores) {
        const VkCommandBufferSubmitInfo buffer = {VK_STRUCTURE_TYPE_COMMAND_BUFFER_SUBMIT_INFO, nullptr, Recorded(), 0};
        VkSubmitInfo2 info = {};
        info.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO_2;
        info.commandBufferInfoCount = 1;
        info.pCommandBufferInfos = &buffer;
        info.signalSemaphoreInfoCount = static_cast<uint32_t>(semaphores.size());
        info.pSignalSemaphoreInfos = semaphores.data();
        EXPECT_EQ(vkQueueSubmit2(device->queue, 1, &info, VK_NULL_HANDLE), VK_SUCCESS);
    };
    signal({own});
    EXPECT_EQ(given(), 0u) << "nobody else can see it";
    own.semaphore = MakeSemaphore(false);
    signal({own, others});
    EXPECT_EQ(given(), 1u) << "together with the one that was held";
    EXPECT_EQ(Did(Ended(), "submits_shared"), 1u);
}

// What waits has the other queues give what they hold first, for that may signal what it waits for.
TEST_F(SubmitsTest, ADeviceThatIsLostWhileAnotherQueueGives) {
    mock.Use(R"({"devices": [{"queueFamilies": [{"flags": ["compute", "transfer"], "count": 2}]}]})");
    instance.emplace(true, ToFile(kHeld));
    const float priorities[] = {1, 1};
    const VkDeviceQueueCreateInfo queue_info = {
        VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO, nullptr, 0, 0, 2, priorities};
    VkDeviceCreateInfo device_info = {};
    device_info.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO;
    device_info.queueCreateInfoCount = 1;
    device_info.pQueueCreateInfos = &queue_info;
    VkDevice made = VK_NULL_HANDLE;
    ASSERT_EQ(vkCreateDevice(instance->Physical(), &device_info, nullptr, &made), VK_SUCCESS);
    VkQueue queues[2] = {};
    for (uint32_t i = 0; i < 2; ++i) vkGetDeviceQueue(made, 0, i, &queues[i]);
    const VkSemaphoreCreateInfo semaphore_info = {VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO, nullptr, 0};
    VkSemaphore semaphore = VK_NULL_HANDLE;
    ASSERT_EQ(vkCreateSemaphore(made, &semaphore_info, nullptr, &semaphore), VK_SUCCESS);
    mock.CloseGate(queues[0]);
    VkSubmitInfo signal = {};
    signal.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO;
    for (int i = 0; i < 2; ++i) EXPECT_EQ(vkQueueSubmit(queues[0], 1, &signal, VK_NULL_HANDLE), VK_SUCCESS);
    signal.signalSemaphoreCount = 1;
    signal.pSignalSemaphores = &semaphore;
    EXPECT_EQ(vkQueueSubmit(queues[0], 1, &signal, VK_NULL_HANDLE), VK_SUCCESS);
    EXPECT_EQ(mock.Calls("vkQueueSubmit"), 2u) << "it is held";
    mock.Fail("vkQueueSubmit", 1, VK_ERROR_DEVICE_LOST);
    const VkPipelineStageFlags stages = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
    VkSubmitInfo wait = {};
    wait.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO;
    wait.waitSemaphoreCount = 1;
    wait.pWaitSemaphores = &semaphore;
    wait.pWaitDstStageMask = &stages;
    EXPECT_EQ(vkQueueSubmit(queues[1], 1, &wait, VK_NULL_HANDLE), VK_ERROR_DEVICE_LOST);
    EXPECT_EQ(mock.Calls("vkQueueSubmit"), 3u) << "what waits is not given any more";
    mock.OpenGate(VK_NULL_HANDLE);
    mock.ClearFailures();
    // The driver's device is not lost: what it got before must have ended.
    mock.WaitCompleted(queues[0], mock.Submitted(queues[0]));
    vkDestroySemaphore(made, semaphore, nullptr);
    vkDestroyDevice(made, nullptr);
}

TEST_F(SubmitsTest, AnExtensionThatTheBuildDoesNotKnow) {
    mock.Use(R"({"devices": [{"addExtensions": ["VK_KHR_not_yet"]}]})");
    layered::ScratchFile log;
    Start(With(kHeld, {{"log_file", log.path()}, {"log_level", "info"}}), {"VK_KHR_not_yet"});
    for (uint64_t i = 1; i <= 4; ++i) {
        EXPECT_EQ(device->Submit(Recorded()), VK_SUCCESS);
        EXPECT_EQ(mock.Calls("vkQueueSubmit"), i) << "nothing is held";
    }
    std::ifstream in(log.path());
    const std::string told(std::istreambuf_iterator<char>(in), {});
    EXPECT_NE(told.find("VK_KHR_not_yet is not known to this build"), std::string::npos) << told;
}

TEST_F(SubmitsTest, WsiSwapchain) {
    Start(kHeld, {VK_KHR_SWAPCHAIN_EXTENSION_NAME});
    uint32_t index = 0;
    Hold();
    // There is no window: what counts is what the driver was given before it was asked.
    mock.Fail("vkAcquireNextImageKHR", 1, VK_ERROR_SURFACE_LOST_KHR);
    EXPECT_EQ(device->Get<PFN_vkAcquireNextImageKHR>("vkAcquireNextImageKHR")(device->handle, VK_NULL_HANDLE, 0,
                                                                              VK_NULL_HANDLE, VK_NULL_HANDLE, &index),
              VK_ERROR_SURFACE_LOST_KHR);
    EXPECT_EQ(Given(), 1u);
    EXPECT_EQ(device->Submit(Recorded()), VK_SUCCESS);
    EXPECT_EQ(Given(), 1u);
    const VkAcquireNextImageInfoKHR info = {
        VK_STRUCTURE_TYPE_ACQUIRE_NEXT_IMAGE_INFO_KHR, nullptr, VK_NULL_HANDLE, 0, VK_NULL_HANDLE, VK_NULL_HANDLE, 1};
    mock.Fail("vkAcquireNextImage2KHR", 1, VK_ERROR_SURFACE_LOST_KHR);
    EXPECT_EQ(device->Get<PFN_vkAcquireNextImage2KHR>("vkAcquireNextImage2KHR")(device->handle, &info, &index),
              VK_ERROR_SURFACE_LOST_KHR);
    EXPECT_EQ(Given(), 2u);
    EXPECT_EQ(device->Submit(Recorded()), VK_SUCCESS);
    EXPECT_EQ(Given(), 2u);
    const VkSwapchainKHR none = VK_NULL_HANDLE;
    const VkPresentInfoKHR present = {
        VK_STRUCTURE_TYPE_PRESENT_INFO_KHR, nullptr, 0, nullptr, 1, &none, &index, nullptr};
    mock.Fail("vkQueuePresentKHR", 1, VK_ERROR_SURFACE_LOST_KHR);
    EXPECT_EQ(device->Get<PFN_vkQueuePresentKHR>("vkQueuePresentKHR")(device->queue, &present),
              VK_ERROR_SURFACE_LOST_KHR);
    EXPECT_EQ(Given(), 3u);
    EXPECT_EQ(Did(Ended(), "flushes_present"), 3u);
}

TEST_F(SubmitsTest, ImportingSemaphorePayloads) {
    mock.Use(R"({"devices": [{"addExtensions": ["VK_KHR_external_semaphore_fd"]}]})");
    Start(kHeld, {"VK_KHR_external_semaphore_fd"});
    const VkSemaphore semaphore = MakeSemaphore(false);
    Hold();
    const VkImportSemaphoreFdInfoKHR info = {VK_STRUCTURE_TYPE_IMPORT_SEMAPHORE_FD_INFO_KHR,  nullptr, semaphore, 0,
                                             VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_OPAQUE_FD_BIT, -1};
    EXPECT_EQ(device->Get<PFN_vkImportSemaphoreFdKHR>("vkImportSemaphoreFdKHR")(device->handle, &info), VK_SUCCESS);
    EXPECT_EQ(Given(), 1u);
    const VkCommandBuffer buffer = Recorded();
    VkSubmitInfo submit = {};
    submit.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO;
    submit.commandBufferCount = submit.signalSemaphoreCount = 1;
    submit.pCommandBuffers = &buffer;
    submit.pSignalSemaphores = &semaphore;
    EXPECT_EQ(vkQueueSubmit(device->queue, 1, &submit, VK_NULL_HANDLE), VK_SUCCESS);
    EXPECT_EQ(Given(), 2u) << "others may wait for it from now on";
}

TEST_F(SubmitsTest, TheFlusherFollowsTheQueue) {
    Start();
    Hold();
    EXPECT_EQ(device->Submit(Recorded()), VK_SUCCESS);
    // The program calls nothing: there is room, and the rest comes by itself.
    mock.LetThrough(device->queue, 1);
    while (Given() == 0) std::this_thread::yield();
    mock.LetThrough(device->queue, 2);
    mock.WaitCompleted(device->queue, 3);
    EXPECT_EQ(Did(Ended(), "flushes_room"), 1u);
}

TEST_F(SubmitsTest, NothingIsHeldForLongerThanAllowed) {
    Start(With(kHeld, {{"submit_hold", "1000"}}));
    // Not by Hold: on a busy machine the deadline may have passed before it looks.
    for (int i = 0; i < 3; ++i) EXPECT_EQ(device->Submit(Recorded()), VK_SUCCESS);
    while (mock.Calls("vkQueueSubmit") < 3) std::this_thread::yield();
    EXPECT_EQ(mock.Completed(device->queue), 0u);
    EXPECT_EQ(Did(Ended(), "flushes_deadline"), 1u);
}

TEST_F(SubmitsTest, NoMoreIsHeldThanAllowed) {
    Start(With(kHeld, {{"submit_batch", "4"}}));
    Hold();
    for (int i = 0; i < 2; ++i) EXPECT_EQ(device->Submit(Recorded()), VK_SUCCESS);
    EXPECT_EQ(Given(), 0u);
    EXPECT_EQ(device->Submit(Recorded()), VK_SUCCESS);
    EXPECT_EQ(Given(), 1u);
    EXPECT_EQ(Did(Ended(), "flushes_full"), 1u);
}

TEST_F(SubmitsTest, AutomaticHoldsNothingWhileItMeasures) {
    Start(With(kHeld, {{"submits", "auto"}}));
    for (int i = 0; i < 8; ++i) EXPECT_EQ(device->Submit(VK_NULL_HANDLE), VK_SUCCESS);
    const nlohmann::json summary = Ended();
    EXPECT_EQ(Did(summary, "submits_held"), 0u);
    EXPECT_EQ(Did(summary, "submits_cheap") + Did(summary, "submits_through") + Did(summary, "submits_no_gain"), 8u);
}

TEST_F(SubmitsTest, AutomaticLeavesProcessorsAlone) {
    mock.Use(R"({"devices": [{"type": "cpu"}]})");
    Start(With(kHeld, {{"submits", "auto"}}));
    for (int i = 0; i < 5; ++i) EXPECT_EQ(device->Submit(Recorded()), VK_SUCCESS);
    EXPECT_EQ(mock.Calls("vkQueueSubmit"), 5u);
    EXPECT_EQ(mock.Calls("vkCreateSemaphore"), 0u);
}

}  // namespace
