// SPDX-License-Identifier: Apache-2.0
// Deterministic input data and the text of a difference, shared by the workloads. Free functions, any thread.
#pragma once

#include <bit>
#include <optional>
#include <string>
#include <string_view>

#include "workload.h"

namespace kronos::workloads {

/// splitmix64: small, well mixed, the same on every machine.
class Random {
  public:
    explicit Random(uint64_t seed) : state_(seed) {}
    uint64_t Next() {
        uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
        return z ^ (z >> 31);
    }

  private:
    uint64_t state_;
};

/// Any 32-bit numbers.
Words RandomWords(uint64_t count, uint64_t seed);

/// Floats that are whole numbers from -8 to 8.
Words SmallFloats(uint64_t count, uint64_t seed);

inline float AsFloat(uint32_t word) { return std::bit_cast<float>(word); }
inline uint32_t AsWord(float value) { return std::bit_cast<uint32_t>(value); }

/// "y[17] is 3, expected 4"
std::string Difference(std::string_view buffer, uint64_t index, double got, double expected);
std::string Difference(std::string_view buffer, uint64_t index, uint32_t got, uint32_t expected);

/// The first index at which two lists of words differ, as text; nothing when they are equal.
std::optional<std::string> FirstDifference(std::string_view buffer, const Words& got, const Words& expected);

/// Work groups of a one-dimensional dispatch: enough for `count` elements at `per_group` each, within what every device
/// allows (65535); the shaders walk on in strides of the grid.
inline uint32_t Groups(uint64_t count, uint64_t per_group, uint32_t most = 32768) {
    uint64_t groups = (count + per_group - 1) / per_group;
    return groups < most ? static_cast<uint32_t>(groups) : most;
}

}  // namespace kronos::workloads
