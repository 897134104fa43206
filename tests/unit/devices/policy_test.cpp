// SPDX-License-Identifier: Apache-2.0
#include "devices/policy.h"

#include <gmock/gmock.h>

#include <random>
#include <set>

#include "devices/list.h"
#include "machines.h"

namespace kronos {
namespace {

using machines::At;
using machines::By;
using machines::Discrete;
using machines::Integrated;
using machines::Software;
using machines::With;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

DeviceRules Select(const std::string& text) {
    DeviceRules rules;
    rules.selector_text = text;
    rules.selector = ParseSelector(text);
    return rules;
}

const DeviceVerdict& Of(const DeviceChoice& choice, size_t device) {
    for (const DeviceVerdict& verdict : choice.numbered)
        if (verdict.device == device) return verdict;
    throw std::out_of_range("no verdict");
}

TEST(PolicyTest, OrdersByScore) {
    const std::vector<DeviceFacts> all = {Integrated("igp", 400), Discrete("small", 8), Discrete("large", 80)};
    const DeviceChoice choice = ChooseDevices(all, {});
    EXPECT_THAT(choice.shown, ElementsAre(2, 1, 0));
    EXPECT_EQ(Of(choice, 2).why, "score 1080: discrete, 80 GiB");
    EXPECT_THAT(choice.problems, IsEmpty());
    DeviceRules rules;
    rules.by_score = false;
    EXPECT_THAT(ChooseDevices(all, rules).shown, ElementsAre(0, 1, 2));
}

TEST(PolicyTest, EqualScoresKeepTheDriversOrder) {
    const std::vector<DeviceFacts> all = {Discrete("a"), Discrete("b"), Discrete("c")};
    EXPECT_THAT(ChooseDevices(all, {}).shown, ElementsAre(0, 1, 2));
}

TEST(PolicyTest, ScoresOfKindsStayApart) {
    EXPECT_LT(DeviceScore(Integrated("igp", 100000)), DeviceScore(Discrete("gpu", 0)));
    EXPECT_EQ(DeviceScore(Software()), 0u);
}

TEST(PolicyTest, HidesSoftwareWhereThereIsHardware) {
    const std::vector<DeviceFacts> both = {Software(), Integrated("igp")};
    EXPECT_THAT(ChooseDevices(both, {}).shown, ElementsAre(1));
    EXPECT_EQ(Of(ChooseDevices(both, {}), 0).why, "software, and there is igp");
    DeviceRules rules;
    rules.prefer_hardware = false;
    EXPECT_THAT(ChooseDevices(both, rules).shown, ElementsAre(1, 0));
    // Never the last ones, and nobody knows what another kind is.
    EXPECT_THAT(ChooseDevices(std::vector{Software("a"), Software("b")}, {}).shown, ElementsAre(0, 1));
    DeviceFacts other = Discrete("other");
    other.type = VK_PHYSICAL_DEVICE_TYPE_OTHER;
    EXPECT_THAT(ChooseDevices(std::vector{Software(), other}, {}).shown, ElementsAre(1, 0));
}

TEST(PolicyTest, OneGpuBehindTwoDriversIsShownByTheBetter) {
    const PciAddress pci{0, 1, 0, 0};
    const DeviceFacts nvk = At(By(Discrete("nvk"), VK_DRIVER_ID_MESA_NVK, "NVK"), pci);
    const DeviceFacts own = At(Discrete("own"), pci);
    const DeviceFacts second = At(Discrete("second"), {0, 2, 0, 0});
    const DeviceChoice choice = ChooseDevices(std::vector{nvk, own, second}, {});
    EXPECT_THAT(choice.shown, ElementsAre(1, 2));
    EXPECT_EQ(Of(choice, 0).why, "the same GPU as that of NVIDIA 550.1");
    DeviceRules rules;
    rules.collapse = false;
    EXPECT_THAT(ChooseDevices(std::vector{nvk, own, second}, rules).shown, ElementsAre(0, 1, 2));
    // The other way round, and of two equally good the first.
    EXPECT_THAT(ChooseDevices(std::vector{own, nvk}, {}).shown, ElementsAre(0));
    const DeviceFacts young = At(By(Discrete("x"), VK_DRIVER_ID_MESA_HONEYKRISP, "x"), pci);
    const DeviceFacts younger = At(By(Discrete("y"), VK_DRIVER_ID_MESA_HONEYKRISP, "y"), pci);
    EXPECT_THAT(ChooseDevices(std::vector{young, younger}, {}).shown, ElementsAre(0));
}

TEST(PolicyTest, AConformantDriverIsBetter) {
    const PciAddress pci{0, 1, 0, 0};
    DeviceFacts broken = At(Discrete("broken"), pci);
    broken.conformant = false;
    const DeviceFacts good = At(By(Discrete("good"), VK_DRIVER_ID_MESA_DOZEN, "dozen"), pci);
    EXPECT_THAT(ChooseDevices(std::vector{broken, good}, {}).shown, ElementsAre(1));
}

TEST(PolicyTest, WhatOnlyLooksLikeOneGpuIsNot) {
    const Uuid uuid{1, 2, 3};
    const PciAddress pci{0, 1, 0, 0};
    // Copies of a software driver share a UUID.
    EXPECT_FALSE(SameGpu(Software(), Software()));
    EXPECT_FALSE(SameGpu(Software(), By(Software(), VK_DRIVER_ID_GOOGLE_SWIFTSHADER, "SwiftShader")));
    // Partitions of a GPU share its address, boards of one kind by one driver might share a UUID.
    EXPECT_FALSE(SameGpu(At(With(Discrete("a"), {1}), pci), At(With(Discrete("a"), {2}), pci)));
    EXPECT_FALSE(SameGpu(With(Discrete("a"), uuid), With(Discrete("a"), uuid)));
    EXPECT_FALSE(SameGpu(At(With(Discrete("a"), uuid), pci),
                         At(By(With(Discrete("a"), uuid), VK_DRIVER_ID_MESA_NVK, "NVK"), {0, 2, 0, 0})));
    DeviceFacts other_board = By(At(Discrete("a"), pci), VK_DRIVER_ID_MESA_NVK, "NVK");
    other_board.device = 0x4321;
    EXPECT_FALSE(SameGpu(At(Discrete("a"), pci), other_board));
    DeviceFacts integrated = By(At(Discrete("a"), pci), VK_DRIVER_ID_MESA_NVK, "NVK");
    integrated.type = VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU;
    EXPECT_FALSE(SameGpu(At(Discrete("a"), pci), integrated));
    // These are: a manifest that is found twice; a driver that does not tell the address.
    EXPECT_TRUE(SameGpu(At(With(Discrete("a"), uuid), pci), At(With(Discrete("a"), uuid), pci)));
    EXPECT_TRUE(SameGpu(With(Discrete("a"), uuid), By(At(With(Discrete("a"), uuid), pci), VK_DRIVER_ID_MESA_NVK, "")));
    EXPECT_FALSE(SameGpu(Discrete("a"), By(Discrete("a"), VK_DRIVER_ID_MESA_NVK, "NVK")));  // nothing is known
}

TEST(PolicyTest, OnlyTheFirstDriver) {
    const std::vector<DeviceFacts> all = {Integrated("igp"), Discrete("gpu"), Integrated("igp 2"), Software()};
    DeviceRules rules;
    rules.aggregate = false;
    EXPECT_THAT(ChooseDevices(all, rules).shown, ElementsAre(0, 2));
    EXPECT_THAT(Of(ChooseDevices(all, rules), 1).why, HasSubstr("aggregate_icd is off"));
    DeviceRules selecting = Select("gpu");
    selecting.aggregate = false;
    EXPECT_THAT(ChooseDevices(all, selecting).shown, ElementsAre(0, 2));
}

TEST(PolicyTest, SelectsInTheOrderOfTheEntries) {
    const std::vector<DeviceFacts> all = {Discrete("a", 1), Discrete("b", 2), Discrete("c", 3), Software()};
    EXPECT_THAT(ChooseDevices(all, Select("a,c")).shown, ElementsAre(0, 2));
    EXPECT_THAT(ChooseDevices(all, Select("c,a,c")).shown, ElementsAre(2, 0));
    // Numbers are those of the list: by score, and what is hidden behind it.
    EXPECT_THAT(ChooseDevices(all, Select("0")).shown, ElementsAre(2));
    EXPECT_THAT(ChooseDevices(all, Select("3,2")).shown, ElementsAre(3, 0));
    EXPECT_THAT(ChooseDevices(all, Select("discrete,!b")).shown, ElementsAre(2, 0));
    EXPECT_THAT(ChooseDevices(all, Select("!c")).shown, ElementsAre(1, 0));  // software stays hidden
    EXPECT_EQ(Of(ChooseDevices(all, Select("llvm")), 3).why, "selected by 'llvm'");
    EXPECT_EQ(Of(ChooseDevices(all, Select("llvm")), 0).why, "not selected");
}

TEST(PolicyTest, WhatMatchesNothingIsOneLine) {
    const std::vector<DeviceFacts> all = {Discrete("a"), Software()};
    const DeviceChoice choice = ChooseDevices(all, Select("nothing,type:x"));
    EXPECT_THAT(choice.shown, ElementsAre(0));
    EXPECT_THAT(choice.problems,
                ElementsAre("device = 'nothing,type:x': 'type:x' names no device; allowed is discrete, integrated, "
                            "virtual, cpu, other; 'nothing' matches no device; there are 0 a, 1 llvmpipe; the program "
                            "sees all that it would without"));
    EXPECT_THAT(ChooseDevices(all, Select("!*")).problems, ElementsAre(HasSubstr("all devices are excluded")));
    EXPECT_THAT(ChooseDevices(all, Select("a,b")).shown, ElementsAre(0));
    EXPECT_THAT(ChooseDevices(all, Select("a,b")).problems, ElementsAre(HasSubstr("the rest counts")));
    DeviceRules none = Select("nothing");
    none.none_if_unmatched = true;
    EXPECT_THAT(ChooseDevices(all, none).shown, IsEmpty());
    EXPECT_THAT(ChooseDevices(all, none).problems, ElementsAre(HasSubstr("sees none")));
    none = Select(",");
    none.none_if_unmatched = true;
    EXPECT_THAT(ChooseDevices(all, none).shown, IsEmpty());
    EXPECT_THAT(ChooseDevices({}, Select("0")).problems, ElementsAre(HasSubstr("there are none")));
}

TEST(PolicyTest, RanksTakeTheirDeviceAndWrap) {
    const std::vector<DeviceFacts> all = {Discrete("a"), Discrete("b"), Discrete("c"), Software()};
    DeviceRules rules;
    rules.rank_mode = DeviceRank::kOnly;
    for (uint32_t rank = 0; rank < 7; ++rank) {
        rules.rank = LocalRank{rank, "LOCAL_RANK"};
        EXPECT_THAT(ChooseDevices(all, rules).shown, ElementsAre(rank % 3));
    }
    rules.rank_mode = DeviceRank::kFirst;
    rules.rank = LocalRank{1, "LOCAL_RANK"};
    EXPECT_THAT(ChooseDevices(all, rules).shown, ElementsAre(1, 2, 0));
    EXPECT_EQ(Of(ChooseDevices(all, rules), 1).why, "LOCAL_RANK = 1, of 3 devices");
    // Among what is selected.
    DeviceRules selecting = Select("c,a");
    selecting.rank_mode = DeviceRank::kOnly;
    selecting.rank = LocalRank{1, "LOCAL_RANK"};
    EXPECT_THAT(ChooseDevices(all, selecting).shown, ElementsAre(0));
}

// Whatever machine and rules: every device has a verdict, none is shown twice, and the last is never lost.
TEST(PolicyTest, AnyMachineAnyRules) {
    std::mt19937 random(1);
    const auto pick = [&](int n) { return std::uniform_int_distribution<int>(0, n - 1)(random); };
    const char* selectors[] = {"", "0", "1,0", "discrete", "!cpu", "!0,!1", "nothing", "llvm*", "12345678", "65:00.0"};
    for (int round = 0; round < 20000; ++round) {
        std::vector<DeviceFacts> all;
        for (int n = pick(17); n > 0; --n) {
            DeviceFacts made = pick(4) == 0   ? Software()
                               : pick(2) == 0 ? Integrated("igp", static_cast<uint64_t>(pick(4)))
                                              : Discrete("gpu", static_cast<uint64_t>(pick(4)));
            if (pick(2)) made.pci = PciAddress{0, static_cast<uint32_t>(pick(3)), 0, 0};
            if (pick(2)) made.uuid = Uuid{static_cast<uint8_t>(pick(3))};
            if (pick(3) == 0) made = By(made, VK_DRIVER_ID_MESA_NVK, "NVK");
            all.push_back(made);
        }
        DeviceRules rules = Select(selectors[pick(10)]);
        rules.aggregate = pick(2) != 0;
        rules.collapse = pick(2) != 0;
        rules.prefer_hardware = pick(2) != 0;
        rules.by_score = pick(2) != 0;
        rules.rank_mode = static_cast<DeviceRank>(pick(3));
        if (pick(2)) rules.rank = LocalRank{static_cast<uint32_t>(pick(20)), "RANK"};
        const DeviceChoice choice = ChooseDevices(all, rules);
        ASSERT_EQ(choice.numbered.size(), all.size());
        ASSERT_EQ(choice.shown.empty(), all.empty());
        ASSERT_EQ(std::set<size_t>(choice.shown.begin(), choice.shown.end()).size(), choice.shown.size());
        std::set<size_t> judged;
        for (const DeviceVerdict& verdict : choice.numbered) {
            judged.insert(verdict.device);
            ASSERT_FALSE(verdict.why.empty());
            ASSERT_EQ(verdict.shown, std::count(choice.shown.begin(), choice.shown.end(), verdict.device) == 1);
        }
        ASSERT_EQ(judged.size(), all.size());
        ASSERT_LE(choice.problems.size(), 1u);
    }
}

VkPhysicalDevice Handle(uintptr_t n) { return reinterpret_cast<VkPhysicalDevice>(n); }

VkPhysicalDeviceGroupProperties Group(std::initializer_list<uintptr_t> members) {
    VkPhysicalDeviceGroupProperties group = {};
    group.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_GROUP_PROPERTIES;
    for (const uintptr_t member : members) group.physicalDevices[group.physicalDeviceCount++] = Handle(member);
    group.subsetAllocation = group.physicalDeviceCount > 1;
    return group;
}

std::vector<std::vector<uintptr_t>> Members(const std::vector<VkPhysicalDeviceGroupProperties>& groups) {
    std::vector<std::vector<uintptr_t>> all;
    for (const auto& group : groups) {
        all.emplace_back();
        for (uint32_t i = 0; i < group.physicalDeviceCount; ++i)
            all.back().push_back(reinterpret_cast<uintptr_t>(group.physicalDevices[i]));
    }
    return all;
}

TEST(GroupsTest, AgreeWithTheList) {
    const std::vector<VkPhysicalDeviceGroupProperties> groups = {Group({1, 2, 3}), Group({4}), Group({5, 6})};
    const auto kept = ShownGroups(groups, {Handle(6), Handle(3), Handle(1)});
    EXPECT_THAT(Members(kept), ElementsAre(ElementsAre(6), ElementsAre(1, 3)));
    EXPECT_EQ(kept[0].subsetAllocation, VK_FALSE);
    EXPECT_EQ(kept[1].subsetAllocation, VK_TRUE);
    EXPECT_THAT(ShownGroups(groups, {}), IsEmpty());
}

}  // namespace
}  // namespace kronos
