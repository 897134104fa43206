// SPDX-License-Identifier: Apache-2.0
// What each feature of the layer did for a program, by its log.
#include "report_features.h"

#include <algorithm>
#include <cstdio>
#include <initializer_list>
#include <iterator>

#include "kronos/count_texts.h"
#include "setting_names.h"

namespace kronos::command {
namespace {

std::string N(uint64_t n) { return std::to_string(n); }

std::string Of(uint64_t part, uint64_t all) { return N(part) + " of " + N(all); }

std::string Milliseconds(uint64_t ns) {
    char text[40];
    std::snprintf(text, sizeof text, "%.3f ms", static_cast<double>(ns) / 1e6);
    return text;
}

// "KRONOS_WAITS=auto"
std::string Variable(const std::string& key, const std::string& value) {
    const SettingInfo* setting = FindSetting(key);
    return (setting ? std::string(setting->short_env) : key) + "=" + value;
}

uint64_t Less(uint64_t a, uint64_t b) { return a > b ? a - b : 0; }

class Reporter {
  public:
    explicit Reporter(const DeviceTotals& device) : device_(device) {}

    std::vector<FeatureReport> All() {
        std::vector<FeatureReport> all = {Waits(),     Submits(), Fusion(), Barriers(),
                                          Redundant(), Fences(),  Memory(), Descriptors()};
        for (FeatureReport& report : all)
            std::erase_if(report.predictions, [](const Prediction& p) { return p.at_most == 0; });
        return all;
    }

  private:
    FeatureReport Begin(const char* name, const char* key, std::initializer_list<const char*> reasons) const {
        FeatureReport report;
        report.name = name;
        report.key = key;
        if (auto found = device_.settings.find(key); found != device_.settings.end()) report.value = found->second;
        // A prefix ends with an underscore: all decisions of that beginning.
        for (const char* reason : reasons) {
            const std::string_view wanted = reason;
            for (const Counter& decision : device_.did) {
                const bool fits = wanted.ends_with('_') ? decision.name.starts_with(wanted) : decision.name == wanted;
                if (fits && decision.asked) report.reasons.push_back({decision.name, decision.asked});
            }
        }
        return report;
    }
    std::string Setting(const char* key) const {
        auto found = device_.settings.find(key);
        return found == device_.settings.end() ? std::string() : found->second;
    }
    // Only an observed run looks at what would have been.
    std::optional<uint64_t> Foreseen(uint64_t most, const char* decision) const {
        if (Setting("preset") != "observe") return {};
        return std::min(most, device_.Did(decision));
    }
    bool OnProcessor() const { return device_.type == "cpu"; }
    // Why a feature at auto does nothing here.
    std::string AsideText(const char* measured) const {
        return OnProcessor() ? "the device is a processor, and there auto leaves it to the driver" : measured;
    }

    FeatureReport Waits() const {
        FeatureReport report = Begin("Waits", "waits", {"waits_"});
        const uint64_t waits = device_.Asked("waits"), wait_ns = device_.Asked("wait_ns");
        const uint64_t gained = device_.Did("waits_ready") + device_.Did("waits_spun") + device_.Did("waits_slept");
        if (!waits) {
            const uint64_t polls = device_.Asked("polls");
            report.text =
                polls ? "the program never waits, it asks: " + N(polls) + " polls" : "the program never waits";
            if (report.value == "off") report.state = FeatureState::kOff;
            return report;
        }
        const std::string took = "; waiting took " + Milliseconds(wait_ns) + " in all";
        if (report.value == "off") {
            report.state = FeatureState::kOff;
            const uint64_t short_ones = ShortWaits();
            report.predictions.push_back({"waits", waits, 0, short_ones, short_ones});
            report.text = N(waits) + " waits, all left to the driver" + took;
            if (short_ones) report.advice = Variable("waits", "auto") + ": short waits end without a wake-up";
            return report;
        }
        if (gained) {
            report.state = FeatureState::kGained;
            report.text = Of(gained, waits) + " waits ended without a wake-up" + took + ", of it " +
                          Milliseconds(device_.Did("spin_ns")) + " spinning";
        } else {
            report.state = FeatureState::kAside;
            report.text = N(waits) + " waits, none ended without a wake-up";
            if (device_.Did("waits_forwarded") == waits)
                report.text += ": " + AsideText("all were given to the driver alone");
            report.text += took;
            if (report.value == "auto" && OnProcessor())
                report.advice = Variable("waits", "on") + " spins on this device too; seldom faster on a processor";
        }
        if (device_.Did("waits_share_spent") * 10 > waits && Setting("wait_share") != "100")
            report.advice = Variable("wait_share", "100") + ": " + N(device_.Did("waits_share_spent")) +
                            " waits found the processor time for spinning spent";
        else if (device_.Did("waits_long") * 5 > waits && wait_ns / waits < 2'000'000)
            report.advice = Variable("wait_spin", N(std::max<uint64_t>(2 * wait_ns / waits / 1000, 1))) + ": " +
                            N(device_.Did("waits_long")) + " waits were too long to spin for, " +
                            Milliseconds(wait_ns / waits) + " on average; costs processor time";
        return report;
    }

