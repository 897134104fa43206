// SPDX-License-Identifier: Apache-2.0
#include "submission/submissions.h"

#include <algorithm>
#include <array>

#include "submission/spin_waits.h"
#include "support/clock.h"
#include "support/process.h"

namespace kronos {

// The driver's side of one queue: its calls are counted, and timed where that decides anything.
class Submissions::DriverQueue final : public QueueDriver {
  public:
    DriverQueue(Submissions& all, VkQueue queue, uint32_t family, VkSemaphore timeline)
        : all_(all), queue_(queue), timeline_(timeline) {
        if (all.policy_.fusion.on)
            fuser_ = std::make_unique<Fuser>(all.down_, all.device_, family, all.counters_, all.policy_.fusion,
                                             all.fusion_mutex_);
    }

    VkResult Submit(const Batch::Call& call, uint64_t value, VkFence fence) override {
        const uint64_t before = all_.policy_.measure ? NowNs() : 0;
        // Without a value nobody would know when command buffers of the layer's are done.
        const bool fuse = fuser_ && value && Fuser::Concerns(call);
        const VkResult result = fuse ? FuseAndGive(call, value, fence) : Give(call, fence);
        if (before) took_ns_ += NowNs() - before;
        return result;
    }
    VkResult Reached(uint64_t& value) override {
        if (all_.counters_) all_.counters_->Add(Side::kDriver, Counter::kPolls, 1);
        return all_.down_.GetSemaphoreCounterValue(all_.device_, timeline_, &value);
    }
    VkSemaphore timeline() const override { return timeline_; }
    void Gave(Counter why, uint64_t submissions, uint64_t folded) override {
        if (all_.counters_) {
            const Counters::Own counters = all_.counters_->OfThisThread();
            if (why != Counter::kCount) counters.Decided(why);
            if (folded) counters.Decided(Counter::kBatchesFolded, folded);
        }
        if (took_ns_ && submissions) all_.worth_.Took(took_ns_, submissions);
        took_ns_ = 0;
    }

  private:
    VkResult FuseAndGive(const Batch::Call& call, uint64_t value, VkFence fence) {
        uint64_t reached = 0;
        if (Reached(reached) != VK_SUCCESS) return Give(call, fence);
        const VkResult result = Give(fuser_->Fuse(call, reached), fence);
        if (result == VK_SUCCESS)
            fuser_->Given(value);
        else if (OutOfMemory(result))
            fuser_->Given(0);
        else
            fuser_->Lost();
        return result;
    }
    VkResult Give(const Batch::Call& call, VkFence fence) {
        if (all_.counters_) Count(call);
        return call.second ? all_.down_.QueueSubmit2(queue_, call.count, call.second, fence)
                           : all_.down_.QueueSubmit(queue_, call.count, call.first, fence);
    }
    void Count(const Batch::Call& call) const {
        uint64_t buffers = 0, waits = 0, signals = 0;
        for (uint32_t i = 0; i < call.count; ++i) {
            buffers += call.second ? call.second[i].commandBufferInfoCount : call.first[i].commandBufferCount;
            waits += call.second ? call.second[i].waitSemaphoreInfoCount : call.first[i].waitSemaphoreCount;
            signals += call.second ? call.second[i].signalSemaphoreInfoCount : call.first[i].signalSemaphoreCount;
        }
        const Counters::Own counters = all_.counters_->OfThisThread();
        counters.Add(Side::kDriver, Counter::kSubmits, 1);
        counters.Add(Side::kDriver, Counter::kSubmitInfos, call.count);
        counters.Add(Side::kDriver, Counter::kCommandBuffers, buffers);
        if (waits) counters.Add(Side::kDriver, Counter::kSemaphoreWaits, waits);
        if (signals) counters.Add(Side::kDriver, Counter::kSemaphoreSignals, signals);
    }

