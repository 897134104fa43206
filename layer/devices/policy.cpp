// SPDX-License-Identifier: Apache-2.0
#include "devices/policy.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "support/formatted.h"
#include "support/text.h"

namespace kronos {
namespace {

// Of drivers that show the same GPU. Drivers that are not here are between the two groups.
struct RankedDriver {
    VkDriverId id;
    int rank;
};
constexpr RankedDriver kDrivers[] = {
    // What the vendor or most users of compute run.
    {VK_DRIVER_ID_NVIDIA_PROPRIETARY, 20},
    {VK_DRIVER_ID_MESA_RADV, 20},
    {VK_DRIVER_ID_INTEL_OPEN_SOURCE_MESA, 20},
    {VK_DRIVER_ID_AMD_PROPRIETARY, 15},
    {VK_DRIVER_ID_AMD_OPEN_SOURCE, 12},
    // Young, or on top of another driver or API.
    {VK_DRIVER_ID_MESA_NVK, 5},
    {VK_DRIVER_ID_MESA_VENUS, 2},
    {VK_DRIVER_ID_MESA_DOZEN, 1},
    {VK_DRIVER_ID_MOLTENVK, 1},
};
constexpr int kOtherDriver = 10;

bool Hardware(const DeviceFacts& device) {
    return device.type == VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU ||
           device.type == VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU || device.type == VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU;
}

std::string ScoreText(const DeviceFacts& device) {
    return Format("score {}: {}, {} GiB", DeviceScore(device), TypeName(device.type), device.DeviceBytes() >> 30);
}

class Choosing {
  public:
    Choosing(std::span<const DeviceFacts> devices, const DeviceRules& rules)
        : devices_(devices), rules_(rules), order_(devices.size()), hidden_(devices.size()) {
        std::iota(order_.begin(), order_.end(), size_t{0});
        if (rules.by_score)
            std::stable_sort(order_.begin(), order_.end(),
                             [&](size_t a, size_t b) { return DeviceScore(devices[a]) > DeviceScore(devices[b]); });
    }

    DeviceChoice Choose() {
        if (!rules_.aggregate) KeepFirstDriver();
        if (rules_.collapse) Collapse();
        if (rules_.prefer_hardware) HideSoftware();
        std::stable_partition(order_.begin(), order_.end(), [&](size_t i) { return hidden_[i].empty(); });
        for (const size_t i : order_) {
            choice_.numbered.push_back({i, false, hidden_[i].empty() ? Reason(i) : hidden_[i]});
            if (hidden_[i].empty()) choice_.shown.push_back(i);
        }
        Select();
        if (rules_.rank && rules_.rank_mode != DeviceRank::kOff && !choice_.shown.empty()) TakeRank();
        for (DeviceVerdict& verdict : choice_.numbered)
            verdict.shown =
                std::find(choice_.shown.begin(), choice_.shown.end(), verdict.device) != choice_.shown.end();
        return std::move(choice_);
    }

  private:
    std::string Reason(size_t i) const {
        return rules_.by_score ? ScoreText(devices_[i]) : std::string("in the drivers' order");
    }

    void KeepFirstDriver() {
        for (size_t i = 1; i < devices_.size(); ++i)
            if (!devices_[i].SameDriver(devices_[0]))
                hidden_[i] = Format("aggregate_icd is off, and {} is the first driver", DriverText(devices_[0]));
    }

    void Collapse() {
        for (const size_t a : order_) {
            for (const size_t b : order_) {
                if (a == b || !hidden_[a].empty() || !hidden_[b].empty() || !SameGpu(devices_[a], devices_[b]))
                    continue;
                // Of two alike the first of the list.
                if (DriverRank(devices_[b]) > DriverRank(devices_[a])) continue;
                hidden_[b] = Format("the same GPU as that of {}", DriverText(devices_[a]));
            }
        }
    }

    void HideSoftware() {
        const auto hardware = std::find_if(order_.begin(), order_.end(),
                                           [&](size_t i) { return hidden_[i].empty() && Hardware(devices_[i]); });
        if (hardware == order_.end()) return;
        for (const size_t i : order_)
            if (hidden_[i].empty() && devices_[i].Software())
                hidden_[i] = Format("software, and there is {}", devices_[*hardware].name);
    }

    // Numbers are those of choice_.numbered. What is hidden may be selected, other drivers' devices apart where only
    // the first driver counts.
    void Select() {
        faults_ = rules_.selector.problems;
        if (rules_.selector.empty()) {
            if (!faults_.empty()) Unmatched();
            return;
        }
        const auto allowed = [&](size_t device) {
            return rules_.aggregate || devices_[device].SameDriver(devices_[0]);
        };
        std::vector<std::pair<size_t, const SelectorTerm*>> wanted;  // and by what
        bool any_wanted = false;
        for (const SelectorTerm& term : rules_.selector.terms) {
            if (term.exclude) continue;
            any_wanted = true;
            bool matched = false;
            for (size_t number = 0; number < choice_.numbered.size(); ++number) {
                const size_t device = choice_.numbered[number].device;
                if (!term.Matches(devices_[device], number) || !allowed(device)) continue;
                matched = true;
                if (std::none_of(wanted.begin(), wanted.end(), [&](const auto& w) { return w.first == device; }))
                    wanted.emplace_back(device, &term);
            }
            if (!matched) faults_.push_back(Format("'{}' matches no device", term.given));
        }
        if (!any_wanted)
            for (const size_t device : choice_.shown) wanted.emplace_back(device, nullptr);
        Exclude(wanted);
        if (wanted.empty()) return Unmatched();
        if (!faults_.empty()) Tell("the rest counts");
        choice_.shown.clear();
        for (DeviceVerdict& verdict : choice_.numbered) verdict.why = "not selected";
        for (const auto& [device, term] : wanted) {
            choice_.shown.push_back(device);
            Verdict(device).why = term ? Format("selected by '{}'", term->given) : "not excluded";
        }
    }

