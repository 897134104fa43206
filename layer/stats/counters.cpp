// SPDX-License-Identifier: Apache-2.0
#include "stats/counters.h"

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

CounterValues Counters::Snapshot() const {
    CounterValues values;
    const auto add = [&](const Block& block) {
        for (size_t side = 0; side < 2; ++side)
            for (size_t i = 0; i < kCountersAndDecisions; ++i)
                values.value[side][i] += block.value[0][i].load(std::memory_order_relaxed) +
                                         block.value[1 + side][i].load(std::memory_order_relaxed);
    };
    add(common_);
    for (const Block* block = made_.load(std::memory_order_acquire); block; block = block->next) add(*block);
    return values;
}

uint64_t Counters::Sum(Side side, Counter counter) const {
    const auto of = [=](const Block& block) {
        const auto i = static_cast<size_t>(counter);
        return block.value[0][i].load(std::memory_order_relaxed) +
               block.value[1 + static_cast<size_t>(side)][i].load(std::memory_order_relaxed);
    };
    uint64_t sum = of(common_);
    for (const Block* block = made_.load(std::memory_order_acquire); block; block = block->next) sum += of(*block);
    return sum;
}

size_t Counters::blocks() const {
    size_t count = 0;
    for (const Block* block = made_.load(std::memory_order_acquire); block; block = block->next) ++count;
    return count;
}

}  // namespace kronos
