// SPDX-License-Identifier: Apache-2.0
#include "stats/device_stats.h"

#include <algorithm>
#include <new>

#include "stats/stats_log.h"
#include "support/clock.h"
#include "support/process.h"

namespace kronos {

DeviceStats::DeviceStats(DeviceLabel label, std::shared_ptr<StatsLog> log, bool frames, uint64_t every_submits,
                         uint64_t every_ns)
    : label_(std::move(label)),
      log_(std::move(log)),
      frames_(frames && log_),
      every_ns_(every_ns),
      born_ns_(NowNs()),
      fork_generation_(ForkGeneration()),
      policy_(every_submits),
      ring_(frames_ ? std::make_unique<FrameRing>() : nullptr) {
    if (log_) log_->Attach(this);
}

DeviceStats::~DeviceStats() {
    if (log_) log_->Detach(this);
}

void DeviceStats::OnBoundary(FrameEnd end) {
    policy_.Boundary();
    CloseFrame(end);
}

void DeviceStats::OnSubmit() {
    if (policy_.BySubmits() && policy_.Submitted(Submits())) CloseFrame(FrameEnd::kSubmits);
}

void DeviceStats::OnWaitDone() {
    if (policy_.ByWaits() && policy_.Waited(Submits())) CloseFrame(FrameEnd::kWait);
}

void DeviceStats::OnCounterRead(uint64_t semaphore, uint64_t value) {
    constexpr int kValueBits = 40;
    const uint64_t hash = semaphore * 0x9E3779B97F4A7C15ull;
    const uint64_t now = (hash & (~uint64_t{0} << kValueBits)) | (value & ((uint64_t{1} << kValueBits) - 1));
    std::atomic<uint64_t>& slot = last_read_[(hash >> (kValueBits - 4)) % last_read_.size()];
    const uint64_t last = slot.load(std::memory_order_relaxed);
    if (last == now) return;
    slot.store(now, std::memory_order_relaxed);
    // Of one that was not asked for before, nothing is known but that zero is where most begin.
    if ((last ^ now) >> kValueBits == 0 || value != 0) OnWaitDone();
}

void DeviceStats::CloseFrame(FrameEnd end) {
    if (frames_ && fork_generation_ == ForkGeneration()) log_->Kick(TryClose(end));
}

void DeviceStats::CloseFrameForLog(FrameEnd end) {
    if (frames_) TryClose(end);
}

bool DeviceStats::TryClose(FrameEnd end) {
    if (closing_.test_and_set(std::memory_order_acquire)) return false;
    if (CounterStep* steps = ring_->Room()) {
        const size_t count = counters_.Since(last_, steps);
        policy_.Closed(last_.At(Side::kAsked, Counter::kSubmits));
        if (count) {
            const uint64_t number = closed_.load(std::memory_order_relaxed);
            const uint64_t now_ns = NowNs() - born_ns_;
            // Before it can be taken: a summary counts every frame that was.
            closed_.store(number + 1, std::memory_order_relaxed);
            ring_->Put(
                {number, frame_begin_ns_.load(std::memory_order_relaxed), now_ns, end, static_cast<uint32_t>(count)});
            frame_begin_ns_.store(now_ns, std::memory_order_relaxed);
        }
    }
    const bool crowded = ring_->Crowded();
    closing_.clear(std::memory_order_release);
    return crowded;
}

std::optional<Frame> DeviceStats::TakeFrame() {
    FrameRing::Closed closed;
    if (!ring_ || !ring_->Oldest(closed)) return std::nullopt;
    Frame frame;
    frame.number = closed.head.number;
    frame.begin_ns = closed.head.begin_ns;
    frame.end_ns = closed.head.end_ns;
    frame.end = closed.head.end;
    for (const CounterStep& step : closed.steps) frame.counted.value[step.counter][step.side] = step.n;
    ring_->Drop(closed);
    return frame;
}

void DeviceStats::Tick(uint64_t now_ns) {
    if (every_ns_ && now_ns - born_ns_ >= frame_begin_ns_.load(std::memory_order_relaxed) + every_ns_)
        CloseFrameForLog(FrameEnd::kTime);
}

Summary DeviceStats::MakeSummary(bool at_exit) {
    const std::lock_guard lock(levels_mutex_);
    LookAtLevels();
    return {closed_.load(std::memory_order_relaxed), NowNs() - born_ns_, at_exit, counters_.Snapshot(), levels_most_};
}

void DeviceStats::SetLevels(const LevelSource* source) {
    if (fork_generation_ != ForkGeneration()) return;  // a thread that is not here may hold the mutex
    const std::lock_guard lock(levels_mutex_);
    try {
        if (!source) LookAtLevels();
    } catch (const std::bad_alloc&) {
        // They stay as they were last seen.
    }
    level_source_ = source;
}

std::optional<MemoryLevels> DeviceStats::NewLevels() {
    const std::lock_guard lock(levels_mutex_);
    LookAtLevels();
    if (levels_ == levels_told_) return std::nullopt;
    return levels_told_ = levels_;
}

void DeviceStats::LookAtLevels() {
    if (!level_source_) return;
    levels_ = level_source_->Levels();
    for (const HeapLevels& now : levels_) {
        const auto most = std::find_if(levels_most_.begin(), levels_most_.end(),
                                       [&](const HeapLevels& one) { return one.heap >= now.heap; });
        if (most != levels_most_.end() && most->heap == now.heap)
            most->Raise(now);
        else
            levels_most_.insert(most, now);
    }
}

}  // namespace kronos
