// SPDX-License-Identifier: Apache-2.0
// kronos doctor: is everything there that the layer needs, and is it active? Nothing is loaded into this process; what
// could crash is asked in a child (probe.h). One thread.
#pragma once

#include <filesystem>

#include "environment.h"
#include "findings.h"
#include "layout.h"

namespace kronos::command {

/// What the checks look at: given by the caller, so that tests can give something broken.
struct Patient {
    std::filesystem::path kronos;  ///< the executable that answers probes
    Layout layout;
    Environment environment;
    std::filesystem::path working_directory;
};

Findings Diagnose(const Patient& patient);

// The parts of it, in their order.
void CheckLoaderAndDrivers(const Patient& patient, Findings& findings);
void CheckLayer(const Patient& patient, Findings& findings);
/// What kronos enable wrote. True when programs of this user get the layer by it.
bool CheckUserManifest(const Patient& patient, Findings& findings);
void CheckOtherInstallations(const Patient& patient, Findings& findings);
void CheckSettings(const Patient& patient, Findings& findings);
void CheckStatisticsFolder(const Patient& patient, Findings& findings);

/// The environment in which probes run: the layer then writes no statistics and no log.
Environment Quiet(Environment environment);

/// This installation, in this environment.
Patient ThisOne();

/// The sub-command: prints, and 0 when the layer would work with `kronos run`, else 1.
int Doctor(bool json);

}  // namespace kronos::command
