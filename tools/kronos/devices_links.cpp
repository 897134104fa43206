// SPDX-License-Identifier: Apache-2.0
// How fast the devices that a program sees reach one another, by way of the host: through two staging buffers with a
// copy by the processor between them, and through host memory that both devices import (VK_EXT_external_memory_host).
// Every transfer is verified. In a child; what it makes lives until the process ends.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "devices.h"
#include "vulkan_loader.h"

namespace kronos::command {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

constexpr VkDeviceSize kBytes = VkDeviceSize{256} << 20;
constexpr VkDeviceSize kSoftwareBytes = VkDeviceSize{16} << 20;
constexpr int kTimes = 5;           // the median counts
constexpr int kImportedTimes = 21;  // quick ones, which others on the host disturb
constexpr std::chrono::milliseconds kWakeUp{150};

void Check(VkResult result, const char* call) {
    if (result != VK_SUCCESS) throw std::runtime_error(std::string(call) + " failed with " + std::to_string(result));
}

struct Buffer {
    VkBuffer handle = VK_NULL_HANDLE;
    void* mapped = nullptr;
};

// A device with one queue.
class End {
  public:
    End(const OpenedInstance& instance, VkPhysicalDevice physical) : instance_(instance), physical_(physical) {
        VkPhysicalDeviceProperties properties = {};
        instance.table.GetPhysicalDeviceProperties(physical, &properties);
        software_ = properties.deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU;
        instance.table.GetPhysicalDeviceMemoryProperties(physical, &memory_);
        FindImportAlignment();
        MakeDevice();
    }

    bool software() const { return software_; }
    VkDeviceSize import_alignment() const { return import_alignment_; }  // 0: host memory cannot be imported

    Buffer Local(VkDeviceSize bytes) { return Make(bytes, VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT, 0, nullptr); }
    Buffer Staging(VkDeviceSize bytes) {
        return Make(bytes, VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT,
                    VK_MEMORY_PROPERTY_HOST_CACHED_BIT, nullptr);
    }
    Buffer Import(VkDeviceSize bytes, void* host) { return Make(bytes, 0, 0, host); }

    void Fill(const Buffer& buffer, uint32_t value) {
        Run([&] { table_.CmdFillBuffer(commands_, buffer.handle, 0, VK_WHOLE_SIZE, value); });
    }
    /// Seconds.
    double Copy(const Buffer& from, const Buffer& to, VkDeviceSize bytes) {
        return Run([&] {
            const VkBufferCopy region = {0, 0, bytes};
            table_.CmdCopyBuffer(commands_, from.handle, to.handle, 1, &region);
        });
    }

  private:
    void FindImportAlignment() {
        uint32_t count = 0;
        instance_.table.EnumerateDeviceExtensionProperties(physical_, nullptr, &count, nullptr);
        std::vector<VkExtensionProperties> all(count);
        instance_.table.EnumerateDeviceExtensionProperties(physical_, nullptr, &count, all.data());
        const bool there = std::any_of(all.begin(), all.end(), [](const VkExtensionProperties& extension) {
            return std::strcmp(extension.extensionName, VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME) == 0;
        });
        if (!there || !instance_.table.GetPhysicalDeviceProperties2) return;
        VkPhysicalDeviceExternalMemoryHostPropertiesEXT host = {};
        host.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_MEMORY_HOST_PROPERTIES_EXT;
        VkPhysicalDeviceProperties2 properties = {};
        properties.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2;
        properties.pNext = &host;
        instance_.table.GetPhysicalDeviceProperties2(physical_, &properties);
        import_alignment_ = host.minImportedHostPointerAlignment;
    }

