// SPDX-License-Identifier: Apache-2.0
// What programs allocate and free, one call after the other: recorded by the spy (tests/spy/allocations.h), or made up.
// Pure.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace slab_bench {

struct Event {
    uint32_t number = 0;  ///< which allocation, from 0; used once
    bool frees = false;
    uint8_t type = 0;        ///< of memory
    uint64_t bytes = 0;      ///< of an allocation
    uint64_t alignment = 1;  ///< the most that what was bound to it needed
};

struct Trace {
    std::string name;
    std::vector<Event> events;
    uint32_t allocations = 0;
    uint64_t most_bytes = 0;  ///< that the program had at once
};

/// Of a file; a complaint that names the line when it is no trace.
std::variant<Trace, std::string> ReadTrace(const std::string& path);

/// How many can be made up: each distribution of sizes with each order of frees.
uint32_t SyntheticCount();
/// Fills 512 MiB, frees a tenth, and then goes on at 90 % for so many calls. The same numbers, the same trace.
Trace Synthetic(uint32_t index, uint64_t calls);

}  // namespace slab_bench
