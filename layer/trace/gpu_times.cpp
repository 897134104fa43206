// SPDX-License-Identifier: Apache-2.0
#include "trace/gpu_times.h"

#include <array>

namespace kronos {

GpuTimes::~GpuTimes() {
    if (abandoned_.load(std::memory_order_relaxed)) return;  // they go with the device
    for (const auto& slot : slots_) driver_.down->DestroyEvent(driver_.device, slot->event, nullptr);
    for (const VkQueryPool pool : pools_) driver_.down->DestroyQueryPool(driver_.device, pool, nullptr);
    driver_.down->DestroyCommandPool(driver_.device, commands_, nullptr);
}

GpuTimes::Slot* GpuTimes::Take() noexcept {
    if (Ended()) return nullptr;
    const auto take = [&]() -> Slot* {
        std::lock_guard lock(mutex_);
        if (idle_.empty()) return nullptr;
        Slot* slot = idle_.back();
        idle_.pop_back();
        return slot;
    };
    if (Slot* slot = take()) return slot;
    if (failed_ || pools_.size() >= kMostPools) return nullptr;
    try {
        failed_ = !MakePool();
    } catch (const std::bad_alloc&) {
        failed_ = true;
    }
    return take();
}

// Throws std::bad_alloc. What was made before something could not be goes with the rest.
bool GpuTimes::MakePool() {
    const VkuDeviceDispatchTable& down = *driver_.down;
    if (!commands_) {
        const VkCommandPoolCreateInfo info = {VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO, nullptr, 0, family_};
        if (down.CreateCommandPool(driver_.device, &info, nullptr, &commands_) != VK_SUCCESS) {
            commands_ = VK_NULL_HANDLE;
            return false;
        }
    }
    pools_.reserve(pools_.size() + 1);
    slots_.reserve(slots_.size() + kInPool);
    {
        std::lock_guard lock(mutex_);
        idle_.reserve(slots_.size() + kInPool);
    }
    VkQueryPoolCreateInfo queries = {};
    queries.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO;
    queries.queryType = VK_QUERY_TYPE_TIMESTAMP;
    queries.queryCount = 2 * kInPool;
    VkQueryPool pool = VK_NULL_HANDLE;
    if (down.CreateQueryPool(driver_.device, &queries, nullptr, &pool) != VK_SUCCESS) return false;
    pools_.push_back(pool);
    constexpr size_t kBuffers = size_t{2} * kInPool;
    std::array<VkCommandBuffer, kBuffers> buffers = {};
    const VkCommandBufferAllocateInfo allocate = {VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO, nullptr, commands_,
                                                  VK_COMMAND_BUFFER_LEVEL_PRIMARY,
                                                  static_cast<uint32_t>(buffers.size())};
    if (down.AllocateCommandBuffers(driver_.device, &allocate, buffers.data()) != VK_SUCCESS) return false;
    for (const VkCommandBuffer buffer : buffers)
        if (driver_.set_loader_data(driver_.device, buffer) != VK_SUCCESS) return false;
    for (uint32_t i = 0; i < kInPool; ++i) {
        auto slot = std::make_unique<Slot>();
        slot->before = buffers[size_t{2} * i];
        slot->after = buffers[size_t{2} * i + 1];
        slot->pool = pool;
        slot->query = 2 * i;
        const VkEventCreateInfo event = {VK_STRUCTURE_TYPE_EVENT_CREATE_INFO, nullptr, 0};
        if (down.CreateEvent(driver_.device, &event, nullptr, &slot->event) != VK_SUCCESS) return false;
        Slot* made = slots_.emplace_back(std::move(slot)).get();
        if (Record(*made) != VK_SUCCESS) return false;
        std::lock_guard lock(mutex_);
        idle_.push_back(made);
    }
    return true;
}

// Both timestamps are written when all that was submitted before is done: what is measured begins when the device is
// free for it.
VkResult GpuTimes::Record(const Slot& slot) const {
    const VkuDeviceDispatchTable& down = *driver_.down;
    VkCommandBufferBeginInfo begin = {};
    begin.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO;
    // The event is set a little before the command buffer that sets it is no longer pending, and the slot may be
    // submitted again by then.
    begin.flags = VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT;
    VkResult result = down.BeginCommandBuffer(slot.before, &begin);
    if (result != VK_SUCCESS) return result;
    down.CmdResetQueryPool(slot.before, slot.pool, slot.query, 2);
    down.CmdWriteTimestamp(slot.before, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, slot.pool, slot.query);
    result = down.EndCommandBuffer(slot.before);
    if (result == VK_SUCCESS) result = down.BeginCommandBuffer(slot.after, &begin);
    if (result != VK_SUCCESS) return result;
    down.CmdWriteTimestamp(slot.after, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, slot.pool, slot.query + 1);
    down.CmdSetEvent(slot.after, slot.event, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT);
    return down.EndCommandBuffer(slot.after);
}

void GpuTimes::Fly(Slot* slot, uint64_t submission, uint64_t begin_ns, uint64_t end_ns) noexcept {
    slot->time = {submission, begin_ns, end_ns, 0, 0};
    std::lock_guard lock(mutex_);
    try {
        flying_.push_back(slot);
    } catch (const std::bad_alloc&) {
        Abandon();  // it is pending, and nobody would know
    }
}

void GpuTimes::Return(Slot* slot) noexcept {
    std::lock_guard lock(mutex_);
    idle_.push_back(slot);
}

GpuTimes::Slot* GpuTimes::Oldest() {
    std::lock_guard lock(mutex_);
    return flying_.empty() ? nullptr : flying_.front();
}

bool GpuTimes::AnyFlying() { return !lost_.load(std::memory_order_relaxed) && Oldest() != nullptr; }

bool GpuTimes::Read(const Slot& slot, GpuTime& time) {
    const VkuDeviceDispatchTable& down = *driver_.down;
    const VkResult done = down.GetEventStatus(driver_.device, slot.event);
    if (done == VK_ERROR_DEVICE_LOST) Lose();
    if (done != VK_EVENT_SET) return false;
    std::array<std::array<uint64_t, 2>, 2> results = {};  // of each timestamp, and whether it is there
    if (down.GetQueryPoolResults(driver_.device, slot.pool, slot.query, 2, sizeof results, results.data(),
                                 sizeof results[0],
                                 VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WITH_AVAILABILITY_BIT) < VK_SUCCESS ||
        !results[0][1] || !results[1][1])
        return false;
    time = slot.time;
    time.begin_ticks = results[0][0];
    time.end_ticks = results[1][0];
    return true;
}

void GpuTimes::Landed(Slot* slot) {
    // Before it can be submitted again. Should that not be possible, it is not.
    const bool again = driver_.down->ResetEvent(driver_.device, slot->event) == VK_SUCCESS;
    std::lock_guard lock(mutex_);
    flying_.pop_front();
    if (again) idle_.push_back(slot);
}

}  // namespace kronos
