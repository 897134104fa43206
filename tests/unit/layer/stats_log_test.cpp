// SPDX-License-Identifier: Apache-2.0
#include "stats/stats_log.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "stats/device_stats.h"

namespace kronos {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

class StatsLogTest : public ::testing::Test {
  protected:
    StatsLogTest() {
        path_ = std::filesystem::temp_directory_path() /
                (std::string("kronos-test-") + ::testing::UnitTest::GetInstance()->current_test_info()->name() + "-" +
                 std::to_string(getpid()));
        std::filesystem::remove(path_);
    }
    ~StatsLogTest() override { std::filesystem::remove(path_); }

    std::shared_ptr<StatsLog> Open(StatsLog::Target target = {}) {
        if (target.path.empty()) target.path = path_.string();
        return StatsLog::Open(target, log_);
    }
    std::unique_ptr<DeviceStats> Device(std::shared_ptr<StatsLog> log, uint32_t index = 0, uint64_t every_ns = 0) {
        return std::make_unique<DeviceStats>(DeviceLabel{index, 1, "p", "n", "d", "1.3.0", "t", "cpu", {}},
                                             std::move(log), true, 0, every_ns);
    }
    std::vector<json> Lines() const {
        std::vector<json> lines;
        std::ifstream file(path_);
        for (std::string line; std::getline(file, line);) lines.push_back(json::parse(line));
        return lines;
    }
    static std::vector<json> Of(const std::vector<json>& lines, const char* event) {
        std::vector<json> out;
        for (const json& line : lines)
            if (line["event"] == event) out.push_back(line);
        return out;
    }

    std::filesystem::path path_;
    std::ostringstream told_;
    std::shared_ptr<Log> log_ = std::make_shared<Log>(
        LogLevel::kWarn,
        std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::ostream_sink_mt>(told_)));
};

TEST_F(StatsLogTest, MemoryIsToldWhenItChangedAndItsHighestAtTheEnd) {
    struct Source : LevelSource {
        MemoryLevels Levels() const override { return levels; }
        MemoryLevels levels;
    } source;
    auto log = Open();
    auto device = Device(log);
    const auto frame = [&] {
        device->counters().Add(Counter::kSubmits);
        device->OnWaitDone();
        log->DrainForTest();
    };
    device->SetLevels(&source);
    frame();  // there is none yet
    source.levels = {{1, 2, 8192, 0, 0, 0, 0}};
    frame();
    frame();  // the same
    source.levels = {{0, 0, 0, 1, 4096, 100, 0}, {1, 1, 16384, 0, 0, 0, 0}};
    frame();
    source.levels = {};
    device->SetLevels(nullptr);
    device.reset();
    const auto lines = Lines();
    const auto frames = Of(lines, "frame");
    ASSERT_EQ(frames.size(), 4u);
    EXPECT_FALSE(frames[0].contains("memory"));
    EXPECT_EQ(frames[1]["memory"][0]["idle"], 2);
    EXPECT_FALSE(frames[2].contains("memory"));
    EXPECT_EQ(frames[3]["memory"].size(), 2u);
    const json& most = lines.back()["memory_most"];
    ASSERT_EQ(most.size(), 2u);
    EXPECT_EQ(most[0]["slab_live_bytes"], 100);
    EXPECT_EQ(most[1]["idle"], 2) << "of each number the highest";
    EXPECT_EQ(most[1]["idle_bytes"], 16384);
}

TEST_F(StatsLogTest, WhoSpinsOnATimelineEndsAFrameWithTheNewValue) {
    auto log = Open();
    auto device = Device(log);
    const auto frames = [&] {
        log->DrainForTest();
        return Of(Lines(), "frame").size();
    };
    constexpr uint64_t kSemaphore = 0x1234, kOther = 0x5678;
    device->counters().Add(Counter::kSubmits);
    // Two in turn, none of them done.
    for (int spin = 0; spin < 5; ++spin) {
        device->OnCounterRead(kSemaphore, 0);
        device->OnCounterRead(kOther, 0);
    }
    EXPECT_EQ(frames(), 0u) << "nothing new was seen";
    device->OnCounterRead(kSemaphore, 1);
    EXPECT_EQ(frames(), 1u);
    device->OnCounterRead(kSemaphore, 2);
    EXPECT_EQ(frames(), 1u) << "nothing was submitted since";
    device->counters().Add(Counter::kSubmits);
    for (int spin = 0; spin < 5; ++spin) {
        device->OnCounterRead(kSemaphore, 2);
        device->OnCounterRead(kOther, 0);
    }
    EXPECT_EQ(frames(), 1u);
    device->OnCounterRead(kOther, 7);
    EXPECT_EQ(frames(), 2u);
}

