// SPDX-License-Identifier: Apache-2.0
// The table of the layer's sets: what is found is what was put in, on many threads at a time too.
#include "descriptors/layer_sets.h"

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <thread>

#include "resources/facts.h"

namespace kronos {
namespace {

// A content that is all of one number.
struct Content {
    explicit Content(uint64_t number, uint64_t of = 5) : identities(2, Identity{.object = number}), layout(of) {}
    ContentKey Key() const { return {layout, identities, words}; }
    std::vector<Identity> identities;
    std::vector<uint64_t> words;
    uint64_t layout;
};

LayerSet* Put(LayerSets& sets, const Content& content, uint64_t hash) {
    LayerSet* set = sets.New();
    if (!set) return nullptr;
    set->layout = content.layout;
    set->identities = content.identities;
    set->words = content.words;
    set->handle = reinterpret_cast<VkDescriptorSet>(uintptr_t{content.identities[0].object});
    sets.Publish(*set, hash);
    return set;
}

TEST(LayerSets, FindsAllOfTheContentAndNotItsHashAlone) {
    LayerSets sets;
    LayerSet* a = Put(sets, Content(10), 77);
    LayerSet* b = Put(sets, Content(11), 77);
    EXPECT_EQ(sets.Find(Content(10).Key(), 77), a);
    EXPECT_EQ(sets.Find(Content(11).Key(), 77), b);
    EXPECT_EQ(sets.Find(Content(12).Key(), 77), nullptr);
    EXPECT_EQ(sets.Find(Content(10, 6).Key(), 77), nullptr) << "of another layout";
    Content longer(10);
    longer.words.push_back(0);
    EXPECT_EQ(sets.Find(longer.Key(), 77), nullptr);
    Content words(20);
    words.words.push_back(WordOf(1));
    LayerSet* c = Put(sets, words, 77);
    EXPECT_EQ(sets.Find(words.Key(), 77), c);
    words.words[0] = WordOf(2);
    EXPECT_EQ(sets.Find(words.Key(), 77), nullptr);
    EXPECT_EQ(a->recordings, 2) << "what is not found is given back";
}

TEST(LayerSets, HashesDependOnEverything) {
    const Content content(10);
    const uint64_t hash = content.Key().Hash();
    EXPECT_EQ(Content(10).Key().Hash(), hash);
    const auto changed = [&](auto change) {
        Content other(10);
        change(other);
        return other.Key().Hash() != hash;
    };
    EXPECT_TRUE(changed([](Content& c) { c.layout = 6; }));
    EXPECT_TRUE(changed([](Content& c) { c.identities[1].object = 11; }));
    EXPECT_TRUE(changed([](Content& c) { c.identities[1].sampler = 11; }));
    EXPECT_TRUE(changed([](Content& c) { c.identities[1].offset = 4; }));
    EXPECT_TRUE(changed([](Content& c) { c.identities[1].range = 4; }));
    EXPECT_TRUE(changed([](Content& c) { std::swap(c.identities[0].offset, c.identities[0].object); }));
    EXPECT_TRUE(changed([](Content& c) { c.words.push_back(WordOf(0)); }));
}

TEST(LayerSets, WhatIsForgottenIsNotFound) {
    LayerSets sets;
    LayerSet* a = Put(sets, Content(10), 1);
    Put(sets, Content(11), 2);
    const uint64_t ticket = LayerSets::TicketOf(*a);
    EXPECT_EQ(sets.FindAgain(ticket), a);
    EXPECT_EQ(sets.Forget(12), 0u);
    EXPECT_EQ(sets.Forget(10), 1u);
    EXPECT_EQ(sets.Forget(10), 0u);
    EXPECT_EQ(sets.Find(Content(10).Key(), 1), nullptr);
    EXPECT_EQ(sets.FindAgain(ticket), nullptr);
    EXPECT_NE(sets.Find(Content(11).Key(), 2), nullptr);
}

TEST(LayerSets, OnlyWhatNobodyHasIsUsedAgain) {
    LayerSets sets;
    std::vector<LayerSet*> all = {Put(sets, Content(10), 1), Put(sets, Content(11), 2)};
    EXPECT_EQ(sets.Reclaim(all), nullptr);
    EXPECT_FALSE(sets.Discard(*all[1]));
    LayerSets::Release(*all[0]);
    const uint64_t ticket = LayerSets::TicketOf(*all[0]);
    EXPECT_EQ(sets.Reclaim(all), all[0]);
    EXPECT_EQ(all[0]->recordings, LayerSet::kUnused) << "nobody may take it while it is written";
    EXPECT_EQ(sets.FindAgain(ticket), nullptr);
    EXPECT_EQ(sets.Find(Content(10).Key(), 1), nullptr);
    LayerSets::Release(*all[1]);
    EXPECT_TRUE(sets.Discard(*all[1]));
    EXPECT_EQ(sets.New(), all[1]);
}

TEST(LayerSets, WhatIsUsedAgainLeavesItsPlaceToOthers) {
    LayerSets sets;
    // One bucket, and another.
    LayerSet* below = Put(sets, Content(10), 1);
    LayerSet* above = Put(sets, Content(11), 1);
    LayerSets::Release(*above);
    std::vector<LayerSet*> all = {above};
    ASSERT_EQ(sets.Reclaim(all), above);
    EXPECT_EQ(above->life, 0u);
    above->identities = Content(12).identities;
    sets.Publish(*above, 2);
    EXPECT_EQ(sets.Find(Content(12).Key(), 2), above);
    EXPECT_EQ(sets.Find(Content(10).Key(), 1), below);
    EXPECT_EQ(sets.Find(Content(12).Key(), 1), nullptr);
}

TEST(LayerSets, ThereIsAnEndToThem) {
    LayerSets sets;
    uint32_t made = 0;
    while (Put(sets, Content(10 + made), made)) ++made;
    EXPECT_EQ(made, LayerSets::kMost);
    for (uint32_t i = 0; i < made; ++i) EXPECT_NE(sets.Find(Content(10 + i).Key(), i), nullptr);
}

// Some look up while one changes what the sets hold: what is found is always what was looked for.
TEST(LayerSets, ThreadsFindWhatTheyLookFor) {
    LayerSets sets;
    std::mutex lock;
    constexpr uint64_t kContents = 40;
    constexpr uint64_t kSets = 12;
    std::vector<LayerSet*> all;
    for (uint64_t i = 0; i < kSets; ++i) {
        all.push_back(Put(sets, Content(100 + i), i % 8));
        LayerSets::Release(*all.back());
    }
    std::atomic<bool> stop{false};
    std::atomic<uint64_t> wrong{0};
    std::atomic<uint64_t> found{0};
    const auto look = [&](uint64_t seed) {
        for (uint64_t i = seed; !stop.load(std::memory_order_relaxed); i = i * 6364136223846793005ull + 1) {
            const uint64_t number = (i >> 33) % kContents;
            LayerSet* set = sets.Find(Content(100 + number).Key(), number % 8);
            if (!set) continue;
            if (set->identities[0].object != 100 + number || set->identities[1].object != 100 + number) ++wrong;
            ++found;
            LayerSets::Release(*set);
        }
    };
    std::vector<std::thread> threads;
    for (uint64_t i = 0; i < 3; ++i) threads.emplace_back(look, i + 1);
    for (uint64_t i = 0; i < 20'000 || found < 1000; ++i) {
        std::lock_guard guard(lock);
        sets.Tick();
        LayerSet* set = sets.Reclaim(all);
        if (!set) continue;
        const uint64_t number = i * 7 % kContents;
        const Content content(100 + number);
        set->identities = content.identities;
        sets.Publish(*set, number % 8);
        LayerSets::Release(*set);
    }
    stop = true;
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(wrong, 0u);
}

}  // namespace
}  // namespace kronos
