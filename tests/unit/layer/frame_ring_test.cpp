// SPDX-License-Identifier: Apache-2.0
#include "stats/frame_ring.h"

#include <gtest/gtest.h>

#include <deque>
#include <random>
#include <thread>

namespace kronos {
namespace {

constexpr uint32_t kMost = std::tuple_size_v<CounterSteps>;

// Frame `number`, with as many steps as that number says; false: there is no room.
bool Close(FrameRing& ring, uint64_t number, uint32_t count) {
    CounterStep* steps = ring.Room();
    if (!steps) return false;
    for (uint32_t i = 0; i < count; ++i)
        steps[i] = {static_cast<uint16_t>(i), static_cast<uint16_t>(i % 2), number * kMost + i};
    ring.Put({number, 10 * number, 10 * number + 5, FrameEnd::kSubmits, count});
    return true;
}

// Whether the oldest is frame `number` with so many steps; it is dropped.
bool Take(FrameRing& ring, uint64_t number, uint32_t count) {
    FrameRing::Closed closed;
    if (!ring.Oldest(closed)) return false;
    bool same = closed.head.number == number && closed.head.begin_ns == 10 * number &&
                closed.head.end_ns == 10 * number + 5 && closed.head.end == FrameEnd::kSubmits &&
                closed.head.count == count && closed.steps.size() == count;
    for (uint32_t i = 0; same && i < count; ++i)
        same = closed.steps[i].counter == i && closed.steps[i].side == i % 2 && closed.steps[i].n == number * kMost + i;
    ring.Drop(closed);
    return same;
}

TEST(FrameRing, EmptyThereIsNone) {
    FrameRing ring;
    FrameRing::Closed closed;
    EXPECT_FALSE(ring.Oldest(closed));
    EXPECT_FALSE(ring.Crowded());
    ASSERT_TRUE(Close(ring, 0, 3));
    EXPECT_TRUE(Take(ring, 0, 3));
    EXPECT_FALSE(ring.Oldest(closed));
}

TEST(FrameRing, RoomThatIsNotUsedIsNoFrame) {
    FrameRing ring;
    EXPECT_NE(ring.Room(), nullptr);
    FrameRing::Closed closed;
    EXPECT_FALSE(ring.Oldest(closed));
}

TEST(FrameRing, FullItTakesNoMoreUntilOneIsTaken) {
    for (const uint32_t count : {1u, 40u, kMost}) {
        FrameRing ring;
        uint64_t closed = 0;
        bool crowded = false;
        for (; Close(ring, closed, count); ++closed) crowded = ring.Crowded();
        EXPECT_GE(closed, 8u) << count;
        EXPECT_TRUE(crowded) << count;
        EXPECT_EQ(ring.Room(), nullptr) << count;
        for (uint64_t i = 0; i < closed; ++i) ASSERT_TRUE(Take(ring, i, count)) << count << ' ' << i;
        EXPECT_FALSE(ring.Crowded()) << count;
        EXPECT_TRUE(Close(ring, closed, count)) << count;
    }
}

TEST(FrameRing, KeepsTheirOrderAndContentRoundAfterRound) {
    FrameRing ring;
    std::mt19937 random(7);
    std::deque<uint32_t> counts;
    uint64_t closed = 0, taken = 0;
    for (int step = 0; step < 20'000; ++step) {
        // Now and then it runs full, now and then empty.
        if (random() % 100 < (step / 1'000 % 2 ? 70u : 30u)) {
            const uint32_t count = random() % 8 ? random() % 60 + 1 : random() % kMost + 1;
            if (!Close(ring, closed, count)) continue;
            counts.push_back(count);
            ++closed;
        } else if (!counts.empty()) {
            ASSERT_TRUE(Take(ring, taken, counts.front())) << taken;
            counts.pop_front();
            ++taken;
        }
    }
    EXPECT_GT(taken, 5'000u);
}

TEST(FrameRing, OneThreadClosesAndOneTakes) {
    constexpr uint64_t kFrames = 20'000;
    const auto count_of = [](uint64_t number) { return static_cast<uint32_t>(number * 7919 % 300 + 1); };
    FrameRing ring;
    std::thread closing([&] {
        for (uint64_t number = 0; number < kFrames; ++number)
            while (!Close(ring, number, count_of(number))) std::this_thread::yield();
    });
    uint64_t wrong = 0;
    for (uint64_t number = 0; number < kFrames; ++number) {
        FrameRing::Closed closed;
        while (!ring.Oldest(closed)) std::this_thread::yield();
        wrong += !Take(ring, number, count_of(number));
    }
    closing.join();
    EXPECT_EQ(wrong, 0u);
}

}  // namespace
}  // namespace kronos
