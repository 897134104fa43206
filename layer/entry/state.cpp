// SPDX-License-Identifier: Apache-2.0
#include "entry/state.h"

namespace kronos {

ImmortalRegistry immortal_registry;

const VkuDeviceDispatchTable& DownOfUnknown(const void* handle) { return DeviceOf(handle).down; }

}  // namespace kronos
