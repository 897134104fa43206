// SPDX-License-Identifier: Apache-2.0
// Where the layer's manifests lie, seen from the kronos executable.
#include "layout.h"

// From the folder of the executables to the data folder of an installation; CMake knows, because both can be chosen.
#ifndef KRONOS_DATA_FROM_BIN
#error "KRONOS_DATA_FROM_BIN must be defined by the build"
#endif

namespace kronos::command {

Layout FindLayout(const std::filesystem::path& executable) {
    std::filesystem::path bin = executable.parent_path();
    std::filesystem::path tree = (bin / "../manifest").lexically_normal();
    std::error_code ignored;  // a folder that cannot be read is as good as none
    if (std::filesystem::is_directory(tree / "explicit", ignored)) {
        return {tree / "explicit", tree / "implicit", tree / "implicit", true};
    }
    std::filesystem::path data = (bin / KRONOS_DATA_FROM_BIN).lexically_normal();
    return {data / "vulkan/explicit_layer.d", data / "vulkan/implicit_layer.d", data, false};
}

std::filesystem::path OwnExecutable() { return std::filesystem::read_symlink("/proc/self/exe"); }

}  // namespace kronos::command
