// SPDX-License-Identifier: Apache-2.0
// Threads of the layer inside somebody else's process. Any thread.
#pragma once

#include <pthread.h>
#include <signal.h>

#include <memory>
#include <thread>
#include <utility>

namespace kronos {

/// Starts a thread to which none of the program's signals is delivered. `name`: at most 15 characters. Throws
/// std::system_error when there can be none.
template <class Body>
std::unique_ptr<std::thread> StartQuietThread(const char* name, Body body) {
    struct BlockAllSignals {
        BlockAllSignals() {
            sigset_t all;
            sigfillset(&all);
            pthread_sigmask(SIG_SETMASK, &all, &before);
        }
        ~BlockAllSignals() { pthread_sigmask(SIG_SETMASK, &before, nullptr); }
        sigset_t before;
    };
    const BlockAllSignals blocked;
    auto thread = std::make_unique<std::thread>(std::move(body));
    pthread_setname_np(thread->native_handle(), name);
    return thread;
}

}  // namespace kronos
