// SPDX-License-Identifier: Apache-2.0
// Writings that differ from the expert one in what a recipe names: the default recipe is the expert writing, every
// workload that isolates a mechanism changes one line of it. Slabs, persistent sets and mapped staging memory are made
// once; a run records upload, dispatches and download, submits and waits. One thread.
#pragma once

#include <optional>

#include "completion.h"
#include "sets.h"
#include "writing.h"

namespace kronos::workloads {

struct Recipe {
    enum class Barriers {
        Needed,       ///< a global one where the data needs it
        None,         ///< semaphores do it
        AfterEach,    ///< one for each buffer of the dispatch, in one call after it
        AroundEach,   ///< that, before it and after it
        Wide,         ///< where the data needs it: a global one of all commands and all memory
        ThreeInARow,  ///< where the data needs one: a global one and one for each buffer, each a call of its own
    };
    enum class Submits {
        One,          ///< one command buffer holds everything
        PerDispatch,  ///< upload, each dispatch and download have their own
        TwoQueues,    ///< the same, on two queues in turn, by binary semaphores
    };
    enum class Waits {
        Blocking,   ///< at the end, vkWaitForFences
        Spinning,   ///< at the end, Completion's way
        FenceEach,  ///< a new fence for each submit, vkWaitForFences for all of them at the end
        IdleEach,   ///< vkQueueWaitIdle after each submit
    };
    Barriers barriers = Barriers::Needed;
    Submits submits = Submits::One;
    Waits waits = Waits::Spinning;
    SetUse sets = SetUse::Persistent;
    uint32_t binds = 1;        ///< 1: pipeline and set when they change; more: so often before every dispatch
    bool new_buffers = false;  ///< the workload's buffers are made and destroyed by each run
    uint64_t slab_bytes = kSlabBytes;
};

class BatchWriting final : public Writing {
  public:
    BatchWriting(const Job& job, const Recipe& recipe);
    RunResult Run() override;
    Counts PerRun() const override;  ///< with new buffers: once Run() has made them
    Counts Once() const override;

  private:
    SlabBuffers MakeBuffers() const;
    void MakeCommandBuffers();
    void MakeStaging();
    size_t Segments() const;
    bool BindsPipeline(size_t dispatch) const;
    bool BindsSet(size_t dispatch) const;

    void RecordAndSubmit();
    void RecordUpload(VkCommandBuffer commands) const;
    void RecordDispatch(VkCommandBuffer commands, size_t index) const;
    void RecordDownload(VkCommandBuffer commands) const;
    void BarrierBetween(VkCommandBuffer commands, size_t index) const;
    void BufferBarriers(VkCommandBuffer commands, const Dispatch& dispatch, bool in_one_call) const;
    void SubmitSegment(size_t segment, VkCommandBuffer commands);
    Counts DispatchCounted(size_t index) const;

    const Context& context_;
    const Workload& workload_;
    Fault fault_;
    Recipe recipe_;
    std::vector<ComputePipeline> pipelines_;
    std::vector<bool> needed_;     // per dispatch: a barrier before it
    size_t left_out_ = SIZE_MAX;   // Fault::MissingBarrier: the dispatch, or their number for the download
    std::vector<size_t> uploads_;  // indices of buffers
    std::vector<size_t> downloads_;
    SlabBuffers up_;  // in the order of uploads_
    SlabBuffers down_;
    SlabBuffers data_;
    Counts data_counted_;
    DescriptorSets sets_;
    std::vector<OwnedCommandPool> pools_;     // per queue
    std::vector<VkCommandBuffer> commands_;   // per segment
    std::vector<OwnedSemaphore> semaphores_;  // TwoQueues: signalled by each segment but the last
    std::vector<OwnedFence> fences_;          // FenceEach: of this run
    std::optional<Completion> completion_;
};

}  // namespace kronos::workloads
