// SPDX-License-Identifier: Apache-2.0
#include "submission/submit_worth.h"

#include <gtest/gtest.h>

namespace kronos {
namespace {

using Verdict = SubmitWorth::Verdict;

void Take(SubmitWorth& worth, uint64_t ns, uint64_t submissions, uint64_t times) {
    for (uint64_t i = 0; i < times; ++i) worth.Took(ns, submissions);
}

TEST(SubmitWorth, CheapDriversAreLeftAlone) {
    SubmitWorth worth;
    Take(worth, 100'000, 1, SubmitWorth::kFirst - 1);
    EXPECT_EQ(worth.verdict(), Verdict::kUndecided);
    worth.Took(SubmitWorth::kDearNs - 1, 1);
    EXPECT_EQ(worth.verdict(), Verdict::kCheap);
    Take(worth, 100'000, 1, 10'000);
    EXPECT_EQ(worth.verdict(), Verdict::kCheap);
}

TEST(SubmitWorth, DearOnesAreSpared) {
    SubmitWorth worth;
    Take(worth, SubmitWorth::kDearNs, 1, SubmitWorth::kFirst);
    EXPECT_EQ(worth.verdict(), Verdict::kPays);
    Take(worth, 2'000, 1, 20);
    Take(worth, 6'000, 16, 1'000);  // 375 each
    EXPECT_EQ(worth.verdict(), Verdict::kPays);
}

TEST(SubmitWorth, WhatCostsNoLessTogetherIsNotHeldForAWhile) {
    SubmitWorth worth;
    Take(worth, 2'000, 1, SubmitWorth::kFirst);
    Take(worth, 2'000, 1, 100);
    Take(worth, 16 * 2'000, 16, SubmitWorth::kJudged / 16 - 1);
    EXPECT_EQ(worth.verdict(), Verdict::kPays);
    worth.Took(16 * 2'000, 16);
    EXPECT_EQ(worth.verdict(), Verdict::kPaused);
    Take(worth, 2'000, 1, SubmitWorth::kPause - 1);
    EXPECT_EQ(worth.verdict(), Verdict::kPaused);
    worth.Took(2'000, 1);
    EXPECT_EQ(worth.verdict(), Verdict::kPays);
}

}  // namespace
}  // namespace kronos
