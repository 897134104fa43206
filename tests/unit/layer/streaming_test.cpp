// SPDX-License-Identifier: Apache-2.0
#include "stream/streaming.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kronos {
namespace {

using ::testing::HasSubstr;

class Streaming : public ::testing::Test {
  protected:
    Streaming() {
        info_.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO;
        properties_.apiVersion = VK_API_VERSION_1_4;
    }
    void Enable(const char* extension) {
        extensions_.push_back(extension);
        info_.enabledExtensionCount = static_cast<uint32_t>(extensions_.size());
        info_.ppEnabledExtensionNames = extensions_.data();
    }
    StreamPolicy Choose(RecorderMode wanted = RecorderMode::kHold) const {
        return ChooseStreams(wanted, info_, version_, properties_);
    }

    VkDeviceCreateInfo info_{};
    VkPhysicalDeviceProperties properties_{};
    uint32_t version_ = VK_API_VERSION_1_3;
    std::vector<const char*> extensions_;
};

TEST_F(Streaming, IsWhatWasAskedFor) {
    EXPECT_EQ(Choose(RecorderMode::kOff).mode, RecorderMode::kOff);
    EXPECT_EQ(Choose(RecorderMode::kObserve).mode, RecorderMode::kObserve);
    EXPECT_EQ(Choose(RecorderMode::kHold).mode, RecorderMode::kHold);
}

TEST_F(Streaming, IsOffWithAnExtensionThatNobodyKnows) {
    Enable(VK_KHR_PUSH_DESCRIPTOR_EXTENSION_NAME);
    Enable(VK_EXT_SHADER_OBJECT_EXTENSION_NAME);
    EXPECT_EQ(Choose().mode, RecorderMode::kHold);
    Enable("VK_KHR_shader_bfloat16");
    EXPECT_EQ(Choose().mode, RecorderMode::kHold) << "newer_extensions.txt has it";
    Enable("VK_KHR_not_yet");
    EXPECT_EQ(Choose().mode, RecorderMode::kOff);
    EXPECT_THAT(Choose().why, HasSubstr("VK_KHR_not_yet"));
}

TEST_F(Streaming, IsOffWhereSetsAreWrittenUnseen) {
    Enable(VK_VALVE_DESCRIPTOR_SET_HOST_MAPPING_EXTENSION_NAME);
    EXPECT_EQ(Choose().mode, RecorderMode::kOff);
    EXPECT_THAT(Choose().why, HasSubstr("nobody sees"));
}

TEST_F(Streaming, IsOffInAVersionThatNobodyKnows) {
    version_ = VK_MAKE_API_VERSION(0, 1, 9, 0);
    EXPECT_EQ(Choose().mode, RecorderMode::kHold) << "the device is of a known one";
    properties_.apiVersion = VK_MAKE_API_VERSION(0, 1, 9, 0);
    EXPECT_EQ(Choose().mode, RecorderMode::kOff);
    EXPECT_THAT(Choose().why, HasSubstr("1.9"));
    version_ = VK_API_VERSION_1_2;
    EXPECT_EQ(Choose().mode, RecorderMode::kHold) << "the program does not use it";
}

TEST_F(Streaming, IsOffForGroupsOfDevices) {
    VkDeviceGroupDeviceCreateInfo group = {};
    group.sType = VK_STRUCTURE_TYPE_DEVICE_GROUP_DEVICE_CREATE_INFO;
    group.physicalDeviceCount = 1;
    info_.pNext = &group;
    EXPECT_EQ(Choose().mode, RecorderMode::kHold);
    group.physicalDeviceCount = 2;
    EXPECT_EQ(Choose().mode, RecorderMode::kOff);
}

TEST_F(Streaming, NarrowsWhereThatWasMeasured) {
    EXPECT_FALSE(Choose().narrow);
    properties_.vendorID = 0x10DE;
    EXPECT_TRUE(Choose().narrow);
    Enable(VK_KHR_ACCELERATION_STRUCTURE_EXTENSION_NAME);
    EXPECT_FALSE(Choose().narrow);
}

TEST_F(Streaming, ReadsHowAccessesAreBounded) {
    EXPECT_FALSE(BoundsOf(info_).widen_writes);
    VkPhysicalDeviceFeatures features = {};
    features.robustBufferAccess = VK_TRUE;
    info_.pEnabledFeatures = &features;
    EXPECT_TRUE(BoundsOf(info_).widen_writes);
    info_.pEnabledFeatures = nullptr;
    VkPhysicalDeviceRobustness2FeaturesEXT second = {};
    second.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ROBUSTNESS_2_FEATURES_EXT;
    VkPhysicalDeviceFeatures2 all = {};
    all.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2;
    all.features = features;
    all.pNext = &second;
    info_.pNext = &all;
    EXPECT_TRUE(BoundsOf(info_).widen_writes);
    second.robustBufferAccess2 = VK_TRUE;
    EXPECT_FALSE(BoundsOf(info_).widen_writes);
    EXPECT_TRUE(BoundsOf(info_).round_up);
}

}  // namespace
}  // namespace kronos
