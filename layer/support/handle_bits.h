// SPDX-License-Identifier: Apache-2.0
// Handles as numbers: pointers on 64-bit systems, numbers already on others. Pure.
#pragma once

#include <cstdint>
#include <type_traits>

namespace kronos {

template <class Handle>
uint64_t HandleBits(Handle handle) {
    if constexpr (std::is_pointer_v<Handle>)
        return reinterpret_cast<uintptr_t>(handle);
    else
        return static_cast<uint64_t>(handle);
}

template <class Handle>
Handle HandleFromBits(uint64_t bits) {
    if constexpr (std::is_pointer_v<Handle>)
        return reinterpret_cast<Handle>(static_cast<uintptr_t>(bits));
    else
        return static_cast<Handle>(bits);
}

}  // namespace kronos
