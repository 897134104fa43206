// SPDX-License-Identifier: Apache-2.0
// Held submissions of devices that cannot have them, are lost, or are inherited by a child of fork.

#include <atomic>
#include <cstdlib>
#include <thread>

#include "../sanitizers/which.h"
#include "submits_fixture.h"

namespace {

using layered::kHeld;
using layered::SubmitsTest;
using layered::When;
using layered::With;

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

// A driver may keep a submission that waits in its call until what it waits for is signaled, as Mesa does for binary
// semaphores of threaded queues.
TEST_F(SubmitsTest, WhoSignalsDoesNotWaitForWhatWaitsForTheSignal) {
    for (const bool polls : {false, true}) {
        Start();
        const VkSemaphore semaphore = MakeSemaphore(true);
        Hold();
        std::atomic<int> submits{0};
        std::atomic<bool> about_to_signal{false}, signaled{false};
        mock.OnSubmit([&](VkQueue) {
            // The first is what was held: the other thread finds it held, and the queue's lock taken, or not held.
            if (++submits == 1) {
                while (!about_to_signal) std::this_thread::yield();
                for (int i = 0; i < 1000; ++i) std::this_thread::yield();
            } else {
                while (!signaled) std::this_thread::yield();
            }
        });
        std::thread other([&, buffer = Recorded()] {
            const uint64_t value = 1;
            VkTimelineSemaphoreSubmitInfo values = {};
            values.sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO;
            values.waitSemaphoreValueCount = 1;
            values.pWaitSemaphoreValues = &value;
            const VkPipelineStageFlags stages = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
            VkSubmitInfo info = {};
            info.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO;
            info.pNext = &values;
            info.waitSemaphoreCount = info.commandBufferCount = 1;
            info.pWaitSemaphores = &semaphore;
            info.pWaitDstStageMask = &stages;
            info.pCommandBuffers = &buffer;
            EXPECT_EQ(vkQueueSubmit(device->queue, 1, &info, VK_NULL_HANDLE), VK_SUCCESS);
        });
        while (submits == 0) std::this_thread::yield();
        about_to_signal = true;
        uint64_t value = 0;
        if (polls) {
            EXPECT_EQ(vkGetSemaphoreCounterValue(device->handle, semaphore, &value), VK_SUCCESS);
        }
        const VkSemaphoreSignalInfo signal = {VK_STRUCTURE_TYPE_SEMAPHORE_SIGNAL_INFO, nullptr, semaphore, 1};
        EXPECT_EQ(vkSignalSemaphore(device->handle, &signal), VK_SUCCESS);
        signaled = true;
        other.join();
        EXPECT_EQ(submits, 2);
        mock.OnSubmit(nullptr);
        End();
    }
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

// The sanitizers' allocators and threads are not made for a child that goes on: exit_test.py has what they can do.
#ifndef KRONOS_ANY_SANITIZER
TEST_F(SubmitsTest, AChildOfForkMayDestroyWhatItInherits) {
    Start();
    Hold();
    EXPECT_EQ(vkGetFenceStatus(device->handle, Fence()), VK_NOT_READY);
    layered::InAChild([&] {
        vkDestroyDevice(device->handle, nullptr);
        return true;
    });
}

TEST_F(SubmitsTest, AChildOfForkHoldsNothing) {
    Start();
    const VkFence fence = Fence();
    Hold(fence);
    // It has no thread that would flush, and what the parent holds is the parent's.
    layered::InAChild([&] { return vkGetFenceStatus(device->handle, fence) == VK_NOT_READY && Given() == 0; });
    mock.OpenGate(device->queue);
    EXPECT_EQ(vkQueueWaitIdle(device->queue), VK_SUCCESS);
    EXPECT_EQ(Given(), 1u);
}
#endif

}  // namespace
