// SPDX-License-Identifier: Apache-2.0
#include "submission/fused_buffers.h"

#include <algorithm>

namespace kronos {

FusedBuffer* FusedBuffers::Choose(FusedBuffer& buffer) {
    buffer.until = FusedBuffer::kChosen;
    buffer.used = ++tick_;
    chosen_.push_back(&buffer);
    return &buffer;
}

FusedBuffer* FusedBuffers::Find(std::span<const uint64_t> recordings, uint64_t reached) {
    for (const auto& buffer : buffers_)
        if (buffer->until <= reached && std::ranges::equal(buffer->recordings, recordings)) return Choose(*buffer);
    return nullptr;
}

bool FusedBuffers::GoesOn(uint64_t recording) const {
    return std::any_of(buffers_.begin(), buffers_.end(), [&](const auto& buffer) {
        const auto& all = buffer->recordings;
        // Most hold what was recorded in that order too: only in one of those this may be.
        if (all.empty() || recording < all.front() || recording >= all.back()) return false;
        return std::find(all.begin(), all.end(), recording) != all.end();
    });
}

FusedBuffer* FusedBuffers::Take(uint64_t reached, bool must) {
    chosen_.reserve(chosen_.size() + 1);
    // Rather one that holds nothing, then a new one, then the one that was not used for longest.
    FusedBuffer* best = nullptr;
    for (const auto& buffer : buffers_) {
        if (buffer->until > reached) continue;
        if (buffer->recordings.empty()) return Choose(*buffer);
        if (!best || buffer->used < best->used) best = buffer.get();
    }
    if (buffers_.size() < kMost || (must && !best)) best = buffers_.emplace_back(std::make_unique<FusedBuffer>()).get();
    if (!best) return nullptr;
    best->recordings.clear();
    return Choose(*best);
}

void FusedBuffers::Given(uint64_t value) {
    for (FusedBuffer* buffer : chosen_) buffer->until = value;
    chosen_.clear();
}

void FusedBuffers::Drop(const FusedBuffer* buffer) {
    std::erase(chosen_, buffer);
    std::erase_if(buffers_, [&](const auto& one) { return one.get() == buffer; });
}

}  // namespace kronos
