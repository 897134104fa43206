// SPDX-License-Identifier: Apache-2.0
// Queues: submissions run in order on the queue's own thread, which waits for semaphores, executes and signals.
#include <chrono>

#include "commands.h"
#include "control_state.h"
#include "state.h"

namespace mock {
namespace {

void Finish(Queue* queue, Submission* submission) {
    for (CommandBuffer* buffer : submission->buffers) buffer->pending.fetch_sub(1, std::memory_order_release);
    for (SemaphoreUse& use : submission->waits) --use.semaphore->uses;
    for (SemaphoreUse& use : submission->signals) --use.semaphore->uses;
    if (submission->fence != nullptr) submission->fence->pending = false;
    ++queue->completed;
}

void Signal(Queue* queue, const Submission& submission) {
    for (const SemaphoreUse& use : submission.signals) {
        Semaphore& semaphore = *use.semaphore;
        if (semaphore.timeline && use.value <= semaphore.value) {
            Violation("queue#" + std::to_string(queue->id) + ": signals a timeline semaphore at " +
                      std::to_string(semaphore.value) + " to " + std::to_string(use.value));
        }
        semaphore.value = semaphore.timeline ? use.value : 1;
    }
    if (submission.fence != nullptr) submission.fence->signaled.store(true, std::memory_order_release);
}

bool Ready(const Submission& submission) {
    for (const SemaphoreUse& use : submission.waits) {
        if (use.semaphore->timeline ? use.semaphore->value < use.value : use.semaphore->value == 0) return false;
    }
    return true;
}

void Run(Queue* queue) {
    Sync& sync = *queue->device->sync;
    std::unique_lock lock(sync.mutex);
    for (;;) {
        queue->work.wait(lock, [&] {
            return sync.stopping ||
                   (!queue->pending.empty() && (sync.lost || !queue->gate_closed || queue->tickets > 0));
        });
        if (sync.stopping) {
            for (Submission& submission : queue->pending) Finish(queue, &submission);
            queue->pending.clear();
            return;
        }
        Submission submission = std::move(queue->pending.front());
        queue->pending.pop_front();
        if (queue->gate_closed && queue->tickets > 0) --queue->tickets;
        sync.changed.wait(lock, [&] { return sync.stopping || sync.lost || Ready(submission); });
        const bool runs = !sync.stopping && !sync.lost;
        if (runs) {
            for (const SemaphoreUse& use : submission.waits) {
                if (!use.semaphore->timeline) use.semaphore->value = 0;
            }
            lock.unlock();
            for (CommandBuffer* buffer : submission.buffers) Execute(queue, buffer);
            lock.lock();
        }
        // A device lost meanwhile signals nothing more.
        if (runs && !sync.lost && !sync.stopping) Signal(queue, submission);
        Finish(queue, &submission);
        sync.changed.notify_all();
    }
}

// Rules of the specification that need the order of submissions. Sync::mutex is held.
void CheckAndCount(Submission* submission, const char* command) {
    for (SemaphoreUse& use : submission->waits) {
        ++use.semaphore->uses;
        if (!use.semaphore->timeline && !use.semaphore->queued_signal) {
            Violation(std::string(command) + ": waits for a binary semaphore that nothing submitted signals");
        }
        use.semaphore->queued_signal = false;
    }
    for (SemaphoreUse& use : submission->signals) {
        ++use.semaphore->uses;
        if (!use.semaphore->timeline && use.semaphore->queued_signal) {
            Violation(std::string(command) + ": signals a binary semaphore that is or will be signalled");
        }
        use.semaphore->queued_signal = true;
    }
    for (CommandBuffer* buffer : submission->buffers) {
        const std::string name =
            std::string(command) + ": " + HandleName(VK_OBJECT_TYPE_COMMAND_BUFFER, FromHandle(buffer));
        if (buffer->state != CommandBuffer::State::kExecutable) Violation(name + " is not executable");
        if (buffer->pending.fetch_add(1) > 0 && !(buffer->usage & VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT)) {
            Violation(name + " is still executing and was begun without SIMULTANEOUS_USE");
        }
        if (buffer->usage & VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT) {
            buffer->state = CommandBuffer::State::kInvalid;
        }
    }
    if (submission->fence != nullptr) {
        if (submission->fence->pending || submission->fence->signaled) {
            Violation(std::string(command) + ": the fence is signalled or in use");
        }
        submission->fence->pending = true;
    }
}

// Catches two threads in one queue at a time, which the program must prevent.
class InCall {
  public:
    InCall(Queue* queue, const char* command) : queue_(queue) {
        if (queue->in_call.exchange(true, std::memory_order_acquire)) {
            Violation(std::string(command) + ": queue#" + std::to_string(queue->id) +
                      " is used by two threads at once");
        }
    }
    ~InCall() { queue_->in_call.store(false, std::memory_order_release); }
    InCall(const InCall&) = delete;
    InCall& operator=(const InCall&) = delete;

