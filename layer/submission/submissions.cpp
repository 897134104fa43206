// SPDX-License-Identifier: Apache-2.0
#include "submission/submissions.h"

#include <algorithm>
#include <array>

#include "resources/facts.h"
#include "stats/layer_time.h"
#include "submission/spin_waits.h"
#include "support/clock.h"
#include "support/process.h"

namespace kronos {
namespace {

// A driver may keep who submits waiting for what the submission waits for, and the program may be about to signal that
// with another call, which by section "Threading Behavior" waits for no submission. Who holds a queue's lock for so
// long has given the driver before what the queue held.
bool LockWhatHolds(SubmitQueue& queue) {
    return queue.mutex().LockWhile([&] { return queue.Holds(); });
}

}  // namespace

// The driver's side of one queue: its calls are counted, and timed where that decides anything.
class Submissions::DriverQueue final : public QueueDriver {
  public:
    DriverQueue(Submissions& all, VkQueue queue, uint32_t family, VkSemaphore timeline, QueueTrace* trace)
        : all_(all), queue_(queue), timeline_(timeline), trace_(trace) {
        if (all.policy_.fusion.on)
            fuser_ = std::make_unique<Fuser>(all.down_, all.device_, family, all.counters_, all.policy_.fusion,
                                             all.fusion_mutex_);
    }

    VkResult Submit(const Batch::Call& call, uint64_t value, bool as_is, VkFence fence) override {
        if (trace_ && !as_is) trace_->Gives(BuffersOf(call));
        const uint64_t before = all_.policy_.measure ? NowNs() : 0;
        const bool fuse = fuser_ && fuser_->Concerns(call, as_is, all_.AnyDeferred());
        const VkResult result = fuse ? FuseAndGive(call, value, as_is, fence) : Give(call, as_is, fence);
        if (before && !as_is) took_ns_ += NowNs() - before;
        return result;
    }
    bool Expects(VkCommandBuffer last) const override { return fuser_ && fuser_->Expects(last); }
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
        if (trace_) trace_->Gave(why, submissions, folded);
        if (took_ns_ && submissions) all_.worth_.Took(took_ns_, submissions);
        took_ns_ = 0;
    }

  private:
    VkResult FuseAndGive(const Batch::Call& call, uint64_t value, bool as_is, VkFence fence) {
        uint64_t reached = 0;
        if (Reached(reached) != VK_SUCCESS) reached = 0;  // for all that is known; the driver says what is wrong
        Batch::Call fused;
        if (const VkResult failed = fuser_->Fuse(call, as_is, reached, fused); failed != VK_SUCCESS) return failed;
        const VkResult result = Give(fused, as_is, fence);
        if (result == VK_SUCCESS)
            fuser_->Given(value);
        else if (OutOfMemory(result))
            fuser_->NotGiven();
        else
            fuser_->Lost();
        return result;
    }
    // What goes as it is was counted as such.
    VkResult Give(const Batch::Call& call, bool as_is, VkFence fence) {
        if (all_.counters_ && !as_is) Count(call);
        const LayerTime::Driver drivers;
        return call.second ? all_.down_.QueueSubmit2(queue_, call.count, call.second, fence)
                           : all_.down_.QueueSubmit(queue_, call.count, call.first, fence);
    }
    static uint64_t BuffersOf(const Batch::Call& call) {
        uint64_t buffers = 0;
        for (uint32_t i = 0; i < call.count; ++i)
            buffers += call.second ? call.second[i].commandBufferInfoCount : call.first[i].commandBufferCount;
        return buffers;
    }
    void Count(const Batch::Call& call) const {
        uint64_t waits = 0, signals = 0;
        for (uint32_t i = 0; i < call.count; ++i) {
            waits += call.second ? call.second[i].waitSemaphoreInfoCount : call.first[i].waitSemaphoreCount;
            signals += call.second ? call.second[i].signalSemaphoreInfoCount : call.first[i].signalSemaphoreCount;
        }
        const Counters::Own counters = all_.counters_->OfThisThread();
        counters.Add(Side::kDriver, Counter::kSubmits, 1);
        counters.Add(Side::kDriver, Counter::kSubmitInfos, call.count);
        counters.Add(Side::kDriver, Counter::kCommandBuffers, BuffersOf(call));
        if (waits) counters.Add(Side::kDriver, Counter::kSemaphoreWaits, waits);
        if (signals) counters.Add(Side::kDriver, Counter::kSemaphoreSignals, signals);
    }

