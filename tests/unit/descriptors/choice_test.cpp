// SPDX-License-Identifier: Apache-2.0
#include "descriptors/choice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace kronos {
namespace {

using ::testing::HasSubstr;

DescriptorPolicy Choose(const std::vector<const char*>& extensions, bool wanted = true, const void* next = nullptr,
                        uint32_t version = VK_API_VERSION_1_3) {
    VkDeviceCreateInfo info = {};
    info.pNext = next;
    info.enabledExtensionCount = static_cast<uint32_t>(extensions.size());
    info.ppEnabledExtensionNames = extensions.data();
    VkPhysicalDeviceProperties properties = {};
    properties.apiVersion = version;
    return ChooseDescriptors(wanted, info, version, properties);
}

TEST(DescriptorChoice, IsWhatWasAskedFor) {
    EXPECT_TRUE(Choose({}).persistent);
    EXPECT_TRUE(Choose({}).shadow);
    EXPECT_FALSE(Choose({}, false).shadow);
    EXPECT_FALSE(Choose({}, false).refused);
}

TEST(DescriptorChoice, ReviewedExtensionsAndThoseThatHaveNothingToDoWithSets) {
    EXPECT_TRUE(Choose({VK_EXT_DESCRIPTOR_INDEXING_EXTENSION_NAME, VK_KHR_PUSH_DESCRIPTOR_EXTENSION_NAME,
                        VK_EXT_DESCRIPTOR_BUFFER_EXTENSION_NAME, VK_KHR_SHADER_FLOAT16_INT8_EXTENSION_NAME})
                    .persistent);
}

TEST(DescriptorChoice, ExtensionsOfSetsThatNobodyReviewed) {
    for (const char* name : {VK_NV_PER_STAGE_DESCRIPTOR_SET_EXTENSION_NAME,
                             VK_EXT_DEVICE_GENERATED_COMMANDS_EXTENSION_NAME, "VK_KHR_not_yet"}) {
        const DescriptorPolicy policy = Choose({VK_KHR_PUSH_DESCRIPTOR_EXTENSION_NAME, name});
        EXPECT_TRUE(policy.shadow) << name;
        EXPECT_FALSE(policy.persistent) << name;
        EXPECT_TRUE(policy.refused) << name;
        EXPECT_THAT(policy.why, HasSubstr(name));
    }
}

TEST(DescriptorChoice, NothingWhereSetsAreWrittenUnseen) {
    const DescriptorPolicy policy = Choose({"VK_KHR_not_yet", VK_VALVE_DESCRIPTOR_SET_HOST_MAPPING_EXTENSION_NAME});
    EXPECT_FALSE(policy.shadow);
    EXPECT_THAT(policy.why, HasSubstr("nobody sees"));
    EXPECT_FALSE(Choose({}, true, nullptr, VK_MAKE_API_VERSION(0, 1, 9, 0)).shadow);
}

TEST(DescriptorChoice, GroupsOfDevicesHaveTheProgramsSets) {
    const VkDeviceGroupDeviceCreateInfo two = {VK_STRUCTURE_TYPE_DEVICE_GROUP_DEVICE_CREATE_INFO, nullptr, 2, nullptr};
    const VkDeviceGroupDeviceCreateInfo one = {VK_STRUCTURE_TYPE_DEVICE_GROUP_DEVICE_CREATE_INFO, nullptr, 1, nullptr};
    EXPECT_FALSE(Choose({}, true, &two).persistent);
    EXPECT_TRUE(Choose({}, true, &two).shadow);
    EXPECT_TRUE(Choose({}, true, &one).persistent);
}

}  // namespace
}  // namespace kronos
