// SPDX-License-Identifier: Apache-2.0
// A queue's command buffers of the layer's own: which are pending, and which hold what was recorded before. Knows no
// driver. Externally synchronized, by the queue's lock. No allocations in the steady state.
#pragma once

#include <vulkan/vulkan_core.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace kronos {

struct FusedBuffer {
    static constexpr uint64_t kChosen = ~uint64_t{0};
    VkCommandBuffer handle = VK_NULL_HANDLE;
    uint64_t until = 0;                ///< pending until the queue's timeline has that value; kChosen: not given yet
    uint64_t used = 0;                 ///< when it was last chosen
    std::vector<uint64_t> recordings;  ///< Stream::uid of those that it may be submitted for again; none: for nothing
};

class FusedBuffers {
  public:
    /// So many exist at most, but for those that there must be: while all are pending, the program's own are submitted.
    static constexpr size_t kMost = 64;

    /// One that holds these recordings and is not pending; nullptr: there is none. `reached`: by the timeline.
    FusedBuffer* Find(std::span<const uint64_t> recordings, uint64_t reached);
    /// Whether one holds this recording and others behind it. May miss those that were not recorded in their order.
    bool GoesOn(uint64_t recording) const;
    /// One that may be recorded: what it held is forgotten. One without a handle is new. nullptr: all are pending, and
    /// there need not be another one. Throws std::bad_alloc.
    FusedBuffer* Take(uint64_t reached, bool must = false);
    /// Those that were chosen are pending until `value`; 0: they are not.
    void Given(uint64_t value);
    /// Those that were chosen stay so for ever: nobody knows whether they are pending.
    void Abandon() { chosen_.clear(); }
    /// One that was chosen is no more.
    void Drop(const FusedBuffer* buffer);
    size_t size() const { return buffers_.size(); }

  private:
    FusedBuffer* Choose(FusedBuffer& buffer);

    std::vector<std::unique_ptr<FusedBuffer>> buffers_;
    std::vector<FusedBuffer*> chosen_;
    uint64_t tick_ = 0;
};

}  // namespace kronos
