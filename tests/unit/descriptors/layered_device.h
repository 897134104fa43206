// SPDX-License-Identifier: Apache-2.0
// The layer's hooks above the fake driver, without a loader. One thread; one at a time.
#pragma once

#include "descriptors/set_writer.h"
#include "entry/hooks.h"
#include "entry/state.h"
#include "fake_driver.h"

namespace fake {

struct LayeredOptions {
    bool persistent = true;
    bool held = true;  ///< commands are held until their command buffer ends
    uint32_t most_per_layout = 256;
    bool judge = false;
};

/// A device of the layer as vkCreateDevice makes it, on the driver.
class LayeredDevice {
  public:
    LayeredDevice(Driver& driver, const LayeredOptions& options) : driver_(driver) {
        auto made = std::make_unique<kronos::Device>();
        kronos::Device& device = *made;
        device.handle = driver.device();
        device.gates =
            kronos::kGateAlways | kronos::kGateRecording | kronos::kGateDescriptors | kronos::kGateMemoryLives;
        device.down = driver.table;
        device.log = kronos::Log::Create(kronos::LogLevel::kOff, "");
        kronos::DeviceLabel label;
        device.stats = std::make_unique<kronos::DeviceStats>(label, nullptr, false, 0, 0);
        device.streams.mode = options.held ? kronos::RecorderMode::kHold : kronos::RecorderMode::kOff;
        device.descriptors.shadow = true;
        device.descriptors.persistent = options.persistent;
        kronos::ResourceOptions resources;
        if (options.persistent) {
            device.lives = std::make_unique<kronos::Lives>();
            resources.lives = device.lives.get();
            resources.hold_most = kronos::kMostHeld;
        }
        device.resources = std::make_unique<kronos::Resources>(resources);
        if (options.persistent)
            device.persistent = std::make_unique<kronos::PersistentSets>(
                device.down, device.handle, *device.resources, &device.stats->counters(),
                kronos::PersistentOptions{.most_per_layout = options.most_per_layout, .judge = options.judge});
        kronos::registry.devices.Insert(kronos::DispatchKey(device.handle), &device);
        device_ = made.release();
        dispatch_ =
            reinterpret_cast<PFN_vkCmdDispatch>(kronos::hook::GetDeviceProcAddr(device.handle, "vkCmdDispatch"));
    }
    ~LayeredDevice() {
        driver_.table.DestroyDevice = [](VkDevice, const VkAllocationCallbacks*) {};
        device_->down.DestroyDevice = driver_.table.DestroyDevice;
        kronos::hook::DestroyDevice(driver_.device(), nullptr);
    }
    LayeredDevice(const LayeredDevice&) = delete;
    LayeredDevice& operator=(const LayeredDevice&) = delete;

    kronos::Device& operator*() const { return *device_; }
    kronos::Device* operator->() const { return device_; }
    void Dispatch(VkCommandBuffer buffer) const { dispatch_(buffer, 1, 1, 1); }
    /// What was decided, so often.
    uint64_t Did(kronos::Counter decision) const {
        return device_->stats->counters().Sum(kronos::Side::kAsked, decision);
    }
    uint64_t Given(kronos::Counter counter) const {
        return device_->stats->counters().Sum(kronos::Side::kDriver, counter);
    }

  private:
    Driver& driver_;
    kronos::Device* device_ = nullptr;
    PFN_vkCmdDispatch dispatch_ = nullptr;
};

}  // namespace fake
