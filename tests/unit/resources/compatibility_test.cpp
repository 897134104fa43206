// SPDX-License-Identifier: Apache-2.0
#include "resources/compatibility.h"

#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <vector>

namespace kronos {
namespace {

uint64_t Constants(LayoutCompatibility& compatibility, uint32_t size) {
    PipelineLayoutFacts layout;
    layout.push_constants = {{VK_SHADER_STAGE_COMPUTE_BIT, 0, size}};
    compatibility.Number(layout, 0);
    return layout.constants;
}

// A program that makes new ones all the time takes no more memory for it.
TEST(LayoutCompatibility, RemembersSoManyDefinitions) {
    LayoutCompatibility compatibility;
    const uint64_t first = Constants(compatibility, 4);
    EXPECT_EQ(Constants(compatibility, 4), first);
    EXPECT_NE(Constants(compatibility, 8), first);
    for (uint32_t i = 0; i < LayoutCompatibility::kMost; ++i) Constants(compatibility, 12 + 4 * i);
    EXPECT_EQ(Constants(compatibility, 4), first);
    const uint32_t beyond = 12 + 4 * static_cast<uint32_t>(LayoutCompatibility::kMost);
    EXPECT_NE(Constants(compatibility, beyond), Constants(compatibility, beyond));
}

// The same set behind other sets is not the same.
TEST(LayoutCompatibility, NumbersStandForAllThatComesBefore) {
    LayoutCompatibility compatibility;
    const auto defined = [](uint32_t as) {
        SetLayoutFacts facts;
        facts.definition = {as};
        return std::make_shared<const SetLayoutFacts>(facts);
    };
    const auto numbered = [&](std::vector<std::shared_ptr<const SetLayoutFacts>> sets) {
        PipelineLayoutFacts layout;
        layout.sets = std::move(sets);
        compatibility.Number(layout, 0);
        return layout.compatible;
    };
    const auto one = numbered({defined(1), defined(2), defined(3)});
    const auto two = numbered({defined(1), defined(4), defined(3)});
    EXPECT_EQ(one[0], two[0]);
    EXPECT_NE(one[1], two[1]);
    EXPECT_NE(one[2], two[2]);
    EXPECT_EQ(numbered({defined(1), defined(2), defined(3)}), one);
    // From one on that cannot be compared, nothing is.
    const auto unknown = std::make_shared<const SetLayoutFacts>();
    const auto three = numbered({defined(1), unknown, defined(3)}), four = numbered({defined(1), unknown, defined(3)});
    EXPECT_EQ(three[0], one[0]);
    EXPECT_EQ(three[0], four[0]);
    EXPECT_NE(three[1], four[1]);
    EXPECT_NE(three[2], four[2]);
    EXPECT_NE(numbered({nullptr})[0], numbered({nullptr})[0]);
}

}  // namespace
}  // namespace kronos
