// SPDX-License-Identifier: Apache-2.0
// Waits that spin: what the driver is asked, what the program is told, and when.
#include <sched.h>

#include <array>
#include <chrono>
#include <optional>

#include "layered.h"

namespace {

using layered::Asked;
using layered::Device;
using layered::Did;
using layered::Driver;
using layered::Instance;
using layered::When;
using std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr uint64_t kForEver = UINT64_MAX;
// Longer than any test: what is still pending is spun on.
const layered::SettingMap kPatient = {{"waits", "on"}, {"wait_spin", "1000000"}, {"recycle_fences", "off"}};
// Over before the second look.
const layered::SettingMap kHasty = {{"waits", "on"}, {"wait_spin", "1"}, {"recycle_fences", "off"}};

class WaitsTest : public layered::LayerTest {
  protected:
    // A device whose queue does not begin what it is given until OpenGate.
    void Start(const layered::SettingMap& settings) {
        instance.emplace(true, ToFile(settings));
        VkPhysicalDeviceVulkan12Features features = {};
        features.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES;
        features.timelineSemaphore = VK_TRUE;
        device.emplace(*instance, std::vector<const char*>{}, &features);
        ASSERT_EQ(device->result, VK_SUCCESS);
        mock.CloseGate(device->queue);
    }
    VkResult Wait(VkFence fence, uint64_t timeout_ns = kForEver) const {
        return vkWaitForFences(device->handle, 1, &fence, VK_TRUE, timeout_ns);
    }
    VkSemaphore MakeTimeline() const {
        VkSemaphoreTypeCreateInfo type = {};
        type.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO;
        type.semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE;
        const VkSemaphoreCreateInfo info = {VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO, &type, 0};
        VkSemaphore made = VK_NULL_HANDLE;
        EXPECT_EQ(vkCreateSemaphore(device->handle, &info, nullptr, &made), VK_SUCCESS);
        return made;
    }
    void Signal(VkSemaphore semaphore, uint64_t value) const {
        const VkSemaphoreSignalInfo info = {VK_STRUCTURE_TYPE_SEMAPHORE_SIGNAL_INFO, nullptr, semaphore, value};
        EXPECT_EQ(vkSignalSemaphore(device->handle, &info), VK_SUCCESS);
    }
    // Ends the device and reads the log's summary.
    nlohmann::json End() {
        mock.OpenGate(VK_NULL_HANDLE);
        vkDeviceWaitIdle(device->handle);
        for (const VkFence fence : fences) vkDestroyFence(device->handle, fence, nullptr);
        device->Destroy();
        return Summary();
    }
    VkFence Fence(bool signaled = false) {
        fences.push_back(device->MakeFence(signaled));
        return fences.back();
    }

