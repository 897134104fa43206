// SPDX-License-Identifier: Apache-2.0
// Text as JSON has it. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "support/formatted.h"

namespace kronos {

/// In quotes, with what must be escaped escaped.
inline std::string JsonText(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (static_cast<unsigned char>(c) < 0x20) {
            out += Format("\\u{:04x}", static_cast<unsigned>(c));
        } else {
            out += c;
        }
    }
    return out + '"';
}

}  // namespace kronos
