// SPDX-License-Identifier: Apache-2.0
// Memory, buffers, images and pipelines of a worker.
#include <algorithm>
#include <cstddef>
#include <cstring>

#include "mix.comp.h"
#include "scale.comp.h"
#include "stamp.comp.h"
#include "worker.h"

namespace random_program {
namespace {

constexpr VkDeviceSize kAlign = 1 << 16;  // of what lies in the shared allocation; raised where the device needs more

VkDeviceSize RoundUp(VkDeviceSize value, VkDeviceSize step) { return (value + step - 1) / step * step; }

}  // namespace

Memory Worker::Allocate(VkDeviceSize size, uint32_t type_bits, bool host_visible) {
    const uint32_t type = gpu_.PickMemoryType(rng_, type_bits, host_visible);
    const VkMemoryAllocateInfo info{VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, nullptr, size, type};
    Memory memory;
    CHECK(api_.AllocateMemory(gpu_.device, &info, nullptr, &memory.handle));
    memory.size = size;
    ++counts_.allocations;
    counts_.allocated_bytes += size;
    return memory;
}

void Worker::Free(Memory& memory) {
    if (memory.handle == VK_NULL_HANDLE) return;
    ++counts_.frees;
    counts_.freed_bytes += memory.size;
    api_.FreeMemory(gpu_.device, memory.handle, nullptr);
    memory = {};
}

void* Worker::Map(const Memory& memory) {
    void* data = nullptr;
    ++counts_.maps;
    if (gpu_.features.map2 && rng_.OneIn(2)) {
        const VkMemoryMapInfo info{VK_STRUCTURE_TYPE_MEMORY_MAP_INFO, nullptr, 0, memory.handle, 0, VK_WHOLE_SIZE};
        CHECK(api_.MapMemory2(gpu_.device, &info, &data));
    } else {
        CHECK(api_.MapMemory(gpu_.device, memory.handle, 0, VK_WHOLE_SIZE, 0, &data));
    }
    return data;
}

void Worker::Unmap(const Memory& memory) {
    ++counts_.unmaps;
    if (gpu_.features.map2 && rng_.OneIn(2)) {
        const VkMemoryUnmapInfo info{VK_STRUCTURE_TYPE_MEMORY_UNMAP_INFO, nullptr, 0, memory.handle};
        CHECK(api_.UnmapMemory2(gpu_.device, &info));
    } else {
        api_.UnmapMemory(gpu_.device, memory.handle);
    }
}

void Worker::Flush(const Memory& memory) {
    const VkMappedMemoryRange range{VK_STRUCTURE_TYPE_MAPPED_MEMORY_RANGE, nullptr, memory.handle, 0, VK_WHOLE_SIZE};
    ++counts_.flushes;
    CHECK(api_.FlushMappedMemoryRanges(gpu_.device, 1, &range));
}

void Worker::Invalidate(const Memory& memory) {
    // Two ranges, where the memory is large enough for two atoms.
    const VkDeviceSize atom = gpu_.limits.nonCoherentAtomSize;
    const VkDeviceSize first = memory.size > 2 * atom && rng_.OneIn(2) ? atom : VK_WHOLE_SIZE;
    const std::array<VkMappedMemoryRange, 2> ranges{
        {{VK_STRUCTURE_TYPE_MAPPED_MEMORY_RANGE, nullptr, memory.handle, 0, first},
         {VK_STRUCTURE_TYPE_MAPPED_MEMORY_RANGE, nullptr, memory.handle, atom, VK_WHOLE_SIZE}}};
    ++counts_.invalidates;
    CHECK(api_.InvalidateMappedMemoryRanges(gpu_.device, first == VK_WHOLE_SIZE ? 1 : 2, ranges.data()));
}

VkMemoryRequirements Worker::RequirementsOf(VkBuffer buffer) {
    VkMemoryRequirements2 requirements{VK_STRUCTURE_TYPE_MEMORY_REQUIREMENTS_2, nullptr, {}};
    if (gpu_.features.requirements2 && rng_.OneIn(2)) {
        const VkBufferMemoryRequirementsInfo2 info{VK_STRUCTURE_TYPE_BUFFER_MEMORY_REQUIREMENTS_INFO_2, nullptr,
                                                   buffer};
        api_.GetBufferMemoryRequirements2(gpu_.device, &info, &requirements);
    } else {
        api_.GetBufferMemoryRequirements(gpu_.device, buffer, &requirements.memoryRequirements);
    }
    return requirements.memoryRequirements;
}

VkMemoryRequirements Worker::RequirementsOf(VkImage image) {
    VkMemoryRequirements2 requirements{VK_STRUCTURE_TYPE_MEMORY_REQUIREMENTS_2, nullptr, {}};
    if (gpu_.features.requirements2 && rng_.OneIn(2)) {
        const VkImageMemoryRequirementsInfo2 info{VK_STRUCTURE_TYPE_IMAGE_MEMORY_REQUIREMENTS_INFO_2, nullptr, image};
        api_.GetImageMemoryRequirements2(gpu_.device, &info, &requirements);
    } else {
        api_.GetImageMemoryRequirements(gpu_.device, image, &requirements.memoryRequirements);
    }
    return requirements.memoryRequirements;
}

void Worker::Bind(VkBuffer buffer, VkDeviceMemory memory, VkDeviceSize offset) {
    if (gpu_.features.bind2 && rng_.OneIn(2)) {
        const VkBindBufferMemoryInfo info{VK_STRUCTURE_TYPE_BIND_BUFFER_MEMORY_INFO, nullptr, buffer, memory, offset};
        CHECK(api_.BindBufferMemory2(gpu_.device, 1, &info));
    } else {
        CHECK(api_.BindBufferMemory(gpu_.device, buffer, memory, offset));
    }
}

void Worker::Bind(VkImage image, VkDeviceMemory memory) {
    if (gpu_.features.bind2 && rng_.OneIn(2)) {
        const VkBindImageMemoryInfo info{VK_STRUCTURE_TYPE_BIND_IMAGE_MEMORY_INFO, nullptr, image, memory, 0};
        CHECK(api_.BindImageMemory2(gpu_.device, 1, &info));
    } else {
        CHECK(api_.BindImageMemory(gpu_.device, image, memory, 0));
    }
}

VkBuffer Worker::NewBuffer(uint32_t slices) {
    std::vector<uint32_t> families;
    for (const Lane& lane : gpu_.lanes) families.push_back(lane.family);
    VkBufferCreateInfo info{};
    info.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO;
    info.size = VkDeviceSize{slices} * kSliceBytes;
    info.usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_UNIFORM_BUFFER_BIT |
                 VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT |
                 VK_BUFFER_USAGE_INDIRECT_BUFFER_BIT;
    if (families.size() > 1) {
        info.sharingMode = VK_SHARING_MODE_CONCURRENT;
        info.queueFamilyIndexCount = static_cast<uint32_t>(families.size());
        info.pQueueFamilyIndices = families.data();
    }
    VkBuffer buffer = VK_NULL_HANDLE;
    CHECK(api_.CreateBuffer(gpu_.device, &info, nullptr, &buffer));
    return buffer;
}

void Worker::CreateBuffer(uint32_t object, uint32_t slices, bool host_visible) {
    Buffer& buffer = resources_.buffers[object];
    buffer.handle = NewBuffer(slices);
    buffer.slices = slices;
    const VkMemoryRequirements requirements = RequirementsOf(buffer.handle);
    buffer.memory = Allocate(requirements.size, requirements.memoryTypeBits, host_visible);
    Bind(buffer.handle, buffer.memory.handle, 0);
}

void Worker::CreateImage(uint32_t index) {
    Image& image = resources_.images[index];
    std::vector<uint32_t> families;
    for (const Lane& lane : gpu_.lanes) families.push_back(lane.family);
    VkImageCreateInfo info{};
    info.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO;
    info.imageType = VK_IMAGE_TYPE_2D;
    info.format = VK_FORMAT_R32_UINT;
    info.extent = {kImageSide, kImageSide, 1};
    info.mipLevels = 1;
    info.arrayLayers = 1;
    info.samples = VK_SAMPLE_COUNT_1_BIT;
    info.usage = VK_IMAGE_USAGE_STORAGE_BIT | VK_IMAGE_USAGE_TRANSFER_SRC_BIT | VK_IMAGE_USAGE_TRANSFER_DST_BIT;
    if (families.size() > 1) {
        info.sharingMode = VK_SHARING_MODE_CONCURRENT;
        info.queueFamilyIndexCount = static_cast<uint32_t>(families.size());
        info.pQueueFamilyIndices = families.data();
    }
    CHECK(api_.CreateImage(gpu_.device, &info, nullptr, &image.handle));
    const VkMemoryRequirements requirements = RequirementsOf(image.handle);
    image.memory = Allocate(requirements.size, requirements.memoryTypeBits, false);
    Bind(image.handle, image.memory.handle);
    VkImageViewCreateInfo view{};
    view.sType = VK_STRUCTURE_TYPE_IMAGE_VIEW_CREATE_INFO;
    view.image = image.handle;
    view.viewType = VK_IMAGE_VIEW_TYPE_2D;
    view.format = info.format;
    view.subresourceRange = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1};
    CHECK(api_.CreateImageView(gpu_.device, &view, nullptr, &image.view));
}

