// SPDX-License-Identifier: Apache-2.0
// Who divides large allocations among small ones: the layer, and VMA where it is installed. Both on the same driver,
// which only counts.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>

namespace slab_bench {

/// A heap of 128 GiB of which all types are: device-local, not seen by the host.
inline constexpr uint64_t kHeapBytes = uint64_t{128} << 30;
inline constexpr uint32_t kTypes = 32;

/// What the driver was asked for.
struct Driver {
    uint64_t calls = 0;  ///< allocations
    uint64_t bytes = 0;  ///< that it has given and not got back
    uint64_t most_bytes = 0;

    void Gave(uint64_t size) {
        ++calls;
        bytes += size;
        most_bytes = std::max(most_bytes, bytes);
    }
    void GotBack(uint64_t size) { bytes -= size; }
};

class Subject {
  public:
    /// Never fails.
    virtual void* Allocate(uint8_t type, uint64_t bytes, uint64_t alignment) = 0;
    virtual void Free(void* memory) = 0;
    /// The largest hole, and all that is free: of 0 there is nothing.
    struct Holes {
        uint64_t largest = 0, all = 0;
    };
    virtual Holes Free() const = 0;
    const Driver& driver() const { return driver_; }
    virtual ~Subject() = default;

  protected:
    Driver driver_;
};

std::unique_ptr<Subject> MakeKronos();
/// nullptr: it was not there when this was built.
std::unique_ptr<Subject> MakeVma();

}  // namespace slab_bench
