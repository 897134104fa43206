// SPDX-License-Identifier: Apache-2.0
#include "stats/counters.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <latch>
#include <span>
#include <thread>
#include <vector>

namespace kronos {
namespace {

// All at once, so that no two have the same thread pointer.
template <class Body>
void OnThreads(size_t count, Body body) {
    std::latch started(static_cast<std::ptrdiff_t>(count));
    std::vector<std::jthread> threads;
    for (size_t i = 0; i < count; ++i) {
        threads.emplace_back([&] {
            started.arrive_and_wait();
            body();
        });
    }
}

TEST(Counters, RecordingCountersReachTheDeviceOnce) {
    Counters device;
    RecordingCounters recording;
    recording.Add(Counter::kDispatches);
    recording.Add(Side::kAsked, Counter::kBarriers, 3);
    recording.FlushTo(device);
    recording.FlushTo(device);
    const CounterValues values = device.Snapshot();
    EXPECT_EQ(values.At(Side::kAsked, Counter::kDispatches), 1u);
    EXPECT_EQ(values.At(Side::kDriver, Counter::kDispatches), 1u);
    EXPECT_EQ(values.At(Side::kAsked, Counter::kBarriers), 3u);
    EXPECT_EQ(values.At(Side::kDriver, Counter::kBarriers), 0u);
}

TEST(Counters, NamesAreInOrder) {
    EXPECT_EQ(kCounterNames[static_cast<size_t>(Counter::kDispatches)], "dispatches");
    EXPECT_EQ(kCounterNames[static_cast<size_t>(Counter::kRecordings)], "recordings");
    EXPECT_EQ(kCounterNames[static_cast<size_t>(Counter::kSubmits)], "submits");
    EXPECT_EQ(kCounterNames[kCounters - 1], "invalidates");
}

TEST(Counters, SidesAndOneCounterAlone) {
    Counters device;
    device.Add(Counter::kSubmits, 5);
    device.Add(Side::kAsked, Counter::kSubmits, 2);
    const Counters::Own own = device.OfThisThread();
    own.Add(Side::kDriver, Counter::kSubmits, 1);
    own.Add(Counter::kMaps);
    own.Decided(Counter::kWaitsSpun);
    const CounterValues values = device.Snapshot();
    EXPECT_EQ(values.At(Side::kAsked, Counter::kSubmits), 7u);
    EXPECT_EQ(values.At(Side::kDriver, Counter::kSubmits), 6u);
    EXPECT_EQ(values.At(Side::kDriver, Counter::kMaps), 1u);
    EXPECT_EQ(values.At(Side::kAsked, Counter::kWaitsSpun), 1u);
    EXPECT_EQ(device.Sum(Side::kAsked, Counter::kSubmits), 7u);
    EXPECT_EQ(device.Sum(Side::kDriver, Counter::kSubmits), 6u);
    EXPECT_EQ(device.blocks(), 1u);
}

// What Since finds, put together, is what a snapshot says; a counter that did not move is not in it.
TEST(Counters, StepsSinceTheLastTime) {
    Counters device;
    CounterValues last;
    CounterSteps steps;
    EXPECT_EQ(device.Since(last, steps.data()), 0u);
    device.Add(Counter::kSubmits, 3);
    device.Add(Side::kDriver, Counter::kWaits, 0);
    device.Decided(Counter::kBarriersNarrowed, 7);
    OnThreads(2, [&] { device.Add(Side::kAsked, Counter::kSubmits, 1); });
    ASSERT_EQ(device.Since(last, steps.data()), 3u);
    const auto is = [&](size_t i, Side side, Counter counter, uint64_t n) {
        return steps[i].side == static_cast<uint16_t>(side) && steps[i].counter == static_cast<uint16_t>(counter) &&
               steps[i].n == n;
    };
    EXPECT_TRUE(is(0, Side::kAsked, Counter::kSubmits, 5));
    EXPECT_TRUE(is(1, Side::kDriver, Counter::kSubmits, 3));
    EXPECT_TRUE(is(2, Side::kAsked, Counter::kBarriersNarrowed, 7));
    EXPECT_EQ(last, device.Snapshot());
    EXPECT_EQ(device.Since(last, steps.data()), 0u);
    device.Add(Side::kDriver, Counter::kWaits, 1);
    ASSERT_EQ(device.Since(last, steps.data()), 1u);
    EXPECT_TRUE(is(0, Side::kDriver, Counter::kWaits, 1));
    EXPECT_EQ(last, device.Snapshot());
}

TEST(Counters, EveryCounterMayMove) {
    Counters device;
    for (size_t i = 0; i < kCountersAndDecisions; ++i) device.Add(static_cast<Counter>(i), i + 1);
    CounterValues last;
    CounterSteps steps;
    EXPECT_EQ(device.Since(last, steps.data()), std::size(steps));
    EXPECT_EQ(last, device.Snapshot());
}

TEST(Counters, TwoDevicesOnOneThread) {
    Counters first, second;
    for (int i = 0; i < 100; ++i) {
        first.Add(Counter::kMaps);
        second.Add(Counter::kMaps, 2);
    }
    EXPECT_EQ(first.Sum(Side::kAsked, Counter::kMaps), 100u);
    EXPECT_EQ(second.Sum(Side::kAsked, Counter::kMaps), 200u);
}

TEST(Counters, MoreThreadsThanBlocksLoseNothing) {
    Counters device;
    std::atomic<bool> done{false};
    uint64_t sum = 0;  // of the steps on the asked side: the submits
    std::jthread watcher([&] {
        CounterValues last, followed;
        CounterSteps steps;
        while (!done.load()) {
            const CounterValues now = device.Snapshot();
            EXPECT_GE(now.At(Side::kAsked, Counter::kSubmits), last.At(Side::kAsked, Counter::kSubmits));
            EXPECT_GE(now.At(Side::kDriver, Counter::kWaits), last.At(Side::kDriver, Counter::kWaits));
            last = now;
            const size_t moved = device.Since(followed, steps.data());
            for (const CounterStep& step : std::span(steps).first(moved)) sum += step.side == 0 ? step.n : 0;
        }
        for (const CounterStep& step : std::span(steps).first(device.Since(followed, steps.data())))
            sum += step.side == 0 ? step.n : 0;
    });
    constexpr size_t kThreads = Counters::kBlocks + 36, kTimes = 1000;
    OnThreads(kThreads, [&] {
        for (size_t i = 0; i < kTimes; ++i) {
            device.Add(Counter::kSubmits);
            device.Add(Side::kDriver, Counter::kWaits, 3);
        }
    });
    done = true;
    watcher.join();
    EXPECT_EQ(sum, kThreads * kTimes);
    EXPECT_EQ(device.Sum(Side::kAsked, Counter::kSubmits), kThreads * kTimes);
    EXPECT_EQ(device.Snapshot().At(Side::kDriver, Counter::kWaits), 3 * kThreads * kTimes);
    EXPECT_LE(device.blocks(), Counters::kBlocks);
}

TEST(Counters, ThreadsThatComeAndGoLoseNothingAndUseBlocksAgain) {
    Counters device;
    for (int round = 0; round < 500; ++round) OnThreads(4, [&] { device.Add(Counter::kPolls); });
    EXPECT_EQ(device.Sum(Side::kAsked, Counter::kPolls), 2000u);
    EXPECT_LE(device.blocks(), Counters::kBlocks);
}

TEST(Counters, AChildOfForkGoesOn) {
    Counters device;
    OnThreads(2, [&] { device.Add(Counter::kPolls); });
    device.Add(Counter::kPolls);
    const size_t blocks = device.blocks();
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        device.Add(Counter::kPolls, 2);
        _exit(device.blocks() == blocks && device.Sum(Side::kAsked, Counter::kPolls) == 5 ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    EXPECT_EQ(device.Sum(Side::kAsked, Counter::kPolls), 3u);
}

}  // namespace
}  // namespace kronos
