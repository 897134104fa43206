// SPDX-License-Identifier: Apache-2.0
// Debian 13's libVulkanLayerSettings.a was compiled against glibc 2.38, whose headers give strtol and its kin new names
// for C23's binary literals. On an older glibc those names are made here, hidden, from the functions that there are.
#include <features.h>

#include <sys/random.h>

// libstdc++'s random_device asks for arc4random where it was built with glibc 2.36; nothing here uses it, and without
// this the layer could not be loaded into containers with an older glibc.
// NOLINTNEXTLINE(readability-redundant-declaration,readability-identifier-naming)
extern "C" unsigned int arc4random() noexcept {
    unsigned int bits = 0;
    while (getrandom(&bits, sizeof bits, 0) != static_cast<ssize_t>(sizeof bits)) {
    }
    return bits;
}

#if !__GLIBC_PREREQ(2, 38)

#include <cstdlib>

extern "C" {
long __isoc23_strtol(const char* text, char** end, int base) { return strtol(text, end, base); }
unsigned long __isoc23_strtoul(const char* text, char** end, int base) { return strtoul(text, end, base); }
long long __isoc23_strtoll(const char* text, char** end, int base) { return strtoll(text, end, base); }
unsigned long long __isoc23_strtoull(const char* text, char** end, int base) { return strtoull(text, end, base); }
}

#endif
