// SPDX-License-Identifier: Apache-2.0
// Memory that is a part of a slab, as programs use it: the driver must see only its own handles, and every byte must be
// where the program put it.
#include "slabs_fixture.h"

namespace {

constexpr const char* kManyAllocations = R"({"limits": {"maxMemoryAllocationCount": 4294967295}})";

using layered::Asked;
using layered::Did;
using layered::Driver;
using layered::kCachedType;
using layered::kCoherentType;
using layered::kLocalType;
using layered::kLocalVisibleType;
using layered::kSlabs;
using layered::SlabsTest;
using layered::SlabsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// 20,000 allocations on a driver that allows 4,096.
class AllocationLimitTest : public SlabsTest, public ::testing::WithParamInterface<bool> {};

TEST_P(AllocationLimitTest, TwentyThousandAllocations) {
    const bool on = GetParam();
    Start(on ? kSlabs : SlabsWith("slabs", "off"), R"({"limits": {"maxMemoryAllocationCount": 4096}})");
    mock.SetMode(kMockModeCounts);
    std::vector<VkDeviceMemory> memories;
    VkResult result = VK_SUCCESS;
    while (memories.size() < 20'000) {
        VkDeviceMemory memory = VK_NULL_HANDLE;
        result = TryAllocate(memory, 256 + memories.size() % 5000, memories.size() % 2 ? kLocalType : kCoherentType);
        if (result != VK_SUCCESS) break;
        memories.push_back(memory);
    }
    EXPECT_EQ(result, on ? VK_SUCCESS : VK_ERROR_TOO_MANY_OBJECTS);
    EXPECT_EQ(memories.size(), on ? 20'000u : 4096u);
    if (on) {
        EXPECT_LE(Made(), 40u);
    }
    for (const VkDeviceMemory memory : memories) Free(memory);
    const nlohmann::json summary = End();
    EXPECT_EQ(Did(summary, "slabs_served"), on ? 20'000u : 0u);
    EXPECT_EQ(Asked(summary, "allocations"), memories.size());
    EXPECT_EQ(Driver(summary, "allocations"), Driver(summary, "frees"));
}

INSTANTIATE_TEST_SUITE_P(Slabs, AllocationLimitTest, ::testing::Bool(),
                         [](const auto& info) { return info.param ? std::string("On") : std::string("Off"); });

// Larger ones would be the driver's; where it has few left they are not.
TEST_F(SlabsTest, NearTheLimitLargeOnesAreServedToo) {
    Start(kSlabs, R"({"limits": {"maxMemoryAllocationCount": 64}})");
    std::vector<VkDeviceMemory> memories;
    for (int i = 0; i < 200; ++i) memories.push_back(Allocate(5 << 20));
    EXPECT_LE(Made(), 64u);
    for (const VkDeviceMemory memory : memories) Free(memory);
    End();
}

// Steady state: no allocation of the driver after the first round.
TEST_F(SlabsTest, TheDriverIsAskedOnce) {
    Start();
    mock.SetMode(kMockModeCounts);
    uint64_t after_first = 0;
    for (int round = 0; round < 50; ++round) {
        std::vector<VkDeviceMemory> memories;
        for (int i = 0; i < 100; ++i) memories.push_back(Allocate(4096 << (i % 9), i % 2 ? kLocalType : kCoherentType));
        for (const VkDeviceMemory memory : memories) Free(memory);
        if (round == 0) after_first = Made();
        EXPECT_EQ(Made(), after_first);
    }
    EXPECT_EQ(Freed(), 0u);
    const nlohmann::json summary = End();
    EXPECT_EQ(Did(summary, "slabs_served"), 5000u);
    EXPECT_EQ(Did(summary, "slabs_made"), after_first);
    EXPECT_EQ(Driver(summary, "freed_bytes"), Driver(summary, "allocated_bytes"));
    EXPECT_EQ(Asked(summary, "freed_bytes"), Asked(summary, "allocated_bytes"));
    EXPECT_THAT(LogLines("slabs: type "), SizeIs(2));
}

// What is written through a map is what lies at the buffer's address, by both ways to bind and to map.
TEST_F(SlabsTest, BindsAndMapsAgree) {
    Start();
    std::vector<VkDeviceMemory> memories;
    std::vector<VkBuffer> buffers;
    for (uint8_t i = 0; i < 24; ++i) {
        const VkDeviceMemory memory = Allocate(20'000 + i, kLocalVisibleType, &flags);
        EXPECT_TRUE(IsTagged(memory));
        const VkBuffer first = MakeAddressed(4096);
        const VkBuffer second = MakeAddressed(5000);
        if (i % 2) {
            EXPECT_EQ(vkBindBufferMemory(device->handle, first, memory, 0), VK_SUCCESS);
            EXPECT_EQ(vkBindBufferMemory(device->handle, second, memory, 8192), VK_SUCCESS);
        } else {
            const VkBindBufferMemoryInfo binds[] = {
                {VK_STRUCTURE_TYPE_BIND_BUFFER_MEMORY_INFO, nullptr, first, memory, 0},
                {VK_STRUCTURE_TYPE_BIND_BUFFER_MEMORY_INFO, nullptr, second, memory, 8192}};
            EXPECT_EQ(vkBindBufferMemory2(device->handle, 2, binds), VK_SUCCESS);
        }
        auto* data = static_cast<uint8_t*>(i % 3 ? Map(memory) : Map(memory, 64, 12'000)) - (i % 3 ? 0 : 64);
        EXPECT_EQ(AddressOf(first), data);
        EXPECT_EQ(AddressOf(second), data + 8192);
        std::memset(data + 64, i, 11'000);
        if (i % 4) vkUnmapMemory(device->handle, memory);
        memories.push_back(memory);
        buffers.insert(buffers.end(), {first, second});
    }
    for (uint8_t i = 0; i < 24; ++i) EXPECT_EQ(AddressOf(buffers[2 * i + 1])[7], i);
    // Freed while resources are bound to it, and while it is mapped: both are allowed.
    for (const VkDeviceMemory memory : memories) Free(memory);
    for (const VkBuffer buffer : buffers) Destroy(buffer);
    EXPECT_EQ(Made(), 1u);
    const nlohmann::json summary = End();
    EXPECT_EQ(Asked(summary, "maps"), 24u);
    EXPECT_EQ(Driver(summary, "maps"), 1u);
    EXPECT_EQ(Driver(summary, "unmaps"), 0u);
}

TEST_F(SlabsTest, ManyBindsAtOnceAndMapMemory2) {
    Start(kSlabs, "{}", {VK_KHR_MAP_MEMORY_2_EXTENSION_NAME});
    const VkDeviceMemory parts = Allocate(64 << 10, kCoherentType, &flags);
    const VkDeviceMemory whole = Allocate(8 << 20, kCoherentType, &flags);
    EXPECT_TRUE(IsTagged(parts));
    EXPECT_FALSE(IsTagged(whole));
    std::vector<VkBuffer> buffers;
    std::vector<VkBindBufferMemoryInfo> binds;
    for (VkDeviceSize i = 0; i < 12; ++i) {
        buffers.push_back(MakeAddressed(4096));
        binds.push_back(
            {VK_STRUCTURE_TYPE_BIND_BUFFER_MEMORY_INFO, nullptr, buffers.back(), i % 2 ? parts : whole, i * 4096});
    }
    EXPECT_EQ(vkBindBufferMemory2(device->handle, 12, binds.data()), VK_SUCCESS);
    const auto map = device->Get<PFN_vkMapMemory2KHR>("vkMapMemory2KHR");
    const auto unmap = device->Get<PFN_vkUnmapMemory2KHR>("vkUnmapMemory2KHR");
    for (const VkDeviceMemory memory : {parts, whole}) {
        const VkMemoryMapInfoKHR info = {VK_STRUCTURE_TYPE_MEMORY_MAP_INFO_KHR, nullptr, 0, memory, 0, VK_WHOLE_SIZE};
        void* data = nullptr;
        EXPECT_EQ(map(device->handle, &info, &data), VK_SUCCESS);
        for (size_t i = 0; i < 12; ++i) {
            if (binds[i].memory == memory) {
                EXPECT_EQ(AddressOf(buffers[i]), static_cast<uint8_t*>(data) + binds[i].memoryOffset);
            }
        }
        const VkMemoryUnmapInfoKHR end = {VK_STRUCTURE_TYPE_MEMORY_UNMAP_INFO_KHR, nullptr, 0, memory};
        EXPECT_EQ(unmap(device->handle, &end), VK_SUCCESS);
    }
    for (const VkBuffer buffer : buffers) Destroy(buffer);
    Free(parts);
    Free(whole);
    End();
}

// Alignments, granularity and atoms as no driver has them all.
constexpr const char* kOdd = R"({"bufferAlignment": 262144, "imageAlignment": 131072,
    "limits": {"nonCoherentAtomSize": 256, "bufferImageGranularity": 65536, "minMemoryMapAlignment": 4096},
    "memoryHeaps": [{"size": 17179869184, "deviceLocal": true}],
    "memoryTypes": [{"heap": 0, "flags": ["deviceLocal"]}, {"heap": 0, "flags": ["hostVisible", "hostCoherent"]},
                    {"heap": 0, "flags": ["hostVisible", "hostCached"]}]})";

TEST_F(SlabsTest, OddAlignments) {
    Start(kSlabs, kOdd);
    std::vector<VkDeviceMemory> memories;
    std::vector<VkBuffer> buffers;
    std::vector<VkImage> images;
    for (uint32_t round = 0; round < 20; ++round) {
        const uint32_t type = round % 3;
        const VkDeviceMemory memory = Allocate((1 << 20) + round, type, type ? nullptr : &flags);
        EXPECT_TRUE(IsTagged(memory));
        if (type) {
            void* data = Map(memory);  // an image is bound after the map
            EXPECT_EQ(reinterpret_cast<uintptr_t>(data) % 4096, 0u);
        }
        images.push_back(MakeImage(100));
        EXPECT_EQ(vkBindImageMemory(device->handle, images.back(), memory, 131072), VK_SUCCESS);
        buffers.push_back(MakeBuffer(100'000));
        EXPECT_EQ(vkBindBufferMemory(device->handle, buffers.back(), memory, 262144), VK_SUCCESS);
        images.push_back(MakeImage(128));
        const VkBindImageMemoryInfo bind = {VK_STRUCTURE_TYPE_BIND_IMAGE_MEMORY_INFO, nullptr, images.back(), memory,
                                            524288};
        EXPECT_EQ(vkBindImageMemory2(device->handle, 1, &bind), VK_SUCCESS);
        memories.push_back(memory);
    }
    EXPECT_LT(Made(), 14u);
    for (const VkBuffer buffer : buffers) Destroy(buffer);
    for (const VkImage image : images) Destroy(image);
    for (const VkDeviceMemory memory : memories) Free(memory);
    EXPECT_EQ(Did(End(), "slabs_unaligned"), 0u);
}

// Of two resources in one memory that has no place yet, in one call: the place suffices for both, whichever comes
// first.
class BoundTogetherTest : public SlabsTest, public ::testing::WithParamInterface<bool> {
  protected:
    void Start(const void* next = nullptr) {
        SlabsTest::Start(kSlabs, R"({"largeBufferAlignment": 1048576})", {}, next);
        before = Allocate(4096);
        memory = Allocate(2 << 20);
    }
    void End() {
        Free(before);
        Free(memory);
        const nlohmann::json summary = SlabsTest::End();
        EXPECT_EQ(Did(summary, "slabs_moved"), 1u);
        EXPECT_EQ(Did(summary, "slabs_unaligned"), 0u);
    }
    VkDeviceMemory before = VK_NULL_HANDLE;
    VkDeviceMemory memory = VK_NULL_HANDLE;
};

TEST_P(BoundTogetherTest, OnePlaceSufficesForBoth) {
    Start();
    const VkBuffer small = MakeBuffer(4096);
    const VkBuffer large = MakeBuffer(1 << 20);
    VkBindBufferMemoryInfo binds[] = {{VK_STRUCTURE_TYPE_BIND_BUFFER_MEMORY_INFO, nullptr, small, memory, 1 << 20},
                                      {VK_STRUCTURE_TYPE_BIND_BUFFER_MEMORY_INFO, nullptr, large, memory, 0}};
    if (GetParam()) std::swap(binds[0], binds[1]);
    EXPECT_EQ(vkBindBufferMemory2(device->handle, 2, binds), VK_SUCCESS);
    Destroy(small);
    Destroy(large);
    End();
}

TEST_P(BoundTogetherTest, SparselyToo) {
    VkPhysicalDeviceFeatures2 features = {};
    features.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2;
    features.features.sparseBinding = VK_TRUE;
    features.features.sparseResidencyBuffer = VK_TRUE;
    Start(&features);
    const VkBuffer small = MakeBuffer(4096, VK_BUFFER_CREATE_SPARSE_BINDING_BIT);
    const VkBuffer large = MakeBuffer(1 << 20, VK_BUFFER_CREATE_SPARSE_BINDING_BIT);
    const VkSparseMemoryBind binds[] = {{0, 4096, memory, 1 << 20, 0}, {0, 1 << 20, memory, 0, 0}};
    VkSparseBufferMemoryBindInfo buffer_binds[] = {{small, 1, &binds[0]}, {large, 1, &binds[1]}};
    if (GetParam()) std::swap(buffer_binds[0], buffer_binds[1]);
    VkBindSparseInfo info = {};
    info.sType = VK_STRUCTURE_TYPE_BIND_SPARSE_INFO;
    info.bufferBindCount = 2;
    info.pBufferBinds = buffer_binds;
    EXPECT_EQ(vkQueueBindSparse(device->queue, 1, &info, VK_NULL_HANDLE), VK_SUCCESS);
    EXPECT_EQ(vkQueueWaitIdle(device->queue), VK_SUCCESS);
    Destroy(small);
    Destroy(large);
    End();
}

INSTANTIATE_TEST_SUITE_P(Slabs, BoundTogetherTest, ::testing::Bool(), [](const auto& info) {
    return info.param ? std::string("LargeFirst") : std::string("SmallFirst");
});

// What is mapped has its place, and that may not suffice for a resource: an error for each, and one line for all.
// Who asks what a resource needs and then allocates gets memory that suffices, though it is mapped before it is bound.
TEST_F(SlabsTest, WhatTheProgramAsksForIsKnownWhenItAllocates) {
    constexpr VkDeviceSize kAlignment = 1 << 20;
    const auto ask2 = [](auto command, VkDevice handle, const auto& info) {
        VkMemoryRequirements2 needed = {VK_STRUCTURE_TYPE_MEMORY_REQUIREMENTS_2, nullptr, {}};
        command(handle, &info, &needed);
        return needed.memoryRequirements;
    };
    for (int way = 0; way < 6; ++way) {
        const bool image = way >= 3;
        SCOPED_TRACE(way);
        Start(kSlabs, R"({"largeBufferAlignment": 1048576, "smallImageAlignment": 1048576})");
        const VkBuffer buffer = image ? VK_NULL_HANDLE : MakeBuffer(kAlignment);
        const VkImage small = image ? MakeImage(32) : VK_NULL_HANDLE;
        VkBufferCreateInfo buffer_info = {};
        buffer_info.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO;
        buffer_info.size = kAlignment;
        buffer_info.usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT;
        const VkImageCreateInfo image_info = ImageInfo(32);
        VkMemoryRequirements needed = {};
        switch (way) {
            case 0:
                vkGetBufferMemoryRequirements(device->handle, buffer, &needed);
                break;
            case 1:
                needed = ask2(vkGetBufferMemoryRequirements2, device->handle,
                              VkBufferMemoryRequirementsInfo2{VK_STRUCTURE_TYPE_BUFFER_MEMORY_REQUIREMENTS_INFO_2,
                                                              nullptr, buffer});
                break;
            case 2:
                needed = ask2(vkGetDeviceBufferMemoryRequirements, device->handle,
                              VkDeviceBufferMemoryRequirements{VK_STRUCTURE_TYPE_DEVICE_BUFFER_MEMORY_REQUIREMENTS,
                                                               nullptr, &buffer_info});
                break;
            case 3:
                vkGetImageMemoryRequirements(device->handle, small, &needed);
                break;
            case 4:
                needed = ask2(
                    vkGetImageMemoryRequirements2, device->handle,
                    VkImageMemoryRequirementsInfo2{VK_STRUCTURE_TYPE_IMAGE_MEMORY_REQUIREMENTS_INFO_2, nullptr, small});
                break;
            default:
                needed = ask2(vkGetDeviceImageMemoryRequirements, device->handle,
                              VkDeviceImageMemoryRequirements{VK_STRUCTURE_TYPE_DEVICE_IMAGE_MEMORY_REQUIREMENTS,
                                                              nullptr, &image_info, VK_IMAGE_ASPECT_NONE});
        }
        EXPECT_EQ(needed.alignment, kAlignment);
        // The second is not the first of its slab.
        std::vector<VkDeviceMemory> memories;
        for (int i = 0; i < 2; ++i) {
            memories.push_back(Allocate(needed.size, kCoherentType));
            EXPECT_TRUE(IsTagged(memories.back()));
            Map(memories.back());
        }
        EXPECT_EQ(image ? vkBindImageMemory(device->handle, small, memories[1], 0)
                        : vkBindBufferMemory(device->handle, buffer, memories[1], 0),
                  VK_SUCCESS);
        vkDestroyBuffer(device->handle, buffer, nullptr);
        vkDestroyImage(device->handle, small, nullptr);
        for (const VkDeviceMemory memory : memories) Free(memory);
        device->Destroy();
        EXPECT_EQ(Did(file.Lines("summary").back(), "slabs_unaligned"), 0u);
    }
}

// The driver is never asked for one more than it allows, for the layer's sake or otherwise.
TEST_F(SlabsTest, EmptySlabsDoNotCountAgainstTheLimit) {
    constexpr uint64_t kLimit = 8;
    Start(kSlabs, R"({"limits": {"maxMemoryAllocationCount": 8}})");
    Free(Allocate(4096));
    std::vector<VkBuffer> buffers;
    std::vector<VkDeviceMemory> memories;
    for (uint64_t i = 0; i < kLimit; ++i) {
        buffers.push_back(MakeBuffer(4096));
        const VkMemoryDedicatedAllocateInfo dedicated = {VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO, nullptr,
                                                         VK_NULL_HANDLE, buffers.back()};
        memories.push_back(Allocate(4096, kLocalType, &dedicated));
        EXPECT_FALSE(IsTagged(memories.back()));
    }
    EXPECT_EQ(mock.Calls("vkAllocateMemory"), kLimit + 1) << "and the slab went before the last";
    VkDeviceMemory none = VK_NULL_HANDLE;
    EXPECT_EQ(TryAllocate(none, 4096), VK_ERROR_TOO_MANY_OBJECTS);
    EXPECT_EQ(mock.Calls("vkAllocateMemory"), kLimit + 2) << "what the program asks for, and no slab";
    for (const VkDeviceMemory memory : memories) Free(memory);
    for (const VkBuffer buffer : buffers) Destroy(buffer);
    End();
}

// Too large for the slabs of most programs: what is idle comes first, and a slab with room for it is not asked.
TEST_F(SlabsTest, LargeOnesThatAreIdleComeBeforeSlabs) {
    layered::SettingMap settings = kSlabs;
    settings["recycle_memory"] = "on";
    Start(settings);
    constexpr VkDeviceSize kLarge = 3 << 20;
    const VkDeviceMemory alone = Allocate(kLarge);
    EXPECT_FALSE(IsTagged(alone)) << "no slab is large enough yet";
    Free(alone);
    std::vector<VkDeviceMemory> memories;
    for (int i = 0; i < 40; ++i) memories.push_back(Allocate(1 << 20));
    const VkDeviceMemory again = Allocate(kLarge);
    EXPECT_EQ(again, alone);
    const VkDeviceMemory another = Allocate(kLarge);
    EXPECT_TRUE(IsTagged(another)) << "nothing is idle, and slabs are large enough now";
    for (const VkDeviceMemory memory : memories) {
        EXPECT_TRUE(IsTagged(memory));
        Free(memory);
    }
    Free(again);
    Free(another);
    const nlohmann::json summary = End();
    EXPECT_EQ(Did(summary, "memory_recycled"), 1u);
    EXPECT_EQ(Did(summary, "memory_made"), 1u);
    EXPECT_EQ(Did(summary, "slabs_served"), 41u);
}

// With preset = observe nothing is virtual, and it is counted what would have been.
TEST_F(SlabsTest, WhatSlabsWouldHaveRoomForIsForeseen) {
    layered::SettingMap settings = {{"preset", "observe"}};
    Start(settings);
    for (int i = 0; i < 200; ++i) {
        const VkDeviceMemory memory = Allocate(1 << 20);
        EXPECT_FALSE(IsTagged(memory));
        Free(memory);
    }
    std::vector<VkDeviceMemory> memories;
    for (int i = 0; i < 4; ++i) memories.push_back(Allocate(1 << 20));
    for (int i = 0; i < 2; ++i) Free(Allocate(3 << 20));
    for (const VkDeviceMemory memory : memories) Free(memory);
    const nlohmann::json summary = End();
    EXPECT_EQ(Did(summary, "slabs_room"), 203u) << "of 204 in one slab of four";
    EXPECT_EQ(Did(summary, "memory_again"), 1u) << "the second of those that are too large";
    EXPECT_EQ(Did(summary, "slabs_served"), 0u);
}

TEST_F(SlabsTest, BindsThatCannotBeAreToldOnce) {
    Start(kSlabs, R"({"largeBufferAlignment": 1048576})");
    std::vector<VkDeviceMemory> memories = {Allocate(4096, kCoherentType)};
    for (int i = 0; i < 2; ++i) memories.push_back(Allocate(3 << 19, kCoherentType));
    for (size_t i = 1; i < memories.size(); ++i) {
        Map(memories[i]);
        const VkBuffer buffer = MakeBuffer(1 << 20);
        EXPECT_EQ(vkBindBufferMemory(device->handle, buffer, memories[i], 0), VK_ERROR_OUT_OF_DEVICE_MEMORY);
        Destroy(buffer);
    }
    // Of the second form, which tells of each bind.
    const VkBuffer buffer = MakeBuffer(1 << 20);
    VkResult result = VK_SUCCESS;
    const VkBindMemoryStatus status = {VK_STRUCTURE_TYPE_BIND_MEMORY_STATUS, nullptr, &result};
    const VkBindBufferMemoryInfo bind = {VK_STRUCTURE_TYPE_BIND_BUFFER_MEMORY_INFO, &status, buffer, memories[1], 0};
    EXPECT_EQ(vkBindBufferMemory2(device->handle, 1, &bind), VK_ERROR_OUT_OF_DEVICE_MEMORY);
    EXPECT_EQ(result, VK_ERROR_OUT_OF_DEVICE_MEMORY);
    Destroy(buffer);
    for (const VkDeviceMemory memory : memories) Free(memory);
    EXPECT_EQ(Did(End(), "slabs_unaligned"), 3u);
    EXPECT_THAT(LogLines("a resource needs an alignment of 1048576"), SizeIs(1));
}

// On devices of 1.0 images of several planes are asked by the extension's command.
TEST_F(SlabsTest, PlanesOfImagesOnADeviceOf10) {
    const std::vector<const char*> extensions = {
        VK_KHR_BIND_MEMORY_2_EXTENSION_NAME, VK_KHR_GET_MEMORY_REQUIREMENTS_2_EXTENSION_NAME,
        VK_KHR_MAINTENANCE_1_EXTENSION_NAME, VK_KHR_SAMPLER_YCBCR_CONVERSION_EXTENSION_NAME};
    MemoryTest::Start(kSlabs, R"({"apiVersion": "1.0.0", "addExtensions": ["VK_KHR_sampler_ycbcr_conversion"]})",
                      extensions);
    VkImageCreateInfo info = {};
    info.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO;
    info.flags = VK_IMAGE_CREATE_DISJOINT_BIT;
    info.imageType = VK_IMAGE_TYPE_2D;
    info.format = VK_FORMAT_G8_B8R8_2PLANE_420_UNORM;
    info.extent = {64, 64, 1};
    info.mipLevels = info.arrayLayers = 1;
    info.samples = VK_SAMPLE_COUNT_1_BIT;
    info.usage = VK_IMAGE_USAGE_SAMPLED_BIT;
    VkImage image = VK_NULL_HANDLE;
    EXPECT_EQ(vkCreateImage(device->handle, &info, nullptr, &image), VK_SUCCESS);
    const VkDeviceMemory memory = Allocate(65536);
    EXPECT_TRUE(IsTagged(memory));
    const uint64_t asked_plainly = mock.Calls("vkGetImageMemoryRequirements");
    const VkBindImagePlaneMemoryInfo plane = {VK_STRUCTURE_TYPE_BIND_IMAGE_PLANE_MEMORY_INFO, nullptr,
                                              VK_IMAGE_ASPECT_PLANE_0_BIT};
    const VkBindImageMemoryInfo bind = {VK_STRUCTURE_TYPE_BIND_IMAGE_MEMORY_INFO, &plane, image, memory, 0};
    const auto bind_images = device->Get<PFN_vkBindImageMemory2KHR>("vkBindImageMemory2KHR");
    EXPECT_EQ(bind_images(device->handle, 1, &bind), VK_SUCCESS);
    EXPECT_EQ(mock.Count("vkGetImageMemoryRequirements2KHR", 0), 1u);
    EXPECT_EQ(mock.Calls("vkGetImageMemoryRequirements"), asked_plainly);
    Destroy(image);
    Free(memory);
    End();
}

TEST_F(SlabsTest, RangesAreOfTheSlabInWholeAtoms) {
    Start(kSlabs, kOdd);
    constexpr uint32_t kNotCoherent = 2;
    const VkDeviceMemory before = Allocate(70'000, kNotCoherent);
    const VkDeviceMemory memory = Allocate(70'001, kNotCoherent);
    Map(memory, 256, 1000);
    const auto ranges = [&](std::vector<VkMappedMemoryRange> all) {
        for (VkMappedMemoryRange& one : all) one.sType = VK_STRUCTURE_TYPE_MAPPED_MEMORY_RANGE;
        EXPECT_EQ(vkFlushMappedMemoryRanges(device->handle, static_cast<uint32_t>(all.size()), all.data()), VK_SUCCESS);
        EXPECT_EQ(vkInvalidateMappedMemoryRanges(device->handle, static_cast<uint32_t>(all.size()), all.data()),
                  VK_SUCCESS);
        EXPECT_EQ(Texts("vkFlushMappedMemoryRanges").back().substr(25),
                  Texts("vkInvalidateMappedMemoryRanges").back().substr(30));
        return Texts("vkFlushMappedMemoryRanges").back();
    };
    // The memory begins where the first one's granules end.
    EXPECT_THAT(ranges({{{}, nullptr, memory, 256, VK_WHOLE_SIZE}}), HasSubstr("offset=131328 size=1024"));
    EXPECT_THAT(ranges({{{}, nullptr, memory, 512, 256}}), HasSubstr("offset=131584 size=256"));
    vkUnmapMemory(device->handle, memory);
    Map(memory);
    EXPECT_THAT(ranges({{{}, nullptr, memory, 0, VK_WHOLE_SIZE}}), HasSubstr("offset=131072 size=70144"));
    EXPECT_THAT(ranges({{{}, nullptr, memory, 69'888, 113}, {{}, nullptr, memory, 0, 256}}),
                HasSubstr("offset=200960 size=256"));
    // What was mapped is written back before anybody else gets it, and not what was not.
    const uint64_t flushes = mock.Calls("vkFlushMappedMemoryRanges");
    Free(memory);
    EXPECT_EQ(mock.Calls("vkFlushMappedMemoryRanges"), flushes + 1);
    Free(before);
    EXPECT_EQ(mock.Calls("vkFlushMappedMemoryRanges"), flushes + 1);
    End();
}

// Real allocations stay real, with the handle of the driver's.
TEST_F(SlabsTest, WhatMustBeTheDriversIs) {
    const VkPhysicalDeviceMemoryPriorityFeaturesEXT feature = {
        VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PRIORITY_FEATURES_EXT, nullptr, VK_TRUE};
    Start(kSlabs, "{}", {VK_EXT_MEMORY_PRIORITY_EXTENSION_NAME}, &feature);
    const VkBuffer buffer = MakeBuffer(4096);
    const VkMemoryDedicatedAllocateInfo dedicated = {VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO, nullptr,
                                                     VK_NULL_HANDLE, buffer};
    const VkExportMemoryAllocateInfo exported = {VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO, nullptr,
                                                 VK_EXTERNAL_MEMORY_HANDLE_TYPE_OPAQUE_FD_BIT};
    const VkMemoryPriorityAllocateInfoEXT priority = {VK_STRUCTURE_TYPE_MEMORY_PRIORITY_ALLOCATE_INFO_EXT, nullptr,
                                                      0.25f};
    VkAllocationCallbacks callbacks = {};
    callbacks.pfnAllocation = [](void*, size_t size, size_t, VkSystemAllocationScope) { return std::malloc(size); };
    callbacks.pfnReallocation = [](void*, void* old, size_t size, size_t, VkSystemAllocationScope) {
        return std::realloc(old, size);
    };
    callbacks.pfnFree = [](void*, void* memory) { std::free(memory); };
    std::vector<VkDeviceMemory> memories;
    for (const void* next : {static_cast<const void*>(&dedicated), static_cast<const void*>(&exported)}) {
        memories.push_back(Allocate(4096, kLocalType, next));
        EXPECT_FALSE(IsTagged(memories.back()));
    }
    for (const void* next : {static_cast<const void*>(&priority), static_cast<const void*>(&flags)}) {
        memories.push_back(Allocate(4096, kLocalType, next));
        EXPECT_TRUE(IsTagged(memories.back()));
    }
    EXPECT_THAT(Texts("vkAllocateMemory").back(), HasSubstr("+VkMemoryAllocateFlagsInfo"));
    memories.push_back(Allocate(300 << 20));
    EXPECT_FALSE(IsTagged(memories.back()));
    const VkDeviceMemory own = Allocate(4096, kLocalType, nullptr, &callbacks);
    EXPECT_FALSE(IsTagged(own));
    EXPECT_EQ(vkBindBufferMemory(device->handle, buffer, memories[0], 0), VK_SUCCESS);
    vkFreeMemory(device->handle, own, &callbacks);
    for (const VkDeviceMemory memory : memories) Free(memory);
    Destroy(buffer);
    const nlohmann::json summary = End();
    for (const char* reason : {"dedicated", "export", "size", "allocator"})
        EXPECT_EQ(Did(summary, (std::string("slabs_refused_") + reason).c_str()), 1u) << reason;
    EXPECT_EQ(Did(summary, "slabs_served"), 2u);
}

// An extension that nobody reviewed: no slabs, and one line names it. The one beside it changes nothing.
class ReviewedTest : public SlabsTest, public ::testing::WithParamInterface<const char*> {};

TEST_P(ReviewedTest, OnlyWhatIsReviewed) {
    const std::string name = GetParam();
    const bool harmless = name == "VK_KHR_shader_clock";
    Start(kSlabs, R"({"addExtensions": [")" + name + R"("]})", {GetParam()});
    const VkDeviceMemory memory = Allocate(4096);
    EXPECT_EQ(IsTagged(memory), harmless);
    Free(memory);
    EXPECT_EQ(Did(End(), "slabs_served"), harmless ? 1u : 0u);
    EXPECT_THAT(LogLines("slabs: off"), SizeIs(harmless ? 0 : 1));
    EXPECT_THAT(LogLines("slabs: off: " + name), SizeIs(harmless ? 0 : 1));
}

INSTANTIATE_TEST_SUITE_P(Slabs, ReviewedTest,
                         ::testing::Values("VK_FAKE_memory", "VK_KHR_shader_clock",
                                           "VK_EXT_pageable_device_local_memory"),
                         [](const auto& info) { return std::string(info.param); });

// By default nothing is virtual.
TEST_F(SlabsTest, OffIsOff) {
    Start(SlabsWith("slabs", "off"));
    const VkDeviceMemory memory = Allocate(4096);
    EXPECT_FALSE(IsTagged(memory));
    Free(memory);
    EXPECT_EQ(Did(End(), "slabs_served"), 0u);
    EXPECT_THAT(LogLines("slabs:"), IsEmpty());
}

// auto follows what the recycler finds of the driver: that it is dear, here by its setting.
TEST_F(SlabsTest, AutoIsOnWhereTheDriverIsDear) {
    layered::SettingMap settings = SlabsWith("slabs", "auto");
    for (const char* recycle_memory : {"on", "auto"}) {
        settings["recycle_memory"] = recycle_memory;
        Start(settings, kManyAllocations);
        const VkDeviceMemory memory = Allocate(4096);
        const bool dear = recycle_memory == std::string("on");
        EXPECT_EQ(IsTagged(memory), dear);
        Free(memory);
        device->Destroy();
        const nlohmann::json summary = file.Lines("summary").back();
        EXPECT_EQ(Did(summary, "slabs_served"), dear ? 1u : 0u);
        EXPECT_EQ(Did(summary, "slabs_refused_cheap"), dear ? 0u : 1u);
    }
}

TEST_F(SlabsTest, AutoIsOnWhereTheDriverAllowsFewAllocations) {
    Start(SlabsWith("slabs", "auto"));
    const VkDeviceMemory memory = Allocate(4096);
    EXPECT_TRUE(IsTagged(memory));
    Free(memory);
    End();
    EXPECT_THAT(LogLines("slabs: on as the driver allows 4096 allocations"), SizeIs(1));
}

// Both where people look, for there is little that such a device gains.
TEST_F(SlabsTest, AnExtensionThatNobodyKnowsIsNamedInTheLogs) {
    Start(kSlabs, R"({"addExtensions": ["VK_KHR_not_yet", "VK_KHR_shader_bfloat16"]})",
          {"VK_KHR_not_yet", "VK_KHR_shader_bfloat16"});
    End();
    EXPECT_EQ(file.Lines("device").at(0)["unknown_extensions"], nlohmann::json({"VK_KHR_not_yet"}));
    EXPECT_THAT(LogLines("much is left alone, for this build does not know VK_KHR_not_yet"), SizeIs(1));
}

TEST_F(SlabsTest, AutoIsOffWhereNobodyMeasuresTheDriver) {
    Start(SlabsWith("slabs", "auto"), kManyAllocations);
    const VkDeviceMemory memory = Allocate(4096);
    EXPECT_FALSE(IsTagged(memory));
    Free(memory);
    End();
    EXPECT_THAT(LogLines("slabs: off: with slabs = auto"), SizeIs(1));
}

}  // namespace
