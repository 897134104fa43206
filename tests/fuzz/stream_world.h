// SPDX-License-Identifier: Apache-2.0
// The objects of stream_fuzz.cpp, as the layer knows them and as a plain list of what is surely where: two accounts of
// the same that share no code. One thread.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <vector>

#include "input.h"
#include "resources/resources.h"
#include "support/handle_bits.h"

namespace kronos::fuzz {

template <class Handle>
Handle H(uint64_t number) {
    return HandleFromBits<Handle>(number);
}

/// Bytes that a command surely reads or writes.
struct Touch {
    uint64_t memory = 0, begin = 0, end = 0;
    bool writes = false;
    bool Conflicts(const Touch& other) const {
        return memory == other.memory && begin < other.end && other.begin < end && (writes || other.writes);
    }
};

// Set 0 has kBound bindings of one descriptor each, the last with a dynamic offset; set 1 is pushed, kPushed of them.
constexpr uint32_t kBound = 3, kPushed = 2;
constexpr uint64_t kMemories = 3, kBuffers = 6, kImages = 2, kSets = 4, kPipelines = 4;
constexpr uint64_t kSetLayout = 1, kPushLayout = 2, kLayout = 1, kPool = 1, kUpdate = 1, kPush = 2;

struct ShaderBinding {
    uint32_t set, binding;
    Use use;
};
/// What pipelines 1 and up do; the last does what nobody knows.
constexpr std::array<std::array<ShaderBinding, 3>, kPipelines - 1> kShaders = {{
    {{{0, 0, Use::kRead}, {0, 1, Use::kWrite}, {0, 2, Use::kRead}}},
    {{{0, 1, Use::kRead}, {0, 2, Use::kWrite}, {1, 0, Use::kReadWrite}}},
    {{{0, 0, Use::kReadWrite}, {1, 0, Use::kRead}, {1, 1, Use::kRead}}},
}};

inline VkDescriptorType TypeOf(uint32_t set, uint32_t binding) {
    if (set) return binding ? VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER : VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
    return binding + 1 == kBound ? VK_DESCRIPTOR_TYPE_STORAGE_BUFFER_DYNAMIC : VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
}

inline ShaderUses FakeUses(std::span<const uint32_t> words, std::string_view) noexcept {
    ShaderUses uses;
    uses.everything = words[0] >= kPipelines;
    if (!uses.everything)
        for (const ShaderBinding& one : kShaders[words[0] - 1])
            uses.bindings.push_back({one.set, one.binding, BindingUse::kAnyElement, one.use});
    return uses;
}

class World {
  public:
    World() : resources({.find_uses = &FakeUses}) {
        MakeLayouts();
        resources.AddPool(H<VkDescriptorPool>(kPool));
        for (uint32_t i = 1; i <= kPipelines; ++i) MakePipeline(i);
    }

    /// Between recordings: objects go and others come.
    void Change(Input& input) {
        for (uint64_t i = 1; i <= kMemories; ++i)
            if (!made_ || input.Rarely()) MakeMemory(i, input);
        for (uint64_t i = 1; i <= kBuffers; ++i)
            if (!made_ || input.Rarely()) MakeBuffer(i, input);
        for (uint64_t i = 1; i <= kImages; ++i)
            if (!made_ || input.Rarely()) MakeImage(i, input);
        for (uint64_t i = 1; i <= kSets; ++i)
            if (!made_ || input.Rarely()) MakeSet(i);
        made_ = true;
    }

