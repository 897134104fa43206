// SPDX-License-Identifier: Apache-2.0
// The manifests that the Vulkan loader finds on Linux, and what is wrong with each. No Vulkan call, nothing is loaded.
// Free functions, any thread.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "environment.h"

namespace kronos::command {

enum class ManifestKind { kDriver, kExplicitLayer, kImplicitLayer };

struct Manifest {
    std::filesystem::path path;
    std::string name;     ///< of a layer
    std::string library;  ///< a path, or a bare name that the dynamic linker looks up; empty for a layer made of layers
    std::string fault;    ///< empty when nothing is wrong; one line otherwise
};

/// Where the loader looks, first place first: folders and files. Variables that name places are honoured as the
/// loader honours them (VK_DRIVER_FILES, VK_LAYER_PATH and so on).
struct SearchPlace {
    std::filesystem::path path;
    std::string origin;  ///< the variable that named it, or "" for a standard folder
};
std::vector<SearchPlace> SearchPlaces(ManifestKind kind, const Environment& environment);

/// Reads one manifest and checks it: JSON, the fields the loader needs, the library's file if a path is given.
/// A layer manifest may hold several layers; the first with this name is taken, or the first of all if the name is "".
Manifest ReadManifest(const std::filesystem::path& path, ManifestKind kind, const std::string& layer_name = "");

struct FoundManifests {
    std::vector<Manifest> manifests;
    std::vector<std::string> missing;  ///< "VARIABLE names PATH, which does not exist"
};
FoundManifests FindManifests(ManifestKind kind, const Environment& environment);

}  // namespace kronos::command
