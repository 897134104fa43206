// SPDX-License-Identifier: Apache-2.0
// The descriptor sets of a workload's dispatches. Owned by a writing; one thread.
#pragma once

#include <vector>

#include "counts.h"
#include "pipelines.h"
#include "slabs.h"

namespace kronos::workloads {

/// How descriptor sets are come by.
enum class SetUse {
    Persistent,     ///< one for each pair of shader and buffers, written once
    EachRewritten,  ///< the same, written again for every dispatch of every run
    EachAllocated,  ///< one allocated and written for every dispatch of every run, from a pool reset by each
    Ring,           ///< one more than dispatches, all alike: each dispatch of every run writes and takes the next one
};

class DescriptorSets {
  public:
    DescriptorSets(const Context& context, const Workload& workload, const std::vector<ComputePipeline>& pipelines,
                   SetUse use);
    /// Before the buffers of Persistent sets are first used.
    void WriteOnce(const SlabBuffers& buffers);
    /// Before a run is recorded, and with none of it pending.
    void Prepare(const SlabBuffers& buffers);
    VkDescriptorSet For(size_t dispatch) const { return sets_[(set_of_[dispatch] + turned_) % sets_.size()]; }
    Counts PerPrepare() const;
    Counts Once() const;

  private:
    void Allocate();
    void Write(size_t dispatch, const SlabBuffers& buffers) const;
    static Counts WriteCounted() { return {.descriptor_updates = 1, .descriptor_writes = 1}; }

    const Context& context_;
    const Workload& workload_;
    SetUse use_;
    OwnedDescriptorPool pool_;
    std::vector<VkDescriptorSetLayout> layouts_;  // per set
    std::vector<VkDescriptorSet> sets_;
    std::vector<size_t> set_of_;  // per dispatch
    std::vector<size_t> first_;   // per set: the first dispatch that uses it
    size_t turned_ = 0;           // a ring: so many sets before this run
};

}  // namespace kronos::workloads