    // Waits in frames whose waits took no longer than may be spun for.
    uint64_t ShortWaits() const {
        uint64_t limit_us = 200;
        if (const std::string given = Setting("wait_spin"); !given.empty())
            limit_us = std::strtoull(given.c_str(), nullptr, 10);
        uint64_t waits = 0;
        for (const FrameRow& row : device_.rows) {
            const uint64_t n = row.At(Series::kWaits);
            if (n && row.At(Series::kWaitNs) / n <= limit_us * 1000) waits += n;
        }
        return waits;
    }

    FeatureReport Submits() const {
        FeatureReport report =
            Begin("Submissions", "submits", {"submits_", "flushes_", "batches_folded", "fences_virtual"});
        const uint64_t asked = device_.Asked("submits"), driver = device_.Driver("submits");
        if (report.value == "off") report.state = FeatureState::kOff;
        if (!asked) {
            report.text = "the program submits nothing";
            return report;
        }
        if (report.value != "off" && driver < asked) {
            report.state = FeatureState::kGained;
            report.text = N(asked) + " submissions became " + N(driver) + " calls of the driver";
            return report;
        }
        if (report.value != "off") {
            const uint64_t held = device_.Did("submits_held");
            report.state = held ? FeatureState::kNothing : FeatureState::kAside;
            report.text = "the driver got as many calls as there were submissions, " + N(asked);
            if (held)
                report.text += "; " + N(held) + " were held, but none came beside another";
            else if (report.value == "auto" && OnProcessor())
                report.text += ": " + AsideText("");
            return report;
        }
        const uint64_t most = CallsBesideOnePerFrame(Series::kSubmitsAsked);
        report.predictions.push_back({"submits", asked, 0, most, Foreseen(most, "submits_close")});
        report.text = "the driver got all " + N(asked) + " submissions as they came";
        if (most)
            report.advice = Variable("submits", "auto") + ": " + Of(most, asked) + " stand in a frame with others";
        return report;
    }

    // Each frame that has any needs at least one.
    uint64_t CallsBesideOnePerFrame(Series series) const {
        uint64_t more = 0;
        for (const FrameRow& row : device_.rows) more += Less(row.At(series), 1);
        return more;
    }

    FeatureReport Fusion() const {
        FeatureReport report = Begin("Fusion", "fusion", {"buffers_fused", "fusions_"});
        const uint64_t buffers = device_.Asked("command_buffers"), fused = device_.Did("buffers_fused");
        const bool submits_off = Setting("submits") == "off";
        if (report.value == "off" || submits_off) report.state = FeatureState::kOff;
        if (!buffers) {
            report.text = "the program submits no command buffers";
            return report;
        }
        if (fused) {
            report.state = FeatureState::kGained;
            report.text = Of(fused, buffers) + " command buffers reached the driver as parts of " +
                          N(device_.Did("fusions_recorded") + device_.Did("fusions_again")) + " of the layer's own";
            return report;
        }
        if (report.state != FeatureState::kOff) {
            report.state = FeatureState::kAside;
            report.text = "none of " + N(buffers) + " command buffers was recorded again";
            return report;
        }
        const uint64_t most = CallsBesideOnePerFrame(Series::kCommandBuffers);
        report.predictions.push_back({"command_buffers", buffers, 0, most, Foreseen(most, "buffers_close")});
        report.text = submits_off && report.value != "off" ? "needs submissions that may be held, and they are off"
                                                           : N(buffers) + " command buffers, all left as they are";
        if (most)
            report.advice = (submits_off ? Variable("submits", "auto") + " " : std::string()) +
                            (report.value == "off" ? Variable("fusion", "auto") : Variable("fusion", report.value)) +
                            ": " + Of(most, buffers) + " command buffers stand in a frame with others";
        return report;
    }

