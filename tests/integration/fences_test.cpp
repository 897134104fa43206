// SPDX-License-Identifier: Apache-2.0
// Fences that have several lives: what shows of the old one in the new (nothing), and which fences have only one.
#include <mutex>
#include <optional>
#include <set>

#include "layered.h"

namespace {

using layered::Asked;
using layered::Device;
using layered::Did;
using layered::Driver;
using layered::Instance;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const layered::SettingMap kRecycle = {{"recycle_fences", "on"}, {"waits", "off"}};

class FencesTest : public layered::LayerTest {
  protected:
    void Start(const layered::SettingMap& settings = kRecycle, std::vector<const char*> extensions = {}) {
        instance.emplace(true, ToFile(settings), VK_API_VERSION_1_3,
                         std::vector<const char*>{VK_EXT_DEBUG_UTILS_EXTENSION_NAME});
        device.emplace(*instance, std::move(extensions));
        ASSERT_EQ(device->result, VK_SUCCESS);
    }
    void DestroyFence(VkFence fence) const { vkDestroyFence(device->handle, fence, nullptr); }
    VkResult Status(VkFence fence) const { return vkGetFenceStatus(device->handle, fence); }
    uint64_t Made() { return mock.Calls("vkCreateFence"); }
    nlohmann::json End() {
        device->Destroy();
        return Summary();
    }

