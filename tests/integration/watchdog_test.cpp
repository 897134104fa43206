// SPDX-License-Identifier: Apache-2.0
// What the layer does once it had no memory for what it notes: the setting watchdog.
#include <dlfcn.h>

#include <cstring>

#include "submits_fixture.h"

namespace {

thread_local bool layer_fails = false;

bool IsLayers(const void* address) {
    Dl_info info = {};
    return dladdr(address, &info) && info.dli_fname && std::strstr(info.dli_fname, "libVkLayer_kronos");
}

}  // namespace

// The process's, in place of the C library's: the layer finds it too.
extern "C" void* __libc_malloc(size_t bytes);
extern "C" __attribute__((visibility("default"))) void* malloc(size_t bytes) {
    if (layer_fails && IsLayers(__builtin_return_address(0))) return nullptr;
    return __libc_malloc(bytes);
}

namespace {

using layered::Device;
using layered::Did;
using layered::SettingMap;
using layered::SubmitsTest;

class WatchdogTest : public SubmitsTest {
  protected:
    // The layer finds no memory for a command buffer of the program's, which then goes straight to the driver.
    void Fail() {
        layer_fails = true;
        const VkCommandBuffer buffer = device->MakeBuffer();
        layer_fails = false;
        ASSERT_NE(buffer, VkCommandBuffer{VK_NULL_HANDLE});
        Device::Record(buffer, 1);
        EXPECT_EQ(device->Submit(buffer), VK_SUCCESS);
    }
};

const SettingMap kAll = layered::With(
    layered::kHeld,
    {{"barriers", "on"}, {"descriptors", "on"}, {"fusion", "on"}, {"recycle_memory", "on"}, {"slabs", "on"}});

TEST_F(WatchdogTest, AfterAnErrorOfTheLayersNothingIsOptimised) {
    Start(kAll);
    Hold();
    ASSERT_NO_FATAL_FAILURE(Fail());
    EXPECT_EQ(Given(), 2u) << "what was held went first, then what came";
    const uint64_t before = mock.Calls("vkQueueSubmit");
    EXPECT_EQ(device->Submit(Recorded()), VK_SUCCESS);
    EXPECT_EQ(mock.Calls("vkQueueSubmit"), before + 1) << "nothing is held any more";
    mock.OpenGate(VK_NULL_HANDLE);
    EXPECT_EQ(vkDeviceWaitIdle(device->handle), VK_SUCCESS);

    const VkMemoryAllocateInfo info = {VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, nullptr, 4096, 0};
    const uint64_t allocations = mock.Calls("vkAllocateMemory");
    for (int i = 0; i < 3; ++i) {
        VkDeviceMemory memory = VK_NULL_HANDLE;
        ASSERT_EQ(vkAllocateMemory(device->handle, &info, nullptr, &memory), VK_SUCCESS);
        vkFreeMemory(device->handle, memory, nullptr);
    }
    EXPECT_EQ(mock.Calls("vkAllocateMemory"), allocations + 3) << "neither slabs nor earlier lives serve";
    const VkFence fence = device->MakeFence();
    const uint64_t destroyed = mock.Calls("vkDestroyFence");
    vkDestroyFence(device->handle, fence, nullptr);
    EXPECT_EQ(mock.Calls("vkDestroyFence"), destroyed + 1) << "no fence is kept";

    const nlohmann::json summary = Ended();
    EXPECT_EQ(Did(summary, "watchdog"), 1u);
    EXPECT_EQ(Did(summary, "memory_watchdog"), 3u);
    EXPECT_EQ(Did(summary, "fences_watchdog"), 1u);
    EXPECT_GE(Did(summary, "submits_watchdog"), 2u);
    EXPECT_GE(Did(summary, "streams_watchdog"), 1u);
    EXPECT_TRUE(mock.Violations().empty());
}

TEST_F(WatchdogTest, OffItGoesOn) {
    Start(layered::With(kAll, {{"watchdog", "false"}}));
    Hold();
    ASSERT_NO_FATAL_FAILURE(Fail());
    const uint64_t before = mock.Calls("vkQueueSubmit");
    EXPECT_EQ(device->Submit(Recorded()), VK_SUCCESS);
    EXPECT_EQ(mock.Calls("vkQueueSubmit"), before) << "it is held";
    EXPECT_EQ(Did(Ended(), "watchdog"), 0u);
}

TEST_F(WatchdogTest, AnotherInstanceGoesOn) {
    Start(kAll);
    Hold();
    ASSERT_NO_FATAL_FAILURE(Fail());
    End();
    Start(kAll);
    Hold();
    End();
    const auto summaries = file.Lines("summary");
    ASSERT_EQ(summaries.size(), 2u);
    EXPECT_EQ(Did(summaries[0], "watchdog"), 1u);
    EXPECT_EQ(Did(summaries[1], "watchdog"), 0u);
}

// Commands of all kinds go straight to the driver: those that could be held, and those that end a recording.
TEST_F(WatchdogTest, ACommandBufferThatNobodyKnows) {
    Start(kAll);
    layer_fails = true;
    const VkCommandBuffer buffer = device->MakeBuffer();
    layer_fails = false;
    ASSERT_NE(buffer, VkCommandBuffer{VK_NULL_HANDLE});
    Device::Begin(buffer);
    vkCmdDispatch(buffer, 1, 1, 1);
    EXPECT_EQ(mock.Calls("vkCmdDispatch"), 1u);
    vkCmdSetDeviceMask(buffer, 1);
    EXPECT_EQ(mock.Calls("vkCmdSetDeviceMask"), 1u);
    EXPECT_EQ(vkEndCommandBuffer(buffer), VK_SUCCESS);
    EXPECT_EQ(device->Submit(buffer), VK_SUCCESS);
    EXPECT_EQ(mock.Calls("vkQueueSubmit"), 1u);
}

}  // namespace
