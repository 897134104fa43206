// SPDX-License-Identifier: Apache-2.0
#include "support/reserved_slots.h"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <thread>
#include <vector>

namespace kronos {
namespace {

using Handle = const uint64_t*;

Handle Key(uint64_t i) { return HandleFromBits<Handle>(0x7f00'0000'1000 + i * 32); }

TEST(ReservedSlots, FindWhatWasPutInAndNothingElse) {
    const auto slots = std::make_unique<ReservedSlots<Handle, int, 6>>();
    int value = 0;
    EXPECT_EQ(slots->Find(Key(1)), nullptr);
    ASSERT_TRUE(slots->Put(Key(1), value));
    EXPECT_EQ(slots->Find(Key(1)), &value);
    for (uint64_t i = 2; i < 1'000; ++i) EXPECT_EQ(slots->Find(Key(i)), nullptr) << i;
    slots->Remove(Key(1));
    EXPECT_EQ(slots->Find(Key(1)), nullptr);
}

TEST(ReservedSlots, TheNullHandleIsNowhere) {
    const auto slots = std::make_unique<ReservedSlots<Handle, int, 2>>();
    std::array<int, 100> values{};
    EXPECT_EQ(slots->Find(nullptr), nullptr);
    EXPECT_FALSE(slots->Put(nullptr, values[0]));
    for (uint64_t i = 0; i < values.size(); ++i) slots->Put(Key(i), values[i]);
    EXPECT_EQ(slots->Find(nullptr), nullptr);
}

// Whoever reads may be sure of what was found: nobody takes a slot from its owner.
TEST(ReservedSlots, ASlotIsItsFirstOwnersUntilThatOneIsRemoved) {
    constexpr uint64_t kKeys = 64;
    const auto slots = std::make_unique<ReservedSlots<Handle, uint64_t, 4>>();
    std::array<uint64_t, kKeys> values{};
    std::vector<uint64_t> in, out;
    for (uint64_t i = 0; i < kKeys; ++i) (slots->Put(Key(i), values[i]) ? in : out).push_back(i);
    EXPECT_LE(in.size(), 15u) << "of 16 slots one has no key";
    EXPECT_GE(in.size(), 8u);
    for (uint64_t i : in) EXPECT_EQ(slots->Find(Key(i)), &values[i]) << i;
    for (uint64_t i : out) EXPECT_EQ(slots->Find(Key(i)), nullptr) << i;
    for (uint64_t i : in) slots->Remove(Key(i));
    // The same slots, for the others.
    size_t taken = 0;
    for (uint64_t i : out) taken += slots->Put(Key(i), values[i]);
    EXPECT_GE(taken, 8u);
}

TEST(ReservedSlots, ThreadsSeeTheirOwnWhileOthersComeAndGo) {
    constexpr uint64_t kThreads = 4, kRounds = 20'000;
    const auto slots = std::make_unique<ReservedSlots<Handle, uint64_t, 2>>();
    std::array<uint64_t, kThreads * 8> values{};
    std::array<uint64_t, kThreads> wrong{};
    std::vector<std::thread> threads;
    for (uint64_t thread = 0; thread < kThreads; ++thread) {
        threads.emplace_back([&, thread] {
            for (uint64_t round = 0; round < kRounds; ++round) {
                const uint64_t i = thread * 8 + round % 8;
                const bool put = slots->Put(Key(i), values[i]);
                for (int look = 0; look < 3; ++look)
                    wrong[thread] += slots->Find(Key(i)) != (put ? &values[i] : nullptr);
                if (put) slots->Remove(Key(i));
                wrong[thread] += slots->Find(Key(i)) != nullptr;
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    for (uint64_t thread = 0; thread < kThreads; ++thread) EXPECT_EQ(wrong[thread], 0u) << thread;
}

}  // namespace
}  // namespace kronos
