// SPDX-License-Identifier: Apache-2.0
// The charts of a report: frames gathered into points, drawn as SVG. Pure. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "stats_reader.h"

namespace kronos::command {

struct ChartLine {
    std::string name;            ///< for people
    uint64_t total = 0;          ///< of all frames, in the log's unit
    std::vector<double> points;  ///< the mean of a point's frames, in the chart's unit
};

struct Chart {
    std::string id;     ///< "barriers"
    std::string title;  ///< "Barriers per frame"
    std::string unit;   ///< "" for plain numbers, "ms", "MiB"
    std::vector<ChartLine> lines;
    std::vector<uint64_t> frames;  ///< in each point
    double highest = 0;
};

/// At most so many points are drawn: more are not seen on a screen.
inline constexpr size_t kMostPoints = 240;

/// The charts that have anything to show. None without frames.
std::vector<Chart> MakeCharts(const std::vector<FrameRow>& rows);

/// A figure: caption, legend, axes as text, lines as SVG, which is stretched to the width there is.
std::string ChartHtml(const Chart& chart, const std::string& id);

/// What HTML gives a meaning is made plain text.
std::string HtmlText(const std::string& text);

}  // namespace kronos::command
