// SPDX-License-Identifier: Apache-2.0
// Which devices somebody wants, as a text: the setting `device`. Pure; any thread.
//
// Entries are separated by commas. Each names devices, in the order in which they are wanted:
//   0                      by its number in the list of `kronos devices`
//   discrete, integrated, virtual, cpu, other
//   4c1b2d3e..., GPU-4c..  the first 8 digits of its UUID, or more
//   65:00.0, 0000:65:00.0  its PCI address
//   anything else          a part of its name, or a pattern of it with * and ?
// or, said outright, index:, type:, uuid:, pci:, driver:, vendor:, name:. An entry after an exclamation mark or a minus
// names devices that are not wanted; with only such entries, all others are.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "devices/facts.h"

namespace kronos {

struct SelectorTerm {
    enum class Kind : uint8_t { kIndex, kType, kUuid, kPci, kDriver, kVendor, kName };
    Kind kind = Kind::kName;
    bool exclude = false;
    uint32_t index = 0;
    VkPhysicalDeviceType type = VK_PHYSICAL_DEVICE_TYPE_OTHER;
    PciAddress pci;
    std::string text;   ///< of kUuid: hexadecimal digits; of names: a pattern, in small letters
    std::string given;  ///< as it was written, printable, for people

    /// `number`: the device's in the list.
    bool Matches(const DeviceFacts& device, size_t number) const;
};

struct Selector {
    std::vector<SelectorTerm> terms;
    std::vector<std::string> problems;  ///< one for each entry that is left out: what it is and what is allowed
    bool empty() const { return terms.empty(); }
};

Selector ParseSelector(std::string_view text);

/// Case does not matter; * stands for any text, ? for a letter. Without either, `pattern` may be any part of `text`.
bool MatchesPattern(std::string_view pattern, std::string_view text);

/// The selector of `rules`, "PROGRAM=SELECTOR; PROGRAM=SELECTOR; ...", for the program of this name: that of the first
/// pattern that is all of the name. Rules without an equals sign are left out and named in `problems`.
std::string SelectorFor(std::string_view rules, std::string_view program, std::vector<std::string>& problems);

}  // namespace kronos
