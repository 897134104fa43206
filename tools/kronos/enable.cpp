// SPDX-License-Identifier: Apache-2.0
#include "enable.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "kronos/version.h"
#include "manifests.h"
#include "probe.h"
#include "replace_file.h"

namespace kronos::command {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr const char* kFolder = "vulkan/implicit_layer.d";
// In the description of what kronos enable writes, and of nothing else.
constexpr const char* kMark = "(for one user, by kronos enable ";
constexpr const char* kNothing = "; nothing is changed";

// Root in another user's place leaves files there that the user cannot remove; and who types sudo from habit would
// enable the layer for root.
std::string WrongUser(const Enabler& enabler, const std::string& command) {
    if (enabler.user != 0) return {};
    const std::string by = enabler.environment.Get("SUDO_USER");
    if (!by.empty() && by != "root") {
        return "the layer is enabled for the user who asks, which sudo makes root, not " + by + ": as " + by +
               " kronos " + command + ", for root itself env -u SUDO_USER kronos " + command;
    }
    for (const char* name : {"XDG_DATA_HOME", "HOME"}) {
        const std::string folder = enabler.environment.Get(name);
        struct stat about {};
        if (folder.empty() || stat(folder.c_str(), &about) != 0 || about.st_uid == 0) continue;
        return std::string(name) + " is " + folder + ", of user " + std::to_string(about.st_uid) +
               ", but this is root; allowed is the user's own, so call it as that user";
    }
    return {};
}

// A place for what the user has, or why there is none.
UserPlace CheckedPlace(const Enabler& enabler, const std::string& command) {
    UserPlace place = FindUserPlace(enabler.environment);
    if (place.fault.empty()) place.fault = WrongUser(enabler, command);
    return place;
}

std::string NotOurs(const fs::path& path, const UserManifest& there) {
    return path.string() + " is not of kronos enable: " + there.fault +
           "; it stays as it is, move it away if nobody needs it";
}

// A library that cannot be loaded would be a line of the loader's in every program of the user.
std::string LibraryTrouble(const Enabler& enabler) {
    const std::string library =
        ReadManifest(enabler.layout.implicit_manifest(), ManifestKind::kImplicitLayer, kLayerName).library;
    const ProbeAnswer probe = Probe(enabler.kronos, {"library", library}, enabler.environment);
    if (!probe.failure.empty()) return library + " " + probe.failure;
    if (probe.answer.contains("error"))
        return library + " cannot be loaded: " + probe.answer["error"].get<std::string>();
    if (!probe.answer.value("negotiates", false))
        return library + " is not a layer: it does not export vkNegotiateLoaderLayerInterfaceVersion";
    return {};
}

std::string Explained(const Enabler& enabler, const fs::path& path, const std::string& did) {
    std::string said = did + " for all Vulkan programs of this user: " + path.string() +
                       "\n"
                       "One program without it: KRONOS_DISABLE=1 PROGRAM. Undo: kronos disable, also before Kronos is "
                       "uninstalled.\n";
    if (enabler.layout.build_tree)
        said += "The library is that of a build tree: kronos disable before the tree is moved or removed.\n";
    if (enabler.environment.Has("KRONOS_DISABLE"))
        said += "KRONOS_DISABLE is set here, even if to nothing: what is started from here runs without the layer.\n";
    if (!enabler.environment.Get("XDG_DATA_HOME").empty())
        said += "XDG_DATA_HOME is set here: only programs that have it with this value find it.\n";
    return said;
}

int Say(const char* command, const EnableOutcome& outcome) {
    if (outcome.status == 0)
        std::fputs(outcome.said.c_str(), stdout);
    else
        std::fprintf(stderr, "kronos %s: %s\n", command, outcome.said.c_str());
    return outcome.status;
}

}  // namespace

UserPlace FindUserPlace(const Environment& environment) {
    // As the loader: a variable that is set to nothing is not set.
    const std::string data = environment.Get("XDG_DATA_HOME");
    const std::string home = environment.Get("HOME");
    if (data.empty() && home.empty())
        return {{}, "neither HOME nor XDG_DATA_HOME is set: the loader has no place for layers of a user"};
    const char* name = data.empty() ? "HOME" : "XDG_DATA_HOME";
    const std::string& base = data.empty() ? home : data;
    if (!base.starts_with('/') || base.find(':') != std::string::npos) {
        return {{},
                std::string(name) + " is '" + base +
                    "'; allowed is one absolute path without ':', which the loader takes for the end of a path"};
    }
    std::error_code ignored;
    if (data.empty() && !fs::is_directory(base, ignored)) return {{}, "HOME is " + base + ", which is no folder"};
    const fs::path folder = data.empty() ? fs::path(home) / ".local/share" : fs::path(data);
    return {folder / kFolder / kUserManifestName, ""};
}

