// SPDX-License-Identifier: Apache-2.0
// For loops that wait for another thread or a device. Any thread.
#pragma once

#include <atomic>

namespace kronos {

/// Tells the processor that the thread spins: some 40 ns.
inline void Pause() {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("isb" ::: "memory");  // `yield` is a no-op on most; this waits about as long as pause does
#else
    std::atomic_signal_fence(std::memory_order_seq_cst);
#endif
}

}  // namespace kronos
