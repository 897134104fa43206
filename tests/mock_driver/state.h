// SPDX-License-Identifier: Apache-2.0
// The driver's objects with behaviour. Who guards what: Sync::mutex of a device guards the state of its queues,
// fences, semaphores and events; everything else follows Vulkan's external synchronisation, as in a real driver.
#pragma once
#include <array>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "config.h"
#include "objects.h"

namespace mock {

struct Instance;

struct PhysicalDevice : Dispatchable {
    Instance* instance = nullptr;
    DeviceConfig config;
    std::array<std::atomic<uint64_t>, VK_MAX_MEMORY_HEAPS> heap_used{};
};

struct Instance : Dispatchable {
    uint32_t api_version = VK_API_VERSION_1_0;
    std::set<std::string> extensions;
    std::vector<std::unique_ptr<PhysicalDevice>> physical_devices;
    std::vector<std::vector<uint32_t>> groups;
};

// Memory of this process; imported pointers are not owned.
struct Memory : Object {
    static constexpr VkObjectType kType = VK_OBJECT_TYPE_DEVICE_MEMORY;
    ~Memory() override;
    PhysicalDevice* physical_device = nullptr;
    uint8_t* data = nullptr;
    uint64_t size = 0;
    uint64_t reserved = 0;  // bytes mapped from the system; 0 when from the C heap
    uint32_t type_index = 0;
    bool imported = false;
    std::atomic<bool> mapped{false};
    uint64_t map_begin = 0;  // while mapped: the range that is
    uint64_t map_end = 0;
};

struct Buffer : Object {
    static constexpr VkObjectType kType = VK_OBJECT_TYPE_BUFFER;
    uint64_t size = 0;
    VkBufferUsageFlags usage = 0;
    bool sparse = false;
    std::weak_ptr<Memory> memory;
    uint8_t* data = nullptr;
};

struct BufferView : Object {
    static constexpr VkObjectType kType = VK_OBJECT_TYPE_BUFFER_VIEW;
    VkBuffer buffer = VK_NULL_HANDLE;
    uint64_t offset = 0;
    uint64_t range = 0;
};

struct Image : Object {
    static constexpr VkObjectType kType = VK_OBJECT_TYPE_IMAGE;
    uint64_t size = 0;
    uint64_t row_pitch = 0;
    uint64_t slice_pitch = 0;
    bool bound = false;
};

struct Fence : Object {
    static constexpr VkObjectType kType = VK_OBJECT_TYPE_FENCE;
    std::atomic<bool> signaled{false};
    bool pending = false;  // given to a queue and not yet signalled
};

struct Semaphore : Object {
    static constexpr VkObjectType kType = VK_OBJECT_TYPE_SEMAPHORE;
    bool timeline = false;
    uint64_t value = 0;          // of a binary one: 1 when signalled
    bool queued_signal = false;  // binary: signalled once all that is submitted has run
    uint32_t uses = 0;           // submissions that still refer to it
};

struct Event : Object {
    static constexpr VkObjectType kType = VK_OBJECT_TYPE_EVENT;
    std::atomic<bool> set{false};
};

struct QueryPool : Object {
    static constexpr VkObjectType kType = VK_OBJECT_TYPE_QUERY_POOL;
    struct Query {
        uint64_t value = 0;
        bool available = false;
    };
    std::vector<Query> queries;  // guarded by Sync::mutex
};

struct SetLayout : Object {
    static constexpr VkObjectType kType = VK_OBJECT_TYPE_DESCRIPTOR_SET_LAYOUT;
    struct Binding {
        VkDescriptorType type;
        uint32_t count;
        uint32_t first;  // index into a set's descriptors
    };
    std::map<uint32_t, Binding> bindings;  // by binding number
    uint32_t total = 0;
};

struct Descriptor {
    VkDescriptorType type = VK_DESCRIPTOR_TYPE_MAX_ENUM;
    uint64_t handle = 0;  // buffer, buffer view or image view
    uint64_t offset = 0;
    uint64_t range = 0;
};

struct DescriptorPool : Object {
    static constexpr VkObjectType kType = VK_OBJECT_TYPE_DESCRIPTOR_POOL;
    uint32_t max_sets = 0;
    bool can_free = false;
    std::map<VkDescriptorType, int64_t> left;
    std::set<uint64_t> sets;
};

struct DescriptorSet : Object {
    static constexpr VkObjectType kType = VK_OBJECT_TYPE_DESCRIPTOR_SET;
    std::shared_ptr<SetLayout> layout;
    std::shared_ptr<DescriptorPool> pool;
    std::vector<Descriptor> descriptors;
};

struct UpdateTemplate : Object {
    static constexpr VkObjectType kType = VK_OBJECT_TYPE_DESCRIPTOR_UPDATE_TEMPLATE;
    std::vector<VkDescriptorUpdateTemplateEntry> entries;
};

// What a dispatch sees; only kept while a dispatch callback is registered.
struct BoundSet {
    VkDescriptorSet set = VK_NULL_HANDLE;
    std::map<std::pair<uint32_t, uint32_t>, Descriptor> pushed;  // by binding and element
    std::vector<uint32_t> dynamic_offsets;
};
struct DispatchState {
    VkPipeline pipeline = VK_NULL_HANDLE;
    std::map<uint32_t, BoundSet> sets;
    std::array<uint8_t, 256> push_constants{};
    uint32_t push_constant_size = 0;
};

enum class Op {
    kCopyBuffer,
    kFillBuffer,
    kUpdateBuffer,
    kExecuteCommands,
    kSetEvent,
    kResetEvent,
    kWaitEvents,
    kResetQueries,
    kEndQuery,
    kTimestamp,
    kCopyQueryResults,
    kDispatch,
    kDispatchIndirect,
};
struct Recorded {
    Op op;
    uint32_t count = 0;
    uint64_t object[2] = {0, 0};
    uint64_t value[6] = {0, 0, 0, 0, 0, 0};
    size_t data = 0;  // offset into CommandBuffer::data, or index into CommandBuffer::dispatches
};

struct Device;

struct CommandPool : Object {
    static constexpr VkObjectType kType = VK_OBJECT_TYPE_COMMAND_POOL;
    bool individual_reset = false;
    std::set<struct CommandBuffer*> buffers;
};

struct CommandBuffer : Dispatchable {
    enum class State : uint32_t { kInitial, kRecording, kExecutable, kInvalid };
    State state = State::kInitial;
    VkCommandBufferUsageFlags usage = 0;
    bool secondary = false;
    std::atomic<uint32_t> pending{0};  // submissions that have not finished
    Device* device = nullptr;
    std::shared_ptr<CommandPool> pool;
    std::vector<Recorded> commands;
    std::vector<uint8_t> data;
    std::vector<std::unique_ptr<DispatchState>> dispatches;
    DispatchState bound;
};

struct SemaphoreUse {
    std::shared_ptr<Semaphore> semaphore;
    uint64_t value = 0;
};
struct Submission {
    std::vector<SemaphoreUse> waits;
    std::vector<CommandBuffer*> buffers;
    std::vector<SemaphoreUse> signals;
    std::shared_ptr<Fence> fence;
};

// One lock and one condition for all that waits on a device: a signaller never touches an object after the waiter
// that it wakes may have destroyed it.
struct Sync {
    std::mutex mutex;
    std::condition_variable changed;
    std::atomic<bool> lost{false};
    bool stopping = false;
};

struct Queue : Dispatchable {
    Device* device = nullptr;
    uint32_t family = 0;
    uint32_t index = 0;
    VkDeviceQueueCreateFlags flags = 0;
    std::atomic<bool> in_call{false};  // catches calls that the program failed to synchronise
    // All below: Sync::mutex.
    std::condition_variable work;
    std::deque<Submission> pending;
    bool gate_closed = false;
    uint64_t tickets = 0;  // submissions let through a closed gate
    uint64_t submitted = 0;
    uint64_t completed = 0;
    std::thread thread;
};

struct Device : Dispatchable {
    PhysicalDevice* physical_device = nullptr;
    Instance* instance = nullptr;
    std::set<std::string> extensions;
    uint32_t api_version = VK_API_VERSION_1_0;  // the lower of instance's and physical device's
    std::shared_ptr<Sync> sync = std::make_shared<Sync>();
    std::vector<std::unique_ptr<Queue>> queues;
    std::atomic<uint32_t> allocations{0};
    std::mutex private_data_mutex;
    std::map<std::pair<uint64_t, uint64_t>, uint64_t> private_data;  // by slot and object
};

inline Device* Of(VkDevice handle) { return reinterpret_cast<Device*>(handle); }
inline Queue* Of(VkQueue handle) { return reinterpret_cast<Queue*>(handle); }
inline CommandBuffer* Of(VkCommandBuffer handle) { return reinterpret_cast<CommandBuffer*>(handle); }
inline PhysicalDevice* Of(VkPhysicalDevice handle) { return reinterpret_cast<PhysicalDevice*>(handle); }
inline Instance* Of(VkInstance handle) { return reinterpret_cast<Instance*>(handle); }

template <typename T>
T* Add(Dispatchable* owner, std::shared_ptr<T> object, uint64_t* handle) {
    T* raw = object.get();
    *handle = AddObject(T::kType, owner, std::move(object));
    return raw;
}

// Keeps a destroyed dispatchable object's memory, so that calls on dead handles are reported instead of crashing.
void Bury(std::unique_ptr<Instance> instance);
void Bury(std::unique_ptr<Device> device);

// command_buffers.cpp: forgets what was recorded and keeps the memory.
void ClearCommands(CommandBuffer* buffer);
void FreeCommandBuffer(CommandBuffer* buffer, const char* command);
// execute.cpp: runs a command buffer on the queue's thread.
void Execute(Queue* queue, CommandBuffer* buffer);
// queues.cpp
// Hands work to the queue; `fence` may be null.
VkResult Submit(Queue* queue, std::vector<Submission> submissions, VkFence fence, const char* command);
void StopQueues(Device* device);
void LoseDevice(Device* device);
bool QueueIdle(const Queue& queue);
// Nanoseconds of the steady clock: what timestamps show.
uint64_t Now();
// descriptors.cpp
void WriteDescriptor(const VkWriteDescriptorSet& write, uint32_t i, Descriptor* to);
Descriptor FromTemplate(const VkDescriptorUpdateTemplateEntry& entry, uint32_t i, const void* data);
// memory.cpp: where `size` bytes at `offset` of a buffer are, or null and a violation.
uint8_t* BufferBytes(uint64_t buffer, uint64_t offset, uint64_t size, const char* command);
// queries.cpp; the caller holds Sync::mutex.
VkResult WriteQueryResults(const QueryPool& pool, uint32_t first, uint32_t count, uint8_t* out, uint64_t size,
                           uint64_t stride, VkQueryResultFlags flags);

}  // namespace mock
