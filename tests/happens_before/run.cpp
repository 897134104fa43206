// SPDX-License-Identifier: Apache-2.0
#include "run.h"

#include <atomic>
#include <mutex>
#include <thread>

namespace happens_before {
namespace {

constexpr uint64_t kForEver = UINT64_MAX;

// All that one program has of Vulkan, and what was seen of it.
class World {
  public:
    World(VkPhysicalDevice physical, const Program& program) : program_(program), finished_(program.dispatches) {
        MakeDevice(physical);
        for (uint32_t queue = 0; queue < program_.queues; ++queue) MakeOrder(queue);
        for (uint32_t queue = 0; queue < program_.queues; ++queue)
            for (uint32_t batch = 0; batch < program_.batches[queue].size(); ++batch) Record(queue, batch);
    }
    ~World() {
        for (const VkSemaphore semaphore : semaphores_) vkDestroySemaphore(device_, semaphore, nullptr);
        for (Thread& thread : threads_) {
            for (const Fence& fence : thread.fences) vkDestroyFence(device_, fence.handle, nullptr);
            vkFreeMemory(device_, thread.memory, nullptr);
        }
        for (const VkEvent event : events_) vkDestroyEvent(device_, event, nullptr);
        vkDestroyQueryPool(device_, queries_, nullptr);
        vkDestroyCommandPool(device_, pool_, nullptr);
        vkDestroyDevice(device_, nullptr);
    }
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    std::vector<std::string> Run() {
        if (program_.threads == 1) {
            Execute(0);
        } else {
            std::vector<std::thread> threads;
            for (uint32_t thread = 0; thread < program_.threads; ++thread)
                threads.emplace_back([this, thread] { Execute(thread); });
            for (std::thread& thread : threads) thread.join();
        }
        Must(vkDeviceWaitIdle(device_), "the last vkDeviceWaitIdle");
        for (uint32_t dispatch = 0; dispatch < program_.dispatches; ++dispatch)
            if (!finished_[dispatch].load()) Wrong("dispatch " + std::to_string(dispatch) + " never ran");
        const std::lock_guard lock(wrong_mutex_);
        return wrong_;
    }

