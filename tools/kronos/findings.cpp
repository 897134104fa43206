// SPDX-License-Identifier: Apache-2.0
// What the doctor found, as text and as JSON.
#include "findings.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace kronos::command {
namespace {

const char* Word(Status status) {
    switch (status) {
        case Status::kOk:
            return "ok";
        case Status::kWarning:
            return "warning";
        case Status::kFault:
            break;
    }
    return "FAULT";
}

}  // namespace

bool HasFault(const Findings& findings) {
    return std::any_of(findings.begin(), findings.end(), [](const Finding& f) { return f.status == Status::kFault; });
}

std::string FormatText(const Findings& findings) {
    std::string out;
    for (const Finding& finding : findings) {
        std::string word = Word(finding.status);
        out += word + std::string(9 - word.size(), ' ') + finding.check + ": " + finding.text + "\n";
        if (!finding.fix.empty()) out += "         fix: " + finding.fix + "\n";
    }
    auto count = [&](Status status) {
        return std::count_if(findings.begin(), findings.end(), [&](const Finding& f) { return f.status == status; });
    };
    out += HasFault(findings) ? "The layer would NOT work: " : "The layer works with `kronos run`: ";
    out +=
        std::to_string(count(Status::kFault)) + " faults, " + std::to_string(count(Status::kWarning)) + " warnings.\n";
    return out;
}

std::string FormatJson(const Findings& findings) {
    nlohmann::json checks = nlohmann::json::array();
    for (const Finding& finding : findings) {
        nlohmann::json check = {{"status", Word(finding.status)}, {"check", finding.check}, {"text", finding.text}};
        if (!finding.fix.empty()) check["fix"] = finding.fix;
        checks.push_back(check);
    }
    nlohmann::json document = {{"v", 1}, {"ok", !HasFault(findings)}, {"checks", checks}};
    return document.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace kronos::command
