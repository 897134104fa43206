// SPDX-License-Identifier: Apache-2.0
// Objects come and go while others are looked up. In the trees of all sanitizers: nothing of allocations.h.
#include <atomic>
#include <thread>

#include "world.h"

namespace kronos {
namespace {

TEST(ResourceThreads, OtherThreadsMakeObjectsMeanwhile) {
    World world;
    world.Memory(1);
    const auto layout = world.SetLayout(1, {{0, kStorage}});
    const VkPipelineLayout pipeline_layout = world.Layout(1, {layout});
    const VkPipeline pipeline = world.Pipeline(1, pipeline_layout, Shader({Does(0, Use::kReadWrite)}));
    std::atomic<int> wrong{0};
    const auto work = [&](uint64_t first) {
        Resources& resources = world.resources;
        BoundState bound(resources);
        const auto pool = H<VkDescriptorPool>(first);
        resources.AddPool(pool);
        std::vector<Access> accesses;
        for (uint64_t i = first; i < first + 300; ++i) {
            const auto memory = H<VkDeviceMemory>(i);
            const auto buffer = H<VkBuffer>(i);
            const auto set = H<VkDescriptorSet>(i);
            resources.AddMemory(memory, {VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, nullptr, 4096, 0});
            resources.AddBuffer(buffer, {VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO, nullptr, 0, 256, 0, {}, 0, nullptr});
            resources.BindBuffer({VK_STRUCTURE_TYPE_BIND_BUFFER_MEMORY_INFO, nullptr, buffer, memory, i}, 0,
                                 resources.FindMemory(memory));
            resources.AddSets({VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO, nullptr, pool, 1, &layout}, &set);
            const VkDescriptorBufferInfo info = {buffer, 0, VK_WHOLE_SIZE};
            const VkWriteDescriptorSet write = {
                VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET, nullptr, set, 0, 0, 1, kStorage, nullptr, &info, nullptr};
            resources.UpdateSets(1, &write, 0, nullptr);
            accesses.clear();
            bound.Clear();
            bound.BindPipeline(VK_PIPELINE_BIND_POINT_COMPUTE, pipeline);
            bound.BindSets(VK_PIPELINE_BIND_POINT_COMPUTE, {pipeline_layout, 0, {&set, 1}, {}});
            bound.DispatchAccesses(accesses);
            const MemoryRange wanted = {resources.FindMemory(memory), i, i + 256};
            if (accesses.size() != 1 || accesses[0].where != wanted) ++wrong;
            if (i % 3 == 0) resources.RemoveSets(pool, 1, &set);
            resources.RemoveBuffer(buffer);
            resources.RemoveMemory(memory);
        }
        resources.RemovePool(pool);
    };
    std::vector<std::thread> threads;
    for (uint64_t i = 0; i < 4; ++i) threads.emplace_back(work, 1000 * (i + 1));
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace kronos
