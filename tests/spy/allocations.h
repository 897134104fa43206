// SPDX-License-Identifier: Apache-2.0
// Writes which memory programs allocate and free, in the order of the calls, to a file PID.txt of the folder that
// SPY_ALLOCATIONS names; nothing without it. Owned by nobody: FolderOfAllocations() lives as long as the process. Any
// thread, at any time.
//
// A line each: "+ NUMBER BYTES TYPE" an allocation, numbered from 1; "b NUMBER ALIGNMENT" a resource was bound to it,
// whose alignment the program has asked for; "- NUMBER" it is freed.
#pragma once

#include <vulkan/vulkan.h>

#include <cstdint>
#include <cstdio>
#include <map>
#include <mutex>
#include <string>
#include <utility>

namespace spy {

class AllocationFolder {
  public:
    /// An empty path: nothing is written. A folder that cannot be written is named in one line, and nothing is.
    explicit AllocationFolder(const std::string& path);

    bool works() const { return file_ != nullptr; }
    void Allocated(VkDevice device, VkDeviceMemory memory, const VkMemoryAllocateInfo& info);
    /// Of a handle that was not seen nothing is said.
    void Freed(VkDevice device, VkDeviceMemory memory);
    /// `resource`: the bits of a buffer's or an image's handle.
    void Needs(VkDevice device, uint64_t resource, const VkMemoryRequirements& needs);
    void Bound(VkDevice device, uint64_t resource, VkDeviceMemory memory);
    void Destroyed(VkDevice device, uint64_t resource);

  private:
    std::mutex mutex_;
    // All that follows is guarded by mutex_, but whether there is a file.
    std::FILE* file_ = nullptr;
    uint64_t allocations_ = 0;
    std::map<std::pair<VkDevice, VkDeviceMemory>, uint64_t> numbers_;
    std::map<std::pair<VkDevice, uint64_t>, uint64_t> alignments_;  // of resources
};

/// The folder that the environment names.
AllocationFolder& FolderOfAllocations();

}  // namespace spy
