// SPDX-License-Identifier: Apache-2.0
#include "entry/state.h"

#include "support/process.h"

namespace kronos {
namespace {

void LockForFork() {
    registry.instances.mutex().lock();
    registry.devices.mutex().lock();
    registry.queues.mutex().lock();
    registry.command_buffers.mutex().lock();
}

void UnlockAfterFork() {
    registry.command_buffers.mutex().unlock();
    registry.queues.mutex().unlock();
    registry.devices.mutex().unlock();
    registry.instances.mutex().unlock();
}

Registry& MakeRegistry() {
    OnFork(LockForFork, UnlockAfterFork);
    return *new Registry;
}

}  // namespace

Registry& registry = MakeRegistry();

}  // namespace kronos
