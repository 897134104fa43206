// SPDX-License-Identifier: Apache-2.0
// The thread that gives idle memory back to the drivers after a while, also when the program calls nothing any more.
// One a process, started when memory lies idle for the first time.
#pragma once

#include <cstdint>

namespace kronos {

/// What the janitor looks after.
class IdleOwner {
  public:
    /// Gives back what has been idle for too long. Returns whether anything is idle still. On the janitor's thread.
    virtual bool GiveBack() noexcept = 0;
    virtual ~IdleOwner() = default;
};

/// Any thread. Wakes the janitor when it sleeps; nearly free when it does not.
void TellJanitor();

/// `owner` is looked after until it is removed; then the janitor is not inside it any more. Not for a thread that holds
/// a fork mutex. In a forked child there is no janitor: idle memory stays.
void AddToJanitor(IdleOwner* owner);
void RemoveFromJanitor(IdleOwner* owner);

}  // namespace kronos
