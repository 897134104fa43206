// SPDX-License-Identifier: Apache-2.0
// Memory of mixed sizes taken and given back.
#include "alloc_storm.h"

#include <vulkan/utility/vk_struct_helper.hpp>

#include <algorithm>
#include <cstring>

namespace kronos::workloads {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kAlive = 16;

// Every other block, from the first on.
size_t Mapped(size_t steps) { return (steps + 1) / 2; }

OwnedMemory Allocate(const Context& context, uint64_t bytes, uint32_t type) {
    auto info = vku::InitStruct<VkMemoryAllocateInfo>();
    info.allocationSize = bytes;
    info.memoryTypeIndex = type;
    return {context.device(), vkAllocateMemory, info, "vkAllocateMemory of " + std::to_string(bytes) + " bytes"};
}

std::byte* Map(const Context& context, const OwnedMemory& memory) {
    void* mapped = nullptr;
    Require(vkMapMemory(context.device(), memory.get(), 0, VK_WHOLE_SIZE, 0, &mapped), "vkMapMemory");
    return static_cast<std::byte*>(mapped);
}

}  // namespace

AllocStorm::AllocStorm(const Job& job, bool slabs) : context_(job.context), workload_(job.workload), fault_(job.fault) {
    for (const BufferSpec& spec : workload_.buffers()) largest_ = std::max(largest_, spec.bytes);
    if (!slabs) return;
    slabs_.push_back(Allocate(context_, kAlive / 2 * largest_, MemoryType(true)));
    slabs_.push_back(Allocate(context_, kAlive / 2 * largest_, MemoryType(false)));
    mapped_slab_ = Map(context_, slabs_[0]);
}

Counts AllocStorm::Once() const {
    return {.allocations = slabs_.size(), .frees = slabs_.size(), .maps = slabs_.empty() ? 0U : 1U};
}

uint32_t AllocStorm::MemoryType(bool mapped) const {
    return context_.MemoryType(UINT32_MAX,
                               mapped ? VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT
                                      : VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT);
}

RunResult AllocStorm::Run() {
    RunResult run;
    Clock::time_point start = Clock::now();
    std::deque<Block> alive;
    for (size_t step = 0; step < workload_.buffers().size(); ++step) {
        if (alive.size() == kAlive) {
            GiveBack(std::move(alive.front()), run.results);
            alive.pop_front();
        }
        alive.push_back(Take(step));
    }
    for (Block& block : alive) GiveBack(std::move(block), run.results);
    run.total = run.dispatches = Clock::now() - start;
    return run;
}

AllocStorm::Block AllocStorm::Take(size_t step) const {
    const BufferSpec& spec = workload_.buffers()[step];
    bool mapped = spec.read_back;
    Block block{step, {}};
    if (slabs_.empty()) {
        block.memory = Allocate(context_, spec.bytes, MemoryType(mapped));
        if (mapped) block.mapped = Map(context_, block.memory);
    } else if (mapped) {
        // A slot for the largest each: the oldest of kAlive blocks has been given back.
        block.mapped = mapped_slab_ + step / 2 % (kAlive / 2) * largest_;
    }
    if (mapped) {
        bool faulty = fault_ == Fault::WrongResult && step == FaultyBuffer(workload_);
        const Words mark = faulty ? Corrupted(spec.initial) : spec.initial;
        std::memcpy(block.mapped, mark.data(), 4);
        std::memcpy(block.mapped + spec.bytes - 4, mark.data(), 4);
    }
    return block;
}

void AllocStorm::GiveBack(Block block, std::vector<Words>& results) const {
    if (!block.mapped) return;  // the end of it frees
    Words& words = results.emplace_back(2);
    std::memcpy(words.data(), block.mapped, 4);
    std::memcpy(words.data() + 1, block.mapped + workload_.buffers()[block.step].bytes - 4, 4);
    if (slabs_.empty()) vkUnmapMemory(context_.device(), block.memory.get());
}

Counts AllocStorm::PerRun() const {
    if (!slabs_.empty()) return {};
    uint64_t steps = workload_.buffers().size();
    return {.allocations = steps, .frees = steps, .maps = Mapped(steps), .unmaps = Mapped(steps)};
}

}  // namespace kronos::workloads
