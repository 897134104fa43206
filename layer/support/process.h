// SPDX-License-Identifier: Apache-2.0
// What the layer asks of the process it was injected into. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace kronos {

/// True when the process runs with more rights than its user (setuid, setgid, capabilities; AT_SECURE): then neither
/// environment nor files decide anything.
bool ProcessIsSecure();

/// The program's file name without its folder, e.g. "llama-bench"; "program" when the system does not tell.
std::string ProgramName();

/// Copies of a process made by fork have neither the parent's threads nor a right to its files. Each fork adds one to
/// this in the child; what was made under another generation belongs to the parent.
uint32_t ForkGeneration();

/// Replaces {program} and {pid}. A program's name cannot leave the folder: its slashes become underscores.
std::string ExpandPath(std::string_view pattern);

/// True when the calling thread is scheduled in real time (SCHED_FIFO, SCHED_RR, SCHED_DEADLINE): then spinning keeps
/// others from running at all. Asked of the system once in a while, remembered for the thread.
bool ThreadIsRealtime();

/// How many processors the process may use: its affinity, and no more than its control group's quota, rounded up.
uint32_t UsableProcessors();

/// The quota in a text like that of the file cpu.max ("150000 100000", "max 100000"): processors, rounded up; 0: none.
uint32_t ProcessorQuota(std::string_view cpu_max);

/// Runs `prepare` before fork in the parent, and `done` after it in parent and child. For mutexes of immortal objects.
void OnFork(void (*prepare)(), void (*done)());

}  // namespace kronos