    FeatureReport Barriers() const {
        FeatureReport report = Begin("Barriers", "barriers", {"streams_", "barriers_"});
        const uint64_t asked = device_.Asked("barrier_calls"), driver = device_.Driver("barrier_calls");
        const uint64_t recorded = device_.Did("barriers_recorded"), direct = device_.Did("streams_direct");
        uint64_t emitted = 0;
        for (const char* why : kEmittedReasons) emitted += device_.Did(why);
        if (report.value == "off") report.state = FeatureState::kOff;
        if (!asked) {
            report.text = "the program records no barriers";
            return report;
        }
        if (device_.Did("streams_observed")) {
            report.state = FeatureState::kObserved;
            const uint64_t fewer = Less(recorded, emitted);
            report.predictions.push_back({"barrier_calls", asked, fewer, fewer, fewer});
            report.text = "of " + N(recorded) + " barriers looked at the driver would get " + N(emitted) + "; " +
                          N(device_.Did("barriers_necessary")) + " order what the command buffers do themselves";
            if (device_.Did("barriers_narrowed"))
                report.text += "; " + N(device_.Did("barriers_narrowed")) + " would name fewer accesses";
            if (fewer)
                report.advice = Variable("barriers", "auto") + ": the driver gets " + N(fewer) + " barriers less";
            return report;
        }
        if (report.value == "off") {
            report.text = "the driver got all " + N(asked) + " barriers";
            report.advice =
                Variable("barriers", "observe") + " counts which of them the data needs, and changes nothing";
            return report;
        }
        if (driver < asked || device_.Did("barriers_narrowed")) {
            report.state = FeatureState::kGained;
            report.text = "the driver got " + Of(driver, asked) + " barriers; " + N(device_.Did("barriers_necessary")) +
                          " order what the command buffers do themselves";
            if (device_.Did("barriers_narrowed"))
                report.text += "; " + N(device_.Did("barriers_narrowed")) + " name fewer accesses than the program's";
        } else if (direct) {
            report.state = FeatureState::kAside;
            report.text = N(direct) + " command buffers were not held: those before them had nothing to gain";
        } else {
            report.text = "all " + N(asked) + " barriers are needed";
        }
        if (direct && report.state == FeatureState::kGained)
            report.text += "; " + N(direct) + " command buffers were not held, as those before them gained too little";
        if (device_.Did("streams_given_up"))
            report.text += "; " + N(device_.Did("streams_given_up")) + " recordings met a command that cannot be held";
        return report;
    }

    FeatureReport Redundant() const {
        FeatureReport report = Begin("Redundant state", "drop_redundant", {"redundant_"});
        const uint64_t same = device_.Did("redundant_pipelines") + device_.Did("redundant_sets") +
                              device_.Did("redundant_constants") + device_.Did("redundant_descriptors");
        const uint64_t all = device_.Asked("pipeline_binds") + device_.Asked("set_binds") + device_.Asked("pushes") +
                             device_.Asked("push_descriptors");
        const uint64_t reached = device_.Driver("pipeline_binds") + device_.Driver("set_binds") +
                                 device_.Driver("pushes") + device_.Driver("push_descriptors");
        const std::string barriers = Setting("barriers");
        if (report.value == "off" || barriers == "off") report.state = FeatureState::kOff;
        if (!all) {
            report.text = "the program binds and pushes nothing";
            return report;
        }
        if (barriers == "observe" && report.value != "off") {
            report.state = FeatureState::kObserved;
            for (const auto& [counter, decision] :
                 {std::pair("pipeline_binds", "redundant_pipelines"), std::pair("set_binds", "redundant_sets"),
                  std::pair("pushes", "redundant_constants"), std::pair("push_descriptors", "redundant_descriptors")})
                if (const uint64_t n = device_.Did(decision))
                    report.predictions.push_back({counter, device_.Asked(counter), n, n, n});
            report.text = Of(same, all) + " binds and pushes change nothing";
            if (same) report.advice = Variable("barriers", "auto") + ": the driver does not get them";
            return report;
        }
        if (report.state == FeatureState::kOff) {
            report.text = "the driver got all " + N(all) + " binds and pushes";
            report.advice = report.value == "off"
                                ? Variable("drop_redundant", "on") + " drops those that change nothing"
                                : Variable("barriers", "observe") + " counts those that change nothing";
            return report;
        }
        if (reached < all) {
            report.state = FeatureState::kGained;
            report.text = "the driver got " + Of(reached, all) + " binds and pushes; " + N(same) + " changed nothing";
        } else if (device_.Did("streams_direct") && !same) {
            report.state = FeatureState::kAside;
            report.text = "command buffers were not held, as there was too little to gain";
        } else {
            report.text = "all " + N(all) + " binds and pushes change something";
        }
        return report;
    }

