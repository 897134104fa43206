// SPDX-License-Identifier: Apache-2.0
#include "support/handle_map.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

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

// Who looks for nothing where the map is empty must not miss anything, however often it grew.
TEST(HandleMap, IsEmptyOnlyWhileNothingIsInIt) {
    HandleMap<uint64_t, uint64_t> map;
    EXPECT_TRUE(map.empty());
    for (uint64_t key = 1; key <= 1'000; ++key) {
        EXPECT_TRUE(map.Insert(Handle(key), key));
        EXPECT_FALSE(map.empty()) << key;
    }
    EXPECT_TRUE(map.Insert(Handle(1), 2)) << "replaced";
    for (uint64_t key = 1; key <= 1'000; ++key) {
        EXPECT_FALSE(map.empty()) << key;
        map.Erase(Handle(key));
        map.Erase(Handle(key), 0);
    }
    EXPECT_TRUE(map.empty());
}

TEST(HandleMap, TheNullHandleIsNeverInIt) {
    HandleMap<uint64_t, uint64_t> map;
    EXPECT_FALSE(map.Insert(0, 1));
    EXPECT_EQ(map.Find(0, 7), 7u);
    EXPECT_EQ(map.Erase(0, 7), 7u);
    EXPECT_EQ(map.size(), 0u);
    // Drivers for tests number their handles from 1.
    EXPECT_TRUE(map.Insert(1, 5));
    EXPECT_EQ(map.Find(1), 5u);
    EXPECT_EQ(map.Erase(1), 5u);
    EXPECT_EQ(map.Find(1), 0u);
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

TEST(HandleMap, ChurnDoesNotGrowItWhateverElseLives) {
    for (const uint64_t long_lived : {0u, 1u, 8u, 100u}) {
        std::mt19937_64 random(11);
        HandleMap<uint64_t, uint64_t> map;
        for (uint64_t i = 0; i < long_lived; ++i) map.Insert(Handle(i * 977), i + 1);
        const size_t tables = map.tables();
        for (uint64_t i = 0; i < 300'000; ++i) {
            const uint64_t key = (random() & 0x7fff'ffff'fff0) | 0x1000'0000'0000;
            map.Insert(key, i);
            map.Erase(key);
        }
        EXPECT_EQ(map.size(), long_lived);
        EXPECT_EQ(map.tables(), tables);
        for (uint64_t i = 0; i < long_lived; ++i) EXPECT_EQ(map.Find(Handle(i * 977)), i + 1);
    }
}

TEST(HandleMap, ReadersFindTheirKeysWhileEntriesMove) {
    // A full run of neighbours: each erase moves others back, some of them the readers'.
    HandleMap<uint64_t, uint64_t> map;
    constexpr uint64_t kKeys = 24;
    for (uint64_t i = 0; i < kKeys; ++i) map.Insert(Handle(i), i + 1);
    std::atomic<bool> stop{false};
    std::atomic<uint64_t> wrong{0};
    std::vector<std::thread> readers;
    for (uint64_t reader = 0; reader < 3; ++reader) {
        readers.emplace_back([&, reader] {
            while (!stop.load(std::memory_order_relaxed))
                for (uint64_t key = reader; key < kKeys; key += 3)
                    if (map.Find(Handle(key)) != key + 1) wrong.fetch_add(1);
        });
    }
    std::mt19937_64 random(3);
    for (int i = 0; i < 100'000; ++i) {
        const uint64_t key = (random() & 0xfff0) | 0x10'0000;
        map.Insert(key, 99);
        if (map.Find(key) != 99) wrong.fetch_add(1);
        map.Erase(key);
        if (map.Find(key) != 0) wrong.fetch_add(1);
    }
    stop = true;
    for (auto& reader : readers) reader.join();
    EXPECT_EQ(wrong.load(), 0u);
    EXPECT_EQ(map.size(), kKeys);
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

TEST(HandleMap, AForkedChildIsNotCaughtInALockOfAnotherThread) {
    HandleMap<uint64_t, uint64_t> map;
    std::atomic<bool> stop{false};
    std::vector<std::thread> threads;
    for (uint64_t t = 1; t < 3; ++t) {
        threads.emplace_back([&, t] {
            while (!stop.load(std::memory_order_relaxed)) {
                map.Insert(Handle(t), t);
                map.Erase(Handle(t));
            }
        });
    }
    for (int i = 0; i < 200; ++i) {
        const pid_t child = fork();
        ASSERT_GE(child, 0);
        if (child == 0) {
            alarm(30);
            map.Insert(Handle(9), 9);
            _exit(map.Find(Handle(9)) == 9 ? 0 : 1);
        }
        int status = -1;
        ASSERT_EQ(waitpid(child, &status, 0), child);
        ASSERT_EQ(status, 0) << "the child hung or found nonsense";
    }
    stop = true;
    for (auto& thread : threads) thread.join();
}

}  // namespace
}  // namespace kronos