UserManifest ReadUserManifest(const fs::path& path) {
    UserManifest manifest;
    std::error_code error;
    const fs::file_status status = fs::symlink_status(path, error);
    if (status.type() == fs::file_type::not_found) return manifest;
    manifest.state = UserState::kForeign;
    if (!fs::is_regular_file(status)) {
        manifest.fault = error ? "it cannot be read: " + error.message() : "it is no regular file";
        return manifest;
    }
    std::ifstream in(path, std::ios::binary);
    manifest.text.assign(std::istreambuf_iterator<char>(in), {});
    const Manifest read = ReadManifest(path, ManifestKind::kImplicitLayer, kLayerName);
    // A library that is gone is a fault too, but not of the file.
    if (read.library.empty() || read.name != kLayerName) {
        manifest.fault = !read.name.empty() && read.name != kLayerName ? "it is of the layer " + read.name : read.fault;
        return manifest;
    }
    const ordered_json document = ordered_json::parse(manifest.text, nullptr, false);
    const ordered_json layer = document.is_object() ? document.value("layer", ordered_json()) : ordered_json();
    const ordered_json description = layer.is_object() ? layer.value("description", ordered_json()) : ordered_json();
    if (!description.is_string() || description.get<std::string>().find(kMark) == std::string::npos) {
        manifest.fault = "it is another manifest of the layer";
        return manifest;
    }
    manifest.state = UserState::kOurs;
    manifest.library = read.library;
    manifest.library_exists = fs::is_regular_file(manifest.library, error);
    return manifest;
}

std::string UserManifestText(const Layout& layout, std::string& fault) {
    const fs::path installed = layout.implicit_manifest();
    const Manifest read = ReadManifest(installed, ManifestKind::kImplicitLayer, kLayerName);
    fault = read.fault;
    if (fault.empty() && read.name != kLayerName) fault = "it is of the layer '" + read.name + "'";
    std::ifstream in(installed);
    ordered_json document = ordered_json::parse(in, nullptr, false);
    if (fault.empty() && (!document.contains("layer") || !document["layer"].is_object()))
        fault = "it has no object \"layer\"";
    if (!fault.empty()) {
        fault = "the layer's manifest " + installed.string() + " cannot be used: " + fault + "; " +
                (layout.build_tree ? "build the targets kronos_layer and kronos_manifest" : "install Kronos again");
        return {};
    }
    ordered_json& layer = document["layer"];
    layer.erase("enable_environment");
    layer["library_path"] = read.library;
    layer["description"] = layer.value("description", "") + " " + kMark + kVersion + ")";
    try {
        return document.dump(2) + "\n";
    } catch (const ordered_json::type_error&) {
        fault = "the path of the library, " + read.library + ", is not UTF-8, and a manifest can hold no other text";
        return {};
    }
}

EnableOutcome EnableForUser(const Enabler& enabler) {
    const UserPlace place = CheckedPlace(enabler, "enable");
    if (!place.fault.empty()) return {1, place.fault + kNothing};
    const UserManifest there = ReadUserManifest(place.path);
    if (there.state == UserState::kForeign) return {1, NotOurs(place.path, there)};
    std::string fault;
    const std::string text = UserManifestText(enabler.layout, fault);
    if (fault.empty()) fault = LibraryTrouble(enabler);
    if (!fault.empty()) return {1, fault + kNothing};
    if (there.text == text) return {0, Explained(enabler, place.path, "Enabled already")};
    std::error_code error;
    fs::create_directories(place.path.parent_path(), error);
    std::string why = error.message();
    if (error || !ReplaceFile(place.path, text, why))
        return {1, place.path.string() + " cannot be written: " + why + kNothing};
    return {0, Explained(enabler, place.path, there.state == UserState::kOurs ? "Enabled anew" : "Enabled")};
}

EnableOutcome DisableForUser(const Enabler& enabler) {
    const UserPlace place = CheckedPlace(enabler, "disable");
    if (!place.fault.empty()) return {1, place.fault + kNothing};
    const UserManifest there = ReadUserManifest(place.path);
    if (there.state == UserState::kForeign) return {1, NotOurs(place.path, there)};
    if (there.state == UserState::kNone)
        return {0, "Not enabled for this user, nothing to do: there is no " + place.path.string() + "\n"};
    std::error_code error;
    if (!fs::remove(place.path, error) && error)
        return {1, place.path.string() + " cannot be removed: " + error.message() + kNothing};
    // kronos enable may have made them; where anything is in them they stay.
    for (const fs::path& folder : {place.path.parent_path(), place.path.parent_path().parent_path()}) {
        if (rmdir(folder.c_str()) != 0) break;
    }
    return {0, "Disabled for this user: " + place.path.string() +
                   " is removed.\nPrograms that run now keep the layer until they end; KRONOS_ENABLE=1 and "
                   "VK_INSTANCE_LAYERS work as before.\n"};
}

int Enable() {
    const fs::path kronos = OwnExecutable();
    return Say("enable", EnableForUser({kronos, FindLayout(kronos), Environment::Current(), geteuid()}));
}

int Disable() {
    const fs::path kronos = OwnExecutable();
    return Say("disable", DisableForUser({kronos, FindLayout(kronos), Environment::Current(), geteuid()}));
}

}  // namespace kronos::command
