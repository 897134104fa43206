// SPDX-License-Identifier: Apache-2.0
// Memory that has several lives: which allocations have, which reach the driver as they are, and what of the old life
// shows in the new.
#include "memory_fixture.h"

namespace {

using layered::Asked;
using layered::Did;
using layered::Driver;
using layered::kCachedType;
using layered::kCoherentType;
using layered::kLocalType;
using layered::kLocalVisibleType;
using layered::kRecycleMemory;
using layered::MemoryTest;
using layered::Recycling;
using ::testing::Each;
using ::testing::HasSubstr;

TEST_F(MemoryTest, AfterTheFirstRoundTheDriverIsNotAsked) {
    mock.SetMode(kMockModeFull);
    Start();
    struct Size {
        uint64_t program;
        uint64_t driver;
    };
    constexpr std::array<Size, 6> kSizes = {{{1, 4096},
                                             {4096, 4096},
                                             {5001, 5120},
                                             {65536, 65536},
                                             {1'000'000, 1 << 20},
                                             {uint64_t{13} << 20, uint64_t{14} << 20}}};
    constexpr std::array<uint32_t, 3> kTypes = {kLocalType, kCoherentType, kLocalVisibleType};
    constexpr uint64_t kRounds = 20;
    constexpr uint64_t kDriver = (kSizes.size() - 1) * kTypes.size();  // 1 and 4096 bytes share one
    uint64_t program_bytes = 0;
    uint64_t driver_bytes = 0;
    for (uint64_t round = 0; round < kRounds; ++round) {
        for (const uint32_t type : kTypes) {
            for (const Size& size : kSizes) {
                const uint64_t made = Made();
                Free(Allocate(size.program, type));
                program_bytes += size.program;
                if (Made() == made) continue;
                driver_bytes += size.driver;
                EXPECT_THAT(Texts("vkAllocateMemory").back(),
                            HasSubstr("{allocationSize=" + std::to_string(size.driver) +
                                      " memoryTypeIndex=" + std::to_string(type) + "}"));
            }
        }
        EXPECT_EQ(Made(), kDriver) << round;
    }
    EXPECT_EQ(Freed(), 0u);
    const nlohmann::json summary = End();
    EXPECT_EQ(Freed(), kDriver);
    constexpr uint64_t kAll = kRounds * kSizes.size() * kTypes.size();
    EXPECT_EQ(Asked(summary, "allocations"), kAll);
    EXPECT_EQ(Asked(summary, "frees"), kAll);
    EXPECT_EQ(Asked(summary, "allocated_bytes"), program_bytes);
    EXPECT_EQ(Asked(summary, "freed_bytes"), program_bytes);
    EXPECT_EQ(Driver(summary, "allocations"), kDriver);
    EXPECT_EQ(Driver(summary, "frees"), kDriver);
    EXPECT_EQ(Driver(summary, "allocated_bytes"), driver_bytes);
    EXPECT_EQ(Driver(summary, "freed_bytes"), driver_bytes);
    EXPECT_EQ(Did(summary, "memory_made"), kDriver);
    EXPECT_EQ(Did(summary, "memory_recycled"), kAll - kDriver);
    EXPECT_EQ(Did(summary, "memory_kept"), kAll);
}

TEST_F(MemoryTest, TheNextLifeIsOfTheSameTypeAndClass) {
    Start();
    const VkDeviceMemory first = Allocate(5000);
    Free(first);
    const VkDeviceMemory other_type = Allocate(5000, kCoherentType);
    const VkDeviceMemory other_class = Allocate(5121);
    EXPECT_NE(other_type, first);
    EXPECT_NE(other_class, first);
    EXPECT_EQ(Allocate(4097), first);
    EXPECT_EQ(Made(), 3u);
    // What was freed last comes first.
    Free(first);
    const VkDeviceMemory second = Allocate(5120);
    EXPECT_EQ(second, first);
    const VkDeviceMemory third = Allocate(5120);
    Free(second);
    Free(third);
    EXPECT_EQ(Allocate(5120), third);
    EXPECT_EQ(Allocate(5120), second);
    for (const VkDeviceMemory memory : {second, third, other_type, other_class}) Free(memory);
    Free(VK_NULL_HANDLE);
    const nlohmann::json summary = End();
    EXPECT_EQ(Asked(summary, "frees"), Asked(summary, "allocations"));
}

TEST_F(MemoryTest, PrioritiesAndAddressesAreNotMixed) {
    const VkPhysicalDeviceMemoryPriorityFeaturesEXT feature = {
        VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PRIORITY_FEATURES_EXT, nullptr, VK_TRUE};
    Start(kRecycleMemory, "{}", {VK_EXT_MEMORY_PRIORITY_EXTENSION_NAME}, &feature);
    const VkMemoryPriorityAllocateInfoEXT low = {VK_STRUCTURE_TYPE_MEMORY_PRIORITY_ALLOCATE_INFO_EXT, nullptr, 0.25f};
    const VkMemoryPriorityAllocateInfoEXT high = {VK_STRUCTURE_TYPE_MEMORY_PRIORITY_ALLOCATE_INFO_EXT, nullptr, 0.75f};
    const VkMemoryAllocateFlagsInfo address = {VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_FLAGS_INFO, nullptr,
                                               VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT, 0};
    const VkMemoryAllocateFlagsInfo address_low = {VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_FLAGS_INFO, &low,
                                                   VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT, 0};
    const std::array<const void*, 5> chains = {nullptr, &low, &high, &address, &address_low};
    std::array<VkDeviceMemory, 5> memories{};
    for (int round = 0; round < 3; ++round) {
        for (size_t i = 0; i < chains.size(); ++i) {
            const VkDeviceMemory memory = Allocate(8192, kLocalType, chains[i]);
            if (round == 0) memories[i] = memory;
            EXPECT_EQ(memory, memories[i]);
            Free(memory);
        }
        EXPECT_EQ(Made(), chains.size());
    }
    // In whatever order they are asked for.
    for (size_t i = chains.size(); i-- > 0;) EXPECT_EQ(Allocate(8192, kLocalType, chains[i]), memories[i]);
    for (const VkDeviceMemory memory : memories) Free(memory);
    End();
}

// Memory that the layer must leave alone: idle memory of the same size and type is there, and not given.
class RefusedMemoryTest : public MemoryTest {
  protected:
    void Start(const layered::SettingMap& settings = kRecycleMemory, const std::string& config = "{}",
               std::vector<const char*> extensions = {}, const void* next = nullptr) {
        mock.SetMode(kMockModeFull);
        MemoryTest::Start(settings, config, std::move(extensions), next);
    }
    // `chain`: what the driver must have seen before size and type.
    void ExpectAsItIs(const std::string& chain, VkDeviceSize bytes = kBytes, uint32_t type = kLocalType,
                      const void* next = nullptr, const VkAllocationCallbacks* allocator = nullptr) {
        for (int round = 0; round < 2; ++round) {
            const uint64_t made = Made();
            const uint64_t freed = Freed();
            const VkDeviceMemory memory = Allocate(bytes, type, next, allocator);
            EXPECT_EQ(Made(), made + 1) << chain;
            EXPECT_THAT(Texts("vkAllocateMemory").back(),
                        HasSubstr("{" + chain + "allocationSize=" + std::to_string(bytes) +
                                  " memoryTypeIndex=" + std::to_string(type) + "}"));
            vkFreeMemory(device->handle, memory, allocator);
            EXPECT_EQ(Freed(), freed + 1) << chain;
        }
    }
    // Two rounds of ExpectAsItIs.
    nlohmann::json EndRefused(const char* why) {
        nlohmann::json summary = End();
        EXPECT_EQ(Did(summary, (std::string("memory_refused_") + why).c_str()), 2u) << summary["did"];
        EXPECT_EQ(Asked(summary, "allocations"), Driver(summary, "allocations") + Did(summary, "memory_recycled"));
        EXPECT_EQ(Did(summary, "memory_recycled"), 0u);
        return summary;
    }
    void LeaveIdle(uint32_t type = kLocalType) { Free(Allocate(kBytes, type)); }

