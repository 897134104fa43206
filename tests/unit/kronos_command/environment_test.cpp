// SPDX-License-Identifier: Apache-2.0
// What kronos run makes of an environment.
#include "environment.h"

#include <gmock/gmock.h>

#include "../../scratch.h"
#include "run.h"

namespace kronos::command {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

using Values = std::map<std::string, std::string>;

const Layout kLayout = {"/k/explicit", "/k/implicit", "/k/data", true};

Environment Composed(Values values, const RunRequest& request = {}) {
    ComposedEnvironment composed = ComposeRunEnvironment(Environment(std::move(values)), kLayout, request);
    EXPECT_FALSE(composed.error) << *composed.error;
    return composed.environment;
}

TEST(Environment, SplitsListsWithoutEmptyEntries) {
    EXPECT_THAT(SplitList("a::b:"), ElementsAre("a", "b"));
    EXPECT_TRUE(SplitList("").empty());
    EXPECT_TRUE(SplitList(":").empty());
}

TEST(Environment, AppendsAndPrependsOnce) {
    Environment environment(Values{{"L", "a:b"}});
    environment.AppendOnce("L", "a");
    EXPECT_EQ(environment.Get("L"), "a:b");
    environment.AppendOnce("L", "c");
    environment.PrependOnce("L", "d");
    EXPECT_EQ(environment.Get("L"), "d:a:b:c");
}

TEST(ComposeExplicit, InAnEmptyEnvironment) {
    Environment environment = Composed({});
    EXPECT_THAT(environment.Strings(),
                ElementsAre("KRONOS_ENABLE=1", "VK_ADD_IMPLICIT_LAYER_PATH=/k/implicit/VkLayer_kronos_compute.json",
                            "VK_ADD_LAYER_PATH=/k/explicit", "VK_INSTANCE_LAYERS=VK_LAYER_KRONOS_compute"));
}

TEST(ComposeExplicit, IsFoundBeforeAnotherKronos) {
    Environment environment = Composed({{"VK_ADD_IMPLICIT_LAYER_PATH", "/mine"}});
    EXPECT_EQ(environment.Get("VK_ADD_IMPLICIT_LAYER_PATH"), "/k/implicit/VkLayer_kronos_compute.json:/mine");
}

TEST(ComposeExplicit, KeepsLayersAndPlacesOfTheUser) {
    Environment environment =
        Composed({{"VK_INSTANCE_LAYERS", "VK_LAYER_A:VK_LAYER_B"}, {"VK_ADD_LAYER_PATH", "/mine"}});
    EXPECT_EQ(environment.Get("VK_INSTANCE_LAYERS"), "VK_LAYER_A:VK_LAYER_B:VK_LAYER_KRONOS_compute");
    EXPECT_EQ(environment.Get("VK_ADD_LAYER_PATH"), "/mine:/k/explicit");
}

TEST(ComposeExplicit, NamesTheLayerOnlyOnce) {
    Environment environment = Composed({{"VK_INSTANCE_LAYERS", "VK_LAYER_KRONOS_compute:VK_LAYER_B"}});
    EXPECT_EQ(environment.Get("VK_INSTANCE_LAYERS"), "VK_LAYER_KRONOS_compute:VK_LAYER_B");
}

TEST(ComposeExplicit, JoinsALayerPathThatReplacesAllOthers) {
    Environment environment = Composed({{"VK_LAYER_PATH", "/only"}});
    EXPECT_EQ(environment.Get("VK_LAYER_PATH"), "/only:/k/explicit");
    EXPECT_FALSE(environment.Has("VK_ADD_LAYER_PATH"));
    // Empty is as good as unset for the loader.
    environment = Composed({{"VK_LAYER_PATH", ""}});
    EXPECT_EQ(environment.Get("VK_LAYER_PATH"), "");
    EXPECT_EQ(environment.Get("VK_ADD_LAYER_PATH"), "/k/explicit");
}

TEST(ComposeImplicit, UsesTheDataFoldersAndTheSwitch) {
    Environment environment = Composed({}, {{}, "", true});
    EXPECT_EQ(environment.Get("XDG_DATA_DIRS"), "/k/data:/usr/local/share:/usr/share");
    EXPECT_EQ(environment.Get("KRONOS_ENABLE"), "1");
    EXPECT_FALSE(environment.Has("VK_INSTANCE_LAYERS"));
    EXPECT_FALSE(environment.Has("VK_IMPLICIT_LAYER_PATH"));
}

TEST(ComposeImplicit, KeepsTheUsersPlaces) {
    Environment environment = Composed({{"XDG_DATA_DIRS", "/x"}, {"VK_IMPLICIT_LAYER_PATH", "/only"}}, {{}, "", true});
    EXPECT_EQ(environment.Get("XDG_DATA_DIRS"), "/k/data:/x");
    EXPECT_EQ(environment.Get("VK_IMPLICIT_LAYER_PATH"), "/only:/k/implicit");
}

TEST(ComposeImplicit, SaysThatItIsSwitchedOff) {
    ComposedEnvironment composed =
        ComposeRunEnvironment(Environment(Values{{"KRONOS_DISABLE", ""}}), kLayout, {{}, "", true});
    EXPECT_THAT(composed.notes, ElementsAre(HasSubstr("KRONOS_DISABLE")));
}

TEST(ComposeSettings, BecomeVariables) {
    Environment environment = Composed({}, {{"stats=off", "stats_file=/a=b"}, "safe", false});
    EXPECT_EQ(environment.Get("VK_KRONOS_COMPUTE_STATS"), "off");
    EXPECT_EQ(environment.Get("VK_KRONOS_COMPUTE_STATS_FILE"), "/a=b");
    EXPECT_EQ(environment.Get("VK_KRONOS_COMPUTE_PRESET"), "safe");
}

TEST(ComposeSettings, UnknownNamesAreErrorsThatHelp) {
    auto error_of = [](const RunRequest& request) {
        return ComposeRunEnvironment(Environment(), kLayout, request).error.value_or("no error");
    };
    EXPECT_THAT(
        error_of({{"stat_file=x"}, "", false}),
        testing::AllOf(HasSubstr("'stat_file'"), HasSubstr("did you mean stats_file?"), HasSubstr("log_level")));
    EXPECT_THAT(error_of({{"stats"}, "", false}), HasSubstr("KEY=VALUE"));
    EXPECT_THAT(error_of({{}, "quick", false}), testing::AllOf(HasSubstr("'quick'"), HasSubstr("balanced")));
}

TEST(ComposeDrivers, FoldersAndFilesAreAdded) {
    Scratch scratch;
    std::string b = scratch.Write("icd/b.json", "{}").string();
    std::string a = scratch.Write("icd/a.json", "{}").string();
    scratch.Write("icd/readme.txt", "");
    std::string c = scratch.Write("c.json", "{}").string();
    std::string paths = (scratch.path() / "icd").string() + ":/does/not/exist:" + c;
    ComposedEnvironment composed = ComposeRunEnvironment(
        Environment(Values{{"KRONOS_ICD_SEARCH_PATHS", paths}, {"VK_ADD_DRIVER_FILES", "/mine.json"}}), kLayout, {});
    EXPECT_EQ(composed.environment.Get("VK_ADD_DRIVER_FILES"), "/mine.json:" + a + ":" + b + ":" + c);
    EXPECT_THAT(composed.notes, ElementsAre(HasSubstr("/does/not/exist does not exist")));
}

TEST(ComposeDrivers, JoinAVariableThatReplacesAllOthers) {
    Scratch scratch;
    std::string file = scratch.Write("a.json", "{}").string();
    Environment environment = Composed({{"KRONOS_ICD_SEARCH_PATHS", file}, {"VK_ICD_FILENAMES", "/old.json"}});
    EXPECT_EQ(environment.Get("VK_ICD_FILENAMES"), "/old.json:" + file);
    EXPECT_FALSE(environment.Has("VK_ADD_DRIVER_FILES"));
    environment = Composed(
        {{"KRONOS_ICD_SEARCH_PATHS", file}, {"VK_ICD_FILENAMES", "/old.json"}, {"VK_DRIVER_FILES", "/new.json"}});
    EXPECT_EQ(environment.Get("VK_DRIVER_FILES"), "/new.json:" + file);
    EXPECT_EQ(environment.Get("VK_ICD_FILENAMES"), "/old.json");
}

}  // namespace
}  // namespace kronos::command
