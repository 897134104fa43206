// SPDX-License-Identifier: Apache-2.0
// Recording again what was recorded before allocates nothing.
#include <array>
#include <new>

#include "allocations.h"
#include "world.h"

namespace kronos {
namespace {

TEST(Steady, RecordingAgainAllocatesNothing) {
    World world;
    world.Memory(1);
    const VkBuffer buffer = world.Buffer(1, 1, 0, 4096);
    const auto dynamic = world.SetLayout(1, {{0, kStorageDynamic, 4}, {1, kStorage, 4}});
    const auto pushed = world.SetLayout(2, {{0, kStorage}}, VK_DESCRIPTOR_SET_LAYOUT_CREATE_PUSH_DESCRIPTOR_BIT);
    const VkPipelineLayout layout = world.Layout(1, {dynamic, pushed});
    const VkPipeline pipeline =
        world.Pipeline(1, layout, Shader({Does(0, Use::kRead), Does(1, Use::kWrite), Does(0, Use::kRead, 0, 1)}));
    const VkDescriptorPool pool = world.Pool(1);
    const VkDescriptorBufferInfo info = {buffer, 0, 64};
    const std::array<VkDescriptorBufferInfo, 4> infos = {info, info, info, info};
    const VkWriteDescriptorSet push = {
        VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET, nullptr, VK_NULL_HANDLE, 0, 0, 1, kStorage, nullptr, &info, nullptr};
    const std::array<uint32_t, 4> offsets = {0, 64, 128, 192};
    std::vector<Access> accesses;
    const VkDescriptorSetAllocateInfo allocate = {VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO, nullptr, pool, 1,
                                                  &dynamic};
    const auto set = H<VkDescriptorSet>(1);
    const auto record = [&] {
        accesses.clear();
        world.bound.Clear();
        world.resources.ResetPool(pool);
        world.resources.AddSets(allocate, &set);
        std::array<VkWriteDescriptorSet, 2> writes = {push, push};
        for (uint32_t i = 0; i < 2; ++i) {
            writes[i].dstSet = set;
            writes[i].dstBinding = i;
            writes[i].descriptorCount = 4;
            writes[i].descriptorType = i ? kStorage : kStorageDynamic;
            writes[i].pBufferInfo = infos.data();
        }
        world.resources.UpdateSets(2, writes.data(), 0, nullptr);
        world.bound.BindPipeline(VK_PIPELINE_BIND_POINT_COMPUTE, pipeline);
        world.bound.BindSets(VK_PIPELINE_BIND_POINT_COMPUTE, {layout, 0, {&set, 1}, offsets});
        world.bound.PushDescriptors(VK_PIPELINE_BIND_POINT_COMPUTE, layout, 1, {&push, 1});
        world.bound.DispatchAccesses(accesses);
    };
    record();
    ASSERT_EQ(accesses.size(), 9u);
    const uint64_t before = Allocations();
    for (int i = 0; i < 10; ++i) record();
    EXPECT_EQ(Allocations(), before);
    EXPECT_EQ(accesses.size(), 9u);
}

// Whatever allocation fails: what is then said of a dispatch is exact, or everything.
TEST(Steady, WhatFindsNoMemoryIsNotKnown) {
    const Lines exact = {"m1[0,256) r", "m1[1040,1296) w", "m1[512,768) r"};
    int failures = 0;
    int unknown = 0;
    for (uint64_t n = 1;; ++n) {
        World world;
        world.Memory(1);
        bool failed = false;
        const auto guarded = [&](auto step) {
            try {
                step();
            } catch (const std::bad_alloc&) {
                failed = true;
            }
        };
        // What the driver made it made, whether it could be remembered or not.
        const auto pool = H<VkDescriptorPool>(1);
        const auto layout = H<VkPipelineLayout>(1);
        const auto pushed = H<VkDescriptorSetLayout>(2);
        const auto set = H<VkDescriptorSet>(1);
        const auto whole = [](uint64_t buffer) { return VkDescriptorBufferInfo{H<VkBuffer>(buffer), 0, 256}; };
        Allocations() = 0;
        Failing() = n;
        guarded([&] { world.Buffer(1, 1, 0, 256); });
        guarded([&] { world.Buffer(2, 1, 1024, 512); });
        guarded([&] { world.Buffer(3, 1, 512, 256); });
        guarded([&] { world.SetLayout(1, {{0, kStorage}, {1, kStorageDynamic}}); });
        guarded([&] { world.SetLayout(2, {{0, kStorage}}, VK_DESCRIPTOR_SET_LAYOUT_CREATE_PUSH_DESCRIPTOR_BIT); });
        guarded([&] { world.Layout(1, {H<VkDescriptorSetLayout>(1), pushed}); });
        guarded([&] {
            world.Pipeline(1, layout, Shader({Does(0, Use::kRead), Does(1, Use::kWrite), Does(0, Use::kRead, 0, 1)}));
        });
        guarded([&] { world.Pool(1); });
        guarded([&] { world.Set(1, pool, H<VkDescriptorSetLayout>(1)); });
        guarded([&] { world.Write(set, 0, kStorage, {whole(1)}); });
        guarded([&] { world.Write(set, 1, kStorageDynamic, {whole(2)}); });
        guarded([&] { world.BindPipeline(H<VkPipeline>(1)); });
        guarded([&] { world.BindSets({set}, {16}); });
        const VkDescriptorBufferInfo info = whole(3);
        const VkWriteDescriptorSet push = {VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                                           nullptr,
                                           VK_NULL_HANDLE,
                                           0,
                                           0,
                                           1,
                                           kStorage,
                                           nullptr,
                                           &info,
                                           nullptr};
        guarded([&] { world.bound.PushDescriptors(VK_PIPELINE_BIND_POINT_COMPUTE, layout, 1, {&push, 1}); });
        const bool reached = Allocations() >= n;
        Failing() = 0;
        const Lines lines = world.Dispatch();
        if (!reached) {
            EXPECT_EQ(lines, exact);
            break;
        }
        failures += failed;
        ASSERT_FALSE(lines.empty());
        if (lines == kAnything) {
            ++unknown;
            continue;
        }
        ASSERT_EQ(lines.size(), exact.size()) << n;
        for (size_t i = 0; i < lines.size(); ++i)
            EXPECT_TRUE(lines[i] == exact[i] || lines[i][0] == '*') << n << ": " << lines[i];
    }
    EXPECT_GT(failures, 20);
    EXPECT_GT(unknown, 10);
}

}  // namespace
}  // namespace kronos
