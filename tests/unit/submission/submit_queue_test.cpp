// SPDX-License-Identifier: Apache-2.0
#include "submission/submit_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cctype>
#include <random>
#include <sstream>

#include "submitted.h"

namespace kronos {
namespace {

using submission_tests::As;
using submission_tests::Info;
using submission_tests::Infos;
using submission_tests::Number;
using submission_tests::Seen;
using submission_tests::Semaphore;
using submission_tests::Structures;
using submission_tests::Text;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr uint64_t kAll = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT;
constexpr uint64_t kTimeline = 999;

// Notes what it gets; is as far as the test says; fails when the test says.
class NotingDriver final : public QueueDriver {
  public:
    VkResult Submit(const Batch::Call& call, uint64_t value, bool as_is, VkFence fence) override {
        ++calls;
        EXPECT_EQ(value, signaled + 1) << "no later than the next signal, it is done";
        EXPECT_FALSE(as_is);
        if (!fail.empty()) {
            const VkResult result = fail.front();
            fail.erase(fail.begin());
            if (result != VK_SUCCESS) return result;
        }
        Infos infos = call.second ? Seen(call.second, call.count) : Seen(call.first, call.count, kAll);
        // The queue's own signal is noted apart.
        if (!infos.empty() && !infos.back().signals.empty() && infos.back().signals.back().handle == kTimeline) {
            EXPECT_GT(infos.back().signals.back().value, signaled);
            signaled = infos.back().signals.back().value;
            infos.back().signals.pop_back();
            text.push_back(Text(infos) + (fence ? " fence " + std::to_string(Number(fence)) : ""));
        } else {
            text.push_back(Text(infos) + " unsignaled" + (fence ? " fence " + std::to_string(Number(fence)) : ""));
        }
        return VK_SUCCESS;
    }
    bool Expects(VkCommandBuffer last) const override { return expected.count(Number(last)) != 0; }
    VkResult Reached(uint64_t& value) override { return value = reached, lost ? VK_ERROR_DEVICE_LOST : VK_SUCCESS; }
    VkSemaphore timeline() const override { return As<VkSemaphore>(kTimeline); }
    void Gave(Counter why, uint64_t submissions, uint64_t) override {
        whys.push_back(why);
        given += submissions;
    }