    Submissions& all_;
    const VkQueue queue_;
    const VkSemaphore timeline_;
    // Guarded by the queue's lock.
    uint64_t took_ns_ = 0;
    std::unique_ptr<Fuser> fuser_;  // nullptr: there is none
};

struct Submissions::Entry {
    Entry(Submissions& all, VkQueue handle, uint32_t family, VkSemaphore timeline)
        : driver(all, handle, family, timeline), queue(driver, all.policy_.limits) {}
    DriverQueue driver;
    SubmitQueue queue;
    Entry* next = nullptr;
};

Submissions::Submissions(const VkuDeviceDispatchTable& down, VkDevice device, Counters* counters,
                         const SubmitPolicy& policy)
    : down_(down), device_(device), counters_(counters), policy_(policy), fork_generation_(ForkGeneration()) {}

Submissions::~Submissions() {
    constexpr uint64_t kLongNs = 1'000'000'000;  // of a program that did not wait
    for (Entry* entry = queues_.load(); entry;) {
        // What the program has waited for is done, and the timeline, whose signal is in no order with the program's,
        // soon.
        const VkSemaphore timeline = entry->driver.timeline();
        const uint64_t last = entry->queue.submitted();
        VkSemaphoreWaitInfo info = {};
        info.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO;
        info.semaphoreCount = 1;
        info.pSemaphores = &timeline;
        info.pValues = &last;
        if (entry->queue.StatusOf(last) == VK_NOT_READY) {
            if (counters_) counters_->Add(Side::kDriver, Counter::kWaits, 1);
            static_cast<void>(down_.WaitSemaphores(device_, &info, kLongNs));
        }
        down_.DestroySemaphore(device_, entry->driver.timeline(), nullptr);
        Entry* next = entry->next;
        delete entry;
        entry = next;
    }
}

bool Submissions::Inherited() const { return fork_generation_ != ForkGeneration(); }

SubmitQueue* Submissions::Add(VkQueue queue, uint32_t family) {
    VkSemaphoreTypeCreateInfo type = {};
    type.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO;
    type.semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE;
    const VkSemaphoreCreateInfo info = {VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO, &type, 0};
    VkSemaphore timeline = VK_NULL_HANDLE;
    if (down_.CreateSemaphore(device_, &info, nullptr, &timeline) != VK_SUCCESS) return nullptr;
    try {
        auto* entry = new Entry(*this, queue, family, timeline);
        entry->next = queues_.load(std::memory_order_relaxed);
        while (
            !queues_.compare_exchange_weak(entry->next, entry, std::memory_order_release, std::memory_order_relaxed)) {
        }
        return &entry->queue;
    } catch (...) {
        down_.DestroySemaphore(device_, timeline, nullptr);
        throw;
    }
}

Counter Submissions::WhyRaw() const {
    const Counter stopped = stopped_.load(std::memory_order_relaxed);
    if (stopped != Counter::kCount) return stopped;
    if (Inherited()) return Counter::kSubmitsForked;
    return worth_.verdict() == SubmitWorth::Verdict::kCheap ? Counter::kSubmitsCheap : Counter::kCount;
}

Counter Submissions::WhyNotHold() const {
    if (!policy_.measure || worth_.verdict() == SubmitWorth::Verdict::kPays) return Counter::kCount;
    return worth_.verdict() == SubmitWorth::Verdict::kPaused ? Counter::kSubmitsNoGain : Counter::kSubmitsCheap;
}

void Submissions::StopHolding(Counter why) noexcept {
    Counter before = Counter::kCount;
    stopped_.compare_exchange_strong(before, why, std::memory_order_relaxed);
    FlushAll(Counter::kFlushesEnd);
}

VkResult Submissions::FlushOthers(const SubmitQueue* own, Counter why) noexcept {
    for (Entry* entry = queues_.load(std::memory_order_acquire); entry; entry = entry->next) {
        SubmitQueue& queue = entry->queue;
        if (&queue == own || !queue.Holds() || Inherited()) continue;
        const std::lock_guard lock(queue.mutex());
        queue.Flush(why);
        if (queue.lost()) SetLost();
    }
    return Lost() ? VK_ERROR_DEVICE_LOST : VK_SUCCESS;
}

void Submissions::BeganToHold() noexcept {
    if (!flusher_.Tell()) StopHolding(Counter::kSubmitsNoThread);
}

void Submissions::Share(VkSemaphore semaphore) noexcept {
    if (!semaphore) return;
    try {
        shared_.Insert(semaphore, 1);
    } catch (const std::bad_alloc&) {
        StopHolding(Counter::kSubmitsNoMemory);
    }
    any_shared_.store(true, std::memory_order_release);
}

bool Submissions::Holds() const noexcept {
    for (const Entry* entry = queues_.load(std::memory_order_acquire); entry; entry = entry->next)
        if (entry->queue.Holds()) return true;
    return false;
}

void Submissions::Round() noexcept {
    constexpr uint64_t kTurnNs = 1'000'000;
    constexpr size_t kMost = 16;  // queues waited for at a time; others are looked at all the same
    std::array<VkSemaphore, kMost> timelines;
    std::array<uint64_t, kMost> values;
    uint32_t count = 0;
    uint64_t due_ns = UINT64_MAX;
    for (Entry* entry = queues_.load(std::memory_order_acquire); entry; entry = entry->next) {
        SubmitQueue& queue = entry->queue;
        if (!queue.Holds()) continue;
        const std::lock_guard lock(queue.mutex());
        if (!queue.Holds()) continue;
        due_ns = std::min(due_ns, queue.due_ns());
        if (count == kMost) continue;
        timelines[count] = queue.timeline();
        values[count++] = queue.room_value();
    }
    if (!count) return;
    const uint64_t now = NowNs();
    const uint64_t turn_ns = due_ns > now ? std::min(due_ns - now, kTurnNs) : 0;
    if (turn_ns && policy_.limits.while_idle) {
        SystemTime::Sleep(turn_ns);  // room is nothing that what is held waits for
    } else if (turn_ns) {
        VkSemaphoreWaitInfo info = {};
        info.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO;
        info.flags = VK_SEMAPHORE_WAIT_ANY_BIT;
        info.semaphoreCount = count;
        info.pSemaphores = timelines.data();
        info.pValues = values.data();
        if (counters_) counters_->Add(Side::kDriver, Counter::kWaits, 1);
        // Whatever it says: each queue looks for itself. Not for long at a time: fork waits for this to end.
        static_cast<void>(down_.WaitSemaphores(device_, &info, turn_ns));
    }
    for (Entry* entry = queues_.load(std::memory_order_acquire); entry; entry = entry->next) {
        SubmitQueue& queue = entry->queue;
        if (!queue.Holds()) continue;
        const std::lock_guard lock(queue.mutex());
        queue.FlushWhenDue(NowNs());
        if (queue.lost()) SetLost();
    }
}

void Submissions::FlushNow() noexcept { FlushAll(Counter::kFlushesEnd); }

void Submissions::Stop() noexcept {
    StopHolding(Counter::kFlushesEnd);
    flusher_.Stop();
}

}  // namespace kronos
