// SPDX-License-Identifier: Apache-2.0
// A driver of slabs that gives memory of the process, and fails when it is told: any thread. What tests of slabs on it
// share.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

#include "memory/slabs.h"

namespace kronos {

class FakeSlabDriver : public SlabDriver {
  public:
    bool Make(const MemoryKey&, Slab& slab) noexcept override {
        if (on_make) on_make();
        std::lock_guard lock(mutex);
        ++calls;
        if (fail_all || calls == fail_call || slab.bytes > most_bytes) return false;
        auto* data = static_cast<uint8_t*>(std::malloc(slab.bytes));
        std::memset(data, 0xee, slab.bytes);  // as a driver that clears nothing
        slab.handle = next_handle;
        next_handle += 16;
        slab.data = visible ? data : nullptr;
        live.insert(data);
        made.push_back(slab.bytes);
        data_of[slab.handle] = data;
        return true;
    }
    void Drop(const MemoryKey&, Slab& slab) noexcept override {
        if (on_drop) on_drop();
        std::lock_guard lock(mutex);
        uint8_t* data = data_of.at(slab.handle);
        EXPECT_EQ(live.erase(data), 1u);
        std::free(data);
        data_of.erase(slab.handle);
        ++dropped;
    }
    bool Flush(const Slab& slab, uint64_t offset, uint64_t bytes) noexcept override {
        EXPECT_LE(offset + bytes, slab.bytes);
        ++flushes;
        return !fail_flush;
    }
    void Idle() noexcept override { ++told_idle; }
    void Gone(const VirtualMemory& memory) noexcept override {
        std::lock_guard lock(mutex);
        EXPECT_TRUE(data_of.contains(memory.slab().handle)) << "its slab goes later";
        gone.push_back(SlabMemory::HandleOf(memory));
    }
    ~FakeSlabDriver() override { EXPECT_TRUE(live.empty()); }

    // Called before anything is made or dropped, without a lock.
    std::function<void()> on_make;
    std::function<void()> on_drop;
    std::mutex mutex;
    bool visible = true;
    bool fail_all = false;
    bool fail_flush = false;
    uint64_t fail_call = 0;  // from 1
    uint64_t most_bytes = UINT64_MAX;
    uint64_t next_handle = 0x1000;
    uint64_t calls = 0;
    uint64_t dropped = 0;
    std::atomic<uint64_t> flushes{0};
    std::atomic<uint64_t> told_idle{0};
    std::vector<uint64_t> made;
    std::vector<uint64_t> gone;
    std::set<uint8_t*> live;
    std::map<uint64_t, uint8_t*> data_of;
};

inline SlabOptions VisibleSlabs(uint64_t largest = uint64_t{64} << 20) {
    SlabOptions options;
    options.idle_budgets.fill(UINT64_MAX);
    for (SlabType& type : options.types) type = {0, true, true, largest};
    return options;
}

inline uint8_t* DataOf(const VirtualMemory& memory) { return memory.slab().data + memory.offset(); }

inline constexpr uint64_t kKiB = 1024;
inline constexpr uint64_t kMiB = 1024 * kKiB;
inline constexpr MemoryKey kKey = {};

class SlabsTest : public ::testing::Test {
  protected:
    void Start(const SlabOptions& options) { slabs = std::make_unique<SlabMemory>(options, driver); }
    void TearDown() override {
        if (slabs) slabs->DropAll();
    }
    VirtualMemory& Allocate(uint64_t bytes, const MemoryKey& key = kKey) {
        VirtualMemory* memory = slabs->Allocate(key, bytes, false);
        EXPECT_TRUE(memory);
        return *memory;
    }
    FakeSlabDriver driver;
    std::unique_ptr<SlabMemory> slabs;
};

}  // namespace kronos
