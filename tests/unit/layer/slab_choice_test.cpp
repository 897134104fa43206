// SPDX-License-Identifier: Apache-2.0
// Which devices and which allocations may have slabs; beside each refusal the neighbour that is served.
#include "memory/slab_choice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <vulkan/vk_layer.h>

#include "memory/slab_forecast.h"

namespace kronos {
namespace {

using ::testing::HasSubstr;

std::string Why(std::vector<const char*> extensions, const void* next = nullptr,
                uint32_t version = VK_API_VERSION_1_3) {
    VkDeviceCreateInfo info = {};
    info.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO;
    info.pNext = next;
    info.enabledExtensionCount = static_cast<uint32_t>(extensions.size());
    info.ppEnabledExtensionNames = extensions.data();
    VkPhysicalDeviceProperties properties = {};
    properties.apiVersion = version;
    return WhyNoSlabs(info, version, properties);
}

TEST(SlabChoice, WhatNobodyReviewedIsNamed) {
    EXPECT_EQ(Why({}), "");
    EXPECT_EQ(Why({VK_KHR_SHADER_CLOCK_EXTENSION_NAME, VK_EXT_MEMORY_BUDGET_EXTENSION_NAME,
                   VK_KHR_SWAPCHAIN_EXTENSION_NAME, VK_KHR_BUFFER_DEVICE_ADDRESS_EXTENSION_NAME}),
              "");
    for (const char* name :
         {"VK_FAKE_memory", VK_EXT_PAGEABLE_DEVICE_LOCAL_MEMORY_EXTENSION_NAME,
          VK_EXT_DEVICE_MEMORY_REPORT_EXTENSION_NAME, VK_EXT_DEVICE_ADDRESS_BINDING_REPORT_EXTENSION_NAME,
          VK_NV_RAY_TRACING_EXTENSION_NAME, VK_KHR_VIDEO_QUEUE_EXTENSION_NAME})
        EXPECT_THAT(Why({VK_KHR_SHADER_CLOCK_EXTENSION_NAME, name}), HasSubstr(name));
    EXPECT_THAT(Why({}, nullptr, VK_MAKE_API_VERSION(0, 1, 9, 0)), HasSubstr("newer"));
}

TEST(SlabChoice, StructuresOfTheDeviceToo) {
    const VkPhysicalDeviceShaderClockFeaturesKHR clock = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_CLOCK_FEATURES_KHR,
                                                          nullptr, VK_TRUE, VK_TRUE};
    VkLayerDeviceCreateInfo loader = {};
    loader.sType = VK_STRUCTURE_TYPE_LOADER_DEVICE_CREATE_INFO;
    loader.pNext = &clock;
    EXPECT_EQ(Why({}, &loader), "");
    VkBaseInStructure unknown = {static_cast<VkStructureType>(1'000'999'000), nullptr};
    EXPECT_THAT(Why({}, &unknown), HasSubstr("1000999000"));
    VkDeviceDeviceMemoryReportCreateInfoEXT report = {};
    report.sType = VK_STRUCTURE_TYPE_DEVICE_DEVICE_MEMORY_REPORT_CREATE_INFO_EXT;
    EXPECT_THAT(Why({}, &report), HasSubstr("not reviewed"));
    VkDeviceGroupDeviceCreateInfo group = {VK_STRUCTURE_TYPE_DEVICE_GROUP_DEVICE_CREATE_INFO, nullptr, 1, nullptr};
    EXPECT_EQ(Why({}, &group), "");
    group.physicalDeviceCount = 2;
    EXPECT_THAT(Why({}, &group), HasSubstr("group of 2"));
}

// newer_extensions.txt.
TEST(SlabChoice, SomeThatAreNewerThanTheHeadersAreKnown) {
    const VkBaseInStructure bfloat16 = {static_cast<VkStructureType>(1'000'141'000), nullptr};
    EXPECT_EQ(Why({"VK_KHR_shader_bfloat16"}, &bfloat16), "");
    EXPECT_THAT(Why({"VK_KHR_internally_synchronized_queues"}), HasSubstr("internally_synchronized"));
}

TEST(SlabChoice, GranulesKeepNeighboursApart) {
    VkPhysicalDeviceLimits limits = {};
    limits.nonCoherentAtomSize = 64;
    limits.bufferImageGranularity = 1024;
    limits.minMemoryMapAlignment = 64;
    EXPECT_EQ(SlabGranule(limits), 4096u);
    limits.bufferImageGranularity = 65536;
    EXPECT_EQ(SlabGranule(limits), 65536u);
    limits.bufferImageGranularity = 1;
    limits.minMemoryMapAlignment = 131072;
    EXPECT_EQ(SlabGranule(limits), 131072u);
    limits.minMemoryMapAlignment = size_t{1} << 30;
    EXPECT_EQ(SlabGranule(limits), 0u);
}

class JudgeSlabTest : public ::testing::Test {
  protected:
    JudgeSlabTest() {
        facts.properties.memoryHeapCount = 2;
        facts.properties.memoryHeaps[0].size = uint64_t{1} << 30;
        facts.properties.memoryHeaps[1].size = uint64_t{16} << 20;
        facts.properties.memoryTypeCount = 5;
        facts.properties.memoryTypes[0] = {VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT, 0};
        facts.properties.memoryTypes[1] = {VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT,
                                           0};
        facts.properties.memoryTypes[2] = {VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_CACHED_BIT, 0};
        facts.properties.memoryTypes[3] = {
            VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT | VK_MEMORY_PROPERTY_LAZILY_ALLOCATED_BIT, 0};
        facts.properties.memoryTypes[4] = {VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT, 1};
        facts.options.types = SlabTypes(facts.properties, uint64_t{256} << 20, uint64_t{1} << 30, 4096);
    }
    // "" for what is served.
    std::string Judge(uint64_t bytes, uint32_t type = 0, const void* next = nullptr, bool allocator = false) const {
        const VkMemoryAllocateInfo info = {VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, next, bytes, type};
        const auto judged = JudgeSlab(info, allocator, facts);
        if (std::holds_alternative<MemoryKey>(judged)) return "";
        return std::string(kSlabRefusalNames[static_cast<size_t>(std::get<SlabRefusal>(judged))]);
    }
    SlabFacts facts;
};

TEST_F(JudgeSlabTest, TypesAndSizes) {
    EXPECT_EQ(facts.options.types[0].largest, uint64_t{128} << 20);  // an eighth of the heap
    EXPECT_EQ(facts.options.types[4].largest, uint64_t{2} << 20);
    EXPECT_EQ(Judge(1), "");
    EXPECT_EQ(Judge(uint64_t{64} << 20), "");
    EXPECT_EQ(Judge((uint64_t{64} << 20) + 1), "size");
    EXPECT_EQ(Judge(0), "size");
    EXPECT_EQ(Judge(uint64_t{1} << 20, 4), "");
    EXPECT_EQ(Judge((uint64_t{1} << 20) + 1, 4), "size");
    EXPECT_EQ(Judge(4096, 1), "");
    EXPECT_EQ(Judge(4096, 2), "");
    EXPECT_EQ(Judge(4096, 3), "memory_type");
    EXPECT_EQ(Judge(4096, 5), "memory_type");
    EXPECT_EQ(Judge(4096, 0, nullptr, true), "allocator");
}

// What slabs would do is what they do, whatever the driver; nothing of it is mapped or flushed.
TEST_F(JudgeSlabTest, AForecastOfThemKnowsWhatThereIsRoomFor) {
    facts.when_dear = true;
    facts.options.guard = true;
    facts.options.zero = ZeroMemory::kHost;
    SlabForecast forecast(facts);
    const auto foreseen = [&](uint64_t bytes, uint32_t type, bool allocator = false) {
        const VkMemoryAllocateInfo info = {VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, nullptr, bytes, type};
        return forecast.Allocate(info, allocator);
    };
    for (const uint32_t type : {0u, 1u}) {
        const SlabForecast::Foreseen first = foreseen(uint64_t{1} << 20, type);
        EXPECT_TRUE(first.place);
        EXPECT_FALSE(first.room) << "a slab is made for it";
        for (int i = 0; i < 100; ++i) {
            const SlabForecast::Foreseen next = foreseen(uint64_t{1} << 20, type);
            EXPECT_TRUE(next.room);
            forecast.Free(*next.place);
        }
        forecast.Free(*first.place);
    }
    EXPECT_FALSE(foreseen(uint64_t{8} << 20, 0).place) << "more than half of the next slab";
    EXPECT_FALSE(foreseen(4096, 3).place) << "no slab may be of such a type";
    EXPECT_FALSE(foreseen(4096, 0, true).place);
}

TEST_F(JudgeSlabTest, Chains) {
    VkMemoryAllocateFlagsInfo flags = {VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_FLAGS_INFO, nullptr,
                                       VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT, 0};
    EXPECT_EQ(Judge(4096, 0, &flags), "");
    facts.capture_replay = true;
    EXPECT_EQ(Judge(4096, 0, &flags), "capture_replay");
    EXPECT_EQ(Judge(4096, 0), "");
    flags.flags |= VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_CAPTURE_REPLAY_BIT;
    EXPECT_EQ(Judge(4096, 0, &flags), "allocate_flags");
    VkMemoryDedicatedAllocateInfo dedicated = {};
    dedicated.sType = VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO;
    EXPECT_EQ(Judge(4096, 0, &dedicated), "");
    dedicated.buffer = reinterpret_cast<VkBuffer>(16);
    EXPECT_EQ(Judge(4096, 0, &dedicated), "dedicated");
    const VkExportMemoryAllocateInfo exported = {VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO, nullptr,
                                                 VK_EXTERNAL_MEMORY_HANDLE_TYPE_OPAQUE_FD_BIT};
    EXPECT_EQ(Judge(4096, 0, &exported), "export");
    const VkBaseInStructure unknown = {static_cast<VkStructureType>(1'000'999'000), nullptr};
    EXPECT_EQ(Judge(4096, 0, &unknown), "unknown_structure");
}

TEST_F(JudgeSlabTest, ZerosThatNobodyCanWrite) {
    facts.options.zero = ZeroMemory::kHost;
    EXPECT_EQ(Judge(4096, 0), "");
    EXPECT_EQ(Judge(4096, 1), "");
    EXPECT_EQ(Judge(4096, 2), "not_zeroed");
    facts.options.zero = ZeroMemory::kAll;
    EXPECT_EQ(Judge(4096, 0), "not_zeroed");
    EXPECT_EQ(Judge(4096, 1), "");
}

TEST_F(JudgeSlabTest, PlacedMaps) {
    facts.placed_map = true;
    EXPECT_EQ(Judge(4096, 1), "placed_map");
    EXPECT_EQ(Judge(4096, 0), "");
}

}  // namespace
}  // namespace kronos
