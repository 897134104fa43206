// SPDX-License-Identifier: Apache-2.0
#include "memory/mapped_range.h"

#include <gtest/gtest.h>

#include <limits>

#include "memory/size_class.h"

namespace kronos {
namespace {

constexpr VkDeviceSize kWhole = VK_WHOLE_SIZE;
constexpr VkDeviceSize kMax = std::numeric_limits<VkDeviceSize>::max();

TEST(MappedRange, AMapToTheProgramsEndReachesTheDriversEnd) {
    const MemorySize memory{5000, 5120};
    EXPECT_EQ(DriverMapSize(0, 5000, memory), kWhole);
    EXPECT_EQ(DriverMapSize(4096, 904, memory), kWhole);
    EXPECT_EQ(DriverMapSize(0, kWhole, memory), kWhole);
    EXPECT_EQ(DriverMapSize(64, kWhole, memory), kWhole);
    EXPECT_EQ(DriverMapSize(0, 4999, memory), 4999u);
    EXPECT_EQ(DriverMapSize(64, 4096, memory), 4096u);
    EXPECT_EQ(DriverMapSize(0, 5000, {5000, 5000}), 5000u) << "the driver's size is the program's";
}

TEST(MappedRange, ARangeToTheProgramsEndGoesOnToTheAtom) {
    const struct {
        VkDeviceSize offset, size;
        MemorySize memory;
        VkDeviceSize atom, expected;
    } cases[] = {
        {0, 5000, {5000, 5120}, 64, 5056},
        {0, 5000, {5000, 5120}, 256, 5120},
        {4096, 904, {5000, 5120}, 64, 960},
        {4992, 8, {5000, 5120}, 64, 64},
        {0, 5000, {5000, 5120}, 1, 5000},
        {0, 4992, {4992, 5120}, 64, 4992},      // ends on an atom already
        {0, 4096, {5000, 5120}, 64, 4096},      // ends before
        {0, kWhole, {5000, 5120}, 64, kWhole},  // ends with the mapping
        {4096, kWhole, {5000, 5120}, 64, kWhole},
        {0, 5000, {5000, 5000}, 64, 5000},  // not rounded up by the layer
        {0, 5000, {5000, 5010}, 64, 5010},  // no whole atom left: the driver's end
        {0, 5000, {5000, 5120}, 4096, 5120},
        {5064, kMax - 63, {5000, 5120}, 64, kMax - 63},  // nonsense stays what it is
        {64, 5000, {5000, 5120}, 64, 5000},
    };
    for (const auto& [offset, size, memory, atom, expected] : cases)
        EXPECT_EQ(DriverRangeSize(offset, size, memory, atom), expected)
            << offset << '+' << size << " of " << memory.program << '/' << memory.driver << ", atom " << atom;
}

TEST(MappedRange, EveryLegalRangeIsLegalBelowAndCoversTheProgramsBytes) {
    for (const VkDeviceSize atom : {1u, 4u, 64u, 128u, 256u}) {
        for (VkDeviceSize program = 1; program < 12'000; program += 37) {
            const MemorySize memory{program, SizeClassBytes(*SizeClassOf(program))};
            for (VkDeviceSize offset = 0; offset < program; offset += atom * 7) {
                for (const VkDeviceSize size : {program - offset, (program - offset) / 2 / atom * atom}) {
                    if (size == 0) continue;
                    const VkDeviceSize down = DriverRangeSize(offset, size, memory, atom);
                    ASSERT_GE(down, size);
                    ASSERT_LT(down - size, atom);
                    ASSERT_LE(offset + down, memory.driver);
                    ASSERT_TRUE(down % atom == 0 || offset + down == memory.driver);
                    // Within what DriverMapSize maps: all of it, or as much as the program mapped.
                    if (down != size) {
                        ASSERT_EQ(DriverMapSize(offset, size, memory), kWhole);
                    }
                }
            }
        }
    }
}

}  // namespace
}  // namespace kronos
