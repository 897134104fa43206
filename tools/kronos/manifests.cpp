// SPDX-License-Identifier: Apache-2.0
// The manifests that the Vulkan loader finds on Linux. The order of places follows the loader's
// LoaderInterfaceArchitecture.
#include "manifests.h"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

namespace kronos::command {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

void AddVariable(std::vector<SearchPlace>& places, const Environment& environment, const std::string& name) {
    for (const std::string& entry : SplitList(environment.Get(name))) places.push_back({entry, name});
}

void AddStandardFolders(std::vector<SearchPlace>& places, const Environment& environment, const fs::path& tail) {
    std::string home = environment.Get("HOME");
    auto one = [&](const char* variable, const char* below_home) {
        std::string value = environment.Get(variable);
        if (!value.empty())
            places.push_back({fs::path(value) / tail, ""});
        else if (!home.empty())
            places.push_back({fs::path(home) / below_home / tail, ""});
    };
    auto list = [&](const char* variable, const char* otherwise) {
        std::string value = environment.Get(variable);
        for (const std::string& entry : SplitList(value.empty() ? otherwise : value))
            places.push_back({fs::path(entry) / tail, ""});
    };
    one("XDG_CONFIG_HOME", ".config");
    list("XDG_CONFIG_DIRS", "/etc/xdg");
    places.push_back({fs::path("/usr/local/etc") / tail, ""});
    places.push_back({fs::path("/etc") / tail, ""});
    one("XDG_DATA_HOME", ".local/share");
    list("XDG_DATA_DIRS", "/usr/local/share:/usr/share");
}

// Whether one of the variables takes the place of all other places.
bool AddReplacing(std::vector<SearchPlace>& places, const Environment& environment,
                  std::initializer_list<const char*> names) {
    for (const char* name : names) {
        if (environment.Get(name).empty()) continue;
        AddVariable(places, environment, name);
        return true;
    }
    return false;
}

std::string LibraryFault(const fs::path& manifest, std::string& library) {
    if (library.find('/') == std::string::npos) return {};
    fs::path file = library;
    if (file.is_relative()) file = manifest.parent_path() / file;
    library = file.lexically_normal().string();
    std::error_code ignored;
    if (fs::is_regular_file(file, ignored)) return {};
    return "its library " + library + " does not exist";
}

void ReadFields(const json& object, Manifest& manifest, const char* section) {
    auto library = object.find("library_path");
    auto version = object.find("api_version");
    if (library == object.end() && object.contains("component_layers")) return;
    if (library == object.end() || !library->is_string() || library->get<std::string>().empty()) {
        manifest.fault = std::string("it has no library_path in \"") + section + "\"";
        return;
    }
    manifest.library = library->get<std::string>();
    manifest.fault = LibraryFault(manifest.path, manifest.library);
    if (manifest.fault.empty() &&
        (version == object.end() || !version->is_string() || version->get<std::string>().empty())) {
        manifest.fault = std::string("it has no api_version in \"") + section + "\"";
    }
}

const json* FindLayer(const json& document, const std::string& wanted) {
    if (auto one = document.find("layer"); one != document.end() && one->is_object()) return &*one;
    auto many = document.find("layers");
    if (many == document.end() || !many->is_array()) return nullptr;
    for (const json& layer : *many) {
        if (layer.is_object() && (wanted.empty() || layer.value("name", json()) == wanted)) return &layer;
    }
    return nullptr;
}

}  // namespace

std::vector<SearchPlace> SearchPlaces(ManifestKind kind, const Environment& environment) {
    std::vector<SearchPlace> places;
    switch (kind) {
        case ManifestKind::kDriver:
            if (AddReplacing(places, environment, {"VK_DRIVER_FILES", "VK_ICD_FILENAMES"})) return places;
            AddVariable(places, environment, "VK_ADD_DRIVER_FILES");
            AddStandardFolders(places, environment, "vulkan/icd.d");
            break;
        case ManifestKind::kExplicitLayer:
            if (AddReplacing(places, environment, {"VK_LAYER_PATH"})) return places;
            AddVariable(places, environment, "VK_ADD_LAYER_PATH");
            AddStandardFolders(places, environment, "vulkan/explicit_layer.d");
            break;
        case ManifestKind::kImplicitLayer:
            // Since loader 1.3.296; older ones take no notice of the two variables.
            AddVariable(places, environment, "VK_IMPLICIT_LAYER_PATH");
            AddVariable(places, environment, "VK_ADD_IMPLICIT_LAYER_PATH");
            AddStandardFolders(places, environment, "vulkan/implicit_layer.d");
            break;
    }
    return places;
}

Manifest ReadManifest(const fs::path& path, ManifestKind kind, const std::string& layer_name) {
    Manifest manifest{path, {}, {}, {}};
    std::ifstream in(path);
    if (!in) {
        manifest.fault = "it cannot be read";
        return manifest;
    }
    json document;
    try {
        document = json::parse(in);
    } catch (const json::parse_error& error) {
        manifest.fault = "it is not valid JSON: byte " + std::to_string(error.byte);
        return manifest;
    }
    if (kind == ManifestKind::kDriver) {
        auto driver = document.is_object() ? document.find("ICD") : document.end();
        if (!document.is_object() || driver == document.end() || !driver->is_object()) {
            manifest.fault = "it has no object \"ICD\"";
        } else {
            ReadFields(*driver, manifest, "ICD");
        }
        return manifest;
    }
    const json* layer = document.is_object() ? FindLayer(document, layer_name) : nullptr;
    if (!layer) {
        manifest.fault = "it has no object \"layer\"";
        return manifest;
    }
    if (auto name = layer->find("name"); name != layer->end() && name->is_string())
        manifest.name = name->get<std::string>();
    if (manifest.name.empty())
        manifest.fault = "it has no name in \"layer\"";
    else
        ReadFields(*layer, manifest, "layer");
    return manifest;
}

FoundManifests FindManifests(ManifestKind kind, const Environment& environment) {
    FoundManifests found;
    std::set<fs::path> seen;
    for (const SearchPlace& place : SearchPlaces(kind, environment)) {
        std::error_code error;
        std::vector<fs::path> files;
        if (fs::is_directory(place.path, error)) {
            for (fs::directory_iterator it(place.path, error), end; !error && it != end; it.increment(error)) {
                if (it->path().extension() == ".json") files.push_back(it->path());
            }
            std::sort(files.begin(), files.end());
        } else if (fs::exists(place.path, error)) {
            files.push_back(place.path);
        } else if (!place.origin.empty()) {
            found.missing.push_back(place.origin + " names " + place.path.string() + ", which does not exist");
        }
        for (const fs::path& file : files) {
            std::error_code ignored;
            fs::path real = fs::weakly_canonical(file, ignored);
            if (seen.insert(ignored ? file : real).second) found.manifests.push_back(ReadManifest(file, kind));
        }
    }
    return found;
}

}  // namespace kronos::command
