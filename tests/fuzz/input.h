// SPDX-License-Identifier: Apache-2.0
// A fuzzer's bytes as choices. After the last of them all choices are 0. One thread.
#pragma once

#include <cstddef>
#include <cstdint>

namespace kronos::fuzz {

class Input {
  public:
    Input(const uint8_t* data, size_t size) : next_(data), end_(data + size) {}

    bool Ended() const { return next_ == end_; }
    uint8_t Byte() { return Ended() ? 0 : *next_++; }
    uint32_t Below(uint32_t end) { return end ? Byte() % end : 0; }
    bool Rarely() { return Byte() >= 240; }
    uint64_t Bits() {
        uint64_t bits = 0;
        for (int i = 0; i < 8; ++i) bits = bits << 8 | Byte();
        return bits;
    }
    /// Mostly small and even; now and then any number at all.
    uint64_t Number() { return Rarely() ? Bits() : uint64_t{Byte()} * 16; }
    template <class T, size_t N>
    const T& Of(const T (&list)[N]) {
        return list[Byte() % N];
    }

  private:
    const uint8_t* next_;
    const uint8_t* end_;
};

}  // namespace kronos::fuzz
