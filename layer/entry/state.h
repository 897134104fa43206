// SPDX-License-Identifier: Apache-2.0
// What the layer keeps of each instance, device, queue and command buffer, and how a handle finds it.
//
// Threads: look-ups from any thread, without locks. A state lives as long as its handle: adding and removing happens in
// the hooks that create and destroy it, which Vulkan synchronizes externally for that handle.
#pragma once

#include <vulkan/utility/vk_dispatch_table.h>
#include <vulkan/vk_layer.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "descriptors/choice.h"
#include "descriptors/persistent_sets.h"
#include "devices/list.h"
#include "devices/policy.h"
#include "kronos/settings.h"
#include "memory/forecast.h"
#include "memory/janitor.h"
#include "memory/recycler.h"
#include "memory/slab_choice.h"
#include "memory/slab_forecast.h"
#include "memory/slabs.h"
#include "resources/resources.h"
#include "stats/device_stats.h"
#include "stream/recorder.h"
#include "stream/streaming.h"
#include "stream/worth.h"
#include "submission/bursts.h"
#include "submission/fence_cache.h"
#include "submission/idle_choice.h"
#include "submission/spin_waits.h"
#include "submission/submissions.h"
#include "support/handle_map.h"
#include "support/log.h"
#include "support/reserved_slots.h"
#include "support/spared_time.h"
#include "trace/device_trace.h"

