// SPDX-License-Identifier: Apache-2.0
// Runs recorded command buffers, on a queue's thread: transfers move bytes, events and queries change, dispatches call
// the test's callback.
#include <algorithm>
#include <cstring>

#include "control_state.h"

namespace mock {
namespace {

void Copy(const CommandBuffer* buffer, const Recorded& r) {
    std::vector<VkBufferCopy> regions(r.count);
    std::memcpy(regions.data(), buffer->data.data() + r.data, r.count * sizeof(VkBufferCopy));
    for (const VkBufferCopy& region : regions) {
        const uint8_t* from = BufferBytes(r.object[0], region.srcOffset, region.size, "vkCmdCopyBuffer");
        uint8_t* to = BufferBytes(r.object[1], region.dstOffset, region.size, "vkCmdCopyBuffer");
        if (from != nullptr && to != nullptr) std::memmove(to, from, region.size);
    }
}

void Fill(const Recorded& r) {
    uint64_t size = r.value[1];
    if (size == VK_WHOLE_SIZE) {
        const auto* target = static_cast<Buffer*>(RequireObject(r.object[0], Buffer::kType, "vkCmdFillBuffer"));
        if (target == nullptr || r.value[0] > target->size) return;
        size = (target->size - r.value[0]) & ~uint64_t{3};
    }
    uint8_t* to = BufferBytes(r.object[0], r.value[0], size, "vkCmdFillBuffer");
    const auto word = static_cast<uint32_t>(r.value[2]);
    for (uint64_t i = 0; to != nullptr && i + 4 <= size; i += 4) std::memcpy(to + i, &word, 4);
}

void ChangeEvent(Queue* queue, const Recorded& r, bool set) {
    auto* event =
        static_cast<Event*>(RequireObject(r.object[0], Event::kType, set ? "vkCmdSetEvent" : "vkCmdResetEvent"));
    if (event == nullptr) return;
    Sync& sync = *queue->device->sync;
    std::lock_guard lock(sync.mutex);
    event->set = set;
    sync.changed.notify_all();
}

void WaitEvent(Queue* queue, const Recorded& r) {
    const auto event = std::static_pointer_cast<Event>(FindShared(r.object[0], Event::kType));
    if (event == nullptr) {
        RequireObject(r.object[0], Event::kType, "vkCmdWaitEvents");
        return;
    }
    Sync& sync = *queue->device->sync;
    std::unique_lock lock(sync.mutex);
    sync.changed.wait(lock, [&] { return event->set || sync.lost || sync.stopping; });
}

void ChangeQueries(Queue* queue, const Recorded& r) {
    auto* pool = static_cast<QueryPool*>(RequireObject(r.object[0], QueryPool::kType, "a query command"));
    if (pool == nullptr) return;
    const uint64_t count = r.op == Op::kResetQueries ? r.count : 1;
    if (r.value[0] + count > pool->queries.size()) {
        return Violation("a query command: " + HandleName(QueryPool::kType, r.object[0]) + " has no query " +
                         std::to_string(r.value[0] + count - 1));
    }
    Sync& sync = *queue->device->sync;
    std::lock_guard lock(sync.mutex);
    for (uint64_t i = 0; i < count; ++i) {
        QueryPool::Query& query = pool->queries[r.value[0] + i];
        if (r.op != Op::kResetQueries && query.available) {
            Violation("a query command: query " + std::to_string(r.value[0]) + " of " +
                      HandleName(QueryPool::kType, r.object[0]) + " was not reset");
        }
        query.available = r.op != Op::kResetQueries;
        query.value = r.op == Op::kTimestamp ? Now() : 0;
    }
    sync.changed.notify_all();
}

void CopyQueries(Queue* queue, const Recorded& r) {
    const auto* pool =
        static_cast<QueryPool*>(RequireObject(r.object[0], QueryPool::kType, "vkCmdCopyQueryPoolResults"));
    if (pool == nullptr || r.count == 0) return;
    const uint64_t element = r.value[3] & VK_QUERY_RESULT_64_BIT ? 8 : 4;
    const uint64_t one = r.value[3] & VK_QUERY_RESULT_WITH_AVAILABILITY_BIT ? 2 * element : element;
    const uint64_t size = (r.count - 1) * r.value[2] + one;
    uint8_t* to = BufferBytes(r.object[1], r.value[1], size, "vkCmdCopyQueryPoolResults");
    if (to == nullptr) return;
    std::lock_guard lock(queue->device->sync->mutex);
    WriteQueryResults(*pool, static_cast<uint32_t>(r.value[0]), r.count, to, size, r.value[2],
                      static_cast<VkQueryResultFlags>(r.value[3]));
}

void Dispatch(Queue* queue, CommandBuffer* buffer, const Recorded& r) {
    uint32_t base[3] = {0, 0, 0};
    uint32_t groups[3] = {0, 0, 0};
    if (r.op == Op::kDispatchIndirect) {
        const uint8_t* from = BufferBytes(r.object[0], r.value[0], sizeof(groups), "vkCmdDispatchIndirect");
        if (from == nullptr) return;
        std::memcpy(groups, from, sizeof(groups));
    } else {
        for (uint32_t i = 0; i < 3; ++i) {
            base[i] = static_cast<uint32_t>(r.value[i]);
            groups[i] = static_cast<uint32_t>(r.value[3 + i]);
        }
    }
    CallDispatchCallback(queue, buffer, *buffer->dispatches[r.data], base, groups);
}

}  // namespace

void Execute(Queue* queue, CommandBuffer* buffer) {
    for (const Recorded& r : buffer->commands) {
        if (queue->device->sync->lost) return;
        switch (r.op) {
            case Op::kCopyBuffer:
                Copy(buffer, r);
                break;
            case Op::kFillBuffer:
                Fill(r);
                break;
            case Op::kUpdateBuffer:
                if (uint8_t* to = BufferBytes(r.object[0], r.value[0], r.value[1], "vkCmdUpdateBuffer")) {
                    std::memcpy(to, buffer->data.data() + r.data, r.value[1]);
                }
                break;
            case Op::kExecuteCommands:
                Execute(queue, ToHandle<CommandBuffer*>(r.object[0]));
                break;
            case Op::kSetEvent:
                ChangeEvent(queue, r, true);
                break;
            case Op::kResetEvent:
                ChangeEvent(queue, r, false);
                break;
            case Op::kWaitEvents:
                WaitEvent(queue, r);
                break;
            case Op::kResetQueries:
            case Op::kEndQuery:
            case Op::kTimestamp:
                ChangeQueries(queue, r);
                break;
            case Op::kCopyQueryResults:
                CopyQueries(queue, r);
                break;
            case Op::kDispatch:
            case Op::kDispatchIndirect:
                Dispatch(queue, buffer, r);
                break;
        }
    }
}

}  // namespace mock
