// SPDX-License-Identifier: Apache-2.0
// Deterministic input data and the text of a difference.
#include "data.h"

#include <algorithm>
#include <cstdio>

namespace kronos::workloads {

Words RandomWords(uint64_t count, uint64_t seed) {
    Random random(seed);
    Words words(count);
    for (uint32_t& word : words) word = static_cast<uint32_t>(random.Next() >> 32);
    return words;
}

Words SmallFloats(uint64_t count, uint64_t seed) {
    Random random(seed);
    Words words(count);
    for (uint32_t& word : words) word = AsWord(static_cast<float>(static_cast<int>((random.Next() >> 32) % 17) - 8));
    return words;
}

std::string Difference(std::string_view buffer, uint64_t index, double got, double expected) {
    char text[160];
    std::snprintf(text, sizeof text, "%.*s[%llu] is %.9g, expected %.9g", static_cast<int>(buffer.size()),
                  buffer.data(), static_cast<unsigned long long>(index), got, expected);
    return text;
}

std::string Difference(std::string_view buffer, uint64_t index, uint32_t got, uint32_t expected) {
    return Difference(buffer, index, static_cast<double>(got), static_cast<double>(expected));
}

std::optional<std::string> FirstDifference(std::string_view buffer, const Words& got, const Words& expected) {
    if (got.size() != expected.size()) return std::string(buffer) + " has the wrong size";
    auto [g, e] = std::mismatch(got.begin(), got.end(), expected.begin());
    if (g == got.end()) return std::nullopt;
    return Difference(buffer, static_cast<uint64_t>(g - got.begin()), *g, *e);
}

}  // namespace kronos::workloads
