// SPDX-License-Identifier: Apache-2.0
#include "support/extensions.h"

#include <gtest/gtest.h>

namespace kronos {
namespace {

std::string Newer(uint32_t program, uint32_t device) {
    VkPhysicalDeviceProperties properties = {};
    properties.apiVersion = device;
    return NewerThanBuild(program, properties);
}

// A device is used by the lower of both versions.
TEST(Extensions, VersionsThatTheBuildDoesNotKnow) {
    const uint32_t known = VK_HEADER_VERSION_COMPLETE;
    const uint32_t major = VK_API_VERSION_MAJOR(known), minor = VK_API_VERSION_MINOR(known);
    const uint32_t next = VK_MAKE_API_VERSION(0, major, minor + 1, 0);
    EXPECT_EQ(Newer(known, known), "");
    EXPECT_EQ(Newer(VK_MAKE_API_VERSION(0, major, minor, 4000), next), "") << "patches add nothing";
    EXPECT_EQ(Newer(VK_API_VERSION_1_0, next), "");
    EXPECT_EQ(Newer(next, VK_API_VERSION_1_0), "");
    EXPECT_EQ(Newer(next, next),
              "Vulkan " + std::to_string(major) + "." + std::to_string(minor + 1) + " is newer than this build");
    const uint32_t other = VK_MAKE_API_VERSION(0, major + 1, 0, 0);
    EXPECT_EQ(Newer(other, other), "Vulkan " + std::to_string(major + 1) + ".0 is newer than this build");
}

TEST(Extensions, ThatTheBuildKnows) {
    EXPECT_TRUE(IsKnownExtension(VK_KHR_SWAPCHAIN_EXTENSION_NAME));
    EXPECT_FALSE(IsKnownExtension("VK_KHR_swapchai"));
    EXPECT_FALSE(IsKnownExtension(""));
}

}  // namespace
}  // namespace kronos
