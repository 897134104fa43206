// SPDX-License-Identifier: Apache-2.0
// What the layer answers of itself to a loader that asks the library rather than the manifest.
#include <gtest/gtest.h>

#include "entry/hooks.h"
#include "entry/proc_addr.h"

namespace kronos {
namespace {

template <class Function>
Function Get(const char* name) {
    return reinterpret_cast<Function>(hook::GetInstanceProcAddr(VK_NULL_HANDLE, name));
}

template <class List>
void ListsItselfAlone(List list) {
    uint32_t count = 7;
    EXPECT_EQ(list(&count, nullptr), VK_SUCCESS);
    EXPECT_EQ(count, 1u);
    VkLayerProperties layers[2] = {};
    count = 2;
    EXPECT_EQ(list(&count, layers), VK_SUCCESS);
    EXPECT_EQ(count, 1u);
    EXPECT_STREQ(layers[0].layerName, "VK_LAYER_KRONOS_compute");
    EXPECT_STRNE(layers[0].description, "");
    EXPECT_EQ(layers[0].specVersion, uint32_t{VK_HEADER_VERSION_COMPLETE});
    EXPECT_STREQ(layers[1].layerName, "");
    count = 0;
    EXPECT_EQ(list(&count, layers), VK_INCOMPLETE);
    EXPECT_EQ(count, 0u);
}

TEST(OwnLayer, IsTheOnlyOneOfInstances) {
    const auto list = Get<PFN_vkEnumerateInstanceLayerProperties>("vkEnumerateInstanceLayerProperties");
    ASSERT_TRUE(list);
    ListsItselfAlone(list);
}

TEST(OwnLayer, IsTheOnlyOneOfDevices) {
    const auto list = Get<PFN_vkEnumerateDeviceLayerProperties>("vkEnumerateDeviceLayerProperties");
    ASSERT_TRUE(list);
    ListsItselfAlone([&](uint32_t* count, VkLayerProperties* layers) { return list(VK_NULL_HANDLE, count, layers); });
}

TEST(OwnLayer, OffersNoExtensionsAndKnowsNoOtherLayer) {
    const auto list = Get<PFN_vkEnumerateInstanceExtensionProperties>("vkEnumerateInstanceExtensionProperties");
    ASSERT_TRUE(list);
    uint32_t count = 7;
    EXPECT_EQ(list("VK_LAYER_KRONOS_compute", &count, nullptr), VK_SUCCESS);
    EXPECT_EQ(count, 0u);
    for (const char* other : {static_cast<const char*>(nullptr), "VK_LAYER_KHRONOS_validation"})
        EXPECT_EQ(list(other, &count, nullptr), VK_ERROR_LAYER_NOT_PRESENT);
    const auto of_device = Get<PFN_vkEnumerateDeviceExtensionProperties>("vkEnumerateDeviceExtensionProperties");
    ASSERT_TRUE(of_device);
    count = 7;
    EXPECT_EQ(of_device(VK_NULL_HANDLE, "VK_LAYER_KRONOS_compute", &count, nullptr), VK_SUCCESS);
    EXPECT_EQ(count, 0u);
}

}  // namespace
}  // namespace kronos
