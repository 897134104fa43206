// SPDX-License-Identifier: Apache-2.0
// Which objects still exist, by uid: for what names them later than the program did, when their handles may be those of
// others. An object exists as long as itself and what it is made of: a view its image, an image its memory.
//
// Threads: any. Begin and End take mutex(); whoever gives handles to the driver holds it from IsAlive until the driver
// is done with them, so that End, and with it the destruction, waits. Only what is not the steady state does so.
#pragma once

#include <cstdint>

#include "support/fork_mutex.h"
#include "support/handle_map.h"

namespace kronos {

class Lives {
  public:
    static constexpr uint64_t kOfNothing = 1;  ///< what it is made of: it stands for itself

    /// Told of the end of each life, under mutex().
    class Watcher {
      public:
        virtual void Ended(uint64_t uid) noexcept = 0;

      protected:
        ~Watcher() = default;
    };

    /// `of`: uid of what it is made of. Throws std::bad_alloc: then it is not alive.
    void Begin(uint64_t uid, uint64_t of) { of_.Insert(uid, of); }
    void End(uint64_t uid) noexcept;
    /// With mutex() held, or where it may be out of date.
    bool IsAlive(uint64_t uid) const;

    /// nullptr: nobody. Before and after there are lives to be watched.
    void Watch(Watcher* watcher) { watcher_ = watcher; }
    ForkMutex& mutex() { return mutex_; }

  private:
    HandleMap<uint64_t, uint64_t> of_;  // by uid
    Watcher* watcher_ = nullptr;
    ForkMutex mutex_{LockRank::kDescriptors};
};

}  // namespace kronos
