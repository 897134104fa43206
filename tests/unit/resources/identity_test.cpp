// SPDX-License-Identifier: Apache-2.0
// Which updates change nothing, and their near neighbours, which change something or nobody can tell.
#include <array>
#include <cstring>

#include "world.h"

namespace kronos {
namespace {

constexpr VkDescriptorType kInline = VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK;
constexpr VkDescriptorType kCombined = VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER;
constexpr VkDescriptorType kSampler = VK_DESCRIPTOR_TYPE_SAMPLER;
constexpr VkDescriptorType kTexels = VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER;
constexpr VkDescriptorType kStorageImage = VK_DESCRIPTOR_TYPE_STORAGE_IMAGE;

class IdentityTest : public ::testing::Test {
  protected:
    IdentityTest() {
        world_.Memory(1);
        for (uint64_t i = 0; i < 4; ++i) world_.Buffer(i + 1, 1, i * 1024, 256);
        for (uint64_t i = 0; i < 2; ++i) world_.ImageView(i + 1, 1, 8192 * (i + 1), 4096);
        for (uint64_t i = 0; i < 2; ++i) world_.BufferView(i + 1, H<VkBuffer>(i + 1), 0, VK_WHOLE_SIZE);
        for (uint64_t i = 0; i < 2; ++i) AddSampler(i + 1);
        pool_ = world_.Pool(1);
    }
    void AddSampler(uint64_t number, const void* next = nullptr) {
        VkSamplerCreateInfo info = {};
        info.sType = VK_STRUCTURE_TYPE_SAMPLER_CREATE_INFO;
        info.pNext = next;
        world_.resources.AddSampler(H<VkSampler>(number), info);
    }
    DescriptorSet& Make(const std::vector<World::Binding>& bindings, uint64_t number = 1) {
        layout_ = world_.SetLayout(number, bindings);
        const VkDescriptorSet handle = world_.Set(number, pool_, layout_);
        return *world_.resources.FindToUpdate(handle);
    }
    static VkWriteDescriptorSet Info(uint32_t binding, VkDescriptorType type, uint32_t count, uint32_t element = 0) {
        VkWriteDescriptorSet write = {};
        write.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET;
        write.dstBinding = binding;
        write.dstArrayElement = element;
        write.descriptorCount = count;
        write.descriptorType = type;
        return write;
    }
    Change Write(DescriptorSet& set, uint32_t binding, VkDescriptorType type,
                 const std::vector<VkDescriptorBufferInfo>& buffers, uint32_t element = 0) {
        VkWriteDescriptorSet write = Info(binding, type, static_cast<uint32_t>(buffers.size()), element);
        write.pBufferInfo = buffers.data();
        return world_.resources.Write(set, write);
    }
    Change WriteImage(DescriptorSet& set, uint32_t binding, VkDescriptorType type, const VkDescriptorImageInfo& image) {
        VkWriteDescriptorSet write = Info(binding, type, 1);
        write.pImageInfo = &image;
        return world_.resources.Write(set, write);
    }
    Change WriteTexels(DescriptorSet& set, uint32_t binding, VkBufferView view) {
        VkWriteDescriptorSet write = Info(binding, kTexels, 1);
        write.pTexelBufferView = &view;
        return world_.resources.Write(set, write);
    }
    Change WriteBytes(DescriptorSet& set, uint32_t binding, uint32_t offset, const std::string& bytes) {
        const VkWriteDescriptorSetInlineUniformBlock block = {
            VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET_INLINE_UNIFORM_BLOCK, nullptr, static_cast<uint32_t>(bytes.size()),
            bytes.data()};
        VkWriteDescriptorSet write = Info(binding, kInline, block.dataSize, offset);
        write.pNext = &block;
        return world_.resources.Write(set, write);
    }
    Change Copy(DescriptorSet& from, uint32_t from_binding, uint32_t from_element, DescriptorSet& to,
                uint32_t to_binding, uint32_t to_element, uint32_t count) {
        return world_.resources.Copy(to, {VK_STRUCTURE_TYPE_COPY_DESCRIPTOR_SET, nullptr, from.handle, from_binding,
                                          from_element, to.handle, to_binding, to_element, count});
    }
    static VkDescriptorBufferInfo Buffer(uint64_t number, VkDeviceSize offset = 0, VkDeviceSize range = 64) {
        return {H<VkBuffer>(number), offset, range};
    }
    static VkDescriptorImageInfo Image(uint64_t sampler, uint64_t view,
                                       VkImageLayout layout = VK_IMAGE_LAYOUT_GENERAL) {
        return {H<VkSampler>(sampler), H<VkImageView>(view), layout};
    }

