// SPDX-License-Identifier: Apache-2.0
#include "trace/trace_writer.h"

#include <unistd.h>

#include <chrono>

#include "support/clock.h"
#include "support/formatted.h"
#include "support/process.h"
#include "support/quiet_thread.h"
#include "support/shared_writers.h"
#include "trace/trace_events.h"

namespace kronos {
namespace {

using namespace std::chrono_literals;
constexpr auto kNap = 50ms;  // how late an event may be written
constexpr std::string_view kBegin = "[\n";
constexpr std::string_view kEventBegin = "{\"ph\":";
constexpr std::string_view kSeparator = ",\n";

SharedWriters<TraceWriter>& Traces() {
    static auto& all = *new SharedWriters<TraceWriter>(LockRank::kTraces);
    return all;
}

[[gnu::destructor]] void FlushAtExit() { Traces().Exit(); }

}  // namespace

std::shared_ptr<TraceWriter> TraceWriter::Open(const std::string& path, uint64_t limit_bytes,
                                               std::shared_ptr<Log> log) {
    SharedWriters<TraceWriter>& traces = Traces();
    std::lock_guard lock(traces.mutex);
    if (auto known = traces.by_key[path].lock(); known && !known->Inherited()) return known;
    // In a forked child the object is left alone: its thread is not there to be joined.
    std::shared_ptr<TraceWriter> made(new TraceWriter(path, limit_bytes, std::move(log)), [](TraceWriter* old) {
        if (!old->Inherited()) delete old;
    });
    std::string error = made->file_.Open(path);
    made->file_.CutTornEnd(kEventBegin);
    if (error.empty()) error = made->file_.WriteFirst(kBegin);
    if (!error.empty()) {
        made->log_->Warn(
            "trace_file = '{}' cannot be written ({}); a path that can be written is allowed; there is no trace", path,
            error);
        traces.by_key.erase(path);
        return nullptr;
    }
    try {
        made->thread_ = StartQuietThread("kronos-trace", [writer = made.get()] { writer->Run(); });
    } catch (const std::exception& failed) {
        made->direct_ = true;
        made->log_->Warn("no thread for the trace ({}); events are written where they happen", failed.what());
    }
    traces.by_key[path] = made;
    return made;
}

TraceWriter::TraceWriter(std::string path, uint64_t limit_bytes, std::shared_ptr<Log> log)
    : path_(std::move(path)), limit_bytes_(limit_bytes), log_(std::move(log)), fork_generation_(ForkGeneration()) {}

TraceWriter::~TraceWriter() {
    StopThread();
    WriteWaiting();
}

bool TraceWriter::Inherited() const { return fork_generation_ != ForkGeneration(); }

void TraceWriter::Add(std::string_view event) noexcept {
    if (Inherited()) return;
    {
        std::lock_guard lock(buffer_mutex_);
        try {
            if (waiting_.size() + event.size() > kRoom) {
                ++dropped_;
                return;
            }
            const size_t before = waiting_.size();
            waiting_.append(event);
            try {
                waiting_.append(kSeparator);
            } catch (const std::bad_alloc&) {
                waiting_.resize(before);
                throw;
            }
        } catch (const std::bad_alloc&) {
            ++dropped_;
            return;
        }
    }
    if (direct_.load(std::memory_order_acquire)) WriteWaiting();
}

void TraceWriter::AddName(const std::string& event) noexcept {
    if (Inherited()) return;
    Safely(*log_, "trace", [&] {
        std::lock_guard lock(buffer_mutex_);
        names_ += event;
        names_ += kSeparator;
    });
    Add(event);
}

void TraceWriter::Exit() noexcept {
    if (Inherited()) return;
    direct_.store(true, std::memory_order_release);
    StopThread();
    WriteWaiting();
}

void TraceWriter::StopThread() noexcept {
    std::unique_ptr<std::thread> thread;
    {
        std::lock_guard lock(wake_mutex_);
        stop_ = true;
        thread = std::move(thread_);
    }
    wake_.notify_one();
    if (thread) thread->join();
}

void TraceWriter::Run() noexcept {
    std::unique_lock lock(wake_mutex_);
    while (!stop_) {
        wake_.wait_for(lock, kNap, [&] { return stop_; });
        if (stop_) return;
        lock.unlock();
        WriteWaiting();
        lock.lock();
    }
}

void TraceWriter::WriteWaiting() noexcept {
    std::lock_guard lock(file_mutex_);
    Safely(*log_, "trace", [&] { Write(); });
}

// With file_mutex_ held.
void TraceWriter::Write() {
    uint64_t dropped = 0;
    writing_.clear();
    {
        std::lock_guard lock(buffer_mutex_);
        waiting_.swap(writing_);
        std::swap(dropped, dropped_);
    }
    if (!file_.IsOpen()) return;
    if (dropped) {
        writing_ += InstantEvent({getpid(), 0}, Format("{} events were dropped: the file is slow", dropped), NowNs());
        writing_ += kSeparator;
        if (!dropped_told_) log_->Warn("{} is written too slowly: some events are not in the trace", path_);
        dropped_told_ = true;
    }
    if (writing_.empty()) return;
    // Some file systems tell of no links at all: then the path decides.
    if (file_.IsDeleted() && !file_.IsAt(path_)) {
        if (!deleted_told_) log_->Warn("{} was deleted while it was written to: it is made anew", path_);
        deleted_told_ = true;
        std::string error = file_.Open(path_);
        if (error.empty()) error = file_.WriteFirst(kBegin);
        if (!error.empty()) {
            file_.Close();
            return log_->Warn("{} cannot be opened again ({}): the trace stops here, the program goes on", path_,
                              error);
        }
        std::lock_guard lock(buffer_mutex_);
        writing_.insert(0, names_);
    }
    if (limit_bytes_ && written_ + writing_.size() > limit_bytes_) {
        log_->Warn("{} has reached trace_limit ({} MiB): the trace ends here, the program goes on", path_,
                   limit_bytes_ >> 20);
        return file_.Close();
    }
    if (const std::string error = file_.Write(writing_); !error.empty())
        log_->Warn("{} cannot be written ({}): the trace stops here, the program goes on", path_, error);
    written_ += writing_.size();
}

}  // namespace kronos
