// SPDX-License-Identifier: Apache-2.0
// What kronos top makes of a log that grows.
#include "top.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "../../scratch.h"

namespace kronos::command {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

std::string Device(int part = 1) {
    return R"({"v":1,"event":"device","pid":7,"device":0,"time":"t","program":"p","name":"G")" +
           (part > 1 ? ",\"part\":" + std::to_string(part) : std::string()) + "}\n";
}
std::string Frame(int number, double at_ms, double ms, int submits) {
    return R"({"v":1,"event":"frame","pid":7,"device":0,"frame":)" + std::to_string(number) +
           ",\"at_ms\":" + std::to_string(at_ms) + ",\"ms\":" + std::to_string(ms) + R"(,"asked":{"submits":)" +
           std::to_string(submits) + R"(,"wait_ns":1000000},"driver":{"submits":1}})" + "\n";
}

class FollowedLogTest : public testing::Test {
  protected:
    void Append(const std::string& text) const { std::ofstream(path_, std::ios::app) << text; }

    const Scratch scratch_;
    const std::string path_ = (scratch_.path() / "log.jsonl").string();
};

TEST_F(FollowedLogTest, ReadsWhatIsNewAndOnlyWholeLines) {
    FollowedLog log(path_);
    EXPECT_FALSE(log.Update()) << "it is not there yet";
    const std::string frame = Frame(0, 0, 10, 3);
    Append(Device() + frame.substr(0, 20));
    ASSERT_TRUE(log.Update());
    ASSERT_THAT(log.Totals().devices, SizeIs(1));
    EXPECT_EQ(log.Totals().devices[0].frames, 0U);
    Append(frame.substr(20));
    ASSERT_TRUE(log.Update());
    EXPECT_EQ(log.Totals().devices[0].frames, 1U);
    ASSERT_TRUE(log.Update());
    EXPECT_EQ(log.Totals().devices[0].frames, 1U) << "nothing is read twice";
    EXPECT_EQ(log.Totals().damaged, 0U);
}

TEST_F(FollowedLogTest, GoesOnInTheNextFileWhenOneIsFull) {
    FollowedLog log(path_);
    Append(Device() + Frame(0, 0, 10, 3));
    ASSERT_TRUE(log.Update());
    Append(Frame(1, 10, 10, 4));  // not seen before the file is moved
    std::filesystem::rename(path_, path_ + ".1");
    Append(Device(2) + Frame(2, 20, 10, 5));
    ASSERT_TRUE(log.Update());
    ASSERT_THAT(log.Totals().devices, SizeIs(1));
    EXPECT_EQ(log.Totals().devices[0].frames, 3U);
    EXPECT_EQ(log.Totals().devices[0].Asked("submits"), 12U);
}

TEST_F(FollowedLogTest, ADeletedFileIsFollowedWhenItIsMadeAnew) {
    FollowedLog log(path_);
    Append(Device() + Frame(0, 0, 10, 3));
    ASSERT_TRUE(log.Update());
    std::filesystem::remove(path_);
    EXPECT_FALSE(log.Update());
    Append(Device(2) + Frame(1, 10, 10, 4));
    ASSERT_TRUE(log.Update());
    EXPECT_EQ(log.Totals().devices.at(0).Asked("submits"), 7U);
}

DeviceTotals Frames(int count, double ms, int submits) {
    std::string text = Device();
    for (int i = 0; i < count; ++i) text += Frame(i, i * ms, ms, submits);
    std::istringstream in(text);
    return ReadLog(in).devices.at(0);
}

TEST(Top, RatesAreThoseOfTheLastSecond) {
    std::string text = Device();
    for (int i = 0; i < 100; ++i) text += Frame(i, i * 10, 10, 1);              // a second of 100 frames
    for (int i = 0; i < 50; ++i) text += Frame(100 + i, 1000 + i * 20, 20, 4);  // and one of 50
    std::istringstream in(text);
    const TopRow row = RowOf(ReadLog(in).devices.at(0), 0);
    EXPECT_EQ(row.frames, 150U);
    EXPECT_NEAR(row.frame_rate, 50, 0.01);
    EXPECT_NEAR(row.submit_rate, 200, 0.01);
    EXPECT_NEAR(row.driver_submit_rate, 50, 0.01);
    EXPECT_NEAR(row.wait_share, 0.05, 1e-4) << "1 ms of each 20";
}

TEST(Top, ALongFrameIsNotTakenForManyInASecond) {
    const TopRow row = RowOf(Frames(1, 4000, 8), 0);
    EXPECT_NEAR(row.frame_rate, 0.25, 1e-3);
    EXPECT_NEAR(row.submit_rate, 2, 1e-3);
}

TEST(Top, WhoIsQuietHasNoRate) {
    EXPECT_GT(RowOf(Frames(10, 10, 1), 999).frame_rate, 0);
    EXPECT_EQ(RowOf(Frames(10, 10, 1), 1001).frame_rate, 0);
    DeviceTotals ended = Frames(10, 10, 1);
    ended.complete = true;
    EXPECT_EQ(RowOf(ended, 0).frame_rate, 0);
    EXPECT_EQ(RowOf(Frames(3, 0, 1), 0).frame_rate, 0) << "frames that took no time have no rate";
}

TEST(Top, TheTableKeepsItsFormWhateverAProgramIsCalled) {
    TopRow row;
    row.program = std::string(300, 'x') + "\n\033[2J";
    row.name = "\033[2J";
    const std::string table = FormatTop({row});
    EXPECT_EQ(std::count(table.begin(), table.end(), '\n'), 2);
    EXPECT_EQ(table.find('\033'), std::string::npos);
    EXPECT_THAT(FormatTop({}), HasSubstr("no program runs"));
}

}  // namespace
}  // namespace kronos::command
