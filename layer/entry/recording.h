// SPDX-License-Identifier: Apache-2.0
// How the hooks of vkCmd* meet the recorder. Externally synchronized by the program, as recording is.
#pragma once

#include <atomic>
#include <new>

#include "entry/state.h"
#include "stream/recorder.h"

namespace kronos {

/// What was recorded is no more.
void StartOver(CommandBuffer& buffer) noexcept;

/// The driver gets what is held, and everything else from now on straight from the program. Why: `command` cannot be
/// held, which is said once, when `told` is not set yet. False: the driver has no memory to record anything, which the
/// program hears when the recording ends; the driver is not to get the command either.
bool GiveUp(CommandBuffer& buffer, const char* command, std::atomic_flag& told) noexcept;

/// True: the command waits in the recording, and is counted as asked for. False: the driver gets it now; what is
/// recorded of it, if anything, is only for the analysis. `counter` kCount: it is not counted.
template <auto Hold, class... Args>
bool HeldBack(CommandBuffer& buffer, const char* command, Counter counter, Args... args) noexcept {
    static std::atomic_flag told;
    Recorder& recorder = *buffer.recorder;
    try {
        recorder.Next(counter);
        if (Hold(recorder, args...)) return recorder.Holding();
    } catch (const std::bad_alloc&) {
        // As if it could not be held.
    }
    return !GiveUp(buffer, command, told);
}

}  // namespace kronos
