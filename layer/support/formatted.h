// SPDX-License-Identifier: Apache-2.0
// Formatted text. fmt's core header alone: its whole formatter need not be compiled into every file that logs.
// Any thread may call it.
#pragma once

#include <fmt/core.h>

#include <string>

namespace kronos {

/// `format` with its arguments already erased; throws what fmt throws.
std::string FormatErased(fmt::string_view format, fmt::format_args arguments);

/// As fmt::format: the format is checked when it is compiled.
template <class... Args>
std::string Format(fmt::format_string<Args...> format, Args&&... args) {
    return FormatErased(format, fmt::make_format_args(args...));
}

}  // namespace kronos