    FeatureReport Fences() const {
        FeatureReport report = Begin("Fences", "recycle_fences",
                                     {"fences_recycled", "fences_kept", "fences_unknown", "fences_shared",
                                      "fences_marked", "fences_pending", "fences_full", "fences_cheap"});
        const uint64_t created = device_.Asked("fences_created"), driver = device_.Driver("fences_created");
        if (report.value == "off") report.state = FeatureState::kOff;
        if (!created) {
            report.text = "the program creates no fences";
            return report;
        }
        if (report.value == "off") {
            const Bounds bounds = Recyclable(device_.rows, Series::kFencesCreated, Series::kFencesDestroyed);
            // The program's fences are alike, and most are destroyed before the next is created.
            report.predictions.push_back({"fences_created", created, bounds.at_least, bounds.at_most, bounds.at_most});
            report.text = "the driver made all " + N(created) + " fences";
            if (bounds.at_most)
                report.advice = Variable("recycle_fences", "auto") + ": " + Range(bounds, created) +
                                " could be destroyed ones; done where the driver's are dear";
            return report;
        }
        if (driver < created) {
            report.state = FeatureState::kGained;
            report.text = Of(Less(created, driver), created) + " fences the driver never made";
        } else if (device_.Did("fences_cheap")) {
            report.state = FeatureState::kAside;
            report.text = "the driver made all " + N(created) + " fences: they are cheap here, or too few to tell";
        } else {
            report.text = "the driver made all " + N(created) + " fences";
        }
        return report;
    }

    static std::string Range(const Bounds& bounds, uint64_t all) {
        return (bounds.at_least == bounds.at_most ? N(bounds.at_most)
                                                  : N(bounds.at_least) + " to " + N(bounds.at_most)) +
               " of " + N(all);
    }

