// SPDX-License-Identifier: Apache-2.0
// Where the layer's manifests lie, seen from the kronos executable: in a build tree or in an installation. Plain data.
#pragma once

#include <filesystem>

namespace kronos::command {

inline constexpr const char* kLayerName = "VK_LAYER_KRONOS_compute";
inline constexpr const char* kManifestName = "VkLayer_kronos_compute.json";
inline constexpr const char* kLibraryName = "libVkLayer_kronos_compute.so";

struct Layout {
    std::filesystem::path explicit_dir;
    std::filesystem::path implicit_dir;
    std::filesystem::path data_dir;  ///< for XDG_DATA_DIRS: holds vulkan/implicit_layer.d
    bool build_tree = false;

    std::filesystem::path explicit_manifest() const { return explicit_dir / kManifestName; }
    std::filesystem::path implicit_manifest() const { return implicit_dir / kManifestName; }
};

/// The layout around an executable: the build tree's if that has a manifest folder, else the installation's. The
/// manifests themselves may be missing.
Layout FindLayout(const std::filesystem::path& executable);

/// The path of this process's executable.
std::filesystem::path OwnExecutable();

}  // namespace kronos::command
