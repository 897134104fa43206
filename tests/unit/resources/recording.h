// SPDX-License-Identifier: Apache-2.0
// A recorder with the stream of the only command buffer that it is ever for.
#pragma once

#include "stream/recorder.h"
#include "stream/stream.h"

namespace kronos {

struct Recording : Recorder {
    using Recorder::Recorder;
    void Begin(bool plain, bool once = false) { Recorder::Begin(stream, plain, once); }
    void Forget() {
        Recorder::Forget();
        stream.Clear();
    }
    /// What a recording that has ended is known by; nullptr: it is not kept.
    const Stream* Kept() const { return stream.uid ? &stream : nullptr; }
    Stream stream;
};

}  // namespace kronos
