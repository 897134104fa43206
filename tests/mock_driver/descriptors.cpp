// SPDX-License-Identifier: Apache-2.0
// Descriptor set layouts, pools with their limits, sets with what was written to them, update templates.
#include <cstring>

#include "commands.h"
#include "state.h"

namespace mock {
namespace {

bool IsBuffer(VkDescriptorType type) {
    return type == VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER || type == VK_DESCRIPTOR_TYPE_STORAGE_BUFFER ||
           type == VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER_DYNAMIC || type == VK_DESCRIPTOR_TYPE_STORAGE_BUFFER_DYNAMIC;
}
bool IsImage(VkDescriptorType type) {
    return type == VK_DESCRIPTOR_TYPE_SAMPLER || type == VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER ||
           type == VK_DESCRIPTOR_TYPE_SAMPLED_IMAGE || type == VK_DESCRIPTOR_TYPE_STORAGE_IMAGE ||
           type == VK_DESCRIPTOR_TYPE_INPUT_ATTACHMENT;
}
bool IsTexelBuffer(VkDescriptorType type) {
    return type == VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER || type == VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER;
}

// The i-th descriptor from (binding, element) on; writes run over into the bindings that follow.
Descriptor* At(DescriptorSet* set, uint32_t binding, uint32_t element, uint32_t i, const char* command) {
    const auto found = set->layout->bindings.find(binding);
    const size_t index =
        found == set->layout->bindings.end() ? set->descriptors.size() : found->second.first + size_t{element} + i;
    if (index < set->descriptors.size()) return &set->descriptors[index];
    Violation(std::string(command) + ": the set has no binding " + std::to_string(binding) + " element " +
              std::to_string(element + i));
    return nullptr;
}

// Inline uniform blocks count bytes; they are one descriptor here.
uint32_t CountOf(const VkWriteDescriptorSet& write) {
    return write.descriptorType == VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK ? 1 : write.descriptorCount;
}

void Charge(DescriptorPool* pool, const SetLayout& layout, int sign) {
    for (const auto& [number, binding] : layout.bindings) pool->left[binding.type] -= sign * int64_t{binding.count};
}

bool Fits(const DescriptorPool& pool, const SetLayout& layout) {
    std::map<VkDescriptorType, int64_t> needs;
    for (const auto& [number, binding] : layout.bindings) needs[binding.type] += binding.count;
    for (const auto& [type, count] : needs) {
        const auto left = pool.left.find(type);
        if (count > 0 && (left == pool.left.end() || left->second < count)) return false;
    }
    return true;
}

void Free(uint64_t set, const char* command) {
    std::shared_ptr<Object> object;
    if (!RemoveObject(set, DescriptorSet::kType, command, &object)) return;
    auto* dead = static_cast<DescriptorSet*>(object.get());
    dead->pool->sets.erase(set);
    Charge(dead->pool.get(), *dead->layout, -1);
}

}  // namespace

void WriteDescriptor(const VkWriteDescriptorSet& write, uint32_t i, Descriptor* to) {
    *to = {write.descriptorType, 0, 0, 0};
    if (IsBuffer(write.descriptorType)) {
        const VkDescriptorBufferInfo& info = write.pBufferInfo[i];
        *to = {write.descriptorType, FromHandle(info.buffer), info.offset, info.range};
    } else if (IsImage(write.descriptorType)) {
        to->handle = write.descriptorType == VK_DESCRIPTOR_TYPE_SAMPLER ? 0 : FromHandle(write.pImageInfo[i].imageView);
    } else if (IsTexelBuffer(write.descriptorType)) {
        to->handle = FromHandle(write.pTexelBufferView[i]);
    }
}

Descriptor FromTemplate(const VkDescriptorUpdateTemplateEntry& entry, uint32_t i, const void* data) {
    const uint8_t* at = static_cast<const uint8_t*>(data) + entry.offset + i * entry.stride;
    VkDescriptorBufferInfo buffer{};
    VkDescriptorImageInfo image{};
    VkBufferView view = VK_NULL_HANDLE;
    if (IsBuffer(entry.descriptorType)) std::memcpy(&buffer, at, sizeof(buffer));
    if (IsImage(entry.descriptorType)) std::memcpy(&image, at, sizeof(image));
    if (IsTexelBuffer(entry.descriptorType)) std::memcpy(&view, at, sizeof(view));
    VkWriteDescriptorSet write{};
    write.descriptorType = entry.descriptorType;
    write.pBufferInfo = &buffer;
    write.pImageInfo = &image;
    write.pTexelBufferView = &view;
    Descriptor descriptor;
    WriteDescriptor(write, 0, &descriptor);
    return descriptor;
}

namespace impl {

VkResult vkCreateDescriptorSetLayout(VkDevice device, const VkDescriptorSetLayoutCreateInfo* pCreateInfo,
                                     const VkAllocationCallbacks*, VkDescriptorSetLayout* pSetLayout) {
    auto layout = std::make_shared<SetLayout>();
    for (uint32_t i = 0; i < pCreateInfo->bindingCount; ++i) {
        const VkDescriptorSetLayoutBinding& b = pCreateInfo->pBindings[i];
        layout->bindings[b.binding] = {b.descriptorType, b.descriptorCount, 0};
    }
    for (auto& [number, binding] : layout->bindings) {
        binding.first = layout->total;
        layout->total += binding.type == VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK ? 1 : binding.count;
    }
    *pSetLayout = ToHandle<VkDescriptorSetLayout>(AddObject(SetLayout::kType, Of(device), std::move(layout)));
    return VK_SUCCESS;
}

void vkGetDescriptorSetLayoutSupport(VkDevice, const VkDescriptorSetLayoutCreateInfo*,
                                     VkDescriptorSetLayoutSupport* pSupport) {
    pSupport->supported = VK_TRUE;
}

VkResult vkCreateDescriptorPool(VkDevice device, const VkDescriptorPoolCreateInfo* pCreateInfo,
                                const VkAllocationCallbacks*, VkDescriptorPool* pDescriptorPool) {
    auto pool = std::make_shared<DescriptorPool>();
    pool->max_sets = pCreateInfo->maxSets;
    pool->can_free = (pCreateInfo->flags & VK_DESCRIPTOR_POOL_CREATE_FREE_DESCRIPTOR_SET_BIT) != 0;
    for (uint32_t i = 0; i < pCreateInfo->poolSizeCount; ++i) {
        pool->left[pCreateInfo->pPoolSizes[i].type] += pCreateInfo->pPoolSizes[i].descriptorCount;
    }
    *pDescriptorPool = ToHandle<VkDescriptorPool>(AddObject(DescriptorPool::kType, Of(device), std::move(pool)));
    return VK_SUCCESS;
}

VkResult vkResetDescriptorPool(VkDevice, VkDescriptorPool descriptorPool, VkDescriptorPoolResetFlags) {
    DescriptorPool* pool = Require<DescriptorPool>(descriptorPool, "vkResetDescriptorPool");
    if (pool == nullptr) return VK_SUCCESS;
    const std::set<uint64_t> sets = pool->sets;
    for (const uint64_t set : sets) Free(set, "vkResetDescriptorPool");
    return VK_SUCCESS;
}

void vkDestroyDescriptorPool(VkDevice device, VkDescriptorPool descriptorPool, const VkAllocationCallbacks*) {
    if (descriptorPool == VK_NULL_HANDLE) return;
    if (Find<DescriptorPool>(descriptorPool) != nullptr) vkResetDescriptorPool(device, descriptorPool, 0);
    RemoveObject(FromHandle(descriptorPool), DescriptorPool::kType, "vkDestroyDescriptorPool");
}

VkResult vkAllocateDescriptorSets(VkDevice device, const VkDescriptorSetAllocateInfo* pAllocateInfo,
                                  VkDescriptorSet* pDescriptorSets) {
    const auto pool = Shared<DescriptorPool>(pAllocateInfo->descriptorPool);
    VkResult result = VK_SUCCESS;
    if (pool == nullptr) {
        Require<DescriptorPool>(pAllocateInfo->descriptorPool, "vkAllocateDescriptorSets");
        result = VK_ERROR_OUT_OF_POOL_MEMORY;
    }
    uint32_t done = 0;
    for (; result == VK_SUCCESS && done < pAllocateInfo->descriptorSetCount; ++done) {
        const auto layout = Shared<SetLayout>(pAllocateInfo->pSetLayouts[done]);
        if (layout == nullptr) Require<SetLayout>(pAllocateInfo->pSetLayouts[done], "vkAllocateDescriptorSets");
        if (layout == nullptr || pool->sets.size() >= pool->max_sets || !Fits(*pool, *layout)) {
            result = VK_ERROR_OUT_OF_POOL_MEMORY;
            break;
        }
        auto set = std::make_shared<DescriptorSet>();
        set->layout = layout;
        set->pool = pool;
        set->descriptors.resize(layout->total);
        const uint64_t handle = AddObject(DescriptorSet::kType, Of(device), std::move(set));
        pool->sets.insert(handle);
        Charge(pool.get(), *layout, 1);
        pDescriptorSets[done] = ToHandle<VkDescriptorSet>(handle);
    }
    if (result == VK_SUCCESS) return result;
    for (uint32_t i = 0; i < pAllocateInfo->descriptorSetCount; ++i) {
        if (i < done) Free(FromHandle(pDescriptorSets[i]), "vkAllocateDescriptorSets");
        pDescriptorSets[i] = VK_NULL_HANDLE;
    }
    return result;
}

VkResult vkFreeDescriptorSets(VkDevice, VkDescriptorPool descriptorPool, uint32_t descriptorSetCount,
                              const VkDescriptorSet* pDescriptorSets) {
    const DescriptorPool* pool = Require<DescriptorPool>(descriptorPool, "vkFreeDescriptorSets");
    if (pool != nullptr && !pool->can_free) {
        Violation("vkFreeDescriptorSets: the pool was created without FREE_DESCRIPTOR_SET");
    }
    for (uint32_t i = 0; i < descriptorSetCount; ++i) {
        if (pDescriptorSets[i] != VK_NULL_HANDLE) Free(FromHandle(pDescriptorSets[i]), "vkFreeDescriptorSets");
    }
    return VK_SUCCESS;
}

void vkUpdateDescriptorSets(VkDevice, uint32_t descriptorWriteCount, const VkWriteDescriptorSet* pDescriptorWrites,
                            uint32_t descriptorCopyCount, const VkCopyDescriptorSet* pDescriptorCopies) {
    for (uint32_t w = 0; w < descriptorWriteCount; ++w) {
        const VkWriteDescriptorSet& write = pDescriptorWrites[w];
        DescriptorSet* set = Require<DescriptorSet>(write.dstSet, "vkUpdateDescriptorSets");
        for (uint32_t i = 0; set != nullptr && i < CountOf(write); ++i) {
            Descriptor* to = At(set, write.dstBinding, write.dstArrayElement, i, "vkUpdateDescriptorSets");
            if (to == nullptr) break;
            WriteDescriptor(write, i, to);
        }
    }
    for (uint32_t c = 0; c < descriptorCopyCount; ++c) {
        const VkCopyDescriptorSet& copy = pDescriptorCopies[c];
        DescriptorSet* from = Require<DescriptorSet>(copy.srcSet, "vkUpdateDescriptorSets");
        DescriptorSet* to = Require<DescriptorSet>(copy.dstSet, "vkUpdateDescriptorSets");
        for (uint32_t i = 0; from != nullptr && to != nullptr && i < copy.descriptorCount; ++i) {
            const Descriptor* source = At(from, copy.srcBinding, copy.srcArrayElement, i, "vkUpdateDescriptorSets");
            Descriptor* target = At(to, copy.dstBinding, copy.dstArrayElement, i, "vkUpdateDescriptorSets");
            if (source == nullptr || target == nullptr) break;
            *target = *source;
        }
    }
}

VkResult vkCreateDescriptorUpdateTemplate(VkDevice device, const VkDescriptorUpdateTemplateCreateInfo* pCreateInfo,
                                          const VkAllocationCallbacks*,
                                          VkDescriptorUpdateTemplate* pDescriptorUpdateTemplate) {
    auto made = std::make_shared<UpdateTemplate>();
    made->entries.assign(pCreateInfo->pDescriptorUpdateEntries,
                         pCreateInfo->pDescriptorUpdateEntries + pCreateInfo->descriptorUpdateEntryCount);
    *pDescriptorUpdateTemplate =
        ToHandle<VkDescriptorUpdateTemplate>(AddObject(UpdateTemplate::kType, Of(device), std::move(made)));
    return VK_SUCCESS;
}

void vkUpdateDescriptorSetWithTemplate(VkDevice, VkDescriptorSet descriptorSet,
                                       VkDescriptorUpdateTemplate descriptorUpdateTemplate, const void* pData) {
    constexpr const char* kName = "vkUpdateDescriptorSetWithTemplate";
    DescriptorSet* set = Require<DescriptorSet>(descriptorSet, kName);
    const UpdateTemplate* made = Require<UpdateTemplate>(descriptorUpdateTemplate, kName);
    if (set == nullptr || made == nullptr) return;
    for (const VkDescriptorUpdateTemplateEntry& entry : made->entries) {
        const uint32_t count =
            entry.descriptorType == VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK ? 1 : entry.descriptorCount;
        for (uint32_t i = 0; i < count; ++i) {
            Descriptor* to = At(set, entry.dstBinding, entry.dstArrayElement, i, kName);
            if (to == nullptr) break;
            *to = FromTemplate(entry, i, pData);
        }
    }
}

}  // namespace impl
}  // namespace mock
