// SPDX-License-Identifier: Apache-2.0
// The only source of chance of a random program; the same numbers with every standard library. One per thread.
#pragma once

#include <cstdint>
#include <random>

namespace random_program {

class Rng {
  public:
    explicit Rng(uint64_t seed) : engine_(seed) {}
    uint32_t Bits() { return static_cast<uint32_t>(engine_() >> 32); }
    // 0 .. end - 1; end must not be 0.
    uint32_t Below(uint32_t end) { return Bits() % end; }
    // first .. last
    uint32_t Between(uint32_t first, uint32_t last) { return first + Below(last - first + 1); }
    // True once in n times.
    bool OneIn(uint32_t n) { return Below(n) == 0; }

  private:
    std::mt19937_64 engine_;
};

}  // namespace random_program
