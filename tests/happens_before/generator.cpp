// SPDX-License-Identifier: Apache-2.0
// Makes programs that end on any driver: whatever a batch waits for comes from a queue with a lower number, or from one
// whose work can be done with what was submitted and signaled so far; the host waits only for what can be done so.
#include <algorithm>
#include <random>
#include <set>
#include <sstream>

#include "program.h"

namespace happens_before {
namespace {

class Generator {
  public:
    Generator(uint64_t seed, const Shape& shape) : random_(seed * 2654435761u + 1), shape_(shape) {}

    Program Make() {
        program_.threads = 1 + (OneIn(2) ? Below(3) : 0);
        program_.queues = program_.threads + Below(3);
        for (uint32_t queue = 0; queue < program_.queues; ++queue)
            program_.thread_of.push_back(queue * program_.threads / program_.queues);
        program_.batches.resize(program_.queues);
        program_.operations.resize(program_.threads);
        signaling_.resize(program_.queues);
        can_.assign(program_.queues, 0);
        promised_.assign(program_.queues, 0);
        for (thread_ = 0; thread_ < program_.threads; ++thread_) MakeThread();
        Finish();
        return std::move(program_);
    }

  private:
    struct FenceState {
        enum { kReady, kSubmitted, kDone } state = kReady;
        uint32_t queue = 0, batches = 0;  // it stands for that many of the queue's first batches
    };

    uint32_t Below(uint32_t n) { return static_cast<uint32_t>(random_() % n); }
    bool OneIn(uint32_t n) { return Below(n) == 0; }
    template <class T>
    const T& Any(const std::vector<T>& all) {
        return all[Below(static_cast<uint32_t>(all.size()))];
    }
    bool Mine(uint32_t queue) const { return program_.thread_of[queue] == thread_; }
    uint32_t Count(uint32_t queue) const { return static_cast<uint32_t>(program_.batches[queue].size()); }
    Operation& Add(Operation::Kind kind) {
        auto& operations = program_.operations[thread_];
        operations.emplace_back().kind = kind;
        return operations.back();
    }
    std::vector<uint32_t> Nothing() const { return std::vector<uint32_t>(program_.queues, 0); }

    void MakeThread() {
        fences_.assign(program_.fences, {});
        binaries_.clear();
        host_signaled_ = host_promised_ = 0;
        mine_.clear();
        for (uint32_t queue = 0; queue < program_.queues; ++queue)
            if (Mine(queue)) mine_.push_back(queue);
        for (uint32_t step = 8 + Below(24); step > 0; --step) Step();
        // What was promised is kept. Lower queues first, for higher ones may wait for them.
        if (host_signaled_ < host_promised_) HostSignal(host_promised_);
        while (!unset_.empty()) SetEvent();
        for (const uint32_t queue : mine_)
            while (signaling_[queue].size() < promised_[queue]) Submit(queue, false);
        if (program_.threads == 1 && OneIn(2)) {
            Operation& idle = Add(Operation::kDeviceIdle);
            idle.done = Nothing();
            for (const uint32_t queue : mine_) idle.done[queue] = Count(queue);
        } else {
            for (const uint32_t queue : mine_) Idle(queue);
        }
    }

    void Step() {
        switch (Below(16)) {
            case 0:
                return WaitFences();
            case 1:
                Add(Operation::kPollFence).fence = Below(program_.fences);
                return;
            case 2:
                return WaitTimeline();
            case 3:
                Add(Operation::kPollTimeline).queue = Below(program_.queues);
                return;
            case 4:
                if (host_signaled_ < host_promised_) HostSignal(host_signaled_ + 1);
                return;
            case 5:
                if (!unset_.empty()) SetEvent();
                return;
            case 6:
                if (OneIn(3)) Idle(Any(mine_));
                return;
            case 7:
                return Query();
            case 8:
                return Mapped();
            case 9:
                if (OneIn(3)) Add(Operation::kMap);
                return;
            case 10:
                return Renew();
            default:
                return Submit(Any(mine_), true);
        }
    }

    // How far each queue of this thread gets with what was submitted and signaled; those of other threads get there.
    void Settle() {
        for (bool more = true; more;) {
            more = false;
            for (const uint32_t queue : mine_) {
                while (can_[queue] < Count(queue) && Can(program_.batches[queue][can_[queue]])) {
                    ++can_[queue];
                    more = true;
                }
            }
        }
    }
    bool Can(const Value& value) const {
        if (!Mine(value.queue)) return true;
        const auto& signaling = signaling_[value.queue];
        return value.value <= signaling.size() && signaling[value.value - 1] < can_[value.queue];
    }
    bool Can(const Batch& batch) const {
        return std::all_of(batch.timeline_waits.begin(), batch.timeline_waits.end(),
                           [&](const Value& value) { return Can(value); }) &&
               batch.host_wait <= host_signaled_ && !unset_.contains(batch.event);
    }

