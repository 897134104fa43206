// SPDX-License-Identifier: Apache-2.0
// A shadow of what is bound, in a world with some layouts and sets.
#pragma once

#include <vector>

#include "stream/bound_shadow.h"
#include "world.h"

namespace kronos {

constexpr VkShaderStageFlags kComputeStage = VK_SHADER_STAGE_COMPUTE_BIT;
constexpr VkDescriptorSetLayoutCreateFlags kPush = VK_DESCRIPTOR_SET_LAYOUT_CREATE_PUSH_DESCRIPTOR_BIT;

inline VkWriteDescriptorSet WriteOf(uint32_t binding, VkDescriptorType type, uint32_t count = 1) {
    VkWriteDescriptorSet write = {};
    write.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET;
    write.dstBinding = binding;
    write.descriptorCount = count;
    write.descriptorType = type;
    return write;
}

class ShadowTest : public ::testing::Test {
  protected:
    ShadowTest() {
        world.Memory(1);
        for (uint64_t i = 1; i <= 3; ++i) world.Buffer(i, 1, i * 4096, 4096);
        plain = world.SetLayout(1, {{0, kStorage}});
        dynamic = world.SetLayout(2, {{0, kStorageDynamic, 2}});
        layout = world.Layout(1, {plain, plain, plain});
        pool = world.Pool(1);
        for (uint64_t i = 0; i < 4; ++i) sets.push_back(world.Set(i + 1, pool, plain));
    }
    VkPipeline Pipeline(uint64_t number) {
        world.resources.RemovePipeline(H<VkPipeline>(number));
        return world.Pipeline(number, layout, Shader({}));
    }
    Effect Bind(VkPipelineLayout with, uint32_t first, const std::vector<VkDescriptorSet>& bound,
                const std::vector<uint32_t>& offsets = {}) {
        return shadow.BindSets({with, first, bound, offsets}, run);
    }
    Effect Constants(VkPipelineLayout with, uint32_t offset, const std::vector<uint32_t>& values,
                     VkShaderStageFlags stages = kComputeStage) {
        return shadow.PushConstants(with, stages, offset, static_cast<uint32_t>(values.size() * 4), values.data());
    }
    Effect Push(VkPipelineLayout with, uint32_t set, uint32_t binding, const VkDescriptorBufferInfo& info) {
        VkWriteDescriptorSet write = WriteOf(binding, kStorage);
        write.pBufferInfo = &info;
        return shadow.PushDescriptors(with, set, {&write, 1});
    }
    static VkDescriptorBufferInfo Whole(uint64_t buffer) { return {H<VkBuffer>(buffer), 0, VK_WHOLE_SIZE}; }

    World world;
    BoundShadow shadow{world.resources};
    SetRun run;
    VkDescriptorSetLayout plain, dynamic;
    VkPipelineLayout layout;
    VkDescriptorPool pool;
    std::vector<VkDescriptorSet> sets;
};

}  // namespace kronos
