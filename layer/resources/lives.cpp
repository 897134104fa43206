// SPDX-License-Identifier: Apache-2.0
#include "resources/lives.h"

#include <mutex>

namespace kronos {

void Lives::End(uint64_t uid) noexcept {
    std::lock_guard lock(mutex_);
    if (of_.Erase(uid) && watcher_) watcher_->Ended(uid);
}

bool Lives::IsAlive(uint64_t uid) const {
    // A view, its image, that one's memory.
    for (int depth = 0; depth < 3; ++depth) {
        uid = of_.Find(uid);
        if (uid == kOfNothing) return true;
        if (uid == 0) return false;
    }
    return false;
}

}  // namespace kronos
