// SPDX-License-Identifier: Apache-2.0
// Fences of submissions that are held: values of a timeline, the driver's, and both together.
#include <chrono>

#include "submits_fixture.h"

namespace {

using layered::Asked;
using layered::Did;
using layered::Driver;
using layered::kHeld;
using layered::SubmitsTest;
using layered::When;
using layered::With;

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

TEST_F(SubmitsTest, ExportingFencePayloads) {
    mock.Use(R"({"devices": [{"addExtensions": ["VK_KHR_external_fence_fd"]}]})");
    Start(kHeld, {"VK_KHR_external_fence_fd"});
    const VkExportFenceCreateInfo shared = {VK_STRUCTURE_TYPE_EXPORT_FENCE_CREATE_INFO, nullptr,
                                            VK_EXTERNAL_FENCE_HANDLE_TYPE_SYNC_FD_BIT};
    fences.push_back(device->MakeFence(false, &shared));
    Hold();
    const VkFenceGetFdInfoKHR info = {VK_STRUCTURE_TYPE_FENCE_GET_FD_INFO_KHR, nullptr, fences.back(),
                                      VK_EXTERNAL_FENCE_HANDLE_TYPE_SYNC_FD_BIT};
    int fd = -1;
    device->Get<PFN_vkGetFenceFdKHR>("vkGetFenceFdKHR")(device->handle, &info, &fd);
    EXPECT_EQ(Given(), 1u);
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

}  // namespace
