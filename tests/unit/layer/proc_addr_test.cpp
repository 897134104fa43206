// SPDX-License-Identifier: Apache-2.0
#include "entry/proc_addr.h"

#include <gtest/gtest.h>

#include <cstring>

namespace kronos {
namespace {

TEST(ProcAddr, AliasesShareTheHook) {
    ASSERT_NE(FindHook("vkQueueSubmit2"), nullptr);
    EXPECT_EQ(FindHook("vkQueueSubmit2"), FindHook("vkQueueSubmit2KHR"));
    EXPECT_EQ(FindHook("vkGetPhysicalDeviceToolPropertiesEXT"), FindHook("vkGetPhysicalDeviceToolProperties"));
}

TEST(ProcAddr, OtherNamesHaveNone) {
    for (const char* name : {"", "vk", "vkCreateQueryPool", "vkQueueSubmit3", "vkQueueSubmi", "QueueSubmit"})
        EXPECT_EQ(FindHook(name), nullptr) << name;
}

VKAPI_ATTR VkResult VKAPI_CALL Core(VkQueue, uint32_t, const VkSubmitInfo2*, VkFence) { return VK_SUCCESS; }
VKAPI_ATTR VkResult VKAPI_CALL Extension(VkQueue, uint32_t, const VkSubmitInfo2*, VkFence) { return VK_INCOMPLETE; }
bool has_extension = true;
VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL Next(VkDevice, const char* name) {
    const bool asked = std::strcmp(name, "vkQueueSubmit2KHR") == 0;
    return asked && has_extension ? reinterpret_cast<PFN_vkVoidFunction>(Extension) : nullptr;
}

PFN_vkQueueSubmit2 Chosen(PFN_vkQueueSubmit2 core, bool extension, uint32_t version) {
    VkuDeviceDispatchTable table = {};
    table.QueueSubmit2 = core;
    has_extension = extension;
    ShareSlots(table, VK_NULL_HANDLE, Next, version);
    return table.QueueSubmit2;
}

TEST(ProcAddr, TheSlotHoldsTheCoreCommandWhereTheVersionHasIt) {
    EXPECT_EQ(Chosen(Core, true, VK_API_VERSION_1_3), Core);
    EXPECT_EQ(Chosen(Core, true, VK_API_VERSION_1_2), Extension)
        << "the driver knows it, the program's version does not";
    EXPECT_EQ(Chosen(nullptr, true, VK_API_VERSION_1_1), Extension);
    EXPECT_EQ(Chosen(nullptr, false, VK_API_VERSION_1_1), nullptr);
    EXPECT_EQ(Chosen(nullptr, true, VK_API_VERSION_1_3), Extension) << "a layer below that knows only the alias";
    EXPECT_EQ(Chosen(Core, false, VK_API_VERSION_1_1), Core) << "a driver that is generous";
}

}  // namespace
}  // namespace kronos
