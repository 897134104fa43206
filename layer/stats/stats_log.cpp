// SPDX-License-Identifier: Apache-2.0
#include "stats/stats_log.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <map>

#include "stats/device_stats.h"
#include "support/clock.h"
#include "support/process.h"

namespace kronos {
namespace {

using namespace std::chrono_literals;
constexpr auto kNap = 50ms;           // how late a line may be while frames come
constexpr int kNapsBeforeSleep = 20;  // a second without frames, then the thread waits to be woken
constexpr size_t kWriteAt = size_t{256} << 10;

// Never destroyed: programs call Vulkan after static objects have died.
struct OpenLogs {
    std::mutex mutex;
    std::map<std::string, std::weak_ptr<StatsLog>> by_path;
};
OpenLogs& Logs() {
    static OpenLogs& logs = *[] {
        OnFork([] { Logs().mutex.lock(); }, [] { Logs().mutex.unlock(); });
        return new OpenLogs;
    }();
    return logs;
}

// Runs after the program's exit handlers that were registered before the layer was loaded, and before libc is done.
[[gnu::destructor]] void FlushAtExit() {
    std::vector<std::shared_ptr<StatsLog>> living;
    {
        std::lock_guard lock(Logs().mutex);
        for (auto& [path, weak] : Logs().by_path)
            if (auto log = weak.lock()) living.push_back(std::move(log));
    }
    for (const auto& log : living) log->Exit();
    // The devices still own their logs; if a device died meanwhile its log must not be joined from a destructor.
    static auto& kept = *new std::vector<std::shared_ptr<StatsLog>>;
    kept = std::move(living);
}

}  // namespace

std::shared_ptr<StatsLog> StatsLog::Open(const Target& target, std::shared_ptr<Log> log) {
    OpenLogs& logs = Logs();
    std::lock_guard lock(logs.mutex);
    auto& known = logs.by_path[target.path];
    if (auto open = known.lock(); open && !open->Inherited()) return open;
    const int fd = open(target.path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0644);
    struct stat status = {};
    const bool regular = fd >= 0 && fstat(fd, &status) == 0;
    if (!regular) {
        const int error = errno;
        if (fd >= 0) close(fd);
        log->Warn(
            "stats_file = '{}' cannot be opened ({}); a path that can be written is allowed; counting without a file",
            target.path, strerror(error));
        logs.by_path.erase(target.path);
        return nullptr;
    }
    // In a forked child the object is left alone: its thread is not there to be joined, and the condition variable's
    // destructor would wait for that thread for ever.
    std::shared_ptr<StatsLog> made(new StatsLog(target, fd, std::move(log)), [](StatsLog* old) {
        if (!old->Inherited()) delete old;
    });
    if (target.format == StatsFormat::kCsv && status.st_size == 0) made->buffer_ = CsvHeader();
    known = made;
    if (target.tick_ns) made->StartThread();
    return made;
}

StatsLog::StatsLog(Target target, int fd, std::shared_ptr<Log> log)
    : target_(std::move(target)), log_(std::move(log)), fork_generation_(ForkGeneration()), fd_(fd) {}

StatsLog::~StatsLog() {
    if (thread_) {
        {
            std::lock_guard lock(wake_mutex_);
            stop_ = true;
        }
        wake_.notify_one();
        thread_->join();
    }
    if (fd_ >= 0) close(fd_);
}

bool StatsLog::Inherited() const { return fork_generation_ != ForkGeneration(); }

// At the first frame, not before: most of a thousand devices that a test program makes never have one.
void StatsLog::StartThread() {
    if (started_.load(std::memory_order_relaxed) || started_.exchange(true)) return;
    // The program's signals are the program's: none may be delivered on our thread.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
        thread_ = std::make_unique<std::thread>([this] { Run(); });
        pthread_setname_np(thread_->native_handle(), "kronos-stats");
    } catch (const std::system_error& error) {
        direct_ = true;
        log_->Warn("no thread for the statistics ({}); frames are written where they end", error.what());
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void StatsLog::Attach(DeviceStats* device) {
    if (Inherited()) return;
    std::lock_guard lock(mutex_);
    devices_.push_back(device);
    buffer_ += target_.format == StatsFormat::kCsv ? DeviceCsv(device->label()) : DeviceJson(device->label());
    Write();
}

void StatsLog::Detach(DeviceStats* device) {
    if (Inherited()) return;
    std::lock_guard lock(mutex_);
    const auto found = std::find(devices_.begin(), devices_.end(), device);
    if (found == devices_.end()) return;
    Finish(device, false);
    devices_.erase(found);
    Write();
}

void StatsLog::Kick(bool soon) {
    if (direct_.load(std::memory_order_acquire)) {
        if (Inherited()) return;
        std::lock_guard lock(mutex_);
        Drain();
        return;
    }
    if (!started_.load(std::memory_order_relaxed)) StartThread();
    // A full ring costs nothing but finer frames, so a wake-up that comes late is no harm.
    if (soon || asleep_.load(std::memory_order_seq_cst)) wake_.notify_one();
}

void StatsLog::Exit() {
    if (Inherited()) return;
    std::lock_guard lock(mutex_);
    direct_.store(true, std::memory_order_release);
    for (DeviceStats* device : devices_) Finish(device, true);
    Write();
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
        idle = Drain() ? 0 : idle + 1;
    }
}

bool StatsLog::Drain() {
    for (DeviceStats* device : devices_) AppendFrames(device);
    const bool some = !buffer_.empty();
    Write();
    return some;
}

void StatsLog::AppendFrames(DeviceStats* device) {
    while (const auto frame = device->TakeFrame()) {
        if (fd_ < 0) continue;
        if (target_.limit_bytes && written_ + buffer_.size() >= target_.limit_bytes) {
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
    size_t done = 0;
    while (fd_ >= 0 && done < buffer_.size()) {
        const ssize_t n = write(fd_, buffer_.data() + done, buffer_.size() - done);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            log_->Warn("{} cannot be written ({}): statistics stop here, the program goes on", target_.path,
                       strerror(errno));
            close(fd_);
            fd_ = -1;
            break;
        }
        done += static_cast<size_t>(n);
    }
    written_ += done;
    buffer_.clear();
}

}  // namespace kronos
