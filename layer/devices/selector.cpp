// SPDX-License-Identifier: Apache-2.0
#include "devices/selector.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "support/formatted.h"
#include "support/text.h"

namespace kronos {
namespace {

constexpr std::string_view kDigits = "0123456789";
constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr size_t kShortestUuid = 8;  // fewer digits may be a name

bool Only(std::string_view text, std::string_view letters) {
    return !text.empty() && text.find_first_not_of(letters) == std::string_view::npos;
}

template <class Number>
std::optional<Number> ReadNumber(std::string_view text, int base) {
    Number number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
    if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

std::optional<VkPhysicalDeviceType> ReadType(std::string_view text) {
    for (const VkPhysicalDeviceType type :
         {VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU, VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU,
          VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU, VK_PHYSICAL_DEVICE_TYPE_CPU, VK_PHYSICAL_DEVICE_TYPE_OTHER})
        if (TypeName(type) == text) return type;
    return std::nullopt;
}

// "65:00.0" or "0000:65:00.0".
std::optional<PciAddress> ReadPci(std::string_view text) {
    const size_t dot = text.rfind('.');
    const size_t colon = text.rfind(':', dot);
    if (dot == std::string_view::npos || colon == std::string_view::npos) return std::nullopt;
    const size_t first = colon == 0 ? std::string_view::npos : text.rfind(':', colon - 1);
    const bool has_domain = first != std::string_view::npos;
    const auto domain = has_domain ? ReadNumber<uint32_t>(text.substr(0, first), 16) : 0;
    const size_t bus_at = has_domain ? first + 1 : 0;
    const auto bus = ReadNumber<uint32_t>(text.substr(bus_at, colon - bus_at), 16);
    const auto device = ReadNumber<uint32_t>(text.substr(colon + 1, dot - colon - 1), 16);
    const auto function = ReadNumber<uint32_t>(text.substr(dot + 1), 16);
    if (!domain || !bus || !device || !function || *bus > 0xff || *device > 0x1f || *function > 7) return std::nullopt;
    return PciAddress{*domain, *bus, *device, *function};
}

// The digits, or nothing. "GPU-" is how NVIDIA's tools write it.
std::string ReadUuid(std::string_view text) {
    if (text.starts_with("gpu-")) text.remove_prefix(4);
    std::string digits(text);
    std::erase(digits, '-');
    return Only(digits, kHexDigits) && digits.size() >= kShortestUuid && digits.size() <= size_t{2} * VK_UUID_SIZE
               ? digits
               : std::string();
}

// What is wrong with it, or nothing. `text`: in small letters.
std::string ReadKind(std::string_view kind, std::string_view text, SelectorTerm& term) {
    using Kind = SelectorTerm::Kind;
    term.text = text;
    if (kind == "index") {
        term.kind = Kind::kIndex;
        const auto index = ReadNumber<uint32_t>(text, 10);
        term.index = index.value_or(0);
        return index ? "" : "a number from 0 on";
    }
    if (kind == "type") {
        term.kind = Kind::kType;
        const auto type = ReadType(text);
        term.type = type.value_or(VK_PHYSICAL_DEVICE_TYPE_OTHER);
        return type ? "" : "discrete, integrated, virtual, cpu, other";
    }
    if (kind == "uuid") {
        term.kind = Kind::kUuid;
        term.text = ReadUuid(text);
        return term.text.empty() ? "8 to 32 hexadecimal digits" : "";
    }
    if (kind == "pci") {
        term.kind = Kind::kPci;
        const auto pci = ReadPci(text);
        term.pci = pci.value_or(PciAddress{});
        return pci ? "" : "an address like 65:00.0 or 0000:65:00.0";
    }
    if (kind == "driver" || kind == "vendor" || kind == "name") {
        term.kind = kind == "driver" ? Kind::kDriver : kind == "vendor" ? Kind::kVendor : Kind::kName;
        return text.empty() ? "some text" : "";
    }
    return "index:, type:, uuid:, pci:, driver:, vendor: or name: before the colon";
}

std::string ReadTerm(std::string_view text, SelectorTerm& term) {
    if (const auto pci = ReadPci(text)) return ReadKind("pci", text, term);
    if (const size_t colon = text.find(':'); colon != std::string_view::npos)
        return ReadKind(Trim(text.substr(0, colon)), Trim(text.substr(colon + 1)), term);
    if (ReadType(text)) return ReadKind("type", text, term);
    if (Only(text, kDigits) && text.size() < kShortestUuid) return ReadKind("index", text, term);
    return ReadKind(ReadUuid(text).empty() ? "name" : "uuid", text, term);
}

// The whole of `text`.
bool Glob(std::string_view pattern, std::string_view text) {
    size_t p = 0, t = 0, star = std::string_view::npos, back = 0;
    while (t < text.size()) {
        if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
            ++p;
            ++t;
        } else if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            back = t;
        } else if (star != std::string_view::npos) {
            p = star + 1;
            t = ++back;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '*') ++p;
    return p == pattern.size();
}

std::vector<std::string_view> Split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    for (;;) {
        const size_t end = text.find(separator);
        parts.push_back(Trim(text.substr(0, end)));
        if (end == std::string_view::npos) return parts;
        text.remove_prefix(end + 1);
    }
}

}  // namespace

