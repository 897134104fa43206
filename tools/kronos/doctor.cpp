// SPDX-License-Identifier: Apache-2.0
// kronos doctor: the sub-command, and the checks of the layer itself.
#include "doctor.h"

#include <cstdio>

#include "manifests.h"
#include "probe.h"
#include "run.h"

namespace kronos::command {
namespace {

namespace fs = std::filesystem;

std::string HowToGetManifests(const Layout& layout) {
    return layout.build_tree ? "build the targets kronos_layer and kronos_manifest"
                             : "install Kronos again (cmake --install)";
}

// The layer's own manifest and library. True when both can be used.
bool CheckManifest(const Patient& patient, const fs::path& path, ManifestKind kind, Findings& findings) {
    std::string check = kind == ManifestKind::kExplicitLayer ? "explicit manifest" : "implicit manifest";
    std::string fix = HowToGetManifests(patient.layout);
    std::error_code ignored;
    if (!fs::exists(path, ignored)) {
        findings.push_back({Status::kFault, check, path.string() + " is missing", fix});
        return false;
    }
    Manifest manifest = ReadManifest(path, kind, kLayerName);
    if (manifest.fault.empty() && manifest.name != kLayerName) {
        manifest.fault = "it names the layer '" + manifest.name + "' instead of " + kLayerName;
    }
    if (manifest.fault.empty() && manifest.library.empty()) manifest.fault = "it has no library_path in \"layer\"";
    if (!manifest.fault.empty()) {
        findings.push_back({Status::kFault, check, path.string() + ": " + manifest.fault, fix});
        return false;
    }
    ProbeAnswer probe = Probe(patient.kronos, {"library", manifest.library}, Quiet(patient.environment));
    std::string trouble = probe.failure;
    if (trouble.empty() && probe.answer.contains("error"))
        trouble = "cannot be loaded: " + probe.answer["error"].get<std::string>();
    if (trouble.empty() && !probe.answer.value("negotiates", false)) {
        trouble = "is not a layer: it does not export vkNegotiateLoaderLayerInterfaceVersion";
    }
    if (!trouble.empty()) {
        findings.push_back({Status::kFault, check, manifest.library + " " + trouble, fix});
        return false;
    }
    findings.push_back({Status::kOk, check, path.string() + ", its library can be loaded", ""});
    return true;
}

struct Activity {
    bool active = false;
    std::string text;
};

Activity LayerActivity(const Patient& patient, const Environment& environment) {
    ProbeAnswer probe = Probe(patient.kronos, {"vulkan"}, Quiet(environment));
    if (!probe.failure.empty()) return {false, "a child process that uses Vulkan " + probe.failure};
    for (const auto& tool : probe.answer.value("tools", nlohmann::json::array())) {
        if (tool.value("layer", "") == kLayerName || tool.value("name", "") == "Kronos") {
            std::string device = probe.answer.value("device", "");
            if (device != "VK_SUCCESS") return {false, "loaded, but vkCreateDevice gives " + device};
            return {true, "active: vkGetPhysicalDeviceToolProperties lists " + tool.value("name", "") + " " +
                              tool.value("version", "")};
        }
    }
    if (probe.answer.value("devices", nlohmann::json::array()).empty())
        return {false, "cannot be tried, there is no device"};
    if (probe.answer.value("library_loaded", false))
        return {false, "loaded, but not listed by vkGetPhysicalDeviceToolProperties"};
    return {false, "not active"};
}

void CheckActivity(const Patient& patient, bool enabled, Findings& findings) {
    ComposedEnvironment explicit_run = ComposeRunEnvironment(patient.environment, patient.layout, {});
    for (const std::string& note : explicit_run.notes)
        findings.push_back({Status::kWarning, "environment", note, "correct or unset it"});
    Activity with_run = LayerActivity(patient, explicit_run.environment);
    findings.push_back({with_run.active ? Status::kOk : Status::kFault, "with kronos run", with_run.text,
                        with_run.active ? "" : "see the faults above; VK_LOADER_DEBUG=all shows what the loader does"});

    Activity as_it_is = LayerActivity(patient, patient.environment);
    bool wanted =
        patient.environment.Get("VK_INSTANCE_LAYERS").find(kLayerName) != std::string::npos ||
        ((enabled || patient.environment.Get("KRONOS_ENABLE") == "1") && !patient.environment.Has("KRONOS_DISABLE"));
    if (as_it_is.active) {
        findings.push_back({Status::kOk, "in this environment", as_it_is.text, ""});
    } else if (wanted) {
        findings.push_back({Status::kWarning, "in this environment", as_it_is.text + ", though it is asked for",
                            "VK_ADD_LAYER_PATH=" + patient.layout.explicit_dir.string() + " lets the loader find it"});
    } else {
        findings.push_back({Status::kOk, "in this environment", "not active, as nothing asks for it here", ""});
    }
}

void CheckSwitches(const Patient& patient, Findings& findings) {
    const Environment& environment = patient.environment;
    bool disabled = environment.Has("KRONOS_DISABLE");
    std::string enable = environment.Get("KRONOS_ENABLE");
    if (disabled) {
        findings.push_back({Status::kWarning, "switches",
                            "KRONOS_DISABLE is set, even if to nothing: an implicit layer stays off",
                            "unset KRONOS_DISABLE, unless that is wanted"});
    } else if (environment.Has("KRONOS_ENABLE") && enable != "1") {
        findings.push_back({Status::kWarning, "switches",
                            "KRONOS_ENABLE is '" + enable + "', only 1 turns the implicit layer on",
                            "set KRONOS_ENABLE=1, or unset it"});
    } else if (enable == "1") {
        findings.push_back(
            {Status::kOk, "switches", "KRONOS_ENABLE=1: the implicit layer is on where its manifest is installed", ""});
    } else {
        findings.push_back({Status::kOk, "switches",
                            "neither KRONOS_ENABLE nor KRONOS_DISABLE is set: the installed implicit layer is off",
                            ""});
    }
    for (const char* filter : {"VK_LOADER_LAYERS_DISABLE", "VK_LOADER_LAYERS_ENABLE"}) {
        if (environment.Get(filter).empty()) continue;
        findings.push_back(
            {Status::kWarning, "switches",
             std::string(filter) + "=" + environment.Get(filter) + " filters layers (loader 1.3.234 or newer)",
             "unset it if the layer is not active"});
    }
}

}  // namespace

Environment Quiet(Environment environment) {
    environment.Set("VK_KRONOS_COMPUTE_STATS", "off");
    environment.Set("VK_KRONOS_COMPUTE_LOG_LEVEL", "off");
    return environment;
}

void CheckLayer(const Patient& patient, Findings& findings) {
    bool usable = CheckManifest(patient, patient.layout.explicit_manifest(), ManifestKind::kExplicitLayer, findings);
    CheckManifest(patient, patient.layout.implicit_manifest(), ManifestKind::kImplicitLayer, findings);
    const bool enabled = CheckUserManifest(patient, findings);
    CheckOtherInstallations(patient, findings);
    CheckSwitches(patient, findings);
    // With a manifest that cannot be used the answer is known, and its cause has been told.
    if (usable) CheckActivity(patient, enabled, findings);
}

Findings Diagnose(const Patient& patient) {
    Findings findings;
    CheckLoaderAndDrivers(patient, findings);
    CheckLayer(patient, findings);
    CheckSettings(patient, findings);
    CheckStatisticsFolder(patient, findings);
    return findings;
}

Patient ThisOne() {
    const fs::path kronos = OwnExecutable();
    std::error_code ignored;
    return {kronos, FindLayout(kronos), Environment::Current(), fs::current_path(ignored)};
}

int Doctor(bool json) {
    const Findings findings = Diagnose(ThisOne());
    std::fputs((json ? FormatJson(findings) : FormatText(findings)).c_str(), stdout);
    return HasFault(findings) ? 1 : 0;
}

}  // namespace kronos::command
