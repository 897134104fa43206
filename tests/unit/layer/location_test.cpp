// SPDX-License-Identifier: Apache-2.0
#include "stats/location.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace kronos {
namespace {
namespace fs = std::filesystem;

class LocationTest : public ::testing::Test {
  protected:
    LocationTest() : folder_(fs::temp_directory_path() / ("kronos-location-" + std::to_string(getpid()))) {
        fs::remove_all(folder_);
        fs::create_directories(folder_);
        setenv("XDG_STATE_HOME", folder_.c_str(), 1);
    }
    ~LocationTest() override {
        unsetenv("XDG_STATE_HOME");
        fs::remove_all(folder_);
    }
    void Touch(const std::string& name, int age_s) const {
        std::ofstream(folder_ / name) << "x";
        fs::last_write_time(folder_ / name, fs::file_time_type::clock::now() - std::chrono::seconds(age_s));
    }
    fs::path folder_;
    std::shared_ptr<Log> log_ = Log::Create(LogLevel::kOff, "");
};

TEST_F(LocationTest, DefaultNameTellsProgramAndProcess) {
    const std::string path = StatsPath(Settings{}, *log_);
    EXPECT_EQ(fs::path(path).parent_path(), folder_ / "kronos");
    EXPECT_EQ(fs::path(path).filename(), "kronos_unit_tests-" + std::to_string(getpid()) + ".kronos.jsonl");
    Settings csv;
    csv.stats_format = StatsFormat::kCsv;
    EXPECT_TRUE(StatsPath(csv, *log_).ends_with(".kronos.csv"));
}

TEST_F(LocationTest, AGivenPathIsExpandedAndNothingElse) {
    Settings settings;
    settings.stats_file = "some/{program}.{pid}.{other}";
    EXPECT_EQ(StatsPath(settings, *log_), "some/kronos_unit_tests." + std::to_string(getpid()) + ".{other}");
}

TEST_F(LocationTest, OnlyTheOldestStatisticsFilesGo) {
    // Process numbers above the kernel's largest belong to nobody.
    const std::string mine = "d-" + std::to_string(getpid()) + ".kronos.jsonl";
    Touch("a-5000001.kronos.jsonl", 300);
    Touch("b-b-5000002.kronos.csv", 200);
    Touch("c-5000003.kronos.jsonl", 100);
    Touch("a-5000001.kronos.jsonl.1", 400);
    for (const std::string& kept :
         {mine, std::string("baseline.kronos.jsonl"), std::string("x-1y.kronos.csv"), std::string("e-5000004.txt")})
        Touch(kept, 1000);
    PruneStatsFiles(folder_.string(), 2);
    EXPECT_FALSE(fs::exists(folder_ / "a-5000001.kronos.jsonl"));
    EXPECT_FALSE(fs::exists(folder_ / "a-5000001.kronos.jsonl.1")) << "older files of a process go with it";
    for (const std::string& kept :
         {mine, std::string("b-b-5000002.kronos.csv"), std::string("c-5000003.kronos.jsonl"),
          std::string("baseline.kronos.jsonl"), std::string("x-1y.kronos.csv"), std::string("e-5000004.txt")})
        EXPECT_TRUE(fs::exists(folder_ / kept)) << kept;
}

TEST_F(LocationTest, AFolderThatCannotBeMadeFallsBackToTheTemporaryOne) {
    std::ofstream(folder_ / "file") << "x";
    setenv("XDG_STATE_HOME", (folder_ / "file").c_str(), 1);
    setenv("TMPDIR", folder_.c_str(), 1);
    const std::string path = StatsPath(Settings{}, *log_);
    unsetenv("TMPDIR");
    EXPECT_EQ(fs::path(path).parent_path(), folder_ / ("kronos-" + std::to_string(getuid())));
}

TEST_F(LocationTest, NoHomeIsMadeThatWasNotThere) {
    unsetenv("XDG_STATE_HOME");
    const char* home = std::getenv("HOME");
    const std::string saved = home ? home : "";
    fs::create_directories(folder_ / "tmp");
    chmod((folder_ / "tmp").c_str(), 01777);
    setenv("TMPDIR", (folder_ / "tmp").c_str(), 1);
    setenv("HOME", "/kronos-no-such-home/me", 1);
    EXPECT_EQ(fs::path(StatsPath(Settings{}, *log_)).parent_path(),
              folder_ / "tmp" / ("kronos-" + std::to_string(getuid())));
    EXPECT_FALSE(fs::exists("/kronos-no-such-home"));
    setenv("HOME", (folder_ / "home").c_str(), 1);
    fs::create_directories(folder_ / "home");
    EXPECT_EQ(fs::path(StatsPath(Settings{}, *log_)).parent_path(), folder_ / "home/.local/state/kronos");
    setenv("HOME", saved.c_str(), 1);
    unsetenv("TMPDIR");
}

TEST_F(LocationTest, ATemporaryFolderOfSomebodyElseIsNotUsed) {
    if (geteuid() != 0) return;  // only root can give the folder away
    std::ofstream(folder_ / "file") << "x";
    fs::create_directories(folder_ / ("kronos-" + std::to_string(getuid())));
    ASSERT_EQ(chown((folder_ / ("kronos-" + std::to_string(getuid()))).c_str(), 65534, 65534), 0);
    setenv("XDG_STATE_HOME", (folder_ / "file").c_str(), 1);
    setenv("TMPDIR", folder_.c_str(), 1);
    EXPECT_EQ(StatsPath(Settings{}, *log_), "");
    unsetenv("TMPDIR");
}

}  // namespace
}  // namespace kronos
