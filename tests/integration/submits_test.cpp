// SPDX-License-Identifier: Apache-2.0
// Submissions that are held: what flushes them, what is never held, and what fences say meanwhile. One test for each
// row of the flush table, named after the section of the specification where there is one.
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <optional>

#include "layered.h"

namespace {

using layered::Asked;
using layered::Device;
using layered::Did;
using layered::Driver;
using layered::Instance;
using layered::SettingMap;
using layered::When;

// Held for longer than any test takes, unless something flushes it.
const SettingMap kHeld = {{"submits", "busy"},
                          {"virtual_fences", "on"},
                          {"submit_hold", "10000000"},
                          {"recycle_fences", "on"},
                          {"waits", "on"}};

SettingMap With(SettingMap settings, const SettingMap& more) {
    for (const auto& [key, value] : more) settings[key] = value;
    return settings;
}

class SubmitsTest : public layered::LayerTest {
  protected:
    ~SubmitsTest() override {
        if (device) End();
    }
    // Its queue does not begin what it is given until the gate opens.
    void Start(const SettingMap& settings = kHeld, const std::vector<const char*>& extensions = {},
               const void* next = nullptr) {
        instance.emplace(true, ToFile(settings));
        device.emplace(*instance, extensions, next);
        ASSERT_EQ(device->result, VK_SUCCESS);
        mock.CloseGate(device->queue);
    }
    VkCommandBuffer Recorded(uint32_t dispatches = 1) {
        const VkCommandBuffer buffer = device->MakeBuffer();
        Device::Record(buffer, dispatches);
        return buffer;
    }
    VkFence Fence(bool signaled = false) {
        fences.push_back(device->MakeFence(signaled));
        return fences.back();
    }
    VkSemaphore MakeSemaphore(bool timeline, const void* next = nullptr) {
        VkSemaphoreTypeCreateInfo type = {};
        type.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO;
        type.semaphoreType = timeline ? VK_SEMAPHORE_TYPE_TIMELINE : VK_SEMAPHORE_TYPE_BINARY;
        type.pNext = next;
        const VkSemaphoreCreateInfo info = {VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO, &type, 0};
        VkSemaphore made = VK_NULL_HANDLE;
        EXPECT_EQ(vkCreateSemaphore(device->handle, &info, nullptr, &made), VK_SUCCESS);
        semaphores.push_back(made);
        return made;
    }
    // Two calls of the driver that do not end, and one submission that is held for it.
    void Hold(VkFence fence = VK_NULL_HANDLE) {
        for (int i = 0; i < 2; ++i) EXPECT_EQ(device->Submit(Recorded()), VK_SUCCESS);
        calls = mock.Calls("vkQueueSubmit");
        EXPECT_EQ(device->Submit(Recorded(), fence), VK_SUCCESS);
        EXPECT_EQ(Given(), 0u) << "it is held";
    }
    // Calls since Hold.
    uint64_t Given() { return mock.Calls("vkQueueSubmit") - calls; }
    void End() {
        mock.OpenGate(VK_NULL_HANDLE);
        vkDeviceWaitIdle(device->handle);
        for (const VkFence fence : fences) vkDestroyFence(device->handle, fence, nullptr);
        for (const VkSemaphore semaphore : semaphores) vkDestroySemaphore(device->handle, semaphore, nullptr);
        device->Destroy();
        device.reset();
        instance.reset();
    }
    nlohmann::json Ended() {
        End();
        return Summary();
    }

