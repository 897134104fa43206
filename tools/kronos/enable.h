// SPDX-License-Identifier: Apache-2.0
// kronos enable, kronos disable: the layer for all programs of a user, by an implicit manifest of the user's own that,
// other than the installed one, asks for no variable. Why a manifest: the loader of every program looks there, however
// the program is started, and at once; variables (environment.d, a shell's profile) reach only what a new login starts.
// One thread.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>

#include "environment.h"
#include "layout.h"

namespace kronos::command {

/// Not the installed manifests' name: with a prefix of ~/.local those lie in the same folder.
inline constexpr const char* kUserManifestName = "VkLayer_kronos_compute_user.json";

/// Where the loader looks for implicit layers of this user alone. `fault`, one line, when there is no such place.
struct UserPlace {
    std::filesystem::path path;
    std::string fault;
};
UserPlace FindUserPlace(const Environment& environment);

enum class UserState {
    kNone,     ///< nothing is there
    kOurs,     ///< written by kronos enable
    kForeign,  ///< something else, or damaged: not ours to change
};
struct UserManifest {
    UserState state = UserState::kNone;
    std::filesystem::path library;
    bool library_exists = false;
    std::string text;
    std::string fault;  ///< of kForeign: what it is
};
UserManifest ReadUserManifest(const std::filesystem::path& path);

/// What kronos enable writes: the implicit manifest of this installation, on by default. "" with a line in `fault` when
/// that manifest or its library cannot be used.
std::string UserManifestText(const Layout& layout, std::string& fault);

/// Who asks, and for what: given by the caller, so that tests can give something broken.
struct Enabler {
    std::filesystem::path kronos;  ///< the executable that tries the library, in a child
    Layout layout;
    Environment environment;
    uid_t user;
};
struct EnableOutcome {
    int status;
    std::string said;  ///< lines; of an outcome that is not 0 one line, for standard error
};
EnableOutcome EnableForUser(const Enabler& enabler);
EnableOutcome DisableForUser(const Enabler& enabler);

// The sub-commands: 0, or 1 with a line for what cannot be done.
int Enable();
int Disable();

}  // namespace kronos::command
