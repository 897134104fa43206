// SPDX-License-Identifier: Apache-2.0
#include "submission/flusher.h"

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <vector>

#include "support/quiet_thread.h"

namespace kronos {

// Of the process; what they hold goes when it exits, and their threads end before drivers do. Never destroyed.
struct AllFlushers {
    ForkMutex mutex{LockRank::kAllFlushers};
    std::vector<Flusher*>
        running;           // guarded by mutex; in a child of fork also the parent's, which are never destroyed there
    bool exiting = false;  // guarded by mutex

    static AllFlushers& Get() {
        static AllFlushers& all = *[] {
            auto* made = new AllFlushers;
            // Not by a destructor: when those run, drivers may be gone. What is registered last runs first.
            std::atexit([] { Get().Exit(); });
            return made;
        }();
        return all;
    }
    /// False: the process exits. Does nothing for one that is there. Throws std::bad_alloc.
    bool Add(Flusher* flusher) {
        std::lock_guard lock(mutex);
        if (exiting) return false;
        if (std::find(running.begin(), running.end(), flusher) == running.end()) running.push_back(flusher);
        return true;
    }
    /// When it returns, nobody here is about to use it.
    void Remove(Flusher* flusher) noexcept {
        std::lock_guard lock(mutex);
        std::erase(running, flusher);
    }

  private:
    void Exit() {
        std::lock_guard lock(mutex);
        exiting = true;
        for (Flusher* flusher : running) {
            if (flusher->Inherited()) continue;
            flusher->EndThread();
            flusher->work_.FlushNow();
        }
    }
};

bool Flusher::Tell() noexcept {
    if (!asleep_.load()) return true;
    if (Inherited()) return false;
    try {
        // Before the first lock: the exit handler takes these two the other way round.
        if (!added_.load(std::memory_order_acquire)) {
            if (!AllFlushers::Get().Add(this)) return false;
            added_.store(true, std::memory_order_release);
        }
        std::lock_guard lock(mutex_);
        if (stop_) return false;
        if (!thread_ && !tried_) {
            tried_ = true;
            thread_ = StartQuietThread("kronos-submit", [this] { Run(); });
        }
        if (!thread_) return false;
        told_ = true;
        asleep_.store(false);
    } catch (const std::exception&) {
        return false;
    }
    wake_.notify_one();
    return true;
}

void Flusher::Run() noexcept {
    std::unique_lock lock(mutex_);
    while (!stop_) {
        lock.unlock();
        {
            const std::lock_guard inside(inside_);
            work_.Round();
        }
        lock.lock();
        if (stop_ || work_.Holds()) continue;
        told_ = false;
        asleep_.store(true);
        // What was held before the store is seen here; what is held after it, tells.
        if (!work_.Holds()) wake_.wait(lock, [&] { return stop_ || told_; });
        asleep_.store(stop_);  // nobody is there any more: Tell looks
    }
}

void Flusher::EndThread() noexcept {
    std::unique_ptr<std::thread> ended;
    {
        std::lock_guard lock(mutex_);
        stop_ = true;
        asleep_.store(true);  // so that Tell looks
        ended = std::move(thread_);
    }
    wake_.notify_one();
    if (ended) ended->join();
}

void Flusher::Stop() noexcept {
    if (Inherited()) return;
    EndThread();
    if (added_.load(std::memory_order_acquire)) AllFlushers::Get().Remove(this);
}

}  // namespace kronos
