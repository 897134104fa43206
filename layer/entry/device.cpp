// SPDX-License-Identifier: Apache-2.0
// Devices, queues, command pools and command buffers as objects: creation and destruction.
#include <vulkan/vk_layer.h>

#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <set>

#include "descriptors/start.h"
#include "devices/facts.h"
#include "devices/judgement.h"
#include "entry/hooks.h"
#include "entry/proc_addr.h"
#include "entry/recording.h"
#include "entry/state.h"
#include "memory/recycling.h"
#include "memory/slab_start.h"
#include "settings/parse.h"
#include "stats/location.h"
#include "stats/stats_log.h"
#include "submission/start.h"
#include "support/extensions.h"
#include "support/process.h"
#include "trace/trace_start.h"

namespace kronos {
namespace {

// What the loader tells of that kind; nullptr: nothing.
VkLayerDeviceCreateInfo* LoaderInfo(const VkDeviceCreateInfo* create_info, VkLayerFunction function) {
    for (auto* next = static_cast<const VkBaseInStructure*>(create_info->pNext); next; next = next->pNext) {
        auto* info = reinterpret_cast<const VkLayerDeviceCreateInfo*>(next);
        if (next->sType == VK_STRUCTURE_TYPE_LOADER_DEVICE_CREATE_INFO && info->function == function)
            return const_cast<VkLayerDeviceCreateInfo*>(info);  // the loader's, made to be advanced
    }
    return nullptr;
}

// What is below advances the link too: a second try begins where the first did.
VkResult CreateBelow(const Instance& instance, VkPhysicalDevice physical, const VkDeviceCreateInfo& info,
                     VkLayerDeviceCreateInfo& link, const VkAllocationCallbacks* allocator, VkDevice* device) {
    VkLayerDeviceLink* const begin = link.u.pLayerInfo;
    const VkResult result = instance.down.CreateDevice(physical, &info, allocator, device);
    if (result != VK_SUCCESS) link.u.pLayerInfo = begin;
    return result;
}

DeviceLabel Describe(const Instance& instance, VkPhysicalDevice physical, const VkDeviceCreateInfo& create_info,
                     const VkPhysicalDeviceProperties& properties) {
    static std::atomic<uint32_t> count{0};
    DeviceLabel label;
    label.index = count.fetch_add(1, std::memory_order_relaxed);
    label.pid = getpid();
    label.program = ProgramName();
    label.name = properties.deviceName;
    label.api = VersionText(properties.apiVersion);
    label.driver = Format("driver version {:#x}", properties.driverVersion);
    // VkPhysicalDeviceDriverProperties is core in 1.2, and the query in 1.1; the program must have asked for as much.
    if (std::min(instance.api_version, properties.apiVersion) >= VK_API_VERSION_1_2 &&
        instance.down.GetPhysicalDeviceProperties2) {
        VkPhysicalDeviceDriverProperties driver = {
            VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES, nullptr, {}, {}, {}, {}};
        VkPhysicalDeviceProperties2 query = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, &driver, {}};
        instance.down.GetPhysicalDeviceProperties2(physical, &query);
        label.driver = Format("{} {}", driver.driverName, driver.driverInfo);
    }
    label.type = TypeName(properties.deviceType);
    label.unknown = UnknownExtensions(create_info);
    for (const auto& [key, value] : SettingTexts(instance.settings)) label.settings.emplace_back(key, value);
    const std::time_t now = std::time(nullptr);
    std::tm utc = {};
    gmtime_r(&now, &utc);
    char text[32];
    std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    label.time = text;
    return label;
}

// The line that says the layer is active: once for each device name and file, programs that make a hundred devices
// exist.
void Announce(const Log& log, const DeviceLabel& label, const std::string& where) {
    static ForkMutex& mutex = *new ForkMutex(LockRank::kAnnounce);
    static auto& told = *new std::set<std::string>;
    std::string line = Format("active on {} ({}); statistics: {}", label.name, label.driver, where);
    if (!label.unknown.empty()) {
        line += "; much is left alone, for this build does not know ";
        for (const std::string& name : label.unknown) line += (&name == label.unknown.data() ? "" : ", ") + name;
    }
    std::lock_guard lock(mutex);
    if (told.insert(line).second)
        log.Notice("{}", line);
    else
        log.Info("{}", line);
}

void StartStats(Device& device, const VkDeviceCreateInfo& create_info, const VkPhysicalDeviceProperties& properties) {
    const Settings& settings = device.instance->settings;
    DeviceLabel label = Describe(*device.instance, device.physical, create_info, properties);
    if (!(device.gates & kGateStats)) {
        Announce(*device.log, label, "off");
        return;
    }
    std::shared_ptr<StatsLog> stats_log;
    const bool frames = settings.stats == Stats::kFrames;
    const uint64_t every_ns = static_cast<uint64_t>(settings.frame_ms) * 1'000'000u;
    if (const std::string path = StatsPath(settings, *device.log); !path.empty()) {
        StatsLog::Target target;
        target.path = path;
        target.format = settings.stats_format;
        target.limit_bytes = static_cast<uint64_t>(settings.stats_limit) << 20;
        target.older_files = static_cast<uint32_t>(settings.stats_rotate);
        target.tick_ns = frames ? every_ns : 0;
        stats_log = StatsLog::Open(target, device.log);
    }
    Announce(*device.log, label, stats_log ? stats_log->path() : "counted, not written");
    device.stats = std::make_unique<DeviceStats>(std::move(label), std::move(stats_log), frames,
                                                 static_cast<uint64_t>(settings.frame_submits), every_ns);
    if (settings.preset == Preset::kObserve) device.foresight = std::make_unique<Foresight>();
}

// Drivers, their versions and their devices differ in it: section "Pipeline Cache Header".
std::string DriverKey(const VkPhysicalDeviceProperties& properties) {
    std::string key = Format("{:x}:{:x}:{:x}:", properties.vendorID, properties.deviceID, properties.driverVersion);
    for (const uint8_t byte : properties.pipelineCacheUUID) key += Format("{:02x}", byte);
    return key;
}

void StartStreams(Device& device, const VkDeviceCreateInfo& create_info, const VkPhysicalDeviceProperties& properties) {
    const Instance& instance = *device.instance;
    RecorderMode wanted = RecorderMode::kOff;
    const Barriers barriers = instance.settings.barriers;
    if (barriers == Barriers::kOn || barriers == Barriers::kAuto)
        wanted = RecorderMode::kHold;
    else if (instance.gates & kGateStream)
        wanted = RecorderMode::kObserve;
    device.streams = ChooseStreams(wanted, create_info, instance.api_version, properties);
    device.streams.drops = instance.settings.drop_redundant == DropRedundant::kOn;
    device.log->Info("streams: {}, {}{}{}",
                     device.streams.mode == RecorderMode::kHold
                         ? barriers == Barriers::kOn ? "held" : "held where it pays"
                     : device.streams.mode == RecorderMode::kObserve ? "observed"
                                                                     : "as recorded",
                     device.streams.why, device.streams.narrow ? "; masks of barriers are narrowed" : "",
                     device.streams.mode == RecorderMode::kHold && device.streams.drops
                         ? "; binds and pushes that change nothing are dropped"
                         : "");
    if (device.streams.mode == RecorderMode::kOff) {
        if (wanted == RecorderMode::kOff) return;
        // Who asked for it is told; by default it is one of many things that a device may not have.
        if (barriers == Barriers::kAuto)
            device.log->Info("barriers: left alone: {}", device.streams.why);
        else
            device.log->Warn("barriers: left alone: {}", device.streams.why);
        return;
    }
    if (barriers == Barriers::kAuto) device.worth = std::make_unique<StreamWorth>();
    device.gates |= kGateStream;
}

void StartFeatures(Device& device, const VkDeviceCreateInfo& create_info, const VkPhysicalDeviceProperties& properties,
                   const std::string& why_not_held) {
    const Settings& settings = device.instance->settings;
    const uint64_t most_ns = static_cast<uint64_t>(settings.wait_spin) * 1'000;
    const auto share = static_cast<uint32_t>(settings.wait_share);
    const uint32_t processors = UsableProcessors();
    const WaitPolicy waits =
        ChooseWaits(settings.waits == Waits::kOff, settings.waits == Waits::kOn,
                    properties.deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU, processors, most_ns, share);
    device.log->Info("waits: {}, {}; at most {} us a wait and {} % of one of {} processors",
                     waits.spin ? "spin" : "block", waits.why, settings.wait_spin, share, processors);
    if (waits.spin) {
        device.waits = std::make_unique<SpinWaits>(most_ns, share);
        device.gates |= kGateWaits;
    }
    // Virtual fences are known ones, kept or not.
    const bool all_fences = settings.virtual_fences == VirtualFences::kOn && settings.submits != Submits::kOff;
    if (settings.recycle_fences != RecycleFences::kOff || all_fences) {
        device.fences = std::make_unique<FenceCache>();
        device.fences->know_all = all_fences;
        device.gates |= kGateFences;
        if (settings.recycle_fences == RecycleFences::kOn)
            device.fences->probe.Decide(CostProbe::Verdict::kDear);
        else if (settings.recycle_fences == RecycleFences::kOff)
            device.fences->probe.Decide(CostProbe::Verdict::kCheap);
        else
            RecallVerdict(*device.log, device.driver_key, kFenceCost, device.fences->probe);
    }
    StartStreams(device, create_info, properties);
    StartObjects(device, create_info, properties);
    StartSubmissions(device, properties, why_not_held);
    if (StartRecycling(device, create_info, properties)) device.gates |= kGateMemory;
    if (settings.slabs == Slabs::kOff) {
        if (device.MemoryForecast()) ForeseeSlabs(device, create_info, properties);
    } else if (StartSlabs(device, create_info, properties)) {
        device.gates |= kGateSlabs;
    }
    if (device.recycler || device.slabs) LookAfterIdle(device);
    if (settings.recycle_memory != RecycleMemory::kOff || settings.slabs != Slabs::kOff) device.gates |= kGateShortage;
}

void StopFeatures(Device& device) {
    StopSubmissions(device);
    StopRecycling(device);
    for (const VkQueue handle : device.queues) {
        const Queue* queue = FindQueue(handle);
        if (!queue || !queue->idle_fence) continue;
        device.Count(Side::kDriver, Counter::kFencesDestroyed);
        device.down.DestroyFence(device.handle, queue->idle_fence, nullptr);
    }
    if (!device.fences) return;
    for (const bool signaled : {false, true}) {
        while (const FenceState* idle = device.fences->Take(signaled)) {
            device.Count(Side::kDriver, Counter::kFencesDestroyed);
            device.down.DestroyFence(device.handle, idle->handle, nullptr);
        }
    }
}

void ForgetBuffer(Device& device, CommandBuffer* buffer) {
    if (device.stats) buffer->counters.FlushTo(device.stats->counters());
    LetPassNoMore(*buffer);
    registry.command_buffers.Erase(buffer->handle);
    delete buffer;
}

void ForgetBuffers(Device& device, Device::CommandPool* pool) {
    for (CommandBuffer* buffer : pool->buffers) ForgetBuffer(device, buffer);
    delete pool;
}

void RememberQueue(Device& device, VkQueue handle, uint32_t family, bool plain) {
    const auto known = [&] {
        const Queue* queue = FindQueue(handle);
        return queue &&
               queue->device == &device;  // another device's: a handle of one that was never destroyed, used again
    };
    if (!handle || known()) return;
    const bool remembered = Guarded(device.log.get(), "vkGetDeviceQueue", false, [&] {
        // Before the lock, for it makes a fork mutex. Of two threads that ask for the same queue one makes it in vain.
        // Of one that is not plain, only what command buffers of the layer's own need.
        const bool adds = device.submissions && (plain || device.submissions->policy().fusion.on);
        QueueTrace* const traced = device.trace ? device.trace->AddQueue(family, plain) : nullptr;
        SubmitQueue* const own = adds ? device.submissions->Add(handle, family, traced) : nullptr;
        std::lock_guard lock(device.queues_mutex);
        if (known()) return true;
        auto queue = std::make_unique<Queue>();
        queue->handle = handle;
        queue->device = &device;
        queue->plain = plain;
        queue->submit = plain ? own : nullptr;
        queue->own = own;
        queue->trace = traced;
        device.queues.push_back(handle);
        registry.queues.Insert(handle, queue.get());
        static_cast<void>(queue.release());  // the registry holds it now
        return true;
    });
    if (remembered) return;
    std::lock_guard lock(device.queues_mutex);
    device.queues_complete = false;
}

}  // namespace
}  // namespace kronos

