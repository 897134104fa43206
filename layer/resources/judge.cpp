// SPDX-License-Identifier: Apache-2.0
#include "resources/judge.h"

#include <algorithm>
#include <numeric>

#include <vulkan/utility/vk_struct_helper.hpp>

namespace kronos {
namespace {

// Shadowing more would cost more memory than the barriers are worth.
constexpr uint64_t kMostDescriptors = 4096;
constexpr uint32_t kMostBlockBytes = 1 << 16;

// Every structure of the chain passes `known`.
template <class Predicate>
bool AllKnown(const void* chain, Predicate known) {
    for (auto* next = static_cast<const VkBaseInStructure*>(chain); next; next = next->pNext)
        if (!known(*next)) return false;
    return true;
}

bool KnownType(VkDescriptorType type) {
    switch (type) {
        case VK_DESCRIPTOR_TYPE_SAMPLER:
        case VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER:
        case VK_DESCRIPTOR_TYPE_SAMPLED_IMAGE:
        case VK_DESCRIPTOR_TYPE_STORAGE_IMAGE:
        case VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER:
        case VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER:
        case VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER:
        case VK_DESCRIPTOR_TYPE_STORAGE_BUFFER:
        case VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER_DYNAMIC:
        case VK_DESCRIPTOR_TYPE_STORAGE_BUFFER_DYNAMIC:
        case VK_DESCRIPTOR_TYPE_INPUT_ATTACHMENT:
        case VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK:
            return true;
        default:
            return false;
    }
}

// Not UPDATE_AFTER_BIND and UPDATE_UNUSED_WHILE_PENDING: with them a set may be updated while it is being read here.
constexpr VkDescriptorBindingFlags kKnownBindingFlags =
    VK_DESCRIPTOR_BINDING_PARTIALLY_BOUND_BIT | VK_DESCRIPTOR_BINDING_VARIABLE_DESCRIPTOR_COUNT_BIT;
constexpr VkDescriptorSetLayoutCreateFlags kKnownLayoutFlags =
    VK_DESCRIPTOR_SET_LAYOUT_CREATE_PUSH_DESCRIPTOR_BIT | VK_DESCRIPTOR_SET_LAYOUT_CREATE_UPDATE_AFTER_BIND_POOL_BIT;

// Section "Pipeline Layout Compatibility". Empty: it cannot be compared.
std::vector<uint32_t> DefinitionOf(const VkDescriptorSetLayoutCreateInfo& info) {
    const auto* flags = vku::FindStructInPNextChain<VkDescriptorSetLayoutBindingFlagsCreateInfo>(info.pNext);
    std::vector<uint32_t> order(info.bindingCount);
    std::iota(order.begin(), order.end(), 0u);
    std::sort(order.begin(), order.end(),
              [&](uint32_t a, uint32_t b) { return info.pBindings[a].binding < info.pBindings[b].binding; });
    std::vector<uint32_t> words = {info.flags};
    for (const uint32_t i : order) {
        const VkDescriptorSetLayoutBinding& binding = info.pBindings[i];
        const bool samples = binding.descriptorType == VK_DESCRIPTOR_TYPE_SAMPLER ||
                             binding.descriptorType == VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER;
        // Nobody can tell which life of its handle such a sampler has.
        if (samples && binding.pImmutableSamplers) return {};
        const uint32_t binding_flags = flags && i < flags->bindingCount ? flags->pBindingFlags[i] : 0;
        words.insert(words.end(), {binding.binding, static_cast<uint32_t>(binding.descriptorType),
                                   binding.descriptorCount, binding.stageFlags, binding_flags});
    }
    return words;
}

}  // namespace

bool OwnMemory(const VkMemoryAllocateInfo& info) {
    return AllKnown(info.pNext, [](const VkBaseInStructure& next) {
        switch (next.sType) {
            case VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_FLAGS_INFO: {
                constexpr VkMemoryAllocateFlags kKnown =
                    VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT | VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_CAPTURE_REPLAY_BIT;
                return (reinterpret_cast<const VkMemoryAllocateFlagsInfo&>(next).flags & ~kKnown) == 0;
            }
            case VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO:
            case VK_STRUCTURE_TYPE_MEMORY_PRIORITY_ALLOCATE_INFO_EXT:
            case VK_STRUCTURE_TYPE_MEMORY_OPAQUE_CAPTURE_ADDRESS_ALLOCATE_INFO:
                return true;
            case VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO:
                return reinterpret_cast<const VkExportMemoryAllocateInfo&>(next).handleTypes == 0;
            default:
                return false;
        }
    });
}

BufferFacts JudgeBuffer(const VkBufferCreateInfo& info) {
    BufferFacts facts;
    facts.size = info.size;
    facts.usage = info.usage;
    facts.flags = info.flags;
    constexpr VkBufferCreateFlags kKnown =
        VK_BUFFER_CREATE_PROTECTED_BIT | VK_BUFFER_CREATE_DEVICE_ADDRESS_CAPTURE_REPLAY_BIT;
    facts.plain = !(info.flags & ~kKnown) && AllKnown(info.pNext, [](const VkBaseInStructure& next) {
        switch (next.sType) {
            case VK_STRUCTURE_TYPE_BUFFER_USAGE_FLAGS_2_CREATE_INFO:
            case VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO:
            case VK_STRUCTURE_TYPE_BUFFER_OPAQUE_CAPTURE_ADDRESS_CREATE_INFO:
            case VK_STRUCTURE_TYPE_BUFFER_DEVICE_ADDRESS_CREATE_INFO_EXT:
            case VK_STRUCTURE_TYPE_DEDICATED_ALLOCATION_BUFFER_CREATE_INFO_NV:
                return true;
            default:
                return false;
        }
    });
    if (const auto* usage = vku::FindStructInPNextChain<VkBufferUsageFlags2CreateInfo>(info.pNext))
        facts.usage = usage->usage;
    return facts;
}

ImageFacts JudgeImage(const VkImageCreateInfo& info) {
    ImageFacts facts;
    facts.usage = info.usage;
    facts.flags = info.flags;
    constexpr VkImageCreateFlags kOdd = VK_IMAGE_CREATE_SPARSE_BINDING_BIT | VK_IMAGE_CREATE_SPARSE_RESIDENCY_BIT |
                                        VK_IMAGE_CREATE_SPARSE_ALIASED_BIT | VK_IMAGE_CREATE_DISJOINT_BIT |
                                        VK_IMAGE_CREATE_SUBSAMPLED_BIT_EXT;
    facts.plain = !(info.flags & kOdd) && AllKnown(info.pNext, [](const VkBaseInStructure& next) {
        switch (next.sType) {
            case VK_STRUCTURE_TYPE_IMAGE_FORMAT_LIST_CREATE_INFO:
            case VK_STRUCTURE_TYPE_IMAGE_STENCIL_USAGE_CREATE_INFO:
            case VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_IMAGE_CREATE_INFO:
            case VK_STRUCTURE_TYPE_DEDICATED_ALLOCATION_IMAGE_CREATE_INFO_NV:
                return true;
            default:
                return false;
        }
    });
    return facts;
}

bool PlainBind(const void* next) {
    return AllKnown(next,
                    [](const VkBaseInStructure& known) { return known.sType == VK_STRUCTURE_TYPE_BIND_MEMORY_STATUS; });
}

bool PlainView(const void* next) {
    return AllKnown(next, [](const VkBaseInStructure& known) {
        switch (known.sType) {
            case VK_STRUCTURE_TYPE_IMAGE_VIEW_USAGE_CREATE_INFO:
            case VK_STRUCTURE_TYPE_IMAGE_VIEW_MIN_LOD_CREATE_INFO_EXT:
            case VK_STRUCTURE_TYPE_IMAGE_VIEW_SLICED_CREATE_INFO_EXT:
            case VK_STRUCTURE_TYPE_SAMPLER_YCBCR_CONVERSION_INFO:
            case VK_STRUCTURE_TYPE_BUFFER_USAGE_FLAGS_2_CREATE_INFO:
                return true;
            default:
                return false;
        }
    });
}

SetLayoutFacts JudgeSetLayout(const VkDescriptorSetLayoutCreateInfo& info) {
    SetLayoutFacts facts;
    facts.push = info.flags & VK_DESCRIPTOR_SET_LAYOUT_CREATE_PUSH_DESCRIPTOR_BIT;
    facts.understood = !(info.flags & ~kKnownLayoutFlags) && AllKnown(info.pNext, [](const VkBaseInStructure& next) {
        return next.sType == VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_BINDING_FLAGS_CREATE_INFO;
    });
    const auto* flags = vku::FindStructInPNextChain<VkDescriptorSetLayoutBindingFlagsCreateInfo>(info.pNext);
    if (flags && flags->bindingCount != info.bindingCount) flags = nullptr;

    for (uint32_t i = 0; i < info.bindingCount; ++i) {
        const VkDescriptorSetLayoutBinding& from = info.pBindings[i];
        SetBinding to;
        to.binding = from.binding;
        to.type = from.descriptorType;
        to.count = from.descriptorCount;
        if (flags) to.flags = flags->pBindingFlags[i];
        // pImmutableSamplers of other types is no pointer that anybody may look at.
        to.immutable_samplers =
            (to.type == VK_DESCRIPTOR_TYPE_SAMPLER || to.type == VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER) &&
            from.pImmutableSamplers;
        if (to.count == 0) continue;  // reserved: as if it were not there
        if (IsDynamic(to.type)) facts.dynamic_offsets += to.count;
        if (!KnownType(to.type) || (to.flags & ~kKnownBindingFlags)) facts.understood = false;
        facts.bindings.push_back(to);
    }
    std::sort(facts.bindings.begin(), facts.bindings.end(),
              [](const SetBinding& a, const SetBinding& b) { return a.binding < b.binding; });
    const uint64_t all =
        std::accumulate(facts.bindings.begin(), facts.bindings.end(), uint64_t{0},
                        [](uint64_t sum, const SetBinding& binding) { return sum + binding.descriptors(); });
    const bool odd = std::any_of(facts.bindings.begin(), facts.bindings.end(), [](const SetBinding& binding) {
        return binding.type == VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK &&
               (binding.count % 4 || binding.count > kMostBlockBytes);
    });
    if (all > kMostDescriptors || odd) facts.understood = false;
    if (!facts.understood) {
        facts.bindings.clear();
        return facts;
    }
    uint32_t dynamic = 0;
    facts.plain = !info.flags;
    for (SetBinding& binding : facts.bindings) {
        binding.first = facts.descriptors;
        binding.first_dynamic = dynamic;
        binding.first_word = facts.words;
        facts.descriptors += binding.descriptors();
        if (IsDynamic(binding.type)) dynamic += binding.count;
        if (binding.type == VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK) facts.words += binding.count / 4;
        if (binding.flags & VK_DESCRIPTOR_BINDING_VARIABLE_DESCRIPTOR_COUNT_BIT) facts.plain = false;
    }
    facts.definition = DefinitionOf(info);
    return facts;
}

SamplerFacts JudgeSampler(const VkSamplerCreateInfo& info) {
    SamplerFacts facts;
    facts.plain = AllKnown(info.pNext, [](const VkBaseInStructure& next) {
        return next.sType == VK_STRUCTURE_TYPE_SAMPLER_REDUCTION_MODE_CREATE_INFO ||
               next.sType == VK_STRUCTURE_TYPE_SAMPLER_CUSTOM_BORDER_COLOR_CREATE_INFO_EXT;
    });
    return facts;
}

bool PlainPool(const VkDescriptorPoolCreateInfo& info) {
    return !(info.flags & ~VkDescriptorPoolCreateFlags{VK_DESCRIPTOR_POOL_CREATE_FREE_DESCRIPTOR_SET_BIT}) &&
           AllKnown(info.pNext, [](const VkBaseInStructure& next) {
               return next.sType == VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_INLINE_UNIFORM_BLOCK_CREATE_INFO;
           });
}

bool VariableCount(const VkDescriptorSetAllocateInfo& info, uint32_t index, uint32_t& count) {
    count = 0;
    for (auto* next = static_cast<const VkBaseInStructure*>(info.pNext); next; next = next->pNext) {
        if (next->sType != VK_STRUCTURE_TYPE_DESCRIPTOR_SET_VARIABLE_DESCRIPTOR_COUNT_ALLOCATE_INFO) return false;
        const auto& counts = reinterpret_cast<const VkDescriptorSetVariableDescriptorCountAllocateInfo&>(*next);
        if (index < counts.descriptorSetCount) count = counts.pDescriptorCounts[index];
    }
    return true;
}

}  // namespace kronos
