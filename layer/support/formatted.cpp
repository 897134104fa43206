// SPDX-License-Identifier: Apache-2.0
#include "support/formatted.h"

#include <fmt/format.h>

namespace kronos {

std::string FormatErased(fmt::string_view format, fmt::format_args arguments) {
    return fmt::vformat(format, arguments);
}

}  // namespace kronos
