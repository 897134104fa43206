// SPDX-License-Identifier: Apache-2.0
// Query pools. Timestamps are nanoseconds of the steady clock; all other queries give 0.
#include <cstring>

#include "commands.h"
#include "state.h"

namespace mock {

VkResult WriteQueryResults(const QueryPool& pool, uint32_t first, uint32_t count, uint8_t* out, uint64_t size,
                           uint64_t stride, VkQueryResultFlags flags) {
    const bool wide = (flags & VK_QUERY_RESULT_64_BIT) != 0;
    const uint64_t element = wide ? 8 : 4;
    const bool availability = (flags & VK_QUERY_RESULT_WITH_AVAILABILITY_BIT) != 0;
    const auto put = [&](uint8_t* to, uint64_t value) {
        const auto narrow = static_cast<uint32_t>(value);
        if (wide) {
            std::memcpy(to, &value, 8);
        } else {
            std::memcpy(to, &narrow, 4);
        }
    };
    VkResult result = VK_SUCCESS;
    for (uint32_t i = 0; i < count; ++i) {
        if (first + i >= pool.queries.size() || i * stride + element * (availability ? 2 : 1) > size) {
            Violation("query results: query " + std::to_string(first + i) + " is not in the pool or not in the data");
            break;
        }
        const QueryPool::Query& query = pool.queries[first + i];
        uint8_t* to = out + i * stride;
        if (query.available || (flags & VK_QUERY_RESULT_PARTIAL_BIT)) put(to, query.value);
        if (!query.available) result = VK_NOT_READY;
        if (availability) put(to + element, query.available ? 1 : 0);
    }
    return result;
}

namespace impl {

VkResult vkCreateQueryPool(VkDevice device, const VkQueryPoolCreateInfo* pCreateInfo, const VkAllocationCallbacks*,
                           VkQueryPool* pQueryPool) {
    auto pool = std::make_shared<QueryPool>();
    pool->queries.resize(pCreateInfo->queryCount);
    *pQueryPool = ToHandle<VkQueryPool>(AddObject(QueryPool::kType, Of(device), std::move(pool)));
    return VK_SUCCESS;
}

VkResult vkGetQueryPoolResults(VkDevice device, VkQueryPool queryPool, uint32_t firstQuery, uint32_t queryCount,
                               size_t dataSize, void* pData, VkDeviceSize stride, VkQueryResultFlags flags) {
    const QueryPool* pool = Require<QueryPool>(queryPool, "vkGetQueryPoolResults");
    if (pool == nullptr) return VK_NOT_READY;
    Sync& sync = *Of(device)->sync;
    std::unique_lock lock(sync.mutex);
    if (flags & VK_QUERY_RESULT_WAIT_BIT) {
        sync.changed.wait(lock, [&] {
            if (sync.lost) return true;
            for (uint32_t i = firstQuery; i < firstQuery + queryCount && i < pool->queries.size(); ++i) {
                if (!pool->queries[i].available) return false;
            }
            return true;
        });
    }
    if (sync.lost) return VK_ERROR_DEVICE_LOST;
    return WriteQueryResults(*pool, firstQuery, queryCount, static_cast<uint8_t*>(pData), dataSize, stride, flags);
}

void vkResetQueryPool(VkDevice device, VkQueryPool queryPool, uint32_t firstQuery, uint32_t queryCount) {
    QueryPool* pool = Require<QueryPool>(queryPool, "vkResetQueryPool");
    if (pool == nullptr) return;
    std::lock_guard lock(Of(device)->sync->mutex);
    for (uint32_t i = firstQuery; i < firstQuery + queryCount && i < pool->queries.size(); ++i) {
        pool->queries[i] = QueryPool::Query();
    }
}

}  // namespace impl
}  // namespace mock