namespace kronos {

/// What must be on for a command to be hooked; one bit each. A command is hooked when any of its bits is on.
enum Gate : uint32_t {
    kGateAlways = 1u << 0,
    kGateStats = 1u << 1,
    kGateWaits = 1u << 2,
    kGateFences = 1u << 3,
    kGateMemory = 1u << 4,
    kGateStream = 1u << 5,
    kGateDevices = 1u << 6,
    kGateSets = 1u << 7,
    kGateHeldSubmits = 1u << 8,
    kGateSlabs = 1u << 9,
    kGateShortage = 1u << 10,  // other devices of the instance may have idle memory
    kGateTrace = 1u << 11,
    // What more than one of them needs.
    kGateSubmits = kGateStats | kGateFences | kGateWaits | kGateHeldSubmits | kGateTrace,
    kGateWaiting = kGateStats | kGateFences | kGateWaits | kGateHeldSubmits | kGateTrace,
    kGatePolls = kGateStats | kGateHeldSubmits,
    kGateShares = kGateFences | kGateHeldSubmits,
    kGateBinds = kGateSubmits | kGateMemory | kGateSlabs,
    kGateMarks = kGateFences | kGateMemory | kGateHeldSubmits | kGateSlabs,
    kGateAllocations = kGateStats | kGateMemory | kGateSlabs | kGateTrace,
    kGateBudget = kGateMemory | kGateSlabs,
    kGateMaps = kGateAllocations | kGateHeldSubmits,
    kGateObjects = kGateStream | kGateSets,
    kGateRecording = kGateStats | kGateObjects,
    kGateMemoryLives = kGateAllocations | kGateObjects | kGateShortage,
    kGateMemoryBinds = kGateObjects | kGateSlabs,
    kGateDescriptors = kGateStats | kGateObjects,
};

struct Device;

struct Instance {
    VkInstance handle = VK_NULL_HANDLE;
    uint32_t api_version = VK_API_VERSION_1_0;  ///< what the program asked for
    VkuInstanceDispatchTable down{};
    PFN_GetPhysicalDeviceProcAddr next_physical_device_proc_addr = nullptr;
    Settings settings;
    std::shared_ptr<Log> log;
    uint32_t gates = kGateAlways;  ///< what may be on in its devices
    bool allocates = false;        ///< the program gave it allocation callbacks
    DeviceRules device_rules;
    ForkMutex list_mutex{LockRank::kDeviceList};
    std::shared_ptr<const DeviceList> list;  ///< what the program was shown, once it asked; guarded by list_mutex
    ForkMutex devices_mutex{LockRank::kDevices};
    std::vector<Device*> devices;          ///< that have an idle_owner; guarded by devices_mutex
    std::vector<Submissions*> submitting;  ///< of devices that hold submissions; guarded by devices_mutex
};

/// With preset = observe, what features would gain that are off. It costs each submission a look at the clock.
struct Foresight {
    SparedTime spared;                        ///< of fences, where none is known, and of memory, where `memory` is
    std::unique_ptr<RecycleForecast> memory;  ///< nullptr: it is recycled, or is not to be
    std::unique_ptr<SlabForecast> slabs;      ///< only beside `memory`; nullptr: there are slabs, or could be none
};

struct Device {
    VkDevice handle = VK_NULL_HANDLE;
    VkPhysicalDevice physical = VK_NULL_HANDLE;
    Instance* instance = nullptr;
    uint32_t gates = kGateAlways;
    std::string driver_key;                 ///< the same for devices of the same driver, version and kind
    uint32_t fork_generation = 0;           ///< of the process that created it
    uint64_t atom = 1;                      ///< VkPhysicalDeviceLimits::nonCoherentAtomSize
    bool frame_boundary = false;            ///< VK_EXT_frame_boundary is enabled
    std::atomic<bool> stands_aside{false};  ///< nothing is optimised any more: entry/watchdog.cpp
    VkuDeviceDispatchTable down{};
    PFN_vkSetDeviceLoaderData set_loader_data = nullptr;  ///< for dispatchable objects that the layer makes
    std::shared_ptr<Log> log;
    std::unique_ptr<DeviceStats> stats;          ///< nullptr: nothing is counted
    std::unique_ptr<DeviceTrace> trace;          ///< nullptr: there is no trace
    std::unique_ptr<SpinWaits> waits;            ///< nullptr: the driver's waits
    std::unique_ptr<FenceCache> fences;          ///< nullptr: no fence is known or kept
    std::unique_ptr<Submissions> submissions;    ///< nullptr: the driver gets all of them from the program
    std::unique_ptr<MemoryRecycler> recycler;    ///< nullptr: no memory is kept
    std::unique_ptr<Foresight> foresight;        ///< nullptr: nobody asks what would be gained
    std::unique_ptr<SlabDriver> slab_driver;     ///< outlives slabs
    std::unique_ptr<SlabFacts> slab_facts;       ///< there where slabs are
    std::unique_ptr<SlabMemory> slabs;           ///< nullptr: every memory of the program is the driver's
    std::unique_ptr<Lives> lives;                ///< nullptr: nobody asks
    std::unique_ptr<Resources> resources;        ///< nullptr: nothing is known of objects
    StreamPolicy streams;                        ///< what is done with command streams
    DescriptorPolicy descriptors;                ///< and with descriptor sets
    std::unique_ptr<PersistentSets> persistent;  ///< nullptr: all sets that are bound are the program's
    std::unique_ptr<StreamWorth> worth;          ///< nullptr: all of them are held, or none
    std::unique_ptr<IdleOwner> idle_owner;       ///< recycler and slabs, as the janitor sees them
    std::unique_ptr<LevelSource> levels;         ///< and as the statistics do

    /// Whether what descriptor sets hold must be known. Where nothing is left out of their updates, it is only for
    /// recordings that are held.
    bool FollowsSets() const { return descriptors.shadow || !worth || worth->Follows(); }

    /// nullptr: memory is recycled, or nobody asks.
    RecycleForecast* MemoryForecast() const { return foresight ? foresight->memory.get() : nullptr; }

    /// Counts what the program asked and the driver was given just so.
    void Count(Counter counter, uint64_t n = 1) const {
        if (stats) stats->counters().Add(counter, n);
    }
    void Count(Side side, Counter counter, uint64_t n = 1) const {
        if (stats) stats->counters().Add(side, counter, n);
    }
    void Decided(Counter decision, uint64_t n = 1) const {
        if (stats) stats->counters().Decided(decision, n);
    }