TEST_F(StatsLogTest, FramesAndSummaryAreCompleteWhenTheDeviceIsGone) {
    auto device = Device(Open());
    for (int i = 0; i < 1000; ++i) {
        device->counters().Add(Counter::kSubmits);
        device->OnSubmit();
        device->OnWaitDone();
    }
    device->counters().Add(Counter::kFlushes);  // an open frame at the end
    device.reset();
    const auto lines = Lines();
    EXPECT_EQ(lines.front()["event"], "device");
    EXPECT_EQ(lines.back()["event"], "summary");
    uint64_t submits = 0, expected = 0;
    const auto frames = Of(lines, "frame");
    for (const json& frame : frames) {
        submits += frame["asked"].value("submits", 0);
        EXPECT_EQ(frame["frame"], expected++);
    }
    // However many frames a full ring has merged, nothing counted is lost.
    EXPECT_EQ(submits, 1000u);
    EXPECT_EQ(lines.back()["asked"]["submits"], 1000);
    EXPECT_EQ(lines.back()["frames"], frames.size());
    EXPECT_EQ(frames.back()["closed_by"], "end");
    EXPECT_EQ(told_.str(), "");
}

TEST_F(StatsLogTest, ManyThreadsLoseNothing) {
    auto device = Device(Open());
    std::vector<std::thread> threads;
    for (int t = 0; t < 8; ++t)
        threads.emplace_back([&] {
            for (int i = 0; i < 2000; ++i) {
                device->counters().Add(Counter::kSubmits);
                device->OnSubmit();
                device->OnWaitDone();
            }
        });
    for (auto& thread : threads) thread.join();
    device.reset();
    uint64_t submits = 0;
    const auto lines = Lines();
    for (const json& frame : Of(lines, "frame")) submits += frame["asked"].value("submits", 0);
    EXPECT_EQ(submits, 16'000u);
}

TEST_F(StatsLogTest, DevicesOfOnePathShareTheFile) {
    auto first = Device(Open(), 0), second = Device(Open(), 1);
    first->counters().Add(Counter::kMaps);
    second->counters().Add(Counter::kMaps, 2);
    first.reset();
    second.reset();
    const auto summaries = Of(Lines(), "summary");
    ASSERT_EQ(summaries.size(), 2u);
    EXPECT_EQ(summaries[0]["device"], 0);
    EXPECT_EQ(summaries[1]["asked"]["maps"], 2);
}

TEST_F(StatsLogTest, AnotherRunAppends) {
    Device(Open()).reset();
    Device(Open()).reset();
    EXPECT_EQ(Of(Lines(), "summary").size(), 2u);
}

TEST_F(StatsLogTest, AFullDiskStopsTheLogAndIsSaidOnce) {
    StatsLog::Target target;
    target.path = "/dev/full";
    auto device = Device(Open(target));
    for (int i = 0; i < 10; ++i) {
        device->counters().Add(Counter::kSubmits);
        device->CloseFrame(FrameEnd::kWait);
    }
    device.reset();
    const std::string told = told_.str();
    EXPECT_THAT(told, HasSubstr("/dev/full cannot be written (No space left on device)"));
    EXPECT_EQ(told.find("cannot be written"), told.rfind("cannot be written"));
}

TEST_F(StatsLogTest, APathThatCannotBeOpenedIsOneLine) {
    StatsLog::Target target;
    target.path = "/nonexistent/folder/file";
    EXPECT_EQ(Open(target), nullptr);
    EXPECT_THAT(told_.str(),
                HasSubstr("stats_file = '/nonexistent/folder/file' cannot be opened (No such file or directory)"));
    target.path = std::filesystem::temp_directory_path().string();
    EXPECT_EQ(Open(target), nullptr);
    EXPECT_THAT(told_.str(), HasSubstr("Is a directory"));
    ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
    EXPECT_EQ(Open(), nullptr) << "a pipe without a reader must not block the program";
}

TEST_F(StatsLogTest, WhatTheProgramDoesWithDescriptorsIsItsOwnAffair) {
    auto device = Device(Open());
    device->counters().Add(Counter::kMaps);
    // The program closes what it did not open, as daemons do, and opens its own file: it may get our number.
    for (int fd = 3; fd < 64; ++fd) close(fd);
    const std::string own = path_.string() + ".own";
    std::vector<int> fds;
    for (int i = 0; i < 16; ++i) fds.push_back(open(own.c_str(), O_RDWR | O_CREAT, 0600));
    device->CloseFrame(FrameEnd::kWait);
    device.reset();
    EXPECT_EQ(std::filesystem::file_size(own), 0u) << "statistics in the program's own file";
    for (const int fd : fds) EXPECT_EQ(close(fd), 0) << "the program's descriptor was closed";
    std::filesystem::remove(own);
    EXPECT_THAT(told_.str(), HasSubstr("the program has closed its descriptor"));
}

TEST_F(StatsLogTest, NeverTakesTheNumbersOfTheStandardStreams) {
    const int saved = dup(STDIN_FILENO);
    close(STDIN_FILENO);
    auto device = Device(Open());
    EXPECT_EQ(fcntl(STDIN_FILENO, F_GETFD), -1) << "the program had closed it, and it must stay closed";
    dup2(saved, STDIN_FILENO);
    close(saved);
    device.reset();
    EXPECT_EQ(Of(Lines(), "summary").size(), 1u);
}

TEST_F(StatsLogTest, AFileSizeLimitDoesNotKillTheProgram) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        const rlimit none = {0, 0};
        setrlimit(RLIMIT_FSIZE, &none);
        Device(Open()).reset();
        _exit(told_.str().find("File too large") != std::string::npos ? 0 : 1);
    }
    int status = -1;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status)) << "killed by signal " << WTERMSIG(status);
    EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST_F(StatsLogTest, TheLimitStopsFramesButNotTheSummary) {
    StatsLog::Target target;
    target.path = path_.string();
    target.limit_bytes = 1 << 20;
    auto log = Open(target);
    auto device = Device(log);
    // More than the limit in frames, whatever the ring merges: each pass waits until the log has taken what there was.
    for (int i = 0; i < 12'000; ++i) {
        device->counters().Add(Counter::kSubmits);
        device->CloseFrame(FrameEnd::kWait);
        if (i % 200 == 199) log->DrainForTest();
    }
    device.reset();
    log.reset();
    EXPECT_LT(std::filesystem::file_size(path_), (1u << 20) + 4096u);
    EXPECT_GT(std::filesystem::file_size(path_), (1u << 20) - 4096u);
    EXPECT_EQ(Lines().back()["asked"]["submits"], 12'000);
    EXPECT_THAT(told_.str(), HasSubstr("has reached stats_limit (1 MiB)"));
}

class RotationTest : public StatsLogTest {
  protected:
    ~RotationTest() override {
        for (int older = 1; older <= 9; ++older) std::filesystem::remove(Older(older));
    }
    std::string Older(int n) const { return path_.string() + "." + std::to_string(n); }
    std::vector<json> LinesOf(const std::string& path) const {
        std::vector<json> lines;
        std::ifstream file(path);
        for (std::string line; std::getline(file, line);) lines.push_back(json::parse(line));
        return lines;
    }
    StatsLog::Target Target(uint32_t older_files) const {
        StatsLog::Target target;
        target.path = path_.string();
        target.limit_bytes = 64 << 10;
        target.older_files = older_files;
        return target;
    }
    // Whatever the ring merges: each pass waits until the log has taken what there was.
    static void WriteFrames(StatsLog& log, DeviceStats& device, int frames) {
        for (int i = 0; i < frames; ++i) {
            device.counters().Add(Counter::kSubmits);
            device.CloseFrame(FrameEnd::kWait);
            if (i % 100 == 99) log.DrainForTest();
        }
    }
};

TEST_F(RotationTest, AFullFileBecomesAnOlderOneAndNoFrameIsLost) {
    auto log = Open(Target(9));
    auto device = Device(log, 0), silent = Device(log, 1);
    WriteFrames(*log, *device, 3'000);
    device.reset();
    silent.reset();
    log.reset();
    int files = 1;
    while (files < 9 && std::filesystem::exists(Older(files))) ++files;
    ASSERT_GT(files, 2) << "several files were filled";
    ASSERT_LT(files, 9) << "and none was dropped, or this test says nothing";
    uint64_t submits = 0, number = 0;
    for (int older = files - 1; older >= 0; --older) {
        const std::string path = older ? Older(older) : path_.string();
        const auto lines = LinesOf(path);
        EXPECT_LT(std::filesystem::file_size(path), (64u << 10) + 4096u) << path;
        // Each can be read by itself: both devices are named first.
        const auto devices = Of(lines, "device");
        ASSERT_EQ(devices.size(), 2u) << path;
        EXPECT_EQ(lines[0]["event"], "device");
        EXPECT_EQ(lines[1]["event"], "device");
        const int part = files - older;
        EXPECT_EQ(devices[0].value("part", 1), part) << path;
        for (const json& frame : Of(lines, "frame")) {
            EXPECT_EQ(frame["frame"], number++);
            submits += frame["asked"].value("submits", 0);
        }
        EXPECT_EQ(Of(lines, "summary").size(), older ? 0u : 2u);
    }
    EXPECT_EQ(submits, 3'000u);
    EXPECT_EQ(told_.str(), "");
}

TEST_F(RotationTest, NoMoreFilesStayThanWereAskedFor) {
    auto log = Open(Target(1));
    auto device = Device(log);
    WriteFrames(*log, *device, 3'000);
    device.reset();
    log.reset();
    EXPECT_TRUE(std::filesystem::exists(Older(1)));
    EXPECT_FALSE(std::filesystem::exists(Older(2)));
    const auto last = Lines().back();
    EXPECT_EQ(last["event"], "summary");
    EXPECT_EQ(last["asked"]["submits"], 3'000);
}

TEST_F(RotationTest, WhereAFileCannotBeRenamedItEndsAndTheProgramGoesOn) {
    // A folder that is not empty stands where the full file should go.
    std::filesystem::create_directories(Older(1) + "/inside");
    auto log = Open(Target(1));
    auto device = Device(log);
    WriteFrames(*log, *device, 3'000);
    device.reset();
    log.reset();
    std::filesystem::remove_all(Older(1));
    EXPECT_LT(std::filesystem::file_size(path_), (64u << 10) + 4096u);
    EXPECT_EQ(Lines().back()["asked"]["submits"], 3'000);
    const std::string told = told_.str();
    EXPECT_THAT(told, HasSubstr("is full and cannot be renamed"));
    EXPECT_EQ(told.find("no more frames"), told.rfind("no more frames")) << "said once";
}

TEST_F(RotationTest, OfTwoLogsOnOneFileNeitherMovesTheOthersAway) {
    // Two processes with one stats_file: to the log another object on the same path is the same thing.
    auto first = Open(Target(9));
    StatsLog::Target other = Target(9);
    other.tick_ns = 3'600'000'000'000;
    auto second = Open(other);
    ASSERT_NE(first, second);
    auto a = Device(first, 0), b = Device(second, 1);
    for (int i = 0; i < 20; ++i) {
        WriteFrames(*first, *a, 100);
        WriteFrames(*second, *b, 100);
    }
    a.reset();
    b.reset();
    first.reset();
    second.reset();
    std::map<int, uint64_t> submits;
    for (int older = 0; older <= 9; ++older)
        for (const json& frame : Of(LinesOf(older ? Older(older) : path_.string()), "frame"))
            submits[frame["device"]] += frame["asked"].value("submits", 0);
    EXPECT_EQ(submits[0], 2'000u);
    EXPECT_EQ(submits[1], 2'000u);
    EXPECT_TRUE(std::filesystem::exists(Older(1)));
    EXPECT_FALSE(std::filesystem::exists(Older(9))) << "or this test says nothing";
}

TEST_F(RotationTest, ADeletedFileIsMadeAnew) {
    auto log = Open();
    auto device = Device(log);
    WriteFrames(*log, *device, 100);
    ASSERT_TRUE(std::filesystem::remove(path_));
    WriteFrames(*log, *device, 100);
    ASSERT_TRUE(std::filesystem::remove(path_));
    WriteFrames(*log, *device, 100);
    device.reset();
    log.reset();
    const auto lines = Lines();
    ASSERT_FALSE(lines.empty());
    EXPECT_EQ(lines.front()["event"], "device");
    EXPECT_EQ(lines.front()["part"], 3);
    EXPECT_EQ(lines.back()["asked"]["submits"], 300);
    const std::string told = told_.str();
    EXPECT_THAT(told, HasSubstr("was deleted while it was written to"));
    EXPECT_EQ(told.find("was deleted"), told.rfind("was deleted")) << "said once";
}

TEST_F(RotationTest, ADeletedFolderEndsTheLogOnly) {
    const std::filesystem::path folder = path_.string() + ".folder";
    std::filesystem::create_directories(folder);
    StatsLog::Target target;
    target.path = (folder / "log").string();
    auto log = Open(target);
    auto device = Device(log);
    std::filesystem::remove_all(folder);
    WriteFrames(*log, *device, 300);
    device.reset();
    EXPECT_FALSE(std::filesystem::exists(folder));
    EXPECT_THAT(told_.str(), HasSubstr("cannot be opened again (No such file or directory)"));
}

TEST_F(StatsLogTest, ATerminalThatNobodyReadsStopsTheLogAndNotTheProgram) {
    const int master = posix_openpt(O_RDWR | O_NOCTTY);
    ASSERT_GE(master, 0);
    ASSERT_EQ(grantpt(master), 0);
    ASSERT_EQ(unlockpt(master), 0);
    StatsLog::Target target;
    target.path = ptsname(master);
    auto log = Open(target);
    ASSERT_NE(log, nullptr);
    auto device = Device(log);
    // More than a terminal holds: where a write could wait, this would never end.
    for (int i = 0; i < 2'000; ++i) {
        device->counters().Add(Counter::kSubmits);
        device->CloseFrame(FrameEnd::kWait);
        if (i % 100 == 99) log->DrainForTest();
    }
    device.reset();
    log.reset();
    close(master);
    EXPECT_THAT(told_.str(), HasSubstr("cannot be written (Resource temporarily unavailable)"));
}

TEST_F(StatsLogTest, CsvHasItsHeaderOnce) {
    StatsLog::Target target;
    target.path = path_.string();
    target.format = StatsFormat::kCsv;
    Device(Open(target)).reset();
    Device(Open(target)).reset();
    std::ifstream file(path_);
    std::stringstream text;
    text << file.rdbuf();
    const std::string all = text.str();
    EXPECT_EQ(all.find("v,event,pid"), 0u);
    EXPECT_EQ(all.rfind("v,event,pid"), 0u);
}

TEST_F(StatsLogTest, TimeEndsAFrameWithoutTheProgramsHelp) {
    StatsLog::Target target;
    target.path = path_.string();
    target.tick_ns = 1'000'000;
    auto device = Device(Open(target), 0, 1'000'000);
    device->counters().Add(Counter::kMaps);
    while (device->MakeSummary(false).frames == 0) std::this_thread::yield();  // the log's thread closes it
    device.reset();
    const auto frames = Of(Lines(), "frame");
    ASSERT_FALSE(frames.empty());
    EXPECT_EQ(frames[0]["closed_by"], "time");
}

TEST_F(StatsLogTest, AForkedChildLeavesTheParentsLogAlone) {
    auto device = Device(Open());
    device->counters().Add(Counter::kMaps);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        device->counters().Add(Counter::kMaps, 100);
        device->CloseFrame(FrameEnd::kWait);
        device.reset();
        _exit(0);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    device.reset();
    const auto summaries = Of(Lines(), "summary");
    ASSERT_EQ(summaries.size(), 1u);
    EXPECT_EQ(summaries[0]["asked"]["maps"], 1);
}

TEST_F(StatsLogTest, AfterExitFramesAreWrittenWhereTheyEnd) {
    auto log = Open();
    auto device = Device(log);
    device->counters().Add(Counter::kMaps);
    log->Exit();
    const auto at_exit = Of(Lines(), "summary");
    ASSERT_EQ(at_exit.size(), 1u);
    EXPECT_EQ(at_exit[0]["at"], "exit");
    device->counters().Add(Counter::kMaps);
    device->CloseFrame(FrameEnd::kWait);
    EXPECT_EQ(Of(Lines(), "frame").back()["asked"]["maps"], 1) << "written without a thread";
    device.reset();
    const auto last = Of(Lines(), "summary");
    ASSERT_EQ(last.size(), 2u);
    EXPECT_EQ(last[1]["at"], "destroy");
    EXPECT_EQ(last[1]["asked"]["maps"], 2);
}

TEST_F(StatsLogTest, HalfALineOfAKilledProcessStaysOneDamagedLine) {
    const std::string torn = R"({"v":1,"event":"fra)";
    std::ofstream(path_) << torn;
    Device(Open()).reset();
    std::ifstream file(path_);
    std::string line;
    ASSERT_TRUE(std::getline(file, line));
    EXPECT_EQ(line, torn);
    size_t whole = 0;
    for (; std::getline(file, line); ++whole) EXPECT_TRUE(json::accept(line)) << line;
    EXPECT_GT(whole, 0u);
}

}  // namespace
}  // namespace kronos
