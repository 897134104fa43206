// SPDX-License-Identifier: Apache-2.0
// What ends the lives of memory, and what does not: names, tags, bindings, allocations that fail.
#include "memory_fixture.h"

namespace {

using layered::Asked;
using layered::Did;
using layered::Driver;
using layered::kLocalType;
using layered::kRecycleMemory;
using layered::MemoryTest;
using ::testing::HasSubstr;
using ::testing::Not;

class MemoryLifeTest : public MemoryTest {
  protected:
    VkPrivateDataSlot MakeSlot() const {
        const VkPrivateDataSlotCreateInfo info = {VK_STRUCTURE_TYPE_PRIVATE_DATA_SLOT_CREATE_INFO, nullptr, 0};
        VkPrivateDataSlot slot = VK_NULL_HANDLE;
        EXPECT_EQ(vkCreatePrivateDataSlot(device->handle, &info, nullptr, &slot), VK_SUCCESS);
        return slot;
    }
    void Name(VkDeviceMemory memory, const char* name) const {
        const VkDebugUtilsObjectNameInfoEXT info = {VK_STRUCTURE_TYPE_DEBUG_UTILS_OBJECT_NAME_INFO_EXT, nullptr,
                                                    VK_OBJECT_TYPE_DEVICE_MEMORY, reinterpret_cast<uint64_t>(memory),
                                                    name};
        const auto set = device->Get<PFN_vkSetDebugUtilsObjectNameEXT>("vkSetDebugUtilsObjectNameEXT");
        EXPECT_EQ(set(device->handle, &info), VK_SUCCESS);
    }
    // Leaves so many allocations idle, each of another size class.
    void LeaveIdle(uint64_t count) const {
        std::vector<VkDeviceMemory> memories;
        for (uint64_t i = 0; i < count; ++i) memories.push_back(Allocate(uint64_t{4096} << i));
        for (const VkDeviceMemory memory : memories) Free(memory);
    }
};

TEST_F(MemoryLifeTest, ANameIsTakenAwayBetweenLives) {
    mock.SetMode(kMockModeFull);
    Start();
    const VkDeviceMemory memory = Allocate(4096);
    Name(memory, "weights");
    Free(memory);
    EXPECT_EQ(Allocate(4096), memory);
    Free(memory);
    const std::vector<std::string> names = Texts("vkSetDebugUtilsObjectNameEXT");
    // Once by the program, once taken away; the second life had none.
    ASSERT_EQ(names.size(), 2u);
    EXPECT_THAT(names[0], HasSubstr("weights"));
    EXPECT_THAT(names[1], Not(HasSubstr("weights")));
    EXPECT_EQ(Made(), 1u);
    End();
}

TEST_F(MemoryLifeTest, ANameThatStaysEndsIt) {
    Start();
    const VkDeviceMemory memory = Allocate(4096);
    Name(memory, "weights");
    mock.Fail("vkSetDebugUtilsObjectNameEXT", 1, VK_ERROR_OUT_OF_HOST_MEMORY);
    Free(memory);
    EXPECT_EQ(Freed(), 1u);
    EXPECT_EQ(Did(End(), "memory_marked"), 1u);
}

TEST_F(MemoryLifeTest, PrivateDataAndTagsEndIt) {
    Start(kRecycleMemory, R"({"addExtensions": ["VK_EXT_debug_marker"]})", {VK_EXT_DEBUG_MARKER_EXTENSION_NAME});
    const VkPrivateDataSlot slot = MakeSlot();
    const std::vector<std::function<void(uint64_t)>> marks = {
        [&](uint64_t memory) {
            EXPECT_EQ(vkSetPrivateData(device->handle, VK_OBJECT_TYPE_DEVICE_MEMORY, memory, slot, 42), VK_SUCCESS);
        },
        [&](uint64_t memory) {
            const VkDebugUtilsObjectTagInfoEXT info = {VK_STRUCTURE_TYPE_DEBUG_UTILS_OBJECT_TAG_INFO_EXT,
                                                       nullptr,
                                                       VK_OBJECT_TYPE_DEVICE_MEMORY,
                                                       memory,
                                                       1,
                                                       1,
                                                       "x"};
            device->Get<PFN_vkSetDebugUtilsObjectTagEXT>("vkSetDebugUtilsObjectTagEXT")(device->handle, &info);
        },
        [&](uint64_t memory) {
            const VkDebugMarkerObjectNameInfoEXT info = {VK_STRUCTURE_TYPE_DEBUG_MARKER_OBJECT_NAME_INFO_EXT, nullptr,
                                                         VK_DEBUG_REPORT_OBJECT_TYPE_DEVICE_MEMORY_EXT, memory, "x"};
            device->Get<PFN_vkDebugMarkerSetObjectNameEXT>("vkDebugMarkerSetObjectNameEXT")(device->handle, &info);
        },
        [&](uint64_t memory) {
            const VkDebugMarkerObjectTagInfoEXT info = {VK_STRUCTURE_TYPE_DEBUG_MARKER_OBJECT_TAG_INFO_EXT,
                                                        nullptr,
                                                        VK_DEBUG_REPORT_OBJECT_TYPE_DEVICE_MEMORY_EXT,
                                                        memory,
                                                        1,
                                                        1,
                                                        "x"};
            device->Get<PFN_vkDebugMarkerSetObjectTagEXT>("vkDebugMarkerSetObjectTagEXT")(device->handle, &info);
        }};
    for (const auto& mark : marks) {
        // The one before it is gone; a second life may be marked as well as a first.
        const uint64_t freed = Freed();
        Free(Allocate(4096));
        EXPECT_EQ(Freed(), freed);
        const VkDeviceMemory memory = Allocate(4096);
        mark(reinterpret_cast<uint64_t>(memory));
        Free(memory);
        EXPECT_EQ(Freed(), freed + 1);
    }
    vkDestroyPrivateDataSlot(device->handle, slot, nullptr);
    EXPECT_EQ(Did(End(), "memory_marked"), marks.size());
}

TEST_F(MemoryLifeTest, SparseBindingsEndIt) {
    Start();
    const std::array<VkDeviceMemory, 4> memories = {Allocate(65536), Allocate(65536), Allocate(65536), Allocate(65536)};
    const VkBuffer buffer = MakeBuffer(65536, VK_BUFFER_CREATE_SPARSE_BINDING_BIT);
    VkImageCreateInfo image_info = {};
    image_info.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO;
    image_info.flags = VK_IMAGE_CREATE_SPARSE_BINDING_BIT | VK_IMAGE_CREATE_SPARSE_RESIDENCY_BIT;
    image_info.imageType = VK_IMAGE_TYPE_2D;
    image_info.format = VK_FORMAT_R8G8B8A8_UNORM;
    image_info.extent = {128, 128, 1};
    image_info.mipLevels = image_info.arrayLayers = 1;
    image_info.samples = VK_SAMPLE_COUNT_1_BIT;
    image_info.usage = VK_IMAGE_USAGE_TRANSFER_DST_BIT;
    VkImage image = VK_NULL_HANDLE;
    ASSERT_EQ(vkCreateImage(device->handle, &image_info, nullptr, &image), VK_SUCCESS);

    const VkSparseMemoryBind of_buffer = {0, 65536, memories[0], 0, 0};
    const VkSparseMemoryBind opaque = {0, 65536, memories[1], 0, 0};
    const VkSparseImageMemoryBind of_image = {{VK_IMAGE_ASPECT_COLOR_BIT, 0, 0}, {}, {128, 128, 1}, memories[2], 0, 0};
    const VkSparseBufferMemoryBindInfo buffer_binds = {buffer, 1, &of_buffer};
    const VkSparseImageOpaqueMemoryBindInfo opaque_binds = {image, 1, &opaque};
    const VkSparseImageMemoryBindInfo image_binds = {image, 1, &of_image};
    std::array<VkBindSparseInfo, 2> infos{};
    for (VkBindSparseInfo& info : infos) info.sType = VK_STRUCTURE_TYPE_BIND_SPARSE_INFO;
    infos[0].bufferBindCount = 1;
    infos[0].pBufferBinds = &buffer_binds;
    infos[1].imageOpaqueBindCount = 1;
    infos[1].pImageOpaqueBinds = &opaque_binds;
    infos[1].imageBindCount = 1;
    infos[1].pImageBinds = &image_binds;
    EXPECT_EQ(vkQueueBindSparse(device->queue, 2, infos.data(), VK_NULL_HANDLE), VK_SUCCESS);
    EXPECT_EQ(vkQueueWaitIdle(device->queue), VK_SUCCESS);
    vkDestroyBuffer(device->handle, buffer, nullptr);
    vkDestroyImage(device->handle, image, nullptr);
    for (const VkDeviceMemory memory : memories) Free(memory);
    EXPECT_EQ(Freed(), 3u);
    EXPECT_EQ(Allocate(65536), memories[3]);
    Free(memories[3]);
    const nlohmann::json summary = End();
    EXPECT_EQ(Did(summary, "memory_sparse"), 3u);
    EXPECT_EQ(Did(summary, "memory_kept"), 2u);
}

// Section "Device Memory Allocation": buffers may outlive their memory, as long as nothing uses them.
TEST_F(MemoryLifeTest, ABufferMayOutliveItsMemory) {
    Start();
    const VkBuffer old = MakeBuffer(4096);
    const VkDeviceMemory memory = Allocate(4096);
    EXPECT_EQ(vkBindBufferMemory(device->handle, old, memory, 0), VK_SUCCESS);
    Free(memory);
    EXPECT_EQ(Allocate(4096), memory);
    const VkBuffer buffer = MakeBuffer(4096);
    EXPECT_EQ(vkBindBufferMemory(device->handle, buffer, memory, 0), VK_SUCCESS);
    vkDestroyBuffer(device->handle, old, nullptr);
    const VkCommandBuffer commands = device->MakeBuffer();
    layered::Device::Begin(commands);
    vkCmdFillBuffer(commands, buffer, 0, VK_WHOLE_SIZE, 0x01010101);
    EXPECT_EQ(vkEndCommandBuffer(commands), VK_SUCCESS);
    EXPECT_EQ(device->Submit(commands), VK_SUCCESS);
    EXPECT_EQ(vkQueueWaitIdle(device->queue), VK_SUCCESS);
    EXPECT_THAT(Bytes(memory, 4096), testing::Each(1));
    vkDestroyBuffer(device->handle, buffer, nullptr);
    Free(memory);
    EXPECT_EQ(Made(), 1u);
    End();
}

class MemoryFailuresTest : public MemoryLifeTest, public ::testing::WithParamInterface<VkResult> {};

TEST_P(MemoryFailuresTest, AreTriedAgainWithoutWhatIsIdle) {
    Start();
    constexpr uint64_t kIdle = 5;
    LeaveIdle(kIdle);
    mock.Fail("vkAllocateMemory", 1, GetParam());
    const VkDeviceMemory memory = Allocate(uint64_t{5} << 20);
    EXPECT_EQ(Freed(), kIdle);
    EXPECT_EQ(Made(), kIdle + 2);
    Free(memory);
    EXPECT_EQ(Freed(), kIdle);
    const nlohmann::json summary = End();
    EXPECT_EQ(Did(summary, "memory_trims"), 1u);
    EXPECT_EQ(Did(summary, "memory_kept"), kIdle + 1);
    EXPECT_EQ(Asked(summary, "allocations"), kIdle + 1);
    EXPECT_EQ(Driver(summary, "allocations"), kIdle + 1);  // those that succeeded
    EXPECT_EQ(Driver(summary, "frees"), kIdle + 1);
    EXPECT_EQ(Driver(summary, "freed_bytes"), Driver(summary, "allocated_bytes"));
}

TEST_P(MemoryFailuresTest, OfMemoryThatIsNotRecycledToo) {
    Start();
    LeaveIdle(3);
    const VkExportMemoryAllocateInfo info = {VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO, nullptr,
                                             VK_EXTERNAL_MEMORY_HANDLE_TYPE_OPAQUE_FD_BIT};
    mock.Fail("vkAllocateMemory", 1, GetParam());
    Free(Allocate(5001, kLocalType, &info));
    EXPECT_EQ(Freed(), 4u);
    EXPECT_EQ(Did(End(), "memory_trims"), 1u);
}

TEST_P(MemoryFailuresTest, ThatLastAreTheDrivers) {
    Start();
    LeaveIdle(3);
    mock.Fail("vkAllocateMemory", 1, VK_ERROR_OUT_OF_DEVICE_MEMORY);
    mock.Fail("vkAllocateMemory", 2, GetParam());
    VkDeviceMemory memory = VK_NULL_HANDLE;
    EXPECT_EQ(TryAllocate(memory, uint64_t{5} << 20), GetParam());
    EXPECT_EQ(Made(), 5u);
    // Nothing is idle now: no second try.
    mock.Fail("vkAllocateMemory", 1, GetParam());
    EXPECT_EQ(TryAllocate(memory, uint64_t{5} << 20), GetParam());
    EXPECT_EQ(Made(), 6u);
    const nlohmann::json summary = End();
    EXPECT_EQ(Asked(summary, "allocations"), 3u);
    EXPECT_EQ(Driver(summary, "allocations"), 3u);
    EXPECT_EQ(Did(summary, "memory_trims"), 1u);
}

TEST_P(MemoryFailuresTest, OfARoundedSizeAreTriedWithTheProgramsOwn) {
    mock.SetMode(kMockModeFull);
    Start();
    mock.Fail("vkAllocateMemory", 1, GetParam());
    const VkDeviceMemory memory = Allocate(5001);
    EXPECT_EQ(Made(), 2u);
    EXPECT_THAT(Texts("vkAllocateMemory").back(), HasSubstr("allocationSize=5001"));
    Free(memory);
    EXPECT_EQ(Freed(), 1u);
    const nlohmann::json summary = End();
    EXPECT_EQ(Did(summary, "memory_odd"), 1u);
    EXPECT_EQ(Did(summary, "memory_kept"), 0u);
    EXPECT_EQ(Driver(summary, "allocated_bytes"), 5001u);
}

INSTANTIATE_TEST_SUITE_P(For, MemoryFailuresTest,
                         ::testing::Values(VK_ERROR_OUT_OF_DEVICE_MEMORY, VK_ERROR_OUT_OF_HOST_MEMORY,
                                           VK_ERROR_TOO_MANY_OBJECTS),
                         [](const auto& info) {
                             return info.param == VK_ERROR_OUT_OF_DEVICE_MEMORY ? "WantOfDeviceMemory"
                                    : info.param == VK_ERROR_OUT_OF_HOST_MEMORY ? "WantOfHostMemory"
                                                                                : "TooManyObjects";
                         });

TEST_F(MemoryLifeTest, OtherFailuresAreNotTriedAgain) {
    Start();
    LeaveIdle(3);
    for (const VkResult result : {VK_ERROR_INVALID_EXTERNAL_HANDLE, VK_ERROR_INVALID_OPAQUE_CAPTURE_ADDRESS}) {
        mock.Fail("vkAllocateMemory", 1, result);
        VkDeviceMemory memory = VK_NULL_HANDLE;
        EXPECT_EQ(TryAllocate(memory, 5001), result);
    }
    EXPECT_EQ(Made(), 5u);
    EXPECT_EQ(Freed(), 0u);
    EXPECT_EQ(Did(End(), "memory_trims"), 0u);
}

// The heap is really full: all the program may have, it has, rounding and idle memory or not.
TEST_F(MemoryLifeTest, AFullHeapIsTheProgramsToTheLastByte) {
    constexpr uint64_t kHeap = uint64_t{1} << 20;
    Start(kRecycleMemory,
          R"({"memoryHeaps": [{"size": 1048576}], "memoryTypes": [{"heap": 0, "flags": ["deviceLocal"]}]})");
    LeaveIdle(3);  // 28 KiB of the 51 that may be
    const VkDeviceMemory most = Allocate(kHeap - 5001);
    EXPECT_EQ(Freed(), 3u);
    const VkDeviceMemory rest = Allocate(5001);
    VkDeviceMemory none = VK_NULL_HANDLE;
    EXPECT_EQ(TryAllocate(none, 1), VK_ERROR_OUT_OF_DEVICE_MEMORY);
    Free(most);
    Free(rest);
    const nlohmann::json summary = End();
    EXPECT_EQ(Did(summary, "memory_odd"), 2u);
    EXPECT_EQ(Did(summary, "memory_trims"), 1u);
    EXPECT_EQ(Driver(summary, "allocated_bytes"), kHeap + (uint64_t{28} << 10));
}

// VkPhysicalDeviceLimits::maxMemoryAllocationCount counts what is idle too.
TEST_F(MemoryLifeTest, AsManyAllocationsAsWithoutTheLayer) {
    constexpr uint64_t kMost = 64;
    Start(kRecycleMemory, R"({"limits": {"maxMemoryAllocationCount": 64}})");
    LeaveIdle(4);
    std::vector<VkDeviceMemory> memories;
    for (uint64_t i = 0; i < kMost; ++i) memories.push_back(Allocate(100'000));
    VkDeviceMemory none = VK_NULL_HANDLE;
    EXPECT_EQ(TryAllocate(none, 100'000), VK_ERROR_TOO_MANY_OBJECTS);
    EXPECT_EQ(Freed(), 4u);
    for (const VkDeviceMemory memory : memories) Free(memory);
    // An eighth may be idle, half of that in each of the two heaps.
    EXPECT_EQ(LiveMemories().size(), 4u);
    End();
}

}  // namespace
