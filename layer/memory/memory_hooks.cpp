// SPDX-License-Identifier: Apache-2.0
// Memory: counted, and recycled where the driver's is dear. Any thread. Allocating and freeing lock one shard of the
// cache, and the table of allocations when the driver makes or frees one.
#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <vulkan/utility/vk_struct_helper.hpp>

#include "devices/judgement.h"
#include "entry/hooks.h"
#include "entry/state.h"
#include "memory/release.h"
#include "memory/size_class.h"
#include "memory/virtual_memory.h"
#include "support/clock.h"
#include "support/handle_bits.h"
#include "support/process.h"

namespace kronos {
namespace {

void Judged(const Device& device) {
    Guarded(device.log.get(), "recycle_memory", false,
            [&] { return RememberVerdict(*device.log, device.driver_key, kMemoryCost, device.recycler->probe), true; });
}

// How many idle allocations and empty slabs the driver has freed.
uint64_t FreedSoFar(const Device& device) {
    return (device.recycler ? device.recycler->cache.departures.FreedSoFar() : 0) +
           (device.slabs ? device.slabs->departures.FreedSoFar() : 0);
}

// All that is idle goes back to the driver, whoever is just giving it back. False: nothing did since `freed_before`.
bool Trim(Device& device, uint64_t freed_before) {
    // In a forked child nobody frees what was on its way when it was forked.
    const bool awaits = device.fork_generation == ForkGeneration();
    if (device.recycler) {
        IdleCache& cache = device.recycler->cache;
        IdleChain all = cache.TakeAll();
        if (!all.empty()) device.Decided(Counter::kMemoryTrims);
        Release(device, all, std::nullopt);
        if (awaits) cache.departures.AwaitFreed(cache.departures.Departed());
    }
    if (device.slabs) {
        if (device.slabs->GiveBack(UINT64_MAX, 0)) device.Decided(Counter::kSlabsTrims);
        if (awaits) device.slabs->departures.AwaitFreed(device.slabs->departures.Departed());
    }
    return FreedSoFar(device) != freed_before;
}

// Other devices of the program share the heaps. Rare enough to hold their list: none of them goes meanwhile. True:
// there are such, and one more try is worth it: another thread may have given back what they had before this one
// looked.
bool TrimOthers(Device& device) {
    Instance& instance = *device.instance;
    bool any = false;
    std::lock_guard lock(instance.devices_mutex);
    for (Device* other : instance.devices) {
        if (other == &device || other->physical != device.physical) continue;
        Trim(*other, 0);
        any = true;
    }
    return any;
}

// Whether the driver can be asked for the same once more before it has freed the first: not where it takes over what
// the program gives it.
bool CanBeRepeated(const VkMemoryAllocateInfo& info) {
    for (auto* next = static_cast<const VkBaseInStructure*>(info.pNext); next; next = next->pNext) {
        switch (next->sType) {
            case VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_FLAGS_INFO:
            case VK_STRUCTURE_TYPE_MEMORY_PRIORITY_ALLOCATE_INFO_EXT:
            case VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO:
            case VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO:
                break;
            default:
                return false;
        }
    }
    return true;
}

// Once in very many times, or never, the driver's handle is one that would be taken for ours. Then it is asked again,
// and to get another one, the first is held on to.
VkResult AllocateBelow(Device& device, const VkMemoryAllocateInfo& info, const VkAllocationCallbacks* allocator,
                       VkDeviceMemory* memory) {
    std::array<VkDeviceMemory, 8> odd{};
    size_t count = 0;
    VkResult result = device.down.AllocateMemory(device.handle, &info, allocator, memory);
    while (result == VK_SUCCESS && device.slabs && !device.slabs->SeeDriverHandle(HandleBits(*memory))) {
        odd[count++] = *memory;
        device.Count(Side::kDriver, Counter::kAllocations);
        device.Count(Side::kDriver, Counter::kAllocatedBytes, info.allocationSize);
        result = count < odd.size() && CanBeRepeated(info)
                     ? device.down.AllocateMemory(device.handle, &info, allocator, memory)
                     : VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    for (size_t i = 0; i < count; ++i) {
        device.Count(Side::kDriver, Counter::kFrees);
        device.Count(Side::kDriver, Counter::kFreedBytes, info.allocationSize);
        device.down.FreeMemory(device.handle, odd[i], allocator);
    }
    return result;
}

// The driver's allocation. `timed`: its cost is to be known.
VkResult FromDriver(Device& device, const VkMemoryAllocateInfo& info, const VkAllocationCallbacks* allocator,
                    bool timed, VkDeviceMemory* memory) {
    const uint64_t before = timed ? NowNs() : 0;
    const VkResult result = AllocateBelow(device, info, allocator, memory);
    if (result != VK_SUCCESS) return result;
    if (timed && device.recycler->probe.Made(NowNs() - before)) Judged(device);
    if (device.slabs) device.slabs->allocations.fetch_add(1, std::memory_order_relaxed);
    if (device.recycler) device.recycler->allocations.fetch_add(1, std::memory_order_relaxed);
    device.Count(Side::kDriver, Counter::kAllocations);
    device.Count(Side::kDriver, Counter::kAllocatedBytes, info.allocationSize);
    return result;
}

bool ForWantOfMemory(VkResult result) {
    return result == VK_ERROR_OUT_OF_DEVICE_MEMORY || result == VK_ERROR_OUT_OF_HOST_MEMORY ||
           result == VK_ERROR_TOO_MANY_OBJECTS;
}

bool AtLimit(const Device& device) {
    if (device.slabs)
        return device.slabs->allocations.load(std::memory_order_relaxed) >= device.slab_facts->max_allocations;
    const MemoryRecycler* recycler = device.recycler.get();
    return recycler && recycler->allocations.load(std::memory_order_relaxed) >= recycler->max_allocations;
}

bool AnyIdle(const Device& device) {
    return (device.recycler && device.recycler->AnyIdle()) || (device.slabs && device.slabs->AnyIdle());
}

// The driver's allocation of `bytes`, or, when there is not enough, what the program asked for after all that is idle
// went back. Nothing may fail that would not have failed without the layer. `info.allocationSize` is what the program
// asked for.
VkResult FromDriverWithTrim(Device& device, const VkMemoryAllocateInfo& info, const VkAllocationCallbacks* allocator,
                            bool timed, VkDeviceSize& bytes, VkDeviceMemory* memory) {
    const uint64_t freed_before = FreedSoFar(device);
    // The limit is the program's to keep; what is idle must not count against it.
    if (AtLimit(device) && AnyIdle(device)) Trim(device, freed_before);
    VkMemoryAllocateInfo wanted = info;
    wanted.allocationSize = bytes;
    VkResult result = FromDriver(device, wanted, allocator, timed, memory);
    if (!ForWantOfMemory(result)) return result;
    const bool smaller = bytes != info.allocationSize;
    bytes = info.allocationSize;
    if (Trim(device, freed_before) || smaller) result = FromDriver(device, info, allocator, false, memory);
    if (ForWantOfMemory(result) && TrimOthers(device)) result = FromDriver(device, info, allocator, false, memory);
    return result;
}

// Half of the allocations that the driver allows are made: slabs take what they would leave to it else.
bool NearLimit(const Device& device) {
    return device.slabs->allocations.load(std::memory_order_relaxed) >= device.slab_facts->max_allocations / 2;
}

// Makes memory that the host can see, all of which is coherent, zero. False: it cannot be mapped.
bool Clear(const Device& device, const MemoryState& state) {
    void* data = nullptr;
    device.Count(Side::kDriver, Counter::kMaps);
    if (device.down.MapMemory(device.handle, state.handle, 0, VK_WHOLE_SIZE, 0, &data) != VK_SUCCESS) return false;
    std::memset(data, 0, state.bytes);
    device.Count(Side::kDriver, Counter::kUnmaps);
    device.down.UnmapMemory(device.handle, state.handle);
    return true;
}

// An allocation of an earlier life, or nullptr.
MemoryState* Recycled(Device& device, MemoryKey key) {
    MemoryRecycler& recycler = *device.recycler;
    auto* state = static_cast<MemoryState*>(recycler.cache.Take(key));
    if (!state) return nullptr;
    const bool visible = recycler.FlagsOf(key.type) & VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT;
    if (recycler.zero == ZeroMemory::kOff || !visible || Clear(device, *state)) return state;
    Release(device, state);
    return nullptr;
}

// Why memory that the program frees cannot have another life, or kMemoryKept.
Counter WhyNotKept(const Device& device, const MemoryState& state) {
    const MemoryRecycler& recycler = *device.recycler;
    if (recycler.ended.load(std::memory_order_relaxed)) return Counter::kMemoryWatchdog;
    if (!recycler.Dear()) return Counter::kMemoryCheap;
    if (!state.keyed) return Counter::kMemoryOdd;
    if (state.sparse.load(std::memory_order_relaxed)) return Counter::kMemorySparse;
    if (state.marked.load(std::memory_order_relaxed)) return Counter::kMemoryMarked;
    if (recycler.zero == ZeroMemory::kAll && !(recycler.FlagsOf(state.key.type) & VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT))
        return Counter::kMemoryNotZeroed;
    return Counter::kMemoryKept;
}

// Nothing of the old life may show in the new. False: it cannot be had so.
bool Cleaned(const Device& device, MemoryState& state) {
    if (state.named.load(std::memory_order_relaxed)) {
        const VkDebugUtilsObjectNameInfoEXT none = {VK_STRUCTURE_TYPE_DEBUG_UTILS_OBJECT_NAME_INFO_EXT, nullptr,
                                                    VK_OBJECT_TYPE_DEVICE_MEMORY, HandleBits(state.handle), nullptr};
        if (device.down.SetDebugUtilsObjectNameEXT(device.handle, &none) != VK_SUCCESS) return false;
        state.named.store(false, std::memory_order_relaxed);
    }
    if (state.mapped.load(std::memory_order_relaxed)) {
        device.Count(Side::kDriver, Counter::kUnmaps);
        device.down.UnmapMemory(device.handle, state.handle);
        state.mapped.store(false, std::memory_order_relaxed);
    }
    return true;
}

// Keeps it for another life. False: the driver must free it. When it is kept, another thread may have it already.
bool Kept(Device& device, MemoryState& state) {
    Counter decision = WhyNotKept(device, state);
    if (decision == Counter::kMemoryKept && !Cleaned(device, state)) decision = Counter::kMemoryMarked;
    IdleChain evicted;
    if (decision == Counter::kMemoryKept && !device.recycler->cache.Offer(state, CoarseNowNs(), evicted))
        decision = Counter::kMemoryFull;
    device.Decided(decision);
    Release(device, evicted, Counter::kMemoryEvicted);
    // Without a janitor what is idle ages only when something is freed.
    if (decision == Counter::kMemoryKept && !TellJanitor()) device.idle_owner->GiveBack();
    return decision == Counter::kMemoryKept;
}

MemorySize SizeOf(const Device& device, VkDeviceMemory memory) {
    const MemoryState* state = device.memories.Find(memory);
    return state ? state->size() : MemorySize{};
}

void NoteMapped(const Device& device, VkDeviceMemory memory, bool mapped) {
    if (MemoryState* state = device.memories.Find(memory)) state->mapped.store(mapped, std::memory_order_relaxed);
}

// Calls `call(ranges)` with the ranges as the driver must have them: of slabs, or as memory/mapped_range.h says.
template <class Call>
VkResult WithDriverRanges(const Device& device, std::span<const VkMappedMemoryRange> ranges, Call call) {
    const auto below = [&](const VkMappedMemoryRange& range) {
        if (const VirtualMemory* found = FindVirtual(device, range.memory)) return RangeOfSlab(device, *found, range);
        VkMappedMemoryRange same = range;
        same.size = DriverRangeSize(range.offset, range.size, SizeOf(device, range.memory), device.atom);
        return same;
    };
    if ((!device.recycler && !device.slabs) ||
        std::all_of(ranges.begin(), ranges.end(), [&](const VkMappedMemoryRange& range) {
            return !FindVirtual(device, range.memory) && below(range).size == range.size;
        }))
        return call(ranges.data());
    return Guarded(device.log.get(), "mapped ranges", VK_ERROR_OUT_OF_HOST_MEMORY, [&] {
        std::array<VkMappedMemoryRange, 8> few;
        std::vector<VkMappedMemoryRange> many(ranges.size() > few.size() ? ranges.size() : 0);
        VkMappedMemoryRange* copy = many.empty() ? few.data() : many.data();
        for (size_t i = 0; i < ranges.size(); ++i) copy[i] = below(ranges[i]);
        return call(copy);
    });
}

// Freed memory may have another life, or would have one if the driver turned out to be dear.
bool Recycles(const Device& device) {
    return device.recycler && !device.recycler->Cheap() && !device.recycler->ended.load(std::memory_order_relaxed);
}

// What is too large for the slabs that most programs have is looked for in what is idle first.
bool IdleFirst(const VkMemoryAllocateInfo& info) { return info.allocationSize > kSmallestSlab / 2; }

// Counts what would have become of an allocation of the driver's, were it recycled and were there slabs. Throws
// std::bad_alloc.
void Foresee(const Device& device, const VkMemoryAllocateInfo& info, const VkAllocationCallbacks* allocator,
             MemoryState& state) {
    const Foresight& foresight = *device.foresight;
    const auto judged = JudgeItself(info, allocator);
    const auto* key = std::get_if<MemoryKey>(&judged);
    const auto again = [&] {
        if (!key || !foresight.memory->Wanted(*key)) return false;
        device.Decided(Counter::kMemoryAgain);
        return true;
    };
    if (key) state.foreseen = *key;
    if (IdleFirst(info) && again()) return;
    if (foresight.slabs) {
        const SlabForecast::Foreseen foreseen = foresight.slabs->Allocate(info, allocator);
        state.foreseen_place = foreseen.place;
        if (foreseen.room) device.Decided(Counter::kSlabsRoom);
        if (foreseen.place) return;
    }
    if (!IdleFirst(info)) static_cast<void>(again());
}

// A life of memory begins for the program, whatever life the driver's allocation is in.
void NoteLife(const Device& device, VkDeviceMemory memory, const VkMemoryAllocateInfo& info) {
    if (device.resources)
        Guarded(device.log.get(), "vkAllocateMemory", false,
                [&] { return device.resources->AddMemory(memory, info), true; });
}

void NoteLife(const Device& device, VirtualMemory& memory, const VkMemoryAllocateInfo& info) {
    if (!device.resources) return;
    device.resources->EndMemory(std::exchange(memory.life, 0));
    Guarded(device.log.get(), "vkAllocateMemory", false,
            [&] { return memory.life = device.resources->BeginMemory(info), true; });
}

// It has been freed before. False: nothing that suits is idle.
bool FromIdle(Device& device, const MemoryKey& key, const VkMemoryAllocateInfo& info, VkDeviceMemory* memory) {
    MemoryState* state = Recycled(device, key);
    if (!state) return false;
    state->program_bytes = info.allocationSize;
    *memory = state->handle;
    NoteLife(device, *memory, info);
    if (!device.stats) return true;
    const Counters::Own counters = device.stats->counters().OfThisThread();
    counters.Add(Side::kAsked, Counter::kAllocations, 1);
    counters.Add(Side::kAsked, Counter::kAllocatedBytes, info.allocationSize);
    counters.Decided(Counter::kMemoryRecycled);
    return true;
}

// It is a part of a slab, or `refused` says why not. `wanted`: as AllocateVirtual's.
bool IsVirtual(Device& device, const VkMemoryAllocateInfo& info, const VkAllocationCallbacks* allocator, bool wanted,
               VkDeviceMemory* memory, std::optional<SlabRefusal>& refused) {
    refused = AllocateVirtual(device, info, allocator, wanted, memory);
    if (refused) return false;
    NoteLife(device, *FindVirtual(device, *memory), info);
    return true;
}

}  // namespace
}  // namespace kronos

namespace kronos::hook {

// Section "Device Memory Allocation".
VKAPI_ATTR VkResult VKAPI_CALL AllocateMemory(VkDevice handle, const VkMemoryAllocateInfo* info,
                                              const VkAllocationCallbacks* allocator, VkDeviceMemory* memory) {
    Device& device = DeviceOf(handle);
    Watch(device);
    std::optional<SlabRefusal> refused;
    const bool recycles = Recycles(device);
    const bool idle_first = recycles && IdleFirst(*info);
    const auto is_virtual = [&] { return IsVirtual(device, *info, allocator, NearLimit(device), memory, refused); };
    if (device.slabs && !idle_first && is_virtual()) return VK_SUCCESS;
    VkDeviceSize bytes = info->allocationSize;
    const MemoryKey* key = nullptr;
    uint32_t heap = 0;
    uint64_t rounding = 0;
    std::variant<MemoryKey, MemoryRefusal> judged;
    if (recycles) {
        MemoryRecycler& recycler = *device.recycler;
        judged = JudgeAllocation(*info, allocator, recycler.facts);
        key = std::get_if<MemoryKey>(&judged);
        if (key && recycler.Dear() && FromIdle(device, *key, *info, memory)) return VK_SUCCESS;
        if (device.slabs && idle_first && is_virtual()) return VK_SUCCESS;
        if (!key) {
            const auto refusal = static_cast<uint32_t>(std::get<MemoryRefusal>(judged));
            device.Decided(static_cast<Counter>(static_cast<uint32_t>(Counter::kMemoryRefusedAllocator) + refusal));
        } else if (recycler.Dear()) {
            heap = recycler.facts.properties.memoryTypes[key->type].heapIndex;
            rounding = SizeClassBytes(key->size_class) - bytes;
            if (rounding && !recycler.ReserveRounding(heap, rounding)) rounding = 0;
            bytes += rounding;
            device.Decided(Counter::kMemoryMade);
        }
    }
    RecycleForecast* const forecast = device.MemoryForecast();
    const bool timed = key && device.recycler->probe.Undecided();
    VkResult result = [&] {
        const SparedTime::Scope spared(forecast ? &device.foresight->spared : nullptr);
        return FromDriverWithTrim(device, *info, allocator, timed, bytes, memory);
    }();
    std::optional<SlabRefusal> again;
    if (device.slabs && ForWantOfMemory(result) && IsVirtual(device, *info, allocator, true, memory, again)) {
        if (rounding) device.recycler->ReturnRounding(heap, rounding);
        return VK_SUCCESS;
    }
    if (refused) CountRefusal(device, *refused);
    if (rounding && bytes == info->allocationSize) {
        device.recycler->ReturnRounding(heap, rounding);
        rounding = 0;
    }
    if (result != VK_SUCCESS) return result;
    NoteLife(device, *memory, *info);
    device.Count(Side::kAsked, Counter::kAllocations);
    device.Count(Side::kAsked, Counter::kAllocatedBytes, info->allocationSize);
    // Should the table find no memory, this allocation is not known: not kept, its bytes missing in freed_bytes, and
    // the log says why.
    Guarded(device.log.get(), "vkAllocateMemory", false, [&] {
        auto state = std::make_unique<MemoryState>(*memory);
        state->program_bytes = info->allocationSize;
        state->bytes = bytes;
        state->rounding = rounding;
        state->heap = heap;
        state->timed = timed;
        if (key && bytes == SizeClassBytes(key->size_class)) {
            state->keyed = true;
            state->key = *key;
            state->heap = device.recycler->facts.properties.memoryTypes[key->type].heapIndex;
        }
        if (forecast) Foresee(device, *info, allocator, *state);
        device.memories.Insert(*memory, state.get());
        static_cast<void>(state.release());  // the table holds it now
        return true;
    });
    return result;
}

VKAPI_ATTR void VKAPI_CALL FreeMemory(VkDevice handle, VkDeviceMemory memory, const VkAllocationCallbacks* allocator) {
    Device& device = DeviceOf(handle);
    if (VirtualMemory* found = FindVirtual(device, memory)) return FreeVirtual(device, *found);
    MemoryState* state = memory ? device.memories.Find(memory) : nullptr;
    if (memory && device.stats) {
        const Counters::Own counters = device.stats->counters().OfThisThread();
        counters.Add(Side::kAsked, Counter::kFrees, 1);
        if (state) counters.Add(Side::kAsked, Counter::kFreedBytes, state->program_bytes);
    }
    if (!state) {
        if (memory && device.resources) device.resources->RemoveMemory(memory);
        if (memory) device.Count(Side::kDriver, Counter::kFrees);
        device.down.FreeMemory(handle, memory, allocator);
        if (device.slabs) device.slabs->DriverFreed();
        return;
    }
    MemoryRecycler* recycler = device.recycler.get();
    if (recycler && !recycler->Cheap() && !allocator && Kept(device, *state)) return;
    RecycleForecast* const forecast = device.MemoryForecast();
    if (forecast && state->foreseen_place)
        device.foresight->slabs->Free(*state->foreseen_place);
    else if (forecast && state->foreseen && !allocator)
        forecast->Freed(*state->foreseen);
    const bool timed = recycler && recycler->probe.Undecided() && state->timed;
    Forget(device, state);
    const uint64_t before = timed ? NowNs() : 0;
    {
        const SparedTime::Scope spared(forecast ? &device.foresight->spared : nullptr);
        device.down.FreeMemory(handle, memory, allocator);
    }
    if (device.slabs) device.slabs->DriverFreed();
    if (timed && recycler->probe.Dropped(NowNs() - before)) Judged(device);
}

VKAPI_ATTR VkResult VKAPI_CALL MapMemory(VkDevice handle, VkDeviceMemory memory, VkDeviceSize offset, VkDeviceSize size,
                                         VkMemoryMapFlags flags, void** data) {
    Device& device = DeviceOf(handle);
    FlushHeld(device, Counter::kFlushesHost);  // what waits may be what the program is about to look at
    if (VirtualMemory* found = FindVirtual(device, memory)) {
        device.Count(Side::kAsked, Counter::kMaps);
        return MapVirtual(device, *found, offset, size, data);
    }
    device.Count(Counter::kMaps);
    const VkDeviceSize wanted = DriverMapSize(offset, size, SizeOf(device, memory));
    const VkResult result = device.down.MapMemory(handle, memory, offset, wanted, flags, data);
    if (result == VK_SUCCESS) NoteMapped(device, memory, true);
    return result;
}

VKAPI_ATTR VkResult VKAPI_CALL MapMemory2(VkDevice handle, const VkMemoryMapInfo* info, void** data) {
    Device& device = DeviceOf(handle);
    FlushHeld(device, Counter::kFlushesHost);  // what waits may be what the program is about to look at
    if (VirtualMemory* found = FindVirtual(device, info->memory)) {
        device.Count(Side::kAsked, Counter::kMaps);
        return MapVirtual(device, *found, info->offset, info->size, data);
    }
    device.Count(Counter::kMaps);
    VkMemoryMapInfo wanted = *info;
    wanted.size = DriverMapSize(info->offset, info->size, SizeOf(device, info->memory));
    const VkResult result = device.down.MapMemory2(handle, &wanted, data);
    if (result == VK_SUCCESS) NoteMapped(device, info->memory, true);
    return result;
}

VKAPI_ATTR void VKAPI_CALL UnmapMemory(VkDevice handle, VkDeviceMemory memory) {
    Device& device = DeviceOf(handle);
    if (FindVirtual(device, memory)) return device.Count(Side::kAsked, Counter::kUnmaps);
    device.Count(Counter::kUnmaps);
    NoteMapped(device, memory, false);
    device.down.UnmapMemory(handle, memory);
}

VKAPI_ATTR VkResult VKAPI_CALL UnmapMemory2(VkDevice handle, const VkMemoryUnmapInfo* info) {
    Device& device = DeviceOf(handle);
    if (FindVirtual(device, info->memory)) {
        device.Count(Side::kAsked, Counter::kUnmaps);
        return VK_SUCCESS;
    }
    device.Count(Counter::kUnmaps);
    const VkResult result = device.down.UnmapMemory2(handle, info);
    if (result == VK_SUCCESS) NoteMapped(device, info->memory, false);
    return result;
}

VKAPI_ATTR VkResult VKAPI_CALL FlushMappedMemoryRanges(VkDevice handle, uint32_t count,
                                                       const VkMappedMemoryRange* ranges) {
    Device& device = DeviceOf(handle);
    device.Count(Counter::kFlushes);
    return WithDriverRanges(device, {ranges, count}, [&](const VkMappedMemoryRange* below) {
        return device.down.FlushMappedMemoryRanges(handle, count, below);
    });
}

VKAPI_ATTR VkResult VKAPI_CALL InvalidateMappedMemoryRanges(VkDevice handle, uint32_t count,
                                                            const VkMappedMemoryRange* ranges) {
    Device& device = DeviceOf(handle);
    FlushHeld(device, Counter::kFlushesHost);  // what waits may be what the program is about to look at
    device.Count(Counter::kInvalidates);
    return WithDriverRanges(device, {ranges, count}, [&](const VkMappedMemoryRange* below) {
        return device.down.InvalidateMappedMemoryRanges(handle, count, below);
    });
}

// Of a part of a slab: of the slab, and where it begins in it. Where addresses are captured there is none.
VKAPI_ATTR uint64_t VKAPI_CALL GetDeviceMemoryOpaqueCaptureAddress(VkDevice handle,
                                                                   const VkDeviceMemoryOpaqueCaptureAddressInfo* info) {
    Device& device = DeviceOf(handle);
    VirtualMemory* found = FindVirtual(device, info->memory);
    if (!found) return device.down.GetDeviceMemoryOpaqueCaptureAddress(handle, info);
    VkDeviceMemoryOpaqueCaptureAddressInfo below = *info;
    VkDeviceSize offset = 0;
    if (!PlaceVirtual(device, *found, 1, below.memory, offset)) return 0;
    return device.down.GetDeviceMemoryOpaqueCaptureAddress(handle, &below) + offset;
}

// VK_EXT_memory_budget: what is idle is not the program's usage; it would go back if the program needed it.
VKAPI_ATTR void VKAPI_CALL GetPhysicalDeviceMemoryProperties2(VkPhysicalDevice physical,
                                                              VkPhysicalDeviceMemoryProperties2* properties) {
    Instance& instance = InstanceOf(physical);
    instance.down.GetPhysicalDeviceMemoryProperties2(physical, properties);
    auto* budget = vku::FindStructInPNextChain<VkPhysicalDeviceMemoryBudgetPropertiesEXT>(properties->pNext);
    if (!budget) return;
    std::lock_guard lock(instance.devices_mutex);
    for (Device* device : instance.devices) {
        if (device->physical != physical) continue;
        for (uint32_t heap = 0; heap < properties->memoryProperties.memoryHeapCount; ++heap) {
            const uint64_t idle = (device->recycler ? device->recycler->cache.IdleBytes(heap) : 0) +
                                  (device->slabs ? device->slabs->FreeBytes(heap) : 0);
            budget->heapUsage[heap] -= std::min(budget->heapUsage[heap], idle);
        }
    }
}

}  // namespace kronos::hook
