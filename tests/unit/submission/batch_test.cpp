// SPDX-License-Identifier: Apache-2.0
#include "submission/batch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "submitted.h"

namespace kronos {
namespace {

using submission_tests::As;
using submission_tests::Info;
using submission_tests::Infos;
using submission_tests::Seen;
using submission_tests::Semaphore;
using submission_tests::Structures;
using submission_tests::Text;

constexpr uint64_t kAll = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT;

class BatchTest : public ::testing::TestWithParam<bool> {
  protected:
    void Append(const Infos& infos) {
        const Structures structures(infos);
        if (GetParam())
            batch.Append(std::span<const VkSubmitInfo2>(structures.second));
        else
            batch.Append(std::span<const VkSubmitInfo>(structures.first));
    }
    Infos Between(const Batch::Mark& from, const Batch::Mark& to, const Batch::OwnSignal& own = {}) {
        const Batch::Call call = batch.Between(from, to, own);
        if (call.count) {
            EXPECT_EQ(call.second != nullptr, GetParam());
        }
        return call.second ? Seen(call.second, call.count) : Seen(call.first, call.count, kAll);
    }
    Infos All(const Batch::OwnSignal& own = {}) { return Between({}, batch.End(), own); }

    Batch batch;
};
INSTANTIATE_TEST_SUITE_P(Forms, BatchTest, ::testing::Bool(),
                         [](const auto& form) { return form.param ? "Second" : "First"; });

Semaphore Signal(uint64_t handle, uint64_t value) { return {handle, value, kAll}; }

TEST_P(BatchTest, WhatNeitherWaitsNorSignalsIsFolded) {
    Append({{{}, {1}, {}}});
    Append({{{}, {2, 3}, {}}, {{}, {}, {}}, {{}, {4}, {}}});
    EXPECT_EQ(Text(All()), Text({{{}, {1, 2, 3, 4}, {}}}));
    EXPECT_EQ(batch.folded(), 3u);
    EXPECT_EQ(batch.submissions(), 2u);
}

TEST_P(BatchTest, ASignalEndsABatchAndMayBeFoldedToItsEnd) {
    Append({{{}, {1}, {}}, {{}, {2}, {Signal(7, 3)}}, {{}, {3}, {}}});
    EXPECT_EQ(Text(All()), Text({{{}, {1, 2}, {Signal(7, 3)}}, {{}, {3}, {}}}));
}

TEST_P(BatchTest, AWaitBeginsABatchAndNothingIsFoldedIntoIt) {
    Append({{{}, {1}, {}}, {{{7, 3}}, {2}, {}}, {{}, {3}, {}}, {{}, {4}, {}}});
    EXPECT_EQ(Text(All()), Text({{{}, {1}, {}}, {{{7, 3}}, {2}, {}}, {{}, {3, 4}, {}}}));
}

TEST_P(BatchTest, TheOwnSignalIsTheLastBatchs) {
    Append({{{}, {1}, {Signal(7, 3)}}, {{}, {2}, {Signal(8, 0)}}});
    EXPECT_EQ(Text(All({As<VkSemaphore>(99), 5})),
              Text({{{}, {1}, {Signal(7, 3)}}, {{}, {2}, {Signal(8, 0), Signal(99, 5)}}}));
    EXPECT_TRUE(batch.EndsWithSignal());
    EXPECT_EQ(Text(All()), Text({{{}, {1}, {Signal(7, 3)}}, {{}, {2}, {Signal(8, 0)}}})) << "it is not remembered";
}

TEST_P(BatchTest, StagesAndValuesStay) {
    Append({{{{7, 3, VK_PIPELINE_STAGE_TRANSFER_BIT}, {8, 0, VK_PIPELINE_STAGE_HOST_BIT}}, {1}, {Signal(9, 4)}}});
    EXPECT_EQ(
        Text(All()),
        Text({{{{7, 3, VK_PIPELINE_STAGE_TRANSFER_BIT}, {8, 0, VK_PIPELINE_STAGE_HOST_BIT}}, {1}, {Signal(9, 4)}}}));
}

TEST_P(BatchTest, AMarkDividesABatchThatGoesOnBehindIt) {
    Append({{{}, {1}, {}}});
    const Batch::Mark mark = batch.End();
    Append({{{}, {2}, {Signal(7, 3)}}, {{}, {3}, {}}});
    EXPECT_EQ(Text(Between({}, mark)), Text({{{}, {1}, {}}}));
    EXPECT_EQ(Text(Between(mark, batch.End())), Text({{{}, {2}, {Signal(7, 3)}}, {{}, {3}, {}}}));
}

TEST_P(BatchTest, AMarkBeforeASignalThatWasFolded) {
    Append({{{}, {1}, {}}});
    const Batch::Mark mark = batch.End();
    Append({{{}, {}, {Signal(7, 3)}}});
    EXPECT_EQ(Text(All()), Text({{{}, {1}, {Signal(7, 3)}}}));
    EXPECT_EQ(Text(Between({}, mark)), Text({{{}, {1}, {}}}));
    EXPECT_EQ(Text(Between(mark, batch.End())), Text({{{}, {}, {Signal(7, 3)}}}));
}

TEST_P(BatchTest, ClearedItIsAsNew) {
    Append({{{{7, 3}}, {1}, {Signal(7, 4)}}});
    batch.Clear();
    EXPECT_TRUE(batch.Empty());
    EXPECT_EQ(batch.End(), Batch::Mark{});
    EXPECT_FALSE(batch.EndsWithSignal());
    Append({{{}, {2}, {}}});
    EXPECT_EQ(Text(All()), Text({{{}, {2}, {}}}));
    EXPECT_EQ(batch.submissions(), 1u);
}

// By another way: what a driver would do, one thing after the other.
std::vector<std::string> Order(const Infos& infos) {
    std::vector<std::string> order;
    for (const Info& info : infos) {
        for (const Semaphore& one : info.waits)
            order.push_back("wait " + std::to_string(one.handle) + ' ' + std::to_string(one.value));
        for (const uint64_t buffer : info.buffers) order.push_back("run " + std::to_string(buffer));
        for (const Semaphore& one : info.signals)
            order.push_back("signal " + std::to_string(one.handle) + ' ' + std::to_string(one.value));
    }
    return order;
}

TEST_P(BatchTest, RandomOnesKeepTheirOrderWholeAndInPieces) {
    std::mt19937 random(GetParam() ? 7 : 8);
    const auto below = [&](unsigned n) { return static_cast<unsigned>(random() % n); };
    for (int round = 0; round < 2'000; ++round) {
        batch.Clear();
        Infos all;
        uint64_t number = 0;
        for (unsigned submission = 0, submissions = 1 + below(5); submission < submissions; ++submission) {
            Infos infos(below(4));
            for (Info& info : infos) {
                if (below(4) == 0) info.waits.assign(1 + below(2), {100 + below(3), below(9)});
                for (unsigned i = below(4); i > 0; --i) info.buffers.push_back(++number);
                if (below(4) == 0) info.signals.assign(1 + below(2), Signal(100 + below(3), below(9)));
            }
            Append(infos);
            all.insert(all.end(), infos.begin(), infos.end());
        }
        ASSERT_EQ(Order(All()), Order(all));
        size_t waiting = 0;
        for (const Info& info : all) waiting += !info.waits.empty();
        ASSERT_GE(All().size(), waiting) << "each wait begins a batch";
        Infos pieces;
        size_t runs = 0;
        for (Batch::Mark at; at != batch.End();) {
            const Batch::Mark next = batch.Next(at);
            const Infos piece = Between(at, next);
            ASSERT_EQ(piece.size(), 1u);
            ASSERT_LE(piece[0].buffers.size(), 1u);
            runs += piece[0].buffers.size();
            pieces.insert(pieces.end(), piece.begin(), piece.end());
            at = next;
        }
        ASSERT_EQ(runs, number);
        ASSERT_EQ(Order(pieces), Order(all));
    }
}

TEST(SubmissionFacts, WhatIsUnderstoodInTheFirstForm) {
    const Structures structures({{{{7, 3}, {8, 1}}, {1, 2, 3}, {Signal(9, 4)}}, {{}, {4}, {}}});
    std::vector<VkSubmitInfo> infos = structures.first;
    const SubmissionFacts facts = FactsOf(std::span<const VkSubmitInfo>(infos));
    EXPECT_TRUE(facts.understood);
    EXPECT_EQ(facts.waits, 2u);
    EXPECT_EQ(facts.buffers, 4u);
    EXPECT_EQ(facts.signals, 1u);
    VkDeviceGroupSubmitInfo group = {};
    group.sType = VK_STRUCTURE_TYPE_DEVICE_GROUP_SUBMIT_INFO;
    infos[1].pNext = &group;
    EXPECT_FALSE(FactsOf(std::span<const VkSubmitInfo>(infos)).understood);
    VkTimelineSemaphoreSubmitInfo values = {};
    values.sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO;
    values.pNext = &group;
    infos[1].pNext = &values;
    EXPECT_FALSE(FactsOf(std::span<const VkSubmitInfo>(infos)).understood);
    values.pNext = nullptr;
    EXPECT_TRUE(FactsOf(std::span<const VkSubmitInfo>(infos)).understood);
}

TEST(SubmissionFacts, WhatIsUnderstoodInTheSecondForm) {
    const Structures structures({{{{7, 3}}, {1}, {Signal(9, 4)}}});
    VkSubmitInfo2 info = structures.second[0];
    const auto understood = [&] { return FactsOf(std::span<const VkSubmitInfo2>(&info, 1)).understood; };
    EXPECT_TRUE(understood());
    info.flags = VK_SUBMIT_PROTECTED_BIT;
    EXPECT_FALSE(understood());
    info.flags = 0;
    const VkBaseInStructure other = {VK_STRUCTURE_TYPE_PERFORMANCE_QUERY_SUBMIT_INFO_KHR, nullptr};
    info.pNext = &other;
    EXPECT_FALSE(understood());
    info.pNext = nullptr;
    VkCommandBufferSubmitInfo buffer = info.pCommandBufferInfos[0];
    buffer.pNext = &other;
    info.pCommandBufferInfos = &buffer;
    EXPECT_FALSE(understood());
    buffer.pNext = nullptr;
    VkSemaphoreSubmitInfo wait = info.pWaitSemaphoreInfos[0];
    wait.pNext = &other;
    info.pWaitSemaphoreInfos = &wait;
    EXPECT_FALSE(understood());
    wait.pNext = nullptr;
    VkSemaphoreSubmitInfo signal = info.pSignalSemaphoreInfos[0];
    signal.pNext = &other;
    info.pSignalSemaphoreInfos = &signal;
    EXPECT_FALSE(understood());
    signal.pNext = nullptr;
    EXPECT_TRUE(understood());
}

}  // namespace
}  // namespace kronos
