// SPDX-License-Identifier: Apache-2.0
// What the actions of a recording do, taken apart into accesses that barriers order alike. Actions that share their
// accesses share their parts: what is bound again and again is looked at once. Pure; externally synchronized.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "stream/steps.h"

namespace kronos {

/// Some accesses of one action, one behind the other. All write the same or none writes, all in one stage: whatever
/// barriers follow, all of them are ordered alike.
struct Part {
    MemoryRange hull;                  ///< around all of them; everything if they are of several memories
    std::span<const Access> accesses;  ///< at least one, of Steps::accesses
    Kinds kinds = 0;                   ///< of any of them
    uint32_t place = 0;                ///< where LiveAccesses has it, if it does

    bool Writes() const { return kinds & kWrites; }
};

/// Keeps its memory between uses: in steady state nothing is allocated.
class Parts {
  public:
    /// What an action does.
    struct Action {
        uint32_t first = 0;  ///< of the parts
        uint32_t count = 0;
        uint32_t accesses = 0;
        Kinds kinds = 0;  ///< of all
    };

    /// For actions of these steps, which must not change meanwhile. Throws std::bad_alloc.
    void Start(const Steps& steps);
    /// The action's number. Throws std::bad_alloc.
    uint32_t Find(const Step& action);

    const Action& action(uint32_t number) const { return actions_[number]; }
    /// Until the next Find.
    std::span<Part> Of(const Action& action) { return std::span(parts_).subspan(action.first, action.count); }

  private:
    void Add(std::span<const Access> accesses);

    const Steps* steps_ = nullptr;
    std::vector<Part> parts_;
    std::vector<Action> actions_;
    std::vector<uint32_t> at_;  ///< by the index of the first access: 1 + the number of the last action from there
};

}  // namespace kronos