bool MatchesPattern(std::string_view pattern, std::string_view text) {
    const std::string wanted = Lower(pattern), lower = Lower(text);
    if (wanted.find_first_of("*?") == std::string::npos) return lower.find(wanted) != std::string::npos;
    return Glob(wanted, lower);
}

bool SelectorTerm::Matches(const DeviceFacts& facts, size_t number) const {
    switch (kind) {
        case Kind::kIndex:
            return index == number;
        case Kind::kType:
            return type == facts.type;
        case Kind::kPci:
            return facts.pci == pci;
        case Kind::kDriver:
            return MatchesPattern(text, DriverText(facts));
        case Kind::kVendor:
            return VendorName(facts.vendor) == text || Format("{:#06x}", facts.vendor) == text;
        case Kind::kName:
            return MatchesPattern(text, facts.name);
        case Kind::kUuid: {
            if (!facts.uuid) return false;
            std::string digits = UuidText(*facts.uuid);
            std::erase(digits, '-');
            return digits.starts_with(text);
        }
    }
    return false;
}

Selector ParseSelector(std::string_view text) {
    Selector selector;
    if (Trim(text).empty()) return selector;
    for (const std::string_view part : Split(text, ',')) {
        SelectorTerm term;
        term.given = Printable(part);
        const std::string lower = Lower(part);
        std::string_view wanted = lower;
        if (wanted.starts_with('!') || wanted.starts_with('-')) {
            term.exclude = true;
            wanted = Trim(wanted.substr(1));
        }
        const std::string allowed =
            wanted.empty() ? "a number, type, UUID, PCI address or name" : ReadTerm(wanted, term);
        if (allowed.empty())
            selector.terms.push_back(std::move(term));
        else
            selector.problems.push_back(Format("'{}' names no device; allowed is {}", Printable(part), allowed));
    }
    return selector;
}

std::string SelectorFor(std::string_view rules, std::string_view program, std::vector<std::string>& problems) {
    if (Trim(rules).empty()) return {};
    std::string found;
    bool done = false;
    for (const std::string_view rule : Split(rules, ';')) {
        if (rule.empty()) continue;
        const size_t equals = rule.find('=');
        if (equals == std::string_view::npos || Trim(rule.substr(0, equals)).empty()) {
            problems.push_back(Format("'{}' is no rule; allowed is PROGRAM=DEVICES", Printable(rule)));
            continue;
        }
        if (done || !Glob(Lower(Trim(rule.substr(0, equals))), Lower(program))) continue;
        found = Trim(rule.substr(equals + 1));
        done = true;
    }
    return found;
}

}  // namespace kronos