    struct CommandPool;
    DeferredCount deferred{0};
    HandleMap<VkCommandPool, CommandPool*> pools;
    HandleMap<VkDeviceMemory, MemoryState*> memories;  ///< of all driver allocations, idle ones too
    ForkMutex queues_mutex{LockRank::kQueues};
    std::vector<VkQueue> queues;  ///< guarded by queues_mutex
    bool queues_complete = true;  ///< no queue was left out of it for want of memory; guarded by queues_mutex
};

/// What follows `device` is externally synchronized, as Vulkan demands of queues.
struct Queue {
    VkQueue handle = VK_NULL_HANDLE;
    Device* device = nullptr;
    bool plain = true;  ///< no flags, nothing but submits and waits: a fence behind its work covers all of it
    bool busy = false;  ///< something was submitted since it was last seen idle
    SubmitQueue* submit = nullptr;        ///< nullptr: the driver gets its submissions from the program
    SubmitQueue* own = nullptr;           ///< the same, or where that is nullptr only for its command buffers
    VkFence idle_fence = VK_NULL_HANDLE;  ///< the layer's own, not signaled and not pending; made when first needed
    IdleChoice idle_choice;
    QueueTrace* trace = nullptr;  ///< nullptr: there is none
    Bursts bursts;                ///< where foresight asks
};

/// A command buffer. Externally synchronized while it records; only read by submits.
struct CommandBuffer {
    const VkuDeviceDispatchTable* down = nullptr;  ///< first: every vkCmd* needs it
    RecordingCounters counters;
    std::unique_ptr<Recorder> recorder;  ///< nullptr: its commands go straight to the driver
    std::unique_ptr<Stream> stream;      ///< what is recorded into; nullptr: nothing is
    RecordedSets sets;                   ///< the layer's sets that this recording has
    uint64_t dispatches = 0;             ///< in its content: of this recording and of the secondaries it executes
    bool events = false;                 ///< in its content: it may wait for one
    bool chooses_sets = false;           ///< what binds name is looked at: DescriptorPolicy::shadow
    bool recorded = false;               ///< it is in CommandPool::recorded
    bool counted = true;                 ///< nothing is in `counters`: the recording ended, or none began
    Device* device = nullptr;
    VkCommandBuffer handle = VK_NULL_HANDLE;
    Device::CommandPool* pool = nullptr;
    bool replaceable = false;             ///< another primary of the same family would do
    bool not_begun = false;               ///< what is recorded, or was, is not known to the driver
    VkCommandBufferUsageFlags usage = 0;  ///< to begin it with
    VkResult failed = VK_SUCCESS;         ///< beginning it did: what is recorded goes nowhere
};

/// Externally synchronized, as Vulkan demands of the pool.
struct Device::CommandPool {
    std::vector<CommandBuffer*> buffers;
    std::vector<CommandBuffer*> recorded;  ///< of these, what a reset of the pool has to do with; has room for all
    std::vector<std::unique_ptr<Recorder>> idle;  ///< recorders that none of them uses, with room for all there are
    size_t recorders = 0;                         ///< all there are
    bool plain = true;                            ///< its command buffers are what any pool's are
};

/// Handles of the loader and of everything below begin with a pointer to their dispatch table: the same for an instance
/// and its physical devices, the same for a device and its queues and command buffers.
inline void* DispatchKey(const void* handle) { return *static_cast<void* const*>(handle); }

/// All states of the process. Never destroyed: programs call Vulkan from exit handlers.
struct Registry {
    /// Command buffers whose vkCmd* mostly have nothing to do but count: see LetPass. First, for it is asked most.
    ReservedSlots<VkCommandBuffer, CommandBuffer, 11> passing;
    HandleMap<void*, Instance*> instances;  // by dispatch key
    HandleMap<void*, Device*> devices;      // by dispatch key
    HandleMap<VkQueue, Queue*> queues;
    HandleMap<VkCommandBuffer, CommandBuffer*> command_buffers;
};
union ImmortalRegistry {
    ImmortalRegistry() : registry() {}
    ~ImmortalRegistry() {}
    Registry registry;
};
extern ImmortalRegistry immortal_registry;
// Known when compiling: every hook's look-up begins without a load of where the registry is.
inline Registry& registry = immortal_registry.registry;

/// Of an instance or a physical device.
inline Instance& InstanceOf(const void* handle) { return *registry.instances.Find(DispatchKey(handle)); }
/// Of a device, and, at the cost of a second load, of a queue or command buffer whose own state is not known.
inline Device& DeviceOf(const void* handle) { return *registry.devices.Find(DispatchKey(handle)); }
/// What is below a handle that is not known here. Out of the way of the hooks, which know nearly all.
[[gnu::cold, gnu::noinline]] const VkuDeviceDispatchTable& DownOfUnknown(const void* handle);
/// nullptr for a queue that did not come from vkGetDeviceQueue[2]: then nothing is known but DeviceOf.
inline Queue* FindQueue(VkQueue handle) { return registry.queues.Find(handle); }
/// A fence that something outside of the layer's knowledge may signal: it is never kept for another life.
inline void ShareFence(const Device& device, VkFence fence) {
    FenceState* state = fence && device.fences ? device.fences->Find(fence) : nullptr;
    if (state) state->shared.store(true, std::memory_order_relaxed);
}
/// What the program is about to do or to ask may depend on what is held. VK_ERROR_DEVICE_LOST: see Submissions.
inline VkResult FlushHeld(const Device& device, Counter why) {
    return device.submissions ? device.submissions->FlushAll(why) : VK_SUCCESS;
}
/// For commands that need for themselves what recordings may name: the layer does not record them again meanwhile.
inline std::unique_lock<ForkMutex> LockFusion(const Device& device) {
    if (!device.submissions || !device.submissions->policy().fusion.on) return {};
    return std::unique_lock(device.submissions->fusion_mutex());
}
/// nullptr for a command buffer that did not come from vkAllocateCommandBuffers.
inline CommandBuffer* FindCommandBuffer(VkCommandBuffer handle) { return registry.command_buffers.Find(handle); }
/// nullptr: FindCommandBuffer and Records say what there is to do. Else it has no recorder, and what it binds is not
/// looked at.
inline CommandBuffer* FindPassing(VkCommandBuffer handle) { return registry.passing.Find(handle); }
inline bool Records(const CommandBuffer& buffer) { return buffer.recorder && buffer.recorder->Active(); }
/// For one without a recorder.
inline void LetPass(CommandBuffer& buffer) {
    if (!buffer.chooses_sets && !FindPassing(buffer.handle)) registry.passing.Put(buffer.handle, buffer);
}
/// Before it gets a recorder, and before it ends.
inline void LetPassNoMore(CommandBuffer& buffer) {
    if (FindPassing(buffer.handle)) registry.passing.Remove(buffer.handle);
}

/// Ends all that is optimised on the device. Not for who has locked anything.
[[gnu::cold, gnu::noinline]] void StandAside(Device& device) noexcept;
/// For the hooks that begin work, before they do: the setting watchdog.
inline void Watch(Device& device) {
    if (device.log->Failed() && device.instance->settings.watchdog) [[unlikely]]
        StandAside(device);
}

/// Calls `body` and returns what it returns; when memory runs out in the layer, says so and returns `failed`. No
/// exception may reach the program.
template <class Result, class Body>
Result Guarded(const Log* log, const char* where, Result failed, Body body) noexcept {
    try {
        return body();
    } catch (const std::exception& error) {
        if (log) log->NoteFailure();
        try {
            if (log) log->Error("{}: {}", where, error.what());
        } catch (const std::exception&) {
            // Even the message found no memory; the result says it.
        }
        return failed;
    }
}

}  // namespace kronos
