// SPDX-License-Identifier: Apache-2.0
// Descriptor pools and sets of a worker.
#include <algorithm>

#include "worker.h"

namespace random_program {
namespace {

constexpr uint32_t kSetsInPool = 8;

}  // namespace

void Worker::CreateSetPools() {
    // One gives sets back one by one, the other only all at once.
    for (const bool can_free : {true, false}) {
        const std::array<VkDescriptorPoolSize, 3> sizes{{{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 2 * kSetsInPool},
                                                         {VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER_DYNAMIC, kSetsInPool},
                                                         {VK_DESCRIPTOR_TYPE_STORAGE_IMAGE, kSetsInPool}}};
        VkDescriptorPoolCreateInfo info{};
        info.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO;
        info.flags = can_free ? VkDescriptorPoolCreateFlags{VK_DESCRIPTOR_POOL_CREATE_FREE_DESCRIPTOR_SET_BIT} : 0;
        info.maxSets = kSetsInPool;
        info.poolSizeCount = static_cast<uint32_t>(sizes.size());
        info.pPoolSizes = sizes.data();
        SetPool& pool = set_pools_.emplace_back();
        pool.can_free = can_free;
        CHECK(api_.CreateDescriptorPool(gpu_.device, &info, nullptr, &pool.handle));
    }
}

void Worker::AllocateSets() {
    const uint32_t pool = rng_.Below(static_cast<uint32_t>(set_pools_.size()));
    uint32_t room = kSetsInPool;
    for (const auto& set : resources_.sets) room -= set->pool == pool ? 1 : 0;
    if (room == 0) return;
    const uint32_t count = rng_.Between(1, std::min(room, 3U));
    std::vector<SetKind> kinds;
    std::vector<VkDescriptorSetLayout> layouts;
    for (uint32_t i = 0; i < count; ++i) {
        kinds.push_back(static_cast<SetKind>(rng_.Below(kSetKinds)));
        layouts.push_back(resources_.set_layouts[static_cast<size_t>(kinds.back())]);
    }
    std::vector<VkDescriptorSet> handles(count);
    const VkDescriptorSetAllocateInfo info{VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO, nullptr,
                                           set_pools_[pool].handle, count, layouts.data()};
    CHECK(api_.AllocateDescriptorSets(gpu_.device, &info, handles.data()));
    counts_.sets_allocated += count;
    for (uint32_t i = 0; i < count; ++i) {
        auto set = std::make_unique<Set>();
        set->handle = handles[i];
        set->kind = kinds[i];
        set->pool = pool;
        resources_.sets.push_back(std::move(set));
    }
}

void Worker::Release(const Set& set) {
    for (CommandPool& pool : command_pools_) {
        for (const auto& recording : pool.recordings) {
            if (recording->sets.contains(&set)) Invalidate(*recording);
        }
    }
}

void Worker::FreeSet() {
    auto& sets = resources_.sets;
    const auto found =
        std::find_if(sets.begin(), sets.end(), [this](const auto& set) { return set_pools_[set->pool].can_free; });
    if (found == sets.end()) return;
    Release(**found);
    CHECK(api_.FreeDescriptorSets(gpu_.device, set_pools_[(*found)->pool].handle, 1, &(*found)->handle));
    sets.erase(found);
}

void Worker::ResetSets() {
    const uint32_t pool = rng_.Below(static_cast<uint32_t>(set_pools_.size()));
    auto& sets = resources_.sets;
    for (const auto& set : sets) {
        if (set->pool == pool) Release(*set);
    }
    ++counts_.pool_resets;
    CHECK(api_.ResetDescriptorPool(gpu_.device, set_pools_[pool].handle, 0));
    std::erase_if(sets, [pool](const auto& set) { return set->pool == pool; });
}

void Worker::ChooseTargets(Set& set) {
    for (uint32_t binding = 0; binding < 2; ++binding) {
        if (binding == 1 && set.kind == SetKind::Stamp) {
            set.object[1] = kFirstImage + rng_.Below(kImages);
            set.slice[1] = 0;
        } else {
            set.object[binding] = rng_.Below(kDataBuffers);
            set.slice[binding] = rng_.Below(resources_.buffers[set.object[binding]].slices);
        }
    }
    set.written = true;
}

void Worker::Write(const std::vector<Set*>& sets) {
    // Both kinds of information are as large as each other, which the templates rely on.
    union Info {
        VkDescriptorBufferInfo buffer;
        VkDescriptorImageInfo image;
    };
    std::vector<std::array<Info, 2>> infos(sets.size());
    std::vector<VkWriteDescriptorSet> writes;
    for (size_t i = 0; i < sets.size(); ++i) {
        Set& set = *sets[i];
        Release(set);
        ChooseTargets(set);
        const uint32_t bindings = set.kind == SetKind::Factors ? 1 : 2;
        for (uint32_t binding = 0; binding < bindings; ++binding) {
            VkWriteDescriptorSet write{};
            write.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET;
            write.dstSet = set.handle;
            write.dstBinding = binding;
            write.descriptorCount = 1;
            Info& info = infos[i][binding];
            if (binding == 1 && set.kind == SetKind::Stamp) {
                write.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_IMAGE;
                info.image = {VK_NULL_HANDLE, resources_.images[set.object[1] - kFirstImage].view,
                              VK_IMAGE_LAYOUT_GENERAL};
                write.pImageInfo = &info.image;
            } else {
                const bool factors = set.kind == SetKind::Factors;
                write.descriptorType =
                    factors ? VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER_DYNAMIC : VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
                info.buffer = {resources_.buffers[set.object[binding]].handle,
                               VkDeviceSize{set.slice[binding]} * kSliceBytes, factors ? 256 : kSliceBytes};
                write.pBufferInfo = &info.buffer;
            }
            writes.push_back(write);
        }
    }
    if (gpu_.features.templates && rng_.OneIn(2)) {
        for (size_t i = 0; i < sets.size(); ++i) {
            ++counts_.descriptor_updates;
            ++counts_.descriptor_writes;
            api_.UpdateDescriptorSetWithTemplate(gpu_.device, sets[i]->handle,
                                                 resources_.templates[static_cast<size_t>(sets[i]->kind)],
                                                 infos[i].data());
        }
        return;
    }
    ++counts_.descriptor_updates;
    counts_.descriptor_writes += writes.size();
    api_.UpdateDescriptorSets(gpu_.device, static_cast<uint32_t>(writes.size()), writes.data(), 0, nullptr);
}

void Worker::WriteSets() {
    std::vector<Set*> some;
    for (const auto& set : resources_.sets) {
        if (rng_.OneIn(3)) some.push_back(set.get());
    }
    if (!some.empty()) Write(some);
}

void Worker::WriteUnwrittenSets() {
    std::vector<Set*> unwritten;
    for (const auto& set : resources_.sets) {
        if (!set->written) unwritten.push_back(set.get());
    }
    if (!unwritten.empty()) Write(unwritten);
}

void Worker::CopySet() {
    for (const auto& source : resources_.sets) {
        for (const auto& target : resources_.sets) {
            if (source == target || !source->written || source->kind != target->kind || rng_.OneIn(2)) continue;
            Release(*target);
            std::array<VkCopyDescriptorSet, 2> copies{};
            const uint32_t bindings = source->kind == SetKind::Factors ? 1 : 2;
            for (uint32_t binding = 0; binding < bindings; ++binding) {
                VkCopyDescriptorSet& copy = copies[binding];
                copy.sType = VK_STRUCTURE_TYPE_COPY_DESCRIPTOR_SET;
                copy.srcSet = source->handle;
                copy.dstSet = target->handle;
                copy.srcBinding = copy.dstBinding = binding;
                copy.descriptorCount = 1;
            }
            target->object = source->object;
            target->slice = source->slice;
            target->written = true;
            ++counts_.descriptor_updates;
            counts_.descriptor_writes += bindings;
            api_.UpdateDescriptorSets(gpu_.device, 0, nullptr, bindings, copies.data());
            return;
        }
    }
}

}  // namespace random_program
