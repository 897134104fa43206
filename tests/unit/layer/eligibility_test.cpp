// SPDX-License-Identifier: Apache-2.0
#include "memory/eligibility.h"

#include <gtest/gtest.h>

#include <bit>
#include <set>
#include <string>
#include <variant>

#include "memory/forecast.h"
#include "memory/size_class.h"

namespace kronos {
namespace {

constexpr uint64_t kKiB = 1024;
constexpr uint64_t kMiB = 1024 * kKiB;
constexpr uint64_t kGiB = 1024 * kMiB;
constexpr VkMemoryPropertyFlags kHostVisible =
    VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT | VK_MEMORY_PROPERTY_HOST_CACHED_BIT;

MemoryFacts Facts() {
    MemoryFacts facts;
    facts.properties.memoryHeapCount = 2;
    facts.properties.memoryHeaps[0].size = 80 * kGiB;
    facts.properties.memoryHeaps[1].size = 100 * kMiB;
    facts.properties.memoryTypeCount = 4;
    facts.properties.memoryTypes[0] = {VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT, 0};
    facts.properties.memoryTypes[1] = {kHostVisible, 0};
    facts.properties.memoryTypes[2] = {0, 0};
    facts.properties.memoryTypes[3] = {VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT | kHostVisible, 1};
    facts.max_allocation_bytes = 4 * kGiB;
    facts.idle_budgets = IdleBudgets(facts.properties, uint64_t{256} << 20);
    return facts;
}

std::string Outcome(const std::variant<MemoryKey, MemoryRefusal>& verdict) {
    if (std::holds_alternative<MemoryKey>(verdict)) return "recycled";
    return std::string(kMemoryRefusalNames[static_cast<size_t>(std::get<MemoryRefusal>(verdict))]);
}

std::string Outcome(const void* next, uint64_t bytes = 5000, uint32_t type = 0, const MemoryFacts& facts = Facts()) {
    const VkMemoryAllocateInfo info{VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, next, bytes, type};
    return Outcome(JudgeAllocation(info, false, facts));
}

MemoryKey KeyOf(const void* next, uint64_t bytes = 5000, uint32_t type = 0) {
    const VkMemoryAllocateInfo info{VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, next, bytes, type};
    return std::get<MemoryKey>(JudgeAllocation(info, false, Facts()));
}

VkMemoryAllocateFlagsInfo Flags(VkMemoryAllocateFlags flags, const void* next = nullptr) {
    return {VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_FLAGS_INFO, next, flags, 0};
}
VkMemoryPriorityAllocateInfoEXT Priority(float priority, const void* next = nullptr) {
    return {VK_STRUCTURE_TYPE_MEMORY_PRIORITY_ALLOCATE_INFO_EXT, next, priority};
}

TEST(Eligibility, RefusalsHaveDifferentNames) {
    EXPECT_EQ(kMemoryRefusalNames[static_cast<size_t>(MemoryRefusal::kAllocator)], "allocator");
    EXPECT_EQ(kMemoryRefusalNames[static_cast<size_t>(MemoryRefusal::kMemoryReport)], "memory_report");
    EXPECT_EQ(std::set(kMemoryRefusalNames.begin(), kMemoryRefusalNames.end()).size(), kMemoryRefusals);
}

TEST(Eligibility, BudgetsAreThoseOfTheHeapsThereAre) {
    const IdleCache::Budgets budgets = Facts().idle_budgets;
    EXPECT_EQ(budgets[0], 256 * kMiB);
    EXPECT_EQ(budgets[1], 5 * kMiB);
    for (uint32_t heap = 2; heap < IdleCache::kHeaps; ++heap) EXPECT_EQ(budgets[heap], 0u);
}

TEST(Eligibility, AnOrdinaryAllocationIsKeyedByTypeAndSizeClass) {
    const MemoryKey expected{.type = 3, .size_class = 1};
    EXPECT_EQ(KeyOf(nullptr, 5000, 3), expected);
    EXPECT_EQ(KeyOf(nullptr, 4097, 3), expected);
    EXPECT_FALSE(KeyOf(nullptr, 5000, 1) == expected);
    EXPECT_FALSE(KeyOf(nullptr, 4096, 3) == expected);
}

TEST(Eligibility, TheProgramsAllocatorSeesItsCalls) {
    const VkMemoryAllocateInfo info{VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, nullptr, 5000, 0};
    EXPECT_EQ(Outcome(JudgeAllocation(info, true, Facts())), "allocator");
    EXPECT_EQ(Outcome(JudgeAllocation(info, false, Facts())), "recycled");
}

TEST(Eligibility, OnlyTheUsualPropertiesOfAType) {
    for (uint32_t bit = 0; bit < 32; ++bit) {
        MemoryFacts facts = Facts();
        facts.properties.memoryTypes[0].propertyFlags = VkMemoryPropertyFlags{1} << bit;
        const bool usual = bit < 4;     // DEVICE_LOCAL, HOST_VISIBLE, HOST_COHERENT, HOST_CACHED
        const bool visible = bit == 1;  // and not coherent
        EXPECT_EQ(Outcome(nullptr, 5000, 0, facts), visible ? "not_coherent"
                                                    : usual ? "recycled"
                                                            : "memory_type")
            << bit;
        facts.properties.memoryTypes[0].propertyFlags |= VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT;
        EXPECT_EQ(Outcome(nullptr, 5000, 0, facts), visible ? "not_coherent"
                                                    : usual ? "recycled"
                                                            : "memory_type")
            << bit;
        facts.properties.memoryTypes[0].propertyFlags |= VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
        EXPECT_EQ(Outcome(nullptr, 5000, 0, facts), usual ? "recycled" : "memory_type") << bit;
    }
    EXPECT_EQ(Outcome(nullptr, 5000, 2), "recycled") << "a type without properties";
    EXPECT_EQ(Outcome(nullptr, 5000, 4), "memory_type") << "no such type";
    EXPECT_EQ(Outcome(nullptr, 5000, ~0u), "memory_type");
}

TEST(Eligibility, FlagsButDeviceAddressAreRefused) {
    for (uint32_t bit = 0; bit < 32; ++bit) {
        const VkMemoryAllocateFlags flag = VkMemoryAllocateFlags{1} << bit;
        const bool address = flag == VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT;
        const auto alone = Flags(flag);
        EXPECT_EQ(Outcome(&alone), address ? "recycled" : "allocate_flags") << bit;
        const auto with_address = Flags(flag | VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT);
        EXPECT_EQ(Outcome(&with_address), address ? "recycled" : "allocate_flags") << bit;
    }
    const auto none = Flags(0);
    EXPECT_EQ(KeyOf(&none), KeyOf(nullptr));
    const auto address = Flags(VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT);
    EXPECT_FALSE(KeyOf(&address) == KeyOf(nullptr));
    auto masked = Flags(0);
    masked.deviceMask = 3;
    EXPECT_EQ(KeyOf(&masked), KeyOf(nullptr)) << "a device mask without its flag is ignored";
}

TEST(Eligibility, PrioritiesAreComparedExactly) {
    const auto half = Priority(0.5F);
    const auto next_up = Priority(std::bit_cast<float>(std::bit_cast<uint32_t>(0.5F) + 1));
    const auto zero = Priority(0.0F);
    EXPECT_EQ(KeyOf(&half), KeyOf(&half));
    EXPECT_EQ(KeyOf(&half).priority, std::bit_cast<uint32_t>(0.5F));
    EXPECT_FALSE(KeyOf(&half) == KeyOf(&next_up));
    EXPECT_FALSE(KeyOf(&half) == KeyOf(nullptr)) << "the default of a driver may be another";
    EXPECT_FALSE(KeyOf(&zero) == KeyOf(nullptr));
}

TEST(Eligibility, WhatIsDedicatedIsRefusedAndANullOneIsNothing) {
    VkMemoryDedicatedAllocateInfo dedicated{VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO, nullptr, {}, {}};
    EXPECT_EQ(KeyOf(&dedicated), KeyOf(nullptr));
    dedicated.buffer = reinterpret_cast<VkBuffer>(uintptr_t{16});
    EXPECT_EQ(Outcome(&dedicated), "dedicated");
    dedicated.buffer = VK_NULL_HANDLE;
    dedicated.image = reinterpret_cast<VkImage>(uintptr_t{16});
    EXPECT_EQ(Outcome(&dedicated), "dedicated");
}

TEST(Eligibility, WhatMayBeExportedIsRefusedAndNoHandleTypeIsNothing) {
    VkExportMemoryAllocateInfo exported{VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO, nullptr, 0};
    EXPECT_EQ(KeyOf(&exported), KeyOf(nullptr));
    exported.handleTypes = VK_EXTERNAL_MEMORY_HANDLE_TYPE_OPAQUE_FD_BIT;
    EXPECT_EQ(Outcome(&exported), "export");
}

TEST(Eligibility, StructuresRefusedForWhatTheyAre) {
    const struct {
        VkStructureType type;
        const char* outcome;
    } cases[] = {
        {VK_STRUCTURE_TYPE_DEDICATED_ALLOCATION_MEMORY_ALLOCATE_INFO_NV, "dedicated"},
        {VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO_NV, "export"},
        {VK_STRUCTURE_TYPE_EXPORT_MEMORY_WIN32_HANDLE_INFO_KHR, "export"},
        {VK_STRUCTURE_TYPE_EXPORT_MEMORY_WIN32_HANDLE_INFO_NV, "export"},
        {VK_STRUCTURE_TYPE_EXPORT_METAL_OBJECT_CREATE_INFO_EXT, "export"},
        {VK_STRUCTURE_TYPE_IMPORT_ANDROID_HARDWARE_BUFFER_INFO_ANDROID, "import"},
        {VK_STRUCTURE_TYPE_IMPORT_MEMORY_BUFFER_COLLECTION_FUCHSIA, "import"},
        {VK_STRUCTURE_TYPE_IMPORT_MEMORY_FD_INFO_KHR, "import"},
        {VK_STRUCTURE_TYPE_IMPORT_MEMORY_HOST_POINTER_INFO_EXT, "import"},
        {VK_STRUCTURE_TYPE_IMPORT_MEMORY_METAL_HANDLE_INFO_EXT, "import"},
        {VK_STRUCTURE_TYPE_IMPORT_MEMORY_WIN32_HANDLE_INFO_KHR, "import"},
        {VK_STRUCTURE_TYPE_IMPORT_MEMORY_WIN32_HANDLE_INFO_NV, "import"},
        {VK_STRUCTURE_TYPE_IMPORT_MEMORY_ZIRCON_HANDLE_INFO_FUCHSIA, "import"},
        {VK_STRUCTURE_TYPE_IMPORT_METAL_BUFFER_INFO_EXT, "import"},
        {VK_STRUCTURE_TYPE_IMPORT_SCREEN_BUFFER_INFO_QNX, "import"},
        {VK_STRUCTURE_TYPE_MEMORY_OPAQUE_CAPTURE_ADDRESS_ALLOCATE_INFO, "unknown_structure"},
        {VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO, "unknown_structure"},
        {static_cast<VkStructureType>(1'000'999'000), "unknown_structure"},
    };
    for (const auto& [type, outcome] : cases) {
        // Of these only the type is looked at.
        const VkBaseInStructure structure{type, nullptr};
        EXPECT_EQ(Outcome(&structure), outcome) << type;
        const auto before = Flags(VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT, &structure);
        EXPECT_EQ(Outcome(&before), outcome) << type << ", second in the chain";
    }
}

TEST(Eligibility, AChainOfAllThatIsUnderstoodInAnyOrder) {
    VkExportMemoryAllocateInfo exported{VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO, nullptr, 0};
    VkMemoryDedicatedAllocateInfo dedicated{VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO, &exported, {}, {}};
    const auto inner_priority = Priority(0.25F, &dedicated);
    const auto outer_flags = Flags(VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT, &inner_priority);
    const auto inner_flags = Flags(VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT, &dedicated);
    const auto outer_priority = Priority(0.25F, &inner_flags);
    const MemoryKey key = KeyOf(&outer_flags, 70'000, 1);
    EXPECT_EQ(key, KeyOf(&outer_priority, 70'000, 1));
    EXPECT_EQ(key.type, 1u);
    EXPECT_EQ(SizeClassBytes(key.size_class), 80 * kKiB);
    EXPECT_TRUE(key.device_address);
    EXPECT_TRUE(key.has_priority);
    EXPECT_EQ(key.priority, std::bit_cast<uint32_t>(0.25F));
}

TEST(Eligibility, SizesThatAreNotRecycled) {
    const struct {
        uint64_t bytes;
        uint32_t type;
        uint64_t max_allocation;
        const char* outcome;
    } cases[] = {
        {0, 0, kGiB, "size"},
        {1, 0, kGiB, "recycled"},
        {64 * kMiB, 0, kGiB, "recycled"},
        {64 * kMiB + 1, 0, kGiB, "size"},
        {~uint64_t{0}, 0, ~uint64_t{0}, "size"},
        // Rounded up, it must not be larger than an allocation may be.
        {4000, 0, 4095, "size"},
        {4000, 0, 4096, "recycled"},
        {33 * kMiB, 0, 40 * kMiB - 1, "size"},
        {33 * kMiB, 0, 40 * kMiB, "recycled"},
        // The heap of 100 MiB lets 5 MiB be idle.
        {5 * kMiB, 3, kGiB, "recycled"},
        {5 * kMiB + 1, 3, kGiB, "size"},
    };
    for (const auto& [bytes, type, max_allocation, outcome] : cases) {
        MemoryFacts facts = Facts();
        facts.max_allocation_bytes = max_allocation;
        EXPECT_EQ(Outcome(nullptr, bytes, type, facts), outcome) << bytes << ' ' << type << ' ' << max_allocation;
    }
}

TEST(Eligibility, DevicesThatLetTheProgramSeeOrChangeAllocations) {
    MemoryFacts placed = Facts();
    placed.placed_map = true;
    EXPECT_EQ(Outcome(nullptr, 5000, 0, placed), "recycled") << "cannot be mapped";
    EXPECT_EQ(Outcome(nullptr, 5000, 1, placed), "placed_map");
    EXPECT_EQ(Outcome(nullptr, 5000, 3, placed), "placed_map");
    MemoryFacts changes = Facts();
    changes.priority_changes = true;
    EXPECT_EQ(Outcome(nullptr, 5000, 0, changes), "priority_changes");
    MemoryFacts report = Facts();
    report.memory_report = true;
    EXPECT_EQ(Outcome(nullptr, 5000, 0, report), "memory_report");
}

TEST(Eligibility, WhatTheAllocationItselfSays) {
    const auto judged = [](const void* next, uint64_t bytes, uint32_t type, bool has_allocator = false) {
        return Outcome(JudgeItself({VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, next, bytes, type}, has_allocator));
    };
    EXPECT_EQ(judged(nullptr, kLargestRecycledBytes, 0), "recycled");
    EXPECT_EQ(judged(nullptr, kLargestRecycledBytes + 1, 0), "size");
    EXPECT_EQ(judged(nullptr, 5000, 0, true), "allocator");
    EXPECT_EQ(judged(nullptr, 0, 0), "size");
    EXPECT_EQ(judged(nullptr, 5000, VK_MAX_MEMORY_TYPES), "memory_type") << "the program's error";
    const VkImportMemoryFdInfoKHR import = {VK_STRUCTURE_TYPE_IMPORT_MEMORY_FD_INFO_KHR, nullptr,
                                            VK_EXTERNAL_MEMORY_HANDLE_TYPE_OPAQUE_FD_BIT, 1};
    EXPECT_EQ(judged(&import, 5000, 0), "import");
}

TEST(RecycleForecast, EachFreedOneServesOnceAndOnlyItsTypeAndSize) {
    RecycleForecast forecast;
    const MemoryKey small = KeyOf(nullptr, 5000, 0), large = KeyOf(nullptr, 1 << 20, 0),
                    other = KeyOf(nullptr, 5000, 1);
    EXPECT_FALSE(forecast.Wanted(small));
    forecast.Freed(small);
    forecast.Freed(small);
    EXPECT_FALSE(forecast.Wanted(large));
    EXPECT_FALSE(forecast.Wanted(other));
    EXPECT_TRUE(forecast.Wanted(KeyOf(nullptr, 5120, 0))) << "of the same size class";
    EXPECT_TRUE(forecast.Wanted(small));
    EXPECT_FALSE(forecast.Wanted(small));
}

}  // namespace
}  // namespace kronos
