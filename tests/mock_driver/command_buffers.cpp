// SPDX-License-Identifier: Apache-2.0
// Command pools and command buffers: allocation, their states, reset.
#include "commands.h"
#include "control_state.h"

namespace mock {
namespace {

using State = CommandBuffer::State;

// Freed command buffers are handed out again, as drivers do; their memory stays, so that dead handles can be reported.
struct Shelf {
    std::mutex mutex;
    std::deque<CommandBuffer*> free;
};
Shelf& TheShelf() {
    static Shelf* shelf = new Shelf;
    return *shelf;
}

CommandBuffer* TakeBuffer() {
    Shelf& shelf = TheShelf();
    std::lock_guard lock(shelf.mutex);
    if (shelf.free.empty()) return new CommandBuffer;
    CommandBuffer* buffer = shelf.free.front();
    shelf.free.pop_front();
    return buffer;
}

bool CheckIdle(const CommandBuffer* buffer, const char* command) {
    if (buffer->pending.load(std::memory_order_acquire) == 0) return true;
    Violation(std::string(command) + ": " + HandleName(VK_OBJECT_TYPE_COMMAND_BUFFER, FromHandle(buffer)) +
              " is still executing");
    return false;
}

}  // namespace

void ClearCommands(CommandBuffer* buffer) {
    buffer->commands.clear();
    buffer->data.clear();
    buffer->dispatches.clear();
    buffer->bound = DispatchState();
}

void FreeCommandBuffer(CommandBuffer* buffer, const char* command) {
    if (!RemoveDispatchable(buffer, VK_OBJECT_TYPE_COMMAND_BUFFER, command)) return;
    const bool idle = CheckIdle(buffer, command);
    buffer->pool->buffers.erase(buffer);
    buffer->pool.reset();
    buffer->state = State::kInvalid;
    if (!idle) return;  // a queue still reads it: its memory is never used again
    ClearCommands(buffer);
    Shelf& shelf = TheShelf();
    std::lock_guard lock(shelf.mutex);
    shelf.free.push_back(buffer);
}

namespace impl {

VkResult vkCreateCommandPool(VkDevice device, const VkCommandPoolCreateInfo* pCreateInfo, const VkAllocationCallbacks*,
                             VkCommandPool* pCommandPool) {
    auto pool = std::make_shared<CommandPool>();
    pool->individual_reset = (pCreateInfo->flags & VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT) != 0;
    if (pCreateInfo->queueFamilyIndex >= Of(device)->physical_device->config.families.size()) {
        Violation("vkCreateCommandPool: no queue family " + std::to_string(pCreateInfo->queueFamilyIndex));
    }
    *pCommandPool = ToHandle<VkCommandPool>(AddObject(CommandPool::kType, Of(device), std::move(pool)));
    return VK_SUCCESS;
}

void vkDestroyCommandPool(VkDevice, VkCommandPool commandPool, const VkAllocationCallbacks*) {
    std::shared_ptr<Object> object;
    if (!RemoveObject(FromHandle(commandPool), CommandPool::kType, "vkDestroyCommandPool", &object)) return;
    const std::set<CommandBuffer*> buffers = static_cast<CommandPool*>(object.get())->buffers;
    for (CommandBuffer* buffer : buffers) FreeCommandBuffer(buffer, "vkDestroyCommandPool");
}

VkResult vkResetCommandPool(VkDevice, VkCommandPool commandPool, VkCommandPoolResetFlags) {
    CommandPool* pool = Require<CommandPool>(commandPool, "vkResetCommandPool");
    if (pool == nullptr) return VK_SUCCESS;
    for (CommandBuffer* buffer : pool->buffers) {
        if (!CheckIdle(buffer, "vkResetCommandPool")) continue;
        ClearCommands(buffer);
        buffer->state = State::kInitial;
    }
    return VK_SUCCESS;
}

VkResult vkAllocateCommandBuffers(VkDevice device, const VkCommandBufferAllocateInfo* pAllocateInfo,
                                  VkCommandBuffer* pCommandBuffers) {
    const auto pool = Shared<CommandPool>(pAllocateInfo->commandPool);
    if (pool == nullptr) {
        Require<CommandPool>(pAllocateInfo->commandPool, "vkAllocateCommandBuffers");
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    for (uint32_t i = 0; i < pAllocateInfo->commandBufferCount; ++i) {
        CommandBuffer* buffer = TakeBuffer();
        buffer->state = State::kInitial;
        buffer->secondary = pAllocateInfo->level == VK_COMMAND_BUFFER_LEVEL_SECONDARY;
        buffer->device = Of(device);
        buffer->pool = pool;
        AddDispatchable(VK_OBJECT_TYPE_COMMAND_BUFFER, Of(device), buffer);
        pool->buffers.insert(buffer);
        pCommandBuffers[i] = ToHandle<VkCommandBuffer>(FromHandle(buffer));
    }
    return VK_SUCCESS;
}

void vkFreeCommandBuffers(VkDevice, VkCommandPool commandPool, uint32_t commandBufferCount,
                          const VkCommandBuffer* pCommandBuffers) {
    Require<CommandPool>(commandPool, "vkFreeCommandBuffers");
    for (uint32_t i = 0; i < commandBufferCount; ++i) {
        FreeCommandBuffer(Of(pCommandBuffers[i]), "vkFreeCommandBuffers");
    }
}

VkResult vkBeginCommandBuffer(VkCommandBuffer commandBuffer, const VkCommandBufferBeginInfo* pBeginInfo) {
    if (g_watch_begins.load(std::memory_order_relaxed)) CallBeginCallback(commandBuffer);
    CommandBuffer* buffer = Of(commandBuffer);
    const std::string name =
        "vkBeginCommandBuffer: " + HandleName(VK_OBJECT_TYPE_COMMAND_BUFFER, FromHandle(commandBuffer));
    if (!buffer->live) {
        Violation(name + " is not live");
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    if (!CheckIdle(buffer, "vkBeginCommandBuffer")) return VK_ERROR_OUT_OF_HOST_MEMORY;
    if (buffer->state == State::kRecording) Violation(name + " is recording already");
    if (buffer->state != State::kInitial && !buffer->pool->individual_reset) {
        Violation(name + " needs a reset, and its pool does not allow one of its own");
    }
    ClearCommands(buffer);
    buffer->usage = pBeginInfo->flags;
    buffer->state = State::kRecording;
    return VK_SUCCESS;
}

VkResult vkEndCommandBuffer(VkCommandBuffer commandBuffer) {
    CommandBuffer* buffer = Of(commandBuffer);
    if (buffer->state != State::kRecording) {
        Violation("vkEndCommandBuffer: " + HandleName(VK_OBJECT_TYPE_COMMAND_BUFFER, FromHandle(commandBuffer)) +
                  " is not recording");
    }
    buffer->state = State::kExecutable;
    return VK_SUCCESS;
}

VkResult vkResetCommandBuffer(VkCommandBuffer commandBuffer, VkCommandBufferResetFlags) {
    CommandBuffer* buffer = Of(commandBuffer);
    if (!CheckIdle(buffer, "vkResetCommandBuffer")) return VK_SUCCESS;
    if (!buffer->pool->individual_reset) {
        Violation("vkResetCommandBuffer: the pool was created without RESET_COMMAND_BUFFER");
    }
    ClearCommands(buffer);
    buffer->state = State::kInitial;
    return VK_SUCCESS;
}

}  // namespace impl
}  // namespace mock
