// SPDX-License-Identifier: Apache-2.0
#include "memory/janitor.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "support/process.h"
#include "support/quiet_thread.h"

namespace kronos {
namespace {

using namespace std::chrono_literals;
constexpr std::chrono::milliseconds kRound = 500ms;    // how late memory may go back
constexpr std::chrono::milliseconds kDeepSleep = 10s;  // should a wake-up be missed

// Never destroyed: programs call Vulkan after static objects have died.
class Janitor {
  public:
    static Janitor& Get() {
        static Janitor& janitor = *[] {
            auto* made = new Janitor;
            // Fork finds the thread outside of every driver. Owners have fork mutexes, which were there first, so that
            // fork comes here before it takes them, as the thread does.
            OnFork([] { Get().LockOutside(); }, [] { Get().mutex_.unlock(); });
            return made;
        }();
        return janitor;
    }

    bool Tell() noexcept {
        if (!asleep_.load(std::memory_order_relaxed)) return true;
        if (Inherited()) return false;
        {
            std::lock_guard lock(mutex_);
            if (stop_ || !Started()) return false;
            told_ = true;
            asleep_.store(false, std::memory_order_relaxed);
        }
        wake_.notify_one();
        return true;
    }
    void Add(IdleOwner* owner) {
        if (Inherited()) return;
        std::lock_guard lock(mutex_);
        owners_.push_back(owner);
    }
    void Remove(IdleOwner* owner) noexcept {
        if (Inherited()) return;
        std::unique_lock lock(mutex_);
        std::erase(owners_, owner);
        outside_.wait(lock, [&] { return inside_ != owner; });
    }

  private:
    bool Inherited() const { return fork_generation_ != ForkGeneration(); }

    // With mutex_ held. False: there can be no thread.
    bool Started() noexcept {
        if (thread_) return true;
        if (tried_) return false;
        tried_ = true;
        try {
            thread_ = StartQuietThread("kronos-memory", [this] { Run(); });
            // Not by a destructor: when those run, drivers may be gone. What is registered last runs first.
            std::atexit([] { Get().Stop(); });
        } catch (const std::exception&) {
            return false;
        }
        return true;
    }

    void Run() {
        std::unique_lock lock(mutex_);
        while (!stop_) {
            asleep_.store(false, std::memory_order_relaxed);
            bool idle = false;
            for (size_t i = 0; i < owners_.size() && !stop_; ++i) {
                inside_ = owners_[i];
                lock.unlock();
                idle = inside_->GiveBack() || idle;
                lock.lock();
                inside_ = nullptr;
                outside_.notify_all();
            }
            if (stop_) return;
            asleep_.store(!idle, std::memory_order_relaxed);
            if (idle) {
                wake_.wait_for(lock, kRound, [&] { return stop_; });
            } else {
                wake_.wait_for(lock, kDeepSleep, [&] { return stop_ || told_; });
                told_ = false;
            }
        }
    }
    void Stop() {
        if (Inherited()) return;  // exit handlers are inherited, threads are not
        std::unique_ptr<std::thread> ended;
        {
            std::lock_guard lock(mutex_);
            stop_ = true;
            asleep_.store(true, std::memory_order_relaxed);  // so that Tell looks
            ended = std::move(thread_);
        }
        wake_.notify_one();
        if (ended) ended->join();
    }
    void LockOutside() {
        std::unique_lock lock(mutex_);
        outside_.wait(lock, [&] { return !inside_; });
        static_cast<void>(lock.release());  // until fork is done
    }

    std::mutex mutex_;
    std::condition_variable wake_;
    std::condition_variable outside_;
    // Guarded by mutex_, which the thread does not hold while it is inside an owner.
    std::vector<IdleOwner*> owners_;
    IdleOwner* inside_ = nullptr;
    std::unique_ptr<std::thread> thread_;
    bool tried_ = false;
    bool stop_ = false;
    bool told_ = false;
    std::atomic<bool> asleep_{true};
    const uint32_t fork_generation_ = ForkGeneration();
};

}  // namespace

bool TellJanitor() noexcept { return Janitor::Get().Tell(); }
void AddToJanitor(IdleOwner* owner) { Janitor::Get().Add(owner); }
void RemoveFromJanitor(IdleOwner* owner) noexcept { Janitor::Get().Remove(owner); }

}  // namespace kronos
