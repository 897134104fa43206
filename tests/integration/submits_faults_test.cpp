// SPDX-License-Identifier: Apache-2.0
// Held submissions when the driver fails, when there can be no thread, and when the program calls nothing.
#include <dlfcn.h>
#include <pthread.h>

#include <atomic>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "../sanitizers/which.h"
#include "layered.h"

// The sanitizers have a pthread_create of their own.
#ifndef KRONOS_ANY_SANITIZER
#define FAILS_THREADS
namespace {

std::atomic<bool> no_threads{false};
std::atomic<bool> threads_stall{false};  // those that are made meanwhile do not begin until it is over

struct Stalled {
    void* (*body)(void*);
    void* argument;
};
void* BeginLate(void* stalled) {
    while (threads_stall) std::this_thread::yield();
    const std::unique_ptr<Stalled> thread(static_cast<Stalled*>(stalled));
    return thread->body(thread->argument);
}

}  // namespace

// The process's, in place of the C library's: the layer and the driver find it too.
extern "C" __attribute__((visibility("default"))) int pthread_create(pthread_t* thread,
                                                                     const pthread_attr_t* attributes,
                                                                     void* (*body)(void*), void* argument) {
    static const auto real = reinterpret_cast<int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*)>(
        dlsym(RTLD_NEXT, "pthread_create"));
    if (no_threads) return EAGAIN;
    if (!threads_stall) return real(thread, attributes, body, argument);
    auto stalled = std::make_unique<Stalled>(Stalled{body, argument});
    const int result = real(thread, attributes, BeginLate, stalled.get());
    if (result == 0) static_cast<void>(stalled.release());
    return result;
}
#endif

namespace {

using layered::Device;
using layered::Did;
using layered::Instance;
using layered::SettingMap;

const SettingMap kAlways = {{"submits", "always"},      {"virtual_fences", "on"}, {"submit_hold", "10000000"},
                            {"submit_gap", "10000000"}, {"recycle_fences", "on"}, {"waits", "on"}};

class SubmitsFaultsTest : public layered::LayerTest {
  protected:
    void Start(const SettingMap& settings) {
        instance.emplace(true, ToFile(settings));
        device.emplace(*instance);
        ASSERT_EQ(device->result, VK_SUCCESS);
    }
    VkCommandBuffer Recorded(uint32_t number) {
        const VkCommandBuffer buffer = device->MakeBuffer();
        Device::Begin(buffer);
        vkCmdDispatch(buffer, number + 1, 1, 1);
        EXPECT_EQ(vkEndCommandBuffer(buffer), VK_SUCCESS);
        return buffer;
    }