    static constexpr VkDeviceSize kBytes = 5001;
};

TEST_F(RefusedMemoryTest, AllocationCallbacks) {
    Start();
    LeaveIdle();
    const VkAllocationCallbacks callbacks = {
        nullptr,
        [](void*, size_t size, size_t alignment, VkSystemAllocationScope) { return aligned_alloc(alignment, size); },
        [](void*, void* memory, size_t size, size_t, VkSystemAllocationScope) { return realloc(memory, size); },
        [](void*, void* memory) { free(memory); },
        nullptr,
        nullptr};
    ExpectAsItIs("", kBytes, kLocalType, nullptr, &callbacks);
    EndRefused("allocator");
}

TEST_F(RefusedMemoryTest, MadeForOneBuffer) {
    Start();
    LeaveIdle();
    const VkBuffer buffer = MakeBuffer(kBytes);
    VkMemoryDedicatedAllocateInfo info = {VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO, nullptr, VK_NULL_HANDLE,
                                          buffer};
    ExpectAsItIs("+VkMemoryDedicatedAllocateInfo{image=null buffer=buf#1} ", kBytes, kLocalType, &info);
    vkDestroyBuffer(device->handle, buffer, nullptr);
    EndRefused("dedicated");
}

TEST_F(RefusedMemoryTest, Exported) {
    Start();
    LeaveIdle();
    const VkExportMemoryAllocateInfo info = {VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO, nullptr,
                                             VK_EXTERNAL_MEMORY_HANDLE_TYPE_OPAQUE_FD_BIT};
    ExpectAsItIs("+VkExportMemoryAllocateInfo{handleTypes=0x1} ", kBytes, kLocalType, &info);
    EndRefused("export");
}

TEST_F(RefusedMemoryTest, Imported) {
    Start(kRecycleMemory, "{}", {VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME});
    LeaveIdle(kCoherentType);
    alignas(4096) static std::array<uint8_t, 8192> bytes;
    const VkImportMemoryHostPointerInfoEXT info = {VK_STRUCTURE_TYPE_IMPORT_MEMORY_HOST_POINTER_INFO_EXT, nullptr,
                                                   VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT,
                                                   bytes.data()};
    ExpectAsItIs("+VkImportMemoryHostPointerInfoEXT{handleType=0x80} ", kBytes, kCoherentType, &info);
    EndRefused("import");
}

TEST_F(RefusedMemoryTest, StructuresThatNobodyReviewed) {
    Start();
    LeaveIdle();
    const VkMemoryOpaqueCaptureAddressAllocateInfo info = {
        VK_STRUCTURE_TYPE_MEMORY_OPAQUE_CAPTURE_ADDRESS_ALLOCATE_INFO, nullptr, 0};
    ExpectAsItIs("+VkMemoryOpaqueCaptureAddressAllocateInfo{opaqueCaptureAddress=0} ", kBytes, kLocalType, &info);
    EndRefused("unknown_structure");
}

TEST_F(RefusedMemoryTest, StructuresOfTheFuture) {
    Start();
    LeaveIdle();
    const VkBaseInStructure future = {VK_STRUCTURE_TYPE_MAX_ENUM, nullptr};
    const VkMemoryAllocateFlagsInfo known = {VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_FLAGS_INFO, &future,
                                             VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT, 0};
    ExpectAsItIs("+VkMemoryAllocateFlagsInfo{+sType2147483647 flags=0x2 deviceMask=0} ", kBytes, kLocalType, &known);
    EndRefused("unknown_structure");
}

TEST_F(RefusedMemoryTest, ADeviceMask) {
    Start();
    LeaveIdle();
    const VkMemoryAllocateFlagsInfo info = {VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_FLAGS_INFO, nullptr,
                                            VK_MEMORY_ALLOCATE_DEVICE_MASK_BIT, 1};
    ExpectAsItIs("+VkMemoryAllocateFlagsInfo{flags=0x1 deviceMask=1} ", kBytes, kLocalType, &info);
    EndRefused("allocate_flags");
}

constexpr const char* kOddTypes = R"({"memoryHeaps": [{"size": 1073741824, "deviceLocal": true}],
    "memoryTypes": [{"heap": 0, "flags": ["deviceLocal"]}, {"heap": 0, "flags": ["deviceLocal", "lazilyAllocated"]},
                    {"heap": 0, "flags": ["deviceLocal", "protected"]}]})";

