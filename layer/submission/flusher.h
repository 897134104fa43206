// SPDX-License-Identifier: Apache-2.0
// The thread that gives the driver what queues hold when the program does not: as soon as there is room, or when it has
// waited long enough. One a device, started when something is held for the first time.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>

#include "support/fork_mutex.h"
#include "support/process.h"

namespace kronos {

/// What the flusher looks after. Any thread.
class FlusherWork {
  public:
    /// Whether anything is held.
    virtual bool Holds() const noexcept = 0;
    /// Waits until something that is held may go, for no longer than it may be held, and lets it go.
    virtual void Round() noexcept = 0;
    /// Lets all go.
    virtual void FlushNow() noexcept = 0;

  protected:
    ~FlusherWork() = default;
};

class Flusher {
  public:
    explicit Flusher(FlusherWork& work) : work_(work) {}
    /// Stopped by then, or never told; not in a child of fork, which has no thread to stop.
    ~Flusher() = default;
    Flusher(const Flusher&) = delete;
    Flusher& operator=(const Flusher&) = delete;

    /// Something is held. Wakes the thread when it sleeps, starts it the first time; nearly free otherwise. False:
    /// there is none, because none can be had, in a forked child, or while the process exits. Not for who holds a lock.
    bool Tell() noexcept;
    /// When this returns, the thread is gone; what is held stays held. There is no other afterwards.
    void Stop() noexcept;

  private:
    friend struct AllFlushers;
    bool Inherited() const { return fork_generation_ != ForkGeneration(); }
    void Run() noexcept;
    void EndThread() noexcept;

    FlusherWork& work_;
    const uint32_t fork_generation_ = ForkGeneration();

    ForkMutex inside_{LockRank::kFlusher};  // held while the thread is in a driver
    std::mutex mutex_;
    std::condition_variable wake_;
    // Guarded by mutex_.
    std::unique_ptr<std::thread> thread_;
    bool tried_ = false;
    bool told_ = false;
    bool stop_ = false;
    // Sequentially consistent: who holds something and then looks at it, and the thread that goes to sleep and then
    // looks at what is held, do not both miss the other.
    std::atomic<bool> asleep_{true};
    std::atomic<bool> added_{false};  // to those that the exit handler looks after
};

}  // namespace kronos
