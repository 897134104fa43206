// SPDX-License-Identifier: Apache-2.0
#include "support/fork_mutex.h"

#include <array>

#include "support/process.h"

namespace kronos {

// Never destroyed: mutexes of immortal objects outlive static destructors.
struct AllForkMutexes {
    static constexpr size_t kRanks = static_cast<size_t>(LockRank::kLog) + 1;
    std::mutex list_mutex;  // held only to add, to remove, and across fork
    std::array<ForkMutex*, kRanks> first{};

    static AllForkMutexes& Get() {
        static AllForkMutexes& all = *[] {
            auto* made = new AllForkMutexes;
            OnFork([] { Get().LockAll(); }, [] { Get().UnlockAll(); });
            return made;
        }();
        return all;
    }
    void LockAll() {
        list_mutex.lock();
        for (ForkMutex* head : first)
            for (ForkMutex* mutex = head; mutex; mutex = mutex->next_) mutex->lock();
    }
    void UnlockAll() {
        for (ForkMutex* head : first)
            for (ForkMutex* mutex = head; mutex; mutex = mutex->next_) mutex->unlock();
        list_mutex.unlock();
    }
    void Add(ForkMutex* mutex) {
        std::lock_guard lock(list_mutex);
        ForkMutex*& head = first[static_cast<size_t>(mutex->rank_)];
        mutex->next_ = head;
        if (head) head->previous_ = mutex;
        head = mutex;
    }
    void Remove(ForkMutex* mutex) {
        std::lock_guard lock(list_mutex);
        (mutex->previous_ ? mutex->previous_->next_ : first[static_cast<size_t>(mutex->rank_)]) = mutex->next_;
        if (mutex->next_) mutex->next_->previous_ = mutex->previous_;
    }
};

ForkMutex::ForkMutex(LockRank rank) : rank_(rank) { AllForkMutexes::Get().Add(this); }
ForkMutex::~ForkMutex() { AllForkMutexes::Get().Remove(this); }

}  // namespace kronos