TEST_F(RefusedMemoryTest, LazilyAllocated) {
    Start(kRecycleMemory, kOddTypes);
    LeaveIdle();
    ExpectAsItIs("", kBytes, 1);
    EndRefused("memory_type");
}

TEST_F(RefusedMemoryTest, Protected) {
    Start(kRecycleMemory, kOddTypes);
    LeaveIdle();
    ExpectAsItIs("", kBytes, 2);
    EndRefused("memory_type");
}

TEST_F(RefusedMemoryTest, TooLargeToLieIdle) {
    Start();
    constexpr VkDeviceSize kLargest = VkDeviceSize{64} << 20;
    ExpectAsItIs("", kLargest + 1);
    EXPECT_EQ(Asked(EndRefused("size"), "allocated_bytes"), 2 * (kLargest + 1));
}

TEST_F(RefusedMemoryTest, WithoutABudget) {
    Start(Recycling("recycle_limit", "0"));
    ExpectAsItIs("");
    EndRefused("size");
}

TEST_F(RefusedMemoryTest, InAHeapThatIsTooSmall) {
    // 5 % of it: 4,194 bytes.
    Start(kRecycleMemory,
          R"({"memoryHeaps": [{"size": 83886}], "memoryTypes": [{"heap": 0, "flags": ["deviceLocal"]}]})");
    ExpectAsItIs("");
    Free(Allocate(4096));
    EXPECT_EQ(Did(EndRefused("size"), "memory_kept"), 1u);
}

