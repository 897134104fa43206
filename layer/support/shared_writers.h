// SPDX-License-Identifier: Apache-2.0
// What writers of files have in common that devices share: who opens one finds it by its key, the last one ends it, and
// what lives when the process exits is flushed.
#pragma once

#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "support/fork_mutex.h"
#include "support/log.h"

namespace kronos {

/// One for each kind of writer; never destroyed, for programs call Vulkan after static objects have died. Any thread,
/// with `mutex` held.
template <class Writer>
struct SharedWriters {
    explicit SharedWriters(LockRank rank) : mutex(rank) {}

    /// For a destructor of the library, which runs after the program's exit handlers that were registered before the
    /// layer was loaded, and before libc is done. Takes the mutex.
    void Exit() {
        {
            std::lock_guard lock(mutex);
            for (auto& [key, weak] : by_key)
                if (auto writer = weak.lock()) living.push_back(std::move(writer));
        }
        for (const auto& writer : living) writer->Exit();
    }

    ForkMutex mutex;
    std::map<std::string, std::weak_ptr<Writer>> by_key;  ///< guarded by mutex
    /// Of who exits. The devices still own them; what is held here is kept, so that no thread is joined from a
    /// destructor.
    std::vector<std::shared_ptr<Writer>> living;
};

/// Runs `body`; memory that is short costs what `what` names, never the program.
template <class Body>
void Safely(const Log& log, std::string_view what, Body body) noexcept {
    try {
        body();
    } catch (const std::exception& error) {
        try {
            log.Error("{}: {}", what, error.what());
        } catch (const std::exception&) {
            // Not even the message found memory.
        }
    }
}

}  // namespace kronos