  private:
    Queue* queue_;
};

template <typename H>
void AddUse(std::vector<SemaphoreUse>* to, H handle, uint64_t value, const char* command) {
    auto semaphore = Shared<Semaphore>(handle);
    if (semaphore == nullptr) {
        Require<Semaphore>(handle, command);
        return;
    }
    to->push_back({std::move(semaphore), value});
}

uint64_t ValueAt(const uint64_t* values, uint32_t count, uint32_t i) {
    return values != nullptr && i < count ? values[i] : 0;
}

}  // namespace

uint64_t Now() {
    return static_cast<uint64_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
            .count());
}

bool QueueIdle(const Queue& queue) { return queue.submitted == queue.completed; }

VkResult Submit(Queue* queue, std::vector<Submission> submissions, VkFence fence, const char* command) {
    const InCall in_call(queue, command);
    Sync& sync = *queue->device->sync;
    if (sync.lost) return VK_ERROR_DEVICE_LOST;
    if (fence != VK_NULL_HANDLE) {
        if (submissions.empty()) submissions.emplace_back();
        submissions.back().fence = Shared<Fence>(fence);
        if (submissions.back().fence == nullptr) Require<Fence>(fence, command);
    }
    std::lock_guard lock(sync.mutex);
    for (Submission& submission : submissions) {
        CheckAndCount(&submission, command);
        queue->pending.push_back(std::move(submission));
        ++queue->submitted;
    }
    if (!queue->thread.joinable()) queue->thread = std::thread(Run, queue);
    queue->work.notify_one();
    return VK_SUCCESS;
}

void StopQueues(Device* device) {
    {
        std::lock_guard lock(device->sync->mutex);
        for (const auto& queue : device->queues) {
            if (!QueueIdle(*queue) && !device->sync->lost) {
                Violation("vkDestroyDevice: queue#" + std::to_string(queue->id) + " has unfinished work");
            }
            queue->work.notify_all();
        }
        device->sync->stopping = true;
        device->sync->changed.notify_all();
    }
    for (const auto& queue : device->queues) {
        if (queue->thread.joinable()) queue->thread.join();
    }
}

void LoseDevice(Device* device) {
    std::lock_guard lock(device->sync->mutex);
    device->sync->lost = true;
    device->sync->changed.notify_all();
    for (const auto& queue : device->queues) queue->work.notify_all();
}

