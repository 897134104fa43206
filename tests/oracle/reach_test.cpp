// SPDX-License-Identifier: Apache-2.0
// How far barriers order something before what comes later: section "Memory Dependencies", case by case.
#include "stream/reach.h"

#include <gtest/gtest.h>

namespace kronos {
namespace {

constexpr Kinds kStorage = Of(Kind::kStorageWrite);
constexpr Kinds kCopy = Of(Kind::kCopyRead);
constexpr Kinds kHostSees = Of(Kind::kHostRead);

Scopes From(Kinds before, Kinds after, Kinds available, Kinds visible) {
    Scopes scopes;
    scopes.before = before;
    scopes.after = after;
    scopes.available = available;
    scopes.visible = visible;
    return scopes;
}

TEST(Reach, WhatOneBarrierOrdersTheNextDoesNotUndo) {
    Reach reach;
    reach.Apply(From(kStorage, kCopy, 0, 0), true, kStorage, true, true);
    reach.Apply(From(kStorage, kHostSees, 0, 0), true, kStorage, true, true);
    EXPECT_EQ(reach.after, kCopy | kHostSees);
    EXPECT_EQ(reach.available, 0u) << "none of them made the write available";
}

TEST(Reach, ExecutionChains) {
    Reach reach;
    reach.Apply(From(kStorage, kCopy, 0, 0), true, kStorage, true, true);
    reach.Apply(From(kCopy, kHostSees, 0, 0), false, kStorage, true, true);
    EXPECT_EQ(reach.after, kCopy | kHostSees);
    Reach apart;
    apart.Apply(From(kCopy, kHostSees, 0, 0), false, kStorage, true, true);
    EXPECT_EQ(apart, Reach{});
}

// Made available by the first, it becomes visible by the second, which does not have the write in its first scope.
TEST(Reach, MemoryChains) {
    Reach reach;
    reach.Apply(From(kStorage, kCopy, kStorage, 0), true, kStorage, true, true);
    EXPECT_EQ(reach, (Reach{kCopy, kCopy, 0}));
    reach.Apply(From(kCopy, kHostSees, 0, kHostSees), false, kStorage, true, true);
    EXPECT_EQ(reach, (Reach{kCopy | kHostSees, kCopy | kHostSees, kHostSees}));
}

// A barrier for another buffer orders execution, and no memory.
TEST(Reach, OfOtherMemoryNothingIsAvailable) {
    Reach reach;
    reach.Apply(From(kStorage, kCopy, kStorage, kCopy), true, kStorage, false, false);
    EXPECT_EQ(reach, (Reach{kCopy, 0, 0}));
}

TEST(Reach, OfOtherMemoryNothingIsVisible) {
    Reach reach;
    reach.Apply(From(kStorage, kCopy, kStorage, kCopy), true, kStorage, true, false);
    EXPECT_EQ(reach, (Reach{kCopy, kCopy, 0}));
}

TEST(Reach, OfSeveralWritesAllMustBeMadeAvailable) {
    const Kinds both = kStorage | Of(Kind::kCopyWrite);
    Reach reach;
    reach.Apply(From(both, kCopy, kStorage, kCopy), true, both, true, true);
    EXPECT_EQ(reach, (Reach{kCopy, 0, 0}));
    reach.Apply(From(both, kCopy, both, kCopy), true, both, true, true);
    EXPECT_EQ(reach, (Reach{kCopy, kCopy, kCopy}));
}

}  // namespace
}  // namespace kronos
