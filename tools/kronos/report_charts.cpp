// SPDX-License-Identifier: Apache-2.0
// The charts of a report.
#include "report_charts.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace kronos::command {
namespace {

struct LineKind {
    const char* name;
    Series series;
};
struct ChartKind {
    const char* id;
    const char* title;
    const char* unit;
    double scale;  ///< from the log's unit
    std::vector<LineKind> lines;
};

const std::vector<ChartKind>& Kinds() {
    static const std::vector<ChartKind> kinds = {
        {"barriers",
         "Barriers a frame",
         "",
         1,
         {{"asked", Series::kBarriersAsked},
          {"reached the driver", Series::kBarriersDriver},
          {"needed, by the layer's analysis", Series::kBarriersEmitted},
          {"necessary within command buffers", Series::kBarriersNecessary}}},
        {"submits",
         "Submissions a frame",
         "",
         1,
         {{"asked", Series::kSubmitsAsked}, {"reached the driver", Series::kSubmitsDriver}}},
        {"dispatches", "Dispatches submitted a frame", "", 1, {{"asked", Series::kDispatches}}},
        {"wait",
         "Waiting a frame",
         "ms",
         1e-6,
         {{"the program waited", Series::kWaitNs}, {"the layer spun", Series::kSpinNs}}},
        {"allocations",
         "Allocations a frame",
         "",
         1,
         {{"asked", Series::kAllocationsAsked}, {"reached the driver", Series::kAllocationsDriver}}},
        {"bytes",
         "Memory allocated a frame",
         "MiB",
         1.0 / (1 << 20),
         {{"asked", Series::kBytesAsked}, {"reached the driver", Series::kBytesDriver}}},
    };
    return kinds;
}

std::string Number(double value) {
    char text[40];
    if (value == std::floor(value) && value < 1e9)
        std::snprintf(text, sizeof text, "%.0f", value);
    else
        std::snprintf(text, sizeof text, "%.4g", value);
    return text;
}

// Of one line: a step a point, so that a single point is seen too.
std::string Points(const std::vector<double>& points, double highest) {
    std::string out;
    for (size_t i = 0; i < points.size(); ++i) {
        const double y = highest > 0 ? 100 - 100 * points[i] / highest : 100;
        char text[96];
        std::snprintf(text, sizeof text, "%s%.2f,%.3f %.2f,%.3f", i ? " " : "",
                      1000.0 * static_cast<double>(i) / static_cast<double>(points.size()), y,
                      1000.0 * static_cast<double>(i + 1) / static_cast<double>(points.size()), y);
        out += text;
    }
    return out;
}

}  // namespace

std::string HtmlText(const std::string& text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '"':
                out += "&quot;";
                break;
            default:
                out += c;
        }
    }
    return out;
}

std::vector<Chart> MakeCharts(const std::vector<FrameRow>& rows) {
    std::vector<Chart> charts;
    if (rows.empty()) return charts;
    const size_t points = std::min(rows.size(), kMostPoints);
    const auto begin = [&](size_t point) { return point * rows.size() / points; };
    for (const ChartKind& kind : Kinds()) {
        Chart chart{kind.id, kind.title, kind.unit, {}, {}, 0};
        for (size_t point = 0; point < points; ++point) chart.frames.push_back(begin(point + 1) - begin(point));
        for (const LineKind& line : kind.lines) {
            ChartLine made{line.name, 0, {}};
            for (size_t point = 0; point < points; ++point) {
                uint64_t sum = 0;
                for (size_t i = begin(point); i < begin(point + 1); ++i) sum += rows[i].At(line.series);
                made.total += sum;
                made.points.push_back(static_cast<double>(sum) * kind.scale / static_cast<double>(chart.frames[point]));
                chart.highest = std::max(chart.highest, made.points.back());
            }
            // The analysis' lines are there only where there was one.
            if (made.total || chart.lines.empty()) chart.lines.push_back(std::move(made));
        }
        if (chart.highest > 0) charts.push_back(std::move(chart));
    }
    return charts;
}

std::string ChartHtml(const Chart& chart, const std::string& id) {
    const std::string unit = chart.unit.empty() ? "" : " " + chart.unit;
    uint64_t frames = 0, most = 0;
    for (const uint64_t n : chart.frames) {
        frames += n;
        most = std::max(most, n);
    }
    std::string out = "<figure class=\"chart\" id=\"" + id + "\"><figcaption>" + HtmlText(chart.title);
    if (most > 1) out += " <small>each point: the mean of up to " + std::to_string(most) + " frames</small>";
    out += "</figcaption>\n<div class=\"legend\">";
    for (size_t i = 0; i < chart.lines.size(); ++i)
        out += "<span class=\"key line" + std::to_string(i) + "\">" + HtmlText(chart.lines[i].name) + "</span> ";
    out += "</div>\n<div class=\"plot\"><div class=\"height\"><span>" + Number(chart.highest) + HtmlText(unit) +
           "</span><span>" + Number(chart.highest / 2) +
           "</span><span>0</span></div>\n<svg viewBox=\"0 0 1000 100\" preserveAspectRatio=\"none\" role=\"img\" "
           "aria-label=\"" +
           HtmlText(chart.title) + "\"><path class=\"grid\" d=\"M0 0H1000M0 50H1000M0 100H1000\"/>";
    for (size_t i = 0; i < chart.lines.size(); ++i)
        out += "<polyline class=\"line" + std::to_string(i) + "\" points=\"" +
               Points(chart.lines[i].points, chart.highest) + "\"/>";
    out += "</svg></div>\n<div class=\"width\"><span>first frame</span><span>" + std::to_string(frames) +
           " frames</span></div></figure>\n";
    return out;
}

}  // namespace kronos::command
