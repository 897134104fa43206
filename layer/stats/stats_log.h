// SPDX-License-Identifier: Apache-2.0
// The statistics log: takes frames from devices and appends them to one file, on a thread of its own.
// One object per path and process, shared by the devices that write there; when the last is gone the thread is joined.
//
// Threads: Attach, Detach and Kick from any thread; the file and the list of devices are guarded by mutex_, which the
// program's threads take only when a device is created or destroyed (and, once the process is exiting, at frame ends).
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "kronos/settings.h"
#include "stats/format.h"
#include "support/append_file.h"
#include "support/log.h"

namespace kronos {

class DeviceStats;

class StatsLog {
  public:
    struct Target {
        std::string path;
        StatsFormat format = StatsFormat::kJsonl;
        uint64_t limit_bytes = 0;  ///< then the file is full; 0: never
        uint32_t older_files = 0;  ///< full files that are kept as path.1 (the newest), path.2, ...; 0: no more frames
        uint64_t tick_ns = 0;      ///< how often devices want Tick; 0: never
    };
    /// The log of this path, opened for appending; nullptr, with one line in `log`, when it cannot be.
    static std::shared_ptr<StatsLog> Open(const Target& target, std::shared_ptr<Log> log);

    ~StatsLog();
    StatsLog(const StatsLog&) = delete;
    StatsLog& operator=(const StatsLog&) = delete;

    const std::string& path() const { return target_.path; }

    /// Writes the device's line. The device must stay alive until Detach.
    void Attach(DeviceStats* device);
    /// Writes what the device still has, and its summary.
    void Detach(DeviceStats* device) noexcept;
    /// A frame was closed. `soon`: the device's ring is filling up. No lock and, while the thread is awake, no system
    /// call.
    void Kick(bool soon) noexcept;

    /// At process exit: writes all frames and a summary of each living device; from then on Kick writes by itself.
    void Exit() noexcept;

    /// Writes all frames there are, as the thread does now and then.
    void DrainForTest() {
        std::lock_guard lock(mutex_);
        Drain();
    }

  private:
    StatsLog(Target target, std::shared_ptr<Log> log);

    void Run();
    bool Inherited() const;  // true in a forked child: the file and the thread are the parent's
    void StartThread();
    void StopThread();
    // These with mutex_ held.
    bool Drain();
    void Finish(DeviceStats* device, bool at_exit);  // the last frames and the summary
    void AppendFrames(DeviceStats* device);
    void Write();
    bool IsFull() const { return target_.limit_bytes && written_ + buffer_.size() >= target_.limit_bytes; }
    void Rotate();      // the full file becomes an older one
    void BeginAgain();  // the file is opened anew; what makes it readable by itself stands at its begin

    const Target target_;
    const std::shared_ptr<Log> log_;
    const uint32_t fork_generation_;

    std::mutex mutex_;
    AppendFile file_;  // not open: writing failed, nothing more is written
    uint64_t written_ = 0;
    bool limit_told_ = false;
    bool deleted_told_ = false;
    uint32_t part_ = 1;  // how many files there were
    std::string buffer_;
    std::vector<DeviceStats*> devices_;

    std::condition_variable wake_;
    std::mutex wake_mutex_;  // guards stop_ and thread_; never held while writing
    bool stop_ = false;      // for good
    std::atomic<bool> asleep_{false};
    std::atomic<bool> started_{false};
    std::atomic<bool> direct_{false};  // no thread: Kick writes
    std::unique_ptr<std::thread> thread_;
};

}  // namespace kronos