    std::optional<Instance> instance;
    std::optional<Device> device;
};

// A program that submits, waits in several ways, and believes what it is told.
TEST_F(SubmitsFaultsTest, EachFailureOfTheDriverEndsInWhatTheSpecificationAllows) {
    constexpr uint32_t kSubmits = 12;
    for (const char* command :
         {"vkQueueSubmit", "vkWaitForFences", "vkWaitSemaphores", "vkGetSemaphoreCounterValue", "vkGetFenceStatus",
          "vkQueueWaitIdle", "vkCreateSemaphore", "vkCreateFence", "vkResetFences"}) {
        for (const VkResult fault :
             {VK_ERROR_OUT_OF_HOST_MEMORY, VK_ERROR_OUT_OF_DEVICE_MEMORY, VK_ERROR_DEVICE_LOST}) {
            for (uint64_t call = 1; call <= 6; call += 1 + KRONOS_TEST_SHARE / 5) {
                for (const char* waits : {"on", "off"}) {
                    SCOPED_TRACE(std::string(command) + " fails with " + std::to_string(fault) + " at call " +
                                 std::to_string(call) + ", waits " + waits);
                    SettingMap settings = kAlways;
                    settings["waits"] = waits;
                    settings["submit_batch"] = "5";
                    settings["barriers"] = settings["fusion"] = waits;
                    settings["stats"] = "off";
                    std::vector<std::atomic<int>> ran(kSubmits);
                    mock.OnDispatch([&](const MockDispatch& dispatch) { ++ran.at(dispatch.group_count[0] - 1); });
                    mock.Fail(command, call, fault);
                    Start(settings);
                    std::vector<bool> promised(kSubmits);
                    VkResult worst = VK_SUCCESS;
                    std::vector<VkFence> fences;
                    for (uint32_t i = 0; i < kSubmits && worst == VK_SUCCESS; ++i) {
                        VkFence fence = VK_NULL_HANDLE;
                        const VkFenceCreateInfo info = {VK_STRUCTURE_TYPE_FENCE_CREATE_INFO, nullptr, 0};
                        if (i % 2 == 0 && vkCreateFence(device->handle, &info, nullptr, &fence) == VK_SUCCESS)
                            fences.push_back(fence);
                        const VkResult result = device->Submit(Recorded(i), fence);
                        promised[i] = result == VK_SUCCESS;
                        if (result == VK_ERROR_DEVICE_LOST) worst = result;
                        if (result != VK_SUCCESS || !fence || i % 4 != 2) continue;
                        const VkResult waited = vkWaitForFences(device->handle, 1, &fence, VK_TRUE, UINT64_MAX);
                        // Section "Device and Host Memory": whoever runs out of memory while waiting may wait again.
                        if (waited == VK_ERROR_DEVICE_LOST) worst = waited;
                        if (waited != VK_SUCCESS) continue;
                        EXPECT_EQ(ran[i], 1) << "submission " << i;
                        if (i == 6) vkResetFences(device->handle, 1, &fence);
                    }
                    if (worst == VK_SUCCESS) {
                        const VkResult idle = vkQueueWaitIdle(device->queue);
                        if (idle == VK_ERROR_DEVICE_LOST) worst = idle;
                        for (uint32_t i = 0; i < kSubmits && idle == VK_SUCCESS; ++i)
                            EXPECT_EQ(ran[i], promised[i]) << "submission " << i;
                    }
                    // What is not the driver's fault is not lost.
                    EXPECT_TRUE(worst == VK_SUCCESS || fault == VK_ERROR_DEVICE_LOST);
                    mock.ClearFailures();
                    vkDeviceWaitIdle(device->handle);
                    mock.WaitCompleted(device->queue, mock.Submitted(device->queue));
                    for (const std::atomic<int>& times : ran) EXPECT_LE(times, 1);
                    for (const VkFence fence : fences) vkDestroyFence(device->handle, fence, nullptr);
                    device->Destroy();
                    device.reset();
                    instance.reset();
                    mock.OnDispatch(nullptr);
                }
            }
        }
    }
}

TEST_F(SubmitsFaultsTest, ALostDeviceIsToldWhereverItIsAskedFor) {
    for (const char* waits : {"on", "off"}) {
        SettingMap settings = kAlways;
        settings["waits"] = waits;
        settings["stats"] = "off";
        Start(settings);
        mock.CloseGate(device->queue);
        const VkFence fence = device->MakeFence();
        EXPECT_EQ(device->Submit(Recorded(0), fence), VK_SUCCESS);
        mock.LoseDevice(device->handle);
        EXPECT_EQ(vkGetFenceStatus(device->handle, fence), VK_ERROR_DEVICE_LOST);
        EXPECT_EQ(vkWaitForFences(device->handle, 1, &fence, VK_TRUE, UINT64_MAX), VK_ERROR_DEVICE_LOST);
        EXPECT_EQ(device->Submit(Recorded(1)), VK_ERROR_DEVICE_LOST);
        EXPECT_EQ(vkQueueWaitIdle(device->queue), VK_ERROR_DEVICE_LOST);
        EXPECT_EQ(vkDeviceWaitIdle(device->handle), VK_ERROR_DEVICE_LOST);
        vkDestroyFence(device->handle, fence, nullptr);
        device->Destroy();
        device.reset();
        instance.reset();
    }
}

#ifdef FAILS_THREADS
TEST_F(SubmitsFaultsTest, WithoutAThreadNothingIsHeld) {
    Start(kAlways);
    // What is not held makes the driver start the queue's thread.
    VkDeviceGroupSubmitInfo group = {};
    group.sType = VK_STRUCTURE_TYPE_DEVICE_GROUP_SUBMIT_INFO;
    EXPECT_EQ(device->Submit(VK_NULL_HANDLE, VK_NULL_HANDLE, &group), VK_SUCCESS);
    const uint64_t before = mock.Calls("vkQueueSubmit");
    const VkCommandBuffer buffers[] = {Recorded(0), Recorded(1)};
    no_threads = true;
    EXPECT_EQ(device->Submit(buffers[0]), VK_SUCCESS);
    no_threads = false;
    EXPECT_EQ(mock.Calls("vkQueueSubmit"), before + 1);
    EXPECT_EQ(device->Submit(buffers[1]), VK_SUCCESS);
    EXPECT_EQ(mock.Calls("vkQueueSubmit"), before + 2);
    EXPECT_EQ(vkQueueWaitIdle(device->queue), VK_SUCCESS);
    device->Destroy();
    EXPECT_EQ(Did(Summary(), "submits_no_thread"), 1u);
}

TEST_F(SubmitsFaultsTest, WithoutThreadsStatisticsAndTracesAreWrittenByTheProgramsOwn) {
    const layered::ScratchFile trace, log;
    no_threads = true;
    Start({{"trace_file", trace.path()}, {"log_file", log.path()}, {"frame_submits", "2"}});
    no_threads = false;
    EXPECT_EQ(device->Submit(VK_NULL_HANDLE), VK_SUCCESS);  // with which the driver starts the queue's thread
    no_threads = true;
    for (int i = 0; i < 3; ++i) EXPECT_EQ(device->Submit(VK_NULL_HANDLE), VK_SUCCESS);
    no_threads = false;
    const auto text = [](const layered::ScratchFile& of) {
        std::ifstream in(of.path());
        return std::string(std::istreambuf_iterator<char>(in), {});
    };
    EXPECT_EQ(file.Lines("frame").size(), 2u);
    size_t calls = 0;
    const std::string events = text(trace);
    for (size_t at = 0; (at = events.find("\"vkQueueSubmit\"", at)) != std::string::npos; ++at) ++calls;
    EXPECT_EQ(calls, 4u);
    for (const char* what : {"no thread for the trace", "no thread for the statistics"})
        EXPECT_NE(text(log).find(what), std::string::npos) << what;
    EXPECT_EQ(vkQueueWaitIdle(device->queue), VK_SUCCESS);
    device->Destroy();
}

TEST_F(SubmitsFaultsTest, WhileTheThreadStallsTheProgramItselfGivesWhatIsHeld) {
    std::atomic<uint32_t> ran{0};
    mock.OnDispatch([&](const MockDispatch&) { ++ran; });
    SettingMap settings = kAlways;
    settings["submit_hold"] = "50";
    Start(settings);
    // What is not held makes the driver start the queue's thread.
    VkDeviceGroupSubmitInfo group = {};
    group.sType = VK_STRUCTURE_TYPE_DEVICE_GROUP_SUBMIT_INFO;
    EXPECT_EQ(device->Submit(VK_NULL_HANDLE, VK_NULL_HANDLE, &group), VK_SUCCESS);
    threads_stall = true;
    const VkFence fence = device->MakeFence();
    EXPECT_EQ(device->Submit(Recorded(0), fence), VK_SUCCESS);
    EXPECT_EQ(vkWaitForFences(device->handle, 1, &fence, VK_TRUE, UINT64_MAX), VK_SUCCESS);
    EXPECT_EQ(ran, 1u);
    EXPECT_EQ(vkResetFences(device->handle, 1, &fence), VK_SUCCESS);
    EXPECT_EQ(device->Submit(Recorded(1), fence), VK_SUCCESS);
    while (vkGetFenceStatus(device->handle, fence) == VK_NOT_READY) std::this_thread::yield();
    EXPECT_EQ(ran, 2u);
    EXPECT_EQ(device->Submit(Recorded(2)), VK_SUCCESS);
    EXPECT_EQ(vkQueueWaitIdle(device->queue), VK_SUCCESS);
    EXPECT_EQ(ran, 3u);
    // Nobody asks for this one: it waits for the thread, and is not lost.
    const uint64_t given = mock.Calls("vkQueueSubmit");
    EXPECT_EQ(device->Submit(Recorded(3)), VK_SUCCESS);
    EXPECT_EQ(mock.Calls("vkQueueSubmit"), given);
    threads_stall = false;
    while (ran != 4) std::this_thread::yield();
    EXPECT_EQ(vkQueueWaitIdle(device->queue), VK_SUCCESS);
    vkDestroyFence(device->handle, fence, nullptr);
    device->Destroy();
    EXPECT_EQ(Did(Summary(), "flushes_deadline"), 1u);
}
#endif

TEST_F(SubmitsFaultsTest, AProgramThatOnlyPollsMemorySeesItsResults) {
    for (const char* submits : {"always", "busy"}) {
        SettingMap settings = kAlways;
        settings["submits"] = submits;
        settings["submit_hold"] = "50";
        settings["stats"] = "off";
        std::atomic<uint32_t> ran{0};
        mock.OnDispatch([&](const MockDispatch&) { ++ran; });
        Start(settings);
        VkCommandBuffer buffers[3] = {};
        for (VkCommandBuffer& buffer : buffers) buffer = Recorded(0);
        for (uint32_t round = 0; round < 5'000 / KRONOS_TEST_SHARE; ++round) {
            for (const VkCommandBuffer buffer : buffers) ASSERT_EQ(device->Submit(buffer), VK_SUCCESS);
            while (ran != 3 * (round + 1)) std::this_thread::yield();
            // The driver counts a command buffer as in use until a moment after its last command.
            mock.WaitCompleted(device->queue, mock.Submitted(device->queue));
        }
        EXPECT_EQ(vkQueueWaitIdle(device->queue), VK_SUCCESS);
        device->Destroy();
        device.reset();
        instance.reset();
        mock.OnDispatch(nullptr);
    }
}

}  // namespace
