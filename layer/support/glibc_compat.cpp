// SPDX-License-Identifier: Apache-2.0
// Debian 13's libVulkanLayerSettings.a was compiled against glibc 2.38, whose headers give strtol and its kin new names
// for C23's binary literals. On an older glibc those names are made here, hidden, from the functions that there are.
#include <features.h>

#if !__GLIBC_PREREQ(2, 38)

#include <cstdlib>

extern "C" {
long __isoc23_strtol(const char* text, char** end, int base) { return strtol(text, end, base); }
unsigned long __isoc23_strtoul(const char* text, char** end, int base) { return strtoul(text, end, base); }
long long __isoc23_strtoll(const char* text, char** end, int base) { return strtoll(text, end, base); }
unsigned long long __isoc23_strtoull(const char* text, char** end, int base) { return strtoull(text, end, base); }
}

#endif
