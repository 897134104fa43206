// SPDX-License-Identifier: Apache-2.0
// Pushed descriptors that are held: the driver gets what the program's arrays said when it pushed, whatever became of
// them, and what cannot be copied it gets at once.
#include <cstddef>
#include <string>
#include <vector>

#include "recording.h"
#include "stream/hold.h"
#include "world.h"

namespace kronos {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Table = VkuDeviceDispatchTable;

constexpr VkPipelineBindPoint kCompute = VK_PIPELINE_BIND_POINT_COMPUTE;
constexpr VkDescriptorType kUnknownType = VK_DESCRIPTOR_TYPE_ACCELERATION_STRUCTURE_KHR;

std::vector<std::string>& Got() {
    static std::vector<std::string> got;
    return got;
}

// "2: 7 8", the descriptors of binding 2.
std::string Say(const VkWriteDescriptorSet& write) {
    std::string line = std::to_string(write.dstBinding) + ":";
    for (uint32_t i = 0; i < write.descriptorCount; ++i) {
        uint64_t handle = 0;
        switch (write.descriptorType) {
            case VK_DESCRIPTOR_TYPE_SAMPLER:
                handle = HandleBits(write.pImageInfo[i].sampler);
                break;
            case VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER:
            case VK_DESCRIPTOR_TYPE_SAMPLED_IMAGE:
            case VK_DESCRIPTOR_TYPE_STORAGE_IMAGE:
                handle = HandleBits(write.pImageInfo[i].imageView);
                break;
            case VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER:
            case VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER:
                handle = HandleBits(write.pTexelBufferView[i]);
                break;
            default:
                handle = HandleBits(write.pBufferInfo[i].buffer);
        }
        line += " " + std::to_string(handle);
    }
    return line;
}

class HeldPushTest : public ::testing::Test {
  protected:
    HeldPushTest() : recorder(world.resources, {.mode = RecorderMode::kHold}) {
        Got().clear();
        down.CmdPushDescriptorSet = [](VkCommandBuffer, VkPipelineBindPoint, VkPipelineLayout, uint32_t, uint32_t count,
                                       const VkWriteDescriptorSet* writes) {
            for (uint32_t i = 0; i < count; ++i) Got().push_back(Say(writes[i]));
        };
        const auto pushed = world.SetLayout(1,
                                            {{0, VK_DESCRIPTOR_TYPE_SAMPLER, 2},
                                             {1, VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER, 2},
                                             {2, VK_DESCRIPTOR_TYPE_STORAGE_IMAGE, 2},
                                             {3, VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER, 2},
                                             {4, VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER, 2},
                                             {5, kStorage, 2},
                                             {6, kUnknownType}},
                                            VK_DESCRIPTOR_SET_LAYOUT_CREATE_PUSH_DESCRIPTOR_BIT);
        layout = world.Layout(1, {pushed});
        for (uint64_t i = 0; i < 2; ++i) {
            images.push_back({H<VkSampler>(10 + i), H<VkImageView>(20 + i), VK_IMAGE_LAYOUT_GENERAL});
            texels.push_back(H<VkBufferView>(30 + i));
            buffers.push_back({H<VkBuffer>(40 + i), 0, VK_WHOLE_SIZE});
        }
        recorder.Begin(true);
    }
    VkWriteDescriptorSet Write(uint32_t binding, VkDescriptorType type) {
        VkWriteDescriptorSet write = {};
        write.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET;
        write.dstBinding = binding;
        write.descriptorCount = 2;
        write.descriptorType = type;
        write.pImageInfo = images.data();
        write.pTexelBufferView = texels.data();
        write.pBufferInfo = buffers.data();
        return write;
    }
    /// Other descriptors where the program's were; then the recording ends.
    void Overwrite() {
        images.assign(2, {});
        texels.assign(2, VK_NULL_HANDLE);
        buffers.assign(2, {});
        EXPECT_THAT(Got(), IsEmpty()) << "they are held";
        recorder.Finish(down, VK_NULL_HANDLE, counters, nullptr, true);
    }

