// SPDX-License-Identifier: Apache-2.0
#include "memory/sparse_binds.h"

#include "memory/virtual_memory.h"

namespace kronos {
namespace {

VkBuffer ResourceOf(const VkSparseBufferMemoryBindInfo& info) { return info.buffer; }
VkImage ResourceOf(const VkSparseImageOpaqueMemoryBindInfo& info) { return info.image; }
VkImage ResourceOf(const VkSparseImageMemoryBindInfo& info) { return info.image; }

// Calls visit(resource, memory) for each bind that names a memory.
template <class Visit>
void ForEachMemory(const VkBindSparseInfo& info, Visit visit) {
    const auto all = [&](const auto* resources, uint32_t count) {
        for (const auto& resource : std::span(resources, count))
            for (uint32_t i = 0; i < resource.bindCount; ++i)
                if (resource.pBinds[i].memory) visit(ResourceOf(resource), resource.pBinds[i].memory);
    };
    all(info.pBufferBinds, info.bufferBindCount);
    all(info.pImageOpaqueBinds, info.imageOpaqueBindCount);
    all(info.pImageBinds, info.imageBindCount);
}

}  // namespace

template <class Bind>
const Bind* SparseBelow::Copy(const Device& device, const Bind* binds, uint32_t count, VkDeviceSize alignment,
                              std::vector<std::vector<Bind>>& copies) {
    std::vector<Bind>& copy = copies.emplace_back(binds, binds + count);
    for (Bind& bind : copy) {
        VirtualMemory* memory = bind.memory ? FindVirtual(device, bind.memory) : nullptr;
        if (!memory) continue;
        memory->sparse.store(true, std::memory_order_relaxed);
        fits_ = PlaceVirtual(device, *memory, alignment, bind.memory, bind.memoryOffset) && fits_;
    }
    return copy.data();
}

SparseBelow::SparseBelow(const Device& device, std::span<const VkBindSparseInfo> infos) : infos_(infos.data()) {
    if (!device.slabs) return;
    bool any = false;
    bool any_virtual = false;
    for (const VkBindSparseInfo& info : infos) {
        ForEachMemory(info, [&](auto, VkDeviceMemory memory) {
            any = true;
            any_virtual = any_virtual || FindVirtual(device, memory);
        });
    }
    if (any && !device.slabs->ended.exchange(true, std::memory_order_relaxed))
        device.log->Info("slabs: no more from now on, memory is bound sparsely");
    if (!any_virtual) return;
    for (const VkBindSparseInfo& info : infos) {
        ForEachMemory(info, [&](auto resource, VkDeviceMemory memory) {
            VirtualMemory* found = FindVirtual(device, memory);
            if (found && !found->placed.load()) NeedAlignment(device, *found, AlignmentOf(device, resource));
        });
    }
    copies_.assign(infos.begin(), infos.end());
    for (VkBindSparseInfo& info : copies_) {
        auto& buffers = buffers_.emplace_back(info.pBufferBinds, info.pBufferBinds + info.bufferBindCount);
        for (auto& one : buffers)
            one.pBinds = Copy(device, one.pBinds, one.bindCount, AlignmentOf(device, one.buffer), binds_);
        info.pBufferBinds = buffers.data();
        auto& opaque = opaque_.emplace_back(info.pImageOpaqueBinds, info.pImageOpaqueBinds + info.imageOpaqueBindCount);
        for (auto& one : opaque)
            one.pBinds = Copy(device, one.pBinds, one.bindCount, AlignmentOf(device, one.image), binds_);
        info.pImageOpaqueBinds = opaque.data();
        auto& images = images_.emplace_back(info.pImageBinds, info.pImageBinds + info.imageBindCount);
        for (auto& one : images)
            one.pBinds = Copy(device, one.pBinds, one.bindCount, AlignmentOf(device, one.image), image_binds_);
        info.pImageBinds = images.data();
    }
    infos_ = copies_.data();
}

}  // namespace kronos