    std::optional<Instance> instance;
    std::optional<Device> device;
};

TEST_F(FencesTest, ADestroyedFenceIsTheNextOneCreated) {
    Start();
    const VkFence first = device->MakeFence();
    for (int i = 0; i < 10; ++i) {
        DestroyFence(i == 0 ? first : device->MakeFence());
    }
    EXPECT_EQ(Made(), 1u);
    EXPECT_EQ(mock.Calls("vkDestroyFence"), 0u);
    const nlohmann::json summary = End();
    EXPECT_EQ(mock.Calls("vkDestroyFence"), 1u);
    EXPECT_EQ(Asked(summary, "fences_created"), 10u);
    EXPECT_EQ(Driver(summary, "fences_created"), 1u);
    EXPECT_EQ(Asked(summary, "fences_destroyed"), 10u);
    EXPECT_EQ(Driver(summary, "fences_destroyed"), 1u);
    EXPECT_EQ(Did(summary, "fences_recycled"), 9u);
    EXPECT_EQ(Did(summary, "fences_kept"), 10u);
}

TEST_F(FencesTest, ANewLifeBeginsAsItWasAskedTo) {
    Start();
    // What the old life ended as, and what the new one shall begin as.
    for (const bool was_signaled : {false, true}) {
        for (const bool wanted : {false, true}) {
            DestroyFence(device->MakeFence(was_signaled));
            const VkFence fence = device->MakeFence(wanted);
            EXPECT_EQ(Status(fence), wanted ? VK_SUCCESS : VK_NOT_READY) << was_signaled << wanted;
            DestroyFence(fence);
        }
    }
    EXPECT_EQ(Driver(End(), "fence_resets"), mock.Calls("vkResetFences"));
}

TEST_F(FencesTest, AFenceIsResetWhateverItsLifeWas) {
    Start();
    const VkFence fence = device->MakeFence();
    for (int life = 0; life < 4; ++life) {
        EXPECT_EQ(device->Submit(VK_NULL_HANDLE, fence), VK_SUCCESS);
        mock.WaitCompleted(device->queue, static_cast<uint64_t>(life) + 1);
        if (life == 1) {
            EXPECT_EQ(vkWaitForFences(device->handle, 1, &fence, VK_TRUE, UINT64_MAX), VK_SUCCESS);
        }
        if (life == 2) {
            EXPECT_EQ(Status(fence), VK_SUCCESS);
        }
        if (life == 3) {
            EXPECT_EQ(vkWaitForFences(device->handle, 1, &fence, VK_TRUE, UINT64_MAX), VK_SUCCESS);
            EXPECT_EQ(vkResetFences(device->handle, 1, &fence), VK_SUCCESS);
        }
        DestroyFence(fence);
        EXPECT_EQ(device->MakeFence(), fence);
        EXPECT_EQ(Status(fence), VK_NOT_READY);
    }
    DestroyFence(fence);
    EXPECT_EQ(Made(), 1u);
    End();
}

TEST_F(FencesTest, AFenceDestroyedWhileItIsPendingHasNoOtherLife) {
    Start();
    mock.CloseGate(device->queue);
    const VkFence pending = device->MakeFence();
    EXPECT_EQ(device->Submit(VK_NULL_HANDLE, pending), VK_SUCCESS);
    DestroyFence(pending);  // the program's fault: the driver hears of it
    EXPECT_EQ(mock.Calls("vkDestroyFence"), 1u);
    EXPECT_THAT(mock.Violations(), testing::Not(IsEmpty()));
    mock.ClearViolations();
    const VkFence next = device->MakeFence();
    EXPECT_NE(next, pending);
    EXPECT_EQ(Made(), 2u);
    mock.OpenGate(device->queue);
    vkDeviceWaitIdle(device->handle);
    EXPECT_EQ(Status(next), VK_NOT_READY);
    DestroyFence(next);
    EXPECT_EQ(Did(End(), "fences_pending"), 1u);
}

TEST_F(FencesTest, AFenceOfALostDeviceHasNoOtherLife) {
    Start();
    mock.CloseGate(device->queue);
    const VkFence fence = device->MakeFence();
    EXPECT_EQ(device->Submit(VK_NULL_HANDLE, fence), VK_SUCCESS);
    mock.LoseDevice(device->handle);
    DestroyFence(fence);
    EXPECT_EQ(mock.Calls("vkDestroyFence"), 1u);
    EXPECT_EQ(Did(End(), "fences_pending"), 1u);
}

TEST_F(FencesTest, WhatIsNotUnderstoodPassesThrough) {
    Start();
    const VkExportFenceCreateInfo exported = {VK_STRUCTURE_TYPE_EXPORT_FENCE_CREATE_INFO, nullptr,
                                              VK_EXTERNAL_FENCE_HANDLE_TYPE_OPAQUE_FD_BIT};
    DestroyFence(device->MakeFence(false, &exported));
    const VkAllocationCallbacks callbacks = {
        nullptr,
        [](void*, size_t size, size_t alignment, VkSystemAllocationScope) { return aligned_alloc(alignment, size); },
        [](void*, void* memory, size_t size, size_t, VkSystemAllocationScope) { return realloc(memory, size); },
        [](void*, void* memory) { free(memory); },
        nullptr,
        nullptr};
    vkDestroyFence(device->handle, device->MakeFence(false, nullptr, &callbacks), &callbacks);
    DestroyFence(VK_NULL_HANDLE);
    EXPECT_EQ(Made(), 2u);
    EXPECT_EQ(mock.Calls("vkDestroyFence"), 3u);
    const nlohmann::json summary = End();
    EXPECT_EQ(Did(summary, "fences_unknown"), 2u);
    EXPECT_EQ(Asked(summary, "fences_destroyed"), 2u);
}

TEST_F(FencesTest, ASharedFenceHasNoOtherLife) {
    mock.Use(R"({"devices": [{"addExtensions": ["VK_KHR_external_fence_fd"]}]})");
    Start(kRecycle, {VK_KHR_EXTERNAL_FENCE_FD_EXTENSION_NAME});
    const VkFence imported = device->MakeFence();
    const VkImportFenceFdInfoKHR import = {
        VK_STRUCTURE_TYPE_IMPORT_FENCE_FD_INFO_KHR, nullptr, imported, VK_FENCE_IMPORT_TEMPORARY_BIT,
        VK_EXTERNAL_FENCE_HANDLE_TYPE_SYNC_FD_BIT,  -1};
    EXPECT_EQ(device->Get<PFN_vkImportFenceFdKHR>("vkImportFenceFdKHR")(device->handle, &import), VK_SUCCESS);
    DestroyFence(imported);
    const VkFence exported = device->MakeFence();
    const VkFenceGetFdInfoKHR get = {VK_STRUCTURE_TYPE_FENCE_GET_FD_INFO_KHR, nullptr, exported,
                                     VK_EXTERNAL_FENCE_HANDLE_TYPE_OPAQUE_FD_BIT};
    int fd = -1;
    EXPECT_EQ(device->Get<PFN_vkGetFenceFdKHR>("vkGetFenceFdKHR")(device->handle, &get, &fd), VK_SUCCESS);
    DestroyFence(exported);
    EXPECT_EQ(mock.Calls("vkDestroyFence"), 2u);
    EXPECT_EQ(Did(End(), "fences_shared"), 2u);
}

// Whatever becomes of the call: the window system has seen the fence.
TEST_F(FencesTest, AFenceOfTheWindowSystemHasNoOtherLife) {
    Start(kRecycle, {VK_KHR_SWAPCHAIN_EXTENSION_NAME});
    uint32_t index = 0;
    const VkFence acquired = device->MakeFence();
    mock.Fail("vkAcquireNextImageKHR", 1, VK_ERROR_SURFACE_LOST_KHR);
    EXPECT_EQ(device->Get<PFN_vkAcquireNextImageKHR>("vkAcquireNextImageKHR")(
                  device->handle, VK_NULL_HANDLE, UINT64_MAX, VK_NULL_HANDLE, acquired, &index),
              VK_ERROR_SURFACE_LOST_KHR);
    const VkFence again = device->MakeFence();
    const VkAcquireNextImageInfoKHR info = {
        VK_STRUCTURE_TYPE_ACQUIRE_NEXT_IMAGE_INFO_KHR, nullptr, VK_NULL_HANDLE, UINT64_MAX, VK_NULL_HANDLE, again, 1};
    mock.Fail("vkAcquireNextImage2KHR", 1, VK_ERROR_SURFACE_LOST_KHR);
    EXPECT_EQ(device->Get<PFN_vkAcquireNextImage2KHR>("vkAcquireNextImage2KHR")(device->handle, &info, &index),
              VK_ERROR_SURFACE_LOST_KHR);
    const VkFence presented = device->MakeFence();
    const VkSwapchainPresentFenceInfoEXT fences = {VK_STRUCTURE_TYPE_SWAPCHAIN_PRESENT_FENCE_INFO_EXT, nullptr, 1,
                                                   &presented};
    const VkSwapchainKHR none = VK_NULL_HANDLE;
    const VkPresentInfoKHR present = {
        VK_STRUCTURE_TYPE_PRESENT_INFO_KHR, &fences, 0, nullptr, 1, &none, &index, nullptr};
    mock.Fail("vkQueuePresentKHR", 1, VK_ERROR_SURFACE_LOST_KHR);
    EXPECT_EQ(device->Get<PFN_vkQueuePresentKHR>("vkQueuePresentKHR")(device->queue, &present),
              VK_ERROR_SURFACE_LOST_KHR);
    for (const VkFence fence : {acquired, again, presented}) DestroyFence(fence);
    EXPECT_EQ(mock.Calls("vkDestroyFence"), 3u);
    EXPECT_EQ(Did(End(), "fences_shared"), 3u);
}

TEST_F(FencesTest, PrivateDataEndsWithTheFence) {
    Start();
    VkPrivateDataSlotCreateInfo info = {VK_STRUCTURE_TYPE_PRIVATE_DATA_SLOT_CREATE_INFO, nullptr, 0};
    VkPrivateDataSlot slot = VK_NULL_HANDLE;
    ASSERT_EQ(vkCreatePrivateDataSlot(device->handle, &info, nullptr, &slot), VK_SUCCESS);
    const VkFence fence = device->MakeFence();
    EXPECT_EQ(vkSetPrivateData(device->handle, VK_OBJECT_TYPE_FENCE, reinterpret_cast<uint64_t>(fence), slot, 42),
              VK_SUCCESS);
    DestroyFence(fence);
    EXPECT_EQ(mock.Calls("vkDestroyFence"), 1u);
    vkDestroyPrivateDataSlot(device->handle, slot, nullptr);
    EXPECT_EQ(Did(End(), "fences_marked"), 1u);
}

TEST_F(FencesTest, ANameIsTakenAwayBetweenLives) {
    mock.SetMode(kMockModeFull);
    Start();
    const auto name = device->Get<PFN_vkSetDebugUtilsObjectNameEXT>("vkSetDebugUtilsObjectNameEXT");
    ASSERT_NE(name, nullptr);
    const VkFence fence = device->MakeFence();
    const VkDebugUtilsObjectNameInfoEXT info = {VK_STRUCTURE_TYPE_DEBUG_UTILS_OBJECT_NAME_INFO_EXT, nullptr,
                                                VK_OBJECT_TYPE_FENCE, reinterpret_cast<uint64_t>(fence), "upload"};
    EXPECT_EQ(name(device->handle, &info), VK_SUCCESS);
    DestroyFence(fence);
    EXPECT_EQ(device->MakeFence(), fence);
    DestroyFence(fence);
    std::vector<std::string> names;
    for (const auto& call : mock.Calls())
        if (call.command == "vkSetDebugUtilsObjectNameEXT") names.push_back(call.text);
    // Once by the program, once taken away; the second life had none.
    ASSERT_EQ(names.size(), 2u) << names[0];
    EXPECT_THAT(names[0], HasSubstr("upload"));
    EXPECT_THAT(names[1], testing::Not(HasSubstr("upload")));
    EXPECT_EQ(Made(), 1u);
    End();
}

TEST_F(FencesTest, OnlySoManyAreKept) {
    Start();
    constexpr uint64_t kMany = 3000;
    constexpr uint64_t kKept = 1024;
    std::vector<VkFence> fences;
    for (uint64_t i = 0; i < kMany; ++i) fences.push_back(device->MakeFence(i % 2));
    for (const VkFence fence : fences) DestroyFence(fence);
    EXPECT_EQ(mock.Calls("vkDestroyFence"), kMany - kKept);
    const nlohmann::json summary = End();
    EXPECT_EQ(Did(summary, "fences_kept"), kKept);
    EXPECT_EQ(Did(summary, "fences_full"), kMany - kKept);
    EXPECT_EQ(Driver(summary, "fences_destroyed"), kMany);
}

TEST_F(FencesTest, WhatCannotBeResetIsReplaced) {
    Start();
    const VkFence old = device->MakeFence(true);
    DestroyFence(old);
    mock.Fail("vkResetFences", 1, VK_ERROR_OUT_OF_DEVICE_MEMORY);
    const VkFence fence = device->MakeFence();
    EXPECT_EQ(Status(fence), VK_NOT_READY);
    EXPECT_EQ(Made(), 2u);
    EXPECT_EQ(mock.Calls("vkDestroyFence"), 1u);
    DestroyFence(fence);
    End();
}

TEST_F(FencesTest, AResetThatFailedHalfWayIsDoubted) {
    Start();
    const VkFence fence = device->MakeFence(true);
    mock.Fail("vkResetFences", 1, VK_ERROR_OUT_OF_DEVICE_MEMORY);
    EXPECT_EQ(vkResetFences(device->handle, 1, &fence), VK_ERROR_OUT_OF_DEVICE_MEMORY);
    const uint64_t asked = mock.Calls("vkGetFenceStatus");
    DestroyFence(fence);
    EXPECT_EQ(mock.Calls("vkGetFenceStatus"), asked + 1);
    End();
}

TEST_F(FencesTest, AFastDriversFencesAreLeftAlone) {
    Start({{"waits", "off"}});  // recycle_fences = auto: the mock driver takes some hundred nanoseconds
    for (int i = 0; i < 100; ++i) DestroyFence(device->MakeFence());
    const nlohmann::json summary = End();
    // Unless this machine was very slow at every one of the first calls.
    EXPECT_EQ(Did(summary, "fences_cheap") + Did(summary, "fences_kept"), 100u);
    EXPECT_EQ(Driver(summary, "fences_created") + Did(summary, "fences_recycled"), 100u);
}

TEST_F(FencesTest, ManyThreadsNeverShareOne) {
    Start({{"recycle_fences", "on"}, {"waits", "on"}});
    std::mutex queue;
    std::mutex mutex;
    std::set<VkFence> owned;
    std::vector<std::thread> threads;
    for (int t = 0; t < 8; ++t) {
        threads.emplace_back([&, t] {
            for (int i = 0; i < 500; ++i) {
                const bool signaled = (i + t) % 3 == 0;
                const VkFence fence = device->MakeFence(signaled);
                {
                    const std::lock_guard lock(mutex);
                    EXPECT_TRUE(owned.insert(fence).second);
                }
                EXPECT_EQ(Status(fence), signaled ? VK_SUCCESS : VK_NOT_READY);
                if (!signaled) {
                    const std::lock_guard lock(queue);
                    EXPECT_EQ(device->Submit(VK_NULL_HANDLE, fence), VK_SUCCESS);
                }
                EXPECT_EQ(vkWaitForFences(device->handle, 1, &fence, VK_TRUE, UINT64_MAX), VK_SUCCESS);
                {
                    const std::lock_guard lock(mutex);
                    owned.erase(fence);
                }
                DestroyFence(fence);
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(Asked(End(), "fences_created"), 4000u);
}

}  // namespace