    // Copies may be made by any family that computes, draws or transfers; one that only transfers has its own engine.
    uint32_t Family() const {
        uint32_t count = 0;
        instance_.table.GetPhysicalDeviceQueueFamilyProperties(physical_, &count, nullptr);
        std::vector<VkQueueFamilyProperties> families(count);
        instance_.table.GetPhysicalDeviceQueueFamilyProperties(physical_, &count, families.data());
        constexpr VkQueueFlags kWork = VK_QUEUE_GRAPHICS_BIT | VK_QUEUE_COMPUTE_BIT;
        for (uint32_t i = 0; i < count; ++i)
            if ((families[i].queueFlags & VK_QUEUE_TRANSFER_BIT) && !(families[i].queueFlags & kWork)) return i;
        for (uint32_t i = 0; i < count; ++i)
            if (families[i].queueFlags & (kWork | VK_QUEUE_TRANSFER_BIT)) return i;
        throw std::runtime_error("no queue that can copy");
    }

    void MakeDevice() {
        const uint32_t family = Family();
        const float priority = 1;
        VkDeviceQueueCreateInfo queue = {};
        queue.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO;
        queue.queueFamilyIndex = family;
        queue.queueCount = 1;
        queue.pQueuePriorities = &priority;
        const char* extension = VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME;
        VkDeviceCreateInfo info = {};
        info.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO;
        info.queueCreateInfoCount = 1;
        info.pQueueCreateInfos = &queue;
        info.enabledExtensionCount = import_alignment_ ? 1 : 0;
        info.ppEnabledExtensionNames = &extension;
        Check(instance_.table.CreateDevice(physical_, &info, nullptr, &device_), "vkCreateDevice");
        const auto get =
            reinterpret_cast<PFN_vkGetDeviceProcAddr>(instance_.get(instance_.handle, "vkGetDeviceProcAddr"));
        vkuInitDeviceDispatchTable(device_, &table_, get);
        table_.GetDeviceQueue(device_, family, 0, &queue_);
        VkCommandPoolCreateInfo pool_info = {};
        pool_info.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO;
        pool_info.flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT;
        pool_info.queueFamilyIndex = family;
        VkCommandPool pool = VK_NULL_HANDLE;
        Check(table_.CreateCommandPool(device_, &pool_info, nullptr, &pool), "vkCreateCommandPool");
        VkCommandBufferAllocateInfo allocate = {};
        allocate.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO;
        allocate.commandPool = pool;
        allocate.commandBufferCount = 1;
        Check(table_.AllocateCommandBuffers(device_, &allocate, &commands_), "vkAllocateCommandBuffers");
        VkFenceCreateInfo fence = {};
        fence.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO;
        Check(table_.CreateFence(device_, &fence, nullptr, &fence_), "vkCreateFence");
    }

    // `host`: what is imported, or nullptr. Memory of a type with all of `must`, and `better` if there is any.
    Buffer Make(VkDeviceSize bytes, VkMemoryPropertyFlags must, VkMemoryPropertyFlags better, void* host) {
        constexpr auto kHost = VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT;
        VkExternalMemoryBufferCreateInfo external = {};
        external.sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO;
        external.handleTypes = kHost;
        VkBufferCreateInfo info = {};
        info.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO;
        info.pNext = host ? &external : nullptr;
        info.size = bytes;
        info.usage = VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT;
        Buffer buffer;
        Check(table_.CreateBuffer(device_, &info, nullptr, &buffer.handle), "vkCreateBuffer");
        VkMemoryRequirements needs = {};
        table_.GetBufferMemoryRequirements(device_, buffer.handle, &needs);
        VkImportMemoryHostPointerInfoEXT import = {};
        import.sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_HOST_POINTER_INFO_EXT;
        import.handleType = kHost;
        import.pHostPointer = host;
        if (host) {
            VkMemoryHostPointerPropertiesEXT pointer = {};
            pointer.sType = VK_STRUCTURE_TYPE_MEMORY_HOST_POINTER_PROPERTIES_EXT;
            Check(table_.GetMemoryHostPointerPropertiesEXT(device_, kHost, host, &pointer),
                  "vkGetMemoryHostPointerPropertiesEXT");
            needs.memoryTypeBits &= pointer.memoryTypeBits;
            if (needs.size > bytes) throw std::runtime_error("a buffer needs more than the imported memory");
        }
        VkMemoryAllocateInfo allocate = {};
        allocate.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO;
        allocate.pNext = host ? &import : nullptr;
        allocate.allocationSize = host ? bytes : needs.size;
        allocate.memoryTypeIndex = Type(needs.memoryTypeBits, must, better);
        VkDeviceMemory memory = VK_NULL_HANDLE;
        Check(table_.AllocateMemory(device_, &allocate, nullptr, &memory), "vkAllocateMemory");
        Check(table_.BindBufferMemory(device_, buffer.handle, memory, 0), "vkBindBufferMemory");
        if (must & VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT)
            Check(table_.MapMemory(device_, memory, 0, VK_WHOLE_SIZE, 0, &buffer.mapped), "vkMapMemory");
        return buffer;
    }

