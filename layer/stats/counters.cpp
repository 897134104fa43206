// SPDX-License-Identifier: Apache-2.0
#include "stats/counters.h"

#include <bit>
#include <new>

namespace kronos {

Counters::~Counters() {
    for (const Block* block = made_.load(std::memory_order_acquire); block;) {
        const Block* next = block->next;
        delete block;
        block = next;
    }
}

Counters::Block* Counters::FindBlock(uintptr_t thread) {
    constexpr size_t kProbes = 8;
    for (size_t i = Home(thread), end = i + kProbes; i < end; ++i) {
        Slot& slot = slots_[i % kBlocks];
        uintptr_t seen = slot.thread.load(std::memory_order_relaxed);
        if (seen == thread) return slot.block.load(std::memory_order_relaxed);
        // Only this thread puts its own name into a slot, so what another one took meanwhile is not ours.
        if (seen || !slot.thread.compare_exchange_strong(seen, thread, std::memory_order_relaxed)) continue;
        auto* block = new (std::nothrow) Block;
        if (!block) return &common_;  // and the slot says so for good
        block->next = made_.load(std::memory_order_relaxed);
        while (!made_.compare_exchange_weak(block->next, block, std::memory_order_release, std::memory_order_relaxed)) {
        }
        slot.block.store(block, std::memory_order_relaxed);
        return block;
    }
    return &common_;
}

// Several threads add to the common block.
void Counters::Block::Use(Counter counter) {
    const auto i = static_cast<size_t>(counter);
    used[i / 64].fetch_or(uint64_t{1} << (i % 64), std::memory_order_relaxed);
}

CounterValues Counters::Snapshot() const {
    CounterValues values;
    ForBlocks([&](const Block& block) {
        for (size_t i = 0; i < kCountersAndDecisions; ++i)
            for (size_t side = 0; side < 2; ++side) values.value[i][side] += block.Of(side, i);
    });
    return values;
}

uint64_t Counters::Sum(Side side, Counter counter) const {
    uint64_t sum = 0;
    ForBlocks([&](const Block& block) { sum += block.Of(static_cast<size_t>(side), static_cast<size_t>(counter)); });
    return sum;
}

size_t Counters::Since(CounterValues& last, CounterStep* steps) const {
    Bits used{};
    ForBlocks([&](const Block& block) {
        for (size_t word = 0; word < used.size(); ++word)
            used[word] |= block.used[word].load(std::memory_order_relaxed);
    });
    size_t count = 0;
    for (size_t word = 0; word < used.size(); ++word) {
        for (uint64_t left = used[word]; left; left &= left - 1) {
            const size_t i = word * 64 + static_cast<size_t>(std::countr_zero(left));
            const uint64_t bit = left & -left;
            std::array<uint64_t, 2> now{};
            ForBlocks([&](const Block& block) {
                if (!(block.used[word].load(std::memory_order_relaxed) & bit)) return;
                for (size_t side = 0; side < 2; ++side) now[side] += block.Of(side, i);
            });
            for (size_t side = 0; side < 2; ++side) {
                const uint64_t n = now[side] - last.value[i][side];
                if (!n) continue;
                steps[count++] = {static_cast<uint16_t>(i), static_cast<uint16_t>(side), n};
                last.value[i][side] = now[side];
            }
        }
    }
    return count;
}

size_t Counters::blocks() const {
    size_t count = 0;
    for (const Block* block = made_.load(std::memory_order_acquire); block; block = block->next) ++count;
    return count;
}

}  // namespace kronos
