// SPDX-License-Identifier: Apache-2.0
// kronos: runs programs with the layer, tells whether it works, shows what it counted.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>

#include "doctor.h"
#include "probe.h"
#include "run.h"
#include "summary.h"

namespace {

using namespace kronos::command;  // NOLINT(google-build-using-namespace): this file is the command

struct Request {
    RunRequest run;
    bool json = false;
    std::string file;
    std::string probe_what;
    std::string probe_file;
};

struct Commands {
    CLI::App* run;
    CLI::App* doctor;
    CLI::App* summary;
    CLI::App* probe;
};

Commands Describe(CLI::App& app, Request& request) {
    app.set_version_flag("--version", "kronos " KRONOS_VERSION);
    app.require_subcommand(1);
    Commands commands{};
    commands.run = app.add_subcommand("run", "run a program with the layer: kronos run [OPTIONS] -- PROGRAM [ARG ...]");
    commands.run->add_option("--settings", request.run.settings, "settings of the layer for this run")
        ->type_name("KEY=VALUE");
    commands.run->add_option("--preset", request.run.preset, "settings as a group")->type_name("NAME");
    commands.run->add_flag("--implicit", request.run.implicit, "load it as an implicit layer, by KRONOS_ENABLE=1");
    commands.doctor = app.add_subcommand("doctor", "say whether loader, drivers and layer are there and work");
    commands.doctor->add_flag("--json", request.json, "for machines");
    commands.summary = app.add_subcommand("summary", "show a statistics log as a table per device");
    commands.summary->add_option("file", request.file, "a .kronos.jsonl file that the layer wrote")
        ->required()
        ->type_name("FILE");
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
    if (commands.doctor->parsed()) return Doctor(request.json);
    if (commands.summary->parsed()) return Summary(request.file);
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