    void Exclude(std::vector<std::pair<size_t, const SelectorTerm*>>& wanted) {
        for (const SelectorTerm& term : rules_.selector.terms) {
            if (!term.exclude) continue;
            bool matched = false;
            for (size_t number = 0; number < choice_.numbered.size(); ++number) {
                const size_t device = choice_.numbered[number].device;
                if (!term.Matches(devices_[device], number)) continue;
                matched = true;
                std::erase_if(wanted, [&](const auto& w) { return w.first == device; });
            }
            if (!matched) faults_.push_back(Format("'{}' matches no device", term.given));
        }
    }

    // The selector leaves nothing.
    void Unmatched() {
        if (faults_.empty()) faults_.emplace_back("all devices are excluded");
        if (!rules_.none_if_unmatched) return Tell("the program sees all that it would without");
        Tell("the program sees none, as device_unmatched wants");
        choice_.shown.clear();
        for (DeviceVerdict& verdict : choice_.numbered)
            if (hidden_[verdict.device].empty()) verdict.why = "not selected";
    }

    // One line, whatever is wrong with the selector.
    void Tell(std::string_view outcome) {
        std::string faults;
        for (const std::string& fault : faults_) faults += (faults.empty() ? "" : "; ") + fault;
        choice_.problems.push_back(
            Format("device = '{}': {}; there are {}; {}", Printable(rules_.selector_text), faults, Names(), outcome));
    }

    void TakeRank() {
        const size_t count = choice_.shown.size();
        const size_t mine = rules_.rank->rank % count;
        const std::string why =
            Format("{} = {}, of {} device{}", rules_.rank->source, rules_.rank->rank, count, count == 1 ? "" : "s");
        std::rotate(choice_.shown.begin(), choice_.shown.begin() + static_cast<std::ptrdiff_t>(mine),
                    choice_.shown.end());
        Verdict(choice_.shown.front()).why = why;
        if (rules_.rank_mode == DeviceRank::kFirst) return;
        for (size_t i = 1; i < count; ++i) Verdict(choice_.shown[i]).why = "another rank's";
        choice_.shown.resize(1);
    }

    DeviceVerdict& Verdict(size_t device) {
        return *std::find_if(choice_.numbered.begin(), choice_.numbered.end(),
                             [&](const DeviceVerdict& verdict) { return verdict.device == device; });
    }

    std::string Names() const {
        std::string names;
        for (size_t number = 0; number < choice_.numbered.size(); ++number)
            names += Format("{}{} {}", number ? ", " : "", number, devices_[choice_.numbered[number].device].name);
        return names.empty() ? "none" : names;
    }

    std::span<const DeviceFacts> devices_;
    const DeviceRules& rules_;
    std::vector<size_t> order_;
    std::vector<std::string> hidden_;  // why; empty: not hidden
    std::vector<std::string> faults_;  // of the selector
    DeviceChoice choice_;
};

}  // namespace

DeviceChoice ChooseDevices(std::span<const DeviceFacts> devices, const DeviceRules& rules) {
    return Choosing(devices, rules).Choose();
}

uint32_t DeviceScore(const DeviceFacts& device) {
    constexpr VkDeviceSize kMostGiB = 800;  // the kinds stay apart
    const auto memory = static_cast<uint32_t>(std::min(device.DeviceBytes() >> 30, kMostGiB));
    switch (device.type) {
        case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU:
            return 1000 + memory;
        case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU:
            return 100 + memory;
        case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU:
            return 50 + memory;
        case VK_PHYSICAL_DEVICE_TYPE_CPU:
            return 0;
        default:
            return 10 + memory;
    }
}

bool SameGpu(const DeviceFacts& a, const DeviceFacts& b) {
    if (a.type != b.type || a.vendor != b.vendor || a.device != b.device || a.Software()) return false;
    const bool same_driver = a.SameDriver(b);
    if (a.pci && b.pci) {
        // Partitions of a GPU are at one address, by one driver, with UUIDs of their own.
        return a.pci == b.pci && (!same_driver || (a.uuid && a.uuid == b.uuid));
    }
    return !same_driver && a.uuid && a.uuid == b.uuid;
}

int DriverRank(const DeviceFacts& device) {
    int rank = kOtherDriver;
    for (const RankedDriver& driver : kDrivers)
        if (static_cast<uint32_t>(driver.id) == device.driver_id) rank = driver.rank;
    return device.conformant ? rank : rank - 100;
}

}  // namespace kronos
