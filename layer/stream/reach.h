// SPDX-License-Identifier: Apache-2.0
// How far barriers order something before what comes later. Pure; externally synchronized. Section "Memory
// Dependencies".
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "stream/scopes.h"

namespace kronos {

/// How far something is ordered before what comes later.
struct Reach {
    Kinds after = 0;      ///< execute after it
    Kinds available = 0;  ///< execute after its writes were made available
    Kinds visible = 0;    ///< see its writes
    bool operator==(const Reach&) const = default;
    /// A barrier. `executes`: all of it is in the first scope. `writes`: its kinds that write. Of the memory
    /// dependency the first half is for it if `makes_available`, the second if `makes_visible`.
    void Apply(const Scopes& scopes, bool executes, Kinds writes, bool makes_available, bool makes_visible);
};

/// How far work from before a recording is ordered, as a Reach each: whatever came from each stage, already available;
/// and each kind of write. Lane by lane, and one more, which stays empty: compilers take several at a time.
struct Earlier {
    static constexpr size_t kLanes = 16;
    using Lanes = std::array<Kinds, kLanes>;
    alignas(64) Lanes after, available, visible;
    /// Changes with it. Of 64 bits, counted up, it is never the same again.
    uint64_t version = 0;
    static constexpr uint64_t kNoVersion = ~uint64_t{0};
    void Reset();
    void Apply(const Scopes& scopes, bool makes_available, bool makes_visible);
};

}  // namespace kronos
