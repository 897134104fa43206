// SPDX-License-Identifier: Apache-2.0
#include <new>

#include "memory/slabs.h"
#include "slab_subjects.h"

namespace slab_bench {
namespace {

using kronos::MemoryKey;
using kronos::Slab;
using kronos::SlabMemory;
using kronos::VirtualMemory;

constexpr uint64_t kLargest = uint64_t{256} << 20;  // the default of slab_limit

// Allocations of their own have an address, too.
struct Alone {
    uint64_t bytes;
};

class Kronos : public Subject, private kronos::SlabDriver {
  public:
    ~Kronos() override { memory_.DropAll(); }
    void* Allocate(uint8_t type, uint64_t bytes, uint64_t alignment) override {
        MemoryKey key;
        key.type = type;
        if (bytes <= memory_.Largest(type))
            if (VirtualMemory* memory = memory_.Allocate(key, bytes, false)) {
                memory_.Place(*memory, alignment);
                return memory;
            }
        driver_.Gave(bytes);
        return Tagged(new Alone{bytes});
    }
    void Free(void* memory) override {
        if (!IsTagged(memory)) {
            memory_.Free(*static_cast<VirtualMemory*>(memory), 0);
            return;
        }
        const std::unique_ptr<Alone> alone(Untagged(memory));
        driver_.GotBack(alone->bytes);
    }
    Holes Free() const override {
        Holes holes;
        for (const kronos::SlabReport& report : memory_.Report()) {
            holes.largest = std::max(holes.largest, report.use.largest_free);
            holes.all += report.use.bytes - report.use.taken_bytes;
        }
        return holes;
    }

  private:
    static void* Tagged(Alone* alone) { return reinterpret_cast<char*>(alone) + 1; }
    static bool IsTagged(void* memory) { return reinterpret_cast<uintptr_t>(memory) & 1; }
    static Alone* Untagged(void* memory) { return reinterpret_cast<Alone*>(static_cast<char*>(memory) - 1); }

    bool Make(const MemoryKey&, Slab& slab) noexcept override {
        slab.handle = ++next_;
        driver_.Gave(slab.bytes);
        return true;
    }
    void Drop(const MemoryKey&, Slab& slab) noexcept override { driver_.GotBack(slab.bytes); }
    bool Flush(const Slab&, uint64_t, uint64_t) noexcept override { return true; }
    void Idle() noexcept override {}
    void Gone(const VirtualMemory&) noexcept override {}

    static kronos::SlabOptions Options() {
        kronos::SlabOptions options;
        options.idle_budgets.fill(kLargest);  // the default of recycle_limit
        for (kronos::SlabType& type : options.types) type = {0, false, true, kLargest};
        return options;
    }

    uint64_t next_ = 0;
    SlabMemory memory_{Options(), *this};
};

}  // namespace

std::unique_ptr<Subject> MakeKronos() { return std::make_unique<Kronos>(); }

}  // namespace slab_bench
