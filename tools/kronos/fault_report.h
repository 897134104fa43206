// SPDX-License-Identifier: Apache-2.0
// kronos doctor --report: what somebody who looks for a fault needs to know, in one file, and nothing private. One
// thread.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "doctor.h"

namespace kronos::command {

/// `text` without what names the user: the home folder becomes ~, and user and host names, where they stand alone, USER
/// and HOST. Names of fewer than 3 letters stay, as they may be any word. Pure.
std::string WithoutNames(std::string text, const std::string& home, const std::string& user, const std::string& host);

struct ReportSources {
    std::string version;        ///< of kronos
    std::filesystem::path log;  ///< whose last frames are told; empty: none
    size_t frames = 50;
};

/// The report: versions, system, what the doctor found, settings that are not the default and where they come from, and
/// the last lines of the log.
std::string FaultReport(const Patient& patient, const Findings& findings, const ReportSources& sources);

/// The sub-command: writes the report to `file`, which must not be there, and says so. `log`: empty: the one that was
/// written last in the statistics folder. 0, or 1 with a line on standard error.
int WriteFaultReport(const Patient& patient, const std::string& version, const std::string& file,
                     const std::string& log);

}  // namespace kronos::command