TEST_F(RefusedMemoryTest, WhereTheProgramChoosesTheAddressOfItsMaps) {
    const VkPhysicalDeviceMapMemoryPlacedFeaturesEXT placed = {
        VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAP_MEMORY_PLACED_FEATURES_EXT, nullptr, VK_TRUE, VK_FALSE, VK_FALSE};
    Start(kRecycleMemory, R"({"addExtensions": ["VK_EXT_map_memory_placed"]})",
          {VK_KHR_MAP_MEMORY_2_EXTENSION_NAME, VK_EXT_MAP_MEMORY_PLACED_EXTENSION_NAME}, &placed);
    ExpectAsItIs("", kBytes, kCoherentType);
    // What the host cannot see is not mapped.
    LeaveIdle();
    const nlohmann::json summary = EndRefused("placed_map");
    EXPECT_EQ(Did(summary, "memory_kept"), 1u);
}

TEST_F(RefusedMemoryTest, WherePrioritiesMayChange) {
    const VkPhysicalDevicePageableDeviceLocalMemoryFeaturesEXT feature = {
        VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PAGEABLE_DEVICE_LOCAL_MEMORY_FEATURES_EXT, nullptr, VK_TRUE};
    Start(kRecycleMemory, R"({"addExtensions": ["VK_EXT_pageable_device_local_memory"]})",
          {VK_EXT_MEMORY_PRIORITY_EXTENSION_NAME, VK_EXT_PAGEABLE_DEVICE_LOCAL_MEMORY_EXTENSION_NAME}, &feature);
    ExpectAsItIs("");
    const nlohmann::json summary = End();
    EXPECT_EQ(Did(summary, "memory_kept"), 0u);
    EXPECT_EQ(Driver(summary, "allocated_bytes"), 2 * kBytes);
}

TEST_F(RefusedMemoryTest, WhereTheProgramGetsReports) {
    const VkDeviceDeviceMemoryReportCreateInfoEXT report = {
        VK_STRUCTURE_TYPE_DEVICE_DEVICE_MEMORY_REPORT_CREATE_INFO_EXT, nullptr, 0,
        [](const VkDeviceMemoryReportCallbackDataEXT*, void*) {}, nullptr};
    const VkPhysicalDeviceDeviceMemoryReportFeaturesEXT feature = {
        VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DEVICE_MEMORY_REPORT_FEATURES_EXT,
        const_cast<VkDeviceDeviceMemoryReportCreateInfoEXT*>(&report), VK_TRUE};
    Start(kRecycleMemory, R"({"addExtensions": ["VK_EXT_device_memory_report"]})",
          {VK_EXT_DEVICE_MEMORY_REPORT_EXTENSION_NAME}, &feature);
    ExpectAsItIs("");
    const nlohmann::json summary = End();
    EXPECT_EQ(Did(summary, "memory_kept"), 0u);
    EXPECT_EQ(Driver(summary, "allocated_bytes"), 2 * kBytes);
}

