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
#include "resources/descriptors.h"
#include "resources/facts.h"
#include "resources/known.h"
#include "resources/lives.h"
#include "resources/shader_cache.h"
#include "support/handle_map.h"

namespace kronos {

struct ResourceOptions {
    bool widen_writes = false;  ///< robustBufferAccess is enabled
    bool round_up = false;      ///< robustBufferAccess2 is enabled, which says more
    bool follow_sets = true;    ///< identities of descriptors are kept
    Lives* lives = nullptr;     ///< told of buffers, images, views, samplers, memory and set layouts; outlives all
    uint32_t hold_most = 0;     ///< sets of layouts with so many descriptors may be DescriptorSet::held; 0: none
    UsesFinder find_uses = &FindUses;
};

/// Of sets that are no more: how often they were bound.
struct UsedSets {
    uint32_t once = 0;
    uint32_t more = 0;
    UsedSets& operator+=(const UsedSets& other) {
        once += other.once;
        more += other.more;
        return *this;
    }
};

class Resources {
  public:
    explicit Resources(const ResourceOptions& options);

    Bounds bounds() const { return bounds_; }  ///< of pipelines that say nothing else

    /// Another number whenever a handle of a buffer may have come to be another object: what a handle was found to be
    /// stays so as long as this does.
    uint64_t BufferChanges() const { return buffer_changes_.load(std::memory_order_relaxed); }

    // Memory. A life of memory begins as the program sees it: what the layer keeps for another life is added again,
    // without being removed, when that begins. A life is MemoryRange::memory of what lies in it.
    /// The life of memory whose handle is the layer's: it keeps the number.
    uint64_t BeginMemory(const VkMemoryAllocateInfo& info);
    /// Nothing for what is no life.
    void EndMemory(uint64_t life);
    void AddMemory(VkDeviceMemory memory, const VkMemoryAllocateInfo& info);
    void RemoveMemory(VkDeviceMemory memory);
    uint64_t FindMemory(VkDeviceMemory memory) const {
        static_assert(MemoryRange::kEverything == 0, "what is not in the map");
        return memories_.Find(memory);
    }

    // Buffers and images.
    void AddBuffer(VkBuffer buffer, const VkBufferCreateInfo& info);
    /// `required`: VkMemoryRequirements::size, or 0 if it was not asked for; stores out of bounds may go so far.
    /// `life`: of the memory.
    void BindBuffer(const VkBindBufferMemoryInfo& info, VkDeviceSize required, uint64_t life) noexcept;
    void RemoveBuffer(VkBuffer buffer) {
        BuffersChange();
        EndAndRemove(buffers_, buffer);
    }
    const BufferFacts* FindBuffer(VkBuffer buffer) const { return buffers_.Find(buffer); }

    void AddImage(VkImage image, const VkImageCreateInfo& info);
    /// `required`: VkMemoryRequirements::size, or 0 if it was not asked for; then the image may be anywhere.
    void BindImage(const VkBindImageMemoryInfo& info, VkDeviceSize required, uint64_t life) noexcept;
    void RemoveImage(VkImage image) { EndAndRemove(images_, image); }
    const ImageFacts* FindImage(VkImage image) const { return images_.Find(image); }

    void AddBufferView(VkBufferView view, const VkBufferViewCreateInfo& info);
    void RemoveBufferView(VkBufferView view) { EndAndRemove(buffer_views_, view); }
    const BufferViewFacts* FindBufferView(VkBufferView view) const { return buffer_views_.Find(view); }

    void AddImageView(VkImageView view, const VkImageViewCreateInfo& info);
    void RemoveImageView(VkImageView view) { EndAndRemove(image_views_, view); }
    const ImageViewFacts* FindImageView(VkImageView view) const { return image_views_.Find(view); }

    void AddSampler(VkSampler sampler, const VkSamplerCreateInfo& info);
    void RemoveSampler(VkSampler sampler) { EndAndRemove(samplers_, sampler); }
    const SamplerFacts* FindSampler(VkSampler sampler) const { return samplers_.Find(sampler); }

    // Layouts and pipelines. They outlive what they are made of.
    void AddSetLayout(VkDescriptorSetLayout layout, const VkDescriptorSetLayoutCreateInfo& info);
    void RemoveSetLayout(VkDescriptorSetLayout layout);
    /// nullptr: not known. So of the others that are shared.
    std::shared_ptr<const SetLayoutFacts> SetLayout(VkDescriptorSetLayout layout) const;