    Table down{};
    World world;
    Recording recorder;
    RecordingCounters counters;
    VkPipelineLayout layout = VK_NULL_HANDLE;
    std::vector<VkDescriptorImageInfo> images;
    std::vector<VkBufferView> texels;
    std::vector<VkDescriptorBufferInfo> buffers;
};

TEST_F(HeldPushTest, OfEachKindAreCopied) {
    std::vector<VkWriteDescriptorSet> writes = {Write(0, VK_DESCRIPTOR_TYPE_SAMPLER),
                                                Write(1, VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER),
                                                Write(2, VK_DESCRIPTOR_TYPE_STORAGE_IMAGE),
                                                Write(3, VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER),
                                                Write(4, VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER),
                                                Write(5, kStorage)};
    EXPECT_TRUE(hold::CmdPushDescriptorSet(recorder, kCompute, layout, 0, 6, writes.data()));
    writes.assign(6, {});
    Overwrite();
    EXPECT_THAT(Got(), ElementsAre("0: 10 11", "1: 20 21", "2: 20 21", "3: 30 31", "4: 30 31", "5: 40 41"));
}

TEST_F(HeldPushTest, WhatIsNotKnownIsNotHeld) {
    VkWriteDescriptorSet writes[] = {Write(2, VK_DESCRIPTOR_TYPE_STORAGE_IMAGE), Write(6, kUnknownType)};
    writes[1].descriptorCount = 1;
    EXPECT_FALSE(hold::CmdPushDescriptorSet(recorder, kCompute, layout, 0, 2, writes));
    VkBaseInStructure unknown = {VK_STRUCTURE_TYPE_MAX_ENUM, nullptr};
    writes[0].pNext = &unknown;
    EXPECT_FALSE(hold::CmdPushDescriptorSet(recorder, kCompute, layout, 0, 1, writes));
    recorder.Finish(down, VK_NULL_HANDLE, counters, nullptr, true);
    EXPECT_THAT(Got(), IsEmpty());
}

class HeldTemplatePushTest : public HeldPushTest {
  protected:
    // What a program's template may say: descriptors apart from each other, in any order.
    struct Data {
        uint64_t before;
        VkDescriptorBufferInfo buffers[2];
        VkBufferView texels[2];
        uint64_t between;
        struct {
            VkDescriptorImageInfo image;
            uint32_t more;
        } images[2];
    };
    VkDescriptorUpdateTemplate Template(const std::vector<VkDescriptorUpdateTemplateEntry>& entries) {
        VkDescriptorUpdateTemplateCreateInfo info = {};
        info.descriptorUpdateEntryCount = static_cast<uint32_t>(entries.size());
        info.pDescriptorUpdateEntries = entries.data();
        info.templateType = VK_DESCRIPTOR_UPDATE_TEMPLATE_TYPE_PUSH_DESCRIPTORS;
        info.pipelineBindPoint = kCompute;
        info.pipelineLayout = layout;
        world.resources.AddTemplate(update, info);
        return update;
    }

    const VkDescriptorUpdateTemplate update = H<VkDescriptorUpdateTemplate>(1);
};

TEST_F(HeldTemplatePushTest, OfEachKindAreGathered) {
    Data data = {};
    for (size_t i = 0; i < 2; ++i) {
        data.buffers[i] = buffers[i];
        data.texels[i] = texels[i];
        data.images[i].image = images[i];
    }
    Template({{2, 0, 2, VK_DESCRIPTOR_TYPE_STORAGE_IMAGE, offsetof(Data, images), sizeof data.images[0]},
              {0, 0, 2, VK_DESCRIPTOR_TYPE_SAMPLER, offsetof(Data, images), sizeof data.images[0]},
              {3, 0, 2, VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER, offsetof(Data, texels), sizeof data.texels[0]},
              {4, 1, 1, VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER, offsetof(Data, texels) + sizeof data.texels[0], 0},
              {5, 0, 2, kStorage, offsetof(Data, buffers), sizeof data.buffers[0]}});
    EXPECT_TRUE(hold::CmdPushDescriptorSetWithTemplate(recorder, update, layout, 0, &data));
    data = {};
    world.resources.RemoveTemplate(update);
    Overwrite();
    EXPECT_THAT(Got(), ElementsAre("2: 20 21", "0: 10 11", "3: 30 31", "4: 31", "5: 40 41"));
}

TEST_F(HeldTemplatePushTest, WhatIsNotKnownIsNotHeld) {
    const Data data = {};
    Template({{5, 0, 2, kStorage, offsetof(Data, buffers), sizeof data.buffers[0]},
              {6, 0, 1, kUnknownType, offsetof(Data, texels), 0}});
    EXPECT_FALSE(hold::CmdPushDescriptorSetWithTemplate(recorder, update, layout, 0, &data));
    recorder.Finish(down, VK_NULL_HANDLE, counters, nullptr, true);
    EXPECT_THAT(Got(), IsEmpty());
}

}  // namespace
}  // namespace kronos
