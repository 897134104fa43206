// SPDX-License-Identifier: Apache-2.0
// What is known of all objects of one type: handle to facts.
//
// Threads: Find on any thread, without locks; Add and Remove on any thread, under LockRank::kResources. As Vulkan
// demands, nobody looks up a handle while it is being removed.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <type_traits>
#include <utility>
#include <vector>

#include "support/fork_mutex.h"
#include "support/handle_map.h"

namespace kronos {

template <class Handle, class Facts>
class Known {
  public:
    Known() = default;
    Known(const Known&) = delete;
    Known& operator=(const Known&) = delete;
    ~Known() {
        map_.ForEach([](Handle, Facts* facts) { delete facts; });
    }

    /// nullptr: not known.
    Facts* Find(Handle handle) const { return map_.Find(handle); }

    /// Throws std::bad_alloc: then the handle is not known. False: it was known, as another object, and is no more,
    /// which is said once.
    ///
    /// Handles of objects that are alive need not differ: a driver may give one handle to two objects that are alike
    /// (section "Object Model"). Once that was seen, nothing new is known of this type and nothing is deleted, for
    /// nobody can tell whose the facts are that a thread is reading.
    bool Add(Handle handle, Facts facts) {
        std::lock_guard lock(mutex_);
        if (ambiguous_) return true;
        if (Facts* before = map_.Find(handle)) {
            ambiguous_ = true;
            retired_.emplace_back(before);
            map_.Erase(handle);
            return false;
        }
        if (kPlain && !spare_.capacity()) spare_.reserve(kMostSpare);  // Remove allocates nothing
        std::unique_ptr<Facts> kept = Room(std::move(facts));
        if (map_.Insert(handle, kept.get())) static_cast<void>(kept.release());  // the map holds it now
        return true;
    }

    /// Before the driver destroys it: afterwards the handle may be another thread's new object.
    void Remove(Handle handle) {
        std::lock_guard lock(mutex_);
        std::unique_ptr<Facts> gone(map_.Erase(handle));
        if (!gone) return;
        if (ambiguous_)
            retired_.push_back(std::move(gone));
        else if (kPlain && spare_.size() < kMostSpare)
            spare_.push_back(std::move(gone));
    }

  private:
    /// Those that own nothing are used again: programs make and destroy many buffers in a row.
    static constexpr bool kPlain = std::is_trivially_copyable_v<Facts>;
    static constexpr size_t kMostSpare = 1024;

    std::unique_ptr<Facts> Room(Facts&& facts) {
        if constexpr (kPlain) {
            if (!spare_.empty()) {
                std::unique_ptr<Facts> room = std::move(spare_.back());
                spare_.pop_back();
                *room = facts;
                return room;
            }
        }
        return std::make_unique<Facts>(std::move(facts));
    }

    HandleMap<Handle, Facts*, OwnersMutex> map_;  // owns what it points to; changed with mutex_ held
    ForkMutex mutex_{LockRank::kResources};
    bool ambiguous_ = false;                       // guarded by mutex_
    std::vector<std::unique_ptr<Facts>> retired_;  // guarded by mutex_
    std::vector<std::unique_ptr<Facts>> spare_;    // guarded by mutex_
};

}  // namespace kronos
