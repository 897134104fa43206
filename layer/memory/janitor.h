// SPDX-License-Identifier: Apache-2.0
// The thread that gives idle memory back to the drivers after a while, also when the program calls nothing any more.
// One a process, started when memory lies idle for the first time.
#pragma once

namespace kronos {

/// What the janitor looks after.
class IdleOwner {
  public:
    /// Gives back what has been idle for too long, or some of it. Returns whether anything is idle still. Any thread.
    virtual bool GiveBack() noexcept = 0;
    virtual ~IdleOwner() = default;
};

/// Something lies idle. Wakes the janitor when it sleeps, starts it the first time; nearly free otherwise. False: there
/// is none, because no thread can be had, in a forked child, or while the process exits. Any thread.
bool TellJanitor() noexcept;

/// `owner` is looked after until it is removed; when that returns, the janitor is not inside it. Nobody else waits for
/// what the janitor does, but fork: a child must not inherit what a driver locks for it. Not for a thread that holds a
/// fork mutex. Adding may throw std::bad_alloc.
void AddToJanitor(IdleOwner* owner);
void RemoveFromJanitor(IdleOwner* owner) noexcept;

}  // namespace kronos
