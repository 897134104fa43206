// SPDX-License-Identifier: Apache-2.0
// kronos report: logs grouped and compared, as text and as JSON.
#include "report.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

namespace kronos::command {
namespace {

using nlohmann::ordered_json;

std::string N(uint64_t n) { return std::to_string(n); }

std::string Ms(double ms) {
    char text[40];
    std::snprintf(text, sizeof text, "%.3f ms", ms);
    return text;
}

std::string Mib(uint64_t bytes) {
    char text[40];
    std::snprintf(text, sizeof text, "%.1f MiB", static_cast<double>(bytes) / (1 << 20));
    return text;
}

void Add(std::vector<Counter>& to, const std::vector<Counter>& from) {
    for (const Counter& counter : from) {
        auto found = std::find_if(to.begin(), to.end(), [&](const Counter& c) { return c.name == counter.name; });
        if (found == to.end()) {
            to.push_back(counter);
        } else {
            found->asked += counter.asked;
            found->driver += counter.driver;
        }
    }
}

void AddDifferences(const std::vector<Counter>& before, const std::vector<Counter>& after, bool did,
                    std::vector<Difference>& out) {
    std::vector<Counter> all = after;
    Add(all, before);  // the names of both, in the later run's order; the sums are not looked at
    const auto of = [](const std::vector<Counter>& counters, const std::string& name) {
        auto found = std::find_if(counters.begin(), counters.end(), [&](const Counter& c) { return c.name == name; });
        return found == counters.end() ? Counter{name, 0, 0} : *found;
    };
    for (const Counter& counter : all) {
        const Counter a = of(before, counter.name), b = of(after, counter.name);
        if (a.asked != b.asked) out.push_back({counter.name, did ? "did" : "asked", a.asked, b.asked});
        if (!did && a.driver != b.driver) out.push_back({counter.name, "driver", a.driver, b.driver});
    }
}

Comparison CompareGroups(const ReportGroup& before, const ReportGroup& after) {
    Comparison comparison{
        after.sum.program, after.sum.name, before.sum.frames, after.sum.frames, before.sum.ms, after.sum.ms, {}, {}};
    AddDifferences(before.sum.counters, after.sum.counters, false, comparison.differences);
    AddDifferences(before.sum.did, after.sum.did, true, comparison.differences);
    std::set<std::string> keys;
    for (const auto* settings : {&before.sum.settings, &after.sum.settings})
        for (const auto& [key, value] : *settings) keys.insert(key);
    for (const std::string& key : keys) {
        const auto of = [&](const DeviceTotals& device) {
            auto found = device.settings.find(key);
            return found == device.settings.end() ? std::string("(not told)") : found->second;
        };
        if (of(before.sum) != of(after.sum)) comparison.settings.push_back({key, of(before.sum), of(after.sum)});
    }
    return comparison;
}

std::string Value(const std::string& name, uint64_t value) {
    return name.ends_with("_ns") ? Ms(static_cast<double>(value) / 1e6) : N(value);
}

std::string Row(const char* format, const std::string& a, const std::string& b, const std::string& c,
                const std::string& d) {
    char text[400];
    std::snprintf(text, sizeof text, format, a.c_str(), b.c_str(), c.c_str(), d.c_str());
    return text;
}

}  // namespace

std::string UnknownText(const DeviceTotals& device) {
    if (device.unknown_extensions.empty()) return {};
    std::string text;
    for (const std::string& name : device.unknown_extensions) text += (text.empty() ? "" : ", ") + name;
    return "the program enables " + text +
           ", which the layer did not know: barriers, redundant state, descriptors, submissions and slabs were left "
           "alone";
}

namespace {

std::string FormatGroup(const ReportGroup& group) {
    const DeviceTotals& sum = group.sum;
    std::string out = (sum.program.empty() ? std::string("(program not told)") : sum.program) + " on " +
                      (sum.name.empty() ? "(device without a name)" : sum.name);
    if (!sum.driver.empty()) out += " (" + sum.driver + ")";
    out += "\n" + N(group.runs) + (group.runs == 1 ? " run, " : " runs, ") + N(sum.frames) + " frames, " + Ms(sum.ms);
    if (group.unfinished)
        out += "; " + N(group.unfinished) + (group.unfinished == 1 ? " has" : " have") +
               " no summary line yet, these are the frames so far";
    if (sum.rows.size() < sum.frames) out += "; " + N(sum.frames - sum.rows.size()) + " frames are not in these logs";
    out += "\n";
    if (const std::string unknown = UnknownText(sum); !unknown.empty()) out += unknown + "\n";
    if (group.settings_differ) out += "the runs had different settings; those of the first are shown\n";
    out += "\n";
    for (const FeatureReport& feature : group.features) {
        out += Row("  %-16s %-16s %s%s\n", feature.name, StateName(feature.state),
                   feature.key + (feature.value.empty() ? "" : " = " + feature.value), "");
        out += "      " + feature.text + "\n";
        for (const Prediction& p : feature.predictions) {
            out += "      would be: " + RemainingText(p) + " of " + N(p.asked) + " " + p.counter + "\n";
        }
        std::vector<Reason> reasons = feature.reasons;
        std::stable_sort(reasons.begin(), reasons.end(),
                         [](const Reason& a, const Reason& b) { return a.count > b.count; });
        for (const Reason& reason : reasons)
            out += Row("      %10s %-24s %s%s\n", Value(reason.name, reason.count), reason.name, CountText(reason.name),
                       "");
        if (!feature.advice.empty()) out += "      try " + feature.advice + "\n";
    }
    if (const uint64_t ns = sum.Did("layer_ns"))
        out += "  In the layer itself: " + Ms(static_cast<double>(ns) / 1e6) +
               " in vkQueueSubmit and vkEndCommandBuffer, by a sample\n";
    for (const auto& [heap, most] : sum.memory_most) {
        out += "  Memory kept, at the most: heap " + N(heap) + ":";
        if (most.idle) out += " " + N(most.idle) + " idle allocations of " + Mib(most.idle_bytes) + ";";
        if (most.slabs)
            out += " " + N(most.slabs) + " slabs of " + Mib(most.slab_bytes) + ", " + Mib(most.slab_live_bytes) +
                   " of them the program's, " + Mib(most.slab_idle_bytes) + " in empty ones;";
        out.back() = '\n';
    }
    for (const std::string& advice : group.advice) out += "  The program: " + advice + "\n";
    return out;
}

std::string FormatComparison(const Comparison& c) {
    std::string out = "Compared: " + (c.program.empty() ? std::string("(program not told)") : c.program) + " on " +
                      (c.device.empty() ? "(device without a name)" : c.device) + "\n";
    out += Row("  %-32s %18s %18s %10s\n", "", "before", "after", "after/before");
    const auto ratio = [](double before, double after) {
        char text[32] = "-";
        if (before > 0) std::snprintf(text, sizeof text, "%.3f", after / before);
        return std::string(text);
    };
    out += Row("  %-32s %18s %18s %10s\n", "frames", N(c.frames_before), N(c.frames_after),
               ratio(static_cast<double>(c.frames_before), static_cast<double>(c.frames_after)));
    out += Row("  %-32s %18s %18s %10s\n", "time of the device", Ms(c.ms_before), Ms(c.ms_after),
               ratio(c.ms_before, c.ms_after));
    for (const Difference& d : c.differences)
        out += Row("  %-32s %18s %18s %10s\n", d.side + " " + d.name, Value(d.name, d.before), Value(d.name, d.after),
                   ratio(static_cast<double>(d.before), static_cast<double>(d.after)));
    if (c.differences.empty()) out += "  all counters are equal\n";
    for (const SettingDifference& s : c.settings)
        out += "  setting " + s.key + ": '" + s.before + "' before, '" + s.after + "' after\n";
    return out;
}

ordered_json Json(const ReportGroup& group) {
    ordered_json counters = ordered_json::object(), did = ordered_json::object(), features = ordered_json::array();
    for (const Counter& c : group.sum.counters) counters[c.name] = {{"asked", c.asked}, {"driver", c.driver}};
    for (const Counter& c : group.sum.did) did[c.name] = c.asked;
    ordered_json memory = ordered_json::array();
    for (const auto& [heap, most] : group.sum.memory_most)
        memory.push_back({{"heap", heap},
                          {"idle", most.idle},
                          {"idle_bytes", most.idle_bytes},
                          {"slabs", most.slabs},
                          {"slab_bytes", most.slab_bytes},
                          {"slab_live_bytes", most.slab_live_bytes},
                          {"slab_idle_bytes", most.slab_idle_bytes}});
    for (const FeatureReport& f : group.features) {
        ordered_json reasons = ordered_json::object(), predictions = ordered_json::array();
        for (const Reason& r : f.reasons) reasons[r.name] = r.count;
        for (const Prediction& p : f.predictions)
            predictions.push_back({{"counter", p.counter},
                                   {"asked", p.asked},
                                   {"fewer_at_least", p.at_least},
                                   {"fewer_at_most", p.at_most},
                                   {"fewer_expected", p.expected ? ordered_json(*p.expected) : ordered_json()}});
        features.push_back({{"feature", f.name},
                            {"setting", f.key},
                            {"value", f.value},
                            {"state", StateName(f.state)},
                            {"text", f.text},
                            {"reasons", reasons},
                            {"predictions", predictions},
                            {"advice", f.advice}});
    }
    return {{"program", group.sum.program},
            {"device", group.sum.name},
            {"driver", group.sum.driver},
            {"type", group.sum.type},
            {"unknown_extensions", group.sum.unknown_extensions},
            {"runs", group.runs},
            {"unfinished", group.unfinished},
            {"frames", group.sum.frames},
            {"frames_in_logs", group.sum.rows.size()},
            {"ms", group.sum.ms},
            {"settings", group.sum.settings},
            {"settings_differ", group.settings_differ},
            {"counters", counters},
            {"did", did},
            {"memory_most", memory},
            {"features", features},
            {"advice_for_program", group.advice}};
}

ordered_json Json(const Comparison& c) {
    ordered_json differences = ordered_json::array(), settings = ordered_json::array();
    for (const Difference& d : c.differences)
        differences.push_back({{"name", d.name}, {"side", d.side}, {"before", d.before}, {"after", d.after}});
    for (const SettingDifference& s : c.settings)
        settings.push_back({{"key", s.key}, {"before", s.before}, {"after", s.after}});
    return {{"program", c.program},           {"device", c.device},       {"frames_before", c.frames_before},
            {"frames_after", c.frames_after}, {"ms_before", c.ms_before}, {"ms_after", c.ms_after},
            {"differences", differences},     {"settings", settings}};
}

// Each file once: a pattern of the shell and a name may both give it.
LogTotals ReadAll(const std::vector<std::string>& logs) {
    StatsReader reader;
    std::set<std::string> seen;
    for (const std::string& log : logs) {
        std::error_code error;
        const std::filesystem::path path = std::filesystem::canonical(log, error);
        if (error || seen.insert(path.string()).second) reader.ReadFile(log);
    }
    return reader.TakeTotals();
}

// False, with lines on standard error, when there is nothing to show.
bool Check(const LogTotals& totals, const std::vector<std::string>& logs) {
    for (const std::string& line : totals.unreadable) std::fprintf(stderr, "kronos report: %s\n", line.c_str());
    if (!totals.unreadable.empty()) return false;
    if (!totals.devices.empty()) return true;
    std::fprintf(stderr, "kronos report: %s%s no statistics of a device (%llu lines read)\n", logs.front().c_str(),
                 logs.size() > 1 ? " and the others hold" : " holds", static_cast<unsigned long long>(totals.lines));
    for (const std::string& fault : ReadingFaults(totals)) std::fprintf(stderr, "kronos report: %s\n", fault.c_str());
    return false;
}

bool WriteFile(const std::string& path, const std::string& text) {
    errno = 0;
    std::ofstream out(path, std::ios::trunc);
    out << text;
    out.close();
    if (out) return true;
    std::fprintf(stderr, "kronos report: %s cannot be written: %s\n", path.c_str(), std::strerror(errno ? errno : EIO));
    return false;
}

}  // namespace

std::vector<ReportGroup> GroupRuns(const LogTotals& totals) {
    std::vector<ReportGroup> groups;
    for (const DeviceTotals& device : totals.devices) {
        auto group = std::find_if(groups.begin(), groups.end(), [&](const ReportGroup& g) {
            return g.sum.program == device.program && g.sum.name == device.name && g.sum.driver == device.driver;
        });
        if (group == groups.end()) {
            group = groups.insert(groups.end(), ReportGroup{});
            group->sum = device;
        } else {
            group->settings_differ = group->settings_differ || group->sum.settings != device.settings;
            for (const std::string& name : device.unknown_extensions)
                if (auto& all = group->sum.unknown_extensions; std::find(all.begin(), all.end(), name) == all.end())
                    all.push_back(name);
            group->sum.frames += device.frames;
            group->sum.ms += device.ms;
            Add(group->sum.counters, device.counters);
            Add(group->sum.did, device.did);
            // Runs have their memory one after the other, for all that is known.
            for (const auto& [heap, most] : device.memory_most) group->sum.memory_most[heap].Raise(most);
            for (FrameRow row : device.rows) {
                row.run = static_cast<uint32_t>(group->runs);
                group->sum.rows.push_back(row);
            }
        }
        ++group->runs;
        if (!device.complete) ++group->unfinished;
    }
    for (ReportGroup& group : groups) {
        group.features = ReportFeatures(group.sum);
        group.advice = AdviceForProgram(group.sum);
    }
    return groups;
}

std::vector<Comparison> Compare(const std::vector<ReportGroup>& before, const std::vector<ReportGroup>& after,
                                std::vector<std::string>& notes) {
    std::vector<Comparison> out;
    if (before.size() == 1 && after.size() == 1) return {CompareGroups(before[0], after[0])};
    for (const ReportGroup& group : after) {
        auto found = std::find_if(before.begin(), before.end(), [&](const ReportGroup& g) {
            return g.sum.program == group.sum.program && g.sum.name == group.sum.name;
        });
        if (found == before.end())
            notes.push_back("the logs compared with hold no run of " + group.sum.program + " on " + group.sum.name);
        else
            out.push_back(CompareGroups(*found, group));
    }
    return out;
}

std::string FormatReport(const Report& report) {
    std::string out;
    for (const ReportGroup& group : report.groups) out += (out.empty() ? "" : "\n") + FormatGroup(group);
    for (const Comparison& comparison : report.comparisons) out += "\n" + FormatComparison(comparison);
    for (const std::string& note : report.notes) out += "\nnote: " + note + "\n";
    return out;
}

std::string ReportJson(const Report& report) {
    ordered_json groups = ordered_json::array(), comparisons = ordered_json::array();
    for (const ReportGroup& group : report.groups) groups.push_back(Json(group));
    for (const Comparison& comparison : report.comparisons) comparisons.push_back(Json(comparison));
    const ordered_json document = {{"v", 1}, {"groups", groups}, {"comparisons", comparisons}, {"notes", report.notes}};
    return document.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

int RunReport(const ReportRequest& request) {
    const LogTotals totals = ReadAll(request.logs);
    if (!Check(totals, request.logs)) return 1;
    Report report{GroupRuns(totals), {}, ReadingFaults(totals)};
    if (!request.against.empty()) {
        const LogTotals before = ReadAll(request.against);
        if (!Check(before, request.against)) return 1;
        for (const std::string& fault : ReadingFaults(before)) report.notes.push_back(fault);
        report.comparisons = Compare(GroupRuns(before), report.groups, report.notes);
    }
    if (!request.html.empty() && !WriteFile(request.html, ReportHtml(report))) return 1;
    if (!request.trace.empty() && !WriteFile(request.trace, TraceJson(totals))) return 1;
    if (request.json)
        std::fputs(ReportJson(report).c_str(), stdout);
    else if (request.html.empty() && request.trace.empty())
        std::fputs(FormatReport(report).c_str(), stdout);
    return 0;
}

}  // namespace kronos::command
