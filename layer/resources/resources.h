// SPDX-License-Identifier: Apache-2.0
// All that is known of a device's objects, by handle: what command streams need to tell which bytes a command touches.
// One for each device. What is not found here is not known, and may be anything.
//
// Threads: Find* and the other const functions on any thread, without locks (the analysis of shaders apart, which
// creating a pipeline waits for); what they return lives until the object is destroyed. Functions that add, change or
// remove are called by the hooks of the commands that do so, under Vulkan's rules of external synchronization. Those
// that add throw std::bad_alloc: then the object is not known. Remove* before the driver destroys the object.
#pragma once

#include <vulkan/vulkan_core.h>

#include <atomic>
#include <memory>
#include <span>
#include <string_view>

#include "resources/compatibility.h"
#include "resources/facts.h"
#include "resources/known.h"
#include "resources/shader_cache.h"
#include "support/handle_map.h"

namespace kronos {

struct ResourceOptions {
    bool widen_writes = false;  ///< robustBufferAccess is enabled
    bool round_up = false;      ///< robustBufferAccess2 is enabled, which says more
    UsesFinder find_uses = &FindUses;
};

class Resources {
  public:
    explicit Resources(const ResourceOptions& options);

    Bounds bounds() const { return bounds_; }  ///< of pipelines that say nothing else

    // Memory. A life of memory begins as the program sees it: what the layer keeps for another life is added again,
    // without being removed, when that begins.
    void AddMemory(VkDeviceMemory memory, const VkMemoryAllocateInfo& info);
    void RemoveMemory(VkDeviceMemory memory) { memories_.Remove(memory); }
    /// MemoryRange::memory of it.
    uint64_t FindMemory(VkDeviceMemory memory) const {
        const std::atomic<uint64_t>* life = memories_.Find(memory);
        return life ? life->load(std::memory_order_relaxed) : MemoryRange::kEverything;
    }

    // Buffers and images.
    void AddBuffer(VkBuffer buffer, const VkBufferCreateInfo& info);
    /// `required`: VkMemoryRequirements::size, or 0 if it was not asked for; stores out of bounds may go so far.
    void BindBuffer(const VkBindBufferMemoryInfo& info, VkDeviceSize required) noexcept;
    void RemoveBuffer(VkBuffer buffer) { buffers_.Remove(buffer); }
    const BufferFacts* FindBuffer(VkBuffer buffer) const { return buffers_.Find(buffer); }

    void AddImage(VkImage image, const VkImageCreateInfo& info);
    /// `required`: VkMemoryRequirements::size, or 0 if it was not asked for; then the image may be anywhere.
    void BindImage(const VkBindImageMemoryInfo& info, VkDeviceSize required) noexcept;
    void RemoveImage(VkImage image) { images_.Remove(image); }
    const ImageFacts* FindImage(VkImage image) const { return images_.Find(image); }

    void AddBufferView(VkBufferView view, const VkBufferViewCreateInfo& info);
    void RemoveBufferView(VkBufferView view) { buffer_views_.Remove(view); }
    const BufferViewFacts* FindBufferView(VkBufferView view) const { return buffer_views_.Find(view); }

    void AddImageView(VkImageView view, const VkImageViewCreateInfo& info);
    void RemoveImageView(VkImageView view) { image_views_.Remove(view); }
    const ImageViewFacts* FindImageView(VkImageView view) const { return image_views_.Find(view); }

    // Layouts and pipelines. They outlive what they are made of.
    void AddSetLayout(VkDescriptorSetLayout layout, const VkDescriptorSetLayoutCreateInfo& info);
    void RemoveSetLayout(VkDescriptorSetLayout layout) { set_layouts_.Remove(layout); }
    /// nullptr: not known. So of the others that are shared.
    std::shared_ptr<const SetLayoutFacts> SetLayout(VkDescriptorSetLayout layout) const;

