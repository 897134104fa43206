// SPDX-License-Identifier: Apache-2.0
// Writes a file as a whole or not at all. Free function, any thread.
#pragma once

#include <filesystem>
#include <string>

namespace kronos::command {

/// Written beside and renamed: a program that starts meanwhile reads the old file or the new one. False with `why` when
/// it cannot be; then nothing has changed.
bool ReplaceFile(const std::filesystem::path& path, const std::string& text, std::string& why);

}  // namespace kronos::command
