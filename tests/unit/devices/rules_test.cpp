// SPDX-License-Identifier: Apache-2.0
#include "devices/rules.h"

#include <gmock/gmock.h>

#include <map>

#include "devices/ranks.h"

namespace kronos {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using Variables = std::map<std::string, std::string>;

std::function<const char*(const char*)> In(const Variables& variables) {
    return [&variables](const char* name) {
        const auto found = variables.find(name);
        return found == variables.end() ? nullptr : found->second.c_str();
    };
}

TEST(RanksTest, OfEachLauncher) {
    for (const char* name : {"LOCAL_RANK", "OMPI_COMM_WORLD_LOCAL_RANK", "MPI_LOCALRANKID", "MV2_COMM_WORLD_LOCAL_RANK",
                             "PALS_LOCAL_RANKID", "FLUX_TASK_LOCAL_ID", "SLURM_LOCALID", "JOB_COMPLETION_INDEX"}) {
        std::vector<std::string> problems;
        const Variables variables = {{name, "3"}};
        const auto rank = FindLocalRank(In(variables), problems);
        ASSERT_TRUE(rank) << name;
        EXPECT_EQ(rank->rank, 3u);
        EXPECT_EQ(rank->source, name);
        EXPECT_THAT(problems, IsEmpty());
    }
}

TEST(RanksTest, TheMostSpecificCountsAndNonsenseIsNamed) {
    std::vector<std::string> problems;
    Variables variables = {{"SLURM_LOCALID", "0"}, {"OMPI_COMM_WORLD_LOCAL_RANK", "2"}};
    EXPECT_EQ(FindLocalRank(In(variables), problems)->rank, 2u);
    variables["LOCAL_RANK"] = "-1";
    EXPECT_EQ(FindLocalRank(In(variables), problems)->rank, 2u);
    EXPECT_THAT(problems, ElementsAre(HasSubstr("LOCAL_RANK = '-1' is no rank")));
    variables = {{"LOCAL_RANK", ""}};
    problems.clear();
    EXPECT_FALSE(FindLocalRank(In(variables), problems));
    EXPECT_THAT(problems, IsEmpty());
}

TEST(RulesTest, FromSettings) {
    std::vector<std::string> problems;
    Settings settings;
    DeviceRules rules = RulesOf(settings, "a", In({}), problems);
    EXPECT_FALSE(rules.Nothing());
    EXPECT_TRUE(rules.aggregate && rules.prefer_hardware && rules.collapse && rules.by_score);
    settings.prefer_hardware = settings.collapse_drivers = false;
    settings.device_order = DeviceOrder::kDriver;
    EXPECT_TRUE(RulesOf(settings, "a", In({}), problems).Nothing());
    settings.aggregate_icd = false;
    EXPECT_FALSE(RulesOf(settings, "a", In({}), problems).Nothing());
    settings.device_rules = "a=1; b=2";
    EXPECT_EQ(RulesOf(settings, "b", In({}), problems).selector_text, "2");
    settings.device = "0";
    EXPECT_EQ(RulesOf(settings, "b", In({}), problems).selector_text, "0");
    EXPECT_THAT(problems, IsEmpty());
}

TEST(RulesTest, RanksCountOnlyWhenAskedFor) {
    std::vector<std::string> problems;
    const Variables variables = {{"LOCAL_RANK", "1"}};
    Settings settings;
    EXPECT_FALSE(RulesOf(settings, "a", In(variables), problems).rank);
    settings.device_rank = DeviceRank::kOnly;
    EXPECT_EQ(RulesOf(settings, "a", In(variables), problems).rank->rank, 1u);
    EXPECT_THAT(problems, IsEmpty());
    EXPECT_FALSE(RulesOf(settings, "a", In({}), problems).rank);
    EXPECT_THAT(problems, ElementsAre(HasSubstr("no launcher told a rank")));
}

TEST(RulesTest, ASearchPathThatComesTooLateIsNamed) {
    EXPECT_THAT(LateVariables(In({})), IsEmpty());
    const Variables variables = {{"KRONOS_ICD_SEARCH_PATHS", "/opt/drivers"}};
    EXPECT_THAT(LateVariables(In(variables)), ElementsAre(HasSubstr("'/opt/drivers' is too late")));
}

}  // namespace
}  // namespace kronos