    std::vector<std::string> text;
    std::set<uint64_t> expected;
    std::vector<Counter> whys;
    std::vector<VkResult> fail;  // of the next calls
    uint64_t calls = 0, given = 0, signaled = 0, reached = 0;
    bool lost = false;
};

uint64_t clock_ns = 1'000;  // nothing comes late unless a test says so
uint64_t Clock() { return clock_ns; }

class SubmitQueueTest : public ::testing::Test {
  protected:
    SubmitQueueTest() { clock_ns = 1'000; }
    SubmitQueue::Done Submit(const Infos& infos, Submission submission = {}, bool second = false) {
        const Structures structures(infos);
        for (const Info& info : infos) submission.waits = submission.waits || !info.waits.empty();
        const std::lock_guard lock(queue.mutex());
        return second ? queue.Submit(std::span<const VkSubmitInfo2>(structures.second), submission, Clock)
                      : queue.Submit(std::span<const VkSubmitInfo>(structures.first), submission, Clock);
    }
    static Submission Virtual(uint64_t fence) {
        Submission submission;
        submission.fence = As<VkFence>(fence);
        submission.fence_virtual = true;
        return submission;
    }
    static Submission Real(uint64_t fence) {
        Submission submission;
        submission.fence = As<VkFence>(fence);
        return submission;
    }
    VkResult Flush(Counter why = Counter::kFlushesWait) {
        const std::lock_guard lock(queue.mutex());
        return queue.Flush(why);
    }
    // One call runs and one waits: what comes next is held.
    void Fill() {
        EXPECT_EQ(Submit({{{}, {1}, {}}}).decision, Counter::kSubmitsThrough);
        EXPECT_EQ(Submit({{{}, {2}, {}}}).decision, Counter::kSubmitsThrough);
        driver.text.clear();
        driver.whys.clear();
        driver.calls = driver.given = 0;
    }

    NotingDriver driver;
    SubmitLimits limits{.buffers = 8, .hold_ns = 500};
    SubmitQueue queue{driver, limits};
};

TEST_F(SubmitQueueTest, TheFirstTwoGoAtOnceAndTheNextWaitForRoom) {
    Submit({{{}, {1}, {}}});
    Submit({{{}, {2}, {}}});
    EXPECT_THAT(driver.text, ElementsAre("[ 1 ]", "[ 2 ]"));
    const SubmitQueue::Done third = Submit({{{}, {3}, {}}});
    EXPECT_EQ(third.decision, Counter::kSubmitsHeld);
    EXPECT_TRUE(third.began_to_hold);
    EXPECT_TRUE(queue.Holds());
    EXPECT_FALSE(Submit({{{}, {4}, {}}}).began_to_hold);
    EXPECT_EQ(driver.text.size(), 2u);
    driver.reached = 1;
    EXPECT_EQ(Submit({{{}, {5}, {}}}).decision, Counter::kSubmitsThrough);
    EXPECT_EQ(driver.text.back(), "[ 3 4 5 ]");
    EXPECT_FALSE(queue.Holds());
    EXPECT_EQ(driver.whys.back(), Counter::kFlushesRoom);
    EXPECT_EQ(driver.given, 5u);
}

TEST_F(SubmitQueueTest, WhatComesByItselfIsHeldOnlyBehindABacklog) {
    uint64_t number = 0;
    const auto submit = [&](uint64_t later_ns) {
        clock_ns += later_ns;
        return Submit({{{}, {++number}, {}}}).decision;
    };
    const uint64_t late = limits.gap_ns + 1;
    for (uint64_t i = 0; i < SubmitLimits::kBacklog; ++i) EXPECT_EQ(submit(late), Counter::kSubmitsThrough);
    EXPECT_EQ(submit(late), Counter::kSubmitsHeld);
    driver.reached = 1;
    EXPECT_EQ(submit(late), Counter::kSubmitsThrough) << "one less is not done";
    EXPECT_EQ(driver.text.back(), "[ 9 10 ]");
    driver.reached = 2;
    EXPECT_EQ(submit(limits.gap_ns), Counter::kSubmitsHeld) << "it comes soon";
    EXPECT_EQ(submit(late), Counter::kSubmitsThrough) << "and takes with it what is held";
    EXPECT_EQ(driver.text.back(), "[ 11 12 ]");
    driver.expected.insert(14);
    EXPECT_EQ(submit(late), Counter::kSubmitsHeld) << "there is a backlog again";
    driver.reached = driver.signaled - 1;
    EXPECT_EQ(submit(late), Counter::kSubmitsThrough) << "also what the rest may come of";
    EXPECT_EQ(driver.text.back(), "[ 13 14 ]");
}

TEST_F(SubmitQueueTest, APingPongIsNeverHeld) {
    for (uint64_t i = 1; i <= 100; ++i) {
        EXPECT_EQ(Submit({{{}, {i}, {}}}, Virtual(i)).decision, Counter::kSubmitsThrough);
        driver.reached = i;
        EXPECT_EQ(queue.StatusOf(i), VK_SUCCESS);
    }
    EXPECT_EQ(driver.calls, 100u);
    EXPECT_THAT(driver.whys, ::testing::Each(Counter::kCount));
}

TEST_F(SubmitQueueTest, AFlushGivesWhatIsHeldAndNothingElse) {
    Fill();
    EXPECT_EQ(Flush(), VK_SUCCESS);
    EXPECT_EQ(driver.calls, 0u);
    Submit({{{}, {3}, {}}});
    EXPECT_EQ(Flush(Counter::kFlushesIdle), VK_SUCCESS);
    EXPECT_THAT(driver.text, ElementsAre("[ 3 ]"));
    EXPECT_THAT(driver.whys, ElementsAre(Counter::kFlushesIdle));
    EXPECT_EQ(Flush(), VK_SUCCESS);
    EXPECT_EQ(driver.calls, 1u);
}

TEST_F(SubmitQueueTest, NoMoreIsHeldThanMayBe) {
    Fill();
    for (uint64_t i = 1; i < limits.buffers; ++i) EXPECT_EQ(Submit({{{}, {i}, {}}}).decision, Counter::kSubmitsHeld);
    EXPECT_EQ(Submit({{{}, {9}, {}}}).decision, Counter::kSubmitsThrough);
    EXPECT_THAT(driver.text, ElementsAre("[ 1 2 3 4 5 6 7 9 ]"));
    EXPECT_THAT(driver.whys, ElementsAre(Counter::kFlushesFull));
}

TEST_F(SubmitQueueTest, NoMoreBatchesThanMayBeThatSignal) {
    limits.buffers = 1'000;
    SubmitQueue large(driver, limits);
    const auto submit = [&](uint64_t i) {
        const Structures structures({{{}, {i}, {{50, i, kAll}}}});
        const std::lock_guard lock(large.mutex());
        return large.Submit(std::span<const VkSubmitInfo>(structures.first), {}, Clock).decision;
    };
    submit(1), submit(2);
    for (uint64_t i = 1; i < SubmitLimits::kInfos; ++i) EXPECT_EQ(submit(i), Counter::kSubmitsHeld);
    EXPECT_EQ(submit(100), Counter::kSubmitsThrough);
    EXPECT_EQ(driver.whys.back(), Counter::kFlushesFull);
}

TEST_F(SubmitQueueTest, WhatWaitsBeginsACallOfItsOwnAndGoesAtOnce) {
    Fill();
    Submit({{{}, {3}, {}}}, Virtual(30));
    Submit({{{{7, 1}}, {4}, {}}}, Virtual(40));
    EXPECT_EQ(driver.text, (std::vector<std::string>{"[ 3 ]", "[ w7=1@2048 4 ]"}));
    EXPECT_EQ(driver.whys.front(), Counter::kFlushesWaiting);
    Submit({{{}, {5}, {}}});
    Flush();
    EXPECT_EQ(driver.text.back(), "[ 5 ]");
}

TEST_F(SubmitQueueTest, AVirtualFenceIsTheValueThatItsCallSignals) {
    EXPECT_EQ(Submit({{{}, {1}, {}}}, Virtual(10)).fence_value, 1u);
    EXPECT_EQ(Submit({{{}, {2}, {}}}, Virtual(20)).fence_value, 2u);
    const SubmitQueue::Done held = Submit({{{}, {3}, {}}}, Virtual(30));
    EXPECT_TRUE(held.fence_virtual);
    EXPECT_EQ(held.fence_value, 3u);
    EXPECT_EQ(Submit({{{}, {4}, {}}}, Virtual(40)).fence_value, 3u);
    EXPECT_EQ(queue.StatusOf(3), VK_NOT_READY);
    driver.reached = 2;
    EXPECT_EQ(queue.StatusOf(2), VK_SUCCESS);
    EXPECT_EQ(queue.StatusOf(3), VK_NOT_READY) << "it is held still";
    Flush();
    EXPECT_EQ(driver.signaled, 3u);
    driver.reached = 3;
    EXPECT_EQ(queue.StatusOf(3), VK_SUCCESS);
    for (const std::string& text : driver.text) EXPECT_EQ(text.find("fence"), std::string::npos);
}

TEST_F(SubmitQueueTest, AFenceThatMustBeTheDriversEndsTheCall) {
    Fill();
    Submit({{{}, {3}, {}}});
    EXPECT_FALSE(Submit({{{}, {4}, {}}}, Real(40)).fence_virtual);
    EXPECT_THAT(driver.text, ElementsAre("[ 3 4 ] fence 40"));
    EXPECT_THAT(driver.whys, ElementsAre(Counter::kFlushesFence));
}

TEST_F(SubmitQueueTest, WhereTheProgramSignalsInTheSameBatchTheFenceIsTheDrivers) {
    Fill();
    const SubmitQueue::Done done = Submit({{{}, {3}, {{7, 1, kAll}}}}, Virtual(30));
    EXPECT_FALSE(done.fence_virtual);
    EXPECT_THAT(driver.text, ElementsAre("[ 3 s7=1 ] fence 30"));
}

TEST_F(SubmitQueueTest, AFenceAloneIsTheLastValue) {
    const SubmitQueue::Done none = Submit({}, Virtual(5));
    EXPECT_TRUE(none.fence_virtual);
    EXPECT_EQ(none.fence_value, 0u);
    EXPECT_EQ(queue.StatusOf(none.fence_value), VK_SUCCESS) << "nothing came before it";
    Fill();
    const SubmitQueue::Done idle = Submit({}, Virtual(10));
    EXPECT_TRUE(idle.fence_virtual);
    EXPECT_EQ(idle.fence_value, 2u);
    EXPECT_EQ(idle.decision, Counter::kSubmitsEmpty);
    EXPECT_EQ(driver.calls, 0u);
    Submit({{{}, {3}, {}}});
    const SubmitQueue::Done held = Submit({}, Virtual(20));
    EXPECT_TRUE(held.fence_virtual);
    EXPECT_EQ(held.fence_value, 3u);
    EXPECT_EQ(driver.calls, 0u);
}

TEST_F(SubmitQueueTest, AFenceAloneIsTheDriversWhereTheTimelineDoesNotCoverAll) {
    Submit({{{}, {1}, {{7, 1, kAll}}}});
    EXPECT_FALSE(Submit({}, Virtual(10)).fence_virtual) << "the program's signal is in the same batch";
    EXPECT_EQ(driver.text.back(), " unsignaled fence 10");
    Submit({{{}, {2}, {}}});
    EXPECT_TRUE(Submit({}, Virtual(20)).fence_virtual) << "what comes later covers it";
    {
        const std::lock_guard lock(queue.mutex());
        queue.Uncover();
        EXPECT_EQ(queue.last_value(), 0u);
    }
    EXPECT_FALSE(Submit({}, Virtual(30)).fence_virtual) << "the driver got something else";
    EXPECT_FALSE(Submit({}, Real(40)).fence_virtual);
    EXPECT_EQ(driver.text.back(), " unsignaled fence 40");
    Submit({{{}, {3}, {}}});
    EXPECT_TRUE(Submit({}, Virtual(50)).fence_virtual);
    Submit({{{}, {4}, {}}}, Real(60));
    EXPECT_FALSE(Submit({}, Virtual(70)).fence_virtual)
        << "the fence before it may be signaled later than the timeline";
    Submit({{{}, {5}, {}}});
    Flush();
    Submit({}, Real(80));
    EXPECT_FALSE(Submit({}, Virtual(90)).fence_virtual) << "as one alone may";
}

TEST_F(SubmitQueueTest, OneFormAtATime) {
    Fill();
    Submit({{{}, {3}, {}}});
    Submit({{{}, {4}, {}}}, {}, true);
    EXPECT_THAT(driver.text, ElementsAre("[ 3 ]"));
    EXPECT_THAT(driver.whys, ElementsAre(Counter::kFlushesForm));
    Flush();
    EXPECT_THAT(driver.text, ElementsAre("[ 3 ]", "[ 4 ]"));
}

TEST_F(SubmitQueueTest, WhatMayNotBeHeldGoesWithWhatIs) {
    Fill();
    Submit({{{}, {3}, {}}});
    Submission submission;
    submission.may_hold = false;
    submission.why_not = Counter::kSubmitsShared;
    EXPECT_EQ(Submit({{{}, {4}, {}}}, submission).decision, Counter::kSubmitsShared);
    EXPECT_THAT(driver.text, ElementsAre("[ 3 4 ]"));
}

TEST_F(SubmitQueueTest, TheFlusherGivesWhatHasRoomOrWaitedLongEnough) {
    Fill();
    clock_ns = 10'000;
    Submit({{{}, {3}, {}}});
    clock_ns = 10'400;
    Submit({{{}, {4}, {}}});
    const auto round = [&](uint64_t now) {
        const std::lock_guard lock(queue.mutex());
        queue.FlushWhenDue(now);
    };
    {
        const std::lock_guard lock(queue.mutex());
        EXPECT_EQ(queue.due_ns(), 10'500u) << "as old as the oldest";
        EXPECT_TRUE(queue.Lively());
        EXPECT_EQ(queue.next_value(), 2u) << "the program looks for room itself";
    }
    round(10'499);
    EXPECT_EQ(driver.calls, 0u);
    {
        const std::lock_guard lock(queue.mutex());
        EXPECT_TRUE(queue.Lively()) << "a moment ago it was";
    }
    round(10'499);
    EXPECT_EQ(driver.calls, 0u);
    {
        const std::lock_guard lock(queue.mutex());
        EXPECT_FALSE(queue.Lively());
        EXPECT_EQ(queue.next_value(), 1u);
    }
    round(10'500);
    EXPECT_THAT(driver.text, ElementsAre("[ 3 4 ]"));
    EXPECT_THAT(driver.whys, ElementsAre(Counter::kFlushesDeadline));
    round(20'000);
    EXPECT_EQ(driver.calls, 1u);
    Submit({{{}, {5}, {}}});
    driver.reached = 2;
    round(10'500);
    EXPECT_EQ(driver.calls, 1u) << "the program is still submitting, and the device has something to do";
    round(10'500);
    EXPECT_EQ(driver.calls, 2u);
    EXPECT_EQ(driver.whys.back(), Counter::kFlushesRoom);
    Submit({{{}, {6}, {}}});
    driver.reached = 4;
    round(10'500);
    EXPECT_EQ(driver.calls, 3u) << "it has not";
    EXPECT_EQ(driver.whys.back(), Counter::kFlushesRoom);
}

TEST_F(SubmitQueueTest, WhatCameTogetherBeforeIsHeldWhileTheDeviceIsBusy) {
    driver.expected = {1, 2, 3, 5};
    Submit({{{}, {1}, {}}});
    EXPECT_THAT(driver.text, ElementsAre("[ 1 ]")) << "it is idle";
    EXPECT_EQ(Submit({{{}, {2}, {}}}).decision, Counter::kSubmitsHeld) << "though there is room";
    Submit({{{}, {3}, {}}});
    Submit({{{}, {4}, {}}});
    EXPECT_THAT(driver.text, ElementsAre("[ 1 ]", "[ 2 3 4 ]")) << "all of it is there";
    Submit({{{}, {5}, {}}});
    driver.reached = 2;
    Submit({{{}, {5}, {}}});
    EXPECT_THAT(driver.text, ElementsAre("[ 1 ]", "[ 2 3 4 ]", "[ 5 5 ]")) << "idle again";
}

TEST_F(SubmitQueueTest, WithoutMemoryWhatIsHeldGoesInPieces) {
    Fill();
    Submit({{{}, {3}, {}}});
    Submit({{{}, {4}, {{7, 1, kAll}}}});
    Submit({{{}, {5}, {}}}, Virtual(50));
    driver.fail = {VK_ERROR_OUT_OF_HOST_MEMORY};
    EXPECT_EQ(Flush(), VK_SUCCESS);
    EXPECT_THAT(driver.text, ElementsAre("[ 3 ] unsignaled", "[ 4 s7=1 ] unsignaled", "[ 5 ]"));
    EXPECT_EQ(driver.signaled, 3u);
    EXPECT_FALSE(queue.lost());
}

TEST_F(SubmitQueueTest, WithoutMemoryTheProgramHearsOfItsOwnSubmissionAlone) {
    Fill();
    Submit({{{}, {3}, {}}}, Virtual(30));
    driver.reached = 1;
    driver.fail = {VK_ERROR_OUT_OF_DEVICE_MEMORY, VK_SUCCESS, VK_ERROR_OUT_OF_DEVICE_MEMORY};
    const SubmitQueue::Done done = Submit({{{}, {4}, {}}}, Virtual(40));
    EXPECT_EQ(done.result, VK_ERROR_OUT_OF_DEVICE_MEMORY);
    EXPECT_THAT(driver.text, ElementsAre("[ 3 ]"));
    EXPECT_EQ(driver.signaled, 3u) << "what was held signals the value of its fence";
    EXPECT_FALSE(queue.lost());
    EXPECT_FALSE(queue.Holds());
    driver.reached = 3;
    EXPECT_EQ(Submit({{{}, {5}, {}}}, Virtual(50)).fence_value, 4u);
}

TEST_F(SubmitQueueTest, AFirstTryThatFailsIsTheProgramsToHear) {
    driver.fail = {VK_ERROR_OUT_OF_HOST_MEMORY};
    EXPECT_EQ(Submit({{{}, {1}, {}}}, Virtual(10)).result, VK_ERROR_OUT_OF_HOST_MEMORY);
    EXPECT_EQ(driver.calls, 1u);
    EXPECT_FALSE(queue.lost());
    EXPECT_EQ(Submit({{{}, {2}, {}}}, Virtual(20)).fence_value, 1u);
}

TEST_F(SubmitQueueTest, WhatWasHeldAndIsNotTakenIsALostDevice) {
    for (const VkResult second : {VK_ERROR_OUT_OF_HOST_MEMORY, VK_ERROR_DEVICE_LOST}) {
        NotingDriver failing;
        SubmitQueue lost(failing, limits);
        const auto submit = [&](uint64_t i, const Submission& submission) {
            const Structures structures({{{}, {i}, {}}});
            const std::lock_guard lock(lost.mutex());
            return lost.Submit(std::span<const VkSubmitInfo>(structures.first), submission, Clock);
        };
        submit(1, {}), submit(2, {});
        const uint64_t value = submit(3, Virtual(30)).fence_value;
        failing.fail = {VK_ERROR_OUT_OF_HOST_MEMORY, second};
        {
            const std::lock_guard lock(lost.mutex());
            EXPECT_EQ(lost.Flush(Counter::kFlushesWait), VK_ERROR_DEVICE_LOST);
        }
        EXPECT_TRUE(lost.lost());
        EXPECT_FALSE(lost.Holds());
        EXPECT_EQ(lost.StatusOf(value), VK_ERROR_DEVICE_LOST);
        EXPECT_EQ(submit(4, {}).result, VK_ERROR_DEVICE_LOST);
        EXPECT_EQ(failing.calls, 4u) << "and the driver is asked no more";
    }
}

TEST_F(SubmitQueueTest, ADeviceThatIsLostIsSaidByTheDriver) {
    Fill();
    driver.lost = true;
    driver.fail = {VK_ERROR_DEVICE_LOST};
    EXPECT_EQ(Submit({{{}, {3}, {}}}).result, VK_ERROR_DEVICE_LOST) << "who cannot say how far it is gets it at once";
    EXPECT_EQ(queue.StatusOf(2), VK_ERROR_DEVICE_LOST);
}

TEST_F(SubmitQueueTest, WhatIsOverIsNotAskedForAgain) {
    Fill();
    driver.reached = 2;
    EXPECT_EQ(queue.StatusOf(2), VK_SUCCESS);
    driver.lost = true;
    EXPECT_EQ(queue.StatusOf(1), VK_SUCCESS);
}

// Whatever comes: order stays, each is given once, a fence's value comes with or after its own.
TEST_F(SubmitQueueTest, RandomOnesAllArriveInOrder) {
    std::mt19937 random(3);
    const auto below = [&](unsigned n) { return static_cast<unsigned>(random() % n); };
    for (int round = 0; round < 500; ++round) {
        NotingDriver noting;
        SubmitQueue any(noting, limits);
        uint64_t number = 0;
        std::vector<std::pair<uint64_t, uint64_t>> fences;  // last command buffer before it, value
        for (int step = 0; step < 60; ++step) {
            Infos infos(below(3));
            for (Info& info : infos) {
                if (below(8) == 0) info.waits.push_back({100, 1});
                for (unsigned i = below(3); i > 0; --i) info.buffers.push_back(++number);
                if (below(6) == 0) info.signals.push_back({101, 1, kAll});
            }
            const Structures structures(infos);
            Submission submission;
            if (below(3) == 0) submission = below(4) ? Virtual(7) : Real(7);
            for (const Info& info : infos) submission.waits = submission.waits || !info.waits.empty();
            const std::lock_guard lock(any.mutex());
            const SubmitQueue::Done done =
                any.Submit(std::span<const VkSubmitInfo>(structures.first), submission, Clock);
            ASSERT_EQ(done.result, VK_SUCCESS);
            if (done.fence_virtual) fences.emplace_back(number, done.fence_value);
            if (below(3) == 0) noting.reached += below(static_cast<unsigned>(noting.signaled - noting.reached) + 1);
            if (below(9) == 0) any.Flush(Counter::kFlushesWait);
        }
        const std::lock_guard lock(any.mutex());
        any.Flush(Counter::kFlushesWait);
        // Of each call, what it runs: and which value it signals is its place among those that signal.
        uint64_t ran = 0, value = 0;
        std::vector<uint64_t> ran_at = {0};
        for (const std::string& text : noting.text) {
            std::istringstream words(text.substr(0, text.find("unsignaled")));
            for (std::string word; words >> word;) {
                if (word == "fence") break;
                if (!std::isdigit(static_cast<unsigned char>(word[0]))) continue;
                ASSERT_EQ(std::stoull(word), ++ran);
            }
            if (text.find("unsignaled") != std::string::npos) continue;
            ++value;
            ran_at.push_back(ran);
        }
        ASSERT_EQ(ran, number);
        ASSERT_EQ(value, noting.signaled);
        for (const auto& [last, at] : fences) ASSERT_GE(ran_at.at(at), last);
    }
}

}  // namespace
}  // namespace kronos
