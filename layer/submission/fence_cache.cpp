// SPDX-License-Identifier: Apache-2.0
#include "submission/fence_cache.h"

#include <memory>

namespace kronos {

FenceCache::~FenceCache() {
    known_.ForEach([](VkFence, FenceState* state) { delete state; });
}

void FenceCache::Add(VkFence fence, bool signaled) {
    auto state = std::make_unique<FenceState>(fence, signaled);
    known_.Insert(fence, state.get());
    static_cast<void>(state.release());  // the map holds it now
}

void FenceCache::Forget(VkFence fence) { delete known_.Erase(fence); }

FenceState* FenceCache::Take(bool signaled) {
    std::lock_guard lock(mutex_);
    std::vector<FenceState*>& idle = idle_[signaled];
    if (idle.empty()) return nullptr;
    FenceState* state = idle.back();
    idle.pop_back();
    return state;
}

bool FenceCache::Keep(FenceState* state) {
    std::lock_guard lock(mutex_);
    if (idle_[0].size() + idle_[1].size() >= kMostIdle) return false;
    if (FenceState::IsVirtual(state->phase())) state->Reset();  // the driver's was never signaled
    idle_[state->phase() == FenceState::kSignaled].push_back(state);
    return true;
}

}  // namespace kronos
