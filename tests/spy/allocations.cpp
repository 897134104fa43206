// SPDX-License-Identifier: Apache-2.0
#include "allocations.h"

#include <unistd.h>

#include <cerrno>
#include <cinttypes>
#include <cstdlib>
#include <cstring>

namespace spy {

AllocationFolder::AllocationFolder(const std::string& path) {
    if (path.empty()) return;
    const std::string whole = path + "/" + std::to_string(getpid()) + ".txt";
    file_ = std::fopen(whole.c_str(), "w");
    if (file_ == nullptr) {
        std::fprintf(stderr, SPY_ENVIRONMENT "_ALLOCATIONS=%s: %s: %s; must be a writable folder; nothing is written\n",
                     path.c_str(), whole.c_str(), std::strerror(errno));
        return;
    }
    // Whole, however the process ends.
    std::setvbuf(file_, nullptr, _IOLBF, BUFSIZ);
}

void AllocationFolder::Allocated(VkDevice device, VkDeviceMemory memory, const VkMemoryAllocateInfo& info) {
    if (!works()) return;
    const std::lock_guard lock(mutex_);
    const uint64_t number = ++allocations_;
    numbers_[{device, memory}] = number;
    std::fprintf(file_, "+ %" PRIu64 " %" PRIu64 " %" PRIu32 "\n", number, info.allocationSize, info.memoryTypeIndex);
}

void AllocationFolder::Freed(VkDevice device, VkDeviceMemory memory) {
    if (!works()) return;
    const std::lock_guard lock(mutex_);
    const auto found = numbers_.find({device, memory});
    if (found == numbers_.end()) return;
    std::fprintf(file_, "- %" PRIu64 "\n", found->second);
    numbers_.erase(found);
}

void AllocationFolder::Needs(VkDevice device, uint64_t resource, const VkMemoryRequirements& needs) {
    if (!works()) return;
    const std::lock_guard lock(mutex_);
    alignments_[{device, resource}] = needs.alignment;
}

void AllocationFolder::Bound(VkDevice device, uint64_t resource, VkDeviceMemory memory) {
    if (!works()) return;
    const std::lock_guard lock(mutex_);
    const auto number = numbers_.find({device, memory});
    const auto alignment = alignments_.find({device, resource});
    if (number == numbers_.end() || alignment == alignments_.end()) return;
    std::fprintf(file_, "b %" PRIu64 " %" PRIu64 "\n", number->second, alignment->second);
}

void AllocationFolder::Destroyed(VkDevice device, uint64_t resource) {
    if (!works()) return;
    const std::lock_guard lock(mutex_);
    alignments_.erase({device, resource});
}

AllocationFolder& FolderOfAllocations() {
    // Never destroyed: programs call Vulkan from their own exit handlers.
    static auto* const folder = [] {
        const char* path = std::getenv(SPY_ENVIRONMENT "_ALLOCATIONS");
        return new AllocationFolder(path == nullptr ? "" : path);
    }();
    return *folder;
}

}  // namespace spy
