// SPDX-License-Identifier: Apache-2.0
#include "allocations.h"

#include <cstdlib>
#include <new>

namespace kronos {
namespace {

thread_local uint64_t allocations = 0;
thread_local uint64_t failing = 0;

}  // namespace

uint64_t& Allocations() { return allocations; }
uint64_t& Failing() { return failing; }

}  // namespace kronos

// Not inlined: the compiler would take the pair for one that does not match.
// NOLINTBEGIN(misc-new-delete-overloads)
[[gnu::noinline]] void* operator new(size_t size) {
    if (++kronos::Allocations() == kronos::Failing()) throw std::bad_alloc();
    if (void* memory = std::malloc(size ? size : 1)) return memory;
    throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, size_t) noexcept { std::free(memory); }
// NOLINTEND(misc-new-delete-overloads)
