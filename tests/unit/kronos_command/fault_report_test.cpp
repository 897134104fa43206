// SPDX-License-Identifier: Apache-2.0
#include "fault_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "../../scratch.h"

namespace kronos::command {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(FaultReport, LeavesOutNames) {
    EXPECT_EQ(WithoutNames("/home/max/a of max on mars: maximum, maxx, mars2", "/home/max", "max", "mars"),
              "~/a of USER on HOST: maximum, maxx, mars2");
    EXPECT_EQ(WithoutNames("/home/maxi/x", "/home/max", "", ""), "/home/maxi/x") << "another folder";
    EXPECT_EQ(WithoutNames("ab is ab", "", "ab", "ab"), "ab is ab") << "may be any word";
    EXPECT_EQ(WithoutNames("/root/x root localhost", "/root", "root", "localhost"), "~/x root localhost");
    EXPECT_EQ(WithoutNames("mars", "", "mars", "mars"), "USER");
}

class FaultReportTest : public ::testing::Test {
  protected:
    std::filesystem::path Log() const { return scratch_.path() / "a.kronos.jsonl"; }
    std::string Report(const std::filesystem::path& log, size_t frames = 2) const {
        Environment environment;
        environment.Set("HOME", scratch_.path().string());
        Patient patient;
        patient.environment = environment;
        const Findings findings = {{Status::kFault, "loader", "is missing", "install it"}};
        return FaultReport(patient, findings, {"1.2.3", log, frames});
    }
    Patient Here() const {
        Patient patient;
        patient.kronos = KRONOS_EXECUTABLE;
        patient.layout = FindLayout(KRONOS_EXECUTABLE);
        patient.environment = Environment::Current();
        patient.environment.Set("HOME", scratch_.path().string());
        patient.working_directory = scratch_.path();
        return patient;
    }
    Scratch scratch_;
};

TEST_F(FaultReportTest, TellsWhatIsNeededAndTheLastFrames) {
    std::ofstream out(Log());
    out << "{\"event\":\"device\",\"name\":\"GPU\"}\n";
    for (int i = 0; i < 5; ++i) out << "{\"event\":\"frame\",\"frame\":" << i << "}\n";
    out.close();
    const std::string report = Report(Log());
    EXPECT_THAT(report,
                AllOf(HasSubstr("kronos 1.2.3\nLinux "), HasSubstr("FAULT    loader: is missing"),
                      HasSubstr("\"name\":\"GPU\""), HasSubstr("\"frame\":3}\n{\"event\":\"frame\",\"frame\":4")));
    EXPECT_THAT(report, Not(HasSubstr("\"frame\":2"))) << "only the last ones";
    EXPECT_THAT(report, AllOf(HasSubstr("~/a.kronos.jsonl"), Not(HasSubstr(scratch_.path().string()))));
}

TEST_F(FaultReportTest, ALogThatIsNotThere) {
    EXPECT_THAT(Report({}), HasSubstr("there is no log"));
    EXPECT_THAT(Report(Log()), HasSubstr("cannot be read: No such file"));
}

TEST_F(FaultReportTest, OverwritesNothingAndSaysWhy) {
    const std::string there = scratch_.path().string() + "/there", report = scratch_.path().string() + "/report";
    std::ofstream(there) << "mine";
    ::testing::internal::CaptureStderr();
    EXPECT_EQ(WriteFaultReport(Here(), "1", there, ""), 1);
    EXPECT_EQ(WriteFaultReport(Here(), "1", report, scratch_.path().string() + "/no.log"), 1);
    EXPECT_EQ(WriteFaultReport(Here(), "1", scratch_.path().string() + "/no/report", there), 1);
    const std::string told = ::testing::internal::GetCapturedStderr();
    EXPECT_THAT(told,
                AllOf(HasSubstr("there is there already; nothing is written"), HasSubstr("no.log; nothing is written"),
                      HasSubstr("no/report cannot be written: No such file")));
    std::stringstream text;
    text << std::ifstream(there).rdbuf();
    EXPECT_EQ(text.str(), "mine");
    EXPECT_FALSE(std::filesystem::exists(report));
}

TEST_F(FaultReportTest, IsWritten) {
    const std::string report = scratch_.path().string() + "/report";
    ::testing::internal::CaptureStdout();
    EXPECT_EQ(WriteFaultReport(Here(), "1.2.3", report, ""), 0);
    EXPECT_THAT(::testing::internal::GetCapturedStdout(), HasSubstr(report + ": versions"));
    std::stringstream text;
    text << std::ifstream(report).rdbuf();
    EXPECT_THAT(text.str(), AllOf(HasSubstr("# Kronos fault report"), HasSubstr("## Settings that are not the default"),
                                  HasSubstr("## Last lines of the log"), HasSubstr("## What happened")));
}

}  // namespace
}  // namespace kronos::command