    void AddPipelineLayout(VkPipelineLayout layout, const VkPipelineLayoutCreateInfo& info);
    void RemovePipelineLayout(VkPipelineLayout layout) {
        if (layout) layouts_removed_.fetch_add(1, std::memory_order_relaxed);
        pipeline_layouts_.Remove(layout);
    }
    /// How many pipeline layouts were destroyed, or are just about to be.
    uint64_t LayoutsRemoved() const { return layouts_removed_.load(std::memory_order_relaxed); }
    /// A number for a recording, 1 and up: what is recorded one behind the other has such numbers too.
    uint64_t NextRecording() const { return recordings_.fetch_add(1, std::memory_order_relaxed) + 1; }
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
    /// `plain`: PlainPool.
    void AddPool(VkDescriptorPool pool, bool plain = true);
    UsedSets RemovePool(VkDescriptorPool pool);
    UsedSets ResetPool(VkDescriptorPool pool) noexcept;
    /// After the driver allocated `sets` of info.descriptorSetCount. Not `follows`: nobody needs to know them now, and
    /// of a pool whose sets come and go, whose next ones will come soon enough, they stay unknown.
    void AddSets(const VkDescriptorSetAllocateInfo& info, const VkDescriptorSet* sets, bool follows = true);
    UsedSets RemoveSets(VkDescriptorPool pool, uint32_t count, const VkDescriptorSet* sets) noexcept;
    const DescriptorSet* FindSet(VkDescriptorSet set) const { return sets_.Find(set); }
    /// To be bound, which other threads may do too: of what is not atomic nothing may be changed.
    DescriptorSet* FindToBind(VkDescriptorSet set) const { return sets_.Find(set); }
    /// Of sets allocated from now on.
    void HoldSets(bool hold) { hold_sets_.store(hold, std::memory_order_relaxed); }
    /// Whether anything is known of any set.
    bool KnowsSets() const { return !sets_.empty(); }
    bool HoldsSets() const { return hold_sets_.load(std::memory_order_relaxed); }
    Lives* lives() const { return lives_; }

    /// The set that an update is for, to be given to the functions below; nullptr: nothing is known of what it holds.
    DescriptorSet* FindToUpdate(VkDescriptorSet set) const noexcept;
    Change Write(DescriptorSet& set, const VkWriteDescriptorSet& write) noexcept;
    /// By a template that is not known the set becomes unknown.
    Change Write(DescriptorSet& set, VkDescriptorUpdateTemplate update_template, const void* data) noexcept;
    Change Copy(DescriptorSet& destination, const VkCopyDescriptorSet& copy) noexcept;
    /// All of the above, of a whole command.
    void UpdateSets(uint32_t write_count, const VkWriteDescriptorSet* writes, uint32_t copy_count,
                    const VkCopyDescriptorSet* copies) noexcept;
    /// The same command, of which nobody needs to know what it writes: the sets become unknown.
    void ForgetSets(uint32_t write_count, const VkWriteDescriptorSet* writes, uint32_t copy_count,
                    const VkCopyDescriptorSet* copies) noexcept;
    void ForgetSet(VkDescriptorSet set) noexcept;
    void AddTemplate(VkDescriptorUpdateTemplate update_template, const VkDescriptorUpdateTemplateCreateInfo& info);
    void RemoveTemplate(VkDescriptorUpdateTemplate update_template) { templates_.Remove(update_template); }
    const UpdateTemplate* FindTemplate(VkDescriptorUpdateTemplate update_template) const {
        return templates_.Find(update_template);
    }
    void UpdateSet(VkDescriptorSet set, VkDescriptorUpdateTemplate update_template, const void* data) noexcept;

  private:
    void AddSet(DescriptorPool& pool, VkDescriptorSet handle, std::shared_ptr<const SetLayoutFacts> layout,
                size_t descriptors);
    static void NoteChange(DescriptorSet& set) noexcept;
    static void Forget(DescriptorSet& set) noexcept;
    bool BeginLife(uint64_t uid, uint64_t of) noexcept;
    UsedSets Release(DescriptorPool& pool, DescriptorSet& set) noexcept;
    void BuffersChange() { buffer_changes_.fetch_add(1, std::memory_order_relaxed); }
    template <class Handle, class Facts>
    void EndAndRemove(Known<Handle, Facts>& known, Handle handle) {
        if (const Facts* facts = lives_ ? known.Find(handle) : nullptr) lives_->End(facts->uid);
        known.Remove(handle);
    }

    const Bounds bounds_;
    const bool follow_sets_;
    const uint32_t hold_most_;
    Lives* const lives_;
    std::atomic<bool> hold_sets_;
    mutable ShaderCache shaders_;
    LayoutCompatibility compatibility_;
    // Counted before a buffer is removed, under whose lock the next of its handle is added, which is ordered before
    // whoever records with that by the program.
    std::atomic<uint64_t> buffer_changes_{0};
    std::atomic<uint64_t> layouts_removed_{0};
    mutable std::atomic<uint64_t> recordings_{0};
    HandleMap<VkDeviceMemory, uint64_t> memories_;  // MemoryRange::memory
    Known<VkBuffer, BufferFacts> buffers_;
    Known<VkImage, ImageFacts> images_;
    Known<VkBufferView, BufferViewFacts> buffer_views_;
    Known<VkImageView, ImageViewFacts> image_views_;
    Known<VkSampler, SamplerFacts> samplers_;
    Known<VkDescriptorSetLayout, std::shared_ptr<const SetLayoutFacts>> set_layouts_;
    Known<VkPipelineLayout, std::shared_ptr<const PipelineLayoutFacts>> pipeline_layouts_;
    Known<VkShaderModule, std::shared_ptr<ShaderCode>> modules_;
    Known<VkPipeline, PipelineFacts> pipelines_;
    Known<VkDescriptorPool, DescriptorPool> pools_;
    Known<VkDescriptorUpdateTemplate, UpdateTemplate> templates_;
    HandleMap<VkDescriptorSet, DescriptorSet*> sets_;  // of pools_
};

}  // namespace kronos