void Worker::CreateResources() {
    // The first two data buffers lie side by side in one allocation, the others have their own.
    std::array<VkBuffer, 2> neighbours{NewBuffer(kMostSlices), NewBuffer(kMostSlices)};
    const VkMemoryRequirements first = RequirementsOf(neighbours[0]);
    const VkMemoryRequirements second = RequirementsOf(neighbours[1]);
    const VkDeviceSize offset = RoundUp(first.size, std::max(second.alignment, kAlign));
    shared_memory_ = Allocate(offset + second.size, first.memoryTypeBits & second.memoryTypeBits, false);
    Bind(neighbours[0], shared_memory_.handle, 0);
    Bind(neighbours[1], shared_memory_.handle, offset);
    for (uint32_t i = 0; i < 2; ++i) {
        resources_.buffers[i].handle = neighbours[i];
        resources_.buffers[i].slices = kMostSlices;
    }
    for (uint32_t i = 2; i < kDataBuffers; ++i) CreateBuffer(i, rng_.Between(8, kMostSlices), false);
    CreateBuffer(kArguments, 2, true);
    CreateBuffer(kQueryResults, 1, false);
    CreateBuffer(kStaging, kMostSlices, true);
    for (uint32_t i = 0; i < kImages; ++i) CreateImage(i);

    const Memory& arguments = resources_.buffers[kArguments].memory;
    constexpr std::array<std::array<uint32_t, 4>, 4> kDispatches{
        {{4, 1, 1, 0}, {1, 1, 1, 0}, {2, 2, 1, 0}, {3, 1, 1, 0}}};
    constexpr std::array<uint32_t, 3> kOnce{1, 1, 1};
    auto* const bytes = static_cast<std::byte*>(Map(arguments));
    std::memcpy(bytes, kDispatches.data(), sizeof(kDispatches));
    std::memcpy(bytes + kSliceBytes, kOnce.data(), sizeof(kOnce));
    Flush(arguments);
    Unmap(arguments);

    const VkQueryPoolCreateInfo queries{
        VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO, nullptr, 0, VK_QUERY_TYPE_TIMESTAMP, 64, 0};
    CHECK(api_.CreateQueryPool(gpu_.device, &queries, nullptr, &resources_.queries));
}

