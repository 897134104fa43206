// SPDX-License-Identifier: Apache-2.0
// kronos summary: a statistics log (JSON lines) read and shown as a table per device. One thread.
#pragma once

#include <string>

#include "stats_reader.h"

namespace kronos::command {

std::string FormatTotals(const LogTotals& totals);

/// The sub-command: 0, or 1 with a line when the file cannot be read or holds no statistics.
int Summary(const std::string& file);

}  // namespace kronos::command
