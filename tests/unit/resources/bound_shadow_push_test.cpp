// SPDX-License-Identifier: Apache-2.0
// Which push descriptors change nothing, rule by rule; and the near misses.
#include <array>
#include <cstddef>

#include "bound_shadow_fixture.h"

namespace kronos {
namespace {

class ShadowPushTest : public ShadowTest {
  protected:
    ShadowPushTest() {
        pushed = world.SetLayout(3, {{0, kStorage}, {1, kStorage, 2}}, kPush);
        with = world.Layout(2, {plain, pushed, plain});
    }
    VkDescriptorSetLayout pushed;
    VkPipelineLayout with;
};

TEST_F(ShadowPushTest, DescriptorsThatWerePushed) {
    EXPECT_EQ(Push(with, 1, 0, Whole(1)), Effect::kChange);
    EXPECT_EQ(Push(with, 1, 0, Whole(1)), Effect::kNothing);
    EXPECT_EQ(Push(with, 1, 1, Whole(1)), Effect::kChange);
    EXPECT_EQ(Push(with, 1, 0, Whole(1)), Effect::kNothing);
    EXPECT_EQ(Push(with, 1, 0, Whole(2)), Effect::kChange);
    EXPECT_EQ(Push(with, 1, 0, {H<VkBuffer>(2), 64, VK_WHOLE_SIZE}), Effect::kChange);
    EXPECT_EQ(Push(with, 1, 0, {H<VkBuffer>(2), 64, 64}), Effect::kChange);
    EXPECT_EQ(Push(with, 1, 0, {H<VkBuffer>(2), 64, 64}), Effect::kNothing);
    // Another life of the handle, and one that is not known.
    world.resources.RemoveBuffer(H<VkBuffer>(2));
    EXPECT_EQ(Push(with, 1, 0, {H<VkBuffer>(2), 64, 64}), Effect::kUnknown);
    EXPECT_EQ(Push(with, 1, 0, {H<VkBuffer>(2), 64, 64}), Effect::kUnknown);
    world.Buffer(2, 1, 8192, 4096);
    EXPECT_EQ(Push(with, 1, 0, {H<VkBuffer>(2), 64, 64}), Effect::kChange);
    EXPECT_EQ(Push(with, 1, 0, {H<VkBuffer>(2), 64, 64}), Effect::kNothing);
    EXPECT_EQ(Push(with, 1, 0, {VK_NULL_HANDLE, 0, VK_WHOLE_SIZE}), Effect::kUnknown);
    EXPECT_EQ(Push(with, 1, 1, Whole(1)), Effect::kNothing);
    shadow.Clear();
    EXPECT_EQ(Push(with, 1, 1, Whole(1)), Effect::kChange);
}

TEST_F(ShadowPushTest, ABufferThatDiedAndCameAgainIsAnother) {
    Push(with, 1, 0, Whole(1));
    Push(with, 1, 1, Whole(2));
    // Of another buffer it says nothing.
    world.resources.RemoveBuffer(H<VkBuffer>(3));
    EXPECT_EQ(Push(with, 1, 0, Whole(1)), Effect::kNothing);
    EXPECT_EQ(Push(with, 1, 0, Whole(1)), Effect::kNothing);
    world.resources.RemoveBuffer(H<VkBuffer>(2));
    world.Buffer(2, 1, 4096, 4096);
    EXPECT_EQ(Push(with, 1, 1, Whole(2)), Effect::kChange);
    EXPECT_EQ(Push(with, 1, 1, Whole(2)), Effect::kNothing);
    EXPECT_EQ(Push(with, 1, 0, Whole(1)), Effect::kNothing);
    // Its destruction was not seen: nobody knows which it is.
    world.Buffer(2, 1, 4096, 4096);
    EXPECT_EQ(Push(with, 1, 1, Whole(2)), Effect::kUnknown);
}

TEST_F(ShadowPushTest, WhatIsPushedIsLostAsWhatIsBound) {
    const auto push = [&] {
        Push(with, 1, 0, Whole(1));
        EXPECT_EQ(Push(with, 1, 0, Whole(1)), Effect::kNothing);
    };
    Bind(layout, 0, {sets[0]});
    push();
    // A compatible bind below leaves it.
    Bind(layout, 0, {sets[1]});
    EXPECT_EQ(Push(with, 1, 0, Whole(1)), Effect::kNothing);
    Bind(world.Layout(5, {plain, plain}, {{kComputeStage, 0, 4}}), 0, {sets[1]});
    EXPECT_EQ(Push(with, 1, 0, Whole(1)), Effect::kChange);
    push();
    // A set in its place.
    Bind(layout, 1, {sets[1]});
    EXPECT_EQ(Push(with, 1, 0, Whole(1)), Effect::kChange);
    // Another layout's: what was pushed with the first is undefined then.
    const auto more = world.SetLayout(6, {{0, kStorage}, {1, kStorage, 3}}, kPush);
    const auto other = world.Layout(6, {plain, more});
    EXPECT_EQ(Push(other, 1, 0, Whole(1)), Effect::kChange);
    EXPECT_EQ(Push(with, 1, 0, Whole(1)), Effect::kChange);
    EXPECT_EQ(Push(with, 1, 1, Whole(1)), Effect::kChange);
    // And a push is a bind for the sets around it.
    Bind(with, 2, {sets[2]});
    EXPECT_EQ(Push(with, 1, 0, Whole(3)), Effect::kChange);
    EXPECT_EQ(Bind(with, 2, {sets[2]}), Effect::kNothing);
    EXPECT_EQ(Push(other, 1, 0, Whole(3)), Effect::kChange);
    EXPECT_EQ(Bind(with, 2, {sets[2]}), Effect::kChange);
}

TEST_F(ShadowPushTest, TwoSetsThatArePushedDoNotShareWhatTheyHold) {
    const auto first = world.Layout(5, {pushed, plain});
    EXPECT_EQ(Push(first, 0, 0, Whole(1)), Effect::kChange);
    EXPECT_EQ(Push(with, 1, 1, Whole(1)), Effect::kChange);
    EXPECT_EQ(Push(with, 1, 0, Whole(1)), Effect::kChange);
    EXPECT_EQ(Push(first, 0, 0, Whole(1)), Effect::kChange);
    // A valid layout has no two; of one that has, they are not taken for each other either.
    const auto both = world.Layout(6, {pushed, pushed});
    shadow.Clear();
    EXPECT_EQ(Push(both, 0, 0, Whole(1)), Effect::kChange);
    EXPECT_EQ(Push(both, 1, 0, Whole(2)), Effect::kChange);
    EXPECT_EQ(Push(both, 0, 0, Whole(2)), Effect::kChange);
}

TEST_F(ShadowPushTest, WritesThatAreNotUnderstood) {
    Push(with, 1, 0, Whole(1));
    const VkDescriptorBufferInfo infos[] = {Whole(1), Whole(1), Whole(1)};
    const VkBaseInStructure strange = {VK_STRUCTURE_TYPE_APPLICATION_INFO, nullptr};
    std::array<VkWriteDescriptorSet, 5> writes;
    writes.fill(WriteOf(0, kStorage));
    writes[0].descriptorCount = 2;  // goes on in the next binding
    writes[1].dstBinding = 7;
    writes[2].descriptorType = kUniform;
    writes[3].dstArrayElement = 1;
    writes[4].pNext = &strange;
    for (VkWriteDescriptorSet& write : writes) {
        EXPECT_EQ(Push(with, 1, 0, Whole(1)), &write == writes.data() ? Effect::kNothing : Effect::kChange);
        write.pBufferInfo = infos;
        EXPECT_EQ(shadow.PushDescriptors(with, 1, {&write, 1}), Effect::kUnknown);
    }
    EXPECT_EQ(Push(with, 0, 0, Whole(1)), Effect::kUnknown);  // no set to push
    const auto many = world.SetLayout(6, {{0, kStorage, BoundShadow::kMostPushed + 1}}, kPush);
    const auto wide = world.Layout(6, {many});
    for (int i = 0; i < 2; ++i) EXPECT_EQ(Push(wide, 0, 0, Whole(1)), Effect::kUnknown);
}

// What was pushed to each of them makes no write that goes on in the next binding one that is followed.
TEST_F(ShadowPushTest, WritesThatGoOnOverWhatWasPushed) {
    Push(with, 1, 0, Whole(1));
    Push(with, 1, 1, Whole(2));
    const VkDescriptorBufferInfo infos[] = {Whole(1), Whole(2)};
    VkWriteDescriptorSet write = WriteOf(0, kStorage, 2);
    write.pBufferInfo = infos;
    EXPECT_EQ(shadow.PushDescriptors(with, 1, {&write, 1}), Effect::kUnknown);
}

TEST_F(ShadowPushTest, BindingsThatAreNumberedWithGaps) {
    const auto gaps = world.SetLayout(6, {{0, kStorage}, {2, kStorage}, {5, kStorage}}, kPush);
    const auto with_gaps = world.Layout(6, {gaps});
    Push(with_gaps, 0, 2, Whole(1));
    Push(with_gaps, 0, 5, Whole(2));
    EXPECT_EQ(Push(with_gaps, 0, 2, Whole(1)), Effect::kNothing);
    EXPECT_EQ(Push(with_gaps, 0, 2, Whole(2)), Effect::kChange);
    EXPECT_EQ(Push(with_gaps, 0, 5, Whole(2)), Effect::kNothing);
}

TEST_F(ShadowPushTest, ByTemplateFromDataWithGaps) {
    VkDescriptorBufferInfo data[] = {Whole(1), Whole(3), Whole(2)};
    UpdateTemplate of;
    of.entries = {{1, 0, 2, kStorage, 0, 2 * sizeof data[0]}};
    EXPECT_EQ(shadow.PushDescriptors(of, with, 1, data), Effect::kChange);
    EXPECT_EQ(shadow.PushDescriptors(of, with, 1, data), Effect::kNothing);
    data[1] = Whole(2);
    data[2] = Whole(3);
    EXPECT_EQ(shadow.PushDescriptors(of, with, 1, data), Effect::kChange);
}

TEST_F(ShadowPushTest, ViewsAndSamplers) {
    const VkSampler sampler = H<VkSampler>(1);
    const std::array<VkDescriptorSetLayoutBinding, 6> bindings = {{
        {0, VK_DESCRIPTOR_TYPE_STORAGE_IMAGE, 1, kComputeStage, nullptr},
        {1, VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER, 1, kComputeStage, nullptr},
        {2, VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER, 1, kComputeStage, nullptr},
        {3, VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER, 1, kComputeStage, &sampler},
        {4, VK_DESCRIPTOR_TYPE_SAMPLER, 1, kComputeStage, nullptr},
        {5, VK_DESCRIPTOR_TYPE_SAMPLER, 1, kComputeStage, &sampler},
    }};
    const auto views = H<VkDescriptorSetLayout>(6);
    world.resources.AddSetLayout(views, {VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO, nullptr, kPush,
                                         static_cast<uint32_t>(bindings.size()), bindings.data()});
    const auto of_views = world.Layout(6, {views});
    const VkImageView image = world.ImageView(1, 1, 0, 4096);
    const VkBufferView texels = world.BufferView(1, H<VkBuffer>(1), 0, 64);
    const auto push = [&](uint32_t binding, VkImageLayout image_layout = VK_IMAGE_LAYOUT_GENERAL) {
        VkWriteDescriptorSet write = WriteOf(binding, bindings[binding].descriptorType);
        const VkDescriptorImageInfo info = {sampler, image, image_layout};
        write.pImageInfo = &info;
        write.pTexelBufferView = &texels;
        return shadow.PushDescriptors(of_views, 0, {&write, 1});
    };
    for (const uint32_t binding : {0, 1, 3, 5}) {
        EXPECT_EQ(push(binding), Effect::kChange) << binding;
        EXPECT_EQ(push(binding), Effect::kNothing) << binding;
    }
    EXPECT_EQ(push(0, VK_IMAGE_LAYOUT_SHADER_READ_ONLY_OPTIMAL), Effect::kChange);
    EXPECT_EQ(push(3, VK_IMAGE_LAYOUT_SHADER_READ_ONLY_OPTIMAL), Effect::kChange);
    // Of a sampler nobody knows which life it is.
    for (const uint32_t binding : {2, 4, 2, 4}) EXPECT_EQ(push(binding), Effect::kUnknown) << binding;
    for (const uint32_t binding : {0, 1, 3}) {
        push(binding);
        EXPECT_EQ(push(binding), Effect::kNothing) << binding;
    }
    // Other lives of the handles.
    world.resources.RemoveImageView(image);
    world.resources.RemoveBufferView(texels);
    VkImageViewCreateInfo again = {};
    again.image = H<VkImage>(1);
    world.resources.AddImageView(image, again);
    world.BufferView(1, H<VkBuffer>(1), 0, 64);
    for (const uint32_t binding : {0, 1, 3}) EXPECT_EQ(push(binding), Effect::kChange) << binding;
    world.resources.RemoveImageView(image);
    world.resources.RemoveBufferView(texels);
    for (const uint32_t binding : {0, 1, 3}) EXPECT_EQ(push(binding), Effect::kUnknown) << binding;
}

TEST_F(ShadowPushTest, ByTemplateAsByWrites) {
    struct Data {
        uint32_t before = 0;
        VkDescriptorBufferInfo infos[3];
    } data = {0, {Whole(1), Whole(2), Whole(3)}};
    UpdateTemplate of;
    of.entries = {
        {0, 0, 1, kStorage, offsetof(Data, infos), 0},
        {1, 0, 2, kStorage, offsetof(Data, infos) + sizeof(VkDescriptorBufferInfo), sizeof(VkDescriptorBufferInfo)}};
    EXPECT_EQ(shadow.PushDescriptors(of, with, 1, &data), Effect::kChange);
    EXPECT_EQ(shadow.PushDescriptors(of, with, 1, &data), Effect::kNothing);
    EXPECT_EQ(Push(with, 1, 0, Whole(1)), Effect::kNothing);
    data.infos[2] = Whole(2);
    EXPECT_EQ(shadow.PushDescriptors(of, with, 1, &data), Effect::kChange);
    of.entries[0].dstBinding = 5;
    EXPECT_EQ(shadow.PushDescriptors(of, with, 1, &data), Effect::kUnknown);
    EXPECT_EQ(Push(with, 1, 0, Whole(1)), Effect::kChange);
}

}  // namespace
}  // namespace kronos