    FeatureReport Memory() const {
        FeatureReport report = Begin("Memory", "recycle_memory", {"memory_", "slabs_"});
        const uint64_t asked = device_.Asked("allocations"), driver = device_.Driver("allocations");
        const uint64_t served = device_.Did("slabs_served");
        if (report.value == "off" && !served) report.state = FeatureState::kOff;
        if (!asked) {
            report.text = "the program allocates no memory";
            return report;
        }
        const uint64_t bytes = device_.Asked("allocated_bytes");
        const std::string size =
            " (" + (bytes >> 20 < 10 ? N(bytes >> 10) + " KiB" : N(bytes >> 20) + " MiB") + " in all)";
        if (report.state == FeatureState::kOff) {
            // When what was idle came back within a frame the log does not tell: nothing is sure. What a slab had room
            // for no free had to precede.
            const bool looked = Setting("preset") == "observe", slabs = Setting("slabs") == "off";
            const uint64_t room = !slabs ? 0 : looked ? device_.Did("slabs_room") : asked - 1;
            const uint64_t again = Recyclable(device_.rows, Series::kAllocationsAsked, Series::kFrees).at_most;
            const uint64_t at_most = std::min(asked, again + room);
            std::optional<uint64_t> expected = Foreseen(again, "memory_again");
            if (expected) expected = std::min(at_most, *expected + room);
            report.predictions.push_back({"allocations", asked, 0, at_most, expected});
            report.text = "the driver made all " + N(asked) + " allocations" + size;
            if (at_most)
                report.advice = Variable("recycle_memory", "auto") +
                                (slabs ? " and " + Variable("slabs", "auto") : "") + ": up to " + Of(at_most, asked) +
                                " could be freed ones or parts of slabs, as far as types and sizes fit; done where "
                                "the driver's are dear";
            return report;
        }
        if (driver < asked) {
            report.state = FeatureState::kGained;
            report.text = Of(Less(asked, driver), asked) + " allocations the driver never made" + size;
            if (served) report.text += "; " + N(served) + " are parts of " + N(device_.Did("slabs_made")) + " slabs";
        } else if (device_.Did("memory_cheap")) {
            report.state = FeatureState::kAside;
            report.text =
                "the driver made all " + N(asked) + " allocations" + size + ": they are cheap here, or too few to tell";
        } else {
            report.text = "the driver made all " + N(asked) + " allocations" + size;
        }
        const uint64_t pressed = device_.Did("memory_full") + device_.Did("memory_evicted");
        if (pressed * 10 > asked) {
            const uint64_t limit = std::strtoull(Setting("recycle_limit").c_str(), nullptr, 10);
            if (limit && limit * 2 <= 1'048'576)
                report.advice = Variable("recycle_limit", N(limit * 2)) + ": " + N(pressed) +
                                " times there was no room for freed memory";
        } else if (device_.Did("memory_expired") * 4 > asked) {
            const uint64_t seconds = std::strtoull(Setting("recycle_seconds").c_str(), nullptr, 10);
            if (seconds && seconds * 4 <= 86'400)
                report.advice = Variable("recycle_seconds", N(seconds * 4)) + ": " + N(device_.Did("memory_expired")) +
                                " times freed memory went back before it was wanted again";
        }
        return report;
    }

    FeatureReport Descriptors() const {
        FeatureReport report = Begin("Descriptors", "descriptors", {"descriptor_writes_", "sets_"});
        const uint64_t asked = device_.Asked("descriptor_writes"), driver = device_.Driver("descriptor_writes");
        if (report.value == "off") report.state = FeatureState::kOff;
        if (!asked) {
            report.text = "the program writes no descriptors";
            return report;
        }
        if (report.value == "off") {
            // What a write changes is not followed then: nothing is predicted.
            report.text = "the driver got all " + N(asked) + " writes";
            report.advice = Variable("descriptors", "on") + " leaves out writes that change nothing";
            return report;
        }
        if (driver < asked) {
            report.state = FeatureState::kGained;
            report.text = "the driver got " + Of(driver, asked) + " writes";
            if (device_.Did("sets_found"))
                report.text += "; " + N(device_.Did("sets_found")) + " sets were there already";
            return report;
        }
        report.text = driver > asked ? "the driver got " + N(driver) + " writes for " + N(asked) +
                                           " of the program: what comes again is written to a set of the layer's once"
                                     : "the driver got all " + N(asked) + " writes";
        if (report.value == "auto" && Setting("barriers") != "on") {
            report.state = FeatureState::kAside;
            report.text += ": auto needs barriers = on";
            report.advice = Variable("descriptors", "on") + " leaves out writes that change nothing";
        }
        return report;
    }

    const DeviceTotals& device_;
};

}  // namespace

const char* StateName(FeatureState state) {
    switch (state) {
        case FeatureState::kGained:
            return "gained";
        case FeatureState::kNothing:
            return "nothing to gain";
        case FeatureState::kAside:
            return "stood aside";
        case FeatureState::kObserved:
            return "observed";
        case FeatureState::kOff:
            break;
    }
    return "off";
}

Bounds Recyclable(const std::vector<FrameRow>& rows, Series created, Series destroyed) {
    Bounds bounds;
    uint64_t idle_least = 0, idle_most = 0;
    uint32_t run = 0;
    for (const FrameRow& row : rows) {
        if (row.run != run) idle_least = idle_most = 0;  // nothing outlives its process
        run = row.run;
        const uint64_t least = std::min(row.At(created), idle_least);
        bounds.at_least += least;
        idle_least += row.At(destroyed) - least;
        idle_most += row.At(destroyed);
        const uint64_t most = std::min(row.At(created), idle_most);
        bounds.at_most += most;
        idle_most -= most;
    }
    return bounds;
}

std::string RemainingText(const Prediction& p) {
    const auto left = [&](uint64_t fewer) { return N(Less(p.asked, fewer)); };
    if (p.at_least == p.at_most) return left(p.at_most);
    const std::string range = left(p.at_most) + " to " + left(p.at_least);
    return p.expected ? "about " + left(*p.expected) + " (" + range + ")" : range;
}

std::vector<FeatureReport> ReportFeatures(const DeviceTotals& device) { return Reporter(device).All(); }

std::vector<std::string> AdviceForProgram(const DeviceTotals& device) {
    std::vector<std::string> advice;
    for (const Counter& decision : device.did)
        if (decision.name.starts_with("advice_") && decision.asked)
            advice.push_back(N(decision.asked) + " " + CountText(decision.name));
    return advice;
}

std::string CountText(const std::string& name) {
    auto found = std::find_if(std::begin(kCountTexts), std::end(kCountTexts),
                              [&](const CountTextRow& row) { return name == row.name; });
    return found == std::end(kCountTexts) ? std::string() : found->text;
}

}  // namespace kronos::command