    std::optional<Instance> instance;
    std::optional<Device> device;
    std::vector<VkFence> fences;
    std::vector<VkSemaphore> semaphores;
    uint64_t calls = 0;
};

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

TEST_F(SubmitsTest, FencesThatMayBeSharedAreTheDrivers) {
    Start();
    const VkExportFenceCreateInfo shared = {VK_STRUCTURE_TYPE_EXPORT_FENCE_CREATE_INFO, nullptr,
                                            VK_EXTERNAL_FENCE_HANDLE_TYPE_OPAQUE_FD_BIT};
    const VkFence fence = device->MakeFence(false, &shared);
    fences.push_back(fence);
    Hold();
    EXPECT_EQ(device->Submit(Recorded(), fence), VK_SUCCESS);
    EXPECT_EQ(Given(), 1u);
    mock.OpenGate(device->queue);
    EXPECT_EQ(vkWaitForFences(device->handle, 1, &fence, VK_TRUE, UINT64_MAX), VK_SUCCESS);
    const nlohmann::json summary = Ended();
    EXPECT_EQ(Did(summary, "flushes_fence"), 1u);
    EXPECT_EQ(Did(summary, "fences_virtual"), 0u);
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
    Hold();
    while (Given() == 0) std::this_thread::yield();
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

TEST_F(SubmitsTest, WhatIsHeldIsDoneBeforeTheDeviceEnds) {
    Start();
    Hold();
    mock.OpenGate(device->queue);
    // Not a valid program: it must wait. But what it was promised is given.
    EXPECT_EQ(vkDeviceWaitIdle(device->handle), VK_SUCCESS);
    EXPECT_EQ(mock.Submitted(device->queue), 3u);
}

TEST_F(SubmitsTest, AFenceIsWhatItWasCreatedAsAndResetAndUsedAgain) {
    Start();
    mock.OpenGate(device->queue);
    const VkFence fence = Fence(true);
    for (int i = 0; i < 5; ++i) {
        EXPECT_EQ(vkGetFenceStatus(device->handle, fence), VK_SUCCESS);
        EXPECT_EQ(vkResetFences(device->handle, 1, &fence), VK_SUCCESS);
        EXPECT_EQ(vkGetFenceStatus(device->handle, fence), VK_NOT_READY);
        EXPECT_EQ(device->Submit(Recorded(), fence), VK_SUCCESS);
        EXPECT_EQ(vkWaitForFences(device->handle, 1, &fence, VK_TRUE, UINT64_MAX), VK_SUCCESS);
    }
    EXPECT_EQ(mock.Calls("vkResetFences"), 1u) << "the driver's was signaled once, by its creation";
    const nlohmann::json summary = Ended();
    EXPECT_EQ(Asked(summary, "fence_resets"), 5u);
    EXPECT_EQ(Driver(summary, "fence_resets"), 1u);
}

TEST_F(SubmitsTest, ManyFencesAreResetEachAsItIs) {
    Start();
    mock.OpenGate(device->queue);
    std::vector<VkFence> all;
    for (int i = 0; i < 6; ++i) all.push_back(Fence(i % 2 == 0));
    for (int i = 1; i < 6; i += 2) EXPECT_EQ(device->Submit(Recorded(), all[static_cast<size_t>(i)]), VK_SUCCESS);
    EXPECT_EQ(vkWaitForFences(device->handle, 6, all.data(), VK_TRUE, UINT64_MAX), VK_SUCCESS);
    EXPECT_EQ(vkResetFences(device->handle, 6, all.data()), VK_SUCCESS);
    for (const VkFence fence : all) EXPECT_EQ(vkGetFenceStatus(device->handle, fence), VK_NOT_READY);
    const nlohmann::json summary = Ended();
    EXPECT_EQ(Driver(summary, "fence_resets"), 3u);
}

TEST_F(SubmitsTest, AVirtualFenceIsRecycledAsOneThatIsNotSignaled) {
    Start();
    mock.OpenGate(device->queue);
    const VkFence fence = device->MakeFence();
    EXPECT_EQ(device->Submit(Recorded(), fence), VK_SUCCESS);
    EXPECT_EQ(vkWaitForFences(device->handle, 1, &fence, VK_TRUE, UINT64_MAX), VK_SUCCESS);
    vkDestroyFence(device->handle, fence, nullptr);
    const VkFence again = Fence();
    EXPECT_EQ(again, fence);
    EXPECT_EQ(mock.Calls("vkResetFences"), 0u);
    EXPECT_EQ(vkGetFenceStatus(device->handle, again), VK_NOT_READY);
    EXPECT_EQ(device->Submit(Recorded(), again), VK_SUCCESS);
    EXPECT_EQ(vkWaitForFences(device->handle, 1, &again, VK_TRUE, UINT64_MAX), VK_SUCCESS);
}

// Fences of the driver and of timelines together, with and without spinning.
class MixedFencesTest : public SubmitsTest, public ::testing::WithParamInterface<const char*> {
  protected:
    // One real, one virtual, both of work that has not begun.
    void Begin() {
        Start(With(kHeld, {{"waits", GetParam()}, {"wait_spin", "20"}}));
        const VkExportFenceCreateInfo shared = {VK_STRUCTURE_TYPE_EXPORT_FENCE_CREATE_INFO, nullptr,
                                                VK_EXTERNAL_FENCE_HANDLE_TYPE_OPAQUE_FD_BIT};
        both[0] = device->MakeFence(false, &shared);
        fences.push_back(both[0]);
        both[1] = Fence();
        EXPECT_EQ(device->Submit(Recorded(), both[0]), VK_SUCCESS);
        EXPECT_EQ(device->Submit(Recorded(), both[1]), VK_SUCCESS);
    }
    VkResult Wait(bool all, uint64_t timeout_ns) const {
        return vkWaitForFences(device->handle, 2, both, all, timeout_ns);
    }
    VkFence both[2] = {};
};
INSTANTIATE_TEST_SUITE_P(Waits, MixedFencesTest, ::testing::Values("on", "off"));

TEST_P(MixedFencesTest, Any) {
    Begin();
    EXPECT_EQ(Wait(false, 0), VK_TIMEOUT);
    EXPECT_EQ(Wait(false, 3'000'000), VK_TIMEOUT);
    mock.LetThrough(device->queue, 1);
    EXPECT_EQ(Wait(false, UINT64_MAX), VK_SUCCESS);
    EXPECT_EQ(vkGetFenceStatus(device->handle, both[0]), VK_SUCCESS);
    EXPECT_EQ(vkGetFenceStatus(device->handle, both[1]), VK_NOT_READY);
}

TEST_P(MixedFencesTest, AnyWhereTheTimelinesIsFirst) {
    Begin();
    mock.LetThrough(device->queue, 2);
    mock.WaitCompleted(device->queue, 2);
    EXPECT_EQ(vkResetFences(device->handle, 1, &both[0]), VK_SUCCESS);
    EXPECT_EQ(Wait(false, UINT64_MAX), VK_SUCCESS);
    EXPECT_EQ(Wait(true, 2'000'000), VK_TIMEOUT);
}

TEST_P(MixedFencesTest, All) {
    Begin();
    mock.LetThrough(device->queue, 1);
    EXPECT_EQ(Wait(true, 3'000'000), VK_TIMEOUT);
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(Wait(true, 2'000'000), VK_TIMEOUT);
    EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(2));
    mock.OpenGate(device->queue);
    EXPECT_EQ(Wait(true, UINT64_MAX), VK_SUCCESS);
}

TEST_P(MixedFencesTest, MoreThanAreLookedAt) {
    Begin();
    std::vector<VkFence> all(both, both + 2);
    for (int i = 0; i < 40; ++i) {
        all.push_back(Fence());
        EXPECT_EQ(device->Submit(Recorded(), all.back()), VK_SUCCESS);
    }
    const auto count = static_cast<uint32_t>(all.size());
    EXPECT_EQ(vkWaitForFences(device->handle, count, all.data(), VK_FALSE, 1'000'000), VK_TIMEOUT);
    mock.OpenGate(device->queue);
    EXPECT_EQ(vkWaitForFences(device->handle, count, all.data(), VK_TRUE, UINT64_MAX), VK_SUCCESS);
    EXPECT_EQ(vkWaitForFences(device->handle, count, all.data(), VK_FALSE, 0), VK_SUCCESS);
}

TEST_P(MixedFencesTest, ALostDevice) {
    Begin();
    mock.LoseDevice(device->handle);
    EXPECT_EQ(Wait(true, UINT64_MAX), VK_ERROR_DEVICE_LOST);
    EXPECT_EQ(Wait(false, UINT64_MAX), VK_ERROR_DEVICE_LOST);
    EXPECT_EQ(vkGetFenceStatus(device->handle, both[1]), VK_ERROR_DEVICE_LOST);
}

// Waiting for a fence that another thread has yet to submit; not a valid program, but drivers let it live.
TEST_P(MixedFencesTest, OneThatIsSubmittedMeanwhile) {
    Begin();
    mock.OpenGate(device->queue);
    EXPECT_EQ(Wait(true, UINT64_MAX), VK_SUCCESS);
    const VkFence later = Fence();
    const VkCommandBuffer buffer = Recorded();
    const When submitted(mock, "vkGetFenceStatus", 1, [&] { device->Submit(buffer, later); });
    EXPECT_EQ(vkWaitForFences(device->handle, 1, &later, VK_TRUE, UINT64_MAX), VK_SUCCESS);
}

TEST_F(SubmitsTest, LostDeviceWhileSomethingIsHeld) {
    Start();
    const VkFence fence = Fence();
    Hold(fence);
    mock.Fail("vkQueueSubmit", 0, VK_ERROR_OUT_OF_DEVICE_MEMORY);
    EXPECT_EQ(vkWaitForFences(device->handle, 1, &fence, VK_TRUE, UINT64_MAX), VK_ERROR_DEVICE_LOST);
    mock.ClearFailures();
    EXPECT_EQ(vkGetFenceStatus(device->handle, fence), VK_ERROR_DEVICE_LOST);
    EXPECT_EQ(device->Submit(Recorded()), VK_ERROR_DEVICE_LOST);
    EXPECT_EQ(vkQueueWaitIdle(device->queue), VK_ERROR_DEVICE_LOST);
    EXPECT_EQ(vkDeviceWaitIdle(device->handle), VK_ERROR_DEVICE_LOST);
    mock.OpenGate(device->queue);
    mock.WaitCompleted(device->queue, 2);
}

TEST_F(SubmitsTest, NoMemoryOnceIsNoticedByNobody) {
    Start();
    const VkFence fence = Fence();
    Hold(fence);
    mock.Fail("vkQueueSubmit", 1, VK_ERROR_OUT_OF_HOST_MEMORY);
    mock.OpenGate(device->queue);
    EXPECT_EQ(vkWaitForFences(device->handle, 1, &fence, VK_TRUE, UINT64_MAX), VK_SUCCESS);
    EXPECT_EQ(Given(), 2u);
}

TEST_F(SubmitsTest, WithoutTimelineSemaphoresNothingIsHeld) {
    mock.Use(R"({"devices": [{"features": {"timelineSemaphore": false}}]})");
    Start();
    for (int i = 0; i < 5; ++i) EXPECT_EQ(device->Submit(Recorded()), VK_SUCCESS);
    EXPECT_EQ(mock.Calls("vkQueueSubmit"), 5u);
}

TEST_F(SubmitsTest, ADeviceThatCannotBeCreatedWithThemIsCreatedWithout) {
    mock.Fail("vkCreateDevice", 1, VK_ERROR_FEATURE_NOT_PRESENT);
    Start();
    for (int i = 0; i < 5; ++i) EXPECT_EQ(device->Submit(Recorded()), VK_SUCCESS);
    EXPECT_EQ(mock.Calls("vkQueueSubmit"), 5u);
    EXPECT_EQ(mock.Calls("vkCreateDevice"), 2u);
}

TEST_F(SubmitsTest, ATimelineThatCannotBeHadLeavesItsQueueAlone) {
    mock.Fail("vkCreateSemaphore", 1, VK_ERROR_OUT_OF_HOST_MEMORY);
    Start();
    for (int i = 0; i < 5; ++i) EXPECT_EQ(device->Submit(Recorded(), Fence()), VK_SUCCESS);
    EXPECT_EQ(mock.Calls("vkQueueSubmit"), 5u);
}

TEST_F(SubmitsTest, AProgramOfVulkanOneDotOneGetsTheExtension) {
    instance.emplace(true, ToFile(kHeld), VK_API_VERSION_1_1);
    device.emplace(*instance);
    ASSERT_EQ(device->result, VK_SUCCESS);
    mock.CloseGate(device->queue);
    Hold();
    mock.OpenGate(device->queue);
    EXPECT_EQ(vkQueueWaitIdle(device->queue), VK_SUCCESS);
    EXPECT_EQ(Given(), 1u);
}

TEST_F(SubmitsTest, AutomaticLeavesAFastDriverAlone) {
    Start(With(kHeld, {{"submits", "auto"}}));
    mock.OpenGate(device->queue);
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

TEST_F(SubmitsTest, LostDeviceInASubmission) {
    Start(With(kHeld, {{"submit_batch", "2"}}));
    const VkSemaphore semaphore = MakeSemaphore(true);
    Hold();
    mock.Fail("vkQueueSubmit", 0, VK_ERROR_OUT_OF_HOST_MEMORY);
    EXPECT_EQ(device->Submit(Recorded()), VK_ERROR_DEVICE_LOST) << "what was held cannot be given";
    mock.ClearFailures();
    const uint64_t value = 1;
    const VkSemaphoreWaitInfo info = {VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO, nullptr, 0, 1, &semaphore, &value};
    EXPECT_EQ(vkWaitSemaphores(device->handle, &info, UINT64_MAX), VK_ERROR_DEVICE_LOST) << "and nobody waits for it";
    mock.OpenGate(device->queue);
    mock.WaitCompleted(device->queue, 2);
}

TEST_F(SubmitsTest, LostDeviceWhileAnotherThreadWaits) {
    Start(With(kHeld, {{"submit_hold", "30000"}, {"waits", "off"}}));
    const VkSemaphore semaphore = MakeSemaphore(true);
    // Waits in the driver; what would signal the semaphore is held afterwards, and the flusher loses it.
    const VkCommandBuffer buffers[] = {Recorded(), Recorded(), Recorded()};
    const When held(mock, "vkWaitSemaphores", 1, [&] {
        for (const VkCommandBuffer buffer : buffers) device->Submit(buffer);
        mock.Fail("vkQueueSubmit", 0, VK_ERROR_OUT_OF_HOST_MEMORY);
    });
    const uint64_t value = 1;
    const VkSemaphoreWaitInfo info = {VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO, nullptr, 0, 1, &semaphore, &value};
    EXPECT_EQ(vkWaitSemaphores(device->handle, &info, UINT64_MAX), VK_ERROR_DEVICE_LOST);
    mock.ClearFailures();
    mock.OpenGate(device->queue);
    mock.WaitCompleted(device->queue, 2);
}

TEST_F(SubmitsTest, ImportingFencePayloads) {
    mock.Use(R"({"devices": [{"addExtensions": ["VK_KHR_external_fence_fd"]}]})");
    Start(kHeld, {"VK_KHR_external_fence_fd"});
    mock.OpenGate(device->queue);
    const VkFence fence = Fence();
    EXPECT_EQ(device->Submit(Recorded(), fence), VK_SUCCESS);
    EXPECT_EQ(vkWaitForFences(device->handle, 1, &fence, VK_TRUE, UINT64_MAX), VK_SUCCESS);
    const auto import = device->Get<PFN_vkImportFenceFdKHR>("vkImportFenceFdKHR");
    ASSERT_TRUE(import);
    const VkImportFenceFdInfoKHR info = {VK_STRUCTURE_TYPE_IMPORT_FENCE_FD_INFO_KHR,  nullptr, fence, 0,
                                         VK_EXTERNAL_FENCE_HANDLE_TYPE_OPAQUE_FD_BIT, -1};
    mock.Fail("vkImportFenceFdKHR", 1, VK_ERROR_INVALID_EXTERNAL_HANDLE);
    EXPECT_EQ(import(device->handle, &info), VK_ERROR_INVALID_EXTERNAL_HANDLE);
    EXPECT_EQ(vkGetFenceStatus(device->handle, fence), VK_SUCCESS) << "it is as it was";
    EXPECT_EQ(import(device->handle, &info), VK_SUCCESS);
    EXPECT_EQ(vkGetFenceStatus(device->handle, fence), VK_NOT_READY) << "the driver's, which is another now";
}

TEST_F(SubmitsTest, HostMemory) {
    const VkAllocationCallbacks allocator = {
        nullptr,
        [](void*, size_t size, size_t alignment, VkSystemAllocationScope) {
            return std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
        },
        [](void*, void* memory, size_t size, size_t, VkSystemAllocationScope) { return std::realloc(memory, size); },
        [](void*, void* memory) { std::free(memory); },
        nullptr,
        nullptr};
    instance.emplace(true, ToFile(kHeld));
    const float priority = 1;
    const VkDeviceQueueCreateInfo queue_info = {
        VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO, nullptr, 0, 0, 1, &priority};
    VkDeviceCreateInfo info = {};
    info.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO;
    info.queueCreateInfoCount = 1;
    info.pQueueCreateInfos = &queue_info;
    VkDevice made = VK_NULL_HANDLE;
    ASSERT_EQ(vkCreateDevice(instance->Physical(), &info, &allocator, &made), VK_SUCCESS);
    VkQueue queue = VK_NULL_HANDLE;
    vkGetDeviceQueue(made, 0, 0, &queue);
    mock.CloseGate(queue);
    for (int i = 0; i < 5; ++i) EXPECT_EQ(vkQueueSubmit(queue, 0, nullptr, VK_NULL_HANDLE), VK_SUCCESS);
    EXPECT_EQ(mock.Calls("vkCreateSemaphore"), 0u) << "no thread but the program's may call its allocator";
    mock.OpenGate(queue);
    EXPECT_EQ(vkDeviceWaitIdle(made), VK_SUCCESS);
    vkDestroyDevice(made, &allocator);
}

// A real fence may be signaled after the timeline: who waits for the queue must find it signaled.
TEST_F(SubmitsTest, WaitingOnAQueueIsWaitingForItsFences) {
    Start(With(kHeld, {{"virtual_fences", "off"}}));
    mock.OpenGate(device->queue);
    const uint64_t fences_before = mock.Calls("vkCreateFence");
    EXPECT_EQ(device->Submit(Recorded(), Fence()), VK_SUCCESS);
    EXPECT_EQ(vkQueueWaitIdle(device->queue), VK_SUCCESS);
    EXPECT_EQ(vkGetFenceStatus(device->handle, fences.back()), VK_SUCCESS);
    EXPECT_GT(mock.Calls("vkQueueWaitIdle") + mock.Calls("vkCreateFence"), fences_before + 1)
        << "by the driver, or by a fence behind it";
}

// The sanitizers' allocators and threads are not made for a child that goes on: exit_test.py has what they can do.
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define FORKS false
#else
#define FORKS true
#endif

TEST_F(SubmitsTest, AChildOfForkMayDestroyWhatItInherits) {
    if (!FORKS) GTEST_SKIP();
    Start();
    Hold();
    EXPECT_EQ(vkGetFenceStatus(device->handle, Fence()), VK_NOT_READY);
    const pid_t child = fork();
    if (child == 0) {
        vkDestroyDevice(device->handle, nullptr);
        _exit(0);
    }
    int status = -1;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

TEST_F(SubmitsTest, AChildOfForkHoldsNothing) {
    if (!FORKS) GTEST_SKIP();
    Start();
    const VkFence fence = Fence();
    Hold(fence);
    const pid_t child = fork();
    if (child == 0) {
        // It has no thread that would flush, and what the parent holds is the parent's.
        const VkResult status = vkGetFenceStatus(device->handle, fence);
        _exit(status == VK_NOT_READY && Given() == 0 ? 0 : 1);
    }
    int status = -1;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
    mock.OpenGate(device->queue);
    EXPECT_EQ(vkQueueWaitIdle(device->queue), VK_SUCCESS);
    EXPECT_EQ(Given(), 1u);
}

}  // namespace
