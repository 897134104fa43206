// SPDX-License-Identifier: Apache-2.0
// Which bytes buffers, images and their views are.
#include "world.h"

namespace kronos {
namespace {

// One storage buffer read, one written: what a dispatch says of two buffers.
class MemoryTest : public ::testing::Test {
  protected:
    MemoryTest() {
        layout_ = world_.SetLayout(1, {{0, kStorage}, {1, kStorage}});
        world_.BindPipeline(
            world_.Pipeline(1, world_.Layout(1, {layout_}), Shader({Does(0, Use::kRead), Does(1, Use::kWrite)})));
        pool_ = world_.Pool(1);
        set_ = world_.Set(1, pool_, layout_);
    }
    Lines Of(VkDescriptorBufferInfo read, VkDescriptorBufferInfo written) {
        world_.Write(set_, 0, kStorage, {read, written});
        world_.BindSets({set_});
        return world_.Dispatch();
    }
    World world_;
    VkDescriptorSetLayout layout_ = VK_NULL_HANDLE;
    VkDescriptorPool pool_ = VK_NULL_HANDLE;
    VkDescriptorSet set_ = VK_NULL_HANDLE;
};

TEST_F(MemoryTest, BuffersAreRangesOfTheirMemory) {
    world_.Memory(1);
    const VkBuffer a = world_.Buffer(1, 1, 0, 256);
    const VkBuffer b = world_.Buffer(2, 1, 256, 1024);
    EXPECT_EQ(Of({a, 0, VK_WHOLE_SIZE}, {b, 0, VK_WHOLE_SIZE}), (Lines{"m1[0,256) r", "m1[256,1280) w"}));
    EXPECT_EQ(Of({a, 16, 32}, {b, 1000, VK_WHOLE_SIZE}), (Lines{"m1[16,48) r", "m1[1256,1280) w"}));
}

TEST_F(MemoryTest, BuffersMayAliasEachOther) {
    world_.Memory(1);
    const VkBuffer a = world_.Buffer(1, 1, 0, 256);
    const VkBuffer b = world_.Buffer(2, 1, 128, 256);
    EXPECT_EQ(Of({a, 128, 64}, {b, 0, 64}), (Lines{"m1[128,192) r", "m1[128,192) w"}));
}

TEST_F(MemoryTest, ImportedAndExportedMemoryIsShared) {
    const VkImportMemoryFdInfoKHR import = {VK_STRUCTURE_TYPE_IMPORT_MEMORY_FD_INFO_KHR, nullptr,
                                            VK_EXTERNAL_MEMORY_HANDLE_TYPE_OPAQUE_FD_BIT, 3};
    const VkExportMemoryAllocateInfo exported = {VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO, nullptr,
                                                 VK_EXTERNAL_MEMORY_HANDLE_TYPE_OPAQUE_FD_BIT};
    world_.Memory(1, &import);
    world_.Memory(2, &exported);
    EXPECT_EQ(world_.resources.FindMemory(H<VkDeviceMemory>(1)), MemoryRange::kShared);
    const VkBuffer a = world_.Buffer(1, 1, 0, 256);
    const VkBuffer b = world_.Buffer(2, 2, 0, 256);
    EXPECT_EQ(Of({a, 0, 16}, {b, 16, 16}), (Lines{"shared r", "shared w"}));
}

TEST_F(MemoryTest, StructuresOfAllocationsThatKeepTheirBytesToThemselves) {
    const auto own = [](const void* next) {
        World world;
        world.Memory(1, next);
        return world.resources.FindMemory(H<VkDeviceMemory>(1)) > MemoryRange::kShared;
    };
    VkMemoryAllocateFlagsInfo flags = {VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_FLAGS_INFO, nullptr,
                                       VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT, 0};
    EXPECT_TRUE(own(&flags));
    flags.flags = VK_MEMORY_ALLOCATE_DEVICE_MASK_BIT;
    EXPECT_FALSE(own(&flags));
    const VkMemoryDedicatedAllocateInfo dedicated = {VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO, nullptr,
                                                     VK_NULL_HANDLE, H<VkBuffer>(1)};
    EXPECT_TRUE(own(&dedicated));
    const VkExportMemoryAllocateInfo none = {VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO, &dedicated, 0};
    EXPECT_TRUE(own(&none));
    const VkBaseInStructure unknown = {VK_STRUCTURE_TYPE_MAX_ENUM, nullptr};
    EXPECT_FALSE(own(&unknown));
}

TEST_F(MemoryTest, EveryLifeOfMemoryIsAnother) {
    const VkDeviceMemory memory = world_.Memory(1);
    const uint64_t first = world_.resources.FindMemory(memory);
    world_.resources.RemoveMemory(memory);
    EXPECT_EQ(world_.resources.FindMemory(memory), MemoryRange::kEverything);
    world_.Memory(1);
    EXPECT_GT(world_.resources.FindMemory(memory), first);
    // Even if nobody told that the first one ended.
    const uint64_t second = world_.resources.FindMemory(memory);
    world_.Memory(1);
    EXPECT_GT(world_.resources.FindMemory(memory), second);
}

// What a handle of a buffer was found to be is so until BufferChanges says otherwise.
TEST_F(MemoryTest, BuffersWhoseHandlesMayBeOthersNow) {
    world_.Memory(1);
    uint64_t changes = world_.resources.BufferChanges();
    const auto changed = [&] {
        const uint64_t before = changes;
        changes = world_.resources.BufferChanges();
        return changes != before;
    };
    const VkBuffer buffer = world_.Buffer(1, 1, 0, 256);
    const uint64_t first = world_.resources.FindBuffer(buffer)->uid;
    EXPECT_FALSE(changed()) << "nobody knew it";
    world_.resources.RemoveBuffer(buffer);
    EXPECT_TRUE(changed());
    world_.Buffer(1, 1, 0, 256);
    EXPECT_FALSE(changed());
    EXPECT_NE(world_.resources.FindBuffer(buffer)->uid, first);
    // Two that are alive: nothing is known of either.
    world_.Buffer(1, 1, 0, 256);
    EXPECT_TRUE(changed());
    EXPECT_EQ(world_.resources.FindBuffer(buffer), nullptr);
}

// What is kept for the next one of its kind says nothing of it.
TEST_F(MemoryTest, NothingOfABufferIsLeftForTheNext) {
    world_.Memory(1);
    world_.resources.RemoveBuffer(world_.Buffer(1, 1, 512, 256));
    const VkBuffer unbound = H<VkBuffer>(2);
    world_.resources.AddBuffer(unbound, {VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO, nullptr, 0, 64, 0, {}, 0, nullptr});
    const BufferFacts* facts = world_.resources.FindBuffer(unbound);
    EXPECT_EQ(facts->size, 64u);
    EXPECT_EQ(facts->where, MemoryRange());
    EXPECT_FALSE(facts->lasting);
    EXPECT_EQ(facts->reserved, 0u);
}

TEST_F(MemoryTest, WhatIsNotUnderstoodIsAnywhere) {
    world_.Memory(1);
    const VkBuffer fine = world_.Buffer(1, 1, 0, 256);
    const VkBuffer sparse = world_.Buffer(2, 1, 0, 256, VK_BUFFER_CREATE_SPARSE_BINDING_BIT);
    const VkBuffer unbound = H<VkBuffer>(3);
    world_.resources.AddBuffer(unbound, {VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO, nullptr, 0, 256, 0, {}, 0, nullptr});
    const VkBuffer memory_unknown = world_.Buffer(4, 77, 0, 256);
    const VkBaseInStructure unknown = {VK_STRUCTURE_TYPE_MAX_ENUM, nullptr};
    const VkBuffer odd = world_.Buffer(5, 1, 0, 256, 0, &unknown);
    for (const VkBuffer buffer : {sparse, unbound, memory_unknown, odd, H<VkBuffer>(99)})
        EXPECT_EQ(Of({fine, 0, 64}, {buffer, 0, 64}), (Lines{"m1[0,64) r", "* w"})) << buffer;
    // Numbers that no valid program has.
    EXPECT_EQ(Of({fine, 0, 64}, {fine, ~uint64_t{0} - 8, 64}), (Lines{"m1[0,64) r", "* w"}));
    EXPECT_EQ(Of({fine, 0, 64}, {fine, 300, VK_WHOLE_SIZE}), (Lines{"m1[0,64) r", "* w"}));
}

TEST_F(MemoryTest, BindingsThatAreNotPlainLeaveItAnywhere) {
    world_.Memory(1);
    const VkBuffer fine = world_.Buffer(1, 1, 0, 256);
    const VkBuffer group = H<VkBuffer>(2);
    const VkBufferCreateInfo info = {VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO, nullptr, 0, 256, 0, {}, 0, nullptr};
    world_.resources.AddBuffer(group, info);
    const VkBindBufferMemoryDeviceGroupInfo devices = {VK_STRUCTURE_TYPE_BIND_BUFFER_MEMORY_DEVICE_GROUP_INFO, nullptr,
                                                       0, nullptr};
    world_.resources.BindBuffer({VK_STRUCTURE_TYPE_BIND_BUFFER_MEMORY_INFO, &devices, group, H<VkDeviceMemory>(1), 0},
                                0, world_.resources.FindMemory(H<VkDeviceMemory>(1)));
    EXPECT_EQ(Of({fine, 0, 64}, {group, 0, 64}), (Lines{"m1[0,64) r", "* w"}));
    const VkBuffer status = H<VkBuffer>(3);
    world_.resources.AddBuffer(status, info);
    VkResult result = VK_SUCCESS;
    const VkBindMemoryStatus with_status = {VK_STRUCTURE_TYPE_BIND_MEMORY_STATUS, nullptr, &result};
    world_.resources.BindBuffer(
        {VK_STRUCTURE_TYPE_BIND_BUFFER_MEMORY_INFO, &with_status, status, H<VkDeviceMemory>(1), 512}, 0,
        world_.resources.FindMemory(H<VkDeviceMemory>(1)));
    EXPECT_EQ(Of({fine, 0, 64}, {status, 0, 64}), (Lines{"m1[0,64) r", "m1[512,576) w"}));
}

TEST_F(MemoryTest, AHandleThatIsUsedAgainIsAnotherBuffer) {
    world_.Memory(1);
    world_.Memory(2);
    const VkBuffer a = world_.Buffer(1, 1, 0, 256);
    const uint64_t uid = world_.resources.FindBuffer(a)->uid;
    EXPECT_EQ(Of({a, 0, 64}, {a, 64, 64}), (Lines{"m1[0,64) r", "m1[64,128) w"}));
    world_.resources.RemoveBuffer(a);
    EXPECT_EQ(world_.resources.FindBuffer(a), nullptr);
    world_.Buffer(1, 2, 512, 128);
    EXPECT_GT(world_.resources.FindBuffer(a)->uid, uid);
    EXPECT_EQ(Of({a, 0, 64}, {a, 64, 64}), (Lines{"m2[512,576) r", "m2[576,640) w"}));
}

TEST_F(MemoryTest, OneHandleOfTwoBuffersIsNotKnown) {
    world_.Memory(1);
    const VkBuffer a = world_.Buffer(1, 1, 0, 256);
    const VkBuffer b = world_.Buffer(2, 1, 256, 256);
    world_.Buffer(1, 1, 512, 256);
    EXPECT_EQ(Of({a, 0, 64}, {b, 0, 64}), (Lines{"* r", "m1[256,320) w"}));
    world_.resources.RemoveBuffer(a);
    world_.resources.RemoveBuffer(b);
    EXPECT_EQ(Of({a, 0, 64}, {b, 0, 64}), (Lines{"* r", "* w"}));
}

TEST_F(MemoryTest, UsageOfSixtyFourBits) {
    const VkBufferUsageFlags2CreateInfo usage = {VK_STRUCTURE_TYPE_BUFFER_USAGE_FLAGS_2_CREATE_INFO, nullptr,
                                                 VK_BUFFER_USAGE_2_SHADER_DEVICE_ADDRESS_BIT};
    world_.Memory(1);
    const BufferFacts* facts = world_.resources.FindBuffer(world_.Buffer(1, 1, 0, 256, 0, &usage));
    EXPECT_EQ(facts->usage, VK_BUFFER_USAGE_2_SHADER_DEVICE_ADDRESS_BIT);
    EXPECT_EQ(facts->where, (MemoryRange{world_.resources.FindMemory(H<VkDeviceMemory>(1)), 0, 256}));
}

TEST(Images, AreAllThatTheyRequire) {
    World world;
    constexpr VkDescriptorType kImage = VK_DESCRIPTOR_TYPE_STORAGE_IMAGE;
    constexpr VkDescriptorType kSampled = VK_DESCRIPTOR_TYPE_SAMPLED_IMAGE;
    constexpr VkDescriptorType kCombined = VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER;
    const auto layout =
        world.SetLayout(1, {{0, kImage, 2}, {1, kSampled}, {2, kCombined}, {3, VK_DESCRIPTOR_TYPE_SAMPLER}});
    world.BindPipeline(world.Pipeline(1, world.Layout(1, {layout}),
                                      Shader({Does(0, Use::kRead, 0), Does(0, Use::kWrite, 1), Does(1, Use::kRead),
                                              Does(2, Use::kRead), Does(3, Use::kRead)})));
    const VkDescriptorSet set = world.Set(1, world.Pool(1), layout);
    world.Memory(1);
    const auto in = world.ImageView(1, 1, 4096, 1000);
    const auto out = world.ImageView(2, 1, 8192, 2000);
    world.WriteImages(set, 0, kImage, {in, out});
    world.WriteImages(set, 1, kSampled, {in});
    world.WriteImages(set, 2, kCombined, {out});
    world.BindSets({set});
    EXPECT_EQ(world.Dispatch(), (Lines{"m1[4096,5096) r", "m1[8192,10192) w", "m1[4096,5096) s", "m1[8192,10192) s"}));

    const auto sparse = world.ImageView(3, 1, 0, 1000, VK_IMAGE_CREATE_SPARSE_BINDING_BIT);
    const auto planes = world.ImageView(4, 1, 0, 1000, VK_IMAGE_CREATE_DISJOINT_BIT);
    world.WriteImages(set, 0, kImage, {sparse, planes});
    world.WriteImages(set, 1, kSampled, {H<VkImageView>(77)});
    world.WriteImages(set, 2, kCombined, {VK_NULL_HANDLE});
    EXPECT_EQ(world.Dispatch(), (Lines{"* r", "* w", "* s"}));
}

TEST(Images, OneThatWasNotMeasuredIsAnywhere) {
    World world;
    world.Memory(1);
    world.ImageView(1, 1, 4096, 0);
    EXPECT_EQ(world.resources.FindImageView(H<VkImageView>(1))->where, MemoryRange{});
}

TEST(TexelBuffers, AreRangesOfTheirBuffer) {
    World world;
    constexpr VkDescriptorType kRead = VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER;
    constexpr VkDescriptorType kWritten = VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER;
    const auto layout = world.SetLayout(1, {{0, kRead}, {1, kWritten}});
    world.BindPipeline(
        world.Pipeline(1, world.Layout(1, {layout}), Shader({Does(0, Use::kRead), Does(1, Use::kReadWrite)})));
    const VkDescriptorSet set = world.Set(1, world.Pool(1), layout);
    world.Memory(1);
    const VkBuffer buffer = world.Buffer(1, 1, 1024, 512);
    world.WriteTexels(set, 0, kRead, {world.BufferView(1, buffer, 0, 256)});
    world.WriteTexels(set, 1, kWritten, {world.BufferView(2, buffer, 256, VK_WHOLE_SIZE)});
    world.BindSets({set});
    EXPECT_EQ(world.Dispatch(), (Lines{"m1[1024,1280) s", "m1[1280,1536) rw"}));
    world.WriteTexels(set, 0, kRead, {VK_NULL_HANDLE});
    EXPECT_EQ(world.Dispatch(), (Lines{"m1[1280,1536) rw"}));
    world.resources.RemoveBufferView(H<VkBufferView>(1));
    world.WriteTexels(set, 0, kRead, {H<VkBufferView>(1)});
    EXPECT_EQ(world.Dispatch(), (Lines{"* s", "m1[1280,1536) rw"}));
}

}  // namespace
}  // namespace kronos
