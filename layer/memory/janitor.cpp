// SPDX-License-Identifier: Apache-2.0
#include "memory/janitor.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "support/process.h"
#include "support/quiet_thread.h"

namespace kronos {
namespace {

using namespace std::chrono_literals;
constexpr auto kRound = 500ms;    // how late memory may go back
constexpr auto kDeepSleep = 10s;  // should a wake-up be missed

// Never destroyed: programs call Vulkan after static objects have died. Its mutex is plain: a child forked while the
// thread holds it has another janitor, Current.
struct Janitor {
    std::mutex mutex;
    std::condition_variable wake;
    std::vector<IdleOwner*> owners;       // guarded by mutex, which the thread holds while it is inside one
    std::unique_ptr<std::thread> thread;  // guarded by mutex
    bool started = false;                 // guarded by mutex
    bool stop = false;                    // guarded by mutex
    bool told = false;                    // guarded by mutex
    std::atomic<bool> asleep{true};
    const uint32_t fork_generation = ForkGeneration();

    void Run() {
        std::unique_lock lock(mutex);
        while (!stop) {
            bool idle = false;
            for (IdleOwner* owner : owners) idle = owner->GiveBack() || idle;
            asleep.store(!idle, std::memory_order_relaxed);
            if (idle) {
                wake.wait_for(lock, kRound, [&] { return stop; });
            } else {
                wake.wait_for(lock, kDeepSleep, [&] { return stop || told; });
                told = false;
            }
        }
    }
    void Stop() {
        std::unique_ptr<std::thread> ended;
        {
            std::lock_guard lock(mutex);
            stop = true;
            ended = std::move(thread);
        }
        wake.notify_one();
        if (ended) ended->join();
    }
};

Janitor& First() {
    static Janitor& janitor = *new Janitor;
    return janitor;
}

}  // namespace

void TellJanitor() {
    Janitor& janitor = First();
    if (!janitor.asleep.load(std::memory_order_relaxed) || janitor.fork_generation != ForkGeneration()) return;
    {
        std::lock_guard lock(janitor.mutex);
        if (janitor.stop) return;
        janitor.told = true;
        janitor.asleep.store(false, std::memory_order_relaxed);
        if (!janitor.started) {
            janitor.started = true;
            // Not by a destructor: when those run, drivers may be gone. What is registered last runs first.
            std::atexit([] { First().Stop(); });
            janitor.thread = StartQuietThread("kronos-memory", [] { First().Run(); });
        }
    }
    janitor.wake.notify_one();
}

void AddToJanitor(IdleOwner* owner) {
    Janitor& janitor = First();
    if (janitor.fork_generation != ForkGeneration()) return;
    std::lock_guard lock(janitor.mutex);
    janitor.owners.push_back(owner);
}

void RemoveFromJanitor(IdleOwner* owner) {
    Janitor& janitor = First();
    if (janitor.fork_generation != ForkGeneration()) return;
    std::lock_guard lock(janitor.mutex);
    std::erase(janitor.owners, owner);
}

}  // namespace kronos
