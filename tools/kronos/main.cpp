// SPDX-License-Identifier: Apache-2.0
// kronos: runs programs with the layer, tells whether it works, shows what it counted, measures what it changes.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstring>

#include "bench.h"
#include "describe.h"
#include "devices.h"
#include "doctor.h"
#include "enable.h"
#include "fault_report.h"
#include "probe.h"
#include "report.h"
#include "run.h"
#include "settings.h"
#include "summary.h"
#include "top.h"

namespace {

using namespace kronos::command;  // NOLINT(google-build-using-namespace): this file is the command

struct Request {
    RunRequest run;
    BenchRequest bench;
    DevicesRequest devices;
    ReportRequest report;
    SettingsRequest settings;
    TopRequest top;
    bool json = false;
    std::string file;
    std::string report_log;
    std::string describe_form;
    std::string probe_what;
    std::string probe_file;
};

struct Commands {
    CLI::App* run;
    CLI::App* enable;
    CLI::App* disable;
    CLI::App* doctor;
    CLI::App* summary;
    CLI::App* report;
    CLI::App* top;
    CLI::App* settings;
    CLI::App* settings_write;
    CLI::App* settings_install;
    CLI::App* settings_remove;
    CLI::App* settings_profiles;
    CLI::App* bench;
    CLI::App* devices;
    CLI::App* describe;
    CLI::App* probe;
};

std::string CheckSize(const std::string& text) {
    const size_t end = text.find_first_not_of("0123456789");
    const bool unit = end + 1 == text.size() && std::strchr("kKmMgG", text[end]);
    if (end != 0 && !text.empty() && (end == std::string::npos || unit)) return {};
    return "'" + text + "' is not a size: bytes, or with K, M, G";
}

CLI::App* DescribeBench(CLI::App& app, BenchRequest& request) {
    CLI::App* bench = app.add_subcommand("bench", "run the workloads with the layer and without it, in turn");
    bench->add_flag("--list", request.list, "say what workloads and configurations there are");
    bench->add_option("--only", request.only, "only these workloads")->delimiter(',')->type_name("NAME,...");
    bench->add_option("--config", request.configurations, "only these configurations, and off")
        ->delimiter(',')
        ->type_name("NAME,...");
    bench->add_option("--sizes", request.sizes, "sizes of a data buffer (default 64K,8M,64M)")
        ->delimiter(',')
        ->check(CheckSize)
        ->type_name("SIZE,...");
    bench->add_option("--dispatches", request.dispatches, "rounds of a workload in a run (default 1,16,256)")
        ->delimiter(',')
        ->check(CLI::Range(1, 65536))
        ->type_name("N,...");
    bench->add_option("--writing", request.writing, "with the layer: naive, expert or both (default both)")
        ->check(CLI::IsMember({"naive", "expert", "both"}))
        ->type_name("WRITING");
    bench
        ->add_option("--rounds", request.rounds,
                     "take so many turns with all configurations, instead of --seconds-per-row")
        ->check(CLI::Range(1, 1000))
        ->type_name("N");
    bench
        ->add_option("--repeat", request.repeat,
                     "timed repeats of a workload in its turn (default: 3 or more, for 0.2 s)")
        ->check(CLI::Range(1, 10000))
        ->type_name("N");
    bench
        ->add_option("--seconds-per-row", request.seconds_per_row,
                     "go on until ratios are known to +- 1 %, or for so long for each row (default 10)")
        ->check(CLI::Range(0.1, 86400.0))
        ->excludes("--rounds")
        ->type_name("SECONDS");
    bench->add_option("--limit", request.limit_s, "seconds after which a run is ended (default 300)")
        ->check(CLI::Range(1, 86400))
        ->type_name("SECONDS");
    bench->add_flag(
        "--quick", request.quick,
        "under 3 minutes; unless given: --sizes 64K --dispatches 4 --writing naive --limit 60, and repeats for "
        "0.05 s");
    bench->add_flag("--counts", request.counts,
                    "count only: nothing is timed and no result verified, as on a driver that computes nothing");
    bench->add_option("--driver", request.driver, "use this driver only")->type_name("MANIFEST");
    bench->add_option("--device", request.device, "by index or part of its name")->type_name("DEVICE");
    bench->add_option("--program", request.program, "what is run (default: kronos-workloads beside kronos)")
        ->type_name("PATH");
    bench->add_option("--json", request.json, "also write this file, '-': standard output, without the tables")
        ->type_name("FILE");
    return bench;
}

void DescribeSettings(CLI::App& app, SettingsRequest& request, Commands& commands) {
    commands.settings = app.add_subcommand("settings", "show which settings are in effect, and where each comes from");
    commands.settings->add_option("--program", request.program, "as the program of this file name has them")
        ->type_name("NAME");
    commands.settings->add_flag("--json", request.json, "for machines");
    commands.settings->require_subcommand(0, 1);
    const auto values = [&](CLI::App* command) {
        command->add_option("values", request.values, "settings that are not the default")->type_name("KEY=VALUE");
        command->add_option("--preset", request.preset, "settings as a group")->type_name("NAME");
    };
    commands.settings_write =
        commands.settings->add_subcommand("write", "write a commented vk_layer_settings.txt; -: standard output");
    commands.settings_write->add_option("file", request.target)->required()->type_name("FILE");
    commands.settings_write->add_flag("--force", request.force, "also when the file is there");
    values(commands.settings_write);
    commands.settings_install =
        commands.settings->add_subcommand("install", "give one program settings of its own, whoever starts it");
    commands.settings_install->add_option("program", request.target, "its file name")->required()->type_name("PROGRAM");
    values(commands.settings_install);
    commands.settings_remove = commands.settings->add_subcommand("remove", "take a program's settings away again");
    commands.settings_remove->add_option("program", request.target, "its file name")->required()->type_name("PROGRAM");
    commands.settings_profiles =
        commands.settings->add_subcommand("profiles", "list the programs with settings of their own");
}

Commands Describe(CLI::App& app, Request& request) {
    app.set_version_flag("--version", "kronos " KRONOS_VERSION);
    app.require_subcommand(1);
    Commands commands{};
    commands.run = app.add_subcommand("run", "run a program with the layer: kronos run [OPTIONS] -- PROGRAM [ARG ...]");
    commands.run->add_option("--settings", request.run.settings, "settings of the layer for this run")
        ->type_name("KEY=VALUE");
    commands.run->add_option("--preset", request.run.preset, "settings as a group")->type_name("NAME");
    commands.run->add_flag("--implicit", request.run.implicit, "load it as an implicit layer, by KRONOS_ENABLE=1");
    commands.enable = app.add_subcommand("enable", "turn the layer on for all Vulkan programs of this user");
    commands.disable = app.add_subcommand("disable", "undo kronos enable");
    commands.doctor = app.add_subcommand("doctor", "say whether loader, drivers and layer are there and work");
    CLI::Option* json = commands.doctor->add_flag("--json", request.json, "for machines");
    CLI::Option* report =
        commands.doctor
            ->add_option("--report", request.file,
                         "write what is needed to look for a fault to this file: versions, settings, the last frames")
            ->type_name("FILE")
            ->excludes(json);
    commands.doctor->add_option("--log", request.report_log, "with --report: of this log (default: the newest)")
        ->type_name("LOG")
        ->needs(report);
    commands.summary = app.add_subcommand("summary", "show a statistics log as a table per device");
    commands.summary->add_option("file", request.file, "a .kronos.jsonl file that the layer wrote")
        ->required()
        ->type_name("FILE");
    commands.report =
        app.add_subcommand("report", "say what was gained, what could be, and which setting would change it");
    commands.report->add_option("logs", request.report.logs, "statistics logs; runs of one program are added up")
        ->required()
        ->type_name("LOG ...");
    commands.report->add_option("--against", request.report.against, "compare with these logs of an earlier run")
        ->type_name("LOG ...");
    commands.report->add_option("--html", request.report.html, "write one page with charts to this file")
        ->type_name("FILE");
    commands.report->add_option("--trace", request.report.trace, "write the frames as a trace for ui.perfetto.dev")
        ->type_name("FILE");
    commands.report->add_flag("--json", request.report.json, "for machines");
    commands.top = app.add_subcommand("top", "show the programs that run with the layer, and what they ask of Vulkan");
    commands.top
        ->add_option("logs", request.top.logs, "these logs, also of programs that have ended (default: all that run)")
        ->type_name("LOG ...");
    commands.top->add_flag("--json", request.top.json, "for machines: one document a line");
    commands.top->add_option("--interval", request.top.interval_s, "seconds between two looks (default 1)")
        ->check(CLI::Range(0.1, 3600.0))
        ->type_name("SECONDS");
    commands.top
        ->add_option("--count", request.top.count, "how many looks (default: until Ctrl-C on a terminal, otherwise 1)")
        ->check(CLI::Range(1, 1'000'000'000))
        ->type_name("N");
    DescribeSettings(app, request.settings, commands);
    commands.bench = DescribeBench(app, request.bench);
    commands.devices = app.add_subcommand("devices", "show which devices a program sees with the layer, and why");
    commands.devices->add_flag("--json", request.devices.json, "for machines");
    commands.devices->add_flag("--links", request.devices.links, "also measure how fast devices reach one another");
    commands.devices->add_option("--program", request.devices.program, "as the program of this file name sees it")
        ->type_name("NAME");
    commands.describe = app.add_subcommand("internal-describe", "")->group("");
    commands.describe->add_option("form", request.describe_form)->required();
    commands.probe = app.add_subcommand("internal-probe", "")->group("");
    commands.probe->add_option("what", request.probe_what)->required();
    commands.probe->add_option("file", request.probe_file);
    return commands;
}

int Main(std::vector<std::string> arguments) {
    CLI::App app{"Kronos makes unmodified Vulkan compute programs fast.", "kronos"};
    Request request;
    Commands commands = Describe(app, request);
    std::vector<std::string> program;
    std::vector<std::string> words = {"kronos"};
    words.insert(words.end(), arguments.begin(), arguments.end());
    if (!arguments.empty() && arguments.front() == "run") {
        // What follows belongs to the program and must not be read as options.
        RunArguments split = SplitRunArguments({arguments.begin() + 1, arguments.end()});
        program = std::move(split.program);
        arguments.resize(1);
        arguments.insert(arguments.end(), split.options.begin(), split.options.end());
    }
    std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants a vector
    try {
        app.parse(std::move(arguments));
    } catch (const CLI::Success& success) {
        return app.exit(success);
    } catch (const CLI::ParseError& error) {
        std::fprintf(stderr, "kronos: %s (--help shows what there is)\n", error.what());
        return kUsageError;
    }
    if (commands.run->parsed()) return Run(request.run, program);
    if (commands.enable->parsed()) return Enable();
    if (commands.disable->parsed()) return Disable();
    if (commands.doctor->parsed())
        return request.file.empty() ? Doctor(request.json)
                                    : WriteFaultReport(ThisOne(), KRONOS_VERSION, request.file, request.report_log);
    if (commands.summary->parsed()) return Summary(request.file);
    if (commands.report->parsed()) return RunReport(request.report);
    if (commands.top->parsed()) return Top(request.top);
    if (commands.settings->parsed()) {
        if (commands.settings_write->parsed()) return WriteSettings(request.settings);
        if (commands.settings_install->parsed()) return InstallProfile(request.settings);
        if (commands.settings_remove->parsed()) return RemoveProfile(request.settings);
        if (commands.settings_profiles->parsed()) return ListProfiles();
        return ShowSettings(request.settings);
    }
    if (commands.devices->parsed()) return Devices(request.devices);
    if (commands.bench->parsed()) return Bench(request.bench, words);
    if (commands.describe->parsed()) return DescribeCommand(app, request.describe_form, KRONOS_VERSION);
    AnswerProbe(request.probe_what, request.probe_file);
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return Main({argv + 1, argv + argc});
    } catch (const std::exception& error) {
        std::fprintf(stderr, "kronos: %s\n", error.what());
        return kCannotRun;
    }
}
