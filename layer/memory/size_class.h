// SPDX-License-Identifier: Apache-2.0
// Size classes of recycled memory: 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, ... KiB, four to an octave.
// Pure functions; any thread.
#pragma once

#include <bit>
#include <cstdint>
#include <optional>

namespace kronos {

/// Sizes of the smallest class and of the largest that 64 bits can hold.
inline constexpr uint64_t kSmallestClassBytes = uint64_t{4} << 10;
inline constexpr uint64_t kLargestClassBytes = uint64_t{7} << 61;
/// Classes are numbered from 0 by size.
inline constexpr uint32_t kSizeClasses = 208;

/// Bytes of an allocation of this class; `size_class` is below kSizeClasses.
constexpr uint64_t SizeClassBytes(uint32_t size_class) {
    return uint64_t{4 + (size_class & 3)} << (10 + size_class / 4);
}

/// The smallest class that holds `bytes`, or none: for 0 and for more than kLargestClassBytes. Above 4 KiB a class is
/// less than a quarter larger than what it is asked to hold; 9.6 % on average when sizes are spread evenly by
/// logarithm.
constexpr std::optional<uint32_t> SizeClassOf(uint64_t bytes) {
    if (bytes == 0 || bytes > kLargestClassBytes) return std::nullopt;
    if (bytes <= kSmallestClassBytes) return 0;
    const uint64_t last = bytes - 1;
    const auto octave = static_cast<uint32_t>(std::bit_width(last)) - 1;
    const auto quarter = static_cast<uint32_t>(last >> (octave - 2)) & 3;
    return (octave - 12) * 4 + quarter + 1;
}

}  // namespace kronos
