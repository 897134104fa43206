// SPDX-License-Identifier: Apache-2.0
// Recording of calls: counters per thread, lines of text, and failures to inject. Owned by the process, never
// destroyed. Any thread may call. Counting takes no lock; lines and injections take the recorder's mutex.
#pragma once
#include <atomic>
#include <functional>
#include <string>

#include "commands.h"
#include "vk_headers.h"

namespace mock {

enum HotBits : uint32_t { kHotCounts = 1, kHotFull = 2, kHotInject = 4, kHotSlow = kHotFull | kHotInject };
enum class RecordMode { kOff = 0, kCounts = 1, kFull = 2 };

extern std::atomic<uint32_t> g_hot;
inline uint32_t HotFlags() { return g_hot.load(std::memory_order_relaxed); }

// One thread's counters: written by that thread only, read by any.
struct ThreadCounters {
    std::atomic<uint64_t> calls[kCommandCount];
};
extern thread_local ThreadCounters* t_counters __attribute__((tls_model("initial-exec")));
ThreadCounters* NewThreadCounters();

inline void CountCall(Command command) {
    ThreadCounters* counters = t_counters;
    if (counters == nullptr) [[unlikely]] {
        counters = NewThreadCounters();
    }
    std::atomic<uint64_t>& cell = counters->calls[command];
    cell.store(cell.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

// Builds the text of one call. Does nothing unless the mode is full.
class Line {
  public:
    Line(Command command, uint32_t hot);
    void Next();  // before each argument or element
    void Label(const char* name);
    void Open(char bracket);
    void Close(char bracket);
    void Num(uint64_t value);
    void Int(int64_t value);
    void Hex(uint64_t value);
    void Float(double value);
    void Null();
    void Str(const char* text);
    void Fixed(const char* text, size_t size);
    void Strings(const char* const* texts, uint64_t count);
    void Bytes(const void* data, uint64_t size);  // their size and a hash
    void Handle(VkObjectType type, uint64_t handle);
    void Named(VkObjectType type, uint64_t handle);  // a handle that the program gives as a number
    void Allocator();
    void Chained(const char* name);
    void UnknownChained(uint32_t type);
    void Result();  // " ="
    void Failure(VkResult result);
    void Write();

  private:
    void Add(const std::string& text);
    Command command_;
    bool active_;
    std::string text_;
};

// True when this call of `command` is to fail; `result` is then what it returns.
bool Injected(Command command, uint32_t hot, VkResult* result);

struct RecordedCall {
    uint32_t thread;  // 1, 2, ... in the order in which threads first called
    Command command;
    std::string text;
};

void SetRecordMode(RecordMode mode);
RecordMode GetRecordMode();
bool OpenRecordFile(const std::string& path);
void FlushRecordFile();
void NoteInRecord(const char* text);
void VisitCalls(const std::function<void(const RecordedCall&)>& visit);
void ClearCalls();  // the lines and the counts
uint64_t CountOf(Command command);
// The n-th call from now fails (n >= 1), or every one (n == 0). Aliases count as the same command.
void InjectFailure(Command canonical, uint64_t n, VkResult result);
void ClearFailures();
void VisitViolations(const std::function<void(const std::string&)>& visit);
void ClearViolations();

}  // namespace mock