    Submissions& all_;
    const VkQueue queue_;
    const VkSemaphore timeline_;
    QueueTrace* const trace_;  // nullptr: there is none
    // Guarded by the queue's lock.
    uint64_t took_ns_ = 0;
    std::unique_ptr<Fuser> fuser_;  // nullptr: there is none
};

struct Submissions::Entry {
    Entry(Submissions& all, VkQueue handle, uint32_t family, VkSemaphore timeline, QueueTrace* trace)
        : driver(all, handle, family, timeline, trace), queue(driver, all.policy_.limits) {}
    DriverQueue driver;
    SubmitQueue queue;
    Entry* next = nullptr;
};

Submissions::Submissions(const VkuDeviceDispatchTable& down, VkDevice device, Counters* counters,
                         const SubmitPolicy& policy, const DeferredCount* deferred)
    : down_(down),
      device_(device),
      counters_(counters),
      policy_(policy),
      fork_generation_(ForkGeneration()),
      deferred_(deferred) {}

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
    for (const VkPipelineLayout layout : buried_) down_.DestroyPipelineLayout(device_, layout, nullptr);
}

bool Submissions::Inherited() const { return fork_generation_ != ForkGeneration(); }

SubmitQueue* Submissions::Add(VkQueue queue, uint32_t family, QueueTrace* trace) {
    VkSemaphoreTypeCreateInfo type = {};
    type.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO;
    type.semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE;
    const VkSemaphoreCreateInfo info = {VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO, &type, 0};
    VkSemaphore timeline = VK_NULL_HANDLE;
    if (down_.CreateSemaphore(device_, &info, nullptr, &timeline) != VK_SUCCESS) return nullptr;
    try {
        auto* entry = new Entry(*this, queue, family, timeline, trace);
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

void Submissions::StopDeferring(Counter why) noexcept {
    if (!policy_.fusion.on || defers_no_more_.exchange(true)) return;
    last_deferred_.store(NextUid());
    if (counters_) counters_->Decided(why);
}

// Of what commands name, only pipeline layouts need not live as long as recordings that are to be submitted: section
// "Object Lifetime". A program that destroys one of a recording that is not submitted yet has it kept; so that no more
// come to be kept, nothing is deferred from then on.
bool Submissions::Bury(VkPipelineLayout layout, uint64_t uid) noexcept {
    if (!AnyDeferred()) {
        for (const VkPipelineLayout buried : buried_) down_.DestroyPipelineLayout(device_, buried, nullptr);
        buried_.clear();
        return false;
    }
    if (uid > last_deferred_.load()) return false;
    StopDeferring(Counter::kDeferralsLayouts);
    try {
        buried_.push_back(layout);
    } catch (const std::bad_alloc&) {
        // Then it stays for as long as the device.
    }
    return true;
}

VkResult Submissions::FlushOthers(const SubmitQueue* own, Counter why) noexcept {
    for (Entry* entry = queues_.load(std::memory_order_acquire); entry; entry = entry->next) {
        SubmitQueue& queue = entry->queue;
        if (&queue == own || !queue.Holds() || Inherited() || !LockWhatHolds(queue)) continue;
        const std::lock_guard lock(queue.mutex(), std::adopt_lock);
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
    constexpr uint64_t kLivelyNs = 50'000;  // soon the program may be at something else
    constexpr size_t kMost = 16;            // queues waited for at a time; others are looked at all the same
    std::array<VkSemaphore, kMost> timelines;
    std::array<uint64_t, kMost> values;
    uint32_t count = 0;
    uint64_t due_ns = UINT64_MAX;
    bool lively = false;
    for (Entry* entry = queues_.load(std::memory_order_acquire); entry; entry = entry->next) {
        SubmitQueue& queue = entry->queue;
        if (!LockWhatHolds(queue)) continue;
        const std::lock_guard lock(queue.mutex(), std::adopt_lock);
        if (!queue.Holds()) continue;
        due_ns = std::min(due_ns, queue.due_ns());
        if (count == kMost) continue;
        timelines[count] = queue.timeline();
        lively = lively || queue.Lively();
        values[count++] = queue.next_value();
    }
    if (!count) return;
    const uint64_t now = NowNs();
    const uint64_t turn_ns = due_ns > now ? std::min(due_ns - now, lively ? kLivelyNs : kTurnNs) : 0;
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
        if (!LockWhatHolds(queue)) continue;
        const std::lock_guard lock(queue.mutex(), std::adopt_lock);
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
