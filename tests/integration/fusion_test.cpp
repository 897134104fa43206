// SPDX-License-Identifier: Apache-2.0
// Short command buffers that the driver gets as one: which, what it does, and what stays as it is.
#include <atomic>
#include <chrono>
#include <set>
#include <thread>

#include "fusion_fixture.h"

namespace {

using layered::Asked;
using layered::Device;
using layered::Did;
using layered::Driver;
using layered::FusionTest;
using layered::kFused;
using layered::SettingMap;
using layered::With;

TEST_F(FusionTest, ShortCommandBuffersBecomeOne) {
    StartFused();
    const std::vector<VkCommandBuffer> buffers = NumberedTo(5);
    SubmitEach(buffers);
    const std::vector<Ran> done = Done();
    EXPECT_EQ(InOrder(done, 5), 1u);
    for (const VkCommandBuffer buffer : buffers) EXPECT_NE(buffer, done[0].in);
    const nlohmann::json summary = Ended();
    EXPECT_EQ(Did(summary, "buffers_fused"), 5u);
    EXPECT_EQ(Did(summary, "fusions_recorded"), 1u);
    EXPECT_EQ(Asked(summary, "command_buffers"), 5u);
    EXPECT_EQ(Driver(summary, "command_buffers"), 1u);
    EXPECT_EQ(Asked(summary, "dispatches"), 5u);
    EXPECT_EQ(Driver(summary, "dispatches"), 10u) << "recorded once more";
    EXPECT_EQ(Driver(summary, "recordings"), 6u);
}

TEST_F(FusionTest, OfTheSecondFormToo) {
    VkPhysicalDeviceSynchronization2Features features = layered::Synchronization2();
    Watch();
    Start(kFused, {}, &features);
    mock.OpenGate(device->queue);
    const std::vector<VkCommandBuffer> buffers = NumberedTo(4);
    std::vector<VkCommandBufferSubmitInfo> infos;
    for (const VkCommandBuffer buffer : buffers)
        infos.push_back({VK_STRUCTURE_TYPE_COMMAND_BUFFER_SUBMIT_INFO, nullptr, buffer, 1});
    for (int half = 0; half < 2; ++half) {
        VkSubmitInfo2 info = {};
        info.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO_2;
        info.commandBufferInfoCount = 2;
        info.pCommandBufferInfos = infos.data() + 2 * half;
        EXPECT_EQ(vkQueueSubmit2(device->queue, 1, &info, VK_NULL_HANDLE), VK_SUCCESS);
    }
    EXPECT_EQ(InOrder(Done(), 4), 1u);
    EXPECT_EQ(Did(Ended(), "buffers_fused"), 4u);
}

TEST_F(FusionTest, WhatTheProgramSubmitsTogetherToo) {
    StartFused({{"submits", "busy"}});
    const std::vector<VkCommandBuffer> buffers = NumberedTo(6);
    VkSubmitInfo infos[2] = {};
    for (int i = 0; i < 2; ++i) {
        infos[i].sType = VK_STRUCTURE_TYPE_SUBMIT_INFO;
        infos[i].commandBufferCount = 3;
        infos[i].pCommandBuffers = buffers.data() + 3 * i;
    }
    const VkSemaphore semaphore = MakeSemaphore(false);
    infos[0].signalSemaphoreCount = 1;
    infos[0].pSignalSemaphores = &semaphore;
    EXPECT_EQ(vkQueueSubmit(device->queue, 2, infos, VK_NULL_HANDLE), VK_SUCCESS);
    EXPECT_EQ(InOrder(Done(), 6), 2u) << "what signals between them keeps them apart";
    // The binary semaphore is waited for once, so that it may be destroyed.
    VkSubmitInfo last = {};
    const VkPipelineStageFlags stage = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
    last.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO;
    last.waitSemaphoreCount = 1;
    last.pWaitSemaphores = &semaphore;
    last.pWaitDstStageMask = &stage;
    EXPECT_EQ(vkQueueSubmit(device->queue, 1, &last, VK_NULL_HANDLE), VK_SUCCESS);
    EXPECT_EQ(Did(Ended(), "fusions_recorded"), 2u);
}

TEST_F(FusionTest, OneAloneStaysWhatItIs) {
    StartFused();
    const VkCommandBuffer buffer = Numbered(1);
    SubmitEach({buffer});
    EXPECT_EQ(Done().at(0).in, buffer);
    const nlohmann::json summary = Ended();
    EXPECT_EQ(Did(summary, "buffers_fused"), 0u);
    EXPECT_EQ(Did(summary, "fusions_unknown"), 0u);
}

TEST_F(FusionTest, WhatIsNotKnownStaysWhatItIsWhereItIs) {
    StartFused();
    VkQueryPoolCreateInfo query_info = {};
    query_info.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO;
    query_info.queryType = VK_QUERY_TYPE_OCCLUSION;
    query_info.queryCount = 1;
    VkQueryPool queries = VK_NULL_HANDLE;
    EXPECT_EQ(vkCreateQueryPool(device->handle, &query_info, nullptr, &queries), VK_SUCCESS);
    const VkEventCreateInfo event_info = {VK_STRUCTURE_TYPE_EVENT_CREATE_INFO, nullptr,
                                          VK_EVENT_CREATE_DEVICE_ONLY_BIT};
    VkEvent event = VK_NULL_HANDLE;
    EXPECT_EQ(vkCreateEvent(device->handle, &event_info, nullptr, &event), VK_SUCCESS);
    const VkCommandBuffer secondary = device->MakeBuffer(VK_NULL_HANDLE, VK_COMMAND_BUFFER_LEVEL_SECONDARY);
    Device::Record(secondary, 0);
    const std::vector<std::function<void(VkCommandBuffer)>> unknown = {
        [](VkCommandBuffer buffer) {
            for (int i = 0; i < 32; ++i) vkCmdPipelineBarrier(buffer, 1, 1, 0, 0, nullptr, 0, nullptr, 0, nullptr);
        },
        [&](VkCommandBuffer buffer) { vkCmdExecuteCommands(buffer, 1, &secondary); },
        [](VkCommandBuffer buffer) { vkCmdSetDeviceMask(buffer, 1); },
        [&](VkCommandBuffer buffer) { vkCmdSetEvent(buffer, event, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT); },
        [&](VkCommandBuffer buffer) {
            vkCmdResetQueryPool(buffer, queries, 0, 1);
            vkCmdBeginQuery(buffer, queries, 0, 0);
            vkCmdEndQuery(buffer, queries, 0);
        },
    };
    for (size_t i = 0; i < unknown.size(); ++i) {
        SCOPED_TRACE(i);
        std::vector<VkCommandBuffer> buffers = NumberedTo(2);
        buffers.push_back(device->MakeBuffer());
        Record(buffers.back(), 3, unknown[i]);
        buffers.push_back(Numbered(4));
        buffers.push_back(Numbered(5));
        SubmitEach(buffers);
        const std::vector<Ran> done = Done();
        EXPECT_EQ(InOrder(done, 5), 3u);
        EXPECT_EQ(done.at(2).in, buffers[2]);
    }
    vkDestroyEvent(device->handle, event, nullptr);
    vkDestroyQueryPool(device->handle, queries, nullptr);
    const nlohmann::json summary = Ended();
    EXPECT_EQ(Did(summary, "fusions_unknown"), unknown.size());
    EXPECT_EQ(Did(summary, "buffers_fused"), 4 * unknown.size());
}

// Section "Object Lifetime": a pipeline layout may be destroyed once no command buffer that uses it records.
TEST_F(FusionTest, ADestroyedPipelineLayoutIsNotUsedAgain) {
    StartFused();
    const VkPipelineLayout layout = MakeLayout();
    std::vector<VkCommandBuffer> buffers;
    for (uint32_t i = 1; i <= 2; ++i) buffers.push_back(Pushing(i, layout));
    vkDestroyPipelineLayout(device->handle, layout, nullptr);
    SubmitEach(buffers);
    EXPECT_EQ(InOrder(Done(), 2), 2u);
    SubmitEach(NumberedTo(2));
    EXPECT_EQ(InOrder(Done(), 2), 1u) << "what was begun after it";
    const nlohmann::json summary = Ended();
    EXPECT_EQ(Did(summary, "fusions_layouts"), 2u);
    EXPECT_EQ(Did(summary, "buffers_fused"), 2u);
}

TEST_F(FusionTest, WhatWasFusedBeforeNeedsNoPipelineLayout) {
    StartFused();
    const std::vector<VkCommandBuffer> buffers = NumberedTo(3);
    SubmitEach(buffers);
    EXPECT_EQ(InOrder(Done(), 3), 1u);
    vkDestroyPipelineLayout(device->handle, VK_NULL_HANDLE, nullptr);
    vkDestroyPipelineLayout(device->handle, MakeLayout(), nullptr);
    SubmitEach(buffers);
    EXPECT_EQ(InOrder(Done(), 3), 1u);
    // Beside those that began later they are two.
    SubmitEach({buffers[0], buffers[1], buffers[2], Numbered(4), Numbered(5)});
    EXPECT_EQ(InOrder(Done(), 5), 2u);
    const nlohmann::json summary = Ended();
    EXPECT_EQ(Did(summary, "fusions_again"), 2u);
    EXPECT_EQ(Did(summary, "fusions_layouts"), 0u);
}

// Sections "vkDestroyPipelineLayout" and "vkSetDebugUtilsObjectNameEXT": host access to the object is the program's to
// synchronize, which knows of no recording.
TEST_F(FusionTest, WhatNeedsAnObjectForItselfWaitsForTheRecording) {
    Watch();
    instance.emplace(true, ToFile(kFused), VK_API_VERSION_1_3,
                     std::vector<const char*>{VK_EXT_DEBUG_UTILS_EXTENSION_NAME});
    device.emplace(*instance);
    ASSERT_EQ(device->result, VK_SUCCESS);
    const VkPipelineLayout layout = MakeLayout();
    const auto set_name = device->Get<PFN_vkSetDebugUtilsObjectNameEXT>("vkSetDebugUtilsObjectNameEXT");
    ASSERT_TRUE(set_name);
    for (const bool destroys : {false, true}) {
        std::vector<VkCommandBuffer> buffers;
        for (uint32_t i = 1; i <= 2; ++i) buffers.push_back(Pushing(i, layout));
        SubmitEach(buffers);
        const char* command = destroys ? "vkDestroyPipelineLayout" : "vkSetDebugUtilsObjectNameEXT";
        const uint64_t before = mock.Calls(command);
        std::thread other;
        bool overtaken = false;
        mock.OnBegin([&](VkCommandBuffer) {
            other = std::thread([&] {
                VkDebugUtilsObjectNameInfoEXT info = {};
                info.sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_OBJECT_NAME_INFO_EXT;
                info.objectType = VK_OBJECT_TYPE_PIPELINE_LAYOUT;
                info.objectHandle = reinterpret_cast<uint64_t>(layout);
                info.pObjectName = "named";
                if (destroys)
                    vkDestroyPipelineLayout(device->handle, layout, nullptr);
                else
                    set_name(device->handle, &info);
            });
            // What must not happen gets a while to happen.
            const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(50);
            while (!overtaken && std::chrono::steady_clock::now() < until) {
                overtaken = mock.Calls(command) != before;
                std::this_thread::yield();
            }
        });
        EXPECT_EQ(InOrder(Done(), 2), 1u);
        mock.OnBegin(nullptr);
        ASSERT_TRUE(other.joinable());
        other.join();
        EXPECT_FALSE(overtaken) << command;
        EXPECT_EQ(mock.Calls(command), before + 1);
    }
}

TEST_F(FusionTest, WhatWouldCostMoreThanItGainsStaysWhatItIs) {
    StartFused();
    const auto record = [&](uint32_t number) {
        const VkCommandBuffer made = device->MakeBuffer();
        Record(made, number, [](VkCommandBuffer buffer) {
            for (int i = 0; i < 13; ++i) vkCmdPipelineBarrier(buffer, 1, 1, 0, 0, nullptr, 0, nullptr, 0, nullptr);
        });
        return made;
    };
    SubmitEach({record(1), record(2)});
    EXPECT_EQ(InOrder(Done(), 2), 2u);
    SubmitEach({record(1), record(2), record(3)});
    EXPECT_EQ(InOrder(Done(), 3), 1u);
    EXPECT_EQ(Did(Ended(), "fusions_dear"), 2u);
}

TEST_F(FusionTest, RepeatedStateIsLeftOutWhereThatIsWanted) {
    for (const char* drops : {"on", "off"}) {
        StartFused({{"drop_redundant", drops}, {"stats", "off"}});
        const VkPipelineLayout layout = MakeLayout();
        std::vector<VkCommandBuffer> buffers;
        for (uint32_t i = 1; i <= 3; ++i) {
            buffers.push_back(device->MakeBuffer());
            Record(buffers.back(), i, [&](VkCommandBuffer buffer) {
                const uint32_t value = 7;
                vkCmdPushConstants(buffer, layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, 4, &value);
            });
        }
        SubmitEach(buffers);
        const uint64_t before = mock.Calls("vkCmdPushConstants");
        EXPECT_EQ(InOrder(Done(), 3), 1u);
        EXPECT_EQ(mock.Calls("vkCmdPushConstants") - before, drops == std::string("on") ? 1u : 3u);
        vkDestroyPipelineLayout(device->handle, layout, nullptr);
        End();
    }
}

TEST_F(FusionTest, WhatBeginsOrWasMadeInItsOwnWayStaysWhatItIs) {
    StartFused();
    VkDeviceGroupCommandBufferBeginInfo group = {};
    group.sType = VK_STRUCTURE_TYPE_DEVICE_GROUP_COMMAND_BUFFER_BEGIN_INFO;
    group.deviceMask = 1;
    const VkCommandBufferBeginInfo begin = {VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO, &group, 0, nullptr};
    std::vector<VkCommandBuffer> buffers;
    for (uint32_t i = 1; i <= 2; ++i) {
        buffers.push_back(device->MakeBuffer());
        EXPECT_EQ(vkBeginCommandBuffer(buffers.back(), &begin), VK_SUCCESS);
        vkCmdDispatch(buffers.back(), i, 1, 1);
        EXPECT_EQ(vkEndCommandBuffer(buffers.back()), VK_SUCCESS);
    }
    SubmitEach(buffers);
    EXPECT_EQ(InOrder(Done(), 2), 2u);
    VkCommandPoolCreateInfo info = {};
    info.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO;
    info.flags = VK_COMMAND_POOL_CREATE_PROTECTED_BIT;
    VkCommandPool pool = VK_NULL_HANDLE;
    EXPECT_EQ(vkCreateCommandPool(device->handle, &info, nullptr, &pool), VK_SUCCESS);
    buffers = {device->MakeBuffer(pool), device->MakeBuffer(pool)};
    for (uint32_t i = 1; i <= 2; ++i) Record(buffers[i - 1], i, [](VkCommandBuffer) {});
    SubmitEach(buffers);
    EXPECT_EQ(InOrder(Done(), 2), 2u);
    vkDestroyCommandPool(device->handle, pool, nullptr);
    EXPECT_EQ(Did(Ended(), "buffers_fused"), 0u);
}

TEST_F(FusionTest, TheSameAgainIsNotRecordedAgain) {
    StartFused();
    const std::vector<VkCommandBuffer> buffers = NumberedTo(3);
    for (int i = 0; i < 4; ++i) {
        SubmitEach(buffers);
        EXPECT_EQ(InOrder(Done(), 3), 1u);
    }
    // One of them anew, another order, fewer: others.
    Record(buffers[1], 2, [](VkCommandBuffer) {});
    SubmitEach(buffers);
    EXPECT_EQ(InOrder(Done(), 3), 1u);
    SubmitEach({buffers[1], buffers[0], buffers[2]});
    const std::vector<Ran> done = Done();
    EXPECT_EQ(done.at(0).number, 2u);
    EXPECT_EQ(done.at(1).number, 1u);
    SubmitEach({buffers[0], buffers[1]});
    EXPECT_EQ(InOrder(Done(), 2), 1u);
    const nlohmann::json summary = Ended();
    EXPECT_EQ(Did(summary, "fusions_again"), 3u);
    EXPECT_EQ(Did(summary, "fusions_recorded"), 4u);
}

TEST_F(FusionTest, WhatIsSubmittedOnceIsNotKept) {
    StartFused();
    const std::vector<VkCommandBuffer> buffers = NumberedTo(3, VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT);
    for (int i = 0; i < 3; ++i) {
        SubmitEach(buffers);
        EXPECT_EQ(InOrder(Done(), 3), 1u);
        for (uint32_t number = 1; number <= 3; ++number)
            Record(
                buffers[number - 1], number, [](VkCommandBuffer) {}, VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT);
    }
    EXPECT_EQ(mock.Calls("vkAllocateCommandBuffers"), 4u) << "one of the layer's own serves all";
    const nlohmann::json summary = Ended();
    EXPECT_EQ(Did(summary, "fusions_again"), 0u);
    EXPECT_EQ(Did(summary, "fusions_recorded"), 3u);
}

// Where batches end depends on how fast the device is.
TEST_F(FusionTest, WhatComesAgainInOtherBatchesIsNotRecordedAgain) {
    constexpr uint32_t kCount = 100;
    StartFused({{"submit_batch", "256"}});
    const std::vector<VkCommandBuffer> buffers = NumberedTo(kCount);
    SubmitEach(buffers);
    const size_t pieces = InOrder(Done(), kCount);
    EXPECT_GT(pieces, 2u);
    EXPECT_LT(pieces, 6u);
    EXPECT_EQ(device->Submit(buffers[0]), VK_SUCCESS);
    EXPECT_EQ(Done().size(), 1u);
    SubmitEach({buffers.begin() + 1, buffers.end()});
    EXPECT_EQ(Done().size(), kCount - 1);
    const nlohmann::json summary = Ended();
    EXPECT_EQ(Did(summary, "fusions_recorded"), pieces + 1) << "but the first, which begins elsewhere";
    EXPECT_EQ(Did(summary, "fusions_again"), pieces - 1);
}

TEST_F(FusionTest, WhatIsSubmittedOnceIsNotCut) {
    StartFused({{"submit_batch", "256"}});
    SubmitEach(NumberedTo(100, VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT));
    EXPECT_EQ(InOrder(Done(), 100), 1u);
}

TEST_F(FusionTest, WhatIsPendingIsNotGivenAgain) {
    StartFused();
    const std::vector<VkCommandBuffer> buffers = NumberedTo(2, VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT);
    mock.CloseGate(device->queue);
    for (int i = 0; i < 3; ++i) {
        SubmitEach(buffers);
        // Flushes what is held.
        uint64_t value = 0;
        const VkSemaphore semaphore = MakeSemaphore(true);
        EXPECT_EQ(vkGetSemaphoreCounterValue(device->handle, semaphore, &value), VK_SUCCESS);
    }
    mock.OpenGate(device->queue);
    const std::vector<Ran> done = Done();
    ASSERT_EQ(done.size(), 6u);
    std::set<VkCommandBuffer> in;
    for (size_t i = 0; i < 6; ++i) {
        EXPECT_EQ(done[i].number, i % 2 + 1);
        in.insert(done[i].in);
    }
    EXPECT_EQ(in.size(), 3u);
    SubmitEach(buffers);
    InOrder(Done(), 2);
    const nlohmann::json summary = Ended();
    EXPECT_EQ(Did(summary, "fusions_recorded"), 3u);
    EXPECT_EQ(Did(summary, "fusions_again"), 1u);
}

TEST_F(FusionTest, WhenAllArePendingTheProgramsOwnAreGiven) {
    StartFused({{"submit_batch", "2"}});
    mock.CloseGate(device->queue);
    std::vector<VkCommandBuffer> buffers;
    for (uint32_t i = 0; i < 2 * 66; ++i) buffers.push_back(Numbered(i + 1));
    SubmitEach(buffers);
    mock.OpenGate(device->queue);
    EXPECT_EQ(InOrder(Done(), 2 * 66), 64u + 4u);
    // And when they are not any more, theirs are used again.
    SubmitEach({buffers[1], buffers[0]});
    EXPECT_EQ(Done().size(), 2u);
    const nlohmann::json summary = Ended();
    EXPECT_EQ(Did(summary, "fusions_full"), 2u);
    EXPECT_EQ(Did(summary, "fusions_recorded"), 65u);
}

TEST_F(FusionTest, WithoutMemoryForOneTheProgramsOwnAreGiven) {
    for (const char* command :
         {"vkCreateCommandPool", "vkAllocateCommandBuffers", "vkBeginCommandBuffer", "vkEndCommandBuffer"}) {
        SCOPED_TRACE(command);
        StartFused({{"stats", "off"}});
        const std::vector<VkCommandBuffer> buffers = NumberedTo(3);
        SubmitEach(buffers);
        mock.Fail(command, 1, VK_ERROR_OUT_OF_HOST_MEMORY);
        EXPECT_EQ(InOrder(Done(), 3), 3u);
        mock.ClearFailures();
        SubmitEach(buffers);
        EXPECT_EQ(InOrder(Done(), 3), 1u) << "the next time there is";
        End();
    }
}

TEST_F(FusionTest, WhatTheDriverCannotTakeGoesInPieces) {
    StartFused();
    const std::vector<VkCommandBuffer> buffers = NumberedTo(3);
    SubmitEach(buffers);
    mock.Fail("vkQueueSubmit", 1, VK_ERROR_OUT_OF_DEVICE_MEMORY);
    const std::vector<Ran> done = Done();
    EXPECT_EQ(InOrder(done, 3), 3u);
    for (size_t i = 0; i < 3; ++i) EXPECT_EQ(done[i].in, buffers[i]);
    mock.ClearFailures();
    SubmitEach(buffers);
    EXPECT_EQ(InOrder(Done(), 3), 1u);
    const nlohmann::json summary = Ended();
    EXPECT_EQ(Did(summary, "fusions_again"), 1u) << "what was not given is not pending";
    EXPECT_EQ(Did(summary, "buffers_fused"), 3u) << "nor counted";
}

TEST_F(FusionTest, ALostDeviceIsLost) {
    StartFused();
    SubmitEach(NumberedTo(3));
    mock.Fail("vkQueueSubmit", 1, VK_ERROR_DEVICE_LOST);
    EXPECT_EQ(vkQueueWaitIdle(device->queue), VK_ERROR_DEVICE_LOST);
    EXPECT_EQ(mock.Calls("vkAllocateCommandBuffers"), 4u) << "they were fused";
    mock.ClearFailures();
    device->Destroy();
    device.reset();
    instance.reset();
}

TEST_F(FusionTest, ManyThreadsWithQueuesOfTheirOwn) {
    constexpr uint32_t kQueues = 3;
    mock.Use(R"({"devices": [{"queueFamilies": [{"flags": ["compute", "transfer"], "count": 3}]}]})");
    std::atomic<uint32_t> dispatched{0};
    mock.OnDispatch([&](const MockDispatch&) { ++dispatched; });
    instance.emplace(true, ToFile(kFused));
    const float priorities[kQueues] = {1, 1, 1};
    const VkDeviceQueueCreateInfo queue_info = {
        VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO, nullptr, 0, 0, kQueues, priorities};
    VkDeviceCreateInfo info = {};
    info.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO;
    info.queueCreateInfoCount = 1;
    info.pQueueCreateInfos = &queue_info;
    VkDevice handle = VK_NULL_HANDLE;
    ASSERT_EQ(vkCreateDevice(instance->Physical(), &info, nullptr, &handle), VK_SUCCESS);
    std::vector<std::thread> threads;
    for (uint32_t i = 0; i < kQueues; ++i)
        threads.emplace_back([&, i] {
            VkQueue queue = VK_NULL_HANDLE;
            vkGetDeviceQueue(handle, 0, i, &queue);
            VkCommandPoolCreateInfo pool_info = {};
            pool_info.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO;
            pool_info.flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT;
            VkCommandPool pool = VK_NULL_HANDLE;
            EXPECT_EQ(vkCreateCommandPool(handle, &pool_info, nullptr, &pool), VK_SUCCESS);
            VkCommandBufferAllocateInfo allocate = {};
            allocate.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO;
            allocate.commandPool = pool;
            allocate.commandBufferCount = 8;
            VkCommandBuffer buffers[8] = {};
            EXPECT_EQ(vkAllocateCommandBuffers(handle, &allocate, buffers), VK_SUCCESS);
            for (int round = 0; round < 100; ++round) {
                for (const VkCommandBuffer buffer : buffers) {
                    if (round % 3 == 0) Device::Record(buffer, 1);
                    VkSubmitInfo submit = {};
                    submit.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO;
                    submit.commandBufferCount = 1;
                    submit.pCommandBuffers = &buffer;
                    EXPECT_EQ(vkQueueSubmit(queue, 1, &submit, VK_NULL_HANDLE), VK_SUCCESS);
                }
                EXPECT_EQ(vkQueueWaitIdle(queue), VK_SUCCESS);
            }
            vkDestroyCommandPool(handle, pool, nullptr);
        });
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(dispatched, kQueues * 100 * 8);
    vkDestroyDevice(handle, nullptr);
    instance.reset();
    EXPECT_GT(Did(Summary(), "buffers_fused"), 0u);
}

TEST_F(FusionTest, OffCommandBuffersStayWhatTheyAre) {
    for (const SettingMap& settings : {SettingMap{{"fusion", "off"}}, SettingMap{{"fusion", "auto"}},
                                       SettingMap{{"barriers", "off"}}, SettingMap{{"barriers", "observe"}}}) {
        StartFused(With(settings, {{"stats", "off"}}));
        SubmitEach(NumberedTo(3));
        EXPECT_EQ(InOrder(Done(), 3), 3u);
        End();
    }
}

TEST_F(FusionTest, AutomaticIsForNvidia) {
    mock.Use(R"({"devices": [{"vendorID": 4318}]})");
    StartFused({{"fusion", "auto"}});
    SubmitEach(NumberedTo(3));
    EXPECT_EQ(InOrder(Done(), 3), 1u);
}

}  // namespace
