// SPDX-License-Identifier: Apache-2.0
// Mutexes that survive fork: a child must not inherit one that a thread it does not have holds.
#pragma once

#include <pthread.h>

#include <ctime>
#include <mutex>

#include "support/pause.h"

namespace kronos {

/// The order in which these mutexes may be taken while others are held, and in which fork takes all of them.
enum class LockRank {
    kAllFlushers,
    kFlusher,
    kSubmitQueue,
    kFusion,
    kStatsLogs,
    kTraces,
    kAnnounce,
    kDevices,
    kDeviceList,
    kQueues,
    kJudgements,
    kFences,
    kIdleMemory,
    kSlabGroups,
    kSlabs,
    kDescriptors,
    kResources,
    kHandleMap,
    kLog
};

/// Held by the forking thread across fork, so free in parent and child afterwards. Any thread; the mutex must not be
/// destroyed while it is held, as with any mutex. Making and destroying one takes the lock of the list that fork goes
/// through first: it must not happen while a fork mutex is held.
class ForkMutex {
  public:
    explicit ForkMutex(LockRank rank);
    ~ForkMutex();
    ForkMutex(const ForkMutex&) = delete;
    ForkMutex& operator=(const ForkMutex&) = delete;

    /// For who expects it to be free within microseconds, and whom being woken would cost more.
    void LockSoon() {
        constexpr int kTries = 256;
        for (int i = 0; i < kTries; ++i) {
            if (mutex_.try_lock()) return;
            Pause();
        }
        mutex_.lock();
    }

    /// Locks for as long as there is a need, which is looked at again every millisecond: for who must not wait for
    /// what its holder is at. False: there is none any more, and it is not locked.
    template <class Needed>
    bool LockWhile(Needed needed) {
        while (needed())
            if (TryLockFor(1'000'000)) return true;
        return false;
    }

    // The names that std::lock_guard asks for.
    void lock() { mutex_.lock(); }      // NOLINT(readability-identifier-naming)
    void unlock() { mutex_.unlock(); }  // NOLINT(readability-identifier-naming)

  private:
    friend struct AllForkMutexes;
    bool TryLockFor(long ns) {
        constexpr long kSecond = 1'000'000'000;
        if (mutex_.try_lock()) return true;
        timespec until = {};
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += ns;
        until.tv_sec += until.tv_nsec / kSecond;
        until.tv_nsec %= kSecond;
        return pthread_mutex_timedlock(mutex_.native_handle(), &until) == 0;
    }
    std::mutex mutex_;
    const LockRank rank_;
    ForkMutex* next_ = nullptr;  // all of one rank; guarded by AllForkMutexes
    ForkMutex* previous_ = nullptr;
};

}  // namespace kronos
