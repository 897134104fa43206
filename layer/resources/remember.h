// SPDX-License-Identifier: Apache-2.0
// How hooks tell a device's Resources of objects. Any thread.
#pragma once

#include "entry/state.h"

namespace kronos {

/// Calls body(resources) if streams are analysed. What finds no memory is not known: no error for the program.
template <class Body>
void Remember(const Device& device, const char* command, Body body) noexcept {
    if (Resources* resources = device.resources.get())
        Guarded(device.log.get(), command, false, [&] { return body(*resources), true; });
}

}  // namespace kronos