    uint32_t Type(uint32_t bits, VkMemoryPropertyFlags must, VkMemoryPropertyFlags better) const {
        for (const VkMemoryPropertyFlags wanted : {must | better, must})
            for (uint32_t i = 0; i < memory_.memoryTypeCount; ++i)
                if ((bits >> i & 1) && (memory_.memoryTypes[i].propertyFlags & wanted) == wanted) return i;
        throw std::runtime_error("no memory type fits");
    }

    template <class Record>
    double Run(Record record) {
        VkCommandBufferBeginInfo begin = {};
        begin.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO;
        Check(table_.BeginCommandBuffer(commands_, &begin), "vkBeginCommandBuffer");
        record();
        VkMemoryBarrier seen = {};
        seen.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER;
        seen.srcAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT;
        seen.dstAccessMask = VK_ACCESS_HOST_READ_BIT | VK_ACCESS_TRANSFER_READ_BIT | VK_ACCESS_TRANSFER_WRITE_BIT;
        table_.CmdPipelineBarrier(commands_, VK_PIPELINE_STAGE_TRANSFER_BIT,
                                  VK_PIPELINE_STAGE_HOST_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT, 0, 1, &seen, 0, nullptr,
                                  0, nullptr);
        Check(table_.EndCommandBuffer(commands_), "vkEndCommandBuffer");
        VkSubmitInfo submit = {};
        submit.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO;
        submit.commandBufferCount = 1;
        submit.pCommandBuffers = &commands_;
        const Clock::time_point begun = Clock::now();
        Check(table_.QueueSubmit(queue_, 1, &submit, fence_), "vkQueueSubmit");
        // Not blocked: while its processors sleep a host answers devices slowly.
        VkResult status = VK_NOT_READY;
        while (status == VK_NOT_READY) status = table_.GetFenceStatus(device_, fence_);
        Check(status, "vkGetFenceStatus");
        const std::chrono::duration<double> took = Clock::now() - begun;
        Check(table_.ResetFences(device_, 1, &fence_), "vkResetFences");
        return took.count();
    }

