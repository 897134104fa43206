// SPDX-License-Identifier: Apache-2.0
#include "support/arena.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <vector>

namespace kronos {
namespace {

TEST(Arena, GivesPiecesThatStayAndDoNotOverlap) {
    Arena arena;
    std::vector<std::pair<unsigned char*, size_t>> pieces;
    for (size_t i = 1; i < 2000; ++i) {
        const size_t bytes = i % 37 == 0 ? i * 10 : i % 61 + 1;
        auto* piece = static_cast<unsigned char*>(arena.Take(bytes));
        EXPECT_EQ(reinterpret_cast<uintptr_t>(piece) % alignof(std::max_align_t), 0u);
        std::memset(piece, static_cast<int>(i % 251), bytes);
        pieces.emplace_back(piece, bytes);
    }
    for (size_t i = 1; i < 2000; ++i)
        for (size_t byte = 0; byte < pieces[i - 1].second; ++byte)
            ASSERT_EQ(pieces[i - 1].first[byte], i % 251) << "piece " << i;
}

TEST(Arena, GivesTheSamePiecesAfterReset) {
    Arena arena;
    const auto take = [&] {
        std::vector<void*> pieces;
        for (size_t i = 0; i < 500; ++i) pieces.push_back(arena.Take(i));
        pieces.push_back(arena.Take(size_t{1} << 22));
        pieces.push_back(arena.Take(8));
        return pieces;
    };
    const std::vector<void*> first = take();
    arena.Reset();
    EXPECT_EQ(take(), first);
}

TEST(Arena, PassesOverChunksThatAreTooSmall) {
    Arena arena;
    arena.Take(1);
    arena.Take(size_t{1} << 16);
    arena.Take(size_t{1} << 18);
    arena.Reset();
    auto* large = static_cast<unsigned char*>(arena.Take(size_t{1} << 18));
    std::memset(large, 1, size_t{1} << 18);
    auto* next = static_cast<unsigned char*>(arena.Take(16));
    std::memset(next, 2, 16);
    EXPECT_EQ(large[(size_t{1} << 18) - 1], 1);
}

TEST(Arena, CopiesNothingAsNothing) {
    Arena arena;
    const int value = 7;
    EXPECT_EQ(arena.Copy(&value, 0), nullptr);
    EXPECT_EQ(arena.Copy<int>(nullptr, 0), nullptr);
    EXPECT_EQ(*arena.Copy(&value, 1), 7);
}

}  // namespace
}  // namespace kronos
