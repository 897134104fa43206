// SPDX-License-Identifier: Apache-2.0
// Which sanitizer a test is built with, which gcc and clang say each in its own way.
#pragma once

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define KRONOS_ADDRESS_SANITIZER
#endif
#if __has_feature(thread_sanitizer)
#define KRONOS_THREAD_SANITIZER
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define KRONOS_ADDRESS_SANITIZER
#endif
#ifdef __SANITIZE_THREAD__
#define KRONOS_THREAD_SANITIZER
#endif
#if defined(KRONOS_ADDRESS_SANITIZER) || defined(KRONOS_THREAD_SANITIZER)
#define KRONOS_ANY_SANITIZER
#endif
