// SPDX-License-Identifier: Apache-2.0
// Which accesses of a recording are those of a dispatch with the same pipeline and sets: programs bind few, and again
// and again. Owned by a recorder; externally synchronized, as recording is. Allocates nothing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "resources/bound.h"

namespace kronos {

class DispatchMemo {
  public:
    struct Accesses {
        uint32_t first = 0;  ///< into Steps::accesses
        uint32_t count = 0;
    };

    /// Those that were noted with the key, nullptr if there are none since Clear or others took their place.
    const Accesses* Find(const BoundContent& key) const {
        const Entry& entry = entries_[Home(key)];
        return entry.recording == recording_ && entry.key == key ? &entry.accesses : nullptr;
    }
    void Note(const BoundContent& key, const Accesses& accesses) { entries_[Home(key)] = {recording_, key, accesses}; }
    /// For another recording, with other accesses.
    void Clear() { ++recording_; }

  private:
    static constexpr int kHomeBits = 6;
    struct Entry {
        uint64_t recording = 0;
        BoundContent key;
        Accesses accesses;
    };
    static size_t Home(const BoundContent& key) {
        uint64_t hash = key.pipeline;
        for (const uint64_t set : key.sets) {
            // What is pushed is not pushed again: it needs a place only until the next, and should take no other's.
            if (set & BoundContent::kPush) return 0;
            hash = (hash ^ set) * 0x9E3779B97F4A7C15ull;
        }
        return hash >> (64 - kHomeBits);
    }

    std::array<Entry, size_t{1} << kHomeBits> entries_;
    uint64_t recording_ = 1;
};

}  // namespace kronos
