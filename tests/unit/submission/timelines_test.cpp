// SPDX-License-Identifier: Apache-2.0
#include "submission/timelines.h"

#include <gtest/gtest.h>
#include <vulkan/vk_layer.h>

#include <cstring>
#include <vulkan/utility/vk_struct_helper.hpp>

namespace kronos {
namespace {

constexpr TimelineSupport kNew = {VK_API_VERSION_1_3, true, true};
constexpr TimelineSupport kOld = {VK_API_VERSION_1_1, true, true};

VkDeviceCreateInfo Info(const void* next) {
    VkDeviceCreateInfo info = {};
    info.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO;
    info.pNext = next;
    return info;
}
bool IsOn(const VkDeviceCreateInfo& info) {
    const auto* all = vku::FindStructInPNextChain<VkPhysicalDeviceVulkan12Features>(info.pNext);
    const auto* alone = vku::FindStructInPNextChain<VkPhysicalDeviceTimelineSemaphoreFeatures>(info.pNext);
    EXPECT_FALSE(all && alone) << "section VkDeviceCreateInfo: not both";
    return (all && all->timelineSemaphore) || (alone && alone->timelineSemaphore);
}
template <class T>
T Make(VkStructureType type, void* next = nullptr) {
    T made = {};
    made.sType = type;
    made.pNext = next;
    return made;
}

TEST(WithTimelines, WhatIsOnStays) {
    auto all = Make<VkPhysicalDeviceVulkan12Features>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES);
    all.timelineSemaphore = VK_TRUE;
    const VkDeviceCreateInfo program = Info(&all);
    const WithTimelines with(program, {});
    EXPECT_TRUE(with.why_not().empty());
    EXPECT_FALSE(with.changed());
    EXPECT_EQ(&with.info(), &program);
}

TEST(WithTimelines, WhatNobodySpeaksOfIsAdded) {
    auto features = Make<VkPhysicalDeviceFeatures2>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2);
    const VkDeviceCreateInfo program = Info(&features);
    const WithTimelines with(program, kNew);
    EXPECT_TRUE(with.changed());
    EXPECT_TRUE(IsOn(with.info()));
    EXPECT_EQ(vku::FindStructInPNextChain<VkPhysicalDeviceFeatures2>(with.info().pNext), &features);
    EXPECT_EQ(with.info().enabledExtensionCount, 0u);
    EXPECT_EQ(program.pNext, &features);
}

TEST(WithTimelines, WhatIsOffIsOnInACopyAndTheProgramsStays) {
    auto last = Make<VkPhysicalDeviceVulkan13Features>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES);
    auto all = Make<VkPhysicalDeviceVulkan12Features>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES, &last);
    all.scalarBlockLayout = VK_TRUE;
    auto eleven = Make<VkPhysicalDeviceVulkan11Features>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES, &all);
    eleven.multiview = VK_TRUE;
    VkLayerDeviceCreateInfo loader = {};
    loader.sType = VK_STRUCTURE_TYPE_LOADER_DEVICE_CREATE_INFO;
    loader.pNext = &eleven;
    loader.function = VK_LOADER_DATA_CALLBACK;
    const VkDeviceCreateInfo program = Info(&loader);
    const WithTimelines with(program, kNew);
    EXPECT_TRUE(IsOn(with.info()));
    EXPECT_FALSE(all.timelineSemaphore);
    const auto* copy = vku::FindStructInPNextChain<VkPhysicalDeviceVulkan12Features>(with.info().pNext);
    ASSERT_TRUE(copy);
    EXPECT_TRUE(copy->scalarBlockLayout);
    EXPECT_EQ(copy->pNext, &last);
    const auto* first = static_cast<const VkLayerDeviceCreateInfo*>(with.info().pNext);
    EXPECT_EQ(first->function, VK_LOADER_DATA_CALLBACK);
    EXPECT_TRUE(vku::FindStructInPNextChain<VkPhysicalDeviceVulkan11Features>(with.info().pNext)->multiview);
}

TEST(WithTimelines, TheFeatureAloneCanBeOffToo) {
    auto alone =
        Make<VkPhysicalDeviceTimelineSemaphoreFeatures>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_TIMELINE_SEMAPHORE_FEATURES);
    const VkDeviceCreateInfo program = Info(&alone);
    const WithTimelines with(program, kNew);
    EXPECT_TRUE(IsOn(with.info()));
    EXPECT_FALSE(alone.timelineSemaphore);
}

TEST(WithTimelines, BehindAStructureThatIsNotKnownItStaysOff) {
    auto all = Make<VkPhysicalDeviceVulkan12Features>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES);
    VkBaseInStructure unknown = {static_cast<VkStructureType>(2'000'000'000),
                                 reinterpret_cast<VkBaseInStructure*>(&all)};
    const VkDeviceCreateInfo program = Info(&unknown);
    const WithTimelines with(program, kNew);
    EXPECT_FALSE(with.changed());
    EXPECT_NE(with.why_not().find("2000000000"), std::string::npos) << with.why_not();
    EXPECT_EQ(&with.info(), &program);
}

TEST(WithTimelines, BeforeOnePointTwoTheExtensionIsAddedWhereTheDeviceHasIt) {
    const char* names[] = {"VK_KHR_maintenance1"};
    VkDeviceCreateInfo program = Info(nullptr);
    program.enabledExtensionCount = 1;
    program.ppEnabledExtensionNames = names;
    const WithTimelines with(program, kOld);
    ASSERT_EQ(with.info().enabledExtensionCount, 2u);
    EXPECT_STREQ(with.info().ppEnabledExtensionNames[0], "VK_KHR_maintenance1");
    EXPECT_STREQ(with.info().ppEnabledExtensionNames[1], VK_KHR_TIMELINE_SEMAPHORE_EXTENSION_NAME);
    EXPECT_TRUE(IsOn(with.info()));
    names[0] = VK_KHR_TIMELINE_SEMAPHORE_EXTENSION_NAME;
    const WithTimelines enabled(program, kOld);
    EXPECT_EQ(enabled.info().enabledExtensionCount, 1u);
    EXPECT_TRUE(IsOn(enabled.info()));
}

TEST(WithTimelines, WhatTheDeviceOrTheProgramsVersionDoesNotHaveStaysOff) {
    const VkDeviceCreateInfo program = Info(nullptr);
    for (const TimelineSupport& support :
         {TimelineSupport{VK_API_VERSION_1_3, false, false}, TimelineSupport{VK_API_VERSION_1_1, true, false},
          TimelineSupport{VK_API_VERSION_1_0, true, true}}) {
        const WithTimelines with(program, support);
        EXPECT_FALSE(with.changed());
        EXPECT_FALSE(with.why_not().empty());
    }
}

}  // namespace
}  // namespace kronos