namespace impl {

VkResult vkQueueSubmit(VkQueue queue, uint32_t submitCount, const VkSubmitInfo* pSubmits, VkFence fence) {
    constexpr const char* kName = "vkQueueSubmit";
    if (g_watch_submits.load(std::memory_order_relaxed)) CallSubmitCallback(queue);
    std::vector<Submission> submissions(submitCount);
    for (uint32_t s = 0; s < submitCount; ++s) {
        const VkSubmitInfo& info = pSubmits[s];
        const auto* values =
            FindInChain<VkTimelineSemaphoreSubmitInfo>(info.pNext, VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO);
        for (uint32_t i = 0; i < info.waitSemaphoreCount; ++i) {
            const uint64_t value =
                values == nullptr ? 0 : ValueAt(values->pWaitSemaphoreValues, values->waitSemaphoreValueCount, i);
            AddUse(&submissions[s].waits, info.pWaitSemaphores[i], value, kName);
        }
        for (uint32_t i = 0; i < info.commandBufferCount; ++i) {
            submissions[s].buffers.push_back(Of(info.pCommandBuffers[i]));
        }
        for (uint32_t i = 0; i < info.signalSemaphoreCount; ++i) {
            const uint64_t value =
                values == nullptr ? 0 : ValueAt(values->pSignalSemaphoreValues, values->signalSemaphoreValueCount, i);
            AddUse(&submissions[s].signals, info.pSignalSemaphores[i], value, kName);
        }
    }
    return Submit(Of(queue), std::move(submissions), fence, kName);
}

VkResult vkQueueSubmit2(VkQueue queue, uint32_t submitCount, const VkSubmitInfo2* pSubmits, VkFence fence) {
    constexpr const char* kName = "vkQueueSubmit2";
    if (g_watch_submits.load(std::memory_order_relaxed)) CallSubmitCallback(queue);
    std::vector<Submission> submissions(submitCount);
    for (uint32_t s = 0; s < submitCount; ++s) {
        const VkSubmitInfo2& info = pSubmits[s];
        for (uint32_t i = 0; i < info.waitSemaphoreInfoCount; ++i) {
            AddUse(&submissions[s].waits, info.pWaitSemaphoreInfos[i].semaphore, info.pWaitSemaphoreInfos[i].value,
                   kName);
        }
        for (uint32_t i = 0; i < info.commandBufferInfoCount; ++i) {
            submissions[s].buffers.push_back(Of(info.pCommandBufferInfos[i].commandBuffer));
        }
        for (uint32_t i = 0; i < info.signalSemaphoreInfoCount; ++i) {
            AddUse(&submissions[s].signals, info.pSignalSemaphoreInfos[i].semaphore,
                   info.pSignalSemaphoreInfos[i].value, kName);
        }
    }
    return Submit(Of(queue), std::move(submissions), fence, kName);
}

VkResult vkQueueBindSparse(VkQueue queue, uint32_t bindInfoCount, const VkBindSparseInfo* pBindInfo, VkFence fence) {
    constexpr const char* kName = "vkQueueBindSparse";
    std::vector<Submission> submissions(bindInfoCount);
    for (uint32_t s = 0; s < bindInfoCount; ++s) {
        const VkBindSparseInfo& info = pBindInfo[s];
        const auto* values =
            FindInChain<VkTimelineSemaphoreSubmitInfo>(info.pNext, VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO);
        for (uint32_t i = 0; i < info.waitSemaphoreCount; ++i) {
            const uint64_t value =
                values == nullptr ? 0 : ValueAt(values->pWaitSemaphoreValues, values->waitSemaphoreValueCount, i);
            AddUse(&submissions[s].waits, info.pWaitSemaphores[i], value, kName);
        }
        for (uint32_t i = 0; i < info.signalSemaphoreCount; ++i) {
            const uint64_t value =
                values == nullptr ? 0 : ValueAt(values->pSignalSemaphoreValues, values->signalSemaphoreValueCount, i);
            AddUse(&submissions[s].signals, info.pSignalSemaphores[i], value, kName);
        }
    }
    return Submit(Of(queue), std::move(submissions), fence, kName);
}

VkResult vkQueueWaitIdle(VkQueue queue) {
    Queue* q = Of(queue);
    const InCall in_call(q, "vkQueueWaitIdle");
    Sync& sync = *q->device->sync;
    std::unique_lock lock(sync.mutex);
    const uint64_t until = q->submitted;
    sync.changed.wait(lock, [&] { return q->completed >= until; });
    return sync.lost ? VK_ERROR_DEVICE_LOST : VK_SUCCESS;
}

}  // namespace impl
}  // namespace mock
