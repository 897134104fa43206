// SPDX-License-Identifier: Apache-2.0
// A trace begins and ends; and the functions that stand in the driver's place while there is one. Those are called as
// the driver is: by who may use the queue, or by any thread.
#include "trace/trace_start.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <span>

#include "support/extensions.h"
#include "support/process.h"
#include "support/submit_buffers.h"

namespace kronos {
namespace {

// Devices that have a trace, by dispatch key. While one is destroyed it is in no other list, and still calls the
// driver. Never destroyed.
HandleMap<void*, Device*>& TracedDevices() {
    static auto& devices = *new HandleMap<void*, Device*>;
    return devices;
}
Device& Traced(const void* handle) { return *TracedDevices().Find(DispatchKey(handle)); }

void Append(std::vector<VkCommandBuffer>& to, VkCommandBuffer buffer) { to.push_back(buffer); }
void Append(std::vector<VkCommandBufferSubmitInfo>& to, VkCommandBuffer buffer) {
    to.push_back({VK_STRUCTURE_TYPE_COMMAND_BUFFER_SUBMIT_INFO, nullptr, buffer, 0});
}

// The call with the slot's command buffers before the first and behind the last of its command buffers, of which there
// is one at least. Behind what the first of them waits for, and before what the last of them signals, so that who sees
// that finds the times. Throws std::bad_alloc.
template <class Info, class Buffer>
std::span<const Info> Measured(std::span<const Info> infos, const GpuTimes::Slot& slot, std::vector<Info>& copies,
                               std::array<std::vector<Buffer>, 2>& buffers) {
    copies.assign(infos.begin(), infos.end());
    const auto any = [](const Info& info) { return !BuffersOf(info).empty(); };
    Info& first = *std::find_if(copies.begin(), copies.end(), any);
    Info& last = *std::find_if(copies.rbegin(), copies.rend(), any);
    const auto set = [&](Info& info, std::vector<Buffer>& to, bool before, bool after) {
        const auto given = BuffersOf(info);
        to.clear();
        if (before) Append(to, slot.before);
        to.insert(to.end(), given.begin(), given.end());
        if (after) Append(to, slot.after);
        SetBuffers(info, to);
    };
    set(first, buffers[0], true, &first == &last);
    if (&first != &last) set(last, buffers[1], false, true);
    return copies;
}
std::span<const VkSubmitInfo> Measured(std::span<const VkSubmitInfo> infos, const GpuTimes::Slot& slot,
                                       QueueTrace::Room& room) {
    return Measured(infos, slot, room.infos, room.buffers);
}
std::span<const VkSubmitInfo2> Measured(std::span<const VkSubmitInfo2> infos, const GpuTimes::Slot& slot,
                                        QueueTrace::Room& room) {
    return Measured(infos, slot, room.infos2, room.buffers2);
}

VkResult Below(const DeviceTrace& trace, VkQueue queue, std::span<const VkSubmitInfo> infos, VkFence fence) {
    return trace.below.QueueSubmit(queue, static_cast<uint32_t>(infos.size()), infos.data(), fence);
}
VkResult Below(const DeviceTrace& trace, VkQueue queue, std::span<const VkSubmitInfo2> infos, VkFence fence) {
    return trace.below.QueueSubmit2(queue, static_cast<uint32_t>(infos.size()), infos.data(), fence);
}

void LookAtIdle(const Device& device) {
    uint64_t bytes = 0;
    for (uint32_t heap = 0; heap < VK_MAX_MEMORY_HEAPS; ++heap) {
        if (device.recycler) bytes += device.recycler->cache.IdleBytes(heap);
        if (device.slabs) bytes += device.slabs->FreeBytes(heap);
    }
    device.trace->Idle(bytes);
}

// A slot for the call, and the call with it. Without a slot the call is as it was.
template <class Info>
std::span<const Info> WithSlot(DeviceTrace& trace, QueueTrace& queue, std::span<const Info> infos,
                               QueueTrace::Call& call) {
    if (!call.buffers || !queue.Measures()) return infos;
    if (!FactsOf(infos).understood) {
        trace.NotUnderstood();
        return infos;
    }
    call.slot = queue.TakeSlot();
    if (!call.slot) return infos;
    try {
        return Measured(infos, *call.slot, queue.room);
    } catch (const std::bad_alloc&) {
        queue.ReturnSlot(call.slot);
        call.slot = nullptr;
        return infos;
    }
}

template <class Info>
VkResult Submit(const char* name, VkQueue handle, std::span<const Info> infos, VkFence fence) {
    const Device& device = Traced(handle);
    DeviceTrace& trace = *device.trace;
    if (trace.Inherited()) return Below(trace, handle, infos, fence);
    const Queue* known = FindQueue(handle);
    const uint64_t before = NowNs();
    if (!known || !known->trace) {
        const VkResult result = Below(trace, handle, infos, fence);
        trace.ThreadSlice(name, before, NowNs());
        return result;
    }
    QueueTrace& queue = *known->trace;
    queue.Collect();
    LookAtIdle(device);
    QueueTrace::Call call;
    call.name = name;
    call.infos = static_cast<uint32_t>(infos.size());
    for (const Info& info : infos) call.buffers += static_cast<uint32_t>(BuffersOf(info).size());
    const std::span<const Info> given = WithSlot(trace, queue, infos, call);
    const auto give = [&](std::span<const Info> what) {
        call.begin_ns = NowNs();
        call.result = Below(trace, handle, what, fence);
        call.end_ns = NowNs();
        queue.Called(call);
        return call.result;
    };
    const VkResult result = give(given);
    if (!call.slot || !OutOfMemory(result)) return result;
    call.slot = nullptr;  // what there was no memory for may have been that
    return give(infos);
}

VKAPI_ATTR VkResult VKAPI_CALL TracedSubmit(VkQueue queue, uint32_t count, const VkSubmitInfo* infos, VkFence fence) {
    return Submit("vkQueueSubmit", queue, std::span(infos, count), fence);
}

VKAPI_ATTR VkResult VKAPI_CALL TracedSubmit2(VkQueue queue, uint32_t count, const VkSubmitInfo2* infos, VkFence fence) {
    return Submit("vkQueueSubmit2", queue, std::span(infos, count), fence);
}

VKAPI_ATTR VkResult VKAPI_CALL TracedAllocate(VkDevice handle, const VkMemoryAllocateInfo* info,
                                              const VkAllocationCallbacks* allocator, VkDeviceMemory* memory) {
    const Device& device = Traced(handle);
    DeviceTrace& trace = *device.trace;
    const VkResult result = trace.below.AllocateMemory(handle, info, allocator, memory);
    if (result == VK_SUCCESS && !trace.Inherited()) {
        trace.Allocated(*memory, info->allocationSize);
        LookAtIdle(device);
    }
    return result;
}

VKAPI_ATTR void VKAPI_CALL TracedFree(VkDevice handle, VkDeviceMemory memory, const VkAllocationCallbacks* allocator) {
    const Device& device = Traced(handle);
    DeviceTrace& trace = *device.trace;
    if (memory && !trace.Inherited()) trace.Freed(memory);
    trace.below.FreeMemory(handle, memory, allocator);
    if (memory && !trace.Inherited()) LookAtIdle(device);
}

// The extension in its two forms, and its commands.
struct Calibration {
    const char* extension;
    PFN_vkGetPhysicalDeviceCalibrateableTimeDomainsKHR VkuInstanceDispatchTable::*domains;
    PFN_vkGetCalibratedTimestampsKHR VkuDeviceDispatchTable::*timestamps;
};
constexpr Calibration kCalibrations[] = {
    {VK_KHR_CALIBRATED_TIMESTAMPS_EXTENSION_NAME,
     &VkuInstanceDispatchTable::GetPhysicalDeviceCalibrateableTimeDomainsKHR,
     &VkuDeviceDispatchTable::GetCalibratedTimestampsKHR},
    {VK_EXT_CALIBRATED_TIMESTAMPS_EXTENSION_NAME,
     &VkuInstanceDispatchTable::GetPhysicalDeviceCalibrateableTimeDomainsEXT,
     &VkuDeviceDispatchTable::GetCalibratedTimestampsEXT},
};

// Both clocks can be shown at one time: section "Calibrated Timestamps". Of a device that has the extension: loaders
// end the process for others.
bool ShowsBothClocks(const Instance& instance, VkPhysicalDevice physical, const Calibration& by) {
    const auto ask = instance.down.*by.domains;
    uint32_t count = 0;
    if (!ask || ask(physical, &count, nullptr) != VK_SUCCESS) return false;
    std::vector<VkTimeDomainKHR> all(count);
    if (ask(physical, &count, all.data()) < VK_SUCCESS) return false;
    const auto has = [&](VkTimeDomainKHR one) { return std::find(all.begin(), all.end(), one) != all.end(); };
    return has(VK_TIME_DOMAIN_DEVICE_KHR) && has(VK_TIME_DOMAIN_CLOCK_MONOTONIC_KHR);
}

PFN_vkGetCalibratedTimestampsKHR CalibratedOf(const Device& device, const VkDeviceCreateInfo& info) {
    for (const Calibration& by : kCalibrations)
        if (Enables(info, by.extension) && ShowsBothClocks(*device.instance, device.physical, by))
            return device.down.*by.timestamps;
    return nullptr;
}

TraceDevice Describe(const Device& device, const VkDeviceCreateInfo& info,
                     const VkPhysicalDeviceProperties& properties) {
    static std::atomic<uint32_t> count{0};
    TraceDevice traced;
    traced.index = device.stats ? device.stats->label().index : count.fetch_add(1, std::memory_order_relaxed);
    traced.pid = getpid();
    traced.program = ProgramName();
    traced.name = properties.deviceName;
    traced.timestamp_period_ns = static_cast<double>(properties.limits.timestampPeriod);
    uint32_t families = 0;
    device.instance->down.GetPhysicalDeviceQueueFamilyProperties(device.physical, &families, nullptr);
    traced.families.resize(families);
    device.instance->down.GetPhysicalDeviceQueueFamilyProperties(device.physical, &families, traced.families.data());
    traced.driver = {&device.down, device.handle, device.set_loader_data};
    traced.calibrated = CalibratedOf(device, info);
    traced.why_no_times = GroupOfDevices(info);
    // lavapipe: vkGetQueryPoolResults begins with vkDeviceWaitIdle, and the caller may have yet to signal what that
    // waits for.
    if (properties.vendorID == VK_VENDOR_ID_MESA && properties.deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU)
        traced.why_no_times = "this driver waits for all of the device where times are read";
    if (!device.set_loader_data) traced.why_no_times = "the loader gives layers no command buffers of their own";
    return traced;
}

}  // namespace

WithCalibration::WithCalibration(const Instance& instance, VkPhysicalDevice physical, const VkDeviceCreateInfo& program,
                                 bool traced)
    : copy_(program) {
    if (!traced || instance.api_version < VK_API_VERSION_1_1) return;
    for (const Calibration& by : kCalibrations)
        if (Enables(program, by.extension)) return;
    for (const Calibration& by : kCalibrations) {
        if (!Offers(instance.down.EnumerateDeviceExtensionProperties, physical, by.extension) ||
            !ShowsBothClocks(instance, physical, by))
            continue;
        extensions_.assign(program.ppEnabledExtensionNames,
                           program.ppEnabledExtensionNames + program.enabledExtensionCount);
        extensions_.push_back(by.extension);
        copy_.enabledExtensionCount = static_cast<uint32_t>(extensions_.size());
        copy_.ppEnabledExtensionNames = extensions_.data();
        return;
    }
}

void StartTrace(Device& device, const VkDeviceCreateInfo& info, const VkPhysicalDeviceProperties& properties) {
    const Settings& settings = device.instance->settings;
    if (settings.trace_file.empty()) return;
    auto writer = TraceWriter::Open(ExpandPath(settings.trace_file), static_cast<uint64_t>(settings.trace_limit) << 20,
                                    device.log);
    if (!writer) return;
    device.log->Notice("trace: {}; submissions get timestamps, which makes them slower", writer->path());
    auto trace = std::make_unique<DeviceTrace>(Describe(device, info, properties), std::move(writer), device.log);
    TracedDevices().Insert(DispatchKey(device.handle), &device);
    VkuDeviceDispatchTable& down = device.down;
    trace->below = {down.QueueSubmit, down.QueueSubmit2, down.AllocateMemory, down.FreeMemory};
    device.trace = std::move(trace);
    down.QueueSubmit = TracedSubmit;
    if (down.QueueSubmit2) down.QueueSubmit2 = TracedSubmit2;
    down.AllocateMemory = TracedAllocate;
    down.FreeMemory = TracedFree;
    device.gates |= kGateTrace;
}

void EndTrace(Device& device) {
    if (!device.trace) return;
    TracedDevices().Erase(DispatchKey(device.handle));
    // In a child of fork nothing of it may be touched.
    if (device.trace->Inherited())
        static_cast<void>(device.trace.release());
    else
        device.trace.reset();
}

}  // namespace kronos
