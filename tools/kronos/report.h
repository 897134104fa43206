// SPDX-License-Identifier: Apache-2.0
// kronos report: what logs say, as text, as JSON and as one page; two logs beside each other. One thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "report_features.h"
#include "stats_reader.h"

namespace kronos::command {

struct ReportRequest {
    std::vector<std::string> logs;
    std::vector<std::string> against;  ///< logs of the run before
    std::string html;                  ///< a file to write, or ""
    std::string trace;                 ///< the same
    bool json = false;
};

/// All runs of one program on one kind of device, added up; their frames one run after the other.
struct ReportGroup {
    DeviceTotals sum;
    uint64_t runs = 0;
    uint64_t unfinished = 0;  ///< of them, without a summary line
    bool settings_differ = false;
    std::vector<FeatureReport> features;
    std::vector<std::string> advice;  ///< for the program
};

/// Of one counter (or decision, then `asked`), on one side, in both runs.
struct Difference {
    std::string name;
    std::string side;  ///< "asked", "driver", "did"
    uint64_t before = 0;
    uint64_t after = 0;
};
struct SettingDifference {
    std::string key, before, after;
};
struct Comparison {
    std::string program, device;  ///< of the later run
    uint64_t frames_before = 0, frames_after = 0;
    double ms_before = 0, ms_after = 0;
    std::vector<Difference> differences;  ///< what is not equal, in the order of the log
    std::vector<SettingDifference> settings;
};

struct Report {
    std::vector<ReportGroup> groups;
    std::vector<Comparison> comparisons;
    std::vector<std::string> notes;  ///< what could not be read
};

std::vector<ReportGroup> GroupRuns(const LogTotals& totals);
/// Groups are matched by program and device; where each side has only one, those two, whatever their names.
std::vector<Comparison> Compare(const std::vector<ReportGroup>& before, const std::vector<ReportGroup>& after,
                                std::vector<std::string>& notes);

/// That the layer left most of the device alone, and for which extensions; empty: it did not.
std::string UnknownText(const DeviceTotals& device);

std::string FormatReport(const Report& report);
std::string ReportJson(const Report& report);
/// One page without scripts that are run, files beside it, or anything from a network.
std::string ReportHtml(const Report& report);

/// All frames in the trace event format (JSON), which ui.perfetto.dev and chrome://tracing load: a process each, a row
/// for each device, counters below. When a device was created the log tells to a second: so well processes stand beside
/// each other, while within a device times are exact.
std::string TraceJson(const LogTotals& totals);

/// The sub-command: 0, or 1 with a line when a log cannot be read or holds no statistics.
int RunReport(const ReportRequest& request);

}  // namespace kronos::command
