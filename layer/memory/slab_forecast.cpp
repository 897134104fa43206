// SPDX-License-Identifier: Apache-2.0
#include "memory/slab_forecast.h"

#include <atomic>
#include <cstdint>
#include <variant>

#include "support/clock.h"

namespace kronos {
namespace {

// Nobody sees the memory: none of it is there.
SlabOptions Unseen(SlabOptions options) {
    options.guard = false;
    options.zero = ZeroMemory::kOff;
    for (SlabType& type : options.types) type.visible = false;
    return options;
}

}  // namespace

class SlabForecast::Driver : public SlabDriver {
  public:
    bool Make(const MemoryKey&, Slab& slab) noexcept override {
        slab.handle = made.fetch_add(1, std::memory_order_relaxed) + 1;
        return true;
    }
    void Drop(const MemoryKey&, Slab&) noexcept override {}
    bool Flush(const Slab&, uint64_t, uint64_t) noexcept override { return true; }
    void Idle() noexcept override {}
    void Gone(const VirtualMemory&) noexcept override {}

    std::atomic<uint64_t> made{0};
};

SlabForecast::SlabForecast(const SlabFacts& facts)
    : facts_(facts), driver_(std::make_unique<Driver>()), memory_(Unseen(facts.options), *driver_) {}

SlabForecast::~SlabForecast() { memory_.DropAll(); }

SlabForecast::Foreseen SlabForecast::Allocate(const VkMemoryAllocateInfo& info, bool has_allocator) {
    const auto judged = JudgeSlab(info, has_allocator, facts_);
    const auto* key = std::get_if<MemoryKey>(&judged);
    if (!key) return {};
    const uint64_t before = driver_->made.load(std::memory_order_relaxed);
    VirtualMemory* place = memory_.Allocate(*key, info.allocationSize, false);
    return {place, place && driver_->made.load(std::memory_order_relaxed) == before};
}

void SlabForecast::Free(VirtualMemory& place) noexcept { memory_.Free(place, CoarseNowNs()); }

}  // namespace kronos
