// SPDX-License-Identifier: Apache-2.0
#include "stats/stats_log.h"

#include <errno.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>

#include "stats/device_stats.h"
#include "support/clock.h"
#include "support/formatted.h"
#include "support/process.h"
#include "support/quiet_thread.h"
#include "support/shared_writers.h"

namespace kronos {
namespace {

using namespace std::chrono_literals;
constexpr auto kNap = 50ms;           // how late a line may be while frames come
constexpr int kNapsBeforeSleep = 20;  // a second without frames, then the thread waits to be woken
constexpr size_t kWriteAt = size_t{256} << 10;

SharedWriters<StatsLog>& Logs() {
    static auto& all = *new SharedWriters<StatsLog>(LockRank::kStatsLogs);
    return all;
}

[[gnu::destructor]] void FlushAtExit() { Logs().Exit(); }

}  // namespace

std::shared_ptr<StatsLog> StatsLog::Open(const Target& target, std::shared_ptr<Log> log) {
    SharedWriters<StatsLog>& logs = Logs();
    // Instances that want the same file in another way each append to it: lines are written whole.
    const std::string key = Format("{}|{}|{}|{}|{}", target.path, static_cast<int>(target.format), target.limit_bytes,
                                   target.older_files, target.tick_ns);
    std::lock_guard lock(logs.mutex);
    if (auto known = logs.by_key[key].lock(); known && !known->Inherited()) return known;
    // In a forked child the object is left alone: its thread is not there to be joined, and the condition variable's
    // destructor would wait for that thread for ever.
    std::shared_ptr<StatsLog> made(new StatsLog(target, std::move(log)), [](StatsLog* old) {
        if (!old->Inherited()) delete old;
    });
    if (const std::string error = made->file_.Open(target.path); !error.empty()) {
        made->log_->Warn(
            "stats_file = '{}' cannot be opened ({}); a path that can be written is allowed; counting without a file",
            target.path, error);
        logs.by_key.erase(key);
        return nullptr;
    }
    if (target.format == StatsFormat::kCsv && made->file_.IsEmpty()) made->buffer_ = CsvHeader();
    // Half a line of a process that was killed stays one damaged line.
    if (!made->file_.TornEnd().empty()) made->buffer_ = "\n";
    logs.by_key[key] = made;
    if (target.tick_ns) made->StartThread();
    return made;
}

StatsLog::StatsLog(Target target, std::shared_ptr<Log> log)
    : target_(std::move(target)), log_(std::move(log)), fork_generation_(ForkGeneration()) {}

StatsLog::~StatsLog() { StopThread(); }

bool StatsLog::Inherited() const { return fork_generation_ != ForkGeneration(); }

// At the first frame, not before: most of a thousand devices that a test program makes never have one.
void StatsLog::StartThread() {
    std::lock_guard lock(wake_mutex_);
    if (started_ || stop_) return;
    started_ = true;
    try {
        thread_ = StartQuietThread("kronos-stats", [this] { Run(); });
    } catch (const std::exception& error) {
        direct_ = true;
        log_->Warn("no thread for the statistics ({}); frames are written where they end", error.what());
    }
}

void StatsLog::StopThread() {
    std::unique_ptr<std::thread> thread;
    {
        std::lock_guard lock(wake_mutex_);
        stop_ = true;
        thread = std::move(thread_);
    }
    wake_.notify_one();
    if (thread) thread->join();
}

void StatsLog::Attach(DeviceStats* device) {
    if (Inherited()) return;
    const std::string line =
        target_.format == StatsFormat::kCsv ? DeviceCsv(device->label()) : DeviceJson(device->label());
    std::lock_guard lock(mutex_);
    buffer_ += line;
    devices_.push_back(device);
    Write();
}

void StatsLog::Detach(DeviceStats* device) noexcept {
    if (Inherited()) return;
    std::lock_guard lock(mutex_);
    if (std::find(devices_.begin(), devices_.end(), device) == devices_.end()) return;
    Safely(*log_, "statistics", [&] { Finish(device, false); });
    Safely(*log_, "statistics", [&] { Write(); });
    std::erase(devices_, device);
}

void StatsLog::Kick(bool soon) noexcept {
    if (direct_.load(std::memory_order_acquire)) {
        if (Inherited()) return;
        std::lock_guard lock(mutex_);
        Safely(*log_, "statistics", [&] { Drain(); });
        return;
    }
    if (!started_.load(std::memory_order_acquire)) StartThread();
    // A full ring costs nothing but finer frames, so a wake-up that comes late is no harm.
    if (soon || asleep_.load(std::memory_order_seq_cst)) wake_.notify_one();
}

void StatsLog::Exit() noexcept {
    if (Inherited()) return;
    direct_.store(true, std::memory_order_release);
    StopThread();
    std::lock_guard lock(mutex_);
    for (DeviceStats* device : devices_) Safely(*log_, "statistics", [&] { Finish(device, true); });
    Safely(*log_, "statistics", [&] { Write(); });
}

void StatsLog::Finish(DeviceStats* device, bool at_exit) {
    AppendFrames(device);  // first: a full ring has no room for the last frame
    device->CloseFrameForLog();
    AppendFrames(device);
    const Summary summary = device->MakeSummary(at_exit);
    buffer_ += target_.format == StatsFormat::kCsv ? SummaryCsv(device->label(), summary)
                                                   : SummaryJson(device->label(), summary);
}

void StatsLog::Run() {
    const auto nap = target_.tick_ns
                         ? std::min<std::chrono::nanoseconds>(kNap, std::chrono::nanoseconds(target_.tick_ns))
                         : std::chrono::nanoseconds(kNap);
    int idle = 0;
    for (;;) {
        {
            std::unique_lock lock(wake_mutex_);
            if (stop_) return;
            if (idle < kNapsBeforeSleep || target_.tick_ns) {
                wake_.wait_for(lock, nap);
            } else {
                asleep_.store(true, std::memory_order_seq_cst);
                // Between the store and the wait a Kick can slip through; a bounded sleep makes that a late line, not a
                // lost one.
                wake_.wait_for(lock, 1s);
                asleep_.store(false, std::memory_order_seq_cst);
            }
            if (stop_) return;
        }
        if (direct_.load(std::memory_order_acquire))
            return;  // the process is exiting; frames are written where they end
        std::lock_guard lock(mutex_);
        const uint64_t now = NowNs();
        for (DeviceStats* device : devices_) device->Tick(now);
        Safely(*log_, "statistics", [&] { idle = Drain() ? 0 : idle + 1; });
    }
}

bool StatsLog::Drain() {
    for (DeviceStats* device : devices_) AppendFrames(device);
    const bool some = !buffer_.empty();
    Write();
    return some;
}

// What memory is kept is looked at once for all frames that are written together.
void StatsLog::AppendFrames(DeviceStats* device) {
    bool looked = false;
    while (auto frame = device->TakeFrame()) {
        if (!looked) frame->memory = device->NewLevels();
        looked = true;
        if (file_.IsOpen() && IsFull() && target_.older_files && !limit_told_) Rotate();
        if (!file_.IsOpen()) continue;
        if (IsFull()) {
            if (!limit_told_)
                log_->Warn("{} has reached stats_limit ({} MiB): no more frames are written, the summary will be",
                           target_.path, target_.limit_bytes >> 20);
            limit_told_ = true;
            continue;
        }
        buffer_ += target_.format == StatsFormat::kCsv ? FrameCsv(device->label(), *frame)
                                                       : FrameJson(device->label(), *frame);
        if (buffer_.size() >= kWriteAt) Write();
    }
}

void StatsLog::Write() {
    if (buffer_.empty()) return;
    // Some file systems tell of no links at all: then the path decides.
    if (file_.IsDeleted() && !file_.IsAt(target_.path)) {
        if (!deleted_told_) log_->Warn("{} was deleted while it was written to: it is made anew", target_.path);
        deleted_told_ = true;
        BeginAgain();
    }
    if (const std::string error = file_.Write(buffer_); !error.empty())
        log_->Warn("{} cannot be written ({}): statistics stop here, the program goes on", target_.path, error);
    written_ += buffer_.size();
    buffer_.clear();
}

void StatsLog::Rotate() {
    Write();
    // Of several processes that write to one file, the first one moves it; the others follow.
    if (file_.IsAt(target_.path)) {
        for (uint32_t older = target_.older_files; older > 0; --older) {
            const std::string from = older == 1 ? target_.path : Format("{}.{}", target_.path, older - 1);
            const std::string to = Format("{}.{}", target_.path, older);
            if (std::rename(from.c_str(), to.c_str()) == 0 || (errno == ENOENT && older > 1)) continue;
            log_->Warn("{} is full and cannot be renamed to {} ({}): no more frames are written, the summary will be",
                       from, to, strerror(errno));
            limit_told_ = true;
            return;
        }
    }
    BeginAgain();
}

void StatsLog::BeginAgain() {
    if (const std::string error = file_.Open(target_.path); !error.empty()) {
        log_->Warn("{} cannot be opened again ({}): statistics stop here, the program goes on", target_.path, error);
        return;
    }
    ++part_;
    written_ = 0;
    std::string begin;
    if (target_.format == StatsFormat::kCsv && file_.IsEmpty()) begin = CsvHeader();
    for (const DeviceStats* device : devices_)
        begin += target_.format == StatsFormat::kCsv ? DeviceCsv(device->label()) : DeviceJson(device->label(), part_);
    buffer_.insert(0, begin);
}

}  // namespace kronos
