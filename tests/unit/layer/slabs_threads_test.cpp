// SPDX-License-Identifier: Apache-2.0
// Sixty-four threads that allocate, place, write and free parts of slabs, while another gives back what is empty: every
// byte has one owner. Under the thread sanitizer also: what one frees and another gets is handed over properly.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <barrier>
#include <csignal>
#include <random>
#include <thread>

#include "slab_fixture.h"

namespace kronos {
namespace {

constexpr int kThreads = 64;
constexpr int kRounds = 2'000;  // 128,000 in all

struct Owned {
    VirtualMemory* memory;
    uint8_t mark;
};

bool Intact(const Owned& owned) {
    const uint8_t* data = DataOf(*owned.memory);
    return std::all_of(data, data + owned.memory->bytes, [&](uint8_t byte) { return byte == owned.mark; });
}

TEST(SlabsThreads, NeverShareAByte) {
    FakeSlabDriver driver;
    driver.fail_call = 3;
    SlabOptions options = VisibleSlabs();
    options.guard = true;
    SlabMemory slabs(options, driver);
    std::atomic<uint64_t> strange{0}, refused{0}, damaged{0}, freed{0};
    std::atomic<bool> stop{false};
    std::barrier together(kThreads);
    const auto work = [&](uint64_t number) {
        std::mt19937_64 random(number);
        std::vector<Owned> live;
        const auto free_one = [&](size_t index) {
            std::swap(live[index], live.back());
            if (!Intact(live.back())) ++strange;
            if (slabs.Free(*live.back().memory, 1).damaged != SlabMemory::Freed::kIntact) ++damaged;
            ++freed;
            live.pop_back();
        };
        for (int round = 0; round < kRounds; ++round) {
            if (round % 200 == 0) together.arrive_and_wait();
            if (live.size() == 12 || (!live.empty() && random() % 2)) {
                free_one(random() % live.size());
                continue;
            }
            MemoryKey key;
            key.type = static_cast<uint8_t>(random() % 2);
            VirtualMemory* memory = slabs.Allocate(key, 64 + random() % 20'000, false);
            if (!memory) {
                ++refused;
                continue;
            }
            const uint64_t alignment = uint64_t{1} << random() % 18;
            if (slabs.Place(*memory, alignment) == SlabMemory::Placed::kUnaligned || memory->offset() % alignment != 0)
                ++strange;
            live.push_back({memory, static_cast<uint8_t>(random())});
            std::fill_n(DataOf(*memory), memory->bytes, live.back().mark);
        }
        while (!live.empty()) free_one(live.size() - 1);
    };
    std::thread janitor([&] {
        // Mostly what was freed last is kept.
        for (uint64_t round = 1; !stop; ++round)
            if (round % 64)
                slabs.GiveBack(1, 1);
            else
                slabs.GiveBack(UINT64_MAX, 0);
    });
    std::vector<std::thread> threads;
    for (uint64_t i = 0; i < kThreads; ++i) threads.emplace_back(work, i);
    for (std::thread& thread : threads) thread.join();
    stop = true;
    janitor.join();
    EXPECT_EQ(strange, 0u);
    EXPECT_EQ(damaged, 0u);
    EXPECT_LE(refused, 1u);
    EXPECT_LT(driver.gone.size(), freed) << "some had another life";
    EXPECT_EQ(slabs.Live(), 0u);
    EXPECT_EQ(slabs.DropAll(), 0u);
}

// Threads that find no room at the same time share what one of them makes.
TEST(SlabsThreads, OneMakesASlabForAll) {
    FakeSlabDriver driver;
    SlabMemory slabs(VisibleSlabs(), driver);
    std::atomic<uint32_t> making{0};
    driver.on_make = [&] {
        for (++making; making + slabs.Waiting() < kThreads;) std::this_thread::yield();
    };
    std::vector<VirtualMemory*> memories(kThreads);
    std::vector<std::thread> threads;
    for (VirtualMemory*& memory : memories) threads.emplace_back([&] { memory = slabs.Allocate({}, 4096, false); });
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(driver.calls, 1u);
    for (VirtualMemory* memory : memories) {
        ASSERT_TRUE(memory);
        slabs.Free(*memory, 0);
    }
    EXPECT_EQ(driver.told_idle, uint64_t{kThreads});
    EXPECT_EQ(slabs.DropAll(), 0u);
}

// The one that makes it fails: each of the others is told so too.
TEST(SlabsThreads, WhoWaitsInVainGoesOn) {
    FakeSlabDriver driver;
    driver.fail_all = true;
    SlabMemory slabs(VisibleSlabs(), driver);
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) threads.emplace_back([&] { EXPECT_EQ(slabs.Allocate({}, 4096, false), nullptr); });
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(slabs.Waiting(), 0u);
}

// Two resources that are bound to one memory at the same time agree on where it is.
TEST(SlabsThreads, PlaceOneMemoryTogether) {
    FakeSlabDriver driver;
    SlabOptions options = VisibleSlabs();
    options.zero = ZeroMemory::kHost;
    SlabMemory slabs(options, driver);
    // All places have had a life.
    VirtualMemory* used = slabs.Allocate({}, 2 << 20, false);
    std::memset(DataOf(*used), 7, used->bytes);
    slabs.Free(*used, 0);
    for (int round = 0; round < 200; ++round) {
        slabs.Allocate({}, 4096, false);
        VirtualMemory& memory = *slabs.Allocate({}, 4096, false);
        std::barrier together(4);
        std::array<uint64_t, 4> offsets{};
        std::vector<std::thread> threads;
        for (size_t i = 0; i < offsets.size(); ++i) {
            threads.emplace_back([&, i] {
                together.arrive_and_wait();
                EXPECT_NE(slabs.Place(memory, 1 << 18), SlabMemory::Placed::kUnaligned);
                offsets[i] = memory.offset();
                if (round < 4) {
                    EXPECT_EQ(DataOf(memory)[0], 0);
                }
            });
        }
        for (std::thread& thread : threads) thread.join();
        EXPECT_EQ(std::count(offsets.begin(), offsets.end(), offsets[0]), 4);
        EXPECT_EQ(offsets[0] % (1 << 18), 0u);
    }
    EXPECT_EQ(slabs.DropAll(), 400u);
}

// Memory that is not there before the test says so: who touches it waits in the handler of the fault.
class SlowPage {
  public:
    explicit SlowPage(uint8_t* address) {
        page_ = address;
        reached = false;
        there_ = false;
        struct sigaction action = {};
        action.sa_handler = [](int) {
            reached = true;
            while (!there_) {
            }
            mprotect(page_, kBytes, PROT_READ | PROT_WRITE);
        };
        EXPECT_EQ(sigaction(SIGSEGV, &action, &before_), 0);
        EXPECT_EQ(mprotect(page_, kBytes, PROT_NONE), 0);
    }
    ~SlowPage() { sigaction(SIGSEGV, &before_, nullptr); }
    static void Arrive() { there_ = true; }

