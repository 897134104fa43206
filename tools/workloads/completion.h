// SPDX-License-Identifier: Apache-2.0
// How the host learns that a submit has ended. Owned by a writing; one thread.
#pragma once

#include <vector>

#include "counts.h"
#include "handles.h"

namespace kronos::workloads {

/// What a submit holds beside its completion.
struct Submission {
    VkQueue queue;
    std::vector<VkCommandBuffer> commands;
    VkSemaphore wait = VK_NULL_HANDLE;  ///< before all of its commands
    VkSemaphore signal = VK_NULL_HANDLE;
};

/// vkQueueSubmit of one VkSubmitInfo.
void Submit(const Submission& submission, VkFence fence);
Counts SubmitCounted(const Submission& submission);

class Completion {
  public:
    /// Blocking: a fence and vkWaitForFences. Spinning: a timeline semaphore and a loop on its counter, or, where the
    /// device has none, a fence and a loop on its status.
    Completion(const Context& context, bool spinning);
    /// Submits, so that Wait() returns when all of it has ended. One at a time.
    void SubmitLast(const Submission& submission);
    void Wait();
    Counts PerWait() const;  ///< of SubmitLast() and Wait(), without SubmitCounted()
    Counts Once() const;

  private:
    const Context& context_;
    bool spinning_;
    OwnedFence fence_;         // unless there is a timeline
    OwnedSemaphore timeline_;  // counts submits
    uint64_t submitted_ = 0;
};

}  // namespace kronos::workloads
