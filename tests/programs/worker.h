// SPDX-License-Identifier: Apache-2.0
// One thread of a random program: its resources, recordings and submissions, and the steps it takes by chance.
// Owned by main; used by one thread. It shares only the Gpu with others: queues, under their mutexes.
//
// All submissions of a worker form one chain: a submission to another queue than the one before waits for that one by
// a semaphore. Together with the barrier at the head of each recording this orders everything, so that results depend
// on the seed only.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "counts.h"
#include "gpu.h"
#include "recorder.h"
#include "resources.h"
#include "rng.h"

namespace random_program {

class Worker {
  public:
    // Adds its counts to total when it is destroyed, which is when it makes its last calls.
    Worker(Gpu& gpu, uint64_t seed, Counts& total);
    ~Worker();
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    void Run(uint64_t steps);
    // Of all that has been read back; the same for the same seed on the same driver.
    uint64_t checksum() const { return checksum_; }

  private:
    struct Fence {
        enum class State : uint8_t { Ready, Submitted, Signalled };
        VkFence handle = VK_NULL_HANDLE;
        State state = State::Ready;
        uint64_t submission = 0;
    };
    struct Submission {
        uint64_t id = 0;
        uint32_t queue = 0;
        bool done = false;
        Fence* fence = nullptr;
        uint64_t timeline_value = 0;  // signalled at its end, 0: none
        std::vector<Recording*> recordings;
        std::vector<VkSemaphore> waited;  // binary ones, free again when it is done
    };
    struct SemaphoreUse {
        VkSemaphore handle;
        uint64_t value;  // of timeline semaphores
    };
    struct FreeSemaphore {
        VkSemaphore handle;
        uint32_t queue;  // the last that waited for it
    };
    struct Batch {
        std::vector<Recording*> recordings;
        std::vector<SemaphoreUse> waits;
        std::vector<SemaphoreUse> signals;
    };
    struct CommandPool {
        VkCommandPool handle = VK_NULL_HANDLE;
        uint32_t lane = 0;
        bool resettable = true;
        std::vector<std::unique_ptr<Recording>> recordings;
    };
    struct SetPool {
        VkDescriptorPool handle = VK_NULL_HANDLE;
        bool can_free = true;
    };

    // worker.cpp
    void Step();
    void Replace();
    void UploadAndRead();
    void UseQueries();
    void UseHostEvent();
    void ReadBack();
    void Hash(const void* data, size_t bytes);

    // worker_resources.cpp
    void CreateResources();
    void DestroyResources();
    void CreatePipelines();
    Memory Allocate(VkDeviceSize size, uint32_t type_bits, bool host_visible);
    void Free(Memory& memory);
    void* Map(const Memory& memory);
    void Unmap(const Memory& memory);
    void Flush(const Memory& memory);
    void Invalidate(const Memory& memory);
    VkMemoryRequirements RequirementsOf(VkBuffer buffer);
    VkMemoryRequirements RequirementsOf(VkImage image);
    void Bind(VkBuffer buffer, VkDeviceMemory memory, VkDeviceSize offset);
    void Bind(VkImage image, VkDeviceMemory memory);
    VkBuffer NewBuffer(uint32_t slices);
    void CreateBuffer(uint32_t object, uint32_t slices, bool host_visible);
    void CreateImage(uint32_t image);
    void ChurnMemory();

    // worker_sets.cpp
    void CreateSetPools();
    void AllocateSets();
    void FreeSet();
    void ResetSets();
    void WriteSets();
    void WriteUnwrittenSets();
    void Write(const std::vector<Set*>& sets);
    void CopySet();
    void ChooseTargets(Set& set);
    // Waits for and invalidates all that uses a set, which may then be changed.
    void Release(const Set& set);

    // worker_recordings.cpp
    void CreateCommandPools();
    void CreateRecordings(CommandPool& pool, Usage usage, bool secondary, uint32_t count);
    void Record(Recording& recording);
    void Begin(Recording& recording);
    void End(Recording& recording);
    // Waits for all that may still run it, and invalidates primaries that execute it.
    void Settle(Recording& recording);
    void Invalidate(Recording& recording);
    std::vector<Recording*> Primaries(const std::function<bool(const Recording&)>& fits);
    Recording* PickRecording(bool secondary);
    std::vector<Recording*> PickSecondaries(const Recording& primary);
    void ReallocateRecording();
    void TrimOrResetPool();
    // Records and submits once, and waits.
    void RunNow(const std::function<void(Recorder&)>& record);

    // worker_submissions.cpp
    void CreateSynchronisation();
    void DestroySynchronisation();
    void SubmitSome();
    void SubmitNothing();
    void Submit(uint32_t queue, std::vector<Batch> batches, bool may_wait_for_host);
    VkResult Submit1(Queue& queue, const std::vector<Batch>& batches, VkFence fence);
    VkResult Submit2(Queue& queue, const std::vector<Batch>& batches, VkFence fence);
    // An unused one; last waited for by that queue if it must not move.
    VkSemaphore BinarySemaphore(uint32_t queue, bool may_move);
    Fence* ReadyFence();
    void Wait(uint64_t submission);
    void WaitQueue(uint32_t queue);
    void WaitDevice();
    void WaitTimeline(uint64_t value);
    void WaitFences(const std::vector<Fence*>& fences, bool all);
    // The submissions of that queue up to id are over; fences: known of their fences, too.
    void Retire(uint32_t queue, uint64_t id, bool fences);
    bool IsDone(uint64_t submission) const;
    void WaitSomehow();
    void Poll();
    void CreateFence(Fence& fence);
    void DestroyFence(Fence& fence);
    void RenewFence();

    Gpu& gpu_;
    const Api& api_;
    Rng rng_;
    Counts& total_;
    Counts counts_;
    Resources resources_;
    uint64_t checksum_ = 14695981039346656037ULL;  // FNV-1a
    Memory shared_memory_;                         // of two of the data buffers
    std::deque<Memory> loose_memory_;
    std::vector<SetPool> set_pools_;
    std::vector<CommandPool> command_pools_;
    std::vector<Recording*> immediate_;  // one a lane, for RunNow
    uint32_t next_query_ = 0;
    uint32_t own_query_ = 0;
    VkEvent host_event_ = VK_NULL_HANDLE;
    std::vector<std::unique_ptr<Fence>> fences_;
    std::vector<FreeSemaphore> free_semaphores_;
    std::vector<VkSemaphore> unwaited_;  // signalled by the last submission; the next waits for them
    VkSemaphore timeline_ = VK_NULL_HANDLE;
    uint64_t timeline_value_ = 0;
    VkSemaphore gate_ = VK_NULL_HANDLE;  // signalled by the host
    uint64_t gate_value_ = 0;
    std::deque<Submission> submissions_;
    uint64_t last_submission_ = 0;
    uint32_t last_queue_ = 0;
};

}  // namespace random_program