    const OpenedInstance& instance_;
    const VkPhysicalDevice physical_;
    bool software_ = false;
    VkDeviceSize import_alignment_ = 0;
    VkPhysicalDeviceMemoryProperties memory_ = {};
    VkDevice device_ = VK_NULL_HANDLE;
    VkuDeviceDispatchTable table_{};
    VkQueue queue_ = VK_NULL_HANDLE;
    VkCommandBuffer commands_ = VK_NULL_HANDLE;
    VkFence fence_ = VK_NULL_HANDLE;
};

double Median(std::vector<double> values) {
    std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
    return values[values.size() / 2];
}

double GigabytesPerSecond(VkDeviceSize bytes, double seconds) { return static_cast<double>(bytes) / seconds / 1e9; }

// What an end keeps for its links: they are made one after the other.
struct Place {
    explicit Place(End& owner, VkDeviceSize bytes)
        : end(owner), local(owner.Local(bytes)), staging(owner.Staging(bytes)) {}
    End& end;
    Buffer local, staging;
    Buffer imported;
};

void Verify(Place& to, VkDeviceSize bytes, uint32_t value, const char* way) {
    to.end.Copy(to.local, to.staging, bytes);
    const auto* words = static_cast<const uint32_t*>(to.staging.mapped);
    if (std::any_of(words, words + bytes / sizeof(uint32_t), [&](uint32_t word) { return word != value; }))
        throw std::runtime_error(std::string(way) + ": other bytes arrived than were sent");
    to.end.Fill(to.local, 0);
}

void Measure(Place& from, Place& to, VkDeviceSize bytes, uint32_t value, json& link) {
    from.end.Fill(from.local, value);
    to.end.Fill(to.local, 0);
    std::vector<double> staged, out, in;
    for (int i = 0; i <= kTimes; ++i) {
        double took = from.end.Copy(from.local, from.staging, bytes);
        const Clock::time_point begun = Clock::now();
        std::memcpy(to.staging.mapped, from.staging.mapped, bytes);
        took += std::chrono::duration<double>(Clock::now() - begun).count();
        took += to.end.Copy(to.staging, to.local, bytes);
        if (i) staged.push_back(took);  // the first touches pages
    }
    Verify(to, bytes, value, "host-staged");
    link["staged"] = GigabytesPerSecond(bytes, Median(staged));
    if (!from.imported.handle || !to.imported.handle) {
        link["note"] = "host memory cannot be imported by both";
        return;
    }
    // While processors copied and compared, devices have gone to sleep; they wake up while they work.
    const Clock::time_point begun = Clock::now();
    do {
        from.end.Copy(from.local, from.imported, bytes);
        to.end.Copy(to.imported, to.local, bytes);
    } while (!from.end.software() && Clock::now() - begun < kWakeUp);
    for (int i = 0; i < kImportedTimes; ++i) {
        out.push_back(from.end.Copy(from.local, from.imported, bytes));
        in.push_back(to.end.Copy(to.imported, to.local, bytes));
    }
    Verify(to, bytes, value, "host-imported");
    link["imported_out"] = GigabytesPerSecond(bytes, Median(out));
    link["imported_in"] = GigabytesPerSecond(bytes, Median(in));
    link["imported"] = GigabytesPerSecond(bytes, Median(out) + Median(in));
}

// One allocation of the host's that every end imports, if it can.
void ImportShared(std::vector<std::unique_ptr<Place>>& places, VkDeviceSize bytes) {
    auto alignment = static_cast<VkDeviceSize>(sysconf(_SC_PAGESIZE));
    for (const auto& place : places) alignment = std::max(alignment, place->end.import_alignment());
    void* host = std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
    if (!host) return;
    std::memset(host, 0, bytes);
    for (const auto& place : places) {
        if (!place->end.import_alignment()) continue;
        try {
            place->imported = place->end.Import(bytes, host);
        } catch (const std::runtime_error&) {
            place->imported = {};  // the link says that it cannot be
        }
    }
}

}  // namespace

json AnswerLinks() {
    json answer = {{"links", json::array()}};
    const OpenedInstance instance = OpenInstance("kronos devices --links");
    answer["failure"] = instance.failure;
    if (!instance.failure.empty()) return answer;
    try {
        std::vector<std::unique_ptr<End>> ends;
        for (VkPhysicalDevice physical : PhysicalDevices(instance))
            ends.push_back(std::make_unique<End>(instance, physical));
        const bool software = std::any_of(ends.begin(), ends.end(), [](const auto& end) { return end->software(); });
        const VkDeviceSize bytes = software ? kSoftwareBytes : kBytes;
        std::vector<std::unique_ptr<Place>> places;
        for (const auto& end : ends) places.push_back(std::make_unique<Place>(*end, bytes));
        ImportShared(places, bytes);
        uint32_t value = 0x4b524f4e;
        for (size_t from = 0; from < places.size(); ++from) {
            for (size_t to = 0; to < places.size(); ++to) {
                if (from == to) continue;
                json link = {{"from", from}, {"to", to}, {"bytes", bytes}};
                Measure(*places[from], *places[to], bytes, ++value, link);
                answer["links"].push_back(std::move(link));
            }
        }
    } catch (const std::runtime_error& error) {
        answer["failure"] = error.what();
    }
    return answer;
}

}  // namespace kronos::command
