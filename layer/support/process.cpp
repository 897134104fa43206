// SPDX-License-Identifier: Apache-2.0
#include "support/process.h"

#include <errno.h>
#include <pthread.h>
#include <sys/auxv.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>

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

void OnFork(void (*prepare)(), void (*done)()) { pthread_atfork(prepare, done, done); }

}  // namespace kronos
