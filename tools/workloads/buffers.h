// SPDX-License-Identifier: Apache-2.0
// A buffer with a memory allocation of its own, as simple programs make it. Owned by a writing; one thread.
#pragma once

#include <string_view>

#include "handles.h"
#include "workload.h"

namespace kronos::workloads {

class DedicatedBuffer {
  public:
    DedicatedBuffer(const Context& context, std::string_view name, VkDeviceSize bytes, VkBufferUsageFlags usage,
                    VkMemoryPropertyFlags flags);
    VkBuffer buffer() const { return buffer_.get(); }
    VkDeviceSize bytes() const { return bytes_; }
    /// Maps, copies and unmaps. The memory must be host visible and coherent, the words exactly as many as fit.
    void Write(const Words& words);
    Words Read() const;

  private:
    VkDevice device_;
    VkDeviceSize bytes_;
    // Memory first, so that the buffer is destroyed before its memory is freed.
    OwnedMemory memory_;
    OwnedBuffer buffer_;
};

}  // namespace kronos::workloads
