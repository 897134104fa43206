// SPDX-License-Identifier: Apache-2.0
// libFuzzer: whatever somebody gives for settings, device selectors and rules, all of it is told in one line each, and
// what is in effect is allowed. tests/fuzz/run builds and runs it.
//
// The input is text. Its lines are "key=value" for settings; the same text is a selector and rules.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "devices/selector.h"
#include "settings/parse.h"

namespace {

using namespace kronos;

void Demand(bool condition) {
    if (!condition) std::abort();
}

void DemandLines(const std::vector<std::string>& problems) {
    for (const std::string& problem : problems)
        Demand(!problem.empty() && problem.find_first_of("\n\r") == std::string::npos);
}

std::vector<GivenSetting> Given(std::string_view text) {
    std::vector<GivenSetting> given;
    while (!text.empty() && given.size() < 64) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        const size_t equals = line.find('=');
        given.push_back({std::string(line.substr(0, equals)),
                         equals == line.npos ? std::string() : std::string(line.substr(equals + 1)), "fuzzer"});
    }
    return given;
}

void Settle(std::string_view text) {
    const ResolvedSettings resolved = ResolveSettings(Given(text));
    DemandLines(resolved.problems);
    // What is in effect is allowed, and given again it has the same effect.
    std::vector<GivenSetting> again;
    for (const auto& [key, value] : SettingTexts(resolved.settings))
        again.push_back({std::string(key), value, "again"});
    const ResolvedSettings same = ResolveSettings(again);
    Demand(same.problems.empty());
    Demand(SettingTexts(same.settings) == SettingTexts(resolved.settings));
    Demand(resolved.effective.size() == again.size());
}

std::vector<DeviceFacts> Devices() {
    std::vector<DeviceFacts> devices(3);
    devices[0].name = "NVIDIA H200";
    devices[0].type = VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU;
    devices[0].vendor = 0x10de;
    devices[0].driver_name = "NVIDIA";
    devices[0].uuid = Uuid{0x4c, 0x1b, 0x2d, 0x3e};
    devices[0].pci = PciAddress{0, 0x65, 0, 0};
    devices[1].name = "llvmpipe (LLVM 15.0.6, 256 bits)";
    devices[1].type = VK_PHYSICAL_DEVICE_TYPE_CPU;
    devices[2].type = static_cast<VkPhysicalDeviceType>(77);
    return devices;
}

void Select(std::string_view text) {
    static const std::vector<DeviceFacts> devices = Devices();
    const Selector selector = ParseSelector(text);
    DemandLines(selector.problems);
    for (const SelectorTerm& term : selector.terms) {
        Demand(!term.given.empty());
        for (size_t i = 0; i < devices.size(); ++i) static_cast<void>(term.Matches(devices[i], i));
        // What was written is read as the same, but for what cannot be printed.
        if (term.given.find_first_of("?") != std::string::npos || term.given.ends_with("...")) continue;
        const Selector one = ParseSelector(term.given);
        Demand(one.terms.size() == 1 && one.problems.empty());
        Demand(one.terms[0].kind == term.kind && one.terms[0].exclude == term.exclude);
    }
    std::vector<std::string> problems;
    const std::string chosen = SelectorFor(text, "llama-bench", problems);
    DemandLines(problems);
    Demand(chosen.size() <= text.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    Settle(text);
    Select(text);
    return 0;
}
