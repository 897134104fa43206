// SPDX-License-Identifier: Apache-2.0
// Allocations of the calling thread: counted, and made to fail.
#pragma once

#include <cstdint>

namespace kronos {

extern thread_local uint64_t allocations;
extern thread_local uint64_t failing;  ///< the number of the allocation that fails; 0: none

}  // namespace kronos
