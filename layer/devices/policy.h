// SPDX-License-Identifier: Apache-2.0
// Which of a machine's devices a program sees, and in which order, with the reason for each. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "devices/facts.h"
#include "devices/selector.h"
#include "kronos/settings.h"

namespace kronos {

/// The place of this process among those of its machine, as its launcher told it.
struct LocalRank {
    uint32_t rank = 0;
    std::string source;  ///< the variable
};

struct DeviceRules {
    bool aggregate = true;        ///< all drivers' devices; else those of the first driver
    bool prefer_hardware = true;  ///< software renderers are hidden where there is hardware
    bool collapse = true;         ///< a GPU behind two drivers is shown once
    bool by_score = true;         ///< else in the order of the drivers
    Selector selector;
    std::string selector_text;  ///< as it was given
    bool none_if_unmatched = false;
    DeviceRank rank_mode = DeviceRank::kOff;
    std::optional<LocalRank> rank;
    /// Nothing is asked for: the list is the drivers' own.
    bool Nothing() const {
        return aggregate && !prefer_hardware && !collapse && !by_score && selector.empty() && !rank;
    }
};

struct DeviceVerdict {
    size_t device = 0;  ///< index in what was chosen from
    bool shown = false;
    std::string why;
};

struct DeviceChoice {
    std::vector<size_t> shown;            ///< what the program sees, in order
    std::vector<DeviceVerdict> numbered;  ///< all, by the number that selectors mean: those not hidden come first
    std::vector<std::string> problems;    ///< one line each, for people
};

/// `devices`: in the drivers' order. Hides the last device only if a selector that matches nothing asks for none.
DeviceChoice ChooseDevices(std::span<const DeviceFacts> devices, const DeviceRules& rules);

/// Discrete 1000, integrated 100, virtual 50, other 10, and the GiB of device-local memory; a processor's memory counts
/// for nothing, and no other's for more than 800.
uint32_t DeviceScore(const DeviceFacts& device);

/// Two drivers, one GPU: of one kind at one PCI address, or, where an address is missing, of one UUID. Processors never
/// are, nor two devices of one driver that only share a UUID.
bool SameGpu(const DeviceFacts& a, const DeviceFacts& b);

/// How good a driver is for compute; of two for one GPU the higher shows it.
int DriverRank(const DeviceFacts& device);

}  // namespace kronos