void Worker::CreatePipelines() {
    constexpr VkShaderStageFlags kStage = VK_SHADER_STAGE_COMPUTE_BIT;
    const VkDescriptorSetLayoutBinding source{0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1, kStage, nullptr};
    const VkDescriptorSetLayoutBinding target{1, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1, kStage, nullptr};
    const VkDescriptorSetLayoutBinding image{1, VK_DESCRIPTOR_TYPE_STORAGE_IMAGE, 1, kStage, nullptr};
    const VkDescriptorSetLayoutBinding factors{0, VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER_DYNAMIC, 1, kStage, nullptr};
    const auto set_layout = [&](std::vector<VkDescriptorSetLayoutBinding> bindings,
                                VkDescriptorSetLayoutCreateFlags flags) {
        const VkDescriptorSetLayoutCreateInfo info{VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO, nullptr, flags,
                                                   static_cast<uint32_t>(bindings.size()), bindings.data()};
        VkDescriptorSetLayout layout = VK_NULL_HANDLE;
        CHECK(api_.CreateDescriptorSetLayout(gpu_.device, &info, nullptr, &layout));
        return layout;
    };
    resources_.set_layouts = {set_layout({source, target}, 0), set_layout({factors}, 0),
                              set_layout({source, image}, 0)};
    const bool pushed = static_cast<bool>(gpu_.features.push_descriptor);
    if (pushed) {
        resources_.pushed_set_layout =
            set_layout({source, target}, VK_DESCRIPTOR_SET_LAYOUT_CREATE_PUSH_DESCRIPTOR_BIT_KHR);
    }
    const auto pipeline_layout = [&](std::vector<VkDescriptorSetLayout> sets) {
        const VkPushConstantRange range{kStage, 0, sizeof(PushConstants)};
        const VkPipelineLayoutCreateInfo info{VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
                                              nullptr,
                                              0,
                                              static_cast<uint32_t>(sets.size()),
                                              sets.data(),
                                              1,
                                              &range};
        VkPipelineLayout layout = VK_NULL_HANDLE;
        CHECK(api_.CreatePipelineLayout(gpu_.device, &info, nullptr, &layout));
        return layout;
    };
    const auto& sets = resources_.set_layouts;
    resources_.layouts = {pipeline_layout({sets[0]}),
                          pushed ? pipeline_layout({resources_.pushed_set_layout}) : VK_NULL_HANDLE,
                          pipeline_layout({sets[0], sets[1]}), pipeline_layout({sets[2]})};

    const VkPipelineCacheCreateInfo cache_info{VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO, nullptr, 0, 0, nullptr};
    VkPipelineCache cache = VK_NULL_HANDLE;
    CHECK(api_.CreatePipelineCache(gpu_.device, &cache_info, nullptr, &cache));
    const auto pipeline = [&](Shader shader, Layout layout, const uint32_t* code, size_t bytes,
                              VkPipelineCreateFlags flags, uint32_t twist) {
        if (layout == Layout::Pushed && !pushed) return;
        const VkShaderModuleCreateInfo module_info{VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO, nullptr, 0, bytes,
                                                   code};
        VkShaderModule module = VK_NULL_HANDLE;
        CHECK(api_.CreateShaderModule(gpu_.device, &module_info, nullptr, &module));
        const VkSpecializationMapEntry entry{0, 0, sizeof(twist)};
        const VkSpecializationInfo specialization{1, &entry, sizeof(twist), &twist};
        VkComputePipelineCreateInfo info{};
        info.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO;
        info.flags = flags;
        info.stage.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO;
        info.stage.stage = VK_SHADER_STAGE_COMPUTE_BIT;
        info.stage.module = module;
        info.stage.pName = "main";
        info.stage.pSpecializationInfo = twist != 0 ? &specialization : nullptr;
        info.layout = resources_.layouts[static_cast<size_t>(layout)];
        Pipeline& made = resources_.pipelines[static_cast<size_t>(shader)];
        made.layout = layout;
        CHECK(api_.CreateComputePipelines(gpu_.device, cache, 1, &info, nullptr, &made.handle));
        api_.DestroyShaderModule(gpu_.device, module, nullptr);
    };
    pipeline(Shader::Mix, Layout::Pair, kMixComp, sizeof(kMixComp), 0, 0);
    pipeline(Shader::MixTwisted, Layout::Pair, kMixComp, sizeof(kMixComp), 0, 0x5a5a5a5a);
    pipeline(Shader::MixBase, Layout::Pair, kMixComp, sizeof(kMixComp), VK_PIPELINE_CREATE_DISPATCH_BASE_BIT, 0);
    pipeline(Shader::MixPushed, Layout::Pushed, kMixComp, sizeof(kMixComp), 0, 0);
    pipeline(Shader::Scale, Layout::Scale, kScaleComp, sizeof(kScaleComp), 0, 0);
    pipeline(Shader::Stamp, Layout::Stamp, kStampComp, sizeof(kStampComp), 0, 0);
    api_.DestroyPipelineCache(gpu_.device, cache, nullptr);

    if (!gpu_.features.templates) return;
    const auto update_template = [&](SetKind kind, VkDescriptorUpdateTemplateType type) {
        std::vector<VkDescriptorUpdateTemplateEntry> entries;
        // The data is an array with a VkDescriptorBufferInfo or a VkDescriptorImageInfo a binding.
        static_assert(sizeof(VkDescriptorBufferInfo) == sizeof(VkDescriptorImageInfo));
        constexpr size_t kStep = sizeof(VkDescriptorBufferInfo);
        if (kind == SetKind::Factors) {
            entries.push_back({0, 0, 1, VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER_DYNAMIC, 0, kStep});
        } else {
            entries.push_back({0, 0, 1, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 0, kStep});
            entries.push_back(
                {1, 0, 1, kind == SetKind::Stamp ? VK_DESCRIPTOR_TYPE_STORAGE_IMAGE : VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
                 kStep, kStep});
        }
        VkDescriptorUpdateTemplateCreateInfo info{};
        info.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_UPDATE_TEMPLATE_CREATE_INFO;
        info.descriptorUpdateEntryCount = static_cast<uint32_t>(entries.size());
        info.pDescriptorUpdateEntries = entries.data();
        info.templateType = type;
        info.descriptorSetLayout = sets[static_cast<size_t>(kind)];
        info.pipelineBindPoint = VK_PIPELINE_BIND_POINT_COMPUTE;
        info.pipelineLayout = resources_.layouts[static_cast<size_t>(Layout::Pushed)];
        VkDescriptorUpdateTemplate made = VK_NULL_HANDLE;
        CHECK(api_.CreateDescriptorUpdateTemplate(gpu_.device, &info, nullptr, &made));
        return made;
    };
    for (uint32_t kind = 0; kind < kSetKinds; ++kind) {
        resources_.templates[kind] =
            update_template(static_cast<SetKind>(kind), VK_DESCRIPTOR_UPDATE_TEMPLATE_TYPE_DESCRIPTOR_SET);
    }
    if (pushed) {
        resources_.pushed_template =
            update_template(SetKind::Pair, VK_DESCRIPTOR_UPDATE_TEMPLATE_TYPE_PUSH_DESCRIPTORS_KHR);
    }
}