TEST_F(RefusedMemoryTest, StructuresThatSayNothingAreNoReason) {
    Start();
    const VkMemoryDedicatedAllocateInfo dedicated = {VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO, nullptr,
                                                     VK_NULL_HANDLE, VK_NULL_HANDLE};
    const VkExportMemoryAllocateInfo exported = {VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO, &dedicated, 0};
    const VkMemoryAllocateFlagsInfo flags = {VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_FLAGS_INFO, &exported, 0, 1};
    const VkDeviceMemory memory = Allocate(kBytes);
    Free(memory);
    EXPECT_EQ(Allocate(kBytes, kLocalType, &flags), memory);
    Free(memory);
    // The largest that is.
    Free(Allocate(VkDeviceSize{64} << 20));
    EXPECT_EQ(Freed(), 0u);
    EXPECT_EQ(Did(End(), "memory_kept"), 3u);
}

TEST_F(MemoryTest, WhatTheProgramLeftMappedIsUnmapped) {
    Start();
    VkDeviceMemory memory = Allocate(5001, kCoherentType);
    for (uint64_t life = 0; life < 3; ++life) {
        auto* data = static_cast<uint8_t*>(Map(memory));
        std::memset(data, static_cast<int>(life), 5001);
        Free(memory);
        EXPECT_EQ(mock.Calls("vkUnmapMemory"), life + 1);
        EXPECT_EQ(Allocate(5001, kCoherentType), memory);
    }
    // Unmapped by the program: not once more by the layer.
    Map(memory);
    vkUnmapMemory(device->handle, memory);
    Free(memory);
    EXPECT_EQ(mock.Calls("vkUnmapMemory"), 4u);
    const nlohmann::json summary = End();
    EXPECT_EQ(Asked(summary, "unmaps"), 1u);
    EXPECT_EQ(Driver(summary, "unmaps"), 4u);
    EXPECT_EQ(Asked(summary, "maps"), 4u);
}

TEST_F(MemoryTest, TheSecondFormOfMapsToo) {
    Start(kRecycleMemory, "{}", {VK_KHR_MAP_MEMORY_2_EXTENSION_NAME});
    const auto map = device->Get<PFN_vkMapMemory2KHR>("vkMapMemory2KHR");
    const auto unmap = device->Get<PFN_vkUnmapMemory2KHR>("vkUnmapMemory2KHR");
    const VkDeviceMemory memory = Allocate(5001, kCachedType);
    VkMemoryMapInfo map_info = {VK_STRUCTURE_TYPE_MEMORY_MAP_INFO, nullptr, 0, memory, 1, 5000};
    const VkMemoryUnmapInfo unmap_info = {VK_STRUCTURE_TYPE_MEMORY_UNMAP_INFO, nullptr, 0, memory};
    void* data = nullptr;
    EXPECT_EQ(map(device->handle, &map_info, &data), VK_SUCCESS);
    EXPECT_EQ(data, Bytes(memory, 2).data() + 1);
    EXPECT_EQ(unmap(device->handle, &unmap_info), VK_SUCCESS);
    EXPECT_EQ(map(device->handle, &map_info, &data), VK_SUCCESS);
    Free(memory);
    EXPECT_EQ(mock.Calls("vkUnmapMemory2KHR") + mock.Calls("vkUnmapMemory"), 2u);
    EXPECT_EQ(Allocate(5001, kCachedType), memory);
    EXPECT_EQ(map(device->handle, &map_info, &data), VK_SUCCESS);
    Free(memory);
    End();
}