    void Submit(uint32_t queue, bool waits) {
        Operation operation;
        operation.queue = queue;
        operation.first = Count(queue);
        operation.count = waits ? (OneIn(8) ? 0 : 1 + Below(3)) : 1;
        operation.second = OneIn(3);
        for (uint32_t i = 0; i < operation.count; ++i) {
            MakeBatch(queue, waits);
            Settle();
        }
        const uint32_t fence = Below(program_.fences);
        if (OneIn(2) && fences_[fence].state == FenceState::kReady) {
            operation.fence = fence;
            fences_[fence] = {FenceState::kSubmitted, queue, Count(queue)};
        }
        if (operation.count || operation.fence != Operation::kNoFence)
            program_.operations[thread_].push_back(std::move(operation));
    }

    void MakeBatch(uint32_t queue, bool waits) {
        Batch batch;
        if (waits && OneIn(4)) WaitForTimeline(queue, batch);
        if (waits && OneIn(12)) batch.host_wait = host_promised_ = host_signaled_ + 1;
        if (waits) WaitForBinaries(batch);
        for (uint32_t i = Below(4); i > 0; --i) batch.dispatches.push_back(program_.dispatches++);
        if (waits && !batch.dispatches.empty() && OneIn(16)) {
            batch.event = ++program_.events;
            unset_.insert(batch.event);
        }
        batch.timestamp = !batch.dispatches.empty() && OneIn(6);
        if (!waits || OneIn(3)) {
            signaling_[queue].push_back(Count(queue));
            batch.value = signaling_[queue].size();
        }
        if (OneIn(8)) {
            binaries_.push_back({program_.binaries, {queue, Count(queue)}});
            batch.binary_signals.push_back(program_.binaries++);
        }
        program_.batches[queue].push_back(std::move(batch));
    }

    void WaitForTimeline(uint32_t queue, Batch& batch) {
        const uint32_t other = Below(program_.queues);
        Value value = {other, 0};
        if (other < queue && Mine(other) && OneIn(3)) {
            // Not submitted yet.
            value.value = promised_[other] = std::max<uint64_t>(promised_[other], signaling_[other].size() + 1);
        } else {
            if (signaling_[other].empty()) return;
            value.value = 1 + Below(static_cast<uint32_t>(signaling_[other].size()));
            if (other >= queue && !Can(value)) return;
        }
        batch.timeline_waits.push_back(value);
    }

    // Section vkQueueSubmit, 03238: what signals it, and what that depends on, must have been submitted.
    void WaitForBinaries(Batch& batch) {
        for (auto at = binaries_.begin(); at != binaries_.end();) {
            if (at->from.batch >= can_[at->from.queue] || OneIn(2)) {
                ++at;
                continue;
            }
            batch.binary_waits.push_back(at->number);
            waited_for_.push_back(*at);
            at = binaries_.erase(at);
        }
    }

    bool Signaled(const FenceState& fence) const {
        return fence.state == FenceState::kDone ||
               (fence.state == FenceState::kSubmitted && fence.batches <= can_[fence.queue]);
    }
    void WaitFences() {
        Operation operation;
        operation.kind = Operation::kWaitFences;
        operation.all = OneIn(2);
        operation.timeout = OneIn(4);
        operation.done = Nothing();
        bool any = false;
        for (uint32_t i = 0; i < program_.fences; ++i) {
            const bool signaled = Signaled(fences_[i]);
            // For any, those that may never be signaled count too, as long as one is.
            if (signaled ? OneIn(2) : operation.all || OneIn(3)) continue;
            operation.fences.push_back(i);
            any = any || signaled;
        }
        if (!any) return;
        const bool certain = operation.all && !operation.timeout;
        for (const uint32_t i : operation.fences) {
            FenceState& fence = fences_[i];
            if (operation.all) operation.done[fence.queue] = std::max(operation.done[fence.queue], fence.batches);
            if (certain) fence.state = FenceState::kDone;
        }
        const std::vector<uint32_t> waited = operation.fences;
        program_.operations[thread_].push_back(std::move(operation));
        if (!certain || OneIn(2)) return;
        Add(Operation::kResetFences).fences = waited;
        for (const uint32_t i : waited) fences_[i] = {};
    }
    void Renew() {
        const uint32_t fence = Below(program_.fences);
        if (fences_[fence].state == FenceState::kSubmitted) return;
        fences_[fence] = {};
        Add(Operation::kRenewFence).fence = fence;
    }
    void WaitTimeline() {
        Operation operation;
        operation.kind = Operation::kWaitTimeline;
        operation.timeout = OneIn(4);
        operation.done = Nothing();
        for (const uint32_t queue : mine_) {
            uint64_t can = 0;
            while (can < signaling_[queue].size() && signaling_[queue][can] < can_[queue]) ++can;
            if (!can || OneIn(2)) continue;
            const uint64_t value = 1 + Below(static_cast<uint32_t>(can));
            operation.values.push_back({queue, value});
            operation.done[queue] = signaling_[queue][value - 1] + 1;
        }
        if (operation.values.empty()) return;
        operation.all = operation.values.size() == 1 || OneIn(2);
        if (!operation.all) operation.done = Nothing();
        program_.operations[thread_].push_back(std::move(operation));
    }
    void HostSignal(uint64_t value) {
        Add(Operation::kHostSignal).value = host_signaled_ = value;
        Settle();
    }
    void SetEvent() {
        Add(Operation::kSetEvent).value = *unset_.begin();
        unset_.erase(unset_.begin());
        Settle();
    }
    void Idle(uint32_t queue) {
        if (can_[queue] != Count(queue)) return;
        Operation& idle = Add(Operation::kQueueIdle);
        idle.queue = queue;
        idle.done = Nothing();
        idle.done[queue] = can_[queue];
        for (FenceState& fence : fences_)
            if (fence.state == FenceState::kSubmitted && fence.queue == queue) fence.state = FenceState::kDone;
    }
    void Query() {
        for (const uint32_t queue : mine_) {
            for (uint32_t i = 0; i < can_[queue]; ++i) {
                if (!program_.batches[queue][i].timestamp || OneIn(3)) continue;
                Operation& query = Add(Operation::kQuery);
                query.queue = queue;
                query.first = i;
                query.timeout = OneIn(3);
                return;
            }
        }
    }
    void Mapped() {
        if (!shape_.mapped) return;
        for (const uint32_t queue : mine_) {
            for (uint32_t i = can_[queue]; i > 0; --i) {
                if (program_.batches[queue][i - 1].dispatches.empty()) continue;
                Add(Operation::kMapped).dispatch = program_.batches[queue][i - 1].dispatches.front();
                return;
            }
        }
    }

