// SPDX-License-Identifier: Apache-2.0
// Samples in turn, medians and quartiles, a table for people and JSON for machines. Owned by main; one thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "costs_device.h"

namespace kronos::bench {

/// One thing that is measured: `sample` returns one value in the unit (ns unless said).
struct Case {
    std::string name;
    std::function<double()> sample;
    const char* unit = "ns";
};

class Report {
  public:
    /// At most `rounds` samples of each case, fewer (at least 5) when a group of cases takes longer than `seconds`.
    Report(size_t rounds, double seconds) : rounds_(rounds), seconds_(seconds) {}

    void Header(const Device& device);
    void Group(const std::string& group, const std::string& about);
    /// Samples the cases in turn, round by round, after one round that does not count, and prints their rows.
    void Measure(const std::vector<Case>& cases);
    /// A row that says why something was not measured.
    void Skip(const std::string& name, const std::string& why);
    /// Throws CostError when the file cannot be written.
    void WriteJson(const std::string& file) const;

  private:
    struct Row {
        std::string group;
        std::string name;
        std::string unit;
        std::string skipped;  // why; empty: measured
        std::vector<double> samples;
    };
    void Print(const Row& row) const;

    size_t rounds_;
    double seconds_;
    std::string group_;
    std::vector<std::pair<std::string, std::string>> header_;
    std::vector<Row> rows_;
};

}  // namespace kronos::bench
