// SPDX-License-Identifier: Apache-2.0
#include "world.h"

#include <new>

#include "support/formatted.h"

namespace kronos {
namespace {

ShaderUses Fake(std::span<const uint32_t> words, std::string_view name) noexcept {
    ++World::Analyses();
    ShaderUses unknown;
    unknown.everything = true;
    try {
        const auto found = World::Shaders().find(words.empty() ? ~0u : words[0]);
        return name == "main" && found != World::Shaders().end() ? found->second : unknown;
    } catch (const std::bad_alloc&) {
        return unknown;
    }
}

}  // namespace

std::map<uint32_t, ShaderUses>& World::Shaders() {
    static std::map<uint32_t, ShaderUses> shaders;
    return shaders;
}

int& World::Analyses() {
    static int count = 0;
    return count;
}

ResourceOptions World::Options(Bounds bounds, Lives& lives) {
    return {.widen_writes = bounds == Bounds::kBuffer,
            .round_up = bounds == Bounds::kRounded,
            .lives = &lives,
            .find_uses = &Fake};
}

VkDeviceMemory World::Memory(uint64_t number, const void* next) {
    const auto memory = H<VkDeviceMemory>(number);
    resources.AddMemory(memory, {VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, next, 1 << 20, 0});
    numbers_[resources.FindMemory(memory)] = number;
    return memory;
}

VkBuffer World::Buffer(uint64_t number, uint64_t memory, VkDeviceSize offset, VkDeviceSize size,
                       VkBufferCreateFlags flags, const void* next) {
    const auto buffer = H<VkBuffer>(number);
    VkBufferCreateInfo info = {};
    info.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO;
    info.pNext = next;
    info.flags = flags;
    info.size = size;
    resources.AddBuffer(buffer, info);
    resources.BindBuffer(
        {VK_STRUCTURE_TYPE_BIND_BUFFER_MEMORY_INFO, nullptr, buffer, H<VkDeviceMemory>(memory), offset}, 0,
        resources.FindMemory(H<VkDeviceMemory>(memory)));
    return buffer;
}

VkImageView World::ImageView(uint64_t number, uint64_t memory, VkDeviceSize offset, VkDeviceSize required,
                             VkImageCreateFlags flags) {
    const auto image = H<VkImage>(number);
    VkImageCreateInfo info = {};
    info.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO;
    info.flags = flags;
    resources.AddImage(image, info);
    resources.BindImage({VK_STRUCTURE_TYPE_BIND_IMAGE_MEMORY_INFO, nullptr, image, H<VkDeviceMemory>(memory), offset},
                        required, resources.FindMemory(H<VkDeviceMemory>(memory)));
    const auto view = H<VkImageView>(number);
    VkImageViewCreateInfo view_info = {};
    view_info.sType = VK_STRUCTURE_TYPE_IMAGE_VIEW_CREATE_INFO;
    view_info.image = image;
    resources.AddImageView(view, view_info);
    return view;
}

VkBufferView World::BufferView(uint64_t number, VkBuffer buffer, VkDeviceSize offset, VkDeviceSize range) {
    VkBufferViewCreateInfo info = {};
    info.sType = VK_STRUCTURE_TYPE_BUFFER_VIEW_CREATE_INFO;
    info.buffer = buffer;
    info.offset = offset;
    info.range = range;
    const auto view = H<VkBufferView>(number);
    resources.AddBufferView(view, info);
    return view;
}

VkDescriptorSetLayout World::SetLayout(uint64_t number, const std::vector<Binding>& bindings,
                                       VkDescriptorSetLayoutCreateFlags flags, const void* next) {
    std::vector<VkDescriptorSetLayoutBinding> made;
    std::vector<VkDescriptorBindingFlags> binding_flags;
    for (const Binding& binding : bindings) {
        made.push_back({binding.number, binding.type, binding.count, VK_SHADER_STAGE_COMPUTE_BIT, nullptr});
        binding_flags.push_back(binding.flags);
    }
    const VkDescriptorSetLayoutBindingFlagsCreateInfo with_flags = {
        VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_BINDING_FLAGS_CREATE_INFO, next,
        static_cast<uint32_t>(binding_flags.size()), binding_flags.data()};
    const auto layout = H<VkDescriptorSetLayout>(number);
    resources.AddSetLayout(layout, {VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO, &with_flags, flags,
                                    static_cast<uint32_t>(made.size()), made.data()});
    return layout;
}

VkPipelineLayout World::Layout(uint64_t number, const std::vector<VkDescriptorSetLayout>& sets,
                               const std::vector<VkPushConstantRange>& ranges, VkPipelineLayoutCreateFlags flags,
                               const void* next) {
    const auto layout = H<VkPipelineLayout>(number);
    resources.AddPipelineLayout(
        layout, {VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO, next, flags, static_cast<uint32_t>(sets.size()),
                 sets.data(), static_cast<uint32_t>(ranges.size()), ranges.data()});
    return layout;
}

VkPipeline World::Pipeline(uint64_t number, VkPipelineLayout layout, const ShaderUses& uses, const void* next) {
    const auto word = static_cast<uint32_t>(Shaders().size() + 1);
    Shaders()[word] = uses;
    const auto module = H<VkShaderModule>(number);
    resources.AddShaderModule(module, {VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO, nullptr, 0, sizeof word, &word});
    VkComputePipelineCreateInfo info = {};
    info.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO;
    info.pNext = next;
    info.stage = {VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                  nullptr,
                  0,
                  VK_SHADER_STAGE_COMPUTE_BIT,
                  module,
                  "main",
                  nullptr};
    info.layout = layout;
    const auto pipeline = H<VkPipeline>(number);
    resources.AddPipeline(pipeline, info);
    resources.RemoveShaderModule(module);  // pipelines outlive their modules
    return pipeline;
}

VkDescriptorPool World::Pool(uint64_t number) {
    const auto pool = H<VkDescriptorPool>(number);
    resources.AddPool(pool);
    return pool;
}

VkDescriptorSet World::Set(uint64_t number, VkDescriptorPool pool, VkDescriptorSetLayout layout, const void* next) {
    const auto set = H<VkDescriptorSet>(number);
    resources.AddSets({VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO, next, pool, 1, &layout}, &set);
    return set;
}

void World::Write(VkDescriptorSet set, uint32_t binding, VkDescriptorType type,
                  const std::vector<VkDescriptorBufferInfo>& buffers, uint32_t element) {
    const VkWriteDescriptorSet write = {
        VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET, nullptr, set,     binding,        element,
        static_cast<uint32_t>(buffers.size()),  type,    nullptr, buffers.data(), nullptr};
    resources.UpdateSets(1, &write, 0, nullptr);
}

void World::WriteImages(VkDescriptorSet set, uint32_t binding, VkDescriptorType type,
                        const std::vector<VkImageView>& views) {
    std::vector<VkDescriptorImageInfo> images;
    for (const VkImageView view : views) images.push_back({VK_NULL_HANDLE, view, VK_IMAGE_LAYOUT_GENERAL});
    const VkWriteDescriptorSet write = {
        VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET, nullptr, set,           binding, 0,
        static_cast<uint32_t>(images.size()),   type,    images.data(), nullptr, nullptr};
    resources.UpdateSets(1, &write, 0, nullptr);
}

void World::WriteTexels(VkDescriptorSet set, uint32_t binding, VkDescriptorType type,
                        const std::vector<VkBufferView>& views) {
    const VkWriteDescriptorSet write = {
        VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET, nullptr, set,     binding, 0,
        static_cast<uint32_t>(views.size()),    type,    nullptr, nullptr, views.data()};
    resources.UpdateSets(1, &write, 0, nullptr);
}

void World::Copy(VkDescriptorSet from, uint32_t from_binding, uint32_t from_element, VkDescriptorSet to,
                 uint32_t to_binding, uint32_t to_element, uint32_t count) {
    const VkCopyDescriptorSet copy = {VK_STRUCTURE_TYPE_COPY_DESCRIPTOR_SET,
                                      nullptr,
                                      from,
                                      from_binding,
                                      from_element,
                                      to,
                                      to_binding,
                                      to_element,
                                      count};
    resources.UpdateSets(0, nullptr, 1, &copy);
}

std::string World::Name(uint64_t memory) const {
    const auto found = numbers_.find(memory);
    return found == numbers_.end() ? "?" : Format("m{}", found->second);
}

Lines World::Dispatch() const {
    std::vector<Access> accesses;
    bound.DispatchAccesses(accesses);
    Lines lines;
    for (const Access& access : accesses) {
        const MemoryRange& where = access.where;
        std::string line = where.memory == MemoryRange::kEverything ? "*"
                           : where.memory == MemoryRange::kShared
                               ? "shared"
                               : Format("{}[{},{})", Name(where.memory), where.begin, where.end);
        line += ' ';
        if (access.kinds & Of(Kind::kStorageRead)) line += 'r';
        if (access.kinds & Of(Kind::kStorageWrite)) line += 'w';
        if (access.kinds & Of(Kind::kUniformRead)) line += 'u';
        if (access.kinds & Of(Kind::kSampledRead)) line += 's';
        if (access.kinds & ~kAnyShaderAccess) line += '?';
        lines.push_back(line);
    }
    return lines;
}

}  // namespace kronos
