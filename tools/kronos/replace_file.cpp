// SPDX-License-Identifier: Apache-2.0
#include "replace_file.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

namespace kronos::command {

bool ReplaceFile(const std::filesystem::path& path, const std::string& text, std::string& why) {
    // Of this process alone: two that write at a time must not write into one file.
    const std::filesystem::path made = path.string() + "." + std::to_string(getpid()) + ".new";
    errno = 0;
    std::ofstream out(made, std::ios::trunc);
    out << text;
    out.close();
    std::error_code error;
    if (!out) {
        why = std::strerror(errno ? errno : EIO);
        std::filesystem::remove(made, error);
        return false;
    }
    std::filesystem::rename(made, path, error);
    if (!error) return true;
    why = error.message();
    std::filesystem::remove(made, error);
    return false;
}

}  // namespace kronos::command