    void AddPipelineLayout(VkPipelineLayout layout, const VkPipelineLayoutCreateInfo& info);
    void RemovePipelineLayout(VkPipelineLayout layout) { pipeline_layouts_.Remove(layout); }
    std::shared_ptr<const PipelineLayoutFacts> PipelineLayout(VkPipelineLayout layout) const;
    const PipelineLayoutFacts* FindPipelineLayout(VkPipelineLayout layout) const {
        const auto* facts = pipeline_layouts_.Find(layout);
        return facts ? facts->get() : nullptr;
    }

    void AddShaderModule(VkShaderModule module, const VkShaderModuleCreateInfo& info);
    void RemoveShaderModule(VkShaderModule module) { modules_.Remove(module); }
    /// Of the compute entry point `name`; nullptr: not known. Throws std::bad_alloc.
    std::shared_ptr<const ShaderUses> UsesOf(VkShaderModule module, std::string_view name) const;
    std::shared_ptr<const ShaderUses> UsesOf(std::span<const uint32_t> words, std::string_view name) const;

    void AddPipeline(VkPipeline pipeline, const VkComputePipelineCreateInfo& info);
    void RemovePipeline(VkPipeline pipeline) { pipelines_.Remove(pipeline); }
    const PipelineFacts* FindPipeline(VkPipeline pipeline) const { return pipelines_.Find(pipeline); }

    // Descriptor sets.
    void AddPool(VkDescriptorPool pool);
    void RemovePool(VkDescriptorPool pool);
    void ResetPool(VkDescriptorPool pool) noexcept;
    /// After the driver allocated `sets` of info.descriptorSetCount.
    void AddSets(const VkDescriptorSetAllocateInfo& info, const VkDescriptorSet* sets);
    void RemoveSets(VkDescriptorPool pool, uint32_t count, const VkDescriptorSet* sets) noexcept;
    const DescriptorSet* FindSet(VkDescriptorSet set) const { return sets_.Find(set); }

    void UpdateSets(uint32_t write_count, const VkWriteDescriptorSet* writes, uint32_t copy_count,
                    const VkCopyDescriptorSet* copies) noexcept;
    void AddTemplate(VkDescriptorUpdateTemplate update_template, const VkDescriptorUpdateTemplateCreateInfo& info);
    void RemoveTemplate(VkDescriptorUpdateTemplate update_template) { templates_.Remove(update_template); }
    const UpdateTemplate* FindTemplate(VkDescriptorUpdateTemplate update_template) const {
        return templates_.Find(update_template);
    }
    void UpdateSet(VkDescriptorSet set, VkDescriptorUpdateTemplate update_template, const void* data) noexcept;

  private:
    void AddSet(DescriptorPool& pool, VkDescriptorSet handle, std::shared_ptr<const SetLayoutFacts> layout,
                size_t descriptors);
    void Release(DescriptorPool& pool, DescriptorSet& set) noexcept;
    DescriptorSet* FindToUpdate(VkDescriptorSet handle) const noexcept;

    const Bounds bounds_;
    mutable ShaderCache shaders_;
    LayoutCompatibility compatibility_;
    Known<VkDeviceMemory, std::atomic<uint64_t>> memories_;
    Known<VkBuffer, BufferFacts> buffers_;
    Known<VkImage, ImageFacts> images_;
    Known<VkBufferView, BufferViewFacts> buffer_views_;
    Known<VkImageView, ImageViewFacts> image_views_;
    Known<VkDescriptorSetLayout, std::shared_ptr<const SetLayoutFacts>> set_layouts_;
    Known<VkPipelineLayout, std::shared_ptr<const PipelineLayoutFacts>> pipeline_layouts_;
    Known<VkShaderModule, std::shared_ptr<ShaderCode>> modules_;
    Known<VkPipeline, PipelineFacts> pipelines_;
    Known<VkDescriptorPool, DescriptorPool> pools_;
    Known<VkDescriptorUpdateTemplate, UpdateTemplate> templates_;
    HandleMap<VkDescriptorSet, DescriptorSet*> sets_;  // of pools_
};

}  // namespace kronos
