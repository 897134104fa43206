// SPDX-License-Identifier: Apache-2.0
#include "support/handle_map.h"

#include <gtest/gtest.h>

#include <random>
#include <thread>
#include <unordered_map>
#include <vector>

namespace kronos {
namespace {

uint64_t Handle(uint64_t i) { return 0x1000 + i * 16; }

TEST(HandleMap, FindsWhatWasInsertedAndNothingElse) {
    HandleMap<uint64_t, uint64_t> map;
    EXPECT_EQ(map.Find(Handle(1), 77), 77u);
    EXPECT_TRUE(map.Insert(Handle(1), 5));
    EXPECT_EQ(map.Find(Handle(1)), 5u);
    EXPECT_EQ(map.Find(Handle(2)), 0u);
    EXPECT_EQ(map.size(), 1u) << "a look-up inserts nothing";
    EXPECT_TRUE(map.Insert(Handle(1), 6));
    EXPECT_EQ(map.Find(Handle(1)), 6u);
    EXPECT_EQ(map.size(), 1u);
    EXPECT_EQ(map.Erase(Handle(1)), 6u);
    EXPECT_EQ(map.Erase(Handle(1), 9), 9u);
    EXPECT_EQ(map.Find(Handle(1)), 0u);
}

TEST(HandleMap, RefusesTheTwoReservedKeys) {
    HandleMap<uint64_t, uint64_t> map;
    EXPECT_FALSE(map.Insert(0, 1));
    EXPECT_FALSE(map.Insert(1, 1));
    EXPECT_EQ(map.size(), 0u);
}

TEST(HandleMap, AgreesWithTheStandardMapOverRandomOperations) {
    std::mt19937_64 random(7);
    HandleMap<uint64_t, uint64_t> map;
    std::unordered_map<uint64_t, uint64_t> model;
    for (int i = 0; i < 200'000; ++i) {
        const uint64_t key = Handle(random() % 3000);
        switch (random() % 3) {
            case 0:
                map.Insert(key, static_cast<uint64_t>(i) + 1);
                model[key] = static_cast<uint64_t>(i) + 1;
                break;
            case 1:
                ASSERT_EQ(map.Erase(key), model.contains(key) ? model[key] : 0);
                model.erase(key);
                break;
            default:
                ASSERT_EQ(map.Find(key), model.contains(key) ? model[key] : 0);
        }
    }
    ASSERT_EQ(map.size(), model.size());
    size_t visited = 0;
    map.ForEach([&](uint64_t key, uint64_t value) {
        ++visited;
        EXPECT_EQ(model.at(key), value);
    });
    EXPECT_EQ(visited, model.size());
}

TEST(HandleMap, ChurnDoesNotGrowIt) {
    std::mt19937_64 random(11);
    HandleMap<uint64_t, uint64_t> map;
    for (uint64_t i = 0; i < 1'000'000; ++i) {
        const uint64_t key = (random() & 0x7fff'ffff'fff0) | 0x1000;
        map.Insert(key, i);
        map.Erase(key);
    }
    EXPECT_EQ(map.size(), 0u);
    EXPECT_EQ(map.capacity(), 64u);
    EXPECT_EQ(map.tables(), 1u);
}

TEST(HandleMap, ReadersFindTheirKeysWhileOthersInsertEraseAndGrow) {
    HandleMap<uint64_t, uint64_t> map;
    constexpr int kReaders = 4;
    for (uint64_t i = 0; i < kReaders; ++i) map.Insert(Handle(i), i + 1);
    std::atomic<bool> stop{false};
    std::atomic<uint64_t> wrong{0};
    std::vector<std::thread> readers;
    for (uint64_t reader = 0; reader < kReaders; ++reader) {
        readers.emplace_back([&, reader] {
            while (!stop.load(std::memory_order_relaxed))
                if (map.Find(Handle(reader)) != reader + 1) wrong.fetch_add(1);
        });
    }
    std::thread writer([&] {
        for (uint64_t i = 100; i < 20'000; ++i) map.Insert(Handle(i), i);
        for (uint64_t i = 100; i < 20'000; ++i) map.Erase(Handle(i));
    });
    writer.join();
    stop = true;
    for (auto& reader : readers) reader.join();
    EXPECT_EQ(wrong.load(), 0u);
    EXPECT_EQ(map.size(), static_cast<size_t>(kReaders));
}

}  // namespace
}  // namespace kronos
