// SPDX-License-Identifier: Apache-2.0
// A hundred threads that allocate and free at random: every byte that is given out has one owner, who finds what he
// wrote. Under the thread sanitizer also: what one thread frees and another gets is handed over properly.
#include <atomic>
#include <barrier>
#include <random>

#include "memory_fixture.h"

namespace {

using layered::Asked;
using layered::Did;
using layered::Driver;
using layered::kCoherentType;
using layered::MemoryTest;

constexpr int kThreads = 100;
constexpr int kRounds = 10'000 / KRONOS_TEST_SHARE;
constexpr size_t kMostLive = 12;

// What the threads of a test share.
struct Sums {
    std::atomic<uint64_t> allocations{0};
    std::atomic<uint64_t> bytes{0};
    std::atomic<uint64_t> maps{0};
    std::atomic<uint64_t> strange{0};   // allocations that did not hold what their owner wrote
    std::barrier<> together{kThreads};  // no thread is done before another has begun
};

struct Owned {
    VkDeviceMemory memory;
    std::span<uint8_t> bytes;
    uint64_t mark;  // at its ends; everywhere when `whole`
    bool whole;
};

void Mark(const Owned& owned) {
    if (owned.whole) std::ranges::fill(owned.bytes, static_cast<uint8_t>(owned.mark));
    std::memcpy(owned.bytes.data(), &owned.mark, sizeof owned.mark);
    std::memcpy(owned.bytes.data() + owned.bytes.size() - sizeof owned.mark, &owned.mark, sizeof owned.mark);
}

bool Intact(const Owned& owned) {
    constexpr size_t kEnd = sizeof owned.mark;
    const std::span<const uint8_t> inner = owned.bytes.subspan(kEnd, owned.bytes.size() - 2 * kEnd);
    const auto byte = static_cast<uint8_t>(owned.mark);
    return !std::memcmp(owned.bytes.data(), &owned.mark, kEnd) &&
           !std::memcmp(owned.bytes.data() + owned.bytes.size() - kEnd, &owned.mark, kEnd) &&
           (!owned.whole || std::ranges::all_of(inner, [&](uint8_t value) { return value == byte; }));
}

class MemoryThreadsTest : public MemoryTest {
  protected:
    void Work(uint64_t thread, Sums& sums) {
        std::mt19937_64 random(thread);
        std::vector<Owned> live;
        const auto give_back = [&](size_t index) {
            std::swap(live[index], live.back());
            if (!Intact(live.back())) ++sums.strange;
            Free(live.back().memory);
            live.pop_back();
        };
        for (int round = 0; round < kRounds; ++round) {
            if (round % 100 == 0) sums.together.arrive_and_wait();
            if (live.size() == kMostLive || (!live.empty() && random() % 2)) {
                give_back(random() % live.size());
                continue;
            }
            const uint64_t size = 64 + random() % 30'000;
            const auto type = static_cast<uint32_t>(random() % 4);
            const VkDeviceMemory memory = Allocate(size, type);
            // A few are mapped and written from end to end, and freed mapped.
            const bool whole = type >= kCoherentType && random() % 16 == 0;
            if (whole) {
                ++sums.maps;
                EXPECT_EQ(Map(memory, 0, size), mock.MemoryData(memory));
            }
            live.push_back({memory, Bytes(memory, size), random(), whole});
            Mark(live.back());
            ++sums.allocations;
            sums.bytes += size;
        }
        while (!live.empty()) give_back(live.size() - 1);
    }
};

TEST_F(MemoryThreadsTest, NeverShareAByte) {
    Start(layered::kRecycleMemory, R"({"limits": {"maxMemoryAllocationCount": 65536}})");
    Sums sums;
    std::vector<std::thread> threads;
    for (uint64_t t = 0; t < kThreads; ++t) threads.emplace_back([this, t, &sums] { Work(t, sums); });
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(sums.strange, 0u);
    EXPECT_GT(sums.allocations, uint64_t{kThreads} * kRounds / 2);
    const uint64_t made = Made();
    const nlohmann::json summary = End();
    EXPECT_EQ(Asked(summary, "allocations"), sums.allocations);
    EXPECT_EQ(Asked(summary, "frees"), sums.allocations);
    EXPECT_EQ(Asked(summary, "allocated_bytes"), sums.bytes);
    EXPECT_EQ(Asked(summary, "freed_bytes"), sums.bytes);
    EXPECT_EQ(Asked(summary, "maps"), sums.maps);
    EXPECT_EQ(Driver(summary, "unmaps"), sums.maps);
    EXPECT_EQ(Driver(summary, "allocations"), made);
    EXPECT_EQ(Driver(summary, "frees"), made);
    EXPECT_EQ(Driver(summary, "freed_bytes"), Driver(summary, "allocated_bytes"));
    EXPECT_EQ(Did(summary, "memory_recycled") + made, sums.allocations);
    // Hardly more than can live at once.
    EXPECT_LE(made, uint64_t{4} * kThreads * kMostLive);
}

}  // namespace
