// SPDX-License-Identifier: Apache-2.0
#include "memory/virtual_memory.h"

#include <algorithm>
#include <type_traits>
#include <vulkan/utility/vk_struct_helper.hpp>

#include "support/clock.h"

namespace kronos {
namespace {

VkDeviceSize AlignmentOf(const Device& device, const VkBindBufferMemoryInfo& bind) {
    return kronos::AlignmentOf(device, bind.buffer);
}

// Of the plane that is bound, where it is a plane: images of several planes may only be asked so.
VkDeviceSize AlignmentOf(const Device& device, const VkBindImageMemoryInfo& bind) {
    const auto ask = device.down.GetImageMemoryRequirements2;
    if (!ask) return kronos::AlignmentOf(device, bind.image);
    VkImagePlaneMemoryRequirementsInfo plane = {};
    plane.sType = VK_STRUCTURE_TYPE_IMAGE_PLANE_MEMORY_REQUIREMENTS_INFO;
    VkImageMemoryRequirementsInfo2 info = {VK_STRUCTURE_TYPE_IMAGE_MEMORY_REQUIREMENTS_INFO_2, nullptr, bind.image};
    if (const auto* planes = vku::FindStructInPNextChain<VkBindImagePlaneMemoryInfo>(bind.pNext)) {
        plane.planeAspect = planes->planeAspect;
        info.pNext = &plane;
    }
    VkMemoryRequirements2 requirements = {};
    requirements.sType = VK_STRUCTURE_TYPE_MEMORY_REQUIREMENTS_2;
    ask(device.handle, &info, &requirements);
    return requirements.memoryRequirements.alignment;
}

// Of who gets an error, VkBindMemoryStatus is looked at: "Resource Memory Association".
template <class Bind>
void TellFailed(const Bind& bind) {
    if (const auto* status = vku::FindStructInPNextChain<VkBindMemoryStatus>(bind.pNext))
        *status->pResult = VK_ERROR_OUT_OF_DEVICE_MEMORY;
}

}  // namespace

void CountRefusal(const Device& device, SlabRefusal refusal) {
    device.Decided(
        static_cast<Counter>(static_cast<uint32_t>(Counter::kSlabsRefusedAllocator) + static_cast<uint32_t>(refusal)));
}

std::optional<SlabRefusal> AllocateVirtual(Device& device, const VkMemoryAllocateInfo& info,
                                           const VkAllocationCallbacks* allocator, bool wanted,
                                           VkDeviceMemory* memory) noexcept {
    if (device.slabs->ended.load(std::memory_order_relaxed)) return SlabRefusal::kEnded;
    if (device.slab_facts->when_dear && !(device.recycler && device.recycler->Dear())) return SlabRefusal::kCheap;
    const auto judged = JudgeSlab(info, allocator != nullptr, *device.slab_facts);
    const auto* key = std::get_if<MemoryKey>(&judged);
    if (!key) return std::get<SlabRefusal>(judged);
    VirtualMemory* made = nullptr;
    Guarded(device.log.get(), "slabs", false,
            [&] { return made = device.slabs->Allocate(*key, info.allocationSize, wanted), true; });
    if (!made) return SlabRefusal::kNoRoom;
    *memory = HandleFromBits<VkDeviceMemory>(SlabMemory::HandleOf(*made));
    if (!device.stats) return std::nullopt;
    const Counters::Own counters = device.stats->counters().OfThisThread();
    counters.Add(Side::kAsked, Counter::kAllocations, 1);
    counters.Add(Side::kAsked, Counter::kAllocatedBytes, info.allocationSize);
    counters.Decided(Counter::kSlabsServed);
    return std::nullopt;
}

void FreeVirtual(Device& device, VirtualMemory& memory) noexcept {
    const uint64_t bytes = memory.bytes;
    const SlabMemory::Freed freed = device.slabs->Free(memory, CoarseNowNs());
    if (device.stats) {
        const Counters::Own counters = device.stats->counters().OfThisThread();
        counters.Add(Side::kAsked, Counter::kFrees, 1);
        counters.Add(Side::kAsked, Counter::kFreedBytes, bytes);
    }
    if (freed.kept) device.Decided(Counter::kSlabsKept);
    if (freed.damaged != SlabMemory::Freed::kIntact) [[unlikely]] {
        device.Decided(Counter::kSlabsOverruns);
        Guarded(device.log.get(), "slab_guard", false, [&] {
            device.log->Error("slab_guard: memory of {} bytes was written beyond its end, {} bytes behind it", bytes,
                              freed.damaged);
            return true;
        });
    }
}

VkResult MapVirtual(Device& device, VirtualMemory& memory, VkDeviceSize offset, VkDeviceSize size,
                    void** data) noexcept {
    device.slabs->Place(memory, 1);
    memory.map_end = size == VK_WHOLE_SIZE ? memory.bytes : offset + size;
    memory.was_mapped = true;
    *data = memory.slab().data + memory.offset() + offset;
    return VK_SUCCESS;
}

VkMappedMemoryRange RangeOfSlab(const Device& device, const VirtualMemory& memory, const VkMappedMemoryRange& range) {
    VkMappedMemoryRange below = range;
    below.memory = HandleFromBits<VkDeviceMemory>(memory.slab().handle);
    below.offset += memory.offset();
    const VkDeviceSize size = range.size == VK_WHOLE_SIZE ? memory.map_end - range.offset : range.size;
    below.size = AlignUp(size, device.atom);  // blocks are whole atoms
    return below;
}

void NeedAlignment(const Device& device, VirtualMemory& memory, VkDeviceSize alignment) noexcept {
    device.slabs->Expect(alignment, UINT64_MAX);
    SlabMemory::Raise(memory.alignment, alignment);
}

bool PlaceVirtual(const Device& device, VirtualMemory& memory, VkDeviceSize alignment, VkDeviceMemory& slab,
                  VkDeviceSize& offset) noexcept {
    auto placed = SlabMemory::Placed::kUnaligned;
    NeedAlignment(device, memory, alignment);
    Guarded(device.log.get(), "slabs", false, [&] {
        return placed = device.slabs->Place(memory, alignment, memory.alignment.load(std::memory_order_relaxed)), true;
    });
    if (placed == SlabMemory::Placed::kUnaligned) [[unlikely]] {
        device.Decided(Counter::kSlabsUnaligned);
        if (device.slabs->told_unaligned.test_and_set(std::memory_order_relaxed)) return false;
        Guarded(device.log.get(), "slabs", false, [&] {
            device.log->Error(
                "slabs: a resource needs an alignment of {}, more than all that was bound to its memory "
                "before; slabs = off helps",
                alignment);
            return true;
        });
        return false;
    }
    if (placed == SlabMemory::Placed::kMoved) device.Decided(Counter::kSlabsMoved);
    slab = HandleFromBits<VkDeviceMemory>(memory.slab().handle);
    offset += memory.offset();
    return true;
}

template <class Bind>
BindsBelow<Bind>::BindsBelow(const Device& device, std::span<const Bind> binds) : binds_(binds.data()) {
    if (std::none_of(binds.begin(), binds.end(), [&](const Bind& bind) { return FindVirtual(device, bind.memory); }))
        return;
    Bind* copy = few_.data();
    if (binds.size() > few_.size()) {
        many_.resize(binds.size());
        copy = many_.data();
    }
    std::copy(binds.begin(), binds.end(), copy);
    // Of several resources in one memory that is not placed yet, the one with the largest alignment says where.
    if (binds.size() > 1)
        for (const Bind& bind : binds)
            if (VirtualMemory* memory = FindVirtual(device, bind.memory); memory && !memory->placed.load())
                NeedAlignment(device, *memory, AlignmentOf(device, bind));
    for (Bind& bind : std::span(copy, binds.size()))
        if (VirtualMemory* memory = FindVirtual(device, bind.memory))
            fits_ = PlaceVirtual(device, *memory, AlignmentOf(device, bind), bind.memory, bind.memoryOffset) && fits_;
    if (!fits_)
        for (const Bind& bind : binds) TellFailed(bind);
    binds_ = copy;
}

template class BindsBelow<VkBindBufferMemoryInfo>;
template class BindsBelow<VkBindImageMemoryInfo>;

}  // namespace kronos
