// SPDX-License-Identifier: Apache-2.0
// What descriptor sets hold after writes, copies, updates by template, frees and resets.
#include <array>
#include <cstddef>

#include "world.h"

namespace kronos {
namespace {

// One memory, with a buffer of 256 bytes at each multiple of 1024; a pipeline that reads every element of binding 0
// to 3.
class DescriptorsTest : public ::testing::Test {
  protected:
    DescriptorsTest() {
        world_.Memory(1);
        for (uint64_t i = 0; i < 8; ++i) world_.Buffer(i + 1, 1, i * 1024, 256);
        pool_ = world_.Pool(1);
    }
    void Prepare(const std::vector<World::Binding>& bindings, uint32_t used) {
        layout_ = world_.SetLayout(1, bindings);
        std::vector<BindingUse> uses;
        for (uint32_t i = 0; i < used; ++i) uses.push_back(Does(bindings[i].number, Use::kRead));
        world_.BindPipeline(world_.Pipeline(1, world_.Layout(1, {layout_}), Shader(uses)));
        set_ = world_.Set(1, pool_, layout_);
    }
    VkDescriptorBufferInfo Info(uint64_t buffer) { return {H<VkBuffer>(buffer), 0, VK_WHOLE_SIZE}; }
    Lines Dispatch(VkDescriptorSet set) {
        world_.BindSets({set});
        return world_.Dispatch();
    }
    World world_;
    VkDescriptorPool pool_ = VK_NULL_HANDLE;
    VkDescriptorSetLayout layout_ = VK_NULL_HANDLE;
    VkDescriptorSet set_ = VK_NULL_HANDLE;
};

const std::string kBuffer1 = "m1[0,256) r";
const std::string kBuffer2 = "m1[1024,1280) r";
const std::string kBuffer3 = "m1[2048,2304) r";
const std::string kBuffer4 = "m1[3072,3328) r";

TEST_F(DescriptorsTest, WhatWasNeverWrittenIsAnything) {
    Prepare({{0, kStorage}, {1, kStorage}}, 2);
    EXPECT_EQ(Dispatch(set_), kAnything);
    world_.Write(set_, 0, kStorage, {Info(1)});
    EXPECT_EQ(Dispatch(set_), kAnything);
    world_.Write(set_, 1, kStorage, {Info(2)});
    EXPECT_EQ(Dispatch(set_), (Lines{kBuffer1, kBuffer2}));
}

TEST_F(DescriptorsTest, WhatIsNotUsedNeedNotBeWritten) {
    Prepare({{0, kStorage}, {1, kStorage}}, 1);
    world_.Write(set_, 0, kStorage, {Info(1)});
    EXPECT_EQ(Dispatch(set_), (Lines{kBuffer1}));
}

TEST_F(DescriptorsTest, NullDescriptorsAreNoMemory) {
    Prepare({{0, kStorage}, {1, kStorage}}, 2);
    world_.Write(set_, 0, kStorage, {{VK_NULL_HANDLE, 0, VK_WHOLE_SIZE}, Info(2)});
    EXPECT_EQ(Dispatch(set_), (Lines{kBuffer2}));
}

TEST_F(DescriptorsTest, WritesRunOverIntoTheFollowingBindings) {
    // Given in any order, with gaps and bindings that have no descriptors.
    Prepare({{7, kStorage, 1}, {0, kStorage, 2}, {3, kStorage, 0}, {2, kStorage, 1}}, 0);
    world_.BindPipeline(world_.Pipeline(2, world_.Layout(2, {layout_}),
                                        Shader({Does(0, Use::kRead), Does(2, Use::kRead), Does(7, Use::kRead)})));
    world_.Write(set_, 0, kStorage, {Info(1), Info(2), Info(3), Info(4)});
    EXPECT_EQ(Dispatch(set_), (Lines{kBuffer1, kBuffer2, kBuffer3, kBuffer4}));
    world_.Write(set_, 0, kStorage, {Info(4), Info(3)}, 1);
    EXPECT_EQ(Dispatch(set_), (Lines{kBuffer1, kBuffer4, kBuffer3, kBuffer4}));
}

TEST_F(DescriptorsTest, AnElementBeyondTheBindingIsOneOfTheNext) {
    Prepare({{0, kStorage, 2}, {1, kStorage, 2}}, 2);
    world_.Write(set_, 0, kStorage, {Info(1), Info(1), Info(1), Info(1)});
    world_.Write(set_, 0, kStorage, {Info(2)}, 3);
    EXPECT_EQ(Dispatch(set_), (Lines{kBuffer1, kBuffer1, kBuffer1, kBuffer2}));
}

TEST_F(DescriptorsTest, WritesThatCannotBeMakeTheSetUnknown) {
    Prepare({{0, kStorage, 2}, {1, kUniform}}, 1);
    world_.Write(set_, 0, kStorage, {Info(1), Info(2)});
    world_.Write(set_, 1, kUniform, {Info(3)});
    EXPECT_EQ(Dispatch(set_), (Lines{kBuffer1, kBuffer2}));
    // Into a binding of another type: only that one.
    world_.Write(set_, 0, kStorage, {Info(2), Info(1), Info(4)});
    EXPECT_EQ(Dispatch(set_), (Lines{kBuffer2, kBuffer1}));
    EXPECT_EQ(world_.resources.FindSet(set_)->descriptors[2].state, Descriptor::State::kUnknown);
    // Beyond the end, and to no binding at all.
    world_.Write(set_, 1, kUniform, {Info(3), Info(3)});
    EXPECT_EQ(Dispatch(set_), kAnything);
    world_.Write(set_, 0, kStorage, {Info(1), Info(2)});
    EXPECT_EQ(Dispatch(set_), (Lines{kBuffer1, kBuffer2}));
    world_.Write(set_, 9, kStorage, {Info(3)});
    EXPECT_EQ(Dispatch(set_), kAnything);
}

TEST_F(DescriptorsTest, AWriteWithAnUnknownStructureIsNotUnderstood) {
    Prepare({{0, kStorage}}, 1);
    const VkBaseInStructure unknown = {VK_STRUCTURE_TYPE_MAX_ENUM, nullptr};
    const VkDescriptorBufferInfo info = Info(1);
    VkWriteDescriptorSet write = {
        VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET, &unknown, set_, 0, 0, 1, kStorage, nullptr, &info, nullptr};
    world_.resources.UpdateSets(1, &write, 0, nullptr);
    EXPECT_EQ(Dispatch(set_), kAnything);
    write.pNext = nullptr;
    world_.resources.UpdateSets(1, &write, 0, nullptr);
    EXPECT_EQ(Dispatch(set_), (Lines{kBuffer1}));
}

TEST_F(DescriptorsTest, WhatNobodyFollowsIsAnythingUntilItIsWrittenAgain) {
    Prepare({{0, kStorage}, {1, kStorage}}, 2);
    const VkDescriptorSet other = world_.Set(2, pool_, layout_);
    for (const VkDescriptorSet set : {set_, other}) {
        world_.Write(set, 0, kStorage, {Info(1)});
        world_.Write(set, 1, kStorage, {Info(2)});
    }
    const VkDescriptorBufferInfo info = Info(3);
    const VkWriteDescriptorSet write = {
        VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET, nullptr, set_, 0, 0, 1, kStorage, nullptr, &info, nullptr};
    world_.BindSets({set_});
    BoundContent before, after;
    ASSERT_TRUE(world_.bound.Content(before));
    world_.resources.ForgetSets(1, &write, 0, nullptr);
    ASSERT_TRUE(world_.bound.Content(after));
    EXPECT_NE(before, after);
    EXPECT_EQ(world_.Dispatch(), kAnything);
    EXPECT_EQ(Dispatch(other), (Lines{kBuffer1, kBuffer2}));
    world_.resources.ForgetSets(1, &write, 0, nullptr);
    // What is written again is known, and what is not is not.
    world_.Write(set_, 0, kStorage, {Info(3)});
    EXPECT_EQ(Dispatch(set_), kAnything);
    world_.Write(set_, 1, kStorage, {Info(4)});
    EXPECT_EQ(Dispatch(set_), (Lines{kBuffer3, kBuffer4}));
    // It can be forgotten once more, as what a copy is made to and by template.
    const VkCopyDescriptorSet copy = {VK_STRUCTURE_TYPE_COPY_DESCRIPTOR_SET, nullptr, other, 0, 0, set_, 0, 0, 1};
    world_.resources.ForgetSets(0, nullptr, 1, &copy);
    EXPECT_EQ(Dispatch(set_), kAnything);
    EXPECT_EQ(Dispatch(other), (Lines{kBuffer1, kBuffer2}));
    world_.resources.ForgetSet(other);
    EXPECT_EQ(Dispatch(other), kAnything);
    // Another life knows nothing of it.
    world_.resources.RemoveSets(pool_, 1, &other);
    world_.Set(2, pool_, layout_);
    world_.Write(other, 0, kStorage, {Info(1), Info(2)});
    EXPECT_EQ(Dispatch(other), (Lines{kBuffer1, kBuffer2}));
}

TEST_F(DescriptorsTest, SetsThatComeAndGoAreKnownOnlyWhereTheyAreFollowed) {
    Prepare({{0, kStorage}}, 1);
    const auto add = [&](uint64_t number, bool follows) {
        const auto set = H<VkDescriptorSet>(number);
        world_.resources.AddSets({VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO, nullptr, pool_, 1, &layout_}, &set,
                                 follows);
        world_.Write(set, 0, kStorage, {Info(1)});
        return set;
    };
    // Of a pool that keeps its sets they are known, for they may be all that there will be.
    EXPECT_EQ(Dispatch(add(2, false)), (Lines{kBuffer1}));
    world_.resources.ResetPool(pool_);
    EXPECT_EQ(Dispatch(H<VkDescriptorSet>(2)), kAnything);
    EXPECT_EQ(Dispatch(add(2, false)), kAnything);
    EXPECT_EQ(Dispatch(add(3, true)), (Lines{kBuffer1}));
    world_.resources.ResetPool(pool_);
    EXPECT_EQ(Dispatch(add(2, true)), (Lines{kBuffer1}));
    // One whose end was not seen is not what it was.
    EXPECT_EQ(Dispatch(add(2, false)), kAnything);
}

TEST_F(DescriptorsTest, InlineUniformBlocksAndSamplersTouchNothing) {
    constexpr VkDescriptorType kInline = VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK;
    Prepare({{0, kStorage}, {1, kInline, 64}, {2, VK_DESCRIPTOR_TYPE_SAMPLER}, {3, kStorage}}, 4);
    world_.Write(set_, 0, kStorage, {Info(1)});
    world_.Write(set_, 3, kStorage, {Info(2)});
    const std::array<char, 16> bytes{};
    const VkWriteDescriptorSetInlineUniformBlock block = {VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET_INLINE_UNIFORM_BLOCK,
                                                          nullptr, bytes.size(), bytes.data()};
    const VkWriteDescriptorSet write = {
        VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET, &block, set_, 1, 32, bytes.size(), kInline, nullptr, nullptr, nullptr};
    world_.resources.UpdateSets(1, &write, 0, nullptr);
    EXPECT_EQ(Dispatch(set_), (Lines{kBuffer1, kBuffer2}));
}

TEST_F(DescriptorsTest, CopiesTakeWhatTheSourceHolds) {
    Prepare({{0, kStorage, 2}, {1, kStorage, 2}}, 2);
    const VkDescriptorSet other = world_.Set(2, pool_, layout_);
    world_.Write(set_, 0, kStorage, {Info(1), Info(2), Info(3), Info(4)});
    world_.Copy(set_, 0, 1, other, 0, 0, 3);
    EXPECT_EQ(Dispatch(other), kAnything);
    world_.Copy(set_, 0, 0, other, 1, 1, 1);
    EXPECT_EQ(Dispatch(other), (Lines{kBuffer2, kBuffer3, kBuffer4, kBuffer1}));
    EXPECT_EQ(Dispatch(set_), (Lines{kBuffer1, kBuffer2, kBuffer3, kBuffer4}));
    // What the source holds later is its own.
    world_.Write(set_, 0, kStorage, {Info(4)}, 1);
    EXPECT_EQ(Dispatch(other), (Lines{kBuffer2, kBuffer3, kBuffer4, kBuffer1}));
}

TEST_F(DescriptorsTest, CopiesOfWhatIsNotKnownAreUnknown) {
    Prepare({{0, kStorage}, {1, kStorage}}, 1);
    world_.Write(set_, 0, kStorage, {Info(1)});
    world_.Copy(H<VkDescriptorSet>(77), 0, 0, set_, 1, 0, 1);
    EXPECT_EQ(Dispatch(set_), (Lines{kBuffer1}));
    world_.Copy(H<VkDescriptorSet>(77), 0, 0, set_, 0, 0, 1);
    EXPECT_EQ(Dispatch(set_), kAnything);
}

TEST_F(DescriptorsTest, CopiesBetweenTypesMakeTheSetUnknown) {
    Prepare({{0, kStorage}, {1, kUniform}}, 1);
    world_.Write(set_, 0, kStorage, {Info(1)});
    world_.Write(set_, 1, kUniform, {Info(2)});
    world_.Copy(set_, 1, 0, set_, 0, 0, 1);
    EXPECT_EQ(Dispatch(set_), kAnything);
}

TEST_F(DescriptorsTest, WritesComeBeforeCopies) {
    Prepare({{0, kStorage}, {1, kStorage}}, 2);
    const VkDescriptorBufferInfo info = Info(3);
    const VkWriteDescriptorSet write = {
        VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET, nullptr, set_, 0, 0, 1, kStorage, nullptr, &info, nullptr};
    const VkCopyDescriptorSet copy = {VK_STRUCTURE_TYPE_COPY_DESCRIPTOR_SET, nullptr, set_, 0, 0, set_, 1, 0, 1};
    world_.resources.UpdateSets(1, &write, 1, &copy);
    EXPECT_EQ(Dispatch(set_), (Lines{kBuffer3, kBuffer3}));
}

struct Data {
    char before[24];
    VkDescriptorBufferInfo first;
    char between[8];
    VkDescriptorBufferInfo second;
    VkBufferView texels;
};

VkDescriptorUpdateTemplateCreateInfo TemplateInfo(const std::vector<VkDescriptorUpdateTemplateEntry>& entries) {
    VkDescriptorUpdateTemplateCreateInfo info = {};
    info.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_UPDATE_TEMPLATE_CREATE_INFO;
    info.descriptorUpdateEntryCount = static_cast<uint32_t>(entries.size());
    info.pDescriptorUpdateEntries = entries.data();
    return info;
}

TEST_F(DescriptorsTest, TemplatesSayWhereTheDataLie) {
    Prepare({{0, kStorage, 2}, {1, VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER}}, 2);
    const auto update = H<VkDescriptorUpdateTemplate>(1);
    {
        // The template keeps its own copy.
        const std::vector<VkDescriptorUpdateTemplateEntry> entries = {
            {0, 0, 2, kStorage, offsetof(Data, first), offsetof(Data, second) - offsetof(Data, first)},
            {1, 0, 1, VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER, offsetof(Data, texels), 0}};
        world_.resources.AddTemplate(update, TemplateInfo(entries));
    }
    Data data = {};
    data.first = Info(1);
    data.second = {H<VkBuffer>(2), 16, 32};
    data.texels = world_.BufferView(1, H<VkBuffer>(4), 0, VK_WHOLE_SIZE);
    world_.resources.UpdateSet(set_, update, &data);
    EXPECT_EQ(Dispatch(set_), (Lines{kBuffer1, "m1[1040,1072) r", kBuffer4}));

    world_.resources.RemoveTemplate(update);
    world_.resources.UpdateSet(set_, update, &data);
    EXPECT_EQ(Dispatch(set_), kAnything);
}

TEST_F(DescriptorsTest, ATemplateWithAnUnknownStructureMakesSetsUnknown) {
    Prepare({{0, kStorage}}, 1);
    world_.Write(set_, 0, kStorage, {Info(1)});
    const std::vector<VkDescriptorUpdateTemplateEntry> entries = {{0, 0, 1, kStorage, 0, 0}};
    VkDescriptorUpdateTemplateCreateInfo info = TemplateInfo(entries);
    const VkBaseInStructure unknown = {VK_STRUCTURE_TYPE_MAX_ENUM, nullptr};
    info.pNext = &unknown;
    const auto update = H<VkDescriptorUpdateTemplate>(1);
    world_.resources.AddTemplate(update, info);
    const VkDescriptorBufferInfo data = Info(2);
    world_.resources.UpdateSet(set_, update, &data);
    EXPECT_EQ(Dispatch(set_), kAnything);
}

TEST_F(DescriptorsTest, WritesFitWhereTheLayoutHasRoomOfTheirType) {
    Prepare({{0, kStorage, 2}, {1, kStorage, 1}, {2, kUniform, 1}}, 1);
    const SetLayoutFacts& layout = *world_.resources.FindSet(set_)->layout;
    const auto fits = [&](VkDescriptorType type, uint32_t binding, uint32_t element, uint32_t count) {
        VkWriteDescriptorSet write = {};
        write.descriptorType = type;
        write.dstBinding = binding;
        write.dstArrayElement = element;
        write.descriptorCount = count;
        return Fits(layout, write);
    };
    EXPECT_TRUE(fits(kStorage, 0, 0, 3)) << "the last one is the next binding's";
    EXPECT_TRUE(fits(kStorage, 0, 2, 1));
    EXPECT_TRUE(fits(kUniform, 2, 0, 1));
    EXPECT_FALSE(fits(kStorage, 0, 0, 4)) << "another type comes then";
    EXPECT_FALSE(fits(kUniform, 2, 0, 2)) << "there are no more";
    EXPECT_FALSE(fits(kStorage, 3, 0, 1)) << "there is no such binding";
    EXPECT_FALSE(fits(kUniform, 0, 0, 1));
}

TEST_F(DescriptorsTest, ResetPoolsForgetTheirSets) {
    Prepare({{0, kStorage}}, 1);
    world_.Write(set_, 0, kStorage, {Info(1)});
    const VkDescriptorPool other = world_.Pool(2);
    const VkDescriptorSet stays = world_.Set(2, other, layout_);
    world_.Write(stays, 0, kStorage, {Info(2)});
    const uint64_t uid = world_.resources.FindSet(set_)->uid;
    world_.BindSets({set_});
    world_.resources.ResetPool(pool_);
    EXPECT_EQ(world_.resources.FindSet(set_), nullptr);
    EXPECT_EQ(world_.Dispatch(), kAnything);  // it was bound: invalid, but no reason to fall

    // The same handle again: nothing is left of what it held.
    world_.Set(1, pool_, layout_);
    EXPECT_GT(world_.resources.FindSet(set_)->uid, uid);
    EXPECT_EQ(world_.Dispatch(), kAnything);
    world_.Write(set_, 0, kStorage, {Info(3)});
    EXPECT_EQ(world_.Dispatch(), kAnything);  // what is bound is the life before
    EXPECT_EQ(Dispatch(set_), (Lines{kBuffer3}));
    EXPECT_EQ(Dispatch(stays), (Lines{kBuffer2}));
    world_.resources.RemovePool(other);
    EXPECT_EQ(Dispatch(stays), kAnything);
}

TEST_F(DescriptorsTest, FreedSetsLeaveTheOthersAlone) {
    Prepare({{0, kStorage}}, 1);
    const VkDescriptorSet second = world_.Set(2, pool_, layout_);
    const VkDescriptorSet third = world_.Set(3, pool_, layout_);
    world_.Write(set_, 0, kStorage, {Info(1)});
    world_.Write(second, 0, kStorage, {Info(2)});
    world_.Write(third, 0, kStorage, {Info(3)});
    const std::array<VkDescriptorSet, 2> freed = {VK_NULL_HANDLE, set_};
    world_.resources.RemoveSets(pool_, 2, freed.data());
    EXPECT_EQ(Dispatch(set_), kAnything);
    EXPECT_EQ(Dispatch(second), (Lines{kBuffer2}));
    EXPECT_EQ(Dispatch(third), (Lines{kBuffer3}));
    world_.Set(1, pool_, layout_);
    world_.Write(set_, 0, kStorage, {Info(4)});
    world_.resources.RemoveSets(pool_, 1, &third);
    world_.resources.RemoveSets(pool_, 1, &third);  // not known any more
    world_.Write(world_.Set(4, pool_, layout_), 0, kStorage, {Info(1)});
    EXPECT_EQ(Dispatch(set_), (Lines{kBuffer4}));
    EXPECT_EQ(Dispatch(second), (Lines{kBuffer2}));
    world_.resources.ResetPool(pool_);
    EXPECT_EQ(Dispatch(second), kAnything);
}

TEST_F(DescriptorsTest, SetsOutliveTheirLayout) {
    Prepare({{0, kStorage}}, 1);
    world_.resources.RemoveSetLayout(layout_);
    world_.resources.RemovePipelineLayout(H<VkPipelineLayout>(1));
    world_.Write(set_, 0, kStorage, {Info(1)});
    EXPECT_EQ(Dispatch(set_), (Lines{kBuffer1}));
}

TEST_F(DescriptorsTest, VariableCounts) {
    Prepare({{0, kStorage}, {1, kStorage, 8, VK_DESCRIPTOR_BINDING_VARIABLE_DESCRIPTOR_COUNT_BIT}}, 2);
    const uint32_t count = 2;
    VkDescriptorSetVariableDescriptorCountAllocateInfo counts = {
        VK_STRUCTURE_TYPE_DESCRIPTOR_SET_VARIABLE_DESCRIPTOR_COUNT_ALLOCATE_INFO, nullptr, 1, &count};
    const VkDescriptorSet two = world_.Set(2, pool_, layout_, &counts);
    world_.Write(two, 0, kStorage, {Info(1), Info(2), Info(3)});
    EXPECT_EQ(Dispatch(two), (Lines{kBuffer1, kBuffer2, kBuffer3}));
    world_.Write(two, 0, kStorage, {Info(1), Info(2), Info(3), Info(4)});  // more than it has
    EXPECT_EQ(Dispatch(two), kAnything);
    // None, unless the allocation says how many.
    world_.Write(set_, 0, kStorage, {Info(1)});
    EXPECT_EQ(Dispatch(set_), (Lines{kBuffer1}));
    const VkBaseInStructure unknown = {VK_STRUCTURE_TYPE_MAX_ENUM, nullptr};
    counts.pNext = &unknown;
    const VkDescriptorSet odd = world_.Set(3, pool_, layout_, &counts);
    world_.Write(odd, 0, kStorage, {Info(1), Info(2), Info(3)});
    EXPECT_EQ(Dispatch(odd), kAnything);
}

TEST_F(DescriptorsTest, LayoutsThatAreNotUnderstood) {
    const auto understood = [&](const World::Binding& binding, VkDescriptorSetLayoutCreateFlags flags = 0,
                                const void* next = nullptr) {
        const auto layout = world_.SetLayout(9, {{0, kStorage}, binding}, flags, next);
        const bool result = world_.resources.SetLayout(layout)->understood;
        world_.resources.RemoveSetLayout(layout);
        return result;
    };
    EXPECT_TRUE(understood({1, kStorage, 1, VK_DESCRIPTOR_BINDING_PARTIALLY_BOUND_BIT}));
    EXPECT_FALSE(understood({1, kStorage, 1, VK_DESCRIPTOR_BINDING_UPDATE_AFTER_BIND_BIT}));
    EXPECT_FALSE(understood({1, kStorage, 1, VK_DESCRIPTOR_BINDING_UPDATE_UNUSED_WHILE_PENDING_BIT}));
    EXPECT_FALSE(understood({1, VK_DESCRIPTOR_TYPE_MUTABLE_EXT}));
    EXPECT_FALSE(understood({1, VK_DESCRIPTOR_TYPE_ACCELERATION_STRUCTURE_KHR}));
    EXPECT_TRUE(understood({1, kStorage, 4095}));
    EXPECT_FALSE(understood({1, kStorage, 4096}));
    EXPECT_FALSE(understood({1, kStorage, ~0u}));
    EXPECT_TRUE(understood({1, kUniform}, VK_DESCRIPTOR_SET_LAYOUT_CREATE_UPDATE_AFTER_BIND_POOL_BIT));
    EXPECT_FALSE(understood({1, kUniform}, VK_DESCRIPTOR_SET_LAYOUT_CREATE_DESCRIPTOR_BUFFER_BIT_EXT));
    const VkBaseInStructure unknown = {VK_STRUCTURE_TYPE_MAX_ENUM, nullptr};
    EXPECT_FALSE(understood({1, kUniform}, 0, &unknown));
}

}  // namespace
}  // namespace kronos