    std::optional<Instance> instance;
    std::optional<Device> device;
    std::vector<VkFence> fences;
};

TEST_F(WaitsTest, WhatIsOverIsAskedOnce) {
    Start(kPatient);
    EXPECT_EQ(Wait(Fence(true)), VK_SUCCESS);
    EXPECT_EQ(mock.Calls("vkWaitForFences"), 0u);
    EXPECT_EQ(mock.Calls("vkGetFenceStatus"), 1u);
    const nlohmann::json summary = End();
    EXPECT_EQ(Did(summary, "waits_ready"), 1u);
    EXPECT_EQ(Asked(summary, "waits"), 2u);  // and the device's
    EXPECT_EQ(Driver(summary, "waits"), 1u);
    EXPECT_EQ(Driver(summary, "polls"), 1u);
}

TEST_F(WaitsTest, WhatEndsWhileSpinningIsNotWaitedForByTheDriver) {
    Start(kPatient);
    const VkFence fence = Fence();
    EXPECT_EQ(device->Submit(VK_NULL_HANDLE, fence), VK_SUCCESS);
    const When opened(mock, "vkGetFenceStatus", 10, [&] { mock.OpenGate(device->queue); });
    EXPECT_EQ(Wait(fence), VK_SUCCESS);
    EXPECT_EQ(mock.Calls("vkWaitForFences"), 0u);
    const nlohmann::json summary = End();
    EXPECT_EQ(Did(summary, "waits_spun"), 1u);
    EXPECT_GE(Driver(summary, "polls"), 10u);
    EXPECT_EQ(Driver(summary, "polls"), mock.Calls("vkGetFenceStatus"));
    EXPECT_GT(Did(summary, "spin_ns"), 0u);
}

TEST_F(WaitsTest, WhatTakesLongIsLeftToTheDriverAtOnceFromThenOn) {
    Start(kHasty);
    constexpr uint64_t kWaits = 20;
    for (uint64_t i = 0; i < kWaits; ++i) {
        const VkFence fence = Fence();
        EXPECT_EQ(device->Submit(VK_NULL_HANDLE, fence), VK_SUCCESS);
        const When let(mock, "vkWaitForFences", 1, [&] { mock.LetThrough(device->queue, 1); });
        EXPECT_EQ(Wait(fence), VK_SUCCESS);
    }
    EXPECT_EQ(mock.Calls("vkWaitForFences"), kWaits);
    const nlohmann::json summary = End();
    EXPECT_EQ(Did(summary, "waits_overrun"), 1u);
    EXPECT_EQ(Did(summary, "waits_long"), kWaits - 1);
    EXPECT_EQ(Driver(summary, "waits"), kWaits + 1);
}

TEST_F(WaitsTest, OffAsksTheDriverNothingMore) {
    Start({{"waits", "off"}, {"recycle_fences", "off"}});
    EXPECT_EQ(Wait(Fence(true)), VK_SUCCESS);
    EXPECT_EQ(mock.Calls("vkWaitForFences"), 1u);
    EXPECT_EQ(mock.Calls("vkGetFenceStatus"), 0u);
    EXPECT_EQ(Did(End(), "waits_forwarded"), 2u);
}

TEST_F(WaitsTest, NoShareNoSpinning) {
    Start({{"waits", "on"}, {"wait_share", "0"}});
    EXPECT_EQ(Wait(Fence(true)), VK_SUCCESS);
    EXPECT_EQ(mock.Calls("vkGetFenceStatus"), 0u);
    End();
}

TEST_F(WaitsTest, ADeviceThatIsAProcessorIsNotSpunFor) {
    mock.Use(R"({"devices": [{"type": "cpu"}]})");
    Start({{"waits", "auto"}});
    EXPECT_EQ(Wait(Fence(true)), VK_SUCCESS);
    EXPECT_EQ(mock.Calls("vkGetFenceStatus"), 0u);
    End();
}

TEST_F(WaitsTest, ATimeoutOfZeroIsTheDrivers) {
    Start(kPatient);
    EXPECT_EQ(Wait(Fence(), 0), VK_TIMEOUT);
    EXPECT_EQ(Wait(Fence(true), 0), VK_SUCCESS);
    EXPECT_EQ(mock.Calls("vkWaitForFences"), 2u);
    EXPECT_EQ(mock.Calls("vkGetFenceStatus"), 0u);
    End();
}

TEST_F(WaitsTest, ATimeoutNeverEndsEarly) {
    for (const auto& settings : {kPatient, kHasty}) {
        Start(settings);
        for (const auto timeout : {1ns, 999ns, 20'000ns, 3'000'000ns}) {
            const VkFence fence = Fence();
            const auto begin = steady_clock::now();
            EXPECT_EQ(Wait(fence, static_cast<uint64_t>(timeout.count())), VK_TIMEOUT);
            EXPECT_GE(steady_clock::now() - begin, timeout);
            const VkSemaphore semaphore = MakeTimeline();
            const uint64_t value = 1;
            const VkSemaphoreWaitInfo info = {VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO, nullptr, 0, 1, &semaphore, &value};
            const auto again = steady_clock::now();
            EXPECT_EQ(vkWaitSemaphores(device->handle, &info, static_cast<uint64_t>(timeout.count())), VK_TIMEOUT);
            EXPECT_GE(steady_clock::now() - again, timeout);
            vkDestroySemaphore(device->handle, semaphore, nullptr);
        }
        mock.OpenGate(VK_NULL_HANDLE);
        for (const VkFence fence : fences) vkDestroyFence(device->handle, fence, nullptr);
        fences.clear();
        device.reset();
        instance.reset();
    }
}

TEST_F(WaitsTest, ALostDeviceIsReportedFromTheSpin) {
    Start(kPatient);
    const VkFence fence = Fence();
    EXPECT_EQ(device->Submit(VK_NULL_HANDLE, fence), VK_SUCCESS);
    const When lost(mock, "vkGetFenceStatus", 10, [&] { mock.LoseDevice(device->handle); });
    EXPECT_EQ(Wait(fence), VK_ERROR_DEVICE_LOST);
    End();
}

TEST_F(WaitsTest, ALostDeviceIsReportedFromTheSpinOfAnIdleQueue) {
    Start(kPatient);
    for (int i = 0; i < 3; ++i) {  // the driver's way and ours, in turn
        EXPECT_EQ(device->Submit(VK_NULL_HANDLE), VK_SUCCESS);
        mock.OpenGate(device->queue);
        EXPECT_EQ(vkQueueWaitIdle(device->queue), VK_SUCCESS);
        mock.CloseGate(device->queue);
    }
    EXPECT_EQ(device->Submit(VK_NULL_HANDLE), VK_SUCCESS);
    const When lost(mock, "vkGetFenceStatus", 10, [&] { mock.LoseDevice(device->handle); });
    EXPECT_EQ(vkQueueWaitIdle(device->queue), VK_ERROR_DEVICE_LOST);
    EXPECT_EQ(vkQueueWaitIdle(device->queue), VK_ERROR_DEVICE_LOST);
    End();
}

TEST_F(WaitsTest, AnyOfAFew) {
    Start(kPatient);
    for (int i = 0; i < 16; ++i) Fence();
    EXPECT_EQ(device->Submit(VK_NULL_HANDLE, fences[7]), VK_SUCCESS);
    const auto any = [&](uint64_t timeout_ns) {
        return vkWaitForFences(device->handle, 16, fences.data(), VK_FALSE, timeout_ns);
    };
    EXPECT_EQ(any(1000), VK_TIMEOUT);
    {
        const When opened(mock, "vkGetFenceStatus", 40, [&] { mock.OpenGate(device->queue); });
        EXPECT_EQ(any(kForEver), VK_SUCCESS);
    }
    EXPECT_EQ(vkGetFenceStatus(device->handle, fences[7]), VK_SUCCESS);
    EXPECT_EQ(vkWaitForFences(device->handle, 16, fences.data(), VK_TRUE, 1000), VK_TIMEOUT);
    End();
}

TEST_F(WaitsTest, AThousandFencesAreTheDriversToWaitFor) {
    Start(kPatient);
    for (int i = 0; i < 1000; ++i) Fence();
    EXPECT_EQ(device->Submit(VK_NULL_HANDLE, fences[777]), VK_SUCCESS);
    const auto any = [&](uint64_t timeout_ns) {
        return vkWaitForFences(device->handle, 1000, fences.data(), VK_FALSE, timeout_ns);
    };
    EXPECT_EQ(any(1000), VK_TIMEOUT);
    {
        const When opened(mock, "vkWaitForFences", 1, [&] { mock.OpenGate(device->queue); });
        EXPECT_EQ(any(kForEver), VK_SUCCESS);
    }
    EXPECT_EQ(vkGetFenceStatus(device->handle, fences[777]), VK_SUCCESS);
    EXPECT_EQ(vkWaitForFences(device->handle, 1000, fences.data(), VK_TRUE, 1000), VK_TIMEOUT);
    EXPECT_EQ(mock.Calls("vkGetFenceStatus"), 1u);
    End();
}

TEST_F(WaitsTest, AllOfSomeInWhateverOrderTheyAreSignaled) {
    Start(kPatient);
    for (const bool signaled : {true, false, true, false}) Fence(signaled);
    EXPECT_EQ(device->Submit(VK_NULL_HANDLE, fences[3]), VK_SUCCESS);
    EXPECT_EQ(device->Submit(VK_NULL_HANDLE, fences[1]), VK_SUCCESS);
    mock.LetThrough(device->queue, 1);
    mock.WaitCompleted(device->queue, 1);
    const When let(mock, "vkGetFenceStatus", 5, [&] { mock.LetThrough(device->queue, 1); });
    EXPECT_EQ(vkWaitForFences(device->handle, 4, fences.data(), VK_TRUE, kForEver), VK_SUCCESS);
    for (const VkFence fence : fences) EXPECT_EQ(vkGetFenceStatus(device->handle, fence), VK_SUCCESS);
    EXPECT_EQ(mock.Calls("vkWaitForFences"), 0u);
    End();
}

TEST_F(WaitsTest, ASignalOfAnotherThreadEndsTheSpin) {
    Start(kPatient);
    const std::array<VkSemaphore, 2> semaphores = {MakeTimeline(), MakeTimeline()};
    const std::array<uint64_t, 2> values = {3, 5};
    VkSemaphoreWaitInfo info = {
        VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO, nullptr, VK_SEMAPHORE_WAIT_ANY_BIT, 2, semaphores.data(), values.data()};
    {
        const When any(mock, "vkGetSemaphoreCounterValue", 10, [&] { Signal(semaphores[1], 5); });
        EXPECT_EQ(vkWaitSemaphores(device->handle, &info, kForEver), VK_SUCCESS);
    }
    info.flags = 0;
    {
        const When all(mock, "vkGetSemaphoreCounterValue", 10, [&] {
            Signal(semaphores[0], 2);
            Signal(semaphores[0], 4);
        });
        EXPECT_EQ(vkWaitSemaphores(device->handle, &info, kForEver), VK_SUCCESS);
    }
    EXPECT_EQ(mock.Calls("vkWaitSemaphores"), 0u);
    for (const VkSemaphore semaphore : semaphores) vkDestroySemaphore(device->handle, semaphore, nullptr);
    const nlohmann::json summary = End();
    EXPECT_EQ(Did(summary, "waits_spun"), 2u);
    EXPECT_EQ(Driver(summary, "polls"), mock.Calls("vkGetSemaphoreCounterValue"));
}

TEST_F(WaitsTest, AForkDuringAWaitHarmsNobody) {
    Start(kPatient);
    const VkFence fence = Fence();
    EXPECT_EQ(device->Submit(VK_NULL_HANDLE, fence), VK_SUCCESS);
    std::thread waiting([&] { EXPECT_EQ(Wait(fence), VK_SUCCESS); });
    while (mock.Calls("vkGetFenceStatus") < 10) std::this_thread::yield();
    layered::InAChild([] { return true; });
    mock.OpenGate(device->queue);
    waiting.join();
    EXPECT_EQ(Did(End(), "waits_spun"), 1u);
}

TEST_F(WaitsTest, ARealTimeThreadDoesNotSpin) {
    Start(kPatient);
    const VkFence fence = Fence();
    EXPECT_EQ(device->Submit(VK_NULL_HANDLE, fence), VK_SUCCESS);
    bool realtime = false;
    {
        const When let(mock, "vkGetFenceStatus", 1, [&] { mock.OpenGate(device->queue); });
        std::thread([&] {
            const sched_param priority = {.sched_priority = 1};
            realtime = sched_setscheduler(0, SCHED_FIFO, &priority) == 0;  // takes a right that not every user has
            EXPECT_EQ(Wait(fence), VK_SUCCESS);
        }).join();
    }
    const nlohmann::json summary = End();
    EXPECT_EQ(Did(summary, "waits_spun") + Did(summary, "waits_ready"), realtime ? Did(summary, "waits_ready") : 1u);
    EXPECT_EQ(Did(summary, "waits_realtime") + Did(summary, "waits_ready"),
              realtime ? 1u : Did(summary, "waits_ready"));
}

TEST_F(WaitsTest, AnIdleQueueIsFoundByAFenceOfTheLayersOwn) {
    Start(kPatient);
    mock.OpenGate(device->queue);
    constexpr uint64_t kTimes = 100;
    for (uint64_t i = 0; i < kTimes; ++i) {
        EXPECT_EQ(device->Submit(VK_NULL_HANDLE), VK_SUCCESS);
        EXPECT_EQ(vkQueueWaitIdle(device->queue), VK_SUCCESS);
        EXPECT_EQ(mock.Completed(device->queue), mock.Submitted(device->queue));
    }
    // Nothing was submitted since: the driver's, and no fence.
    const uint64_t submits = mock.Calls("vkQueueSubmit");
    EXPECT_EQ(vkQueueWaitIdle(device->queue), VK_SUCCESS);
    EXPECT_EQ(mock.Calls("vkQueueSubmit"), submits);
    const nlohmann::json summary = End();
    EXPECT_EQ(Asked(summary, "submits"), kTimes);
    EXPECT_EQ(Driver(summary, "submits"), mock.Calls("vkQueueSubmit"));
    // Both ways are measured at the start.
    EXPECT_GE(Driver(summary, "submits"), kTimes + 4);
    EXPECT_GE(mock.Calls("vkQueueWaitIdle"), 5u);
    EXPECT_EQ(mock.Calls("vkCreateFence"), 1u);
    EXPECT_EQ(mock.Calls("vkDestroyFence"), 1u);
}

TEST_F(WaitsTest, WithoutAFenceTheDriverFindsTheQueueIdle) {
    Start(kPatient);
    mock.OpenGate(device->queue);
    mock.Fail("vkCreateFence", 1, VK_ERROR_OUT_OF_HOST_MEMORY);
    for (int i = 0; i < 100; ++i) {
        EXPECT_EQ(device->Submit(VK_NULL_HANDLE), VK_SUCCESS);
        EXPECT_EQ(vkQueueWaitIdle(device->queue), VK_SUCCESS);
        EXPECT_EQ(mock.Completed(device->queue), mock.Submitted(device->queue));
    }
    End();
    EXPECT_EQ(mock.Calls("vkCreateFence"), 2u) << "and then there is one";
    EXPECT_EQ(mock.Calls("vkDestroyFence"), 1u);
}

// Found by a fence behind the work of the one queue; the driver's as soon as there is another.
TEST_F(WaitsTest, AnIdleDeviceIsThatOfItsOnlyQueue) {
    mock.Use(R"({"devices": [{"queueFamilies": [{"flags": ["compute", "transfer"], "count": 2}]}]})");
    instance.emplace(true, ToFile(kPatient));
    const std::array<float, 2> priorities = {1, 1};
    VkDeviceQueueCreateInfo queues = {};
    queues.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO;
    queues.queueCount = 2;
    queues.pQueuePriorities = priorities.data();
    VkDeviceCreateInfo info = {};
    info.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO;
    info.queueCreateInfoCount = 1;
    info.pQueueCreateInfos = &queues;
    VkDevice made = VK_NULL_HANDLE;
    ASSERT_EQ(vkCreateDevice(instance->Physical(), &info, nullptr, &made), VK_SUCCESS);
    std::array<VkQueue, 2> queue = {};
    vkGetDeviceQueue(made, 0, 0, &queue[0]);
    const auto submit_and_wait = [&](VkQueue to) {
        EXPECT_EQ(vkQueueSubmit(to, 0, nullptr, VK_NULL_HANDLE), VK_SUCCESS);
        EXPECT_EQ(vkDeviceWaitIdle(made), VK_SUCCESS);
        EXPECT_EQ(mock.Completed(to), mock.Submitted(to));
    };
    for (int i = 0; i < 8; ++i) submit_and_wait(queue[0]);
    // Both ways are measured: some waits are for a fence of the layer's own, submitted behind the program's work.
    const uint64_t calls = mock.Calls("vkDeviceWaitIdle");
    const uint64_t submits = mock.Calls("vkQueueSubmit");
    EXPECT_GT(submits, 8u);
    vkGetDeviceQueue(made, 0, 1, &queue[1]);
    for (int i = 0; i < 8; ++i) submit_and_wait(queue[1]);
    EXPECT_EQ(mock.Calls("vkDeviceWaitIdle"), calls + 8);
    EXPECT_EQ(mock.Calls("vkQueueSubmit"), submits + 8);
    vkDestroyDevice(made, nullptr);
}

TEST_F(WaitsTest, AQueueWithSparseBindingsIsTheDriversToWaitFor) {
    Start(kPatient);
    mock.OpenGate(device->queue);
    EXPECT_EQ(vkQueueBindSparse(device->queue, 0, nullptr, VK_NULL_HANDLE), VK_SUCCESS);
    for (int i = 0; i < 20; ++i) {
        EXPECT_EQ(device->Submit(VK_NULL_HANDLE), VK_SUCCESS);
        EXPECT_EQ(vkQueueWaitIdle(device->queue), VK_SUCCESS);
    }
    EXPECT_EQ(mock.Calls("vkQueueSubmit"), 20u);
    EXPECT_EQ(mock.Calls("vkQueueWaitIdle"), 20u);
    End();
}

TEST_F(WaitsTest, ASubmitThatFailsBehindTheProgramsIsNotItsAffair) {
    Start(kPatient);
    mock.OpenGate(device->queue);
    for (int i = 0; i < 20; ++i) {
        EXPECT_EQ(device->Submit(VK_NULL_HANDLE), VK_SUCCESS);
        mock.Fail("vkQueueSubmit", 1, VK_ERROR_OUT_OF_DEVICE_MEMORY);
        EXPECT_EQ(vkQueueWaitIdle(device->queue), VK_SUCCESS);
        mock.ClearFailures();
    }
    EXPECT_EQ(mock.Calls("vkQueueWaitIdle"), 20u);
    End();
}

TEST_F(WaitsTest, PollLoopsOfTheProgramAreSeenAndLeftAlone) {
    Start(kPatient);
    const VkFence fence = Fence();
    for (int loop = 0; loop < 3; ++loop) {
        EXPECT_EQ(device->Submit(VK_NULL_HANDLE, fence), VK_SUCCESS);
        for (int i = 0; i < 10; ++i) EXPECT_EQ(vkGetFenceStatus(device->handle, fence), VK_NOT_READY);
        mock.LetThrough(device->queue, 1);
        mock.WaitCompleted(device->queue, static_cast<uint64_t>(loop) + 1);
        EXPECT_EQ(vkGetFenceStatus(device->handle, fence), VK_SUCCESS);
        EXPECT_EQ(vkResetFences(device->handle, 1, &fence), VK_SUCCESS);
    }
    const uint64_t polls = mock.Calls("vkGetFenceStatus");
    EXPECT_EQ(polls, 33u);
    const nlohmann::json summary = End();
    EXPECT_EQ(Did(summary, "poll_loops"), 3u);
    EXPECT_EQ(Asked(summary, "polls"), polls);
}

}  // namespace
