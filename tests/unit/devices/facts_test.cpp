// SPDX-License-Identifier: Apache-2.0
// What devices say of themselves, read from a driver that says what the test wants.
#include "devices/facts.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

namespace kronos {
namespace {

bool& HasBudget() {
    static bool has = true;
    return has;
}

VkuInstanceDispatchTable Driver() {
    VkuInstanceDispatchTable table = {};
    table.EnumerateDeviceExtensionProperties = [](VkPhysicalDevice, const char*, uint32_t* count,
                                                  VkExtensionProperties* properties) {
        const uint32_t all = HasBudget() ? 1 : 0;
        if (properties && all) std::strcpy(properties->extensionName, VK_EXT_MEMORY_BUDGET_EXTENSION_NAME);
        *count = properties ? std::min(*count, all) : all;
        return VK_SUCCESS;
    };
    table.GetPhysicalDeviceMemoryProperties2 = [](VkPhysicalDevice, VkPhysicalDeviceMemoryProperties2* memory) {
        auto* budget = static_cast<VkPhysicalDeviceMemoryBudgetPropertiesEXT*>(memory->pNext);
        ASSERT_EQ(budget->sType, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT);
        budget->heapBudget[0] = 1000;
        budget->heapUsage[0] = 300;
        budget->heapBudget[1] = 50;
        budget->heapUsage[1] = 80;  // more than it is to have
    };
    table.GetPhysicalDeviceQueueFamilyProperties = [](VkPhysicalDevice, uint32_t* count,
                                                      VkQueueFamilyProperties* properties) {
        if (properties) {
            properties[0].queueFlags = VK_QUEUE_COMPUTE_BIT | VK_QUEUE_TRANSFER_BIT;
            properties[0].queueCount = 8;
            properties[1].queueFlags = VK_QUEUE_TRANSFER_BIT;
            properties[1].queueCount = 2;
        }
        *count = 2;
    };
    return table;
}

DeviceFacts Read(const VkuInstanceDispatchTable& table, uint32_t version) {
    DeviceFacts facts;
    facts.api_version = VK_API_VERSION_1_3;
    facts.heaps = {{2000, true, {}}, {100, false, {}}};
    ReadDeviceDetails(table, version, VK_NULL_HANDLE, facts);
    return facts;
}

TEST(DeviceDetails, FreeMemoryAndQueueFamilies) {
    HasBudget() = true;
    const DeviceFacts facts = Read(Driver(), VK_API_VERSION_1_1);
    EXPECT_EQ(facts.heaps[0].free, 700u);
    EXPECT_EQ(facts.heaps[1].free, 0u) << "never less than none";
    ASSERT_EQ(facts.families.size(), 2u);
    EXPECT_EQ(facts.families[0].flags, VkQueueFlags{VK_QUEUE_COMPUTE_BIT | VK_QUEUE_TRANSFER_BIT});
    EXPECT_EQ(facts.families[0].count, 8u);
    EXPECT_EQ(facts.families[1].flags, VkQueueFlags{VK_QUEUE_TRANSFER_BIT});
    EXPECT_EQ(facts.families[1].count, 2u);
}

TEST(DeviceDetails, FreeMemoryIsNotAskedForWhereItCannotBe) {
    HasBudget() = true;
    EXPECT_FALSE(Read(Driver(), VK_API_VERSION_1_0).heaps[0].free) << "the program's version has no such command";
    VkuInstanceDispatchTable without = Driver();
    without.GetPhysicalDeviceMemoryProperties2 = nullptr;
    EXPECT_FALSE(Read(without, VK_API_VERSION_1_1).heaps[0].free);
    HasBudget() = false;
    const DeviceFacts facts = Read(Driver(), VK_API_VERSION_1_1);
    EXPECT_FALSE(facts.heaps[0].free) << "the driver does not tell";
    EXPECT_EQ(facts.families.size(), 2u);
}

TEST(DeviceTexts, AsOtherToolsWriteThem) {
    EXPECT_EQ(PciText({0, 0x65, 0, 0}), "0000:65:00.0");
    EXPECT_EQ(PciText({0x1a2b, 0x0c, 0x1f, 7}), "1a2b:0c:1f.7");
    EXPECT_EQ(VersionText(VK_MAKE_API_VERSION(0, 1, 3, 250)), "1.3.250");
    EXPECT_EQ(UuidText({0x4c, 0x1b, 0x2d, 0x3e, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 255}),
              "4c1b2d3e-0001-0203-0405-060708090aff");
}

}  // namespace
}  // namespace kronos