    static constexpr uintptr_t kBytes = 4096;
    static inline std::atomic<bool> reached;

  private:
    static inline uint8_t* page_;
    static inline std::atomic<bool> there_;
    struct sigaction before_ = {};
};

// Others allocate while a large place is cleared for a bind.
TEST(SlabsThreads, NobodyWaitsWhileAPlaceIsCleared) {
    FakeSlabDriver driver;
    SlabOptions options = VisibleSlabs();
    options.zero = ZeroMemory::kHost;
    SlabMemory slabs(options, driver);
    slabs.Free(*slabs.Allocate({}, 2 << 20, false), 0);
    slabs.Allocate({}, 4096, false);
    VirtualMemory& memory = *slabs.Allocate({}, 65536, false);
    ASSERT_EQ(memory.offset(), 65536u);
    uint8_t* const inside = memory.slab().data + (1 << 18) + SlowPage::kBytes;
    SlowPage page(inside - reinterpret_cast<uintptr_t>(inside) % SlowPage::kBytes);
    alarm(60);  // rather than wait for ever
    std::thread placing([&] { EXPECT_EQ(slabs.Place(memory, 1 << 18), SlabMemory::Placed::kMoved); });
    while (!SlowPage::reached) std::this_thread::yield();
    VirtualMemory* other = slabs.Allocate({}, 4096, false);
    SlowPage::Arrive();
    placing.join();
    alarm(0);
    EXPECT_TRUE(other);
    EXPECT_EQ(memory.offset(), uint64_t{1} << 18);
    EXPECT_EQ(slabs.DropAll(), 3u);
}

}  // namespace
}  // namespace kronos
