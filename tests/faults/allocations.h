// SPDX-License-Identifier: Apache-2.0
// Allocations on the heap that one library makes itself: counted, and one of them made to fail. Any thread may
// allocate.
#pragma once

#include <cstdint>
#include <vector>

namespace faults {

/// False under a sanitizer, which has an allocator of its own.
bool CanFailAllocations();

/// The library that has `symbol` is the one whose allocations count from now on. `fail`: the number, from 1, of the one
/// that fails; 0: none, and where each was made is noted.
void WatchAllocations(const void* symbol, uint64_t fail);
uint64_t Allocations();

/// Of each place that allocates, told apart by what is on the stack above it: the numbers of its first, second and last
/// allocation. Sorted.
std::vector<uint64_t> AllocationsToFail();

}  // namespace faults