    World world_;
    VkDescriptorPool pool_ = VK_NULL_HANDLE;
    VkDescriptorSetLayout layout_ = VK_NULL_HANDLE;
};

TEST_F(IdentityTest, BuffersAreTheSameByHandleOffsetAndRange) {
    DescriptorSet& set = Make({{0, kStorage}});
    EXPECT_EQ(Write(set, 0, kStorage, {Buffer(1)}), Change::kKnown);
    const uint64_t content = set.content;
    EXPECT_EQ(Write(set, 0, kStorage, {Buffer(1)}), Change::kNone);
    EXPECT_EQ(set.content, content);
    EXPECT_EQ(Write(set, 0, kStorage, {Buffer(2)}), Change::kKnown);
    EXPECT_NE(set.content, content);
    EXPECT_EQ(Write(set, 0, kStorage, {Buffer(2, 16)}), Change::kKnown);
    EXPECT_EQ(Write(set, 0, kStorage, {Buffer(2, 16, 32)}), Change::kKnown);
    EXPECT_EQ(Write(set, 0, kStorage, {Buffer(2, 16, 32)}), Change::kNone);
    EXPECT_EQ(Write(set, 0, kStorage, {{VK_NULL_HANDLE, 0, VK_WHOLE_SIZE}}), Change::kKnown);
    EXPECT_EQ(Write(set, 0, kStorage, {{VK_NULL_HANDLE, 0, VK_WHOLE_SIZE}}), Change::kNone);
}

TEST_F(IdentityTest, AHandleThatIsUsedAgainIsAnother) {
    DescriptorSet& set = Make({{0, kStorage}, {1, kTexels}, {2, kCombined}, {3, kSampler}});
    const auto write = [&] {
        return std::vector<Change>{Write(set, 0, kStorage, {Buffer(1)}), WriteTexels(set, 1, H<VkBufferView>(1)),
                                   WriteImage(set, 2, kCombined, Image(1, 1)),
                                   WriteImage(set, 3, kSampler, Image(2, 0))};
    };
    using testing::Each;
    EXPECT_THAT(write(), Each(Change::kKnown));
    EXPECT_THAT(write(), Each(Change::kNone));
    world_.resources.RemoveBufferView(H<VkBufferView>(1));
    world_.resources.RemoveBuffer(H<VkBuffer>(1));
    world_.resources.RemoveImageView(H<VkImageView>(1));
    world_.resources.RemoveSampler(H<VkSampler>(2));
    world_.Buffer(1, 1, 0, 256);
    world_.BufferView(1, H<VkBuffer>(1), 0, VK_WHOLE_SIZE);
    VkImageViewCreateInfo info = {};
    info.image = H<VkImage>(1);
    world_.resources.AddImageView(H<VkImageView>(1), info);
    AddSampler(2);
    EXPECT_THAT(write(), Each(Change::kKnown));
    EXPECT_THAT(write(), Each(Change::kNone));
    world_.resources.RemoveSampler(H<VkSampler>(1));
    AddSampler(1);
    EXPECT_EQ(WriteImage(set, 2, kCombined, Image(1, 1)), Change::kKnown);
}

TEST_F(IdentityTest, WhatIsNotKnownIsNeverTheSame) {
    DescriptorSet& set = Make({{0, kStorage}, {1, kTexels}, {2, kStorageImage}, {3, kSampler}});
    for (int i = 0; i < 2; ++i) {
        EXPECT_EQ(Write(set, 0, kStorage, {Buffer(99)}), Change::kUnknown);
        EXPECT_EQ(WriteTexels(set, 1, H<VkBufferView>(99)), Change::kUnknown);
        EXPECT_EQ(WriteImage(set, 2, kStorageImage, Image(0, 99)), Change::kUnknown);
        EXPECT_EQ(WriteImage(set, 3, kSampler, Image(99, 0)), Change::kUnknown);
    }
    // A buffer without memory has no address yet.
    VkBufferCreateInfo info = {};
    info.size = 256;
    world_.resources.AddBuffer(H<VkBuffer>(50), info);
    EXPECT_EQ(Write(set, 0, kStorage, {Buffer(50)}), Change::kUnknown);
    EXPECT_EQ(Write(set, 0, kStorage, {Buffer(50)}), Change::kUnknown);
}

TEST_F(IdentityTest, ImagesAreTheSameByViewLayoutAndSampler) {
    DescriptorSet& set = Make({{0, kCombined}, {1, kStorageImage}, {2, kSampler}});
    EXPECT_EQ(WriteImage(set, 0, kCombined, Image(1, 1)), Change::kKnown);
    EXPECT_EQ(WriteImage(set, 0, kCombined, Image(1, 1)), Change::kNone);
    EXPECT_EQ(WriteImage(set, 0, kCombined, Image(2, 1)), Change::kKnown);
    EXPECT_EQ(WriteImage(set, 0, kCombined, Image(2, 2)), Change::kKnown);
    EXPECT_EQ(WriteImage(set, 0, kCombined, Image(2, 2, VK_IMAGE_LAYOUT_SHADER_READ_ONLY_OPTIMAL)), Change::kKnown);
    // What the type does not use does not count.
    EXPECT_EQ(WriteImage(set, 1, kStorageImage, Image(1, 1)), Change::kKnown);
    EXPECT_EQ(WriteImage(set, 1, kStorageImage, Image(77, 1)), Change::kNone);
    EXPECT_EQ(WriteImage(set, 2, kSampler, Image(1, 1)), Change::kKnown);
    EXPECT_EQ(WriteImage(set, 2, kSampler, Image(1, 77, VK_IMAGE_LAYOUT_UNDEFINED)), Change::kNone);
}

TEST_F(IdentityTest, APartThatChangesIsAChange) {
    DescriptorSet& set = Make({{0, kStorage, 2}, {1, kStorage, 2}});
    EXPECT_EQ(Write(set, 0, kStorage, {Buffer(1), Buffer(2), Buffer(3), Buffer(4)}), Change::kKnown);
    EXPECT_EQ(Write(set, 0, kStorage, {Buffer(1), Buffer(2), Buffer(3), Buffer(4)}), Change::kNone);
    EXPECT_EQ(Write(set, 0, kStorage, {Buffer(2), Buffer(3)}, 1), Change::kNone);
    EXPECT_EQ(Write(set, 1, kStorage, {Buffer(3), Buffer(3)}), Change::kKnown);
    EXPECT_EQ(Write(set, 0, kStorage, {Buffer(1), Buffer(2), Buffer(3), Buffer(4)}), Change::kKnown);
}

TEST_F(IdentityTest, ANewLifeOfASetHoldsNothing) {
    DescriptorSet& set = Make({{0, kStorage}, {1, kInline, 16}});
    Write(set, 0, kStorage, {Buffer(1)});
    WriteBytes(set, 1, 0, "abcd");
    world_.resources.ResetPool(pool_);
    world_.Set(1, pool_, layout_);
    DescriptorSet& again = *world_.resources.FindToUpdate(H<VkDescriptorSet>(1));
    EXPECT_EQ(Write(again, 0, kStorage, {Buffer(1)}), Change::kKnown);
    EXPECT_EQ(WriteBytes(again, 1, 0, "abcd"), Change::kKnown);
}

TEST_F(IdentityTest, BytesOfBlocks) {
    DescriptorSet& set = Make({{0, kInline, 16}, {1, kStorage}, {2, kInline, 8}});
    EXPECT_EQ(WriteBytes(set, 0, 4, "abcdefgh"), Change::kKnown);
    EXPECT_EQ(WriteBytes(set, 0, 4, "abcdefgh"), Change::kNone);
    EXPECT_EQ(WriteBytes(set, 0, 8, "efgh"), Change::kNone);
    EXPECT_EQ(WriteBytes(set, 0, 0, "abcd"), Change::kKnown);
    EXPECT_EQ(WriteBytes(set, 0, 8, "efgX"), Change::kKnown);
    EXPECT_EQ(WriteBytes(set, 2, 0, "abcd"), Change::kKnown);
    EXPECT_EQ(WriteBytes(set, 2, 0, std::string(4, '\0')), Change::kKnown) << "zeros are not what is there at first";
    EXPECT_EQ(WriteBytes(set, 2, 4, std::string(4, '\0')), Change::kKnown);
    EXPECT_EQ(Write(set, 1, kStorage, {Buffer(1)}), Change::kKnown);
    // Beyond the block: nobody knows what the driver makes of it.
    EXPECT_EQ(WriteBytes(set, 2, 4, "abcdefgh"), Change::kUnknown);
    EXPECT_EQ(WriteBytes(set, 0, 4, "abcdefgX"), Change::kKnown);
    EXPECT_EQ(Write(set, 1, kStorage, {Buffer(1)}), Change::kKnown);
    // Without the structure that has the bytes.
    EXPECT_EQ(world_.resources.Write(set, Info(0, kInline, 4)), Change::kUnknown);
}

TEST_F(IdentityTest, StructuresThatAreNotKnown) {
    DescriptorSet& set = Make({{0, kStorage}});
    Write(set, 0, kStorage, {Buffer(1)});
    const VkBaseInStructure unknown = {VK_STRUCTURE_TYPE_MAX_ENUM, nullptr};
    VkWriteDescriptorSet write = Info(0, kStorage, 1);
    const VkDescriptorBufferInfo info = Buffer(1);
    write.pBufferInfo = &info;
    write.pNext = &unknown;
    EXPECT_EQ(world_.resources.Write(set, write), Change::kUnknown);
    EXPECT_EQ(Write(set, 0, kStorage, {Buffer(1)}), Change::kKnown) << "it may hold anything";
}

TEST_F(IdentityTest, CopiesOfTheSameChangeNothing) {
    DescriptorSet& from = Make({{0, kStorage, 2}, {1, kStorage}, {2, kInline, 16}}, 1);
    DescriptorSet& to = Make({{0, kStorage, 3}, {2, kInline, 16}}, 2);
    Write(from, 0, kStorage, {Buffer(1), Buffer(2), Buffer(3)});
    WriteBytes(from, 2, 0, "abcdefgh");
    EXPECT_EQ(Copy(from, 0, 0, to, 0, 0, 3), Change::kKnown);
    EXPECT_EQ(Copy(from, 0, 0, to, 0, 0, 3), Change::kNone);
    EXPECT_EQ(Write(to, 0, kStorage, {Buffer(1), Buffer(2), Buffer(3)}), Change::kNone);
    EXPECT_EQ(Copy(from, 0, 1, to, 0, 0, 2), Change::kKnown);
    EXPECT_EQ(Copy(from, 2, 0, to, 2, 4, 8), Change::kKnown);
    EXPECT_EQ(Copy(from, 2, 0, to, 2, 4, 8), Change::kNone);
    EXPECT_EQ(WriteBytes(to, 2, 4, "abcdefgh"), Change::kNone);
    // What the source does not know the destination does not either.
    Write(from, 0, kStorage, {Buffer(99)});
    EXPECT_EQ(Copy(from, 0, 0, to, 0, 0, 1), Change::kUnknown);
    EXPECT_EQ(Copy(from, 0, 0, to, 0, 0, 1), Change::kUnknown);
    DescriptorSet& other = Make({{0, kUniform}}, 3);
    Write(other, 0, kUniform, {Buffer(1)});
    EXPECT_EQ(Copy(other, 0, 0, to, 0, 0, 1), Change::kUnknown);
}

TEST_F(IdentityTest, TemplatesWriteAsWritesDo) {
    DescriptorSet& set = Make({{0, kStorage, 2}, {1, kInline, 8}});
    struct {
        VkDescriptorBufferInfo buffers[2];
        char bytes[8];
    } data = {{Buffer(1), Buffer(2)}, {'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'}};
    const std::array<VkDescriptorUpdateTemplateEntry, 2> entries = {
        VkDescriptorUpdateTemplateEntry{0, 0, 2, kStorage, 0, sizeof(VkDescriptorBufferInfo)},
        VkDescriptorUpdateTemplateEntry{1, 0, 8, kInline, sizeof data.buffers, 0}};
    VkDescriptorUpdateTemplateCreateInfo info = {};
    info.descriptorUpdateEntryCount = entries.size();
    info.pDescriptorUpdateEntries = entries.data();
    const auto update = H<VkDescriptorUpdateTemplate>(1);
    world_.resources.AddTemplate(update, info);
    EXPECT_EQ(world_.resources.Write(set, update, &data), Change::kKnown);
    EXPECT_EQ(world_.resources.Write(set, update, &data), Change::kNone);
    EXPECT_EQ(Write(set, 0, kStorage, {Buffer(1), Buffer(2)}), Change::kNone);
    data.bytes[7] = 'X';
    EXPECT_EQ(world_.resources.Write(set, update, &data), Change::kKnown);
    data.buffers[1].offset = 4;
    EXPECT_EQ(world_.resources.Write(set, update, &data), Change::kKnown);
    EXPECT_EQ(world_.resources.Write(set, H<VkDescriptorUpdateTemplate>(9), &data), Change::kUnknown);
    EXPECT_EQ(world_.resources.Write(set, update, &data), Change::kKnown);
}

TEST_F(IdentityTest, ImmutableSamplersAreNotWritten) {
    const std::array<VkSampler, 1> samplers = {H<VkSampler>(1)};
    const std::array<VkDescriptorSetLayoutBinding, 2> bindings = {
        VkDescriptorSetLayoutBinding{0, kCombined, 1, VK_SHADER_STAGE_COMPUTE_BIT, samplers.data()},
        VkDescriptorSetLayoutBinding{1, kCombined, 1, VK_SHADER_STAGE_COMPUTE_BIT, nullptr}};
    const auto layout = H<VkDescriptorSetLayout>(7);
    VkDescriptorSetLayoutCreateInfo info = {};
    info.bindingCount = bindings.size();
    info.pBindings = bindings.data();
    world_.resources.AddSetLayout(layout, info);
    EXPECT_TRUE(world_.resources.SetLayout(layout)->plain);
    DescriptorSet& set = *world_.resources.FindToUpdate(world_.Set(7, pool_, layout));
    EXPECT_EQ(WriteImage(set, 0, kCombined, Image(1, 1)), Change::kKnown);
    EXPECT_EQ(WriteImage(set, 0, kCombined, Image(2, 1)), Change::kNone);
    EXPECT_EQ(WriteImage(set, 0, kCombined, Image(2, 2)), Change::kKnown);
    // Nobody says what becomes of the sampler.
    EXPECT_EQ(WriteImage(set, 1, kCombined, Image(1, 1)), Change::kKnown);
    EXPECT_EQ(Copy(set, 0, 0, set, 1, 0, 1), Change::kUnknown);
    EXPECT_EQ(Copy(set, 1, 0, set, 0, 0, 1), Change::kUnknown);
}

TEST_F(IdentityTest, PoolsThatAreNotPlainHaveSetsThatAreNotFollowed) {
    world_.resources.AddPool(H<VkDescriptorPool>(2), false);
    const VkDescriptorSetLayout layout = world_.SetLayout(5, {{0, kStorage}});
    DescriptorSet& set = *world_.resources.FindToUpdate(world_.Set(5, H<VkDescriptorPool>(2), layout));
    EXPECT_EQ(Write(set, 0, kStorage, {Buffer(1)}), Change::kKnown);
    EXPECT_EQ(Write(set, 0, kStorage, {Buffer(1)}), Change::kKnown);
    EXPECT_EQ(set.descriptors[0].state, Descriptor::State::kMemory) << "what dispatches touch is known all the same";
}

TEST_F(IdentityTest, LayoutsOfWhichTheLayerMayMakeSets) {
    const auto plain = [&](const World::Binding& binding, VkDescriptorSetLayoutCreateFlags flags = 0) {
        const VkDescriptorSetLayout layout = world_.SetLayout(9, {{0, kStorage}, binding}, flags);
        const bool result = world_.resources.SetLayout(layout)->plain;
        world_.resources.RemoveSetLayout(layout);
        return result;
    };
    EXPECT_TRUE(plain({1, kCombined}));
    EXPECT_TRUE(plain({1, kStorage, 4, VK_DESCRIPTOR_BINDING_PARTIALLY_BOUND_BIT}));
    EXPECT_FALSE(plain({1, kStorage, 4, VK_DESCRIPTOR_BINDING_VARIABLE_DESCRIPTOR_COUNT_BIT}));
    EXPECT_FALSE(plain({1, kStorage, 4, VK_DESCRIPTOR_BINDING_UPDATE_AFTER_BIND_BIT}));
    EXPECT_FALSE(plain({1, VK_DESCRIPTOR_TYPE_MUTABLE_EXT}));
    EXPECT_FALSE(plain({1, kStorage}, VK_DESCRIPTOR_SET_LAYOUT_CREATE_UPDATE_AFTER_BIND_POOL_BIT));
    EXPECT_FALSE(plain({1, kStorage}, VK_DESCRIPTOR_SET_LAYOUT_CREATE_PUSH_DESCRIPTOR_BIT));

    const VkSamplerYcbcrConversionInfo conversion = {VK_STRUCTURE_TYPE_SAMPLER_YCBCR_CONVERSION_INFO, nullptr,
                                                     VK_NULL_HANDLE};
    AddSampler(8, &conversion);
    for (const uint64_t sampler : {1, 8, 99}) {
        const VkSampler immutable = H<VkSampler>(sampler);
        const VkDescriptorSetLayoutBinding binding = {0, kCombined, 1, VK_SHADER_STAGE_COMPUTE_BIT, &immutable};
        VkDescriptorSetLayoutCreateInfo info = {};
        info.bindingCount = 1;
        info.pBindings = &binding;
        world_.resources.AddSetLayout(H<VkDescriptorSetLayout>(9), info);
        EXPECT_EQ(world_.resources.SetLayout(H<VkDescriptorSetLayout>(9))->plain, sampler == 1) << sampler;
        world_.resources.RemoveSetLayout(H<VkDescriptorSetLayout>(9));
    }
}

}  // namespace
}  // namespace kronos
