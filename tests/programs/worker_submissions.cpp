// SPDX-License-Identifier: Apache-2.0
// Submissions, fences, semaphores and waits of a worker.
#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "worker.h"

namespace random_program {
namespace {

constexpr uint32_t kFences = 4;
constexpr size_t kMostPending = 8;

// The waiting side of a semaphore; the barriers that follow cover all stages, so any of these will do.
VkPipelineStageFlags WaitStages(Rng& rng) {
    return rng.OneIn(2) ? VK_PIPELINE_STAGE_ALL_COMMANDS_BIT
                        : VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT |
                              VK_PIPELINE_STAGE_DRAW_INDIRECT_BIT;
}

}  // namespace

void Worker::CreateSynchronisation() {
    for (uint32_t i = 0; i < kFences; ++i) {
        fences_.push_back(std::make_unique<Fence>());
        CreateFence(*fences_.back());
    }
    if (gpu_.features.timeline) {
        for (VkSemaphore* made : {&timeline_, &gate_}) {
            const VkSemaphoreTypeCreateInfo type{VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO, nullptr,
                                                 VK_SEMAPHORE_TYPE_TIMELINE, 0};
            const VkSemaphoreCreateInfo info{VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO, &type, 0};
            CHECK(api_.CreateSemaphore(gpu_.device, &info, nullptr, made));
        }
    }
    const VkEventCreateInfo event{VK_STRUCTURE_TYPE_EVENT_CREATE_INFO, nullptr, 0};
    CHECK(api_.CreateEvent(gpu_.device, &event, nullptr, &host_event_));
}

void Worker::DestroySynchronisation() {
    for (const auto& fence : fences_) DestroyFence(*fence);
    // Allowed, and not worth a count.
    api_.DestroyFence(gpu_.device, VK_NULL_HANDLE, nullptr);
    for (VkSemaphore semaphore : unwaited_) api_.DestroySemaphore(gpu_.device, semaphore, nullptr);
    for (const FreeSemaphore& entry : free_semaphores_) api_.DestroySemaphore(gpu_.device, entry.handle, nullptr);
    api_.DestroySemaphore(gpu_.device, timeline_, nullptr);
    api_.DestroySemaphore(gpu_.device, gate_, nullptr);
    api_.DestroyEvent(gpu_.device, host_event_, nullptr);
}

VkSemaphore Worker::BinarySemaphore(uint32_t queue, bool may_move) {
    const auto found = std::find_if(free_semaphores_.begin(), free_semaphores_.end(),
                                    [&](const FreeSemaphore& entry) { return may_move || entry.queue == queue; });
    if (found != free_semaphores_.end()) {
        const VkSemaphore semaphore = found->handle;
        free_semaphores_.erase(found);
        return semaphore;
    }
    const VkSemaphoreCreateInfo info{VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO, nullptr, 0};
    VkSemaphore semaphore = VK_NULL_HANDLE;
    CHECK(api_.CreateSemaphore(gpu_.device, &info, nullptr, &semaphore));
    return semaphore;
}

void Worker::CreateFence(Fence& fence) {
    const bool signalled = rng_.OneIn(2);
    const VkFenceCreateInfo info{VK_STRUCTURE_TYPE_FENCE_CREATE_INFO, nullptr,
                                 signalled ? VkFenceCreateFlags{VK_FENCE_CREATE_SIGNALED_BIT} : 0};
    CHECK(api_.CreateFence(gpu_.device, &info, nullptr, &fence.handle));
    ++counts_.fences_created;
    fence.state = signalled ? Fence::State::Signalled : Fence::State::Ready;
}

void Worker::DestroyFence(Fence& fence) {
    ++counts_.fences_destroyed;
    api_.DestroyFence(gpu_.device, fence.handle, nullptr);
}

// Destroys one that is not in use, and makes a new one.
void Worker::RenewFence() {
    Fence& fence = *fences_[rng_.Below(kFences)];
    if (fence.state == Fence::State::Submitted) {
        if (!IsDone(fence.submission)) return;
        WaitFences({&fence}, true);
    }
    DestroyFence(fence);
    CreateFence(fence);
}

// A fence to submit, or null when all are in use.
Worker::Fence* Worker::ReadyFence() {
    std::vector<Fence*> ready;
    std::vector<Fence*> used;
    for (const auto& fence : fences_) {
        if (fence->state == Fence::State::Submitted && IsDone(fence->submission)) WaitFences({fence.get()}, true);
        if (fence->state == Fence::State::Ready) ready.push_back(fence.get());
        if (fence->state == Fence::State::Signalled) used.push_back(fence.get());
    }
    if (!used.empty() && (ready.empty() || rng_.OneIn(3))) {
        std::vector<VkFence> handles;
        for (Fence* fence : used) {
            handles.push_back(fence->handle);
            fence->state = Fence::State::Ready;
            ready.push_back(fence);
        }
        counts_.fence_resets += handles.size();
        CHECK(api_.ResetFences(gpu_.device, static_cast<uint32_t>(handles.size()), handles.data()));
    }
    return ready.empty() ? nullptr : ready[rng_.Below(static_cast<uint32_t>(ready.size()))];
}

void Worker::SubmitSome() {
    const auto queue = rng_.Below(static_cast<uint32_t>(gpu_.queues.size()));
    std::vector<Recording*> fit = Primaries([&](const Recording& recording) {
        return recording.lane == gpu_.queues[queue].lane && recording.state == Recording::State::Executable &&
               (recording.pending == 0 || recording.usage == Usage::Simultaneous);
    });
    std::vector<Batch> batches(rng_.Between(1, 3));
    for (Batch& batch : batches) {
        for (uint32_t left = rng_.Below(4); left != 0 && !fit.empty(); --left) {
            const auto index = rng_.Below(static_cast<uint32_t>(fit.size()));
            batch.recordings.push_back(fit[index]);
            if (fit[index]->usage != Usage::Simultaneous) fit.erase(fit.begin() + index);
        }
    }
    Submit(queue, std::move(batches), true);
}

void Worker::SubmitNothing() {
    // Nothing says that it waits for anything, so it stays on its queue.
    Submit(last_queue_, {}, false);
}

void Worker::Submit(uint32_t queue, std::vector<Batch> batches, bool may_wait_for_host) {
    const auto pending = std::count_if(submissions_.begin(), submissions_.end(),
                                       [](const Submission& submission) { return !submission.done; });
    if (static_cast<size_t>(pending) >= kMostPending) Wait(submissions_.front().id);

    if (queue != last_queue_ && !IsDone(last_submission_) && unwaited_.empty()) {
        const uint64_t value = submissions_.back().timeline_value;
        if (value != 0) {
            batches.front().waits.push_back({timeline_, value});
        } else {
            const VkSemaphore link = BinarySemaphore(queue, true);
            Submit(last_queue_, {{{}, {}, {{link, 0}}}}, false);
            unwaited_.push_back(link);
        }
    }
    Submission submission;
    submission.id = last_submission_ + 1;
    submission.queue = queue;
    if (!batches.empty()) {
        for (VkSemaphore semaphore : unwaited_) {
            batches.front().waits.push_back({semaphore, 0});
            submission.waited.push_back(semaphore);
        }
        unwaited_.clear();
        for (size_t i = 0; i + 1 < batches.size(); ++i) {
            const uint32_t form = rng_.Below(3);
            if (form == 0) {
                const VkSemaphore semaphore = BinarySemaphore(queue, !gpu_.avoid.moving_semaphores);
                batches[i].signals.push_back({semaphore, 0});
                batches[i + 1].waits.push_back({semaphore, 0});
                submission.waited.push_back(semaphore);
            } else if (form == 1 && gpu_.features.timeline) {
                batches[i].signals.push_back({timeline_, ++timeline_value_});
                batches[i + 1].waits.push_back({timeline_, timeline_value_});
            }
        }
        if (may_wait_for_host && rng_.OneIn(4)) {
            unwaited_.push_back(BinarySemaphore(queue, true));
            batches.back().signals.push_back({unwaited_.back(), 0});
        }
        if (gpu_.features.timeline && rng_.OneIn(2)) {
            submission.timeline_value = ++timeline_value_;
            batches.back().signals.push_back({timeline_, timeline_value_});
        }
    }
    // Only the last batch: a binary semaphore must not be waited for while its signal depends on the host.
    const bool gated = may_wait_for_host && !batches.empty() && gpu_.features.timeline && rng_.OneIn(6);
    if (gated) batches.back().waits.push_back({gate_, ++gate_value_});
    submission.fence = batches.empty() || rng_.OneIn(2) ? ReadyFence() : nullptr;

    ++counts_.submits;
    counts_.submit_infos += batches.size();
    for (const Batch& batch : batches) {
        counts_.command_buffers += batch.recordings.size();
        counts_.semaphore_waits += batch.waits.size();
        counts_.semaphore_signals += batch.signals.size();
        for (Recording* recording : batch.recordings) {
            counts_.dispatches_submitted += recording->dispatches;
            ++recording->pending;
            recording->last_submission = submission.id;
            if (recording->usage == Usage::OneTime) recording->state = Recording::State::Invalid;
            submission.recordings.push_back(recording);
        }
    }
    if (submission.fence != nullptr) {
        submission.fence->state = Fence::State::Submitted;
        submission.fence->submission = submission.id;
    }
    last_submission_ = submission.id;
    last_queue_ = queue;
    const VkFence fence = submission.fence != nullptr ? submission.fence->handle : VK_NULL_HANDLE;
    submissions_.push_back(std::move(submission));
    if (gpu_.features.sync2 && rng_.OneIn(2)) {
        CHECK(Submit2(gpu_.queues[queue], batches, fence));
    } else {
        CHECK(Submit1(gpu_.queues[queue], batches, fence));
    }
    if (gated) {
        const VkSemaphoreSignalInfo info{VK_STRUCTURE_TYPE_SEMAPHORE_SIGNAL_INFO, nullptr, gate_, gate_value_};
        CHECK(api_.SignalSemaphore(gpu_.device, &info));
    }
}

VkResult Worker::Submit1(Queue& queue, const std::vector<Batch>& batches, VkFence fence) {
    struct Arrays {
        std::vector<VkCommandBuffer> commands;
        std::vector<VkSemaphore> waits, signals;
        std::vector<uint64_t> wait_values, signal_values;
        std::vector<VkPipelineStageFlags> stages;
        VkTimelineSemaphoreSubmitInfo timeline{};
    };
    std::vector<Arrays> arrays(batches.size());
    std::vector<VkSubmitInfo> infos(batches.size());
    for (size_t i = 0; i < batches.size(); ++i) {
        Arrays& array = arrays[i];
        VkSubmitInfo& info = infos[i];
        info.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO;
        bool timeline = false;
        for (const Recording* recording : batches[i].recordings) array.commands.push_back(recording->handle);
        for (const SemaphoreUse& use : batches[i].waits) {
            array.waits.push_back(use.handle);
            array.wait_values.push_back(use.value);
            array.stages.push_back(WaitStages(rng_));
            timeline = timeline || use.value != 0;
        }
        for (const SemaphoreUse& use : batches[i].signals) {
            array.signals.push_back(use.handle);
            array.signal_values.push_back(use.value);
            timeline = timeline || use.value != 0;
        }
        info.commandBufferCount = static_cast<uint32_t>(array.commands.size());
        info.pCommandBuffers = array.commands.data();
        info.waitSemaphoreCount = static_cast<uint32_t>(array.waits.size());
        info.pWaitSemaphores = array.waits.data();
        info.pWaitDstStageMask = array.stages.data();
        info.signalSemaphoreCount = static_cast<uint32_t>(array.signals.size());
        info.pSignalSemaphores = array.signals.data();
        if (!timeline) continue;
        array.timeline.sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO;
        array.timeline.waitSemaphoreValueCount = info.waitSemaphoreCount;
        array.timeline.pWaitSemaphoreValues = array.wait_values.data();
        array.timeline.signalSemaphoreValueCount = info.signalSemaphoreCount;
        array.timeline.pSignalSemaphoreValues = array.signal_values.data();
        info.pNext = &array.timeline;
    }
    const std::lock_guard lock(queue.mutex);
    return api_.QueueSubmit(queue.handle, static_cast<uint32_t>(infos.size()), infos.data(), fence);
}

VkResult Worker::Submit2(Queue& queue, const std::vector<Batch>& batches, VkFence fence) {
    struct Arrays {
        std::vector<VkCommandBufferSubmitInfo> commands;
        std::vector<VkSemaphoreSubmitInfo> waits, signals;
    };
    std::vector<Arrays> arrays(batches.size());
    std::vector<VkSubmitInfo2> infos(batches.size());
    for (size_t i = 0; i < batches.size(); ++i) {
        Arrays& array = arrays[i];
        for (const Recording* recording : batches[i].recordings) {
            array.commands.push_back({VK_STRUCTURE_TYPE_COMMAND_BUFFER_SUBMIT_INFO, nullptr, recording->handle, 0});
        }
        for (const SemaphoreUse& use : batches[i].waits) {
            array.waits.push_back(
                {VK_STRUCTURE_TYPE_SEMAPHORE_SUBMIT_INFO, nullptr, use.handle, use.value, WaitStages(rng_), 0});
        }
        for (const SemaphoreUse& use : batches[i].signals) {
            array.signals.push_back({VK_STRUCTURE_TYPE_SEMAPHORE_SUBMIT_INFO, nullptr, use.handle, use.value,
                                     VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT, 0});
        }
        VkSubmitInfo2& info = infos[i];
        info.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO_2;
        info.commandBufferInfoCount = static_cast<uint32_t>(array.commands.size());
        info.pCommandBufferInfos = array.commands.data();
        info.waitSemaphoreInfoCount = static_cast<uint32_t>(array.waits.size());
        info.pWaitSemaphoreInfos = array.waits.data();
        info.signalSemaphoreInfoCount = static_cast<uint32_t>(array.signals.size());
        info.pSignalSemaphoreInfos = array.signals.data();
    }
    const std::lock_guard lock(queue.mutex);
    return api_.QueueSubmit2(queue.handle, static_cast<uint32_t>(infos.size()), infos.data(), fence);
}

bool Worker::IsDone(uint64_t id) const {
    const auto found = std::find_if(submissions_.begin(), submissions_.end(),
                                    [id](const Submission& submission) { return submission.id == id; });
    return found == submissions_.end() || found->done;
}

void Worker::Retire(uint32_t queue, uint64_t id, bool fences) {
    for (Submission& submission : submissions_) {
        if (submission.queue != queue || submission.id > id) continue;
        Fence* const fence = submission.fence;
        if (fences && fence != nullptr && fence->submission == submission.id &&
            fence->state == Fence::State::Submitted) {
            fence->state = Fence::State::Signalled;
        }
        if (submission.done) continue;
        submission.done = true;
        for (Recording* recording : submission.recordings) --recording->pending;
        for (VkSemaphore semaphore : submission.waited) free_semaphores_.push_back({semaphore, queue});
    }
    while (!submissions_.empty() && submissions_.front().done) submissions_.pop_front();
}

void Worker::WaitQueue(uint32_t queue) {
    ++counts_.waits;
    {
        const std::lock_guard lock(gpu_.queues[queue].mutex);
        CHECK(api_.QueueWaitIdle(gpu_.queues[queue].handle));
    }
    Retire(queue, last_submission_, true);
}

void Worker::WaitDevice() {
    ++counts_.waits;
    {
        // Demands that nobody else uses any queue.
        std::vector<std::unique_lock<std::mutex>> locks;
        for (Queue& queue : gpu_.queues) locks.emplace_back(queue.mutex);
        CHECK(api_.DeviceWaitIdle(gpu_.device));
    }
    for (uint32_t queue = 0; queue < gpu_.queues.size(); ++queue) Retire(queue, last_submission_, true);
}

void Worker::WaitTimeline(uint64_t value) {
    // The gate has been signalled by the host long since.
    const std::array<VkSemaphore, 2> semaphores{timeline_, gate_};
    const std::array<uint64_t, 2> values{value, gate_value_};
    VkSemaphoreWaitInfo info{};
    info.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO;
    info.semaphoreCount = gate_value_ != 0 && rng_.OneIn(3) ? 2 : 1;
    if (info.semaphoreCount == 1 && rng_.OneIn(2)) info.flags = VK_SEMAPHORE_WAIT_ANY_BIT;
    info.pSemaphores = semaphores.data();
    info.pValues = values.data();
    ++counts_.waits;
    CHECK(api_.WaitSemaphores(gpu_.device, &info, UINT64_MAX));
}

void Worker::WaitFences(const std::vector<Fence*>& fences, bool all) {
    std::vector<VkFence> handles;
    handles.reserve(fences.size());
    for (const Fence* fence : fences) handles.push_back(fence->handle);
    ++counts_.waits;
    CHECK(api_.WaitForFences(gpu_.device, static_cast<uint32_t>(handles.size()), handles.data(),
                             all ? VK_TRUE : VK_FALSE, UINT64_MAX));
    if (!all && fences.size() > 1) return;  // one of them, but which is a matter of time
    for (Fence* fence : fences) {
        fence->state = Fence::State::Signalled;
        const uint64_t id = fence->submission;
        const auto found = std::find_if(submissions_.begin(), submissions_.end(),
                                        [id](const Submission& submission) { return submission.id == id; });
        if (found != submissions_.end()) Retire(found->queue, id, false);
    }
}

void Worker::Wait(uint64_t id) {
    if (IsDone(id)) return;
    const auto found = std::find_if(submissions_.begin(), submissions_.end(),
                                    [id](const Submission& submission) { return submission.id == id; });
    const uint32_t queue = found->queue;
    if (rng_.OneIn(8)) return rng_.OneIn(2) ? WaitDevice() : WaitQueue(queue);
    // It, or a later one on its queue, by fence or timeline.
    std::vector<Submission*> usable;
    for (auto at = found; at != submissions_.end(); ++at) {
        if (at->queue != queue || at->done) continue;
        const bool fence =
            at->fence != nullptr && at->fence->submission == at->id && at->fence->state == Fence::State::Submitted;
        if (fence || at->timeline_value != 0) usable.push_back(&*at);
    }
    if (usable.empty()) return WaitQueue(queue);
    Submission& chosen = *usable[rng_.Below(static_cast<uint32_t>(usable.size()))];
    const bool fence = chosen.fence != nullptr && chosen.fence->submission == chosen.id &&
                       chosen.fence->state == Fence::State::Submitted;
    if (fence && (chosen.timeline_value == 0 || rng_.OneIn(2))) return WaitFences({chosen.fence}, true);
    const uint64_t last = chosen.id;
    WaitTimeline(chosen.timeline_value);
    Retire(queue, last, false);
}

void Worker::WaitSomehow() {
    std::vector<Fence*> submitted;
    for (const auto& fence : fences_) {
        if (fence->state == Fence::State::Submitted) submitted.push_back(fence.get());
    }
    switch (rng_.Below(5)) {
        case 0:
            if (!submitted.empty()) WaitFences(submitted, true);
            return;
        case 1:
            if (!submitted.empty()) WaitFences(submitted, false);
            return;
        case 2:
            return WaitQueue(rng_.Below(static_cast<uint32_t>(gpu_.queues.size())));
        default:
            if (!submissions_.empty()) {
                Wait(submissions_[rng_.Below(static_cast<uint32_t>(submissions_.size()))].id);
            }
    }
}

// Asks, once and without looking at the answer: what it is depends on time, what is called next must not.
void Worker::Poll() {
    const VkFence fence = fences_[rng_.Below(kFences)]->handle;
    VkResult result = VK_SUCCESS;
    switch (rng_.Below(3)) {
        case 0:
            ++counts_.waits;
            result = api_.WaitForFences(gpu_.device, 1, &fence, VK_TRUE, 0);
            if (result == VK_TIMEOUT) result = VK_SUCCESS;
            break;
        case 1:
            if (gpu_.features.timeline) {
                uint64_t value = 0;
                ++counts_.polls;
                result = api_.GetSemaphoreCounterValue(gpu_.device, timeline_, &value);
            }
            break;
        default:
            ++counts_.polls;
            result = api_.GetFenceStatus(gpu_.device, fence);
            if (result == VK_NOT_READY) result = VK_SUCCESS;
    }
    Check(result, "poll");
}

}  // namespace random_program
