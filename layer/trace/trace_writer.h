// SPDX-License-Identifier: Apache-2.0
// Writes the events of a trace to a file, on a thread of its own. One object per path and process, shared by the
// devices that write there; when the last is gone the thread is joined.
//
// The file is a JSON array that is never closed, which the format allows: so it can be read whenever the process ends,
// and whoever comes later goes on with it.
//
// Threads: any. Events wait in a buffer of limited size, guarded by buffer_mutex_, which is held for as long as a copy
// takes and never while writing: when the file is slow, events are dropped and counted. The file is the thread's, and
// once that is gone, of who exits or destroys the object. In a child of fork nothing is written.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "support/append_file.h"
#include "support/log.h"

namespace kronos {

class TraceWriter {
  public:
    /// The writer of this path; nullptr, with one line in `log`, when it cannot be opened. `limit_bytes`: then the
    /// trace ends; 0: never.
    static std::shared_ptr<TraceWriter> Open(const std::string& path, uint64_t limit_bytes, std::shared_ptr<Log> log);

    /// Writes what waits.
    ~TraceWriter();
    TraceWriter(const TraceWriter&) = delete;
    TraceWriter& operator=(const TraceWriter&) = delete;

    const std::string& path() const { return path_; }

    /// One event, or several that are of use only together, with "," between them: one line. Dropped when there is no
    /// room.
    void Add(std::string_view event) noexcept;
    /// The same for names, which are written again where the file begins anew.
    void AddName(const std::string& event) noexcept;

    /// At process exit: writes what waits; from then on Add writes by itself.
    void Exit() noexcept;
    bool Inherited() const;

  private:
    TraceWriter(std::string path, uint64_t limit_bytes, std::shared_ptr<Log> log);

    void Run() noexcept;
    void StopThread() noexcept;
    void WriteWaiting() noexcept;
    void Write();

    static constexpr size_t kRoom = size_t{16} << 20;

    const std::string path_;
    const uint64_t limit_bytes_;
    const std::shared_ptr<Log> log_;
    const uint32_t fork_generation_;

    std::mutex buffer_mutex_;
    std::string waiting_;  // each event with a separator before it. This and the next two: guarded by buffer_mutex_
    std::string names_;
    uint64_t dropped_ = 0;

    std::mutex file_mutex_;  // guards what follows; never taken by Add while there is a thread
    AppendFile file_;        // not open: writing failed, nothing more is written
    std::string writing_;
    uint64_t written_ = 0;
    bool dropped_told_ = false;
    bool deleted_told_ = false;

    std::condition_variable wake_;
    std::mutex wake_mutex_;  // guards stop_
    bool stop_ = false;
    std::atomic<bool> direct_{false};  // no thread: Add writes
    std::unique_ptr<std::thread> thread_;
};

}  // namespace kronos
