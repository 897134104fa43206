// SPDX-License-Identifier: Apache-2.0
// Commands that repeat what an earlier recording in the same command buffer has bound already. All of them are given to
// the driver together, so that equal handles are the same objects. Sections "Descriptor Set Binding", "Pipeline Layout
// Compatibility" and "Push Constant Updates"; only the very same command with the same layout is said to change
// nothing.
//
// Threads: one at a time. No allocations.
#pragma once

#include <array>
#include <cstdint>

#include "stream/stream.h"

namespace kronos {

class Repeats {
  public:
    /// Nothing is bound.
    void Clear() { *this = {}; }
    /// The next command that would be given. True: it changes nothing, and is to be left out. What it points to must
    /// stay until Clear.
    bool Drops(const HeldCommand& command);
    /// Left out since Clear.
    uint32_t dropped() const { return dropped_; }

  private:
    bool DropsSets(const HeldCommand& command);
    bool DropsConstants(const HeldCommand& command);

    static constexpr uint32_t kMostSets = 8;  // binds of sets with higher numbers are given

    VkPipeline pipeline_ = VK_NULL_HANDLE;
    std::array<const HeldCommand*, kMostSets> sets_ = {};  // what bound each; nullptr: not known
    const HeldCommand* constants_ = nullptr;               // the last that pushed any; nullptr: not known
    uint32_t dropped_ = 0;
};

}  // namespace kronos