namespace kronos::hook {

VKAPI_ATTR VkResult VKAPI_CALL CreateDevice(VkPhysicalDevice physical, const VkDeviceCreateInfo* create_info,
                                            const VkAllocationCallbacks* allocator, VkDevice* device) {
    Instance& instance = InstanceOf(physical);
    VkLayerDeviceCreateInfo* link = LoaderInfo(create_info, VK_LAYER_LINK_INFO);
    if (!link || !link->u.pLayerInfo) return VK_ERROR_INITIALIZATION_FAILED;
    const PFN_vkGetDeviceProcAddr next = link->u.pLayerInfo->pfnNextGetDeviceProcAddr;
    link->u.pLayerInfo = link->u.pLayerInfo->pNext;
    VkPhysicalDeviceProperties properties = {};
    instance.down.GetPhysicalDeviceProperties(physical, &properties);
    const bool traced = !instance.settings.trace_file.empty();
    std::unique_ptr<const WithCalibration> calibrated;
    Guarded(instance.log.get(), "trace", false, [&] {
        calibrated = std::make_unique<WithCalibration>(instance, physical, *create_info, traced);
        return true;
    });
    const VkDeviceCreateInfo& wanted = calibrated ? calibrated->info() : *create_info;
    std::string why_not_held = "out of memory";
    VkResult result = VK_INCOMPLETE;
    if (instance.gates & kGateHeldSubmits) {
        const bool asked = Guarded(instance.log.get(), "submits", false, [&] {
            why_not_held = WhyNotHeld(instance, *create_info, properties, allocator);
            if (!why_not_held.empty()) return true;
            const WithTimelines with(wanted, SupportOf(instance, physical, properties));
            why_not_held = with.why_not();
            if (!with.changed()) return true;
            result = CreateBelow(instance, physical, with.info(), *link, allocator, device);
            if (result == VK_SUCCESS) instance.log->Info("submits: timeline semaphores were added to the device");
            if (result == VK_SUCCESS) return true;
            why_not_held =
                Format("the device could not be created with timeline semaphores ({})", static_cast<int>(result));
            result = VK_INCOMPLETE;
            return true;
        });
        if (!asked) {
            why_not_held = "out of memory";
            if (result != VK_SUCCESS) result = VK_INCOMPLETE;
        }
    }
    if (result == VK_INCOMPLETE) result = CreateBelow(instance, physical, wanted, *link, allocator, device);
    const bool added = result == VK_SUCCESS;
    if (!added && calibrated && calibrated->changed())
        result = CreateBelow(instance, physical, *create_info, *link, allocator, device);
    if (result != VK_SUCCESS) return result;

    return Guarded(instance.log.get(), "vkCreateDevice", VK_ERROR_OUT_OF_HOST_MEMORY, [&] {
        const auto destroy = reinterpret_cast<PFN_vkDestroyDevice>(next(*device, "vkDestroyDevice"));
        try {
            auto state = std::make_unique<Device>();
            state->handle = *device;
            state->physical = physical;
            state->instance = &instance;
            state->log = instance.log;
            state->gates = instance.gates & (kGateAlways | kGateStats);
            if (const auto* callback = LoaderInfo(create_info, VK_LOADER_DATA_CALLBACK))
                state->set_loader_data = callback->u.pfnSetDeviceLoaderData;
            state->frame_boundary = Enables(*create_info, VK_EXT_FRAME_BOUNDARY_EXTENSION_NAME);
            vkuInitDeviceDispatchTable(*device, &state->down, next);
            state->down.GetDeviceProcAddr = next;
            ShareSlots(state->down, *device, next, std::min(instance.api_version, properties.apiVersion));
            // Statistics that cannot be had are no reason to fail: the device works, uncounted.
            if (!Guarded(state->log.get(), "statistics", false,
                         [&] { return StartStats(*state, *create_info, properties), true; })) {
                state->stats.reset();
                state->gates &= ~uint32_t{kGateStats};
            }
            state->driver_key = DriverKey(properties);
            state->atom = properties.limits.nonCoherentAtomSize;
            state->fork_generation = ForkGeneration();
            registry.devices.Insert(DispatchKey(*device), state.get());
            Device* made = state.release();  // the registry holds it now
            Guarded(made->log.get(), "trace", false,
                    [&] { return StartTrace(*made, added ? wanted : *create_info, properties), true; });
            // When memory is short, the device works without features.
            if (!Guarded(made->log.get(), "features", false,
                         [&] { return StartFeatures(*made, *create_info, properties, why_not_held), true; })) {
                StopFeatures(*made);
                EndSubmissions(*made);
                made->waits.reset();
                made->fences.reset();
                made->recycler.reset();
                made->slabs.reset();
                made->persistent.reset();
                made->resources.reset();
                made->lives.reset();
                made->gates &= ~uint32_t{kGateObjects};
            }
        } catch (...) {
            destroy(*device, allocator);
            throw;
        }
        return VK_SUCCESS;
    });
}

VKAPI_ATTR void VKAPI_CALL DestroyDevice(VkDevice device, const VkAllocationCallbacks* allocator) {
    if (!device) return;
    // Out of the registry first: once destroyed below, the same address may be another thread's new device.
    const std::unique_ptr<Device> state(registry.devices.Erase(DispatchKey(device)));
    if (!state) return;
    StopFeatures(*state);
    for (const VkQueue handle : state->queues) delete registry.queues.Erase(handle);
    state->pools.ForEach([&](VkCommandPool, Device::CommandPool* pool) { ForgetBuffers(*state, pool); });
    state->persistent.reset();
    EndSubmissions(*state);
    EndTrace(*state);
    state->stats.reset();
    state->down.DestroyDevice(device, allocator);
}

VKAPI_ATTR void VKAPI_CALL GetDeviceQueue(VkDevice device, uint32_t family, uint32_t index, VkQueue* queue) {
    Device& state = DeviceOf(device);
    state.down.GetDeviceQueue(device, family, index, queue);
    RememberQueue(state, *queue, family, true);
}

VKAPI_ATTR void VKAPI_CALL GetDeviceQueue2(VkDevice device, const VkDeviceQueueInfo2* info, VkQueue* queue) {
    Device& state = DeviceOf(device);
    state.down.GetDeviceQueue2(device, info, queue);
    RememberQueue(state, *queue, info->queueFamilyIndex, !info->flags && !info->pNext);
}

VKAPI_ATTR VkResult VKAPI_CALL CreateCommandPool(VkDevice device, const VkCommandPoolCreateInfo* create_info,
                                                 const VkAllocationCallbacks* allocator, VkCommandPool* pool) {
    Device& state = DeviceOf(device);
    const VkResult result = state.down.CreateCommandPool(device, create_info, allocator, pool);
    if (result != VK_SUCCESS) return result;
    // Without a state of its pool a command buffer is not known, and passes through uncounted.
    Guarded(state.log.get(), "vkCreateCommandPool", false, [&] {
        auto made = std::make_unique<Device::CommandPool>();
        made->plain = !create_info->pNext && !(create_info->flags & ~(VK_COMMAND_POOL_CREATE_TRANSIENT_BIT |
                                                                      VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT));
        state.pools.Insert(*pool, made.get());
        static_cast<void>(made.release());  // the registry holds it now
        return true;
    });
    return result;
}

VKAPI_ATTR void VKAPI_CALL DestroyCommandPool(VkDevice device, VkCommandPool pool,
                                              const VkAllocationCallbacks* allocator) {
    Device& state = DeviceOf(device);
    if (Device::CommandPool* known = state.pools.Erase(pool)) ForgetBuffers(state, known);
    state.down.DestroyCommandPool(device, pool, allocator);
}

VKAPI_ATTR VkResult VKAPI_CALL ResetCommandPool(VkDevice device, VkCommandPool pool, VkCommandPoolResetFlags flags) {
    Device& state = DeviceOf(device);
    if (Device::CommandPool* known = state.pools.Find(pool)) {
        // Programs have many more command buffers in a pool than they record between two resets.
        for (CommandBuffer* buffer : known->recorded) {
            StartOver(*buffer);
            buffer->recorded = false;
        }
        known->recorded.clear();
    }
    return state.down.ResetCommandPool(device, pool, flags);
}

VKAPI_ATTR VkResult VKAPI_CALL AllocateCommandBuffers(VkDevice device, const VkCommandBufferAllocateInfo* info,
                                                      VkCommandBuffer* buffers) {
    Device& state = DeviceOf(device);
    const VkResult result = state.down.AllocateCommandBuffers(device, info, buffers);
    if (result != VK_SUCCESS) return result;
    Device::CommandPool* pool = state.pools.Find(info->commandPool);
    if (!pool) return result;
    Guarded(state.log.get(), "vkAllocateCommandBuffers", false, [&] {
        // Twice as much at a time: programs allocate them one by one.
        if (const size_t all = pool->buffers.size() + info->commandBufferCount; all > pool->buffers.capacity())
            pool->buffers.reserve(std::max(all, 2 * pool->buffers.capacity()));
        pool->recorded.reserve(pool->buffers.capacity());
        for (uint32_t i = 0; i < info->commandBufferCount; ++i) {
            auto made = std::make_unique<CommandBuffer>();
            made->down = &state.down;
            made->device = &state;
            made->handle = buffers[i];
            made->pool = pool;
            made->chooses_sets = state.descriptors.shadow;
            made->replaceable = pool->plain && !info->pNext && info->level == VK_COMMAND_BUFFER_LEVEL_PRIMARY;
            if (state.resources && state.streams.mode != RecorderMode::kOff) made->stream = std::make_unique<Stream>();
            registry.command_buffers.Insert(buffers[i], made.get());
            pool->buffers.push_back(made.release());
        }
        return true;
    });
    return result;
}

VKAPI_ATTR void VKAPI_CALL FreeCommandBuffers(VkDevice device, VkCommandPool pool, uint32_t count,
                                              const VkCommandBuffer* buffers) {
    Device& state = DeviceOf(device);
    Device::CommandPool* known = state.pools.Find(pool);
    for (uint32_t i = 0; known && i < count; ++i) {
        CommandBuffer* buffer = buffers[i] ? FindCommandBuffer(buffers[i]) : nullptr;
        if (!buffer) continue;
        std::erase(known->buffers, buffer);
        if (buffer->recorded) std::erase(known->recorded, buffer);
        StartOver(*buffer);  // its recorder is the pool's
        ForgetBuffer(state, buffer);
    }
    state.down.FreeCommandBuffers(device, pool, count, buffers);
}

}  // namespace kronos::hook
