// SPDX-License-Identifier: Apache-2.0
#include "memory/size_class.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

namespace kronos {
namespace {

constexpr uint64_t kKiB = 1024;

static_assert(SizeClassOf(4097) == 1, "usable at compile time");

TEST(SizeClass, StepsAreQuartersOfAnOctaveFromFourKiB) {
    const uint64_t kib[] = {4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40};
    for (uint32_t i = 0; i < std::size(kib); ++i) EXPECT_EQ(SizeClassBytes(i), kib[i] * kKiB) << i;
    EXPECT_EQ(SizeClassBytes(*SizeClassOf(64 * kKiB * kKiB)), 64 * kKiB * kKiB);
    EXPECT_EQ(SizeClassBytes(kSizeClasses - 1), kLargestClassBytes);
}

TEST(SizeClass, EachClassHoldsJustWhatIsLargerThanTheOneBelow) {
    for (uint32_t i = 0; i < kSizeClasses; ++i) {
        const uint64_t bytes = SizeClassBytes(i);
        EXPECT_EQ(SizeClassOf(bytes), i);
        EXPECT_EQ(SizeClassOf(bytes - 1), i);
        if (i + 1 < kSizeClasses) {
            EXPECT_LT(bytes, SizeClassBytes(i + 1));
            EXPECT_EQ(SizeClassOf(bytes + 1), i + 1);
        }
        if (i > 0) {
            EXPECT_EQ(SizeClassOf(SizeClassBytes(i - 1) + 1), i);
        }
    }
}

TEST(SizeClass, EverySmallSizeIsHeldWithLessThanAQuarterWasted) {
    for (uint64_t bytes = 1; bytes <= 300'000; ++bytes) {
        const std::optional<uint32_t> size_class = SizeClassOf(bytes);
        ASSERT_TRUE(size_class);
        const uint64_t held = SizeClassBytes(*size_class);
        ASSERT_GE(held, bytes);
        if (*size_class > 0) {
            ASSERT_LT(SizeClassBytes(*size_class - 1), bytes);
            ASSERT_LE(4 * held, 5 * bytes) << bytes;
        }
    }
}

TEST(SizeClass, NothingOverflowsAtTheEndOfTheRange) {
    EXPECT_EQ(SizeClassOf(0), std::nullopt);
    EXPECT_EQ(SizeClassOf(1), 0u);
    EXPECT_EQ(SizeClassOf(kLargestClassBytes), kSizeClasses - 1);
    EXPECT_EQ(SizeClassOf(kLargestClassBytes + 1), std::nullopt);
    EXPECT_EQ(SizeClassOf(std::numeric_limits<uint64_t>::max()), std::nullopt);
    EXPECT_EQ(SizeClassOf(uint64_t{1} << 63), kSizeClasses - 4);
}

TEST(SizeClass, WastesATenthOnAverage) {
    std::mt19937_64 random(5);
    // Whole octaves, or the average would depend on where the range ends.
    std::uniform_real_distribution<double> log_size(std::log2(4.0 * kKiB), std::log2(64.0 * kKiB * kKiB));
    double sum = 0;
    constexpr int kSamples = 200'000;
    for (int i = 0; i < kSamples; ++i) {
        const auto bytes = static_cast<uint64_t>(std::exp2(log_size(random)));
        sum += static_cast<double>(SizeClassBytes(*SizeClassOf(bytes))) / static_cast<double>(bytes);
    }
    EXPECT_NEAR(sum / kSamples, 1.0958, 0.002);
}

}  // namespace
}  // namespace kronos
