// SPDX-License-Identifier: Apache-2.0
// kronos report --html: one page. No script is run, nothing is loaded: it can be mailed, and opened years later.
#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "report.h"
#include "report_charts.h"

namespace kronos::command {
namespace {

using nlohmann::ordered_json;

// Sizes are those of the reader's device: text never scales with a chart.
constexpr const char* kStyle = R"(
:root{color-scheme:light dark;--text:#1b1f24;--dim:#5b6470;--back:#fff;--card:#f5f7f9;--rule:#d5dae0;--l0:#8a6d00;--l1:#1f5fd0;--l2:#0b7d4b;--l3:#b0308a;--good:#0b7d4b;--idle:#5b6470;--look:#8a6d00}
@media(prefers-color-scheme:dark){:root{--text:#e6e9ed;--dim:#9aa4b0;--back:#14171b;--card:#1e2329;--rule:#3a424c;--l0:#e0b83a;--l1:#6ea0ff;--l2:#4cc38a;--l3:#ee86cc;--good:#4cc38a;--idle:#9aa4b0;--look:#e0b83a}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1180px;padding:16px;font:16px/1.45 system-ui,sans-serif;color:var(--text);background:var(--back)}
h1{font-size:22px;margin:0 0 12px}h2{font-size:20px;margin:32px 0 4px;overflow-wrap:anywhere}h3{font-size:17px;margin:24px 0 8px}
p{margin:4px 0}.dim{color:var(--dim)}small{font-size:13px;color:var(--dim);font-weight:400}
code{font:14px/1.4 ui-monospace,monospace;overflow-wrap:anywhere}
.cards,.charts{display:grid;gap:12px;grid-template-columns:repeat(auto-fill,minmax(min(100%,340px),1fr))}
.charts{grid-template-columns:repeat(auto-fill,minmax(min(100%,480px),1fr))}
.card,.chart{background:var(--card);border:1px solid var(--rule);border-radius:8px;padding:12px;margin:0;min-width:0}
.card h4{margin:0 0 4px;font-size:16px;display:flex;justify-content:space-between;gap:8px}
.state{font-size:13px;font-weight:600;color:var(--idle)}.state.gained{color:var(--good)}.state.observed{color:var(--look)}
.advice{border-left:3px solid var(--l1);padding-left:8px;margin-top:6px}
figcaption{font-weight:600}.legend{font-size:13px;margin:4px 0;color:var(--dim)}
.key{display:inline-block;margin-right:12px}.key::before{content:"";display:inline-block;width:14px;height:3px;vertical-align:middle;margin-right:5px;background:currentColor}
.key.line0{color:var(--l0)}.key.line1{color:var(--l1)}.key.line2{color:var(--l2)}.key.line3{color:var(--l3)}
.plot{display:grid;grid-template-columns:auto 1fr;gap:6px;height:160px}
.height{display:flex;flex-direction:column;justify-content:space-between;text-align:right;font-size:12px;color:var(--dim);white-space:nowrap}
.plot svg{width:100%;height:100%;overflow:visible}
.width{display:flex;justify-content:space-between;font-size:12px;color:var(--dim);padding-left:40px}
svg *{vector-effect:non-scaling-stroke;fill:none}.grid{stroke:var(--rule);stroke-width:1}
polyline{stroke-width:2}polyline.line0{stroke:var(--l0)}polyline.line1{stroke:var(--l1)}polyline.line2{stroke:var(--l2);stroke-dasharray:5 3}polyline.line3{stroke:var(--l3);stroke-dasharray:2 3}
.reasons{margin:8px 0 0;padding:0;list-style:none}.reasons li{margin:6px 0;font-size:14px;line-height:1.35}
.reasons .row{display:flex;justify-content:space-between;gap:8px}.reasons code{font-size:13px}.reasons .n{font-variant-numeric:tabular-nums;white-space:nowrap}
.bar{display:block;width:100%;height:6px}.bar rect{fill:var(--l1)}
.table{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:14px}
th,td{padding:3px 8px 3px 0;text-align:left;border-bottom:1px solid var(--rule);overflow-wrap:anywhere}
td.n,th.n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums;overflow-wrap:normal}
)";

std::string N(uint64_t n) { return std::to_string(n); }

std::string Ms(double ms) {
    char text[40];
    std::snprintf(text, sizeof text, "%.3f ms", ms);
    return text;
}

std::string Value(const std::string& name, uint64_t value) {
    return name.ends_with("_ns") ? Ms(static_cast<double>(value) / 1e6) : N(value);
}

// A script element ends at the first "</script": none can stand in data.
std::string DataText(std::string text) {
    for (size_t at = 0; (at = text.find('<', at)) != std::string::npos;) text.replace(at, 1, "\\u003c");
    return text;
}

std::string Reasons(const std::vector<Reason>& given) {
    std::vector<Reason> reasons = given;
    std::erase_if(reasons, [](const Reason& r) { return r.name.ends_with("_ns"); });
    if (reasons.empty()) return {};
    std::stable_sort(reasons.begin(), reasons.end(),
                     [](const Reason& a, const Reason& b) { return a.count > b.count; });
    std::string out = "<ul class=\"reasons\">";
    for (const Reason& reason : reasons) {
        char width[24];
        std::snprintf(width, sizeof width, "%.2f",
                      100.0 * static_cast<double>(reason.count) / static_cast<double>(reasons.front().count));
        out += "<li><div class=\"row\"><code>" + HtmlText(reason.name) + "</code><span class=\"n\" data-reason=\"" +
               HtmlText(reason.name) + "\">" + N(reason.count) +
               "</span></div><svg class=\"bar\" aria-hidden=\"true\"><rect width=\"" + width +
               "%\" height=\"6\"/></svg>";
        if (const std::string text = CountText(reason.name); !text.empty())
            out += "<small>" + HtmlText(text) + "</small>";
        out += "</li>";
    }
    return out + "</ul>";
}

// The variable in an advice is what one copies.
std::string Advice(const std::string& advice) {
    const size_t end = std::min(advice.find_first_of(": "), advice.size());
    return "<p class=\"advice\">Try <code>" + HtmlText(advice.substr(0, end)) + "</code>" +
           HtmlText(advice.substr(end)) + "</p>";
}

std::string Card(const FeatureReport& feature) {
    std::string out = "<section class=\"card\"><h4>" + HtmlText(feature.name) + "<span class=\"state" +
                      (feature.state == FeatureState::kGained     ? " gained"
                       : feature.state == FeatureState::kObserved ? " observed"
                                                                  : "") +
                      "\">" + StateName(feature.state) + "</span></h4><p>" + HtmlText(feature.text) + "</p>";
    out += "<p class=\"dim\"><code>" + HtmlText(feature.key + (feature.value.empty() ? "" : " = " + feature.value)) +
           "</code></p>";
    for (const Prediction& p : feature.predictions) {
        out += "<p>With it the driver would get " + RemainingText(p) + " of " + N(p.asked) + " <code>" +
               HtmlText(p.counter) + "</code>.</p>";
    }
    if (!feature.advice.empty()) out += Advice(feature.advice);
    return out + Reasons(feature.reasons) + "</section>\n";
}

std::string CounterTable(const std::vector<Counter>& counters) {
    std::string out =
        "<h3>Counters</h3><div class=\"table\"><table><thead><tr><th>counter</th><th class=\"n\">asked</th><th "
        "class=\"n\">reached the "
        "driver</th></tr></thead><tbody>\n";
    for (const Counter& c : counters) {
        const std::string name = HtmlText(c.name);
        out += "<tr><td><code>" + name + "</code></td><td class=\"n\" data-counter=\"" + name +
               "\" data-side=\"asked\">" + Value(c.name, c.asked) + "</td><td class=\"n\" data-counter=\"" + name +
               "\" data-side=\"driver\">" + Value(c.name, c.driver) + "</td></tr>\n";
    }
    return out + "</tbody></table></div>\n";
}

std::string Group(const ReportGroup& group, const std::vector<Chart>& charts, size_t index) {
    const DeviceTotals& sum = group.sum;
    const std::string prefix = "group" + N(index) + "-";
    std::string out = "<article id=\"group" + N(index) + "\"><h2>" +
                      HtmlText(sum.program.empty() ? "(program not told)" : sum.program) + "</h2><p class=\"dim\">" +
                      HtmlText(sum.name) + (sum.driver.empty() ? "" : ", " + HtmlText(sum.driver)) + "; " +
                      N(group.runs) + (group.runs == 1 ? " run, " : " runs, ") + N(sum.frames) + " frames, " +
                      Ms(sum.ms) + "</p>";
    if (group.unfinished)
        out += "<p class=\"dim\">" + N(group.unfinished) + " without a summary line yet: the frames so far.</p>";
    if (sum.rows.size() < sum.frames)
        out += "<p class=\"dim\">" + N(sum.frames - sum.rows.size()) +
               " frames are not in these logs: the charts lack them.</p>";
    if (const std::string unknown = UnknownText(sum); !unknown.empty())
        out += "<p class=\"dim\">" + HtmlText(unknown) + ".</p>";
    if (group.settings_differ)
        out += "<p class=\"dim\">The runs had different settings; those of the first are shown.</p>";
    out += "<h3>What was gained, and what could be</h3><div class=\"cards\">\n";
    for (const FeatureReport& feature : group.features) out += Card(feature);
    out += "</div>\n";
    if (!group.advice.empty()) {
        out += "<h3>What the program could do better</h3><ul>";
        for (const std::string& advice : group.advice) out += "<li>" + HtmlText(advice) + "</li>";
        out += "</ul>\n";
    }
    if (!charts.empty()) {
        out += "<h3>Frame by frame</h3><div class=\"charts\">\n";
        for (const Chart& chart : charts) out += ChartHtml(chart, prefix + chart.id);
        out += "</div>\n";
    }
    return out + CounterTable(sum.counters) + "</article>\n";
}

std::string Comparisons(const std::vector<Comparison>& comparisons) {
    std::string out;
    for (const Comparison& c : comparisons) {
        out += "<article><h2>Compared: " + HtmlText(c.program) + "</h2><p class=\"dim\">" + HtmlText(c.device) + "; " +
               N(c.frames_before) + " frames before, " + N(c.frames_after) + " after; " + Ms(c.ms_before) +
               " before, " + Ms(c.ms_after) + " after</p>";
        if (!c.settings.empty()) {
            out +=
                "<div "
                "class=\"table\"><table><thead><tr><th>setting</th><th>before</th><th>after</th></tr></thead><tbody>";
            for (const SettingDifference& s : c.settings)
                out += "<tr><td><code>" + HtmlText(s.key) + "</code></td><td>" + HtmlText(s.before) + "</td><td>" +
                       HtmlText(s.after) + "</td></tr>\n";
            out += "</tbody></table></div>";
        }
        out +=
            "<div class=\"table\"><table><thead><tr><th>what differs</th><th class=\"n\">before</th><th "
            "class=\"n\">after</th></tr></thead><tbody>";
        for (const Difference& d : c.differences)
            out += "<tr><td><code>" + HtmlText(d.side + " " + d.name) + "</code></td><td class=\"n\">" +
                   Value(d.name, d.before) + "</td><td class=\"n\">" + Value(d.name, d.after) + "</td></tr>\n";
        out += "</tbody></table></div></article>\n";
    }
    return out;
}

}  // namespace

std::string ReportHtml(const Report& report) {
    std::string body;
    ordered_json drawn = ordered_json::array();
    for (size_t i = 0; i < report.groups.size(); ++i) {
        const std::vector<Chart> charts = MakeCharts(report.groups[i].sum.rows);
        body += Group(report.groups[i], charts, i);
        for (const Chart& chart : charts) {
            ordered_json lines = ordered_json::array();
            for (const ChartLine& line : chart.lines)
                lines.push_back({{"name", line.name}, {"total", line.total}, {"points", line.points}});
            drawn.push_back({{"id", "group" + N(i) + "-" + chart.id},
                             {"unit", chart.unit},
                             {"frames", chart.frames},
                             {"lines", lines}});
        }
    }
    for (const std::string& note : report.notes) body += "<p class=\"dim\">Note: " + HtmlText(note) + "</p>\n";
    // Browsers ask for an icon unless the page says that it has none.
    std::string page =
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
        "content=\"width=device-width,initial-scale=1\">"
        "<link rel=\"icon\" href=\"data:,\"><title>Kronos report</title><style>" +
        std::string(kStyle) + "</style></head><body><h1>Kronos report</h1>\n" + body + Comparisons(report.comparisons) +
        "<script type=\"application/json\" id=\"report\">" + DataText(ReportJson(report)) + "</script>\n" +
        "<script type=\"application/json\" id=\"charts\">" +
        DataText(drawn.dump(-1, ' ', false, ordered_json::error_handler_t::replace)) + "</script>\n</body></html>\n";
    return page;
}

}  // namespace kronos::command
