// SPDX-License-Identifier: Apache-2.0
#include "support/process.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <sys/auxv.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <fstream>

namespace kronos {
namespace {

std::atomic<uint32_t> fork_generation{0};

// Registered when the library is loaded, so before any thread of ours can exist.
[[gnu::constructor]] void CountForks() {
    pthread_atfork(nullptr, nullptr, [] { fork_generation.fetch_add(1, std::memory_order_relaxed); });
}

void ReplaceAll(std::string& text, std::string_view from, std::string_view to) {
    for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
        text.replace(at, from.size(), to);
}

}  // namespace

bool ProcessIsSecure() { return getauxval(AT_SECURE) != 0; }

std::string ProgramName() {
    const char* name = program_invocation_short_name;
    return name && *name ? name : "program";
}

uint32_t ForkGeneration() { return fork_generation.load(std::memory_order_relaxed); }

std::string ExpandPath(std::string_view pattern) {
    std::string path(pattern);
    std::string program = ProgramName();
    std::replace(program.begin(), program.end(), '/', '_');
    ReplaceAll(path, "{program}", program);
    ReplaceAll(path, "{pid}", std::to_string(getpid()));
    return path;
}

bool ThreadIsRealtime() {
    constexpr int kAskEvery = 256;
    thread_local int asked = 0;
    thread_local bool realtime = false;
    if (asked++ % kAskEvery == 0) {
        const int policy = sched_getscheduler(0) & ~SCHED_RESET_ON_FORK;
        realtime = policy == SCHED_FIFO || policy == SCHED_RR || policy == 6;  // SCHED_DEADLINE, which libc leaves out
    }
    return realtime;
}

uint32_t ProcessorQuota(std::string_view cpu_max) {
    uint64_t quota = 0;
    uint64_t period = 0;
    const char* end = cpu_max.data() + cpu_max.size();
    const auto [after, error] = std::from_chars(cpu_max.data(), end, quota);
    if (error != std::errc() || after == end || *after != ' ') return 0;
    if (std::from_chars(after + 1, end, period).ec != std::errc() || !period || !quota) return 0;
    return static_cast<uint32_t>(std::min<uint64_t>((quota - 1) / period + 1, UINT32_MAX));
}

uint32_t UsableProcessors() {
    cpu_set_t set;
    CPU_ZERO(&set);
    // Fails on machines with more processors than the set has room for: many.
    uint32_t count = sched_getaffinity(0, sizeof set, &set) == 0 ? static_cast<uint32_t>(CPU_COUNT(&set)) : CPU_SETSIZE;
    // Version 2 of the control groups; in a container its own group is the root. "0::/path" is the process's.
    std::string group;
    std::ifstream groups("/proc/self/cgroup");
    for (std::string line; std::getline(groups, line);)
        if (line.starts_with("0::/")) group = line.substr(3);
    // A quota of any group above holds too.
    for (;;) {
        std::ifstream file("/sys/fs/cgroup" + group + "/cpu.max");
        std::string text;
        if (std::getline(file, text))
            if (const uint32_t quota = ProcessorQuota(text)) count = std::min(count, quota);
        if (group.size() <= 1) break;
        group.resize(group.rfind('/'));
    }
    return count;
}

void OnFork(void (*prepare)(), void (*done)()) { pthread_atfork(prepare, done, done); }

}  // namespace kronos
