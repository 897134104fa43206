// SPDX-License-Identifier: Apache-2.0
// A legal program of submissions and host operations, as data, with what must happen before what. No code of the
// layer's.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace happens_before {

/// A value of a queue's timeline, which the program's batches signal.
struct Value {
    uint32_t queue = 0;
    uint64_t value = 0;
};

struct Batch {
    std::vector<uint32_t> dispatches;  ///< numbers of the program's, each in a command buffer of its own
    std::vector<Value> timeline_waits;
    uint64_t host_wait = 0;                              ///< for a value of the thread's host timeline; 0: for none
    std::vector<uint32_t> binary_waits, binary_signals;  ///< numbers of binary semaphores
    uint32_t event = 0;                                  ///< its first command buffer waits for that event; 0: for none
    uint64_t value = 0;                                  ///< of the queue's timeline, signaled; 0: none
    bool timestamp = false;                              ///< its last command buffer writes a query of its own
    // What the specification says has happened before any of it begins: of each queue the batches before a number, and
    // the host's signal of a value, and its setting of an event (by this batch or an earlier one of the queue).
    std::vector<uint32_t> need;
    uint64_t need_host = 0;
};

struct Operation {
    enum Kind : uint8_t {
        kSubmit,        ///< the batches of `queue` from `first` on, `count` of them, with `fence`
        kWaitFences,    ///< `fences`, all or any
        kPollFence,     ///< `fence`
        kResetFences,   ///< `fences`
        kRenewFence,    ///< destroys and creates `fence`
        kWaitTimeline,  ///< for `values`, all or any
        kPollTimeline,  ///< of `queue`
        kHostSignal,    ///< the thread's host timeline, to `value`
        kSetEvent,      ///< number `value`
        kQueueIdle,     ///< `queue`
        kDeviceIdle,    ///< no other thread is there
        kQuery,         ///< of the timestamp in batch `first` of `queue`, which will be done
        kMapped,        ///< polls memory until `dispatch` is done, and calls nothing
        kMap,           ///< maps and unmaps memory
    };
    static constexpr uint32_t kNoFence = UINT32_MAX;
    Kind kind = kSubmit;
    uint32_t queue = 0, first = 0, count = 0, dispatch = 0;
    uint32_t fence = kNoFence;
    std::vector<uint32_t> fences;
    std::vector<Value> values;
    bool all = true;
    bool second = false;   ///< by vkQueueSubmit2
    bool timeout = false;  ///< of no time: it may be too early
    uint64_t value = 0;
    /// Of what succeeds: all batches of each queue before a number are done then.
    std::vector<uint32_t> done;
};

struct Program {
    uint32_t queues = 1, threads = 1, fences = 4;  ///< fences: of each thread
    std::vector<uint32_t> thread_of;               ///< of each queue
    uint32_t dispatches = 0, binaries = 0, events = 0;
    std::vector<std::vector<Batch>> batches;         ///< of each queue
    std::vector<std::vector<Operation>> operations;  ///< of each thread
};

struct Shape {
    bool mapped = false;  ///< programs may poll memory: what is held must go by itself
};
Program Generate(uint64_t seed, const Shape& shape);
std::string Text(const Program& program);

}  // namespace happens_before
