// SPDX-License-Identifier: Apache-2.0
#include "trace/trace_writer.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>
#include <sys/file.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "trace/trace_events.h"

namespace kronos {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

class TraceWriterTest : public ::testing::Test {
  protected:
    TraceWriterTest() {
        path_ = std::filesystem::temp_directory_path() /
                (std::string("kronos-trace-") + ::testing::UnitTest::GetInstance()->current_test_info()->name() + "-" +
                 std::to_string(getpid()));
        std::filesystem::remove(path_);
    }
    ~TraceWriterTest() override { std::filesystem::remove(path_); }

    std::shared_ptr<TraceWriter> Open(uint64_t limit = 0) { return TraceWriter::Open(path_.string(), limit, log_); }
    // The array, closed.
    json Events() const {
        std::ifstream file(path_);
        std::stringstream text;
        text << file.rdbuf();
        const std::string all = text.str();
        return json::parse(all.substr(0, all.rfind(',') == std::string::npos ? all.size() : all.rfind(',')) + "]");
    }
    static std::string Event(uint64_t n) { return CounterEvent({1, 2}, "name", "unit", 1'000, n); }

    std::filesystem::path path_;
    std::ostringstream told_;
    std::shared_ptr<Log> log_ = std::make_shared<Log>(
        LogLevel::kWarn,
        std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::ostream_sink_mt>(told_)));
};

TEST_F(TraceWriterTest, EventsOfAllThreadsAreThereWhenItIsGone) {
    auto writer = Open();
    std::vector<std::thread> threads;
    for (uint64_t t = 0; t < 4; ++t)
        threads.emplace_back([&, t] {
            for (uint64_t i = 0; i < 1'000; ++i) writer->Add(Event(1'000 * t + i));
        });
    for (std::thread& thread : threads) thread.join();
    writer.reset();
    std::vector<bool> seen(4'000);
    for (const json& event : Events()) seen.at(event["args"]["unit"]) = true;
    EXPECT_EQ(std::count(seen.begin(), seen.end(), true), 4'000);
    EXPECT_EQ(told_.str(), "");
}

TEST_F(TraceWriterTest, DevicesShareTheWriterOfAPath) {
    auto writer = Open();
    EXPECT_EQ(Open(), writer);
    // Who comes later goes on.
    writer->Add(Event(1));
    writer.reset();
    Open()->Add(Event(2));
    EXPECT_EQ(Events().size(), 2u);
}

TEST_F(TraceWriterTest, AFullTraceEnds) {
    auto writer = Open(1'000);
    for (int i = 0; i < 5; ++i) writer->Add(Event(1));
    writer->Exit();
    const auto size = std::filesystem::file_size(path_);
    for (int i = 0; i < 100; ++i) writer->Add(Event(2));
    writer.reset();
    EXPECT_LE(std::filesystem::file_size(path_), 1'000u);
    EXPECT_GE(Events().size(), 5u);
    EXPECT_GE(size, 5 * Event(1).size());
    EXPECT_THAT(told_.str(), HasSubstr("has reached trace_limit"));
}

TEST_F(TraceWriterTest, WhatHasNoRoomIsDroppedAndSaid) {
    auto writer = Open();
    // More at a time than there is room for.
    writer->Add(std::string(20 << 20, ' '));
    writer->Add(Event(1));
    writer.reset();
    // What is said of the first may have been written before the second came.
    std::vector<std::string> names;
    for (const json& event : Events()) names.push_back(event["name"]);
    EXPECT_THAT(names, UnorderedElementsAre(HasSubstr("1 events were dropped"), "name"));
    EXPECT_THAT(told_.str(), HasSubstr("written too slowly"));
}

TEST_F(TraceWriterTest, AFileThatWasDeletedIsMadeAnewWithItsNames) {
    auto writer = Open();
    writer->AddName(TrackNameEvent({1, 2}, "a \"row\""));
    writer->Exit();  // from now on it writes at once
    std::filesystem::remove(path_);
    writer->Add(Event(1));
    writer->Add(Event(2));
    writer.reset();
    const json events = Events();
    ASSERT_EQ(events.size(), 3u);
    EXPECT_EQ(events[0]["args"]["name"], "a \"row\"");
    EXPECT_THAT(told_.str(), HasSubstr("was deleted"));
}

TEST_F(TraceWriterTest, WhatCannotBeMadeAnewEnds) {
    auto writer = Open();
    writer->Exit();  // from now on it writes at once
    std::filesystem::remove(path_);
    std::filesystem::create_directory(path_);
    writer->Add(Event(1));
    writer->Add(Event(2));
    writer.reset();
    EXPECT_TRUE(std::filesystem::is_empty(path_));
    const std::string told = told_.str();
    EXPECT_THAT(told, HasSubstr("cannot be opened again"));
    EXPECT_EQ(told.find("cannot be opened again"), told.rfind("cannot be opened again")) << "said once";
}

TEST_F(TraceWriterTest, WhatCannotBeOpenedIsOneLine) {
    path_ = "/nonexistent/folder/file";
    EXPECT_EQ(Open(), nullptr);
    EXPECT_THAT(told_.str(), HasSubstr("trace_file = '/nonexistent/folder/file' cannot be written (No such file"));
}

TEST(TraceEvents, AreObjectsOfTheFormat) {
    const json slice = json::parse(SliceEvent({7, 8}, "na\"me", 1'234'567, 1'234'667, "\"n\":1"));
    EXPECT_EQ(slice,
              json::parse(R"({"ph":"X","pid":7,"tid":8,"ts":1234.567,"name":"na\"me","dur":0.100,"args":{"n":1}})"));
    const std::string flow = FlowEvents(5, {7, 8}, 1'000, {7, 9}, 2'000);
    EXPECT_EQ(flow.find('\n'), std::string::npos) << "half a pair in the file of a process that was killed";
    const json flows = json::parse("[" + flow + "]");
    ASSERT_EQ(flows.size(), 2u);
    EXPECT_EQ(flows[0]["ph"], "s");
    EXPECT_EQ(flows[1]["ph"], "f");
    EXPECT_EQ(flows[0]["id"], "700000005") << "hexadecimal digits, as readers take it";
    EXPECT_EQ(flows[1]["bp"], "e");
    EXPECT_EQ(json::parse(CounterEvent({7, 8}, "c", "bytes", 0, 9))["args"], json::parse(R"({"bytes":9})"));
    EXPECT_EQ(json::parse(InstantEvent({7, 8}, "i", 0))["s"], "p");
    EXPECT_EQ(json::parse(ProcessNameEvent({7, 8}, "p"))["args"]["name"], "p");
}

TEST(TraceEvents, RowsOfProcessesDiffer) {
    EXPECT_NE(MadeUpTrack(100, 0).tid, MadeUpTrack(101, 0).tid);
    EXPECT_NE(MadeUpTrack(100, 0).tid, MadeUpTrack(100, 1).tid);
    EXPECT_GT(MadeUpTrack(1, 0).tid, 1u << 22);
    EXPECT_LT(MadeUpTrack(0x3fff, 0x7fff).tid, 1u << 31);
}

// What a process that was killed in the middle of a write leaves.
TEST_F(TraceWriterTest, ATornEventIsCutBeforeOthersFollow) {
    for (const size_t length : {size_t{1}, size_t{4}, size_t{20}, Event(2).size()}) {
        std::filesystem::remove(path_);
        Open()->Add(Event(1));
        std::ofstream(path_, std::ios::app) << Event(2).substr(0, length);
        Open()->Add(Event(3));
        const json events = Events();
        ASSERT_EQ(events.size(), 2u) << length;
        EXPECT_EQ(events[1]["args"]["unit"], 3) << length;
    }
}

TEST_F(TraceWriterTest, WhatIsNoTornEventIsLeftThere) {
    const std::string precious = "some\nnotes without an end";
    std::ofstream(path_) << precious;
    Open()->Add(Event(1));
    std::ifstream file(path_);
    std::stringstream text;
    text << file.rdbuf();
    EXPECT_EQ(text.str(), precious + Event(1) + ",\n");
}

TEST_F(TraceWriterTest, NothingIsCutWhileAnotherProcessWrites) {
    const std::string begun = "[\n" + Event(1).substr(0, 20);
    std::ofstream(path_) << begun;
    const int other = open(path_.c_str(), O_RDONLY | O_CLOEXEC);
    ASSERT_EQ(flock(other, LOCK_SH), 0);
    Open()->Add(Event(2));
    EXPECT_EQ(std::filesystem::file_size(path_), begun.size() + Event(2).size() + 2);
    close(other);
}

TEST_F(TraceWriterTest, OthersCanKnowThatItWrites) {
    auto writer = Open();
    const int other = open(path_.c_str(), O_RDONLY | O_CLOEXEC);
    EXPECT_NE(flock(other, LOCK_EX | LOCK_NB), 0);
    writer.reset();
    EXPECT_EQ(flock(other, LOCK_EX | LOCK_NB), 0);
    close(other);
}

}  // namespace
}  // namespace kronos
