// SPDX-License-Identifier: Apache-2.0
// kronos bench: its arithmetic, its plan and its environments, and the command with a program that misbehaves on
// demand.
#include "bench.h"

#include <gmock/gmock.h>
#include <sys/wait.h>

#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "../../scratch.h"
#include "bench_report.h"

namespace kronos::command {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr std::chrono::seconds kLimit{20};

TEST(BenchNumbers, MedianAndQuartiles) {
    const Spread odd = SpreadOf({5, 1, 4, 2, 3}).value();
    EXPECT_DOUBLE_EQ(odd.median, 3);
    EXPECT_DOUBLE_EQ(odd.q1, 2);
    EXPECT_DOUBLE_EQ(odd.q3, 4);
    EXPECT_EQ(odd.count, 5U);
    const Spread even = SpreadOf({4, 1, 3, 2}).value();
    EXPECT_DOUBLE_EQ(even.median, 2.5);
    EXPECT_DOUBLE_EQ(even.q1, 1.75);
    EXPECT_DOUBLE_EQ(even.q3, 3.25);
    const Spread one = SpreadOf({7}).value();
    EXPECT_DOUBLE_EQ(one.median, 7);
    EXPECT_DOUBLE_EQ(one.q1, 7);
    EXPECT_FALSE(SpreadOf({}));
}

TEST(BenchNumbers, RatiosArePairedByRound) {
    // The machine is ten times slower in the second round, for both: the pairs do not see it.
    const Rounds off = {{10, 12, 11}, {100, 110, 120}, {20}};
    const Rounds on = {{5, 5.5, 6}, {55}, {5}};
    const Ratio ratio = RatioOf(off, on).value();
    EXPECT_DOUBLE_EQ(ratio.spread.median, 2);
    EXPECT_DOUBLE_EQ(ratio.spread.q1, 2);
    EXPECT_DOUBLE_EQ(ratio.spread.q3, 3);
    EXPECT_EQ(ratio.spread.count, 3U);
    EXPECT_FALSE(ratio.interval);
}

std::vector<double> OneTo(int last) {
    std::vector<double> values;
    for (int i = last; i > 0; --i) values.push_back(i);
    return values;
}

// The ranks of the usual tables of the sign test.
TEST(BenchNumbers, TheIntervalOfAMedianIsBetweenTwoOfItsValues) {
    EXPECT_FALSE(MedianInterval({}));
    EXPECT_FALSE(MedianInterval(OneTo(5)));
    for (const auto& [count, low, high] : std::vector<std::tuple<int, double, double>>{
             {6, 1, 6}, {8, 1, 8}, {9, 2, 8}, {10, 2, 9}, {20, 6, 15}, {50, 18, 33}, {100, 40, 61}}) {
        const Interval interval = MedianInterval(OneTo(count)).value();
        EXPECT_DOUBLE_EQ(interval.low, low) << count;
        EXPECT_DOUBLE_EQ(interval.high, high) << count;
    }
    EXPECT_TRUE(MedianInterval(OneTo(1000)));
}

TEST(BenchNumbers, TheIntervalHoldsTheMedian95TimesIn100) {
    uint64_t state = 1;
    const auto uniform = [&] {
        state = state * 6364136223846793005u + 1442695040888963407u;
        return static_cast<double>(state >> 11) / static_cast<double>(1ull << 53);
    };
    for (const size_t count : {6, 11, 30}) {
        int holds = 0;
        for (int trial = 0; trial < 2000; ++trial) {
            std::vector<double> values(count);
            for (double& value : values) value = -std::log(1 - uniform());  // far from normal; its median is log 2
            const Interval interval = MedianInterval(values).value();
            holds += interval.low <= std::log(2.0) && std::log(2.0) <= interval.high;
        }
        EXPECT_GE(holds, 1880) << count;
    }
}

TEST(BenchNumbers, VerdictsAndWhenARatioIsResolved) {
    const auto of = [](double low, double high) {
        return Ratio{{(low + high) / 2, low, high, 9}, Interval{low, high}};
    };
    EXPECT_STREQ(of(0.981, 1.019).Verdict(), "same");
    EXPECT_STREQ(of(1.021, 1.3).Verdict(), "faster");
    EXPECT_STREQ(of(0.9, 0.979).Verdict(), "slower");
    EXPECT_STREQ(of(0.97, 0.99).Verdict(), "open");
    EXPECT_STREQ(of(1.01, 1.03).Verdict(), "open");
    EXPECT_STREQ((Ratio{{2, 2, 2, 3}, {}}.Verdict()), "open");
    EXPECT_TRUE(of(0.992, 1.008).Resolved());
    EXPECT_FALSE(of(0.985, 1.008).Resolved());
    EXPECT_TRUE(of(9.92, 10.08).Resolved()) << "to 1 % of itself";
    EXPECT_FALSE((Ratio{{2, 2, 2, 3}, {}}.Resolved()));
}

TEST(BenchNumbers, ManyTimesAreKeptAsMediansOfStretches) {
    EXPECT_THAT(Stretches({3, 1, 2}, 3), ElementsAre(3, 1, 2));
    EXPECT_THAT(Stretches({1, 9, 2, 5, 5, 6, 30, 10, 20}, 3), ElementsAre(2, 5, 20));
    EXPECT_THAT(Stretches({1, 2, 3, 4, 5}, 2), ElementsAre(1.5, 4));
}

TEST(BenchNumbers, ARoundThatOneLacksIsNoPair) {
    EXPECT_EQ(RatioOf({{10}, {10}}, {{5}}).value().spread.count, 1U);
    EXPECT_EQ(RatioOf({{10}, {}}, {{5}, {5}}).value().spread.count, 1U);
    EXPECT_FALSE(RatioOf({{10}}, {}));
}

TEST(BenchNumbers, RepeatsOfAllRounds) { EXPECT_DOUBLE_EQ(SpreadOfRepeats({{1, 9}, {5}}).value().median, 5); }

TEST(BenchNumbers, Miscounts) {
    const Counts setup = {{"submits", 1}};
    const Counts per_run = {{"submits", 2}, {"dispatches", 4}};
    EXPECT_THAT(Miscounts({{"submits", 7}, {"dispatches", 12}, {"polls", 99}}, setup, per_run, 3), IsEmpty());
    EXPECT_THAT(Miscounts({{"submits", 7}, {"dispatches", 13}}, setup, per_run, 3),
                ElementsAre(AllOf(HasSubstr("dispatches"), HasSubstr("counted 13"), HasSubstr("says 12"))));
    EXPECT_THAT(Miscounts({{"submits", 7}}, setup, per_run, 3), ElementsAre(HasSubstr("no such counter")));
    // What only set-up does is checked as well.
    EXPECT_THAT(Miscounts({{"maps", 0}}, {{"maps", 1}}, {}, 3), ElementsAre(HasSubstr("maps")));
}

TEST(BenchReport, Times) {
    EXPECT_EQ(TimeText({999.9, 990, 1001, 3}), "999.9 ns (990.0..1001.0)");
    EXPECT_EQ(TimeText({1234, 1200, 1300, 3}), "1.234 us (1.200..1.300)");
    EXPECT_EQ(TimeText({56.78e6, 50e6, 60e6, 3}), "56.78 ms (50.00..60.00)");
    EXPECT_EQ(TimeText({4500e9, 4500e9, 4500e9, 3}), "4500.0 s (4500.0..4500.0)");
}

TEST(BenchReport, Table) {
    EXPECT_EQ(FormatTable({{"name", "ns"}, {"a", "12345"}, {"b"}}, 1), "name     ns\na     12345\nb\n");
}

TEST(BenchSetup, ConfigurationsAreChosenByNameAndOffIsAlwaysThere) {
    EXPECT_EQ(ChooseConfigurations({}).list.size(), std::size(kConfigurations));
    EXPECT_THAT(ChooseConfigurations({"on"}).list, ElementsAre(&kOff, &kOn));
    EXPECT_THAT(ChooseConfigurations({"fast"}).error.value_or(""), AllOf(HasSubstr("'fast'"), HasSubstr("off, on")));
}

TEST(BenchSetup, EnvironmentsDifferByTheLayerOnly) {
    BenchPlaces places;
    places.layout.explicit_dir = "/explicit";
    places.scratch = "/scratch";
    places.driver = "/driver.json";
    const Environment base({{"VK_INSTANCE_LAYERS", "VK_LAYER_other"}, {"HOME", "/home"}});
    std::map<std::string, std::string> off = ComposeBenchEnvironment(base, places, kOff, false).environment.values();
    std::map<std::string, std::string> on = ComposeBenchEnvironment(base, places, kOn, false).environment.values();
    EXPECT_EQ(off["VK_INSTANCE_LAYERS"], "VK_LAYER_other");
    EXPECT_EQ(on["VK_INSTANCE_LAYERS"], std::string("VK_LAYER_other:") + kLayerName);
    EXPECT_EQ(off["VK_DRIVER_FILES"], "/driver.json");
    EXPECT_EQ(off["VK_ICD_FILENAMES"], "/driver.json");
    EXPECT_EQ(off["XDG_STATE_HOME"], "/scratch/state");
    // It may be enabled for the user.
    EXPECT_EQ(off["KRONOS_DISABLE"], "1");
    off.erase("KRONOS_DISABLE");
    off.erase("VK_INSTANCE_LAYERS");
    on.erase("VK_INSTANCE_LAYERS");
    EXPECT_EQ(off, on);
}

TEST(BenchSetup, TheSpyIsBelowTheLayerAndInCountedRunsOnly) {
    BenchPlaces places;
    places.layout.explicit_dir = "/explicit";
    places.scratch = "/scratch";
    places.spy = "/spy";
    const Environment counted = ComposeBenchEnvironment({}, places, kOn, true).environment;
    EXPECT_EQ(counted.Get("VK_INSTANCE_LAYERS"), std::string(kLayerName) + ":" + kSpyName);
    EXPECT_EQ(counted.Get("VK_ADD_LAYER_PATH"), "/explicit:/spy");
    EXPECT_EQ(counted.Get("SPY_OUT"), SpyFile(places).string());
    const Environment timed = ComposeBenchEnvironment({}, places, kOn, false).environment;
    EXPECT_EQ(timed.Get("VK_INSTANCE_LAYERS"), kLayerName);
    EXPECT_FALSE(timed.Has("SPY_OUT"));
}

TEST(BenchSetup, EveryConfigurationsSettingsAreTheLayers) {
    for (const Configuration& configuration : kConfigurations)
        EXPECT_FALSE(ComposeBenchEnvironment({}, {}, configuration, false).error) << configuration.name;
}

TEST(BenchSetup, AFeatureAloneIsCountingWithItsSettingOn) {
    const auto values = [](const char* name) {
        const ChosenConfigurations chosen = ChooseConfigurations({name});
        return ComposeBenchEnvironment({}, {}, *chosen.list.back(), false).environment.values();
    };
    const std::map<std::string, std::string> features = {{"waits", "VK_KRONOS_COMPUTE_WAITS"},
                                                         {"fences", "VK_KRONOS_COMPUTE_RECYCLE_FENCES"},
                                                         {"memory", "VK_KRONOS_COMPUTE_RECYCLE_MEMORY"},
                                                         {"slabs", "VK_KRONOS_COMPUTE_SLABS"},
                                                         {"barriers", "VK_KRONOS_COMPUTE_BARRIERS"}};
    for (const auto& [name, variable] : features) {
        std::map<std::string, std::string> alone = values(name.c_str());
        std::map<std::string, std::string> counting = values("counting");
        EXPECT_THAT(alone[variable], testing::AnyOf("on", "auto")) << name;
        EXPECT_NE(alone[variable], counting[variable]) << name;
        alone.erase(variable);
        counting.erase(variable);
        EXPECT_EQ(alone, counting) << name;
    }
}

TEST(BenchSetup, TheUsersOwnSettingsDoNotReachOnlySomeRuns) {
    Environment base({{"KRONOS_STATS", "off"},
                      {"VK_KRONOS_COMPUTE_LOG_LEVEL", "off"},
                      {"KRONOS_ENABLE", "1"},
                      {"VK_INSTANCE_LAYERS", std::string("a:") + kLayerName},
                      {"PATH", "/bin"}});
    EXPECT_THAT(RemoveOwnVariables(base), ElementsAre("KRONOS_ENABLE", "KRONOS_STATS", "VK_KRONOS_COMPUTE_LOG_LEVEL"));
    EXPECT_THAT(base.Strings(), ElementsAre("PATH=/bin", "VK_INSTANCE_LAYERS=a"));
}

TEST(BenchPlan, TheExpertWritingIsRunWithoutTheLayerToCompareWith) {
    BenchRequest request;
    request.quick = true;
    const PlannedGroups planned = PlanGroups(request, {{"a", "", true, ""}, {"b", "", false, ""}}, {&kOff, &kOn});
    ASSERT_EQ(planned.groups.size(), 2U);
    ASSERT_EQ(planned.groups[0].subjects.size(), 3U);
    EXPECT_NE(planned.groups[0].Find("expert", kOff), nullptr);
    EXPECT_EQ(planned.groups[0].Find("expert", kOn), nullptr);
    EXPECT_EQ(planned.groups[1].subjects.size(), 2U);
}

TEST(BenchPlan, EverySizeWithEveryNumberOfDispatches) {
    BenchRequest request;
    request.sizes = {"1K", "2K"};
    request.dispatches = {1, 2, 3};
    const PlannedGroups planned = PlanGroups(request, {{"a", "", true, ""}}, {&kOff, &kOn});
    EXPECT_EQ(planned.groups.size(), 6U);
    EXPECT_EQ(planned.groups.front().subjects.size(), 4U);
    request.writing = "expert";
    EXPECT_THAT(PlanGroups(request, {{"b", "", false, ""}}, {&kOff}).error.value_or(""), HasSubstr("expert"));
}

TEST(BenchChild, EndsAreTold) {
    Interrupts interrupts;
    const Environment environment = Environment::Current();
    EXPECT_EQ(RunChild({"sh", "-c", "echo out; echo err >&2"}, environment, kLimit, interrupts).output, "out\n");
    auto told = [&](const std::string& script, std::chrono::seconds limit) {
        return DescribeEnd(RunChild({"sh", "-c", script}, environment, limit, interrupts), limit);
    };
    EXPECT_EQ(told("echo a >&2; echo b >&2; exit 3", kLimit), "ended with status 3: a | b");
    EXPECT_THAT(told("kill -SEGV $$", kLimit), HasSubstr("crashed: signal 11"));
    EXPECT_THAT(DescribeEnd(RunChild({"/no/such"}, environment, kLimit, interrupts), kLimit),
                HasSubstr("cannot be started: No such file"));
    // What the child started is ended with it: else its pipes would stay open and this would wait for them.
    EXPECT_THAT(told("echo x >&2; sleep 1000 & sleep 1000", std::chrono::seconds(1)), HasSubstr("within 1 s"));
}

TEST(BenchChild, MuchOutputDoesNotBlockIt) {
    Interrupts interrupts;
    const ChildEnd end = RunChild({"sh", "-c", "head -c 3000000 /dev/zero >&2; head -c 3000000 /dev/zero"},
                                  Environment::Current(), kLimit, interrupts);
    EXPECT_TRUE(end.ok());
    EXPECT_EQ(end.output.size(), 3000000U);
}

TEST(BenchChild, AnInterruptEndsIt) {
    Interrupts interrupts;
    raise(SIGINT);
    const ChildEnd end = RunChild({"sleep", "1000"}, Environment::Current(), kLimit, interrupts);
    EXPECT_EQ(end.how, ChildEnd::How::kInterrupted);
    EXPECT_TRUE(interrupts.Asked());
}

// The command itself.
struct Ended {
    int status;
    std::string output;  // standard output and standard error
};

Ended RunBench(const std::string& fake, const std::string& arguments,
               const std::string& rounds = "--rounds 3 --repeat 2 --config on") {
    const std::string command = fake + " " KRONOS_EXECUTABLE " bench --program " FAKE_WORKLOADS " --quick " + rounds +
                                " " + arguments + " 2>&1";
    FILE* pipe = popen(command.c_str(), "r");
    Ended ended{-1, {}};
    if (!pipe) return ended;
    char buffer[512];
    while (size_t n = fread(buffer, 1, sizeof buffer, pipe)) ended.output.append(buffer, n);
    const int status = pclose(pipe);
    ended.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return ended;
}

// No ratio of any kind, by its form "1.000 (".
bool HasRatio(const std::string& output) { return output.find("2.000 (") != std::string::npos; }

const std::string kHalved = "FAKE_NS_OFF=2000 FAKE_NS_ON=1000 ";

TEST(KronosBench, ShowsTheRatio) {
    const Ended ended = RunBench(kHalved, "--only one");
    EXPECT_EQ(ended.status, 0) << ended.output;
    EXPECT_TRUE(HasRatio(ended.output)) << ended.output;
    EXPECT_THAT(ended.output, AllOf(HasSubstr("Fake (CPU), driver fakedrv 1, Vulkan 1.3.0"), HasSubstr("Kronos 9.9.9"),
                                    HasSubstr("stats=frames"), HasSubstr("--only one")));
}

// The pairs all say the same: no more than the 6 that an interval needs are taken.
TEST(KronosBench, TakesAsManyPairsAsItNeeds) {
    Scratch scratch;
    const std::string file = (scratch.path() / "out.json").string();
    const Ended ended = RunBench(kHalved, "--only one --config on --seconds-per-row 60 --json " + file, "--repeat 2");
    EXPECT_THAT(ended.output, AllOf(HasSubstr("2.000 (2.000..2.000)  faster"), HasSubstr("until ratios are known")));
    std::ifstream in(file);
    const nlohmann::json json = nlohmann::json::parse(in);
    for (const nlohmann::json& subject : json["groups"][0]["subjects"]) {
        const auto turns =
            std::count_if(subject["ns"].begin(), subject["ns"].end(), [](auto& ns) { return !ns.empty(); });
        EXPECT_EQ(turns, 6) << subject;
        if (!subject.contains("off_over_this")) continue;
        EXPECT_EQ(subject["off_over_this"]["interval"], nlohmann::json::parse("[2.0,2.0]"));
        EXPECT_EQ(subject["off_over_this"]["verdict"], "faster");
    }
}

// Two times that are never the same twice are never resolved.
TEST(KronosBench, StopsWhenTheTimeIsSpent) {
    Scratch scratch;
    const std::string file = (scratch.path() / "out.json").string();
    const Ended ended =
        RunBench("FAKE=noisy@layer ", "--only two --config on --seconds-per-row 0.1 --json " + file, "");
    EXPECT_EQ(ended.status, 0) << ended.output;
    std::ifstream in(file);
    EXPECT_LT(nlohmann::json::parse(in)["groups"][0]["subjects"][1]["ns"].size(), 1000U);
}

TEST(KronosBench, WritesJson) {
    Scratch scratch;
    const std::string file = (scratch.path() / "out.json").string();
    ASSERT_EQ(RunBench(kHalved, "--only one,two --json " + file).status, 0);
    std::ifstream in(file);
    const nlohmann::json json = nlohmann::json::parse(in);
    ASSERT_EQ(json["groups"].size(), 2U);
    const nlohmann::json& subjects = json["groups"][0]["subjects"];
    ASSERT_EQ(subjects.size(), 3U);  // off, on, expert
    EXPECT_EQ(subjects[0]["ns"], nlohmann::json::parse("[[2000.0,2000.0],[2000.0,2000.0],[2000.0,2000.0]]"));
    EXPECT_EQ(subjects[1]["configuration"], "on");
    EXPECT_EQ(subjects[1]["off_over_this"]["median"], 2.0);
    EXPECT_FALSE(subjects[1]["off_over_this"].contains("interval")) << "of 3 rounds";
    EXPECT_EQ(subjects[1]["expert_over_this"]["median"], 2.0);
    EXPECT_FALSE(json["groups"][1]["subjects"][1].contains("expert_over_this"));
}

struct Misbehaviour {
    const char* fake;
    std::string told;
    int status = 1;
};

TEST(KronosBench, RefusesRatiosOfWhatIsNotRight) {
    for (const Misbehaviour& bad : std::vector<Misbehaviour>{
             {"wrong", "WRONG: one (naive, 64K x 4, off): y[3] is 4, not 5"},
             {"wrong@layer", "WRONG: one (naive, 64K x 4, on): y[3] is 4, not 5"},
             {"wrong@expert", "WRONG: one (expert, 64K x 4, off)"},
             {"crash@layer", "crashed: signal 11 (Segmentation fault)"},
             {"exit3", "ended with status 3: fake: vkCreateDevice failed: | VK_ERROR_DEVICE_LOST"},
             {"garbage", "not JSON"},
             {"notimes", "\"ns\""},
             {"nolayer", "the layer was not loaded"},
             {"device@layer", "ran on Another (CPU), driver fakedrv 1, Vulkan 1.3.0, others on Fake"},
             {"skip", "skipped: one (naive): the device is too small"}}) {
        const Ended ended = RunBench(kHalved + "FAKE=" + bad.fake, "--only one");
        EXPECT_EQ(ended.status, bad.status) << bad.fake << ended.output;
        EXPECT_THAT(ended.output, HasSubstr(bad.told)) << bad.fake;
        EXPECT_FALSE(HasRatio(ended.output)) << bad.fake << ended.output;
    }
}

TEST(KronosBench, GoesOnWithTheOthers) {
    const Ended ended = RunBench(kHalved + "FAKE=crash@two", "--only one,two");
    EXPECT_EQ(ended.status, 1);
    EXPECT_THAT(ended.output, HasSubstr("FAILED: two"));
    EXPECT_TRUE(HasRatio(ended.output)) << ended.output;
}

TEST(KronosBench, AHangIsEnded) {
    const Ended ended = RunBench(kHalved + "FAKE=hang@layer", "--only two --limit 5");
    EXPECT_EQ(ended.status, 1);
    EXPECT_THAT(ended.output, HasSubstr("did not end within 5 s and was ended: "));
    EXPECT_THAT(ended.output, HasSubstr("waiting for ever"));
}

TEST(KronosBench, MiscountsFail) {
    ASSERT_FALSE(!FindSpy(KRONOS_EXECUTABLE)) << "the spy is not built";
    const Ended ended = RunBench(kHalved + "FAKE=miscount@off", "--only one");
    EXPECT_EQ(ended.status, 1);
    EXPECT_THAT(ended.output, HasSubstr("submits: the spy counted 6, the source says 5 (1 for set-up, 2 runs of 2)"));
    EXPECT_FALSE(HasRatio(ended.output)) << ended.output;
    // What the layer makes of the calls is its own: only shown.
    const Ended layer = RunBench(kHalved + "FAKE=miscount@layer", "--only one");
    EXPECT_EQ(layer.status, 0) << layer.output;
    EXPECT_THAT(layer.output, HasSubstr("submits 5 -> 6"));
}

TEST(KronosBench, CountsOnly) {
    ASSERT_FALSE(!FindSpy(KRONOS_EXECUTABLE)) << "the spy is not built";
    const Ended ended = RunBench(kHalved + "FAKE=wrong,notimes", "--only one --counts");
    EXPECT_EQ(ended.status, 1) << "a program that was not asked to verify must not end with 1: " << ended.output;
    const Ended counted = RunBench(kHalved + "FAKE=notimes", "--only one --counts");
    EXPECT_EQ(counted.status, 0) << counted.output;
    EXPECT_THAT(counted.output, AllOf(HasSubstr("2 of 2 counts"), Not(HasSubstr("median"))));
    EXPECT_EQ(RunBench("FAKE=notimes,miscount", "--only one --counts").status, 1);
}

TEST(KronosBench, WrongRequests) {
    for (const auto& [arguments, told] : std::vector<std::pair<std::string, std::string>>{
             {"--only four", "'four' is no workload; there are one, two, three"},
             {"--only three", "three is left out of this build: a library is missing"},
             {"--config fast", "'fast' is no configuration"},
             {"--sizes 3Q", "'3Q' is not a size"},
             {"--dispatches 0", "--dispatches"},
             {"--driver /no/such.json", "--driver /no/such.json is no file"},
             {"--writing expert --only two", "none of these workloads has an expert writing"}}) {
        const Ended ended = RunBench("", arguments);
        EXPECT_EQ(ended.status, 2) << arguments << ended.output;
        EXPECT_THAT(ended.output, HasSubstr(told));
        EXPECT_EQ(std::count(ended.output.begin(), ended.output.end(), '\n'), 1) << ended.output;
    }
}

TEST(KronosBench, Lists) {
    const Ended ended = RunBench("", "--list");
    EXPECT_EQ(ended.status, 0);
    EXPECT_THAT(ended.output, AllOf(HasSubstr("a library is missing"), HasSubstr("with the layer as it comes")));
}

TEST(KronosBench, AnUnwritableFileIsToldAndTheTableIsShown) {
    const Ended ended = RunBench(kHalved, "--only two --json /no/such/folder/out.json");
    EXPECT_EQ(ended.status, 1);
    EXPECT_THAT(ended.output, HasSubstr("--json /no/such/folder/out.json cannot be written: No such file"));
    EXPECT_TRUE(HasRatio(ended.output));
}

}  // namespace
}  // namespace kronos::command
