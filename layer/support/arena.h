// SPDX-License-Identifier: Apache-2.0
// Memory that is taken piece by piece and given back all at once. Owned and used by one thread at a time.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace kronos {

/// What it gives out stays where it is until Reset. After Reset the same amount is taken again without an allocation.
class Arena {
  public:
    /// Uninitialized, aligned for any scalar; never nullptr. Throws std::bad_alloc, and nothing is changed.
    void* Take(size_t bytes) {
        bytes = (std::max<size_t>(bytes, 1) + kAlignment - 1) & ~(kAlignment - 1);
        if (bytes > static_cast<size_t>(end_ - next_)) [[unlikely]]
            More(bytes);
        std::byte* taken = next_;
        next_ += bytes;
        return taken;
    }

    template <class T, class... Args>
    T* New(Args&&... args) {
        static_assert(std::is_trivially_destructible_v<T> && alignof(T) <= kAlignment);
        return new (Take(sizeof(T))) T{std::forward<Args>(args)...};
    }

    /// A copy of `count` values; nullptr for none.
    template <class T>
    T* Copy(const T* values, size_t count) {
        static_assert(std::is_trivially_copyable_v<T> && alignof(T) <= kAlignment);
        if (count == 0 || !values) return nullptr;
        // Mostly one, of a size that is known here: no call.
        if (count == 1) return static_cast<T*>(std::memcpy(Take(sizeof(T)), values, sizeof(T)));
        return static_cast<T*>(std::memcpy(Take(count * sizeof(T)), values, count * sizeof(T)));
    }

    /// All that was given out is gone. Keeps its memory.
    void Reset() {
        current_ = 0;
        if (!chunks_.empty()) Use(chunks_[0]);
    }

  private:
    static constexpr size_t kAlignment = alignof(std::max_align_t);
    static constexpr size_t kFirstChunk = size_t{4} << 10;
    static constexpr size_t kLargestStep = size_t{1} << 20;

    struct Chunk {
        std::unique_ptr<std::byte[]> memory;
        size_t bytes = 0;
    };

    void Use(const Chunk& chunk) {
        next_ = chunk.memory.get();
        end_ = next_ + chunk.bytes;
    }
    // Chunks too small for a large piece are passed over until the next Reset.
    void More(size_t bytes) {
        size_t next = chunks_.empty() ? 0 : current_ + 1;
        while (next < chunks_.size() && chunks_[next].bytes < bytes) ++next;
        if (next >= chunks_.size()) {
            const size_t step = chunks_.empty() ? kFirstChunk : std::min(chunks_.back().bytes * 2, kLargestStep);
            const size_t size = std::max(bytes, step);
            Chunk chunk{std::unique_ptr<std::byte[]>(new std::byte[size]), size};
            chunks_.push_back(std::move(chunk));
            next = chunks_.size() - 1;
        }
        current_ = next;
        Use(chunks_[current_]);
    }

    std::vector<Chunk> chunks_;
    size_t current_ = 0;  ///< the chunk that is taken from
    std::byte* next_ = nullptr;
    std::byte* end_ = nullptr;
};

}  // namespace kronos
