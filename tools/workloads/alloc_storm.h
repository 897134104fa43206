// SPDX-License-Identifier: Apache-2.0
// Memory of mixed sizes taken and given back, a few blocks alive at a time: from the driver each time, or as parts of
// two slabs. The host marks every other block and reads the marks before it gives the block back. One thread.
#pragma once

#include <deque>

#include "handles.h"
#include "writing.h"

namespace kronos::workloads {

class AllocStorm final : public Writing {
  public:
    AllocStorm(const Job& job, bool slabs);
    RunResult Run() override;
    Counts PerRun() const override;
    Counts Once() const override;

  private:
    struct Block {
        size_t step;
        OwnedMemory memory;           // unless it is part of a slab
        std::byte* mapped = nullptr;  // of every other block
    };
    Block Take(size_t step) const;
    void GiveBack(Block block, std::vector<Words>& results) const;
    uint32_t MemoryType(bool mapped) const;

    const Context& context_;
    const Workload& workload_;
    Fault fault_;
    uint64_t largest_ = 0;
    // Slabs: memory that the host sees, and memory of the device.
    std::vector<OwnedMemory> slabs_;
    std::byte* mapped_slab_ = nullptr;
};

}  // namespace kronos::workloads
