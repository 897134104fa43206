// SPDX-License-Identifier: Apache-2.0
// The command line of kronos run, and the executable's exit statuses.
#include "run.h"

#include <gmock/gmock.h>
#include <sys/wait.h>

#include <cstdio>

#include "../../scratch.h"

namespace kronos::command {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Ended {
    int status;
    std::string output;  // standard output and standard error
};

Ended Kronos(const std::string& arguments) {
    FILE* pipe = popen((std::string(KRONOS_EXECUTABLE) + " " + arguments + " 2>&1").c_str(), "r");
    Ended ended{-1, {}};
    if (!pipe) return ended;
    char buffer[512];
    while (size_t n = fread(buffer, 1, sizeof buffer, pipe)) ended.output.append(buffer, n);
    int status = pclose(pipe);
    ended.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return ended;
}

long Lines(const std::string& text) { return std::count(text.begin(), text.end(), '\n'); }

TEST(SplitRunArguments, AtTwoDashes) {
    RunArguments split = SplitRunArguments({"--settings", "a=1", "b=2", "--", "prog", "--settings", "--"});
    EXPECT_THAT(split.options, ElementsAre("--settings", "a=1", "b=2"));
    EXPECT_THAT(split.program, ElementsAre("prog", "--settings", "--"));
}

TEST(SplitRunArguments, AtTheFirstWord) {
    RunArguments split = SplitRunArguments({"--implicit", "--preset", "safe", "--settings", "a=1", "prog", "--x=1"});
    EXPECT_THAT(split.options, ElementsAre("--implicit", "--preset", "safe", "--settings", "a=1"));
    EXPECT_THAT(split.program, ElementsAre("prog", "--x=1"));
}

TEST(SplitRunArguments, AWordAfterSettingsIsNoProgram) {
    RunArguments split = SplitRunArguments({"--settings", "stats", "--", "prog"});
    EXPECT_THAT(split.options, ElementsAre("--settings", "stats"));
    EXPECT_THAT(split.program, ElementsAre("prog"));
}

TEST(SplitRunArguments, Nothing) {
    EXPECT_THAT(SplitRunArguments({}).program, IsEmpty());
    EXPECT_THAT(SplitRunArguments({"--"}).program, IsEmpty());
}

TEST(KronosRun, PassesTheExitStatusOn) { EXPECT_EQ(Kronos("run -- sh -c 'exit 42'").status, 42); }

TEST(KronosRun, PassesArgumentsAndEnvironmentOn) {
    Ended ended = Kronos(
        "run --settings stats=summary -- sh -c 'echo $1 $VK_KRONOS_COMPUTE_STATS $VK_INSTANCE_LAYERS' sh --help");
    EXPECT_EQ(ended.output, "--help summary VK_LAYER_KRONOS_compute\n");
}

TEST(KronosRun, ProgramNotFound) {
    Ended ended = Kronos("run -- no-such-program-here");
    EXPECT_EQ(ended.status, 127);
    EXPECT_THAT(ended.output, HasSubstr("no-such-program-here"));
    EXPECT_EQ(Lines(ended.output), 1);
}

TEST(KronosRun, ProgramNotExecutable) {
    Scratch scratch;
    Ended ended = Kronos("run -- " + scratch.Write("text", "no program").string());
    EXPECT_EQ(ended.status, 126);
    EXPECT_EQ(Lines(ended.output), 1);
}

TEST(KronosRun, BadRequestsEndWith2) {
    for (const char* arguments : {"run", "run --", "run --settings nosuch=1 -- true", "run --settings stats -- true",
                                  "run --preset nosuch -- true", "run --nosuch -- true", "nosuch", ""}) {
        Ended ended = Kronos(arguments);
        EXPECT_EQ(ended.status, 2) << arguments;
        EXPECT_EQ(Lines(ended.output), 1) << arguments << ": " << ended.output;
    }
}

TEST(Kronos, HelpAndVersionEndWith0) {
    for (const char* arguments : {"--help", "--version", "run --help", "doctor --help", "summary --help"}) {
        EXPECT_EQ(Kronos(arguments).status, 0) << arguments;
    }
}

TEST(KronosLayout, BuildTreeBeforeInstallation) {
    Scratch scratch;
    std::filesystem::create_directories(scratch.path() / "bin");
    Layout installed = FindLayout(scratch.path() / "bin/kronos");
    EXPECT_EQ(installed.explicit_dir, scratch.path() / "share/vulkan/explicit_layer.d");
    EXPECT_FALSE(installed.build_tree);
    std::filesystem::create_directories(scratch.path() / "manifest/explicit");
    Layout tree = FindLayout(scratch.path() / "bin/kronos");
    EXPECT_EQ(tree.explicit_manifest(), scratch.path() / "manifest/explicit" / kManifestName);
    EXPECT_TRUE(tree.build_tree);
}

}  // namespace
}  // namespace kronos::command
