// SPDX-License-Identifier: Apache-2.0
// Sparse binds of memory that is a part of a slab. Externally synchronized for the queue.
//
// VkSparseMemoryBind and VkSparseImageMemoryBind are the only ways by which the driver remembers a memory for a
// resource that is bound again and again (handle_uses.txt has all uses). So it does not matter whether the feature is
// enabled, but whether vkQueueBindSparse names a memory: what is virtual then stays where it is, its place is nobody
// else's for as long as the device lives, and nothing becomes virtual any more.
#pragma once

#include <span>
#include <vector>

#include "entry/state.h"

namespace kronos {

/// The infos as the driver must have them. Made on the stack of the hook.
class SparseBelow {
  public:
    /// Throws std::bad_alloc.
    SparseBelow(const Device& device, std::span<const VkBindSparseInfo> infos);
    const VkBindSparseInfo* data() const { return infos_; }
    bool fits() const { return fits_; }  ///< false: a memory does not lie as a resource needs it

  private:
    template <class Bind>
    const Bind* Copy(const Device& device, const Bind* binds, uint32_t count, VkDeviceSize alignment,
                     std::vector<std::vector<Bind>>& copies);

    const VkBindSparseInfo* infos_;
    bool fits_ = true;
    std::vector<VkBindSparseInfo> copies_;
    std::vector<std::vector<VkSparseBufferMemoryBindInfo>> buffers_;
    std::vector<std::vector<VkSparseImageOpaqueMemoryBindInfo>> opaque_;
    std::vector<std::vector<VkSparseImageMemoryBindInfo>> images_;
    std::vector<std::vector<VkSparseMemoryBind>> binds_;
    std::vector<std::vector<VkSparseImageMemoryBind>> image_binds_;
};

}  // namespace kronos