// Ranges that are legal because the program's memory ends there; the driver's does not.
class MappedEndsTest : public MemoryTest, public ::testing::WithParamInterface<VkDeviceSize> {
  protected:
    void StartIncoherent() {
        Start(kRecycleMemory, R"({"limits": {"nonCoherentAtomSize": )" + std::to_string(GetParam()) + R"(},
            "memoryHeaps": [{"size": 1073741824}], "memoryTypes": [{"heap": 0, "flags": ["hostVisible", "hostCached"]}]})");
    }
    static VkMappedMemoryRange Range(VkDeviceMemory memory, VkDeviceSize offset, VkDeviceSize size) {
        return {VK_STRUCTURE_TYPE_MAPPED_MEMORY_RANGE, nullptr, memory, offset, size};
    }
    void FlushAndInvalidate(std::span<const VkMappedMemoryRange> ranges) {
        const auto count = static_cast<uint32_t>(ranges.size());
        EXPECT_EQ(vkFlushMappedMemoryRanges(device->handle, count, ranges.data()), VK_SUCCESS);
        EXPECT_EQ(vkInvalidateMappedMemoryRanges(device->handle, count, ranges.data()), VK_SUCCESS);
    }
};

TEST_P(MappedEndsTest, AreWhereTheDriverWantsThem) {
    StartIncoherent();
    const VkDeviceSize atom = GetParam();
    for (const VkDeviceSize bytes : {VkDeviceSize{1}, atom - 1, atom, VkDeviceSize{4095}, VkDeviceSize{4096},
                                     VkDeviceSize{4097}, VkDeviceSize{5001}, VkDeviceSize{100'003}}) {
        const VkDeviceMemory memory = Allocate(bytes);
        const VkDeviceSize last = (bytes - 1) / atom * atom;
        for (const VkDeviceSize size : {VkDeviceSize{VK_WHOLE_SIZE}, bytes}) {
            Map(memory, 0, size);
            for (const auto& range : {Range(memory, 0, bytes), Range(memory, 0, VK_WHOLE_SIZE),
                                      Range(memory, last, bytes - last), Range(memory, last, VK_WHOLE_SIZE)})
                FlushAndInvalidate({&range, 1});
            vkUnmapMemory(device->handle, memory);
        }
        // A map of the last atom alone.
        Map(memory, last, bytes - last);
        const VkMappedMemoryRange range = Range(memory, last, bytes - last);
        FlushAndInvalidate({&range, 1});
        EXPECT_THAT(mock.Violations(), testing::IsEmpty()) << bytes;
        Free(memory);
    }
    End();
}

TEST_P(MappedEndsTest, OfManyRangesInOneCall) {
    StartIncoherent();
    std::vector<VkDeviceMemory> memories;
    std::vector<VkMappedMemoryRange> ranges;
    for (VkDeviceSize i = 0; i < 20; ++i) {
        memories.push_back(Allocate(5001 + i * 777));
        Map(memories.back(), 0, 5001 + i * 777);
        ranges.push_back(Range(memories.back(), 0, GetParam()));
        ranges.push_back(Range(memories.back(), GetParam(), 5001 + i * 777 - GetParam()));
    }
    const std::vector<VkMappedMemoryRange> before = ranges;
    for (size_t count = 0; count <= ranges.size(); ++count) FlushAndInvalidate(std::span(ranges).first(count));
    // The program's own structures stay as they are.
    EXPECT_EQ(std::memcmp(before.data(), ranges.data(), before.size() * sizeof before[0]), 0);
    for (const VkDeviceMemory memory : memories) Free(memory);
    const nlohmann::json summary = End();
    EXPECT_EQ(Asked(summary, "flushes"), ranges.size() + 1);
    EXPECT_EQ(Driver(summary, "invalidates"), ranges.size() + 1);
}

TEST_P(MappedEndsTest, ThatAreTheProgramsFaultStaySo) {
    StartIncoherent();
    const VkDeviceMemory memory = Allocate(5001);
    Map(memory, 0, 5001);
    const VkMappedMemoryRange range = Range(memory, 0, 4999);
    EXPECT_EQ(vkFlushMappedMemoryRanges(device->handle, 1, &range), VK_SUCCESS);
    EXPECT_THAT(mock.Violations(), testing::SizeIs(1));
    mock.ClearViolations();
    Free(memory);
    End();
}

INSTANTIATE_TEST_SUITE_P(Atoms, MappedEndsTest, ::testing::Values(64, 256),
                         [](const auto& info) { return "Of" + std::to_string(info.param); });

// zero_memory: a recycled block as large as the driver made it, written to its end.
class ZeroedMemoryTest : public MemoryTest {
  protected:
    static constexpr VkDeviceSize kBytes = 5001;
    static constexpr size_t kDriverBytes = 5120;
    static constexpr const char* kTypes = R"({"memoryHeaps": [{"size": 1073741824, "deviceLocal": true}],
        "memoryTypes": [{"heap": 0, "flags": ["deviceLocal"]},
                        {"heap": 0, "flags": ["deviceLocal", "hostVisible", "hostCoherent"]},
                        {"heap": 0, "flags": ["hostVisible", "hostCoherent", "hostCached"]},
                        {"heap": 0, "flags": ["hostVisible", "hostCached"]}]})";

    VkDeviceMemory Dirty(uint32_t type) {
        const VkDeviceMemory memory = Allocate(kBytes, type);
        std::ranges::fill(Bytes(memory, kDriverBytes), uint8_t{0xa5});
        Free(memory);
        return memory;
    }
};

