// SPDX-License-Identifier: Apache-2.0
// What the hooks do with memory that is a part of a slab: for each, what the driver is told in place of its handle.
//
// Any thread; Vulkan synchronizes what it synchronizes for a memory. Where no slabs are, each costs a look at a
// pointer.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <vector>

#include "entry/state.h"
#include "support/handle_bits.h"

namespace kronos {

/// nullptr: the driver's own.
inline VirtualMemory* FindVirtual(const Device& device, VkDeviceMemory memory) {
    return device.slabs ? device.slabs->Find(HandleBits(memory)) : nullptr;
}

/// Why it is to be the driver's, for the caller to count once it is; nullopt: it is virtual, and counted. `wanted`: the
/// driver has none left, or not many.
std::optional<SlabRefusal> AllocateVirtual(Device& device, const VkMemoryAllocateInfo& info,
                                           const VkAllocationCallbacks* allocator, bool wanted,
                                           VkDeviceMemory* memory) noexcept;
void CountRefusal(const Device& device, SlabRefusal refusal);
void FreeVirtual(Device& device, VirtualMemory& memory) noexcept;

VkResult MapVirtual(Device& device, VirtualMemory& memory, VkDeviceSize offset, VkDeviceSize size,
                    void** data) noexcept;
/// The range of the slab that a range of the memory's is, out to whole atoms.
VkMappedMemoryRange RangeOfSlab(const Device& device, const VirtualMemory& memory, const VkMappedMemoryRange& range);

/// As vkGet*MemoryRequirements say. Not for images of several planes that are bound apart.
inline VkDeviceSize AlignmentOf(const Device& device, VkBuffer buffer) {
    VkMemoryRequirements requirements = {};
    device.down.GetBufferMemoryRequirements(device.handle, buffer, &requirements);
    return requirements.alignment;
}
inline VkDeviceSize AlignmentOf(const Device& device, VkImage image) {
    VkMemoryRequirements requirements = {};
    device.down.GetImageMemoryRequirements(device.handle, image, &requirements);
    return requirements.alignment;
}

/// The program is about to bind resources with such an alignment, this one among them: where the memory has no place
/// yet, it gets one that suffices for all.
void NeedAlignment(const Device& device, VirtualMemory& memory, VkDeviceSize alignment) noexcept;

/// The program is about to bind a resource with these requirements: the slab's handle, and where the memory begins in
/// it. False: it cannot be bound there.
bool PlaceVirtual(const Device& device, VirtualMemory& memory, VkDeviceSize alignment, VkDeviceMemory& slab,
                  VkDeviceSize& offset) noexcept;

/// Binds as the driver must have them. Made on the stack of a hook.
template <class Bind>
class BindsBelow {
  public:
    /// Throws std::bad_alloc.
    BindsBelow(const Device& device, std::span<const Bind> binds);
    const Bind* data() const { return binds_; }
    /// False: one of them cannot be bound. All that the program may look at says so.
    bool fits() const { return fits_; }

  private:
    const Bind* binds_;
    bool fits_ = true;
    std::array<Bind, 4> few_;
    std::vector<Bind> many_;
};

}  // namespace kronos
