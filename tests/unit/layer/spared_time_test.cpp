// SPDX-License-Identifier: Apache-2.0
#include "support/spared_time.h"

#include <gtest/gtest.h>

namespace kronos {
namespace {

TEST(SparedTime, IsLeftOutOfTheClock) {
    SparedTime spared;
    constexpr uint64_t kSparedNs = 1'000'000;
    const uint64_t begun = NowNs();
    {
        const SparedTime::Scope nothing(nullptr);
        const SparedTime::Scope scope(&spared);
        const uint64_t inside = NowNs();
        while (NowNs() < inside + kSparedNs) {
        }
    }
    const uint64_t shown = spared.NowWithoutNs();
    EXPECT_GE(NowNs() - shown, kSparedNs);
    EXPECT_GE(shown, begun) << "not more than once";
}

}  // namespace
}  // namespace kronos
