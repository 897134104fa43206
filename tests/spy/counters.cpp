// SPDX-License-Identifier: Apache-2.0
// The spy's tables of numbers and how they are written.
#include "counters.h"

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string_view>

namespace spy {
namespace {

constexpr size_t kCounters = static_cast<size_t>(Counter::Count);
constexpr size_t kCommands = static_cast<size_t>(Id::Count);

constexpr std::array<const char*, kCounters> kCounterNames{
#define X(name) #name,
    SPY_COUNTERS(X)
#undef X
};

constexpr std::array<const char*, kCommands> kCommandNames{
#define SPY_COMMAND(name, canonical, level) #name,
#include "commands.inc"
#undef SPY_COMMAND
    "vkCreateInstance", "vkDestroyInstance",   "vkCreateDevice",
    "vkDestroyDevice",  "vkGetDeviceProcAddr", "vkEnumerateDeviceExtensionProperties",
};

// Constant-initialised and trivially destroyed, so that they can be used before and after static objects live.
constinit std::array<std::atomic<uint64_t>, kCounters> counters{};
constinit std::array<std::atomic<uint64_t>, kCommands> calls{};

constinit std::atomic<uint64_t> tagged_memories{0};

constinit std::mutex order_mutex;
constinit uint64_t order = 14695981039346656037ULL;  // FNV-1a

// The counter that a test wants to be wrong by one, or null.
const char* Miscounted() {
    static const char* const name = []() -> const char* {
        const char* wanted = std::getenv(SPY_ENVIRONMENT "_MISCOUNT");
        if (wanted == nullptr) return nullptr;
        for (const char* known : kCounterNames) {
            if (std::string_view(known) == wanted) return wanted;
        }
        std::fprintf(stderr, SPY_ENVIRONMENT "_MISCOUNT=%s: not a counter; allowed:", wanted);
        for (const char* known : kCounterNames) std::fprintf(stderr, " %s", known);
        std::fprintf(stderr, "; nothing is miscounted\n");
        return nullptr;
    }();
    return name;
}

}  // namespace

void Add(Counter counter, uint64_t amount) {
    counters[static_cast<size_t>(counter)].fetch_add(amount, std::memory_order_relaxed);
}

void CountCall(Id id) { calls[static_cast<size_t>(id)].fetch_add(1, std::memory_order_relaxed); }

void AddTaggedMemory() { tagged_memories.fetch_add(1, std::memory_order_relaxed); }

void NoteOrder(Id id) {
    const std::lock_guard lock(order_mutex);
    order = (order ^ static_cast<uint64_t>(id)) * 1099511628211ULL;
}

Dropped Drops() {
    static const Dropped drops = [] {
        const char* wanted = std::getenv(SPY_ENVIRONMENT "_DROP");
        if (wanted == nullptr) return Dropped::Nothing;
        if (std::string_view(wanted) == "barriers") return Dropped::Barriers;
        if (std::string_view(wanted) == "updates") return Dropped::Updates;
        std::fprintf(stderr, SPY_ENVIRONMENT "_DROP=%s: neither \"barriers\" nor \"updates\"; nothing is dropped\n",
                     wanted);
        return Dropped::Nothing;
    }();
    return drops;
}

const char* NameOf(Id id) { return kCommandNames[static_cast<size_t>(id)]; }

void WriteReport() {
    static constinit std::mutex mutex;
    const std::lock_guard lock(mutex);
    const char* const path = std::getenv(SPY_ENVIRONMENT "_OUT");
    if (path == nullptr || *path == '\0') return;
    std::FILE* const file = std::fopen(path, "w");
    if (file == nullptr) {
        std::fprintf(stderr, SPY_ENVIRONMENT "_OUT=%s: %s; must be a writable file; nothing is written\n", path,
                     std::strerror(errno));
        return;
    }
    uint64_t order_now = 0;
    {
        const std::lock_guard order_lock(order_mutex);
        order_now = order;
    }
    const char* separator = "";
    std::fprintf(file,
                 "{\n  \"layer\": \"%s\",\n  \"order\": \"%016llx\",\n  \"tagged_memories\": %llu,\n  \"calls\": {",
                 SPY_LAYER_NAME, static_cast<unsigned long long>(order_now),
                 static_cast<unsigned long long>(tagged_memories.load(std::memory_order_relaxed)));
    for (size_t i = 0; i < kCommands; ++i) {
        const uint64_t value = calls[i].load(std::memory_order_relaxed);
        if (value == 0) continue;
        std::fprintf(file, "%s\n    \"%s\": %llu", separator, kCommandNames[i], static_cast<unsigned long long>(value));
        separator = ",";
    }
    separator = "";
    std::fprintf(file, "\n  },\n  \"counters\": {");
    const char* const miscounted = Miscounted();
    for (size_t i = 0; i < kCounters; ++i) {
        uint64_t value = counters[i].load(std::memory_order_relaxed);
        if (miscounted != nullptr && std::string_view(miscounted) == kCounterNames[i]) ++value;
        std::fprintf(file, "%s\n    \"%s\": %llu", separator, kCounterNames[i], static_cast<unsigned long long>(value));
        separator = ",";
    }
    std::fprintf(file, "\n  }\n}\n");
    const bool failed = std::ferror(file) != 0;
    if (std::fclose(file) != 0 || failed) {
        std::fprintf(stderr, SPY_ENVIRONMENT "_OUT=%s: %s; the report is not complete\n", path, std::strerror(errno));
    }
}

}  // namespace spy