    // What each batch needs, now that all are there. A wait is for all that comes later on its queue.
    void Finish() {
        for (auto& batches : program_.batches) {
            std::vector<uint32_t> need = Nothing();
            uint64_t need_host = 0;
            for (Batch& batch : batches) {
                for (const Value& wait : batch.timeline_waits)
                    need[wait.queue] = std::max(need[wait.queue], signaling_[wait.queue].at(wait.value - 1) + 1);
                for (const uint32_t number : batch.binary_waits) {
                    const auto& from = std::find_if(waited_for_.begin(), waited_for_.end(), [&](const Binary& one) {
                                           return one.number == number;
                                       })->from;
                    need[from.queue] = std::max(need[from.queue], from.batch + 1);
                }
                need_host = std::max(need_host, batch.host_wait);
                batch.need = need;
                batch.need_host = need_host;
            }
        }
    }

    struct Place {
        uint32_t queue = 0, batch = 0;
    };
    struct Binary {
        uint32_t number = 0;
        Place from;
    };
    std::mt19937_64 random_;
    const Shape shape_;
    Program program_;
    uint32_t thread_ = 0;
    std::vector<uint32_t> mine_;
    std::vector<std::vector<uint32_t>> signaling_;  // of each queue, the batches that signal its values, from 1 on
    std::vector<uint64_t> promised_;                // of each queue, a value that somebody waits for
    std::vector<uint32_t> can_;                     // of each queue, how many batches can be done
    std::vector<FenceState> fences_;
    std::vector<Binary> binaries_, waited_for_;
    uint64_t host_signaled_ = 0, host_promised_ = 0;
    std::set<uint32_t> unset_;  // events that somebody waits for
};

}  // namespace

Program Generate(uint64_t seed, const Shape& shape) { return Generator(seed, shape).Make(); }

std::string Text(const Program& program) {
    std::ostringstream text;
    for (uint32_t queue = 0; queue < program.queues; ++queue) {
        text << "queue " << queue << " of thread " << program.thread_of[queue] << ":";
        for (const Batch& batch : program.batches[queue]) {
            text << " [";
            for (const Value& wait : batch.timeline_waits) text << " wait " << wait.queue << '=' << wait.value;
            if (batch.host_wait) text << " wait host=" << batch.host_wait;
            for (const uint32_t number : batch.binary_waits) text << " wait b" << number;
            if (batch.event) text << " event " << batch.event;
            for (const uint32_t dispatch : batch.dispatches) text << " d" << dispatch;
            if (batch.timestamp) text << " time";
            if (batch.value) text << " signal " << batch.value;
            for (const uint32_t number : batch.binary_signals) text << " signal b" << number;
            text << " ]";
        }
        text << '\n';
    }
    static constexpr const char* kNames[] = {
        "submit",      "wait fences", "poll fence", "reset fences", "renew fence", "wait timeline", "poll timeline",
        "host signal", "set event",   "queue idle", "device idle",  "query",       "mapped",        "map"};
    for (uint32_t thread = 0; thread < program.threads; ++thread) {
        text << "thread " << thread << ":\n";
        for (const Operation& operation : program.operations[thread]) {
            text << "  " << kNames[operation.kind] << " queue " << operation.queue << " batches " << operation.first
                 << '+' << operation.count << " value " << operation.value << " dispatch " << operation.dispatch
                 << (operation.all ? " all" : " any") << (operation.timeout ? " no time" : "")
                 << (operation.second ? " second form" : "");
            if (operation.fence != Operation::kNoFence) text << " fence " << operation.fence;
            for (const uint32_t fence : operation.fences) text << " f" << fence;
            for (const Value& value : operation.values) text << ' ' << value.queue << '=' << value.value;
            text << '\n';
        }
    }
    return text.str();
}

}  // namespace happens_before
