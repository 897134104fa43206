// SPDX-License-Identifier: Apache-2.0
// Mutexes that survive fork: a child must not inherit one that a thread it does not have holds.
#pragma once

#include <mutex>

namespace kronos {

/// The order in which these mutexes may be taken while others are held, and in which fork takes all of them.
enum class LockRank {
    kAllFlushers,
    kFlusher,
    kSubmitQueue,
    kFusion,
    kStatsLogs,
    kAnnounce,
    kDevices,
    kDeviceList,
    kQueues,
    kJudgements,
    kFences,
    kIdleMemory,
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

    // The names that std::lock_guard asks for.
    void lock() { mutex_.lock(); }      // NOLINT(readability-identifier-naming)
    void unlock() { mutex_.unlock(); }  // NOLINT(readability-identifier-naming)

  private:
    friend struct AllForkMutexes;
    std::mutex mutex_;
    const LockRank rank_;
    ForkMutex* next_ = nullptr;  // all of one rank; guarded by AllForkMutexes
    ForkMutex* previous_ = nullptr;
};

}  // namespace kronos
