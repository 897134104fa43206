// SPDX-License-Identifier: Apache-2.0
// kronos doctor: what kronos enable has written for this user, and other installations of Kronos that the loader finds.
#include "doctor.h"
#include "enable.h"
#include "manifests.h"

namespace kronos::command {
namespace {

namespace fs = std::filesystem;

constexpr const char* kCheck = "for this user";

bool SameFile(const fs::path& one, const fs::path& other) {
    std::error_code ignored;
    return fs::equivalent(one, other, ignored);
}

std::string OwnLibrary(const Patient& patient) {
    for (ManifestKind kind : {ManifestKind::kExplicitLayer, ManifestKind::kImplicitLayer}) {
        const fs::path path = kind == ManifestKind::kExplicitLayer ? patient.layout.explicit_manifest()
                                                                   : patient.layout.implicit_manifest();
        const Manifest manifest = ReadManifest(path, kind, kLayerName);
        if (manifest.fault.empty()) return manifest.library;
    }
    return {};
}

Finding OfUserManifest(const Patient& patient, const fs::path& path, const UserManifest& there) {
    const std::string where = path.string();
    if (there.state == UserState::kForeign)
        return {Status::kWarning, kCheck, where + " is not of kronos enable: " + there.fault,
                "move it away if nobody needs it"};
    if (!there.library_exists)
        return {Status::kWarning, kCheck,
                where + " names " + there.library.string() +
                    ", which is gone: programs run without the layer, and newer loaders find no other of this name",
                "kronos disable, or kronos enable to take this Kronos from now on"};
    const std::string own = OwnLibrary(patient);
    if (!own.empty() && !SameFile(own, there.library))
        return {Status::kWarning, kCheck,
                "enabled by " + where + ", with another Kronos: " + there.library.string() + ", not " + own,
                "kronos enable to take this one from now on, or kronos disable"};
    std::string fault;
    const std::string wanted = UserManifestText(patient.layout, fault);
    if (!wanted.empty() && wanted != there.text)
        return {Status::kWarning, kCheck, "enabled by " + where + ", which another version of Kronos wrote",
                "kronos enable writes it anew"};
    return {Status::kOk, kCheck, "enabled by " + where + "; kronos disable undoes it", ""};
}

}  // namespace

bool CheckUserManifest(const Patient& patient, Findings& findings) {
    const UserPlace place = FindUserPlace(patient.environment);
    if (!place.fault.empty()) {
        findings.push_back({Status::kOk, kCheck, "cannot be enabled: " + place.fault, ""});
        return false;
    }
    const UserManifest there = ReadUserManifest(place.path);
    if (there.state == UserState::kNone) {
        findings.push_back({Status::kOk, kCheck, "not enabled; kronos enable does it, for all programs", ""});
        return false;
    }
    findings.push_back(OfUserManifest(patient, place.path, there));
    return there.state == UserState::kOurs && there.library_exists;
}

void CheckOtherInstallations(const Patient& patient, Findings& findings) {
    const std::string own = OwnLibrary(patient);
    if (own.empty()) return;
    const fs::path users = FindUserPlace(patient.environment).path;
    for (ManifestKind kind : {ManifestKind::kImplicitLayer, ManifestKind::kExplicitLayer}) {
        for (const Manifest& manifest : FindManifests(kind, patient.environment).manifests) {
            if (manifest.name != kLayerName || manifest.path == users) continue;
            const std::string where = manifest.path.string();
            if (!manifest.fault.empty()) {
                if (manifest.path == patient.layout.explicit_manifest()) continue;
                if (manifest.path == patient.layout.implicit_manifest()) continue;
                findings.push_back({Status::kWarning, "another Kronos", where + ": " + manifest.fault, "remove it"});
            } else if (!SameFile(own, manifest.library)) {
                findings.push_back(
                    {Status::kWarning, "another Kronos",
                     where + " is of " + manifest.library + ", not of " + own + ": loaders differ in which they take",
                     "uninstall one of them; kronos run takes the one that it belongs to"});
            }
        }
    }
}

}  // namespace kronos::command
