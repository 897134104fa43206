// SPDX-License-Identifier: Apache-2.0
// Allocations of the calling thread: counted, and made to fail.
#pragma once

#include <cstdint>

namespace kronos {

// Functions: gcc's undefined-behaviour sanitizer takes the address of another file's thread_local for null.
uint64_t& Allocations();
uint64_t& Failing();  ///< the number of the allocation that fails; 0: none

}  // namespace kronos
