// SPDX-License-Identifier: Apache-2.0
#include "program.h"

#include <algorithm>

#include "support/formatted.h"

namespace fake {
namespace {

namespace hook = kronos::hook;

constexpr VkDescriptorType kStorage = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
constexpr VkDescriptorType kUniform = VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER;
constexpr VkDescriptorType kDynamic = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER_DYNAMIC;
constexpr VkDescriptorType kBlock = VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK;
constexpr VkDescriptorType kCombined = VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER;
constexpr VkDescriptorType kImage = VK_DESCRIPTOR_TYPE_STORAGE_IMAGE;
constexpr VkDescriptorType kTexels = VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER;
constexpr VkDescriptorType kSampler = VK_DESCRIPTOR_TYPE_SAMPLER;

// Layouts come again and again in few shapes, so that contents do.
struct Shape {
    struct One {
        uint32_t number;
        VkDescriptorType type;
        uint32_t count;
        bool immutable = false;
    };
    std::vector<One> bindings;
};
const std::vector<Shape>& Shapes() {
    static const std::vector<Shape> shapes = {
        {{{0, kStorage, 1}, {1, kStorage, 1}}},
        {{{0, kStorage, 2}, {1, kStorage, 1}, {3, kUniform, 1}}},
        {{{0, kDynamic, 1}, {2, kBlock, 16}, {5, kTexels, 2}}},
        {{{1, kCombined, 1, true}, {2, kCombined, 1}, {4, kImage, 1}, {7, kSampler, 1}}},
        {{{0, kStorage, 3}, {1, kBlock, 8}}},
    };
    return shapes;
}

constexpr size_t kMostBuffers = 7;
constexpr size_t kMostViews = 4;
constexpr size_t kMostTexels = 3;
constexpr size_t kMostSamplers = 3;
constexpr size_t kMostKinds = 6;
constexpr size_t kMostPools = 3;
constexpr uint32_t kSetsOfPool = 6;

template <class Handle>
uint64_t Number(Handle handle) {
    return reinterpret_cast<uint64_t>(handle);
}

}  // namespace

Program::Program(Driver& driver, LayeredDevice& layer, uint64_t seed)
    : driver_(driver), layer_(layer), device_(driver.device()), random_(seed) {
    const VkCommandPoolCreateInfo info = {};
    hook::CreateCommandPool(device_, &info, nullptr, &command_pool_);
    for (int i = 0; i < 5; ++i) {
        VkCommandBufferAllocateInfo allocate = {};
        allocate.commandPool = command_pool_;
        allocate.commandBufferCount = 1;
        Work work;
        hook::AllocateCommandBuffers(device_, &allocate, &work.handle);
        work_.push_back(work);
    }
    const VkSamplerCreateInfo sampler = {};
    hook::CreateSampler(device_, &sampler, nullptr, &immutable_);
    for (size_t i = 0; i < kMostKinds; ++i) MakeKind();
    for (size_t i = 0; i < kMostBuffers; ++i) MakeBuffer();
    for (size_t i = 0; i < kMostViews; ++i) MakeView();
    MakeTexels();
    MakeSampler();
    MakePool();
}

Program::~Program() {
    for (Work& work : work_)
        if (work.state == State::kPending) Finish(work);
    for (const Work& work : work_) hook::FreeCommandBuffers(device_, command_pool_, 1, &work.handle);
    hook::DestroyCommandPool(device_, command_pool_, nullptr);
}

void Program::Step() {
    const uint32_t what = Below(100);
    if (what < 45) return Record(Any(work_));
    if (what < 70) return Update();
    if (what < 76) return UpdateByTemplate();
    if (what < 84) return Allocate();
    if (what < 88) return Remove();
    if (what < 91) return DestroyObject();
    if (what < 92) return DestroyKind();
    switch (Below(6)) {
        case 0:
            return MakeBuffer();
        case 1:
            return MakeView();
        case 2:
            return MakeTexels();
        case 3:
            return MakeSampler();
        case 4:
            return MakeKind();
        default:
            return MakePool();
    }
}

void Program::MakeBuffer() {
    if (buffers_.size() == kMostBuffers) return;
    Buffer made = {};
    VkBufferCreateInfo info = {};
    info.size = 256;
    hook::CreateBuffer(device_, &info, nullptr, &made.handle);
    VkMemoryAllocateInfo allocate = {};
    allocate.allocationSize = 256;
    // Of some, others have the memory too.
    VkImportMemoryFdInfoKHR import = {};
    import.sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_FD_INFO_KHR;
    if (Below(24) == 0) allocate.pNext = &import;
    hook::AllocateMemory(device_, &allocate, nullptr, &made.memory);
    hook::BindBufferMemory(device_, made.handle, made.memory, 0);
    made.has_memory = true;
    buffers_.push_back(made);
}

void Program::MakeView() {
    if (views_.size() == kMostViews) return;
    View made = {};
    const VkImageCreateInfo info = {};
    hook::CreateImage(device_, &info, nullptr, &made.image);
    VkMemoryAllocateInfo allocate = {};
    allocate.allocationSize = 256;
    hook::AllocateMemory(device_, &allocate, nullptr, &made.memory);
    hook::BindImageMemory(device_, made.image, made.memory, 0);
    VkImageViewCreateInfo view = {};
    view.image = made.image;
    hook::CreateImageView(device_, &view, nullptr, &made.handle);
    made.has_image = true;
    views_.push_back(made);
}

void Program::MakeTexels() {
    if (texels_.size() == kMostTexels || buffers_.empty()) return;
    const Buffer& buffer = Any(buffers_);
    if (!buffer.has_memory) return;
    VkBufferViewCreateInfo info = {};
    info.buffer = buffer.handle;
    info.range = VK_WHOLE_SIZE;
    Texels made = {VK_NULL_HANDLE, driver_.names.buffers.at(Number(buffer.handle))};
    hook::CreateBufferView(device_, &info, nullptr, &made.handle);
    texels_.push_back(made);
}

void Program::MakeSampler() {
    if (samplers_.size() == kMostSamplers) return;
    const VkSamplerCreateInfo info = {};
    hook::CreateSampler(device_, &info, nullptr, &samplers_.emplace_back());
}

void Program::MakeKind() {
    if (kinds_.size() == kMostKinds) return;
    Kind made = {};
    made.shape = Below(static_cast<uint32_t>(Shapes().size()));
    std::vector<VkDescriptorSetLayoutBinding> bindings;
    for (const Shape::One& one : Shapes()[made.shape].bindings)
        bindings.push_back(
            {one.number, one.type, one.count, VK_SHADER_STAGE_COMPUTE_BIT, one.immutable ? &immutable_ : nullptr});
    VkDescriptorSetLayoutCreateInfo info = {};
    info.bindingCount = static_cast<uint32_t>(bindings.size());
    info.pBindings = bindings.data();
    hook::CreateDescriptorSetLayout(device_, &info, nullptr, &made.handle);
    made.layout = LayoutOf(info);
    // All of a set, in the order of the bindings, with gaps between.
    size_t offset = 8;
    for (const LayoutBinding& binding : made.layout) {
        const uint32_t unit = binding.type == kBlock ? 4 : 1;
        const size_t stride = binding.type == kBlock ? 4 : 40;
        made.entries.push_back({binding.number, 0, binding.slots * unit, binding.type, offset, stride});
        offset += binding.slots * stride + 8;
    }
    VkDescriptorUpdateTemplateCreateInfo update = {};
    update.descriptorUpdateEntryCount = static_cast<uint32_t>(made.entries.size());
    update.pDescriptorUpdateEntries = made.entries.data();
    hook::CreateDescriptorUpdateTemplate(device_, &update, nullptr, &made.update);
    kinds_.push_back(made);
}

void Program::MakePool() {
    if (pools_.size() == kMostPools) return;
    VkDescriptorPoolCreateInfo info = {};
    info.flags = VK_DESCRIPTOR_POOL_CREATE_FREE_DESCRIPTOR_SET_BIT;
    info.maxSets = kSetsOfPool;
    hook::CreateDescriptorPool(device_, &info, nullptr, &pools_.emplace_back().handle);
}

// A descriptor that work in flight uses names it, or something made of it.
bool Program::Used(uint64_t life) const {
    const auto of = [&](uint64_t user) {
        while (user && user != life) user = driver_.objects.Of(user);
        return user == life;
    };
    for (const Work& work : work_)
        for (size_t i = 0; work.state == State::kPending && i < work.recorded.size(); ++i)
            for (const Seen& seen : work.recorded[i].sets)
                for (const Slot& slot : seen.slots)
                    if (slot.written && (of(slot.object) || of(slot.sampler))) return true;
    return false;
}

void Program::DestroyObject() {
    switch (Below(5)) {
        case 0: {  // a buffer, whose memory may have gone before it
            if (buffers_.empty()) return;
            Buffer& buffer = Any(buffers_);
            if (Used(driver_.names.buffers.at(Number(buffer.handle)))) return;
            if (buffer.has_memory && Below(2)) {
                hook::FreeMemory(device_, buffer.memory, nullptr);
                buffer.has_memory = false;
                return;
            }
            hook::DestroyBuffer(device_, buffer.handle, nullptr);
            if (buffer.has_memory) hook::FreeMemory(device_, buffer.memory, nullptr);
            std::swap(buffer, buffers_.back());
            return buffers_.pop_back();
        }
        case 1: {  // a view, whose image may have gone before it
            if (views_.empty()) return;
            View& view = Any(views_);
            if (Used(driver_.names.views.at(Number(view.handle)))) return;
            if (view.has_image && Below(2)) {
                hook::DestroyImage(device_, view.image, nullptr);
                hook::FreeMemory(device_, view.memory, nullptr);
                view.has_image = false;
                return;
            }
            hook::DestroyImageView(device_, view.handle, nullptr);
            if (view.has_image) {
                hook::DestroyImage(device_, view.image, nullptr);
                hook::FreeMemory(device_, view.memory, nullptr);
            }
            std::swap(view, views_.back());
            return views_.pop_back();
        }
        case 2: {
            if (texels_.empty()) return;
            Texels& one = Any(texels_);
            if (Used(driver_.names.texels.at(Number(one.handle)))) return;
            hook::DestroyBufferView(device_, one.handle, nullptr);
            std::swap(one, texels_.back());
            return texels_.pop_back();
        }
        case 3: {
            if (samplers_.empty()) return;
            VkSampler& one = Any(samplers_);
            if (Used(driver_.names.samplers.at(Number(one)))) return;
            hook::DestroySampler(device_, one, nullptr);
            std::swap(one, samplers_.back());
            return samplers_.pop_back();
        }
        default:
            return;
    }
}

void Program::DestroyKind() {
    if (kinds_.size() < 2) return;
    Kind& kind = Any(kinds_);
    hook::DestroyDescriptorUpdateTemplate(device_, kind.update, nullptr);
    hook::DestroyDescriptorSetLayout(device_, kind.handle, nullptr);
    std::swap(kind, kinds_.back());
    kinds_.pop_back();
}

void Program::Allocate() {
    if (pools_.empty() || kinds_.empty()) return;
    PoolOf& pool = Any(pools_);
    const uint32_t count = 1 + Below(2);
    std::array<VkDescriptorSetLayout, 2> layouts;
    std::array<const Kind*, 2> kinds;
    for (uint32_t i = 0; i < count; ++i) {
        kinds[i] = &Any(kinds_);
        layouts[i] = kinds[i]->handle;
    }
    VkDescriptorSetAllocateInfo info = {};
    info.descriptorPool = pool.handle;
    info.descriptorSetCount = count;
    info.pSetLayouts = layouts.data();
    std::array<VkDescriptorSet, 2> made = {};
    const bool fits = pool.sets.size() + count <= kSetsOfPool;
    const bool done = hook::AllocateDescriptorSets(device_, &info, made.data()) == VK_SUCCESS;
    if (done != fits) difference_ = "a pool has not the room that it was made with";
    for (uint32_t i = 0; done && i < count; ++i) {
        pool.sets.push_back(made[i]);
        asked_.Add(Number(made[i]), kinds[i]->layout, driver_.sets.At(Number(made[i])).life);
        sets_.emplace_back(made[i], kinds[i]->shape);
    }
}

void Program::Remove() {
    if (pools_.empty()) return;
    PoolOf& pool = Any(pools_);
    const auto forget = [&](VkDescriptorSet set) {
        asked_.Remove(Number(set));
        std::erase_if(sets_, [&](const auto& one) { return one.first == set; });
    };
    if (const uint32_t how = Below(4); how > 1) {
        if (pool.sets.empty()) return;
        VkDescriptorSet& set = Any(pool.sets);
        if (!MayUpdate(set)) return;
        const VkDescriptorSet gone = set;
        hook::FreeDescriptorSets(device_, pool.handle, 1, &gone);
        forget(gone);
        std::erase(pool.sets, gone);
        return;
    } else {
        if (!std::all_of(pool.sets.begin(), pool.sets.end(), [&](VkDescriptorSet set) { return MayUpdate(set); }))
            return;
        for (const VkDescriptorSet set : pool.sets) forget(set);
        pool.sets.clear();
        if (how == 0) {
            hook::ResetDescriptorPool(device_, pool.handle, 0);
            return;
        }
        hook::DestroyDescriptorPool(device_, pool.handle, nullptr);
        std::swap(pool, pools_.back());
        pools_.pop_back();
    }
}

}  // namespace fake
