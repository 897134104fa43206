// SPDX-License-Identifier: Apache-2.0
#include "resources/resources.h"

#include <algorithm>
#include <span>
#include <utility>

#include "resources/descriptors.h"
#include "resources/judge.h"
#include "resources/pipelines.h"

namespace kronos {
namespace {

// Bytes [offset, offset + size) of the memory.
MemoryRange InMemory(uint64_t memory, VkDeviceSize offset, VkDeviceSize size) {
    return PartOf({memory, 0, ~uint64_t{0}}, offset, size);
}

// A structure or flag that is not known could make it another shader than the words say.
bool PlainModule(const VkShaderModuleCreateInfo& info) {
    auto* next = static_cast<const VkBaseInStructure*>(info.pNext);
    while (next && next->sType == VK_STRUCTURE_TYPE_SHADER_MODULE_VALIDATION_CACHE_CREATE_INFO_EXT) next = next->pNext;
    return !next && !info.flags;
}

}  // namespace

Resources::Resources(const ResourceOptions& options)
    : bounds_(options.round_up       ? Bounds::kRounded
              : options.widen_writes ? Bounds::kBuffer
                                     : Bounds::kNone),
      follow_sets_(options.follow_sets),
      hold_most_(options.hold_most),
      lives_(options.lives),
      hold_sets_(options.lives && options.hold_most),
      shaders_(options.find_uses) {}

uint64_t Resources::BeginMemory(const VkMemoryAllocateInfo& info) {
    const uint64_t life = OwnMemory(info) ? NextUid() : MemoryRange::kShared;
    if (lives_ && life > MemoryRange::kShared) lives_->Begin(life, Lives::kOfNothing);
    return life;
}

void Resources::EndMemory(uint64_t life) {
    if (lives_ && life > MemoryRange::kShared) lives_->End(life);
}

void Resources::AddMemory(VkDeviceMemory memory, const VkMemoryAllocateInfo& info) {
    if (lives_) EndMemory(FindMemory(memory));
    memories_.Insert(memory, BeginMemory(info));
}

void Resources::RemoveMemory(VkDeviceMemory memory) { EndMemory(memories_.Erase(memory)); }

bool Resources::BeginLife(uint64_t uid, uint64_t of) noexcept {
    if (!lives_ || of <= MemoryRange::kShared) return false;
    try {
        lives_->Begin(uid, of);
        return true;
    } catch (const std::bad_alloc&) {
        return false;
    }
}

void Resources::AddBuffer(VkBuffer buffer, const VkBufferCreateInfo& info) {
    if (!buffers_.Add(buffer, JudgeBuffer(info))) BuffersChange();
}

void Resources::BindBuffer(const VkBindBufferMemoryInfo& info, VkDeviceSize required, uint64_t life) noexcept {
    BufferFacts* buffer = buffers_.Find(info.buffer);
    if (!buffer || !buffer->plain || !PlainBind(info.pNext)) return;
    buffer->where = InMemory(life, info.memoryOffset, buffer->size);
    buffer->reserved = required > buffer->size ? InMemory(life, info.memoryOffset, required).end : buffer->where.end;
    buffer->lasting = BeginLife(buffer->uid, life);
}

void Resources::AddImage(VkImage image, const VkImageCreateInfo& info) { images_.Add(image, JudgeImage(info)); }

void Resources::BindImage(const VkBindImageMemoryInfo& info, VkDeviceSize required, uint64_t life) noexcept {
    ImageFacts* image = images_.Find(info.image);
    if (!image || !image->plain || !required || !PlainBind(info.pNext)) return;
    image->where = InMemory(life, info.memoryOffset, required);
    image->lasting = BeginLife(image->uid, life);
}

void Resources::AddBufferView(VkBufferView view, const VkBufferViewCreateInfo& info) {
    BufferViewFacts facts;
    const BufferFacts* buffer = FindBuffer(info.buffer);
    if (buffer && PlainView(info.pNext)) {
        facts.where = PartOf(buffer->where, info.offset, info.range);
        facts.whole = buffer->where;
        if (buffer->where.memory > MemoryRange::kShared) facts.whole.end = buffer->reserved;
    }
    facts.lasting = buffer && buffer->lasting && BeginLife(facts.uid, buffer->uid);
    buffer_views_.Add(view, facts);
}

void Resources::AddImageView(VkImageView view, const VkImageViewCreateInfo& info) {
    ImageViewFacts facts;
    const ImageFacts* image = FindImage(info.image);
    if (image && PlainView(info.pNext)) {
        facts.where = image->where;
    }
    facts.lasting = image && image->lasting && BeginLife(facts.uid, image->uid);
    image_views_.Add(view, facts);
}

void Resources::AddSampler(VkSampler sampler, const VkSamplerCreateInfo& info) {
    SamplerFacts facts = JudgeSampler(info);
    if (lives_) {
        lives_->Begin(facts.uid, Lives::kOfNothing);
        facts.lasting = true;
    }
    samplers_.Add(sampler, facts);
}

void Resources::AddSetLayout(VkDescriptorSetLayout layout, const VkDescriptorSetLayoutCreateInfo& info) {
    auto facts = std::make_shared<SetLayoutFacts>(JudgeSetLayout(info));
    facts->handle = layout;
    // One with a Y'CbCr conversion takes more of a pool than is said here.
    for (uint32_t i = 0; facts->plain && i < info.bindingCount; ++i) {
        const VkDescriptorSetLayoutBinding& binding = info.pBindings[i];
        const SetBinding* known = facts->Find(binding.binding);
        for (uint32_t k = 0; known && known->immutable_samplers && k < binding.descriptorCount; ++k) {
            const SamplerFacts* sampler = FindSampler(binding.pImmutableSamplers[k]);
            if (!sampler || !sampler->plain) facts->plain = false;
        }
    }
    if (lives_) {
        // One handle for two that are alive: nobody could tell any more when this one ends.
        if (const auto* before = set_layouts_.Find(layout)) lives_->End((*before)->uid);
        lives_->Begin(facts->uid, Lives::kOfNothing);
    }
    set_layouts_.Add(layout, std::move(facts));
}

void Resources::RemoveSetLayout(VkDescriptorSetLayout layout) {
    if (const auto* facts = lives_ ? set_layouts_.Find(layout) : nullptr) lives_->End((*facts)->uid);
    set_layouts_.Remove(layout);
}

std::shared_ptr<const SetLayoutFacts> Resources::SetLayout(VkDescriptorSetLayout layout) const {
    const auto* facts = set_layouts_.Find(layout);
    return facts ? *facts : nullptr;
}

void Resources::AddPipelineLayout(VkPipelineLayout layout, const VkPipelineLayoutCreateInfo& info) {
    if (info.pNext) return;
    auto facts = std::make_shared<PipelineLayoutFacts>();
    facts->sets.reserve(info.setLayoutCount);
    for (uint32_t i = 0; i < info.setLayoutCount; ++i) facts->sets.push_back(SetLayout(info.pSetLayouts[i]));
    if (info.pushConstantRangeCount)
        facts->push_constants.assign(info.pPushConstantRanges, info.pPushConstantRanges + info.pushConstantRangeCount);
    compatibility_.Number(*facts, info.flags);
    pipeline_layouts_.Add(layout, std::move(facts));
}

std::shared_ptr<const PipelineLayoutFacts> Resources::PipelineLayout(VkPipelineLayout layout) const {
    const auto* facts = pipeline_layouts_.Find(layout);
    return facts ? *facts : nullptr;
}

void Resources::AddShaderModule(VkShaderModule module, const VkShaderModuleCreateInfo& info) {
    if (!PlainModule(info)) return;
    const std::span words(info.pCode, info.codeSize / sizeof(uint32_t));
    modules_.Add(module, shaders_.Code(words));
}

std::shared_ptr<const ShaderUses> Resources::UsesOf(VkShaderModule module, std::string_view name) const {
    const auto* code = modules_.Find(module);
    return code ? shaders_.Uses(**code, name) : nullptr;
}

std::shared_ptr<const ShaderUses> Resources::UsesOf(std::span<const uint32_t> words, std::string_view name) const {
    return shaders_.Uses(*shaders_.Code(words), name);
}

void Resources::AddPipeline(VkPipeline pipeline, const VkComputePipelineCreateInfo& info) {
    pipelines_.Add(pipeline, JudgePipeline(*this, info));
}

void Resources::AddPool(VkDescriptorPool pool, bool plain) {
    ResetPool(pool);
    DescriptorPool facts;
    facts.plain = plain;
    pools_.Add(pool, std::move(facts));
}

UsedSets Resources::RemovePool(VkDescriptorPool pool) {
    const UsedSets used = ResetPool(pool);
    pools_.Remove(pool);
    return used;
}

UsedSets Resources::ResetPool(VkDescriptorPool pool) noexcept {
    DescriptorPool* known = pools_.Find(pool);
    UsedSets used;
    while (known && known->live) used += Release(*known, *known->sets[known->live - 1]);
    return used;
}

void Resources::AddSets(const VkDescriptorSetAllocateInfo& info, const VkDescriptorSet* sets, bool follows) {
    DescriptorPool* pool = pools_.Find(info.descriptorPool);
    if (!pool || (!follows && pool->freed && sets_.empty())) return;
    for (uint32_t i = 0; i < info.descriptorSetCount; ++i) {
        if (!follows && pool->freed && !sets_.Find(sets[i])) continue;
        std::shared_ptr<const SetLayoutFacts> layout = SetLayout(info.pSetLayouts[i]);
        uint32_t variable = 0;
        const bool known = VariableCount(info, i, variable);
        size_t descriptors = layout ? layout->descriptors : 0;
        if (layout && layout->understood && !layout->bindings.empty()) {
            const SetBinding& last = layout->bindings.back();
            if ((last.flags & VK_DESCRIPTOR_BINDING_VARIABLE_DESCRIPTOR_COUNT_BIT) && last.descriptors())
                descriptors = last.first + std::min(variable, last.count);
        }
        AddSet(*pool, sets[i], known ? std::move(layout) : nullptr, descriptors);
    }
}

void Resources::AddSet(DescriptorPool& pool, VkDescriptorSet handle, std::shared_ptr<const SetLayoutFacts> layout,
                       size_t descriptors) {
    // A handle that was not seen to be freed: nobody can tell which life it is.
    if (sets_.Find(handle)) {
        sets_.Erase(handle);
        return;
    }
    if (pool.live == pool.sets.size()) pool.sets.push_back(std::make_unique<DescriptorSet>());
    DescriptorSet& set = *pool.sets[pool.live];
    const bool followed = layout && layout->understood && pool.plain && follow_sets_;
    set.descriptors.assign(layout ? descriptors : 0, Descriptor{});
    set.identities.assign(followed ? descriptors : 0, Identity{});
    set.words.assign(followed ? layout->words : 0, kNeverWord);
    set.held = followed && HoldsSets() && layout->plain && layout->descriptors + layout->words != 0 &&
               layout->descriptors <= hold_most_ && layout->words <= hold_most_;
    set.real_identities.assign(set.held ? descriptors : 0, Identity{});
    set.real_words.assign(set.held ? layout->words : 0, kNeverWord);
    set.bound_as.store(0, std::memory_order_relaxed);
    set.binds.store(0, std::memory_order_relaxed);
    set.forgotten = false;
    set.layout = std::move(layout);
    set.uid = set.content = NextUid();
    set.handle = handle;
    set.pool = &pool;
    set.index = pool.live;
    if (sets_.Insert(handle, &set)) ++pool.live;
}

UsedSets Resources::Release(DescriptorPool& pool, DescriptorSet& set) noexcept {
    const uint32_t binds = set.binds.load(std::memory_order_relaxed);
    sets_.Erase(set.handle);
    set.handle = VK_NULL_HANDLE;
    set.uid = 0;
    set.layout = nullptr;
    set.descriptors.clear();
    set.identities.clear();
    set.words.clear();
    set.held = false;
    pool.freed = true;
    --pool.live;
    const size_t index = set.index;
    std::swap(pool.sets[index], pool.sets[pool.live]);
    pool.sets[index]->index = index;
    set.index = pool.live;
    return {.once = binds == 1, .more = binds > 1};
}

UsedSets Resources::RemoveSets(VkDescriptorPool pool, uint32_t count, const VkDescriptorSet* sets) noexcept {
    UsedSets used;
    if (sets_.empty()) return used;
    DescriptorPool* known = pools_.Find(pool);
    for (uint32_t i = 0; i < count; ++i) {
        DescriptorSet* set = sets[i] ? sets_.Find(sets[i]) : nullptr;
        if (set && set->pool == known) used += Release(*known, *set);
    }
    return used;
}

DescriptorSet* Resources::FindToUpdate(VkDescriptorSet handle) const noexcept {
    DescriptorSet* set = sets_.Find(handle);
    return set && set->layout && set->layout->understood ? set : nullptr;
}

void Resources::NoteChange(DescriptorSet& set) noexcept {
    set.forgotten = false;
    // Of a set that is held, and not bound since it last changed, nobody has seen the content.
    if (set.held && !set.bound_as.load(std::memory_order_relaxed)) return;
    set.content = NextUid();
    set.bound_as.store(0, std::memory_order_relaxed);
}

Change Resources::Write(DescriptorSet& set, const VkWriteDescriptorSet& write) noexcept {
    const Change change = WriteDescriptors(*this, *set.layout, ContentOf(set), write);
    if (change != Change::kNone) NoteChange(set);
    return change;
}

Change Resources::Write(DescriptorSet& set, VkDescriptorUpdateTemplate update_template, const void* data) noexcept {
    Change change = Change::kUnknown;
    if (const UpdateTemplate* known = templates_.Find(update_template)) {
        change = WriteDescriptors(*this, *set.layout, ContentOf(set), *known, data);
    } else {
        Forget(set);
        return change;
    }
    if (change != Change::kNone) NoteChange(set);
    return change;
}

Change Resources::Copy(DescriptorSet& destination, const VkCopyDescriptorSet& copy) noexcept {
    const Change change = CopyDescriptors(sets_.Find(copy.srcSet), destination, copy);
    if (change != Change::kNone) NoteChange(destination);
    return change;
}

void Resources::UpdateSets(uint32_t write_count, const VkWriteDescriptorSet* writes, uint32_t copy_count,
                           const VkCopyDescriptorSet* copies) noexcept {
    DescriptorSet* set = nullptr;
    bool noted = false;
    for (uint32_t i = 0; i < write_count; ++i) {
        // Mostly one set after the other.
        if (i == 0 || writes[i].dstSet != writes[i - 1].dstSet) {
            set = FindToUpdate(writes[i].dstSet);
            noted = false;
        }
        if (!set) continue;
        const Change change = WriteDescriptors(*this, *set->layout, ContentOf(*set), writes[i]);
        if (change == Change::kNone || noted) continue;
        NoteChange(*set);
        noted = true;
    }
    for (uint32_t i = 0; i < copy_count; ++i)
        if (DescriptorSet* to = FindToUpdate(copies[i].dstSet)) Copy(*to, copies[i]);
}

void Resources::Forget(DescriptorSet& set) noexcept {
    if (set.forgotten) return;
    std::fill(set.descriptors.begin(), set.descriptors.end(), Descriptor{});
    std::fill(set.identities.begin(), set.identities.end(), Identity::Unknown());
    std::fill(set.words.begin(), set.words.end(), kUnknownWord);
    NoteChange(set);
    set.forgotten = true;
}

void Resources::ForgetSets(uint32_t write_count, const VkWriteDescriptorSet* writes, uint32_t copy_count,
                           const VkCopyDescriptorSet* copies) noexcept {
    for (uint32_t i = 0; i < write_count; ++i)
        if (i == 0 || writes[i].dstSet != writes[i - 1].dstSet) ForgetSet(writes[i].dstSet);
    for (uint32_t i = 0; i < copy_count; ++i) ForgetSet(copies[i].dstSet);
}

void Resources::ForgetSet(VkDescriptorSet handle) noexcept {
    if (DescriptorSet* set = FindToUpdate(handle)) Forget(*set);
}

void Resources::AddTemplate(VkDescriptorUpdateTemplate update_template,
                            const VkDescriptorUpdateTemplateCreateInfo& info) {
    // It stays unknown, and so does what it updates.
    if (info.pNext || info.flags) return;
    UpdateTemplate facts;
    facts.type = info.templateType;
    if (info.templateType == VK_DESCRIPTOR_UPDATE_TEMPLATE_TYPE_PUSH_DESCRIPTORS) {
        facts.bind_point = info.pipelineBindPoint;
        facts.set = info.set;
    }
    facts.entries.assign(info.pDescriptorUpdateEntries,
                         info.pDescriptorUpdateEntries + info.descriptorUpdateEntryCount);
    templates_.Add(update_template, std::move(facts));
}

void Resources::UpdateSet(VkDescriptorSet handle, VkDescriptorUpdateTemplate update_template,
                          const void* data) noexcept {
    if (DescriptorSet* set = FindToUpdate(handle)) Write(*set, update_template, data);
}

}  // namespace kronos
