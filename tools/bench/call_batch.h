// SPDX-License-Identifier: Apache-2.0
// How call_bench*.cpp time a batch of calls. One thread.
#pragma once

#include <chrono>
#include <type_traits>

#include "call_bench.h"

namespace kronos::bench {

/// Calls body(0), body(1)...; nanoseconds a call.
template <class Body>
double Batch(Body body, int calls = kCalls) {
    const auto before = std::chrono::steady_clock::now();
    for (int i = 0; i < calls; ++i) body(static_cast<size_t>(i));
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - before;
    return took.count() / calls;
}

/// What pointers point to where nothing is said; large enough for any structure.
alignas(64) inline unsigned char nothing[4096];

/// A pointer to data: not a handle, whose type is never defined.
template <class T>
concept Pointer = std::is_pointer_v<T> &&
    (std::is_void_v<std::remove_pointer_t<T>> || requires { sizeof(std::remove_pointer_t<T>); });

template <class T>
T Zero() {
    if constexpr (Pointer<T>)
        return reinterpret_cast<T>(nothing);
    else
        return T{};
}

/// A batch of calls with zeros behind the handle: counts of 0, and pointers to zeros.
template <class Result, class Handle, class... Args>
double Zeros(Result(VKAPI_PTR* function)(Handle, Args...), Handle handle) {
    return Batch([=](size_t) { static_cast<void>(function(handle, Zero<Args>()...)); });
}

/// Which half of an object's life is told; both are gone through.
enum class Half { kMaking, kDestroying };

template <class Make, class Destroy>
double Lives(Half told, Make make, Destroy destroy) {
    const double made = Batch(make);
    const double destroyed = Batch(destroy);
    return told == Half::kMaking ? made : destroyed;
}

}  // namespace kronos::bench
