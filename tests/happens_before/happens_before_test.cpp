// SPDX-License-Identifier: Apache-2.0
// Random legal programs through the layer that holds their submissions: every edge of the specification is kept, every
// host operation returns what it must, and every program ends.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <thread>

#include "../sanitizers/which.h"
#include "../scratch.h"
#include "run.h"

namespace {

using happens_before::Generate;
using happens_before::Program;
using happens_before::Runner;
using happens_before::Shape;
using happens_before::Text;
using layered::SettingMap;

// Sanitizers take their time.
#ifdef KRONOS_ANY_SANITIZER
constexpr uint64_t kPrograms = 320;
#else
constexpr uint64_t kPrograms = 1'600;
#endif

uint64_t Programs() {
    const char* wanted = std::getenv("KRONOS_HAPPENS_BEFORE_PROGRAMS");
    return wanted ? std::strtoull(wanted, nullptr, 10) : kPrograms;
}

// Ends the process, and says which program it was, when one does not end.
class Watchdog {
  public:
    Watchdog() : thread_([this] { Run(); }) {}
    ~Watchdog() {
        {
            const std::lock_guard lock(mutex_);
            over_ = true;
        }
        wake_.notify_one();
        thread_.join();
    }
    Watchdog(const Watchdog&) = delete;
    Watchdog& operator=(const Watchdog&) = delete;
    void Begin(uint64_t seed, const Program& program) {
        const std::lock_guard lock(mutex_);
        seed_ = seed;
        program_ = &program;
        ++begun_;
    }

  private:
    void Run() {
        std::unique_lock lock(mutex_);
        for (uint64_t seen = 0; !over_; seen = begun_) {
            if (wake_.wait_for(lock, std::chrono::seconds(60), [&] { return over_; }) || seen != begun_ || !program_)
                continue;
            std::fprintf(stderr, "program %llu does not end:\n%s", static_cast<unsigned long long>(seed_),
                         Text(*program_).c_str());
            std::abort();
        }
    }
    std::mutex mutex_;
    std::condition_variable wake_;
    bool over_ = false;
    uint64_t seed_ = 0, begun_ = 0;
    const Program* program_ = nullptr;
    std::thread thread_;
};

struct Case {
    const char* name;
    SettingMap settings;
    bool mapped;  ///< programs may rely on what is held going by itself
};

class HappensBefore : public ::testing::TestWithParam<Case> {};

TEST_P(HappensBefore, RandomProgramsKeepEveryEdgeAndEnd) {
    mock::Driver mock;
    mock.Use(
        R"({"devices": [{"queueFamilies": [{"flags": ["compute", "transfer"], "count": 8, "timestampValidBits": 64}]}]})");
    mock.SetMode(kMockModeCounts);
    SettingMap settings = GetParam().settings;
    settings["stats"] = "summary";
    settings.emplace("barriers", "off");
    settings["log_level"] = "error";
    const kronos::Scratch scratch;
    settings["stats_file"] = (scratch.path() / "log.jsonl").string();
    const char* only = std::getenv("KRONOS_HAPPENS_BEFORE_SEED");
    const uint64_t first = only ? std::strtoull(only, nullptr, 10) : 0;
    {
        const layered::Instance instance(true, settings);
        Runner runner(mock, instance);
        Watchdog watchdog;
        const uint64_t count = only ? 1 : Programs() / 4;
        for (uint64_t seed = first; seed < first + count; ++seed) {
            const Program program = Generate(seed, Shape{GetParam().mapped});
            watchdog.Begin(seed, program);
            const std::vector<std::string> wrong = runner.Run(program);
            for (const std::string& line : wrong) ADD_FAILURE() << "program " << seed << ": " << line;
            if (!wrong.empty()) FAIL() << Text(program);
        }
    }
    EXPECT_TRUE(mock.LiveObjects().empty());
    if (only) return;
    // Programs that hold nothing show nothing.
    uint64_t held = 0, virtual_fences = 0, fused = 0;
    std::ifstream file(settings["stats_file"]);
    for (std::string line; std::getline(file, line);) {
        const nlohmann::json parsed = nlohmann::json::parse(line);
        if (parsed["event"] != "summary") continue;
        held += layered::Did(parsed, "submits_held");
        virtual_fences += layered::Did(parsed, "fences_virtual");
        fused += layered::Did(parsed, "buffers_fused");
    }
    EXPECT_GT(held, settings["submits"] == "always" ? Programs() / 4 : 0);
    EXPECT_EQ(virtual_fences > 0, settings["virtual_fences"] == "on");
    EXPECT_EQ(fused > 0, settings["fusion"] == "on");
}

INSTANTIATE_TEST_SUITE_P(
    Settings, HappensBefore,
    ::testing::Values(
        Case{"Always",
             {{"submits", "always"}, {"virtual_fences", "on"}, {"submit_hold", "10000000"}, {"waits", "on"}},
             false},
        Case{"AlwaysWithTheDriversFences",
             {{"submits", "always"}, {"virtual_fences", "off"}, {"submit_hold", "10000000"}, {"waits", "off"}},
             false},
        Case{"AlwaysForAMoment",
             {{"submits", "always"},
              {"virtual_fences", "on"},
              {"submit_hold", "50"},
              {"submit_batch", "3"},
              {"recycle_fences", "on"}},
             true},
        Case{"WhenBusy",
             {{"submits", "busy"},
              {"virtual_fences", "on"},
              {"submit_hold", "200"},
              {"submit_gap", "10000000"},
              {"waits", "off"}},
             true},
        Case{"Fused",
             {{"submits", "always"},
              {"virtual_fences", "on"},
              {"submit_hold", "10000000"},
              {"waits", "on"},
              {"barriers", "on"},
              {"fusion", "on"}},
             false},
        Case{"FusedForAMoment",
             {{"submits", "always"},
              {"virtual_fences", "on"},
              {"submit_hold", "50"},
              {"barriers", "on"},
              {"fusion", "on"}},
             true}),
    [](const auto& one) { return one.param.name; });

}  // namespace
