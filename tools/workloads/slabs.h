// SPDX-License-Identifier: Apache-2.0
// Buffers that are parts of few large allocations, as experts make them. Owned by a writing; one thread.
#pragma once

#include <cstddef>
#include <vector>

#include "counts.h"
#include "handles.h"
#include "workload.h"

namespace kronos::workloads {

/// Where each of several blocks lies in slabs.
struct SlabLayout {
    struct Place {
        size_t slab;
        uint64_t offset;
    };
    std::vector<Place> places;
    std::vector<uint64_t> slabs;  ///< their sizes
};

/// One block after another, each at a multiple of `alignment`, in slabs of at most `slab_bytes`; a larger block gets a
/// slab of its own size. 0: every block has its own.
SlabLayout LayOut(const std::vector<uint64_t>& blocks, uint64_t alignment, uint64_t slab_bytes);

inline constexpr uint64_t kSlabBytes = 64 << 20;

class SlabBuffers {
  public:
    struct Kind {
        VkBufferUsageFlags usage;
        VkMemoryPropertyFlags flags;  ///< host visible memory is mapped while this lives
        uint64_t slab_bytes = kSlabBytes;
    };
    SlabBuffers() = default;
    SlabBuffers(const Context& context, const std::vector<uint64_t>& sizes, const Kind& kind);

    VkBuffer buffer(size_t index) const { return buffers_[index].get(); }
    uint64_t bytes(size_t index) const { return sizes_[index]; }
    std::byte* mapped(size_t index) const;
    void Write(size_t index, const Words& words) const;
    Words Read(size_t index) const;
    /// What its making and its end call: an allocation a slab, and a map where the host sees it.
    Counts Counted() const;

  private:
    std::vector<uint64_t> sizes_;
    SlabLayout layout_;
    // Memory first, so that buffers are destroyed before their memory is freed.
    std::vector<OwnedMemory> memory_;
    std::vector<OwnedBuffer> buffers_;
    std::vector<std::byte*> mapped_;  // per slab; empty: not host visible
};

}  // namespace kronos::workloads