void Worker::DestroyResources() {
    const VkDevice device = gpu_.device;
    for (VkDescriptorUpdateTemplate& made : resources_.templates) {
        if (made != VK_NULL_HANDLE) api_.DestroyDescriptorUpdateTemplate(device, made, nullptr);
    }
    if (resources_.pushed_template != VK_NULL_HANDLE) {
        api_.DestroyDescriptorUpdateTemplate(device, resources_.pushed_template, nullptr);
    }
    for (Pipeline& pipeline : resources_.pipelines) api_.DestroyPipeline(device, pipeline.handle, nullptr);
    for (VkPipelineLayout layout : resources_.layouts) api_.DestroyPipelineLayout(device, layout, nullptr);
    for (VkDescriptorSetLayout layout : resources_.set_layouts) {
        api_.DestroyDescriptorSetLayout(device, layout, nullptr);
    }
    api_.DestroyDescriptorSetLayout(device, resources_.pushed_set_layout, nullptr);
    api_.DestroyQueryPool(device, resources_.queries, nullptr);
    for (Image& image : resources_.images) {
        api_.DestroyImageView(device, image.view, nullptr);
        api_.DestroyImage(device, image.handle, nullptr);
        Free(image.memory);
    }
    for (Buffer& buffer : resources_.buffers) {
        api_.DestroyBuffer(device, buffer.handle, nullptr);
        Free(buffer.memory);
    }
    Free(shared_memory_);
    for (Memory& memory : loose_memory_) Free(memory);
}

// Allocations without a resource, some freed at once, some later, some while they are mapped.
void Worker::ChurnMemory() {
    const VkDeviceSize size = VkDeviceSize{1} << rng_.Between(8, 18);
    Memory memory = Allocate(size, ~0U, true);
    auto* const words = static_cast<uint32_t*>(Map(memory));
    const uint32_t value = rng_.Bits();
    words[0] = value;
    words[size / sizeof(uint32_t) - 1] = value;
    if (rng_.OneIn(2)) Flush(memory);
    if (rng_.OneIn(3)) {
        Flush(memory);
        Invalidate(memory);
    }
    Hash(&words[size / sizeof(uint32_t) - 1], sizeof(uint32_t));
    if (rng_.OneIn(4)) {
        Free(memory);  // unmaps it
        return;
    }
    Unmap(memory);
    loose_memory_.push_back(memory);
    while (loose_memory_.size() > 8 || (!loose_memory_.empty() && rng_.OneIn(3))) {
        Free(loose_memory_.front());
        loose_memory_.pop_front();
    }
}

}  // namespace random_program
