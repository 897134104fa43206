// SPDX-License-Identifier: Apache-2.0
#include "support/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace kronos {
namespace {

using ::testing::HasSubstr;

TEST(Log, GoesToStandardErrorAndNeverToStandardOutput) {
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    const auto log = Log::Create(LogLevel::kDebug, "");
    log->Error("an {}", "error");
    log->Warn("a warning");
    log->Notice("notice");
    log->Info("info");
    log->Debug("detail");
    EXPECT_EQ(
        ::testing::internal::GetCapturedStderr(),
        "kronos: error: an error\nkronos: warning: a warning\nkronos: notice\nkronos: info\nkronos: debug: detail\n");
    EXPECT_EQ(::testing::internal::GetCapturedStdout(), "");
}

TEST(Log, LevelsHideWhatIsBelow) {
    ::testing::internal::CaptureStderr();
    Log::Create(LogLevel::kOff, "")->Error("x");
    const auto error = Log::Create(LogLevel::kError, "");
    error->Warn("x");
    error->Notice("x");
    Log::Create(LogLevel::kWarn, "")->Info("x");
    EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

TEST(Log, AFileThatCannotBeOpenedIsSaidAndReplaced) {
    ::testing::internal::CaptureStderr();
    const auto log = Log::Create(LogLevel::kWarn, "/dev/null/x/log");
    log->Warn("still here");
    const std::string told = ::testing::internal::GetCapturedStderr();
    EXPECT_THAT(told, HasSubstr("log_file = '/dev/null/x/log' cannot be opened"));
    EXPECT_THAT(told, HasSubstr("still here"));
}

TEST(Log, AStandardErrorThatNobodyReadsDoesNotKillTheProgram) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        int ends[2];
        if (pipe(ends) != 0) _exit(2);
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        Log::Create(LogLevel::kWarn, "")->Warn("to nobody");
        _exit(0);
    }
    int status = -1;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status)) << "killed by signal " << WTERMSIG(status);
}

TEST(Log, AppendsToAFile) {
    const auto path = std::filesystem::temp_directory_path() / ("kronos-log-" + std::to_string(getpid()));
    Log::Create(LogLevel::kWarn, path.string())->Warn("one");
    Log::Create(LogLevel::kWarn, path.string())->Warn("two");
    std::stringstream text;
    text << std::ifstream(path).rdbuf();
    EXPECT_THAT(text.str(), HasSubstr("one"));
    EXPECT_THAT(text.str(), HasSubstr("two"));
    std::filesystem::remove(path);
}

}  // namespace
}  // namespace kronos
