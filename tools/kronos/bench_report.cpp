// SPDX-License-Identifier: Apache-2.0
// The tables of kronos bench.
#include "bench_report.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace kronos::command {
namespace {

using Row = std::vector<std::string>;

std::string Number(double value, int digits) {
    char text[64];
    std::snprintf(text, sizeof text, "%.*f", digits, value);
    return text;
}

std::string RatioText(const std::optional<Ratio>& ratio) {
    if (!ratio) return "-";
    const std::string median = Number(ratio->spread.median, 3);
    if (!ratio->interval) return median + " (?)";
    return median + " (" + Number(ratio->interval->low, 3) + ".." + Number(ratio->interval->high, 3) + ")";
}

const char* StateText(GroupState state) {
    switch (state) {
        case GroupState::kNotRun:
            return "not run";
        case GroupState::kMeasured:
            return "ok";
        case GroupState::kPartly:
            return "interrupted";
        case GroupState::kSkipped:
            return "skipped";
        case GroupState::kWrong:
            return "WRONG";
        case GroupState::kMiscounted:
            return "MISCOUNT";
        case GroupState::kFailed:
            break;
    }
    return "FAILED";
}

// "0.31 (0.30..0.33)": how much of the time of the naive writing with the layer the expert writing without it takes.
std::optional<Ratio> ExpertRatio(const Group& group, const Subject& subject) {
    if (subject.writing != "naive" || !subject.configuration->layer) return std::nullopt;
    const Subject* expert = group.Find("expert", kOff);
    return expert ? RatioOf(expert->rounds, subject.rounds) : std::nullopt;
}

std::string SettingsText(const LayerSaid& said, const LayerSaid* but_for) {
    std::string text;
    for (const auto& setting : said.settings) {
        // Ours, so that the settings are told at all.
        if (setting.first == "log_level" || setting.first == "log_file") continue;
        if (but_for && std::count(but_for->settings.begin(), but_for->settings.end(), setting)) continue;
        // Where it is from stands behind it, in parentheses.
        text += (text.empty() ? "" : " ") + setting.first + "=" + setting.second.substr(0, setting.second.rfind(" ("));
    }
    return text.empty() ? "not told" : text;
}

std::string FormatHeader(const BenchHeader& header, const BenchPlan& plan, const BenchSaid& said) {
    std::string out = "kronos bench, " + header.date + "\n";
    auto line = [&](const std::string& name, const std::string& text) {
        out += name + std::string(10 - name.size(), ' ') + text + "\n";
    };
    line("command", header.command);
    line("machine", header.machine);
    line("device", said.device ? DeviceText(*said.device) : "none: nothing ran");
    line("loader", header.loader);
    const auto on = said.layer.find(&kOn);
    const LayerSaid* base = on == said.layer.end() ? nullptr : &on->second;
    const std::string version = said.layer.empty() ? "" : said.layer.begin()->second.version;
    line("layer", version.empty() ? "not run" : "Kronos " + version + ", " + header.layer);
    for (const Configuration& configuration : kConfigurations) {
        auto found = said.layer.find(&configuration);
        if (found == said.layer.end()) continue;
        const LayerSaid* but_for = &found->second == base ? nullptr : base;
        line("settings", std::string(configuration.name) + ": " + (but_for ? "as on, but " : "") +
                             SettingsText(found->second, but_for));
    }
    if (plan.rounds == 0) {
        line("rounds", "none: only counted, no result is verified");
        return out;
    }
    const std::string rounds = plan.seconds_per_row ? "until ratios are known to +- 1 %, or for " +
                                                          Number(*plan.seconds_per_row, 1) + " s for each row"
                                                    : std::to_string(plan.rounds);
    const std::string turn = plan.turn_seconds > 0 ? " or more, for " + Number(plan.turn_seconds, 2) + " s" : "";
    line("rounds", rounds + "; configurations in turn, forwards and backwards; a turn is a process with " +
                       std::to_string(plan.repeat) + " timed repeats" + turn);
    line("ratios", "medians of the rounds' ratios, with their 95 % confidence interval; (?): fewer than 6 rounds");
    line("", "same: within 1 +- 0.02; faster, slower: outside of it; open: not known");
    return out;
}

std::string FormatTimes(const BenchPlan& plan) {
    std::vector<Row> rows = {{"workload", "writing", "size", "dispatches", "configuration", "median (quartiles)",
                              "off / this", "", "expert/(naive+layer)"}};
    for (const Group& group : plan.groups) {
        if (group.state == GroupState::kNotRun) continue;
        if (group.state != GroupState::kMeasured && group.state != GroupState::kPartly) {
            rows.push_back({group.workload, "", group.size, std::to_string(group.dispatches), StateText(group.state)});
            continue;
        }
        bool first = true;
        std::string writing;
        for (const Subject& subject : group.subjects) {
            const std::optional<Spread> spread = SpreadOfRepeats(subject.rounds);
            Row row = {first ? group.workload : "", writing == subject.writing ? "" : subject.writing,
                       first ? group.size : "", writing == subject.writing ? "" : std::to_string(subject.dispatches),
                       subject.configuration->name};
            first = false;
            writing = subject.writing;
            if (spread) {
                row.push_back(TimeText(*spread));
                const bool base = subject.configuration == &kOff;
                const std::optional<Ratio> off = group.OffRatio(subject);
                row.push_back(base ? "" : RatioText(off));
                row.push_back(off ? off->Verdict() : "");
                const std::optional<Ratio> expert = ExpertRatio(group, subject);
                row.push_back(expert ? RatioText(expert) : "");
            }
            rows.push_back(std::move(row));
        }
    }
    return FormatTable(rows, 5);
}

// What it counted, in the layer's order of what says most, then the rest; or, given others, what differs from them.
std::string CountsText(const Counts& counts, const Counts* before) {
    std::vector<std::string> names;
#define RECORDING_BEGIN()
#define RECORDING_END()
#define COUNTER(name, enumerator) names.emplace_back(#name);
#include "stats/counters.def"
#undef COUNTER
#undef RECORDING_END
#undef RECORDING_BEGIN
    for (const auto& [name, value] : counts) {
        if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
    auto value_of = [](const Counts& of, const std::string& name) {
        auto found = of.find(name);
        return found == of.end() ? 0 : found->second;
    };
    std::string text;
    for (const std::string& name : names) {
        const uint64_t now = value_of(counts, name);
        const uint64_t then = before ? value_of(*before, name) : 0;
        if (now == then) continue;
        text += (text.empty() ? "" : ", ") + name + " ";
        if (before) text += std::to_string(then) + " -> ";
        text += std::to_string(now);
    }
    if (!text.empty()) return text;
    return before ? "the same" : "nothing";
}

std::string FormatCounts(const BenchPlan& plan) {
    if (!plan.places.spy)
        return "The spy is not in this build tree (target kronos_spy): nothing was counted, no counts were checked.\n";
    size_t checked = 0;
    size_t counted = 0;
    std::vector<Row> rows = {{"workload", "writing", "size", "runs", "configuration", "counters"}};
    for (const Group& group : plan.groups) {
        for (const Subject& subject : group.subjects) {
            if (!subject.counts) continue;
            counted += !subject.configuration->layer;
            checked += subject.counts_checked;
            const Subject* off = group.Find(subject.writing, kOff);
            if (off == &subject || !off->counts) {
                rows.push_back({group.workload, subject.writing, group.size + " x " + std::to_string(group.dispatches),
                                std::to_string(subject.counted_runs), subject.configuration->name,
                                CountsText(*subject.counts, nullptr)});
                continue;
            }
            const std::string text = CountsText(*subject.counts, &*off->counts);
            if (rows.back()[0].empty() && rows.back()[5] == text)
                rows.back()[4] += std::string(", ") + subject.configuration->name;
            else
                rows.push_back({"", "", "", "", subject.configuration->name, text});
        }
    }
    if (rows.size() == 1) return {};
    return "What reaches the driver, by the spy below the layer in a run that is not timed: the whole process, set-up "
           "included.\n" +
           std::to_string(checked) + " of " + std::to_string(counted) +
           " counts without the layer were compared with what the workload's source says. Polls vary by "
           "themselves.\n\n" +
           FormatTable(rows, 6);
}

nlohmann::ordered_json Json(const std::optional<Spread>& spread) {
    if (!spread) return nullptr;
    return {{"median", spread->median}, {"q1", spread->q1}, {"q3", spread->q3}, {"of", spread->count}};
}

nlohmann::ordered_json Json(const std::optional<Ratio>& ratio) {
    if (!ratio) return nullptr;
    nlohmann::ordered_json json = Json(std::optional(ratio->spread));
    if (ratio->interval) json["interval"] = {ratio->interval->low, ratio->interval->high};
    json["verdict"] = ratio->Verdict();
    return json;
}

nlohmann::ordered_json Json(const Group& group) {
    nlohmann::ordered_json subjects = nlohmann::ordered_json::array();
    for (const Subject& subject : group.subjects) {
        nlohmann::ordered_json row = {{"writing", subject.writing},
                                      {"configuration", subject.configuration->name},
                                      {"dispatches", subject.dispatches},
                                      {"ns", subject.rounds},
                                      {"spread_ns", Json(SpreadOfRepeats(subject.rounds))}};
        if (subject.configuration != &kOff) row["off_over_this"] = Json(group.OffRatio(subject));
        if (const std::optional<Ratio> expert = ExpertRatio(group, subject)) row["expert_over_this"] = Json(expert);
        if (subject.counts) {
            row["counted_runs"] = subject.counted_runs;
            row["counters"] = *subject.counts;
            row["counters_checked"] = subject.counts_checked;
        }
        subjects.push_back(std::move(row));
    }
    return {{"workload", group.workload},      {"size", group.size},   {"rounds", group.dispatches},
            {"state", StateText(group.state)}, {"notes", group.notes}, {"subjects", subjects}};
}

}  // namespace

std::string TimeText(const Spread& ns) {
    constexpr const char* kUnits[] = {"ns", "us", "ms", "s"};
    size_t unit = 0;
    double scale = 1;
    while (unit < 3 && ns.median / scale >= 999.95) {
        scale *= 1000;
        ++unit;
    }
    const double median = ns.median / scale;
    const int digits = median < 9.9995 ? 3 : median < 99.995 ? 2 : 1;
    return Number(median, digits) + " " + kUnits[unit] + " (" + Number(ns.q1 / scale, digits) + ".." +
           Number(ns.q3 / scale, digits) + ")";
}

std::string FormatTable(const std::vector<std::vector<std::string>>& rows, size_t left) {
    std::vector<size_t> widths;
    for (const Row& row : rows) {
        widths.resize(std::max(widths.size(), row.size()));
        for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    }
    std::string out;
    for (const Row& row : rows) {
        std::string line;
        for (size_t i = 0; i < row.size(); ++i) {
            const std::string padding(widths[i] - row[i].size(), ' ');
            line += (i ? "  " : "") + (i < left ? row[i] + padding : padding + row[i]);
        }
        line.erase(line.find_last_not_of(' ') + 1);
        out += line + "\n";
    }
    return out;
}

std::string FormatBench(const BenchHeader& header, const BenchPlan& plan, const BenchSaid& said) {
    std::string out = FormatHeader(header, plan, said) + "\n";
    if (plan.rounds > 0) out += FormatTimes(plan) + "\n";
    out += FormatCounts(plan);
    std::string notes;
    size_t not_run = 0;
    for (const Group& group : plan.groups) {
        not_run += group.state == GroupState::kNotRun;
        for (const std::string& note : group.notes) notes += note + "\n";
    }
    if (!notes.empty()) out += "\n" + notes;
    if (said.interrupted) out += "\nInterrupted: " + std::to_string(not_run) + " workloads were not run.\n";
    return out;
}

std::string FormatBenchJson(const BenchHeader& header, const BenchPlan& plan, const BenchSaid& said) {
    nlohmann::ordered_json layer = nlohmann::ordered_json::object();
    for (const auto& [configuration, told] : said.layer) {
        nlohmann::ordered_json settings = nlohmann::ordered_json::object();
        for (const auto& [key, value] : told.settings) settings[key] = value;
        layer[configuration->name] = {{"version", told.version}, {"settings", settings}};
    }
    nlohmann::ordered_json device;
    if (said.device) {
        device = {{"name", said.device->name},
                  {"type", said.device->type},
                  {"driver", said.device->driver},
                  {"api", said.device->api}};
    }
    nlohmann::ordered_json groups = nlohmann::ordered_json::array();
    for (const Group& group : plan.groups) groups.push_back(Json(group));
    const nlohmann::ordered_json document = {{"v", 1},
                                             {"date", header.date},
                                             {"command", header.command},
                                             {"machine", header.machine},
                                             {"device", device},
                                             {"loader", header.loader},
                                             {"layer_manifest", header.layer},
                                             {"layer", layer},
                                             {"rounds", plan.rounds},
                                             {"seconds_per_row", plan.seconds_per_row.value_or(0)},
                                             {"repeat", plan.repeat},
                                             {"turn_seconds", plan.turn_seconds},
                                             {"counted", plan.places.spy.has_value()},
                                             {"interrupted", said.interrupted},
                                             {"groups", groups}};
    return document.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace kronos::command
