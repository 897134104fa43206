// SPDX-License-Identifier: Apache-2.0
// A device's objects as tests make them, without a driver: handles are numbers, shaders are what the test says they do.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <vulkan/vulkan_core.h>

#include <initializer_list>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "resources/bound.h"
#include "resources/resources.h"
#include "support/handle_bits.h"

namespace kronos {

using Lines = std::vector<std::string>;
/// What stands for all that is not known.
inline const Lines kAnything = {"* rwus"};

template <class Handle>
Handle H(uint64_t number) {
    return HandleFromBits<Handle>(number);
}

class World {
  public:
    explicit World(Bounds bounds = Bounds::kNone) : resources(Options(bounds, lives)), bound(resources) {}

    /// A memory object of that number, with nothing but what `next` says.
    VkDeviceMemory Memory(uint64_t number, const void* next = nullptr);
    /// A buffer bound at `offset` of the memory.
    VkBuffer Buffer(uint64_t number, uint64_t memory, VkDeviceSize offset, VkDeviceSize size,
                    VkBufferCreateFlags flags = 0, const void* next = nullptr);
    VkImageView ImageView(uint64_t number, uint64_t memory, VkDeviceSize offset, VkDeviceSize required,
                          VkImageCreateFlags flags = 0);
    VkBufferView BufferView(uint64_t number, VkBuffer buffer, VkDeviceSize offset, VkDeviceSize range);

    struct Binding {
        uint32_t number;
        VkDescriptorType type;
        uint32_t count = 1;
        VkDescriptorBindingFlags flags = 0;
    };
    VkDescriptorSetLayout SetLayout(uint64_t number, const std::vector<Binding>& bindings,
                                    VkDescriptorSetLayoutCreateFlags flags = 0, const void* next = nullptr);
    VkPipelineLayout Layout(uint64_t number, const std::vector<VkDescriptorSetLayout>& sets,
                            const std::vector<VkPushConstantRange>& ranges = {}, VkPipelineLayoutCreateFlags flags = 0,
                            const void* next = nullptr);
    /// A shader that does so, and its pipeline.
    VkPipeline Pipeline(uint64_t number, VkPipelineLayout layout, const ShaderUses& uses, const void* next = nullptr);
    VkDescriptorPool Pool(uint64_t number);
    VkDescriptorSet Set(uint64_t number, VkDescriptorPool pool, VkDescriptorSetLayout layout,
                        const void* next = nullptr);

    void Write(VkDescriptorSet set, uint32_t binding, VkDescriptorType type,
               const std::vector<VkDescriptorBufferInfo>& buffers, uint32_t element = 0);
    void WriteImages(VkDescriptorSet set, uint32_t binding, VkDescriptorType type,
                     const std::vector<VkImageView>& views);
    void WriteTexels(VkDescriptorSet set, uint32_t binding, VkDescriptorType type,
                     const std::vector<VkBufferView>& views);
    void Copy(VkDescriptorSet from, uint32_t from_binding, uint32_t from_element, VkDescriptorSet to,
              uint32_t to_binding, uint32_t to_element, uint32_t count);

    void BindPipeline(VkPipeline pipeline) { bound.BindPipeline(VK_PIPELINE_BIND_POINT_COMPUTE, pipeline); }
    void BindSets(const std::vector<VkDescriptorSet>& sets, const std::vector<uint32_t>& offsets = {},
                  uint32_t first = 0) {
        bound.BindSets(VK_PIPELINE_BIND_POINT_COMPUTE, {VK_NULL_HANDLE, first, sets, offsets});
    }
    /// The accesses of a dispatch: "m1[0,64) rw" are storage reads and writes of memory 1, u and s uniform and sampled
    /// reads; "*" is everything, "shared" what is imported.
    Lines Dispatch() const;

    /// What module words {number} do.
    static std::map<uint32_t, ShaderUses>& Shaders();
    static int& Analyses();

    Lives lives;
    Resources resources;
    BoundState bound;

  private:
    static ResourceOptions Options(Bounds bounds, Lives& lives);
    std::string Name(uint64_t memory) const;
    std::map<uint64_t, uint64_t> numbers_;  // of memory objects, by uid
};

constexpr VkDescriptorType kStorage = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
constexpr VkDescriptorType kUniform = VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER;
constexpr VkDescriptorType kStorageDynamic = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER_DYNAMIC;
constexpr VkDescriptorType kUniformDynamic = VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER_DYNAMIC;

/// What happens to a binding.
inline BindingUse Does(uint32_t binding, Use use, uint32_t element = BindingUse::kAnyElement, uint32_t set = 0) {
    return {set, binding, element, use};
}
inline ShaderUses Shader(std::vector<BindingUse> bindings) {
    ShaderUses uses;
    uses.bindings = std::move(bindings);
    return uses;
}

}  // namespace kronos
