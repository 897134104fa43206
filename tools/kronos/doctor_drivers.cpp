// SPDX-License-Identifier: Apache-2.0
// kronos doctor: the loader, the drivers, and layers of others that are damaged.
#include <cstdio>

#include "doctor.h"
#include "manifests.h"
#include "probe.h"
#include "run.h"

namespace kronos::command {
namespace {

using nlohmann::json;

// Vulkan without any layer, and with one driver only if a manifest is given.
Environment Bare(Environment environment, const std::string& only_driver) {
    environment.Unset("VK_INSTANCE_LAYERS");
    environment.Unset("KRONOS_ENABLE");
    environment.Set("KRONOS_DISABLE", "1");
    if (!only_driver.empty()) {
        // Old loaders know one name, new ones prefer the other.
        environment.Set("VK_DRIVER_FILES", only_driver);
        environment.Set("VK_ICD_FILENAMES", only_driver);
    }
    return Quiet(std::move(environment));
}

std::string DeviceList(const json& answer) {
    std::string text;
    for (const auto& device : answer.value("devices", json::array())) {
        text += (text.empty() ? "" : ", ") + device.value("name", "?") + " (" + device.value("type", "?") +
                ", Vulkan " + device.value("api", "?") + ")";
    }
    return text;
}

bool CheckLoader(const Patient& patient, Findings& findings, ProbeAnswer& all) {
    all = Probe(patient.kronos, {"vulkan"}, Bare(patient.environment, ""));
    if (all.answer.contains("loader_error")) {
        findings.push_back({Status::kFault, "loader",
                            "no Vulkan loader: " + all.answer["loader_error"].get<std::string>(),
                            "install libvulkan1 (Debian) or vulkan-loader"});
        return false;
    }
    if (all.answer.contains("loader_version")) {
        findings.push_back(
            {Status::kOk, "loader",
             all.answer.value("loader_path", "libvulkan.so.1") + ", version " + all.answer.value("loader_version", "?"),
             ""});
    }
    return true;
}

void CheckDriver(const Patient& patient, const Manifest& manifest, Findings& findings) {
    std::string path = manifest.path.string();
    if (!manifest.fault.empty()) {
        findings.push_back({Status::kWarning, "driver", path + ": " + manifest.fault,
                            "install that driver again, or remove the file"});
        return;
    }
    ProbeAnswer probe = Probe(patient.kronos, {"vulkan"}, Bare(patient.environment, path));
    if (!probe.failure.empty()) {
        // It takes every program down, with or without the layer.
        findings.push_back(
            {Status::kFault, "driver", path + ": the driver " + probe.failure,
             "install that driver again, or leave it out: set VK_DRIVER_FILES to the others' manifests"});
        return;
    }
    std::string devices = DeviceList(probe.answer);
    if (!devices.empty()) {
        findings.push_back({Status::kOk, "driver", path + ": " + devices, ""});
        return;
    }
    ProbeAnswer library = Probe(patient.kronos, {"library", manifest.library}, patient.environment);
    if (library.answer.contains("error")) {
        findings.push_back({Status::kWarning, "driver",
                            path + ": its library cannot be loaded: " + library.answer["error"].get<std::string>(),
                            "install what is missing, or that driver again"});
    } else {
        findings.push_back({Status::kOk, "driver", path + ": no device of this driver here", ""});
    }
}

void CheckOtherLayers(const Patient& patient, Findings& findings) {
    for (ManifestKind kind : {ManifestKind::kExplicitLayer, ManifestKind::kImplicitLayer}) {
        FoundManifests found = FindManifests(kind, patient.environment);
        for (const std::string& text : found.missing)
            findings.push_back({Status::kWarning, "layers", text, "correct or unset it"});
        for (const Manifest& manifest : found.manifests) {
            // Ours, where `kronos run` takes it from, is checked by itself.
            bool own = manifest.path.parent_path() == patient.layout.explicit_dir ||
                       manifest.path.parent_path() == patient.layout.implicit_dir;
            if (manifest.fault.empty() || own) continue;
            findings.push_back({Status::kWarning, "layers", manifest.path.string() + ": " + manifest.fault,
                                "install that layer again, or remove the file"});
        }
    }
}

}  // namespace

void CheckLoaderAndDrivers(const Patient& patient, Findings& findings) {
    ProbeAnswer all;
    if (!CheckLoader(patient, findings, all)) return;
    // Those that `kronos run` would add count as registered.
    Environment environment = ComposeRunEnvironment(patient.environment, patient.layout, {}).environment;
    FoundManifests drivers = FindManifests(ManifestKind::kDriver, environment);
    for (const std::string& text : drivers.missing)
        findings.push_back({Status::kWarning, "drivers", text, "correct or unset it"});
    Patient with_added = patient;
    with_added.environment = environment;
    for (const Manifest& manifest : drivers.manifests) CheckDriver(with_added, manifest, findings);
    if (environment.Get("VK_ADD_DRIVER_FILES") != patient.environment.Get("VK_ADD_DRIVER_FILES")) {
        all = Probe(patient.kronos, {"vulkan"}, Bare(environment, ""));
    }
    std::string devices = DeviceList(all.answer);
    if (!all.failure.empty()) {
        findings.push_back({Status::kFault, "devices", "listing all devices " + all.failure,
                            "see the drivers above; leave out the one that fails"});
    } else if (devices.empty()) {
        std::string why = all.answer.value("instance", "");
        if (why == "VK_SUCCESS")
            why = "vkEnumeratePhysicalDevices: " + all.answer.value("enumerate", "?");
        else
            why = "vkCreateInstance: " + why;
        findings.push_back(
            {Status::kFault, "devices",
             "no Vulkan device (" + why + "), " + std::to_string(drivers.manifests.size()) + " drivers registered",
             "install a driver: your GPU's, or mesa-vulkan-drivers for one in software"});
    } else {
        findings.push_back({Status::kOk, "devices", devices, ""});
    }
    CheckOtherLayers(patient, findings);
}

}  // namespace kronos::command