    // On the queue's thread.
    void Dispatched(const MockDispatch& seen) {
        const uint32_t dispatch = seen.group_count[0] - 1;
        const Where& where = where_.at(dispatch);
        const Batch& batch = program_.batches[where.queue][where.batch];
        const auto name = [&] { return "dispatch " + std::to_string(dispatch); };
        if (seen.queue != queues_[where.queue]) Wrong(name() + " ran on another queue");
        if (begun_[dispatch].exchange(true)) Wrong(name() + " ran twice");
        for (uint32_t queue = 0; queue < program_.queues; ++queue)
            if (!AreDone(queue, batch.need[queue]))
                Wrong(name() + " began too early for queue " + std::to_string(queue));
        if (signaled_[program_.thread_of[where.queue]].load() < batch.need_host)
            Wrong(name() + " began before the host's signal");
        if (batch.event && !event_set_[batch.event].load()) Wrong(name() + " began before its event was set");
        // Some work takes a while.
        for (volatile uint32_t spin = dispatch % 5 == 0 ? 2'000 : 0; spin != 0;) spin = spin - 1;
        finished_[dispatch].store(true, std::memory_order_release);
    }

  private:
    struct Where {
        uint32_t queue = 0, batch = 0;
    };
    struct Fence {
        VkFence handle = VK_NULL_HANDLE;
        enum { kReset, kSubmitted, kSignaled } state = kReset;  // signaled: as a wait said
        std::vector<uint32_t> done;
    };
    struct Thread {
        std::vector<Fence> fences;
        VkDeviceMemory memory = VK_NULL_HANDLE;
    };

    void MakeDevice(VkPhysicalDevice physical) {
        const std::vector<float> priorities(program_.queues, 1.0F);
        VkDeviceQueueCreateInfo queue_info = {};
        queue_info.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO;
        queue_info.queueCount = program_.queues;
        queue_info.pQueuePriorities = priorities.data();
        VkPhysicalDeviceVulkan13Features features13 = {};
        features13.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES;
        features13.synchronization2 = VK_TRUE;
        VkPhysicalDeviceVulkan12Features features = {};
        features.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES;
        features.pNext = &features13;
        features.timelineSemaphore = VK_TRUE;
        VkDeviceCreateInfo info = {};
        info.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO;
        info.pNext = &features;
        info.queueCreateInfoCount = 1;
        info.pQueueCreateInfos = &queue_info;
        Must(vkCreateDevice(physical, &info, nullptr, &device_), "vkCreateDevice");
        queues_.resize(program_.queues);
        for (uint32_t queue = 0; queue < program_.queues; ++queue) vkGetDeviceQueue(device_, 0, queue, &queues_[queue]);
        VkCommandPoolCreateInfo pool_info = {};
        pool_info.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO;
        Must(vkCreateCommandPool(device_, &pool_info, nullptr, &pool_), "vkCreateCommandPool");
        for (uint32_t queue = 0; queue < program_.queues; ++queue) timelines_.push_back(MakeSemaphore(true));
        for (uint32_t thread = 0; thread < program_.threads; ++thread) host_timelines_.push_back(MakeSemaphore(true));
        for (uint32_t i = 0; i < program_.binaries; ++i) binaries_.push_back(MakeSemaphore(false));
        const VkEventCreateInfo event_info = {VK_STRUCTURE_TYPE_EVENT_CREATE_INFO, nullptr, 0};
        events_.resize(program_.events);
        for (VkEvent& event : events_) Must(vkCreateEvent(device_, &event_info, nullptr, &event), "vkCreateEvent");
        event_set_ = std::vector<std::atomic<bool>>(program_.events + 1);
        signaled_ = std::vector<std::atomic<uint64_t>>(program_.threads);
        begun_ = std::vector<std::atomic<bool>>(program_.dispatches);
        where_.resize(program_.dispatches);
        threads_.resize(program_.threads);
        for (Thread& thread : threads_) {
            thread.fences.resize(program_.fences);
            for (Fence& fence : thread.fences) fence.handle = MakeFence();
            const VkMemoryAllocateInfo memory = {VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, nullptr, 4096, 2};
            Must(vkAllocateMemory(device_, &memory, nullptr, &thread.memory), "vkAllocateMemory");
        }
    }
    VkSemaphore MakeSemaphore(bool timeline) {
        VkSemaphoreTypeCreateInfo type = {};
        type.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO;
        type.semaphoreType = timeline ? VK_SEMAPHORE_TYPE_TIMELINE : VK_SEMAPHORE_TYPE_BINARY;
        const VkSemaphoreCreateInfo info = {VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO, &type, 0};
        VkSemaphore made = VK_NULL_HANDLE;
        Must(vkCreateSemaphore(device_, &info, nullptr, &made), "vkCreateSemaphore");
        semaphores_.push_back(made);
        return made;
    }
    VkFence MakeFence() {
        const VkFenceCreateInfo info = {VK_STRUCTURE_TYPE_FENCE_CREATE_INFO, nullptr, 0};
        VkFence made = VK_NULL_HANDLE;
        Must(vkCreateFence(device_, &info, nullptr, &made), "vkCreateFence");
        return made;
    }
    // Of a queue: its dispatches in order, how many there are before each batch, and which batch signals each value.
    void MakeOrder(uint32_t queue) {
        order_.emplace_back();
        before_.push_back({0});
        signaling_.emplace_back();
        buffers_.emplace_back(program_.batches[queue].size());
        stamps_.emplace_back(program_.batches[queue].size(), 0);
        for (uint32_t i = 0; i < program_.batches[queue].size(); ++i) {
            const Batch& batch = program_.batches[queue][i];
            for (const uint32_t dispatch : batch.dispatches) {
                where_[dispatch] = {queue, i};
                order_[queue].push_back(dispatch);
            }
            before_[queue].push_back(static_cast<uint32_t>(order_[queue].size()));
            if (batch.value) signaling_[queue].push_back(i);
            if (batch.timestamp) stamps_[queue][i] = stamp_count_++;
        }
        if (queue + 1 < program_.queues || !stamp_count_) return;
        VkQueryPoolCreateInfo info = {};
        info.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO;
        info.queryType = VK_QUERY_TYPE_TIMESTAMP;
        info.queryCount = stamp_count_;
        Must(vkCreateQueryPool(device_, &info, nullptr, &queries_), "vkCreateQueryPool");
    }
    void Record(uint32_t queue, uint32_t number) {
        const Batch& batch = program_.batches[queue][number];
        std::vector<VkCommandBuffer>& buffers = buffers_[queue][number];
        buffers.resize(batch.dispatches.size());
        if (buffers.empty()) return;
        VkCommandBufferAllocateInfo info = {};
        info.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO;
        info.commandPool = pool_;
        info.commandBufferCount = static_cast<uint32_t>(buffers.size());
        Must(vkAllocateCommandBuffers(device_, &info, buffers.data()), "vkAllocateCommandBuffers");
        for (size_t i = 0; i < buffers.size(); ++i) {
            VkCommandBufferBeginInfo begin = {};
            begin.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO;
            begin.flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT;
            Must(vkBeginCommandBuffer(buffers[i], &begin), "vkBeginCommandBuffer");
            if (batch.event && i == 0)
                vkCmdWaitEvents(buffers[i], 1, &events_[batch.event - 1], VK_PIPELINE_STAGE_HOST_BIT,
                                VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, 0, nullptr, 0, nullptr, 0, nullptr);
            const bool stamped = batch.timestamp && i + 1 == buffers.size();
            if (stamped) vkCmdResetQueryPool(buffers[i], queries_, stamps_[queue][number], 1);
            vkCmdDispatch(buffers[i], batch.dispatches[i] + 1, 1, 1);
            if (stamped)
                vkCmdWriteTimestamp(buffers[i], VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, queries_, stamps_[queue][number]);
            Must(vkEndCommandBuffer(buffers[i]), "vkEndCommandBuffer");
        }
    }

    void Wrong(const std::string& what) {
        const std::lock_guard lock(wrong_mutex_);
        wrong_.push_back(what);
    }
    void Must(VkResult result, const char* what) {
        if (result != VK_SUCCESS) Wrong(std::string(what) + " returned " + std::to_string(result));
    }
    bool AreDone(uint32_t queue, uint32_t batches) const {
        const uint32_t count = before_[queue].at(batches);
        for (uint32_t i = 0; i < count; ++i)
            if (!finished_[order_[queue][i]].load(std::memory_order_acquire)) return false;
        return true;
    }
    void MustBeDone(const std::vector<uint32_t>& done, const char* what) {
        for (uint32_t queue = 0; queue < done.size(); ++queue)
            if (!AreDone(queue, done[queue]))
                Wrong(std::string(what) + " came back before queue " + std::to_string(queue) + " was done");
    }

    void Execute(uint32_t number) {
        Thread& thread = threads_[number];
        for (const Operation& operation : program_.operations[number]) Execute(number, thread, operation);
    }
    void Execute(uint32_t number, Thread& thread, const Operation& operation) {
        switch (operation.kind) {
            case Operation::kSubmit:
                return Submit(number, thread, operation);
            case Operation::kWaitFences:
                return WaitFences(thread, operation);
            case Operation::kPollFence:
                return Poll(thread.fences[operation.fence]);
            case Operation::kResetFences: {
                std::vector<VkFence> handles;
                for (const uint32_t i : operation.fences) {
                    handles.push_back(thread.fences[i].handle);
                    thread.fences[i].state = Fence::kReset;
                }
                return Must(vkResetFences(device_, static_cast<uint32_t>(handles.size()), handles.data()),
                            "vkResetFences");
            }
            case Operation::kRenewFence: {
                Fence& fence = thread.fences[operation.fence];
                vkDestroyFence(device_, fence.handle, nullptr);
                fence = {};
                fence.handle = MakeFence();
                return;
            }
            case Operation::kWaitTimeline:
                return WaitTimeline(operation);
            case Operation::kPollTimeline: {
                uint64_t value = 0;
                Must(vkGetSemaphoreCounterValue(device_, timelines_[operation.queue], &value),
                     "vkGetSemaphoreCounterValue");
                if (value && !AreDone(operation.queue, signaling_[operation.queue].at(value - 1) + 1))
                    Wrong("vkGetSemaphoreCounterValue told a value too early");
                return;
            }
            case Operation::kHostSignal: {
                signaled_[number].store(operation.value);
                const VkSemaphoreSignalInfo info = {VK_STRUCTURE_TYPE_SEMAPHORE_SIGNAL_INFO, nullptr,
                                                    host_timelines_[number], operation.value};
                return Must(vkSignalSemaphore(device_, &info), "vkSignalSemaphore");
            }
            case Operation::kSetEvent:
                event_set_[operation.value].store(true);
                return Must(vkSetEvent(device_, events_[operation.value - 1]), "vkSetEvent");
            case Operation::kQueueIdle:
                Must(vkQueueWaitIdle(queues_[operation.queue]), "vkQueueWaitIdle");
                Settle(thread, operation.queue);
                return MustBeDone(operation.done, "vkQueueWaitIdle");
            case Operation::kDeviceIdle:
                Must(vkDeviceWaitIdle(device_), "vkDeviceWaitIdle");
                return MustBeDone(operation.done, "vkDeviceWaitIdle");
            case Operation::kQuery:
                return Query(operation);
            case Operation::kMapped:
                while (!finished_[operation.dispatch].load(std::memory_order_acquire)) std::this_thread::yield();
                return;
            case Operation::kMap: {
                void* data = nullptr;
                Must(vkMapMemory(device_, thread.memory, 0, VK_WHOLE_SIZE, 0, &data), "vkMapMemory");
                return vkUnmapMemory(device_, thread.memory);
            }
        }
    }

    void Submit(uint32_t number, Thread& thread, const Operation& operation) {
        struct Parts {
            std::vector<VkSemaphoreSubmitInfo> waits, signals;
            std::vector<VkCommandBufferSubmitInfo> buffers;
            std::vector<VkSemaphore> first_waits, first_signals;
            std::vector<uint64_t> wait_values, signal_values;
            std::vector<VkPipelineStageFlags> stages;
            VkTimelineSemaphoreSubmitInfo values{};
        };
        std::vector<Parts> parts(operation.count);
        std::vector<VkSubmitInfo> first(operation.count);
        std::vector<VkSubmitInfo2> second(operation.count);
        for (uint32_t i = 0; i < operation.count; ++i) {
            const Batch& batch = program_.batches[operation.queue][operation.first + i];
            Parts& part = parts[i];
            const auto wait = [&](VkSemaphore semaphore, uint64_t value) {
                part.waits.push_back({VK_STRUCTURE_TYPE_SEMAPHORE_SUBMIT_INFO, nullptr, semaphore, value,
                                      VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT, 0});
            };
            for (const Value& value : batch.timeline_waits) wait(timelines_[value.queue], value.value);
            if (batch.host_wait) wait(host_timelines_[number], batch.host_wait);
            for (const uint32_t binary : batch.binary_waits) wait(binaries_[binary], 0);
            const auto signal = [&](VkSemaphore semaphore, uint64_t value) {
                part.signals.push_back({VK_STRUCTURE_TYPE_SEMAPHORE_SUBMIT_INFO, nullptr, semaphore, value,
                                        VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT, 0});
            };
            if (batch.value) signal(timelines_[operation.queue], batch.value);
            for (const uint32_t binary : batch.binary_signals) signal(binaries_[binary], 0);
            const std::vector<VkCommandBuffer>& buffers = buffers_[operation.queue][operation.first + i];
            for (const VkCommandBuffer buffer : buffers)
                part.buffers.push_back({VK_STRUCTURE_TYPE_COMMAND_BUFFER_SUBMIT_INFO, nullptr, buffer, 0});
            for (const auto& one : part.waits) {
                part.first_waits.push_back(one.semaphore);
                part.wait_values.push_back(one.value);
                part.stages.push_back(VK_PIPELINE_STAGE_ALL_COMMANDS_BIT);
            }
            for (const auto& one : part.signals) {
                part.first_signals.push_back(one.semaphore);
                part.signal_values.push_back(one.value);
            }
            part.values = {VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO, nullptr,
                           static_cast<uint32_t>(part.wait_values.size()),   part.wait_values.data(),
                           static_cast<uint32_t>(part.signal_values.size()), part.signal_values.data()};
            first[i] = {VK_STRUCTURE_TYPE_SUBMIT_INFO,
                        &part.values,
                        static_cast<uint32_t>(part.first_waits.size()),
                        part.first_waits.data(),
                        part.stages.data(),
                        static_cast<uint32_t>(buffers.size()),
                        buffers.data(),
                        static_cast<uint32_t>(part.first_signals.size()),
                        part.first_signals.data()};
            second[i] = {VK_STRUCTURE_TYPE_SUBMIT_INFO_2,
                         nullptr,
                         0,
                         static_cast<uint32_t>(part.waits.size()),
                         part.waits.data(),
                         static_cast<uint32_t>(part.buffers.size()),
                         part.buffers.data(),
                         static_cast<uint32_t>(part.signals.size()),
                         part.signals.data()};
        }
        VkFence handle = VK_NULL_HANDLE;
        if (operation.fence != Operation::kNoFence) {
            Fence& fence = thread.fences[operation.fence];
            handle = fence.handle;
            fence.state = Fence::kSubmitted;
            fence.done.assign(program_.queues, 0);
            fence.done[operation.queue] = operation.first + operation.count;
        }
        Must(operation.second ? vkQueueSubmit2(queues_[operation.queue], operation.count, second.data(), handle)
                              : vkQueueSubmit(queues_[operation.queue], operation.count, first.data(), handle),
             "vkQueueSubmit");
    }

    // Fences that an idle queue has signaled.
    void Settle(Thread& thread, uint32_t queue) {
        for (Fence& fence : thread.fences)
            if (fence.state == Fence::kSubmitted && fence.done[queue]) fence.state = Fence::kSignaled;
    }
    void Poll(Fence& fence) {
        const VkResult status = vkGetFenceStatus(device_, fence.handle);
        if (status != VK_SUCCESS && status != VK_NOT_READY) return Must(status, "vkGetFenceStatus");
        if (fence.state == Fence::kReset && status == VK_SUCCESS) Wrong("a fence is signaled that nothing signals");
        if (fence.state == Fence::kSignaled && status != VK_SUCCESS) Wrong("a fence is not signaled any more");
        if (fence.state == Fence::kSubmitted && status == VK_SUCCESS) MustBeDone(fence.done, "vkGetFenceStatus");
    }
    void WaitFences(Thread& thread, const Operation& operation) {
        std::vector<VkFence> handles;
        for (const uint32_t i : operation.fences) handles.push_back(thread.fences[i].handle);
        const VkResult result = vkWaitForFences(device_, static_cast<uint32_t>(handles.size()), handles.data(),
                                                operation.all, operation.timeout ? 0 : kForEver);
        if (operation.timeout && result == VK_TIMEOUT) return;
        Must(result, "vkWaitForFences");
        if (operation.all) {
            MustBeDone(operation.done, "vkWaitForFences");
            for (const uint32_t i : operation.fences) thread.fences[i].state = Fence::kSignaled;
            return;
        }
        bool any = false;
        for (const VkFence handle : handles) any = any || vkGetFenceStatus(device_, handle) == VK_SUCCESS;
        if (!any) Wrong("vkWaitForFences for any came back when none was signaled");
        for (const uint32_t i : operation.fences) Poll(thread.fences[i]);
    }
    void WaitTimeline(const Operation& operation) {
        std::vector<VkSemaphore> semaphores;
        std::vector<uint64_t> values;
        for (const Value& value : operation.values) {
            semaphores.push_back(timelines_[value.queue]);
            values.push_back(value.value);
        }
        VkSemaphoreWaitInfo info = {};
        info.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO;
        info.flags = operation.all ? 0 : VkSemaphoreWaitFlags{VK_SEMAPHORE_WAIT_ANY_BIT};
        info.semaphoreCount = static_cast<uint32_t>(semaphores.size());
        info.pSemaphores = semaphores.data();
        info.pValues = values.data();
        const VkResult result = vkWaitSemaphores(device_, &info, operation.timeout ? 0 : kForEver);
        if (operation.timeout && result == VK_TIMEOUT) return;
        Must(result, "vkWaitSemaphores");
        MustBeDone(operation.done, "vkWaitSemaphores");
    }
    void Query(const Operation& operation) {
        uint64_t value = 0;
        const VkQueryResultFlags flags = VK_QUERY_RESULT_64_BIT | (operation.timeout ? 0 : VK_QUERY_RESULT_WAIT_BIT);
        const VkResult result = vkGetQueryPoolResults(device_, queries_, stamps_[operation.queue][operation.first], 1,
                                                      sizeof value, &value, sizeof value, flags);
        if (operation.timeout && result == VK_NOT_READY) return;
        Must(result, "vkGetQueryPoolResults");
        if (!AreDone(operation.queue, operation.first + 1)) Wrong("a timestamp was there too early");
    }

    const Program& program_;
    VkDevice device_ = VK_NULL_HANDLE;
    VkCommandPool pool_ = VK_NULL_HANDLE;
    VkQueryPool queries_ = VK_NULL_HANDLE;
    std::vector<VkQueue> queues_;
    std::vector<VkSemaphore> semaphores_, timelines_, host_timelines_, binaries_;
    std::vector<VkEvent> events_;
    std::vector<Thread> threads_;
    std::vector<std::vector<std::vector<VkCommandBuffer>>> buffers_;  // of each queue and batch
    std::vector<std::vector<uint32_t>> stamps_;                       // of each queue and batch, its query
    uint32_t stamp_count_ = 0;
    std::vector<std::vector<uint32_t>> order_, before_, signaling_;
    std::vector<Where> where_;
    std::vector<std::atomic<bool>> begun_, finished_, event_set_;
    std::vector<std::atomic<uint64_t>> signaled_;  // of each thread's host timeline
    std::mutex wrong_mutex_;
    std::vector<std::string> wrong_;
};

}  // namespace

struct Runner::State {
    std::atomic<World*> world{nullptr};
};

Runner::Runner(mock::Driver& mock, const layered::Instance& instance)
    : mock_(mock), instance_(instance), state_(std::make_unique<State>()) {
    mock_.OnDispatch(
        [state = state_.get()](const MockDispatch& dispatch) { state->world.load()->Dispatched(dispatch); });
}
Runner::~Runner() { mock_.OnDispatch(nullptr); }

std::vector<std::string> Runner::Run(const Program& program) {
    World world(instance_.Physical(), program);
    state_->world.store(&world);
    std::vector<std::string> wrong = world.Run();
    for (std::string& violation : mock_.Violations()) wrong.push_back(std::move(violation));
    mock_.ClearViolations();
    return wrong;
}

}  // namespace happens_before