    /// A descriptor of some buffer; what it surely is stays in `now`.
    VkDescriptorBufferInfo Info(Input& input, std::optional<Touch>& now) const {
        const uint64_t buffer = input.Below(kBuffers + 2);
        VkDescriptorBufferInfo info = {H<VkBuffer>(buffer), input.Number(), input.Number()};
        if (input.Byte() & 1) info.offset = 0, info.range = VK_WHOLE_SIZE;
        now = Where(buffer, info.offset, info.range);
        return info;
    }
    void UpdateSet(Input& input) {
        const uint64_t set = 1 + input.Below(kSets);
        const uint32_t binding = input.Below(kBound);
        std::array<VkDescriptorBufferInfo, kBound> infos;
        std::array<std::optional<Touch>, kBound> now;
        for (uint32_t i = 0; i < kBound; ++i) infos[i] = Info(input, now[i]);
        if (input.Rarely()) {
            resources.UpdateSet(H<VkDescriptorSet>(set), H<VkDescriptorUpdateTemplate>(kUpdate), infos.data());
            held[set] = now;
        } else {
            const VkWriteDescriptorSet write = {VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                                                nullptr,
                                                H<VkDescriptorSet>(set),
                                                binding,
                                                0,
                                                1,
                                                TypeOf(0, binding),
                                                nullptr,
                                                infos.data(),
                                                nullptr};
            resources.UpdateSets(1, &write, 0, nullptr);
            held[set][binding] = now[0];
        }
    }
    std::optional<Touch> Where(uint64_t buffer, uint64_t offset, uint64_t size) const {
        if (buffer == 0 || buffer > kBuffers || !buffers_[buffer].where.memory) return std::nullopt;
        const Buffer& of = buffers_[buffer];
        if (offset >= of.size) return std::nullopt;
        if (size == VK_WHOLE_SIZE) size = of.size - offset;
        if (size == 0 || size > of.size - offset) return std::nullopt;
        return Touch{of.where.memory, of.where.begin + offset, of.where.begin + offset + size, false};
    }

    Resources resources;
    std::array<std::array<std::optional<Touch>, kBound>, kSets + 1> held;  ///< by set

  private:
    struct Buffer {
        Touch where;
        uint64_t size = 0;
    };