TEST_F(ZeroedMemoryTest, ThatTheHostSees) {
    Start(Recycling("zero_memory", "host"), kTypes);
    for (const uint32_t type : {1u, 2u}) {
        const VkDeviceMemory memory = Dirty(type);
        EXPECT_EQ(Allocate(kBytes - type, type), memory);
        EXPECT_THAT(Bytes(memory, kDriverBytes), Each(0)) << type;
        Map(memory);
        Free(memory);
    }
    // What it does not see is recycled as it is.
    const VkDeviceMemory local = Dirty(0);
    EXPECT_EQ(Allocate(kBytes, 0), local);
    Free(local);
    const nlohmann::json summary = End();
    EXPECT_EQ(Asked(summary, "maps"), 2u);
    EXPECT_EQ(Driver(summary, "maps"), 4u);
    EXPECT_EQ(Driver(summary, "unmaps"), mock.Calls("vkUnmapMemory"));
}

// What the old life wrote may lie in the processor's cache, and reach memory when the new life has written there.
TEST_F(ZeroedMemoryTest, WhatIsNotCoherentHasOneLife) {
    Start(kRecycleMemory, kTypes);
    Free(Allocate(kBytes, 3));
    EXPECT_EQ(Freed(), 1u);
    EXPECT_EQ(Did(End(), "memory_refused_not_coherent"), 1u);
}

TEST_F(ZeroedMemoryTest, OfAllTypes) {
    Start(Recycling("zero_memory", "all"), kTypes);
    Dirty(0);
    EXPECT_EQ(Freed(), 1u);
    const VkDeviceMemory memory = Dirty(1);
    EXPECT_EQ(Allocate(kBytes, 1), memory);
    EXPECT_THAT(Bytes(memory, kDriverBytes), Each(0));
    Free(memory);
    const nlohmann::json summary = End();
    EXPECT_EQ(Did(summary, "memory_not_zeroed"), 1u);
    EXPECT_EQ(Did(summary, "memory_kept"), 2u);
}

TEST_F(ZeroedMemoryTest, OnlyWhenAsked) {
    Start(kRecycleMemory, kTypes);
    for (const uint32_t type : {0u, 1u, 2u}) {
        const VkDeviceMemory memory = Dirty(type);
        EXPECT_EQ(Allocate(kBytes, type), memory);
        Free(memory);
    }
    EXPECT_EQ(mock.Calls("vkMapMemory"), 0u);
    EXPECT_EQ(Driver(End(), "maps"), 0u);
}

TEST_F(ZeroedMemoryTest, OrNotAtAll) {
    Start(Recycling("zero_memory", "host"), kTypes);
    const VkDeviceMemory old = Dirty(1);
    mock.Fail("vkMapMemory", 1, VK_ERROR_MEMORY_MAP_FAILED);
    const VkDeviceMemory unmappable = Allocate(kBytes, 1);
    EXPECT_NE(unmappable, old);
    EXPECT_EQ(Freed(), 1u);
    Free(unmappable);
    const nlohmann::json summary = End();
    EXPECT_EQ(Did(summary, "memory_recycled"), 0u);
    EXPECT_EQ(Driver(summary, "frees"), 2u);
}

}  // namespace
