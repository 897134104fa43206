// SPDX-License-Identifier: Apache-2.0
// What a descriptor holds, exactly enough to say that two hold the same: by uids, for drivers use handles again.
//
// Threads: values.
#pragma once

#include <cstdint>

namespace kronos {

/// A descriptor as it was written. A uid belongs to one object in one life, so descriptors that are equal and Known()
/// were written from the same handles too, and hold the same for the driver.
struct Identity {
    static constexpr uint64_t kNever = 0;               ///< never written in this life of the set; of a sampler: none
    static constexpr uint64_t kNull = 1;                ///< VK_NULL_HANDLE
    static constexpr uint64_t kUnknown = ~uint64_t{0};  ///< nobody can say: equal to nothing, itself neither

    uint64_t object = kNever;   ///< uid of the buffer, the view, or the sampler that is alone in its descriptor
    uint64_t sampler = kNever;  ///< uid of that of a combined image sampler, unless it is immutable
    uint64_t offset = 0;        ///< bytes, as given; of an image its layout
    uint64_t range = 0;         ///< bytes, as given
    uint64_t object_handle = 0;
    uint64_t sampler_handle = 0;

    bool operator==(const Identity&) const = default;
    /// Set in the uid of an object of which nobody says when it ends, or that what it is made of does.
    static constexpr uint64_t kLoose = uint64_t{1} << 62;
    /// It may be written later than the program wrote it.
    bool MayWait() const { return !((object | sampler) & kLoose); }
    bool Known() const { return object != kUnknown && sampler != kUnknown; }
    static Identity Unknown() { return {.object = kUnknown}; }
};

/// Four bytes of an inline uniform block: kNeverWord, kUnknownWord, or made by WordOf.
constexpr uint64_t kNeverWord = 0;
constexpr uint64_t kUnknownWord = ~uint64_t{0};
constexpr uint64_t WordOf(uint32_t bytes) { return uint64_t{1} << 32 | bytes; }

}  // namespace kronos