    void MakeLayouts() {
        for (const uint32_t set : {0u, 1u}) {
            std::vector<VkDescriptorSetLayoutBinding> bindings;
            for (uint32_t i = 0; i < (set ? kPushed : kBound); ++i)
                bindings.push_back({i, TypeOf(set, i), 1, VK_SHADER_STAGE_COMPUTE_BIT, nullptr});
            resources.AddSetLayout(
                H<VkDescriptorSetLayout>(set ? kPushLayout : kSetLayout),
                {VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO, nullptr,
                 set ? VkDescriptorSetLayoutCreateFlags{VK_DESCRIPTOR_SET_LAYOUT_CREATE_PUSH_DESCRIPTOR_BIT} : 0u,
                 static_cast<uint32_t>(bindings.size()), bindings.data()});
            std::vector<VkDescriptorUpdateTemplateEntry> entries;
            for (uint32_t i = 0; i < bindings.size(); ++i)
                entries.push_back({i, 0, 1, TypeOf(set, i), i * sizeof(VkDescriptorBufferInfo), 0});
            VkDescriptorUpdateTemplateCreateInfo info = {};
            info.descriptorUpdateEntryCount = static_cast<uint32_t>(entries.size());
            info.pDescriptorUpdateEntries = entries.data();
            info.templateType = set ? VK_DESCRIPTOR_UPDATE_TEMPLATE_TYPE_PUSH_DESCRIPTORS
                                    : VK_DESCRIPTOR_UPDATE_TEMPLATE_TYPE_DESCRIPTOR_SET;
            info.pipelineBindPoint = VK_PIPELINE_BIND_POINT_COMPUTE;
            info.set = set;
            resources.AddTemplate(H<VkDescriptorUpdateTemplate>(set ? kPush : kUpdate), info);
        }
        const VkDescriptorSetLayout sets[] = {H<VkDescriptorSetLayout>(kSetLayout),
                                              H<VkDescriptorSetLayout>(kPushLayout)};
        resources.AddPipelineLayout(H<VkPipelineLayout>(kLayout),
                                    {VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO, nullptr, 0, 2, sets, 0, nullptr});
    }
    void MakePipeline(uint32_t number) {
        const auto module = H<VkShaderModule>(number);
        resources.AddShaderModule(module,
                                  {VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO, nullptr, 0, sizeof number, &number});
        VkComputePipelineCreateInfo info = {};
        info.stage.stage = VK_SHADER_STAGE_COMPUTE_BIT;
        info.stage.module = module;
        info.stage.pName = "main";
        info.layout = H<VkPipelineLayout>(kLayout);
        resources.AddPipeline(H<VkPipeline>(number), info);
    }
    void MakeMemory(uint64_t number, Input& input) {
        const auto memory = H<VkDeviceMemory>(number);
        resources.RemoveMemory(memory);
        const VkImportMemoryFdInfoKHR import = {VK_STRUCTURE_TYPE_IMPORT_MEMORY_FD_INFO_KHR, nullptr,
                                                VK_EXTERNAL_MEMORY_HANDLE_TYPE_OPAQUE_FD_BIT, 1};
        resources.AddMemory(
            memory, {VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, input.Rarely() ? &import : nullptr, input.Number(), 0});
        lives_[number] = ++life_;
        for (uint64_t i = 1; i <= kBuffers; ++i)
            if (on_[i] == number) Forget(i);
    }
    void MakeBuffer(uint64_t number, Input& input) {
        const auto buffer = H<VkBuffer>(number);
        if (buffers_[number].size) resources.RemoveBuffer(buffer);
        Forget(number);
        VkBufferCreateInfo info = {};
        info.size = buffers_[number].size = input.Number() | 16;
        info.flags = input.Rarely() ? VkBufferCreateFlags{VK_BUFFER_CREATE_SPARSE_BINDING_BIT} : 0u;
        info.usage = static_cast<VkBufferUsageFlags>(input.Byte());
        resources.AddBuffer(buffer, info);
        const uint64_t memory = input.Below(kMemories + 1);
        const uint64_t offset = input.Number();
        resources.BindBuffer(
            {VK_STRUCTURE_TYPE_BIND_BUFFER_MEMORY_INFO, nullptr, buffer, H<VkDeviceMemory>(memory), offset},
            input.Rarely() ? input.Bits() : 0, resources.FindMemory(H<VkDeviceMemory>(memory)));
        uint64_t end = 0;
        if (!memory || __builtin_add_overflow(offset, info.size, &end)) return;
        buffers_[number].where = {lives_[memory], offset, end, false};
        on_[number] = memory;
    }
    void MakeImage(uint64_t number, Input& input) {
        const auto image = H<VkImage>(number);
        resources.RemoveImage(image);
        VkImageCreateInfo info = {};
        info.flags = input.Rarely() ? VkImageCreateFlags{VK_IMAGE_CREATE_SPARSE_BINDING_BIT} : 0u;
        resources.AddImage(image, info);
        const auto memory = H<VkDeviceMemory>(input.Below(kMemories + 1));
        resources.BindImage({VK_STRUCTURE_TYPE_BIND_IMAGE_MEMORY_INFO, nullptr, image, memory, input.Number()},
                            input.Number(), resources.FindMemory(memory));
    }
    void MakeSet(uint64_t number) {
        const auto set = H<VkDescriptorSet>(number);
        const auto pool = H<VkDescriptorPool>(kPool);
        const auto layout = H<VkDescriptorSetLayout>(kSetLayout);
        resources.RemoveSets(pool, 1, &set);
        resources.AddSets({VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO, nullptr, pool, 1, &layout}, &set);
        held[number] = {};
    }
    // Its bytes are nobody's any more.
    void Forget(uint64_t buffer) {
        const Touch gone = buffers_[buffer].where;
        buffers_[buffer].where = {};
        on_[buffer] = 0;
        for (auto& set : held)
            for (std::optional<Touch>& one : set)
                if (one && one->memory == gone.memory) one.reset();
    }

    bool made_ = false;
    uint64_t life_ = 0;
    std::array<uint64_t, kMemories + 1> lives_{};
    std::array<uint64_t, kBuffers + 1> on_{};
    std::array<Buffer, kBuffers + 1> buffers_{};
};

}  // namespace kronos::fuzz
