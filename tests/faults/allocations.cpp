// SPDX-License-Identifier: Apache-2.0
// malloc and its kin, in place of the C library's. A library that has its own copy of operator new calls them itself.
#include "allocations.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <link.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <stdexcept>

#include "../sanitizers/which.h"

namespace faults {
namespace {

struct Place {
    std::atomic<uint64_t> hash{0};
    std::atomic<uint64_t> first{0};
    std::atomic<uint64_t> second{0};
    std::atomic<uint64_t> last{0};
};
constexpr size_t kPlaces = size_t{1} << 14;

std::atomic<uintptr_t> code_begin{0};
std::atomic<uintptr_t> code_end{0};
std::atomic<uint64_t> count{0};
std::atomic<uint64_t> failing{0};
Place places[kPlaces];

bool Inside(uintptr_t address) { return address >= code_begin && address < code_end; }

void Note(uint64_t hash, uint64_t number) {
    for (size_t i = 0; i < kPlaces; ++i) {
        Place& place = places[(hash + i) % kPlaces];
        uint64_t none = 0;
        if (place.hash == hash || place.hash.compare_exchange_strong(none, hash) || none == hash) {
            if (uint64_t zero = 0; !place.first.compare_exchange_strong(zero, number)) {
                zero = 0;
                place.second.compare_exchange_strong(zero, number);
            }
            place.last = number;
            return;
        }
    }
}

// Addresses of the library's code on the stack: those it returns to, and some that are left over from before.
__attribute__((noinline, no_sanitize("address"))) uint64_t PlaceOf(const void* frame) {
    constexpr size_t kWords = 96;
    constexpr int kMost = 5;
    uint64_t hash = 1469598103934665603ULL;
    int found = 0;
    const auto* words = static_cast<const uintptr_t*>(frame);
    for (size_t i = 0; i < kWords && found < kMost; ++i) {
        if (!Inside(words[i])) continue;
        hash = (hash ^ words[i]) * 1099511628211ULL;
        ++found;
    }
    return hash | 1;
}

// True: this allocation is the one that fails. Under a sanitizer nobody asks.
[[maybe_unused]] bool Fails(const void* caller, const void* frame) {
    if (!Inside(reinterpret_cast<uintptr_t>(caller))) return false;
    const uint64_t number = ++count;
    if (failing != 0) {
        if (number != failing) return false;
        // For whoever looks into it, by addr2line.
        void* frames[24];
        backtrace_symbols_fd(frames, backtrace(frames, std::size(frames)), STDERR_FILENO);
        return true;
    }
    Note(PlaceOf(frame), number);
    return false;
}

}  // namespace

void WatchAllocations(const void* symbol, uint64_t fail) {
    Dl_info info = {};
    if (dladdr(symbol, &info) == 0) throw std::runtime_error("no library has the symbol whose allocations are watched");
    struct Found {
        uintptr_t base, begin, end;
    } found = {reinterpret_cast<uintptr_t>(info.dli_fbase), 0, 0};
    dl_iterate_phdr(
        [](dl_phdr_info* object, size_t, void* user) {
            auto* const wanted = static_cast<Found*>(user);
            if (object->dlpi_addr != wanted->base) return 0;
            for (int i = 0; i < object->dlpi_phnum; ++i) {
                const auto& part = object->dlpi_phdr[i];
                if (part.p_type != PT_LOAD || (part.p_flags & PF_X) == 0) continue;
                wanted->begin = object->dlpi_addr + part.p_vaddr;
                wanted->end = wanted->begin + part.p_memsz;
            }
            return 1;
        },
        &found);
    if (found.end == 0) throw std::runtime_error("the library whose allocations are watched has no code");
    count = 0;
    failing = fail;
    code_begin = found.begin;
    code_end = found.end;
}

uint64_t Allocations() { return count; }

std::vector<uint64_t> AllocationsToFail() {
    code_end = 0;
    std::vector<uint64_t> numbers;
    for (const Place& place : places)
        for (const uint64_t number : {place.first.load(), place.second.load(), place.last.load()})
            if (number != 0) numbers.push_back(number);
    std::sort(numbers.begin(), numbers.end());
    numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
    return numbers;
}

#ifdef KRONOS_ANY_SANITIZER
bool CanFailAllocations() { return false; }
#else
bool CanFailAllocations() { return true; }
#endif

}  // namespace faults

#ifndef KRONOS_ANY_SANITIZER
#define FAILS ::faults::Fails(__builtin_return_address(0), __builtin_frame_address(0))

// NOLINTBEGIN: the C library's names.
extern "C" {

void* __libc_malloc(size_t size);
void* __libc_calloc(size_t number, size_t size);
void* __libc_realloc(void* old, size_t size);
void* __libc_memalign(size_t alignment, size_t size);

#define REPLACED __attribute__((visibility("default")))

REPLACED void* malloc(size_t size) {
    if (!FAILS) return __libc_malloc(size);
    errno = ENOMEM;
    return nullptr;
}
REPLACED void* calloc(size_t number, size_t size) {
    if (!FAILS) return __libc_calloc(number, size);
    errno = ENOMEM;
    return nullptr;
}
REPLACED void* realloc(void* old, size_t size) {
    if (!FAILS) return __libc_realloc(old, size);
    errno = ENOMEM;
    return nullptr;
}
REPLACED void* memalign(size_t alignment, size_t size) {
    if (!FAILS) return __libc_memalign(alignment, size);
    errno = ENOMEM;
    return nullptr;
}
REPLACED void* aligned_alloc(size_t alignment, size_t size) {
    if (!FAILS) return __libc_memalign(alignment, size);
    errno = ENOMEM;
    return nullptr;
}
REPLACED int posix_memalign(void** made, size_t alignment, size_t size) {
    void* const memory = FAILS ? nullptr : __libc_memalign(alignment, size);
    if (memory == nullptr) return ENOMEM;
    *made = memory;
    return 0;
}

}  // extern "C"
// NOLINTEND
#endif
