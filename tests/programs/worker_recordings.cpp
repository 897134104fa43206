// SPDX-License-Identifier: Apache-2.0
// Command pools and command buffers of a worker: when they may be recorded, reset, freed and executed.
#include <algorithm>

#include "worker.h"

namespace random_program {

void Worker::CreateCommandPools() {
    for (uint32_t lane = 0; lane < gpu_.lanes.size(); ++lane) {
        for (const bool resettable : {true, false}) {
            const VkCommandPoolCreateFlags flags =
                resettable ? VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT : VK_COMMAND_POOL_CREATE_TRANSIENT_BIT;
            const VkCommandPoolCreateInfo info{VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO, nullptr, flags,
                                               gpu_.lanes[lane].family};
            CommandPool& pool = command_pools_.emplace_back();
            CHECK(api_.CreateCommandPool(gpu_.device, &info, nullptr, &pool.handle));
            pool.lane = lane;
            pool.resettable = resettable;
            CreateRecordings(pool, Usage::OneTime, false, 2);
            if (!resettable) continue;
            CreateRecordings(pool, Usage::Reusable, false, 2);
            CreateRecordings(pool, Usage::Simultaneous, false, 2);
            CreateRecordings(pool, Usage::OneTime, true, 1);
            CreateRecordings(pool, Usage::Reusable, true, 2);
            CreateRecordings(pool, Usage::Simultaneous, true, 2);
        }
        immediate_.push_back(command_pools_[command_pools_.size() - 2].recordings.front().get());
    }
}

void Worker::CreateRecordings(CommandPool& pool, Usage usage, bool secondary, uint32_t count) {
    std::vector<VkCommandBuffer> handles(count);
    const VkCommandBufferAllocateInfo info{
        VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO, nullptr, pool.handle,
        secondary ? VK_COMMAND_BUFFER_LEVEL_SECONDARY : VK_COMMAND_BUFFER_LEVEL_PRIMARY, count};
    CHECK(api_.AllocateCommandBuffers(gpu_.device, &info, handles.data()));
    for (VkCommandBuffer handle : handles) {
        auto recording = std::make_unique<Recording>();
        recording->handle = handle;
        recording->lane = pool.lane;
        recording->secondary = secondary;
        recording->resettable = pool.resettable;
        recording->usage = usage;
        recording->first_query = next_query_;
        next_query_ += 2;
        const VkEventCreateInfo event{VK_STRUCTURE_TYPE_EVENT_CREATE_INFO, nullptr, 0};
        for (VkEvent& made : recording->events) CHECK(api_.CreateEvent(gpu_.device, &event, nullptr, &made));
        pool.recordings.push_back(std::move(recording));
    }
}

std::vector<Recording*> Worker::Primaries(const std::function<bool(const Recording&)>& fits) {
    std::vector<Recording*> found;
    for (CommandPool& pool : command_pools_) {
        for (const auto& recording : pool.recordings) {
            if (!recording->secondary && fits(*recording)) found.push_back(recording.get());
        }
    }
    return found;
}

void Worker::Settle(Recording& recording) {
    if (recording.pending != 0) Wait(recording.last_submission);
    if (!recording.secondary) return;
    for (Recording* primary : Primaries([&](const Recording& entry) { return entry.children.contains(&recording); })) {
        Invalidate(*primary);
    }
}

void Worker::Invalidate(Recording& recording) {
    Settle(recording);
    if (recording.state == Recording::State::Executable) recording.state = Recording::State::Invalid;
    recording.children.clear();
    recording.sets.clear();
}

void Worker::Begin(Recording& recording) {
    Settle(recording);
    if (recording.state != Recording::State::Initial && !recording.resettable) {
        // Its pool must be reset as a whole.
        for (CommandPool& pool : command_pools_) {
            if (pool.lane != recording.lane || pool.resettable) continue;
            for (const auto& other : pool.recordings) Settle(*other);
            CHECK(api_.ResetCommandPool(gpu_.device, pool.handle, 0));
            for (const auto& other : pool.recordings) {
                Invalidate(*other);
                other->state = Recording::State::Initial;
            }
        }
    } else if (recording.state != Recording::State::Initial && rng_.OneIn(3)) {
        // Otherwise vkBeginCommandBuffer resets it.
        const VkCommandBufferResetFlags flags = rng_.OneIn(2) ? VK_COMMAND_BUFFER_RESET_RELEASE_RESOURCES_BIT : 0;
        CHECK(api_.ResetCommandBuffer(recording.handle, flags));
    }
    recording.dispatches = 0;
    recording.sets.clear();
    recording.children.clear();
    VkCommandBufferInheritanceInfo inheritance{};
    inheritance.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_INHERITANCE_INFO;
    VkCommandBufferBeginInfo info{};
    info.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO;
    if (recording.usage == Usage::OneTime) info.flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT;
    if (recording.usage == Usage::Simultaneous) info.flags = VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT;
    info.pInheritanceInfo = recording.secondary ? &inheritance : nullptr;
    ++counts_.recordings;
    CHECK(api_.BeginCommandBuffer(recording.handle, &info));
}

void Worker::End(Recording& recording) {
    CHECK(api_.EndCommandBuffer(recording.handle));
    recording.state = Recording::State::Executable;
}

Recording* Worker::PickRecording(bool secondary) {
    std::vector<Recording*> fit;
    for (CommandPool& pool : command_pools_) {
        for (const auto& recording : pool.recordings) {
            const bool reserved = std::find(immediate_.begin(), immediate_.end(), recording.get()) != immediate_.end();
            if (recording->secondary == secondary && !reserved) fit.push_back(recording.get());
        }
    }
    return fit[rng_.Below(static_cast<uint32_t>(fit.size()))];
}

std::vector<Recording*> Worker::PickSecondaries(const Recording& primary) {
    std::vector<Recording*> chosen;
    for (CommandPool& pool : command_pools_) {
        for (const auto& secondary : pool.recordings) {
            if (!secondary->secondary || secondary->lane != primary.lane || rng_.OneIn(2)) continue;
            if (secondary->state != Recording::State::Executable) continue;
            if (secondary->usage != Usage::Simultaneous) {
                // May be in one primary only, once, and not in one that runs twice at the same time.
                if (primary.usage == Usage::Simultaneous || primary.children.contains(secondary.get())) continue;
                if (secondary->usage == Usage::OneTime && primary.usage != Usage::OneTime) continue;
                Settle(*secondary);
            } else if (rng_.OneIn(3)) {
                chosen.push_back(secondary.get());
            }
            chosen.push_back(secondary.get());
        }
    }
    return chosen;
}

void Worker::Record(Recording& recording) {
    WriteUnwrittenSets();
    Settle(recording);
    // Before it begins: what they settle may have to wait.
    std::vector<Recording*> secondaries;
    if (!recording.secondary && rng_.OneIn(2)) {
        recording.children.clear();
        secondaries = PickSecondaries(recording);
    }
    Begin(recording);
    Recorder recorder(gpu_, rng_, counts_, resources_, recording);
    recorder.Begin();
    const uint32_t commands = rng_.Between(1, 12);
    const uint32_t execute_at = rng_.Below(commands);
    for (uint32_t i = 0; i < commands; ++i) {
        recorder.RandomCommand();
        if (i != execute_at || secondaries.empty()) continue;
        recorder.Execute(secondaries);
        for (Recording* secondary : secondaries) {
            // What it uses is used here, too; one-time ones are spent.
            recording.sets.insert(secondary->sets.begin(), secondary->sets.end());
            if (secondary->usage == Usage::OneTime) secondary->state = Recording::State::Invalid;
        }
    }
    recorder.End();
    End(recording);
}

void Worker::RunNow(const std::function<void(Recorder&)>& record) {
    const auto queue = rng_.Below(static_cast<uint32_t>(gpu_.queues.size()));
    Recording& recording = *immediate_[gpu_.queues[queue].lane];
    Begin(recording);
    Recorder recorder(gpu_, rng_, counts_, resources_, recording);
    recorder.Begin();
    record(recorder);
    recorder.End();
    End(recording);
    Submit(queue, {{{&recording}, {}, {}}}, false);
    Wait(last_submission_);
}

void Worker::ReallocateRecording() {
    CommandPool& pool = command_pools_[rng_.Below(static_cast<uint32_t>(command_pools_.size()))];
    if (!pool.resettable) return;
    Recording& recording = *pool.recordings[rng_.Below(static_cast<uint32_t>(pool.recordings.size()))];
    Invalidate(recording);
    api_.FreeCommandBuffers(gpu_.device, pool.handle, 1, &recording.handle);
    const VkCommandBufferAllocateInfo info{
        VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO, nullptr, pool.handle,
        recording.secondary ? VK_COMMAND_BUFFER_LEVEL_SECONDARY : VK_COMMAND_BUFFER_LEVEL_PRIMARY, 1};
    CHECK(api_.AllocateCommandBuffers(gpu_.device, &info, &recording.handle));
    recording.state = Recording::State::Initial;
    recording.dispatches = 0;
}

void Worker::TrimOrResetPool() {
    CommandPool& pool = command_pools_[rng_.Below(static_cast<uint32_t>(command_pools_.size()))];
    if (gpu_.features.trim && rng_.OneIn(2)) {
        api_.TrimCommandPool(gpu_.device, pool.handle, 0);
        return;
    }
    for (const auto& recording : pool.recordings) Invalidate(*recording);
    const VkCommandPoolResetFlags flags = rng_.OneIn(2) ? VK_COMMAND_POOL_RESET_RELEASE_RESOURCES_BIT : 0;
    CHECK(api_.ResetCommandPool(gpu_.device, pool.handle, flags));
    for (const auto& recording : pool.recordings) {
        recording->state = Recording::State::Initial;
        recording->dispatches = 0;
    }
}

}  // namespace random_program
