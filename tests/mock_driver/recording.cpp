// SPDX-License-Identifier: Apache-2.0
// Counters, recorded lines, injected failures and violations.
#include "recording.h"

#include <cstdio>
#include <deque>
#include <mutex>
#include <utility>
#include <vector>

#include "objects.h"
#include "tables.h"

namespace mock {

std::atomic<uint32_t> g_hot{kHotCounts};
thread_local ThreadCounters* t_counters __attribute__((tls_model("initial-exec"))) = nullptr;

namespace {

struct Injection {
    uint64_t remaining;  // 0: every call
    VkResult result;
};

struct Recorder {
    std::mutex mutex;
    std::vector<ThreadCounters*> counters;  // of every thread there ever was
    std::vector<ThreadCounters*> idle;      // of threads that ended
    std::vector<uint64_t> baseline = std::vector<uint64_t>(kCommandCount);
    std::deque<RecordedCall> calls;
    std::deque<std::string> violations;
    std::vector<std::vector<Injection>> injections = std::vector<std::vector<Injection>>(kCommandCount);
    uint32_t threads = 0;
    uint32_t epoch = 0;
    std::FILE* file = nullptr;  // closed by the C library, after all exit handlers
};

Recorder& TheRecorder() {
    static Recorder* recorder = new Recorder;
    return *recorder;
}

// Hands a finished thread's counters to the next new thread, so that many short threads do not pile up memory.
struct CounterLease {
    ThreadCounters* counters = nullptr;
    ~CounterLease() {
        if (counters == nullptr) return;
        t_counters = nullptr;
        Recorder& r = TheRecorder();
        std::lock_guard lock(r.mutex);
        r.idle.push_back(counters);
    }
};

uint64_t RawCount(const Recorder& r, Command command) {
    uint64_t sum = 0;
    for (const ThreadCounters* c : r.counters) sum += c->calls[command].load(std::memory_order_relaxed);
    return sum;
}

uint32_t ThreadNumber(Recorder& r) {
    thread_local uint32_t number = 0;
    thread_local uint32_t epoch = ~0U;
    if (epoch != r.epoch) {
        epoch = r.epoch;
        number = ++r.threads;
    }
    return number;
}

}  // namespace

ThreadCounters* NewThreadCounters() {
    thread_local CounterLease lease;
    Recorder& r = TheRecorder();
    std::lock_guard lock(r.mutex);
    if (!r.idle.empty()) {
        lease.counters = r.idle.back();
        r.idle.pop_back();
    } else {
        lease.counters = new ThreadCounters();
        r.counters.push_back(lease.counters);
    }
    t_counters = lease.counters;
    return t_counters;
}

void Line::Write() {
    if (!active_) return;
    Recorder& r = TheRecorder();
    std::lock_guard lock(r.mutex);
    if (r.file != nullptr) {
        text_ += '\n';
        std::fwrite(text_.data(), 1, text_.size(), r.file);
        text_.pop_back();
    }
    r.calls.push_back({ThreadNumber(r), command_, std::move(text_)});
}

bool Injected(Command command, uint32_t hot, VkResult* result) {
    if (!(hot & kHotInject)) return false;
    Recorder& r = TheRecorder();
    std::lock_guard lock(r.mutex);
    auto& list = r.injections[kCommands[command].canonical];
    bool failed = false;
    for (auto it = list.begin(); it != list.end();) {
        bool spent = false;
        if (it->remaining == 0) {
            *result = it->result;
            failed = true;
        } else if (--it->remaining == 0) {
            *result = it->result;
            failed = spent = true;
        }
        it = spent ? list.erase(it) : it + 1;
    }
    return failed;
}

void SetRecordMode(RecordMode mode) {
    g_hot.fetch_and(~(kHotCounts | kHotFull), std::memory_order_relaxed);
    if (mode == RecordMode::kCounts) g_hot.fetch_or(kHotCounts, std::memory_order_relaxed);
    if (mode == RecordMode::kFull) g_hot.fetch_or(kHotCounts | kHotFull, std::memory_order_relaxed);
}

RecordMode GetRecordMode() {
    const uint32_t hot = HotFlags();
    return hot & kHotFull ? RecordMode::kFull : hot & kHotCounts ? RecordMode::kCounts : RecordMode::kOff;
}

bool OpenRecordFile(const std::string& path) {
    std::FILE* file = std::fopen(path.c_str(), "ae");
    if (file == nullptr) return false;
    Recorder& r = TheRecorder();
    std::lock_guard lock(r.mutex);
    std::FILE* old = std::exchange(r.file, file);
    if (old != nullptr) std::fclose(old);
    return true;
}

void FlushRecordFile() {
    Recorder& r = TheRecorder();
    std::lock_guard lock(r.mutex);
    if (r.file != nullptr) std::fflush(r.file);
}

void NoteInRecord(const char* text) {
    Recorder& r = TheRecorder();
    std::lock_guard lock(r.mutex);
    if (r.file != nullptr) std::fprintf(r.file, "# %s\n", text);
}

void VisitCalls(const std::function<void(const RecordedCall&)>& visit) {
    std::deque<RecordedCall> calls;
    {
        std::lock_guard lock(TheRecorder().mutex);
        calls = TheRecorder().calls;
    }
    for (const RecordedCall& call : calls) visit(call);
}

void ClearCalls() {
    Recorder& r = TheRecorder();
    std::lock_guard lock(r.mutex);
    r.calls.clear();
    r.threads = 0;
    ++r.epoch;
    for (uint32_t i = 0; i < kCommandCount; ++i) r.baseline[i] = RawCount(r, static_cast<Command>(i));
}

uint64_t CountOf(Command command) {
    Recorder& r = TheRecorder();
    std::lock_guard lock(r.mutex);
    return RawCount(r, command) - r.baseline[command];
}

void InjectFailure(Command canonical, uint64_t n, VkResult result) {
    Recorder& r = TheRecorder();
    std::lock_guard lock(r.mutex);
    r.injections[canonical].push_back({n, result});
    g_hot.fetch_or(kHotInject, std::memory_order_relaxed);
}

void ClearFailures() {
    Recorder& r = TheRecorder();
    std::lock_guard lock(r.mutex);
    for (auto& list : r.injections) list.clear();
    g_hot.fetch_and(~kHotInject, std::memory_order_relaxed);
}

void Violation(const std::string& text) {
    Recorder& r = TheRecorder();
    std::lock_guard lock(r.mutex);
    r.violations.push_back(text);
}

void VisitViolations(const std::function<void(const std::string&)>& visit) {
    std::deque<std::string> violations;
    {
        std::lock_guard lock(TheRecorder().mutex);
        violations = TheRecorder().violations;
    }
    for (const std::string& violation : violations) visit(violation);
}

void ClearViolations() {
    std::lock_guard lock(TheRecorder().mutex);
    TheRecorder().violations.clear();
}

}  // namespace mock
