// SPDX-License-Identifier: Apache-2.0
// Host and device in turn: a dispatch on mapped memory, the host waits, reads its results and writes the next input.
// One command buffer, recorded once and submitted for each turn. One thread.
#pragma once

#include "completion.h"
#include "sets.h"
#include "writing.h"

namespace kronos::workloads {

enum class TurnWait {
    Blocking,
    Spinning,
    PollMapped,  ///< reads a word in mapped memory that the device copies behind its results
};

class HostTurns final : public Writing {
  public:
    HostTurns(const Job& job, TurnWait wait);
    ~HostTurns() override;
    HostTurns(const HostTurns&) = delete;
    HostTurns& operator=(const HostTurns&) = delete;
    RunResult Run() override;
    Counts PerRun() const override;
    Counts Once() const override;

  private:
    void Record();
    void SubmitTurn();
    void AwaitTurn();

    const Context& context_;
    const Workload& workload_;
    Fault fault_;
    TurnWait wait_;
    std::vector<ComputePipeline> pipelines_;
    SlabBuffers buffers_;  // x, y, the turn as the host says it, the turn as the device repeats it
    DescriptorSets sets_;
    OwnedCommandPool pool_;
    VkCommandBuffer commands_ = VK_NULL_HANDLE;
    Completion completion_;
    uint32_t turn_ = 0;
};

}  // namespace kronos::workloads
