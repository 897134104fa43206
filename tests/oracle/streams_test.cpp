// SPDX-License-Identifier: Apache-2.0
// Random recordings through the barrier pass, each plan against the model. KRONOS_ORACLE_STREAMS is how many, 20,000 if
// it is not set; KRONOS_ORACLE_SEED is the first one's seed.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "generator.h"
#include "model.h"

namespace kronos::oracle {
namespace {

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
    const char* value = std::getenv(name);
    return value ? std::strtoull(value, nullptr, 10) : otherwise;
}

class Trial {
  public:
    std::string Fault(const Steps& steps, bool narrow, uint64_t world) {
        const BarrierOptions options{.narrow = narrow};
        pass_.Run(steps, options, plan_);
        std::string fault = checker_.Check(steps, options, plan_, world);
        if (fault.empty()) fault = CountFault(steps);
        return fault;
    }
    std::string FaultWithSeams(const Steps& steps, bool narrow, uint64_t world) {
        const BarrierOptions options{.narrow = narrow};
        pass_.Run(steps, options, plan_);
        return checker_.CheckWithSeams(steps, options, plan_, world);
    }
    const BarrierPlan& plan() const { return plan_; }

  private:
    // For recordings of which the pass keeps every access.
    std::string CountFault(const Steps& steps) const {
        size_t accesses = 0;
        for (const Step& step : steps.steps) accesses += step.kind == StepKind::kAction ? step.count : 0;
        if (!Uniform(steps) || accesses > LiveAccesses::kMost) return {};
        const uint32_t optimum = Optimum(steps);
        // What is emitted for work from before the recording may spare one.
        if (plan_.necessary > optimum || plan_.necessary + 1 < optimum)
            return "plan.necessary is " + std::to_string(plan_.necessary) + ", not " + std::to_string(optimum);
        if (20 * plan_.emissions.size() > 21 * optimum + 40)
            return std::to_string(plan_.emissions.size()) + " barriers, where " + std::to_string(optimum) + " will do";
        return {};
    }

    BarrierPass pass_;
    BarrierPlan plan_;
    Checker checker_;
};

TEST(BarrierPass, KeepsEveryOrderOfRandomRecordings) {
    const uint64_t first = FromEnvironment("KRONOS_ORACLE_SEED", 1);
    const uint64_t count = FromEnvironment("KRONOS_ORACLE_STREAMS", 20'000 / KRONOS_TEST_SHARE);
    Trial trial;
    Steps steps;
    uint64_t recorded = 0, emitted = 0, narrowed = 0;
    for (uint64_t seed = first; seed < first + count; ++seed) {
        Generate(seed, steps);
        for (const bool narrow : {false, true}) {
            if (const std::string fault = trial.Fault(steps, narrow, seed); !fault.empty()) {
                const Steps small = Shrink(
                    steps, [&](const Steps& candidate) { return !trial.Fault(candidate, narrow, seed).empty(); });
                const std::string why = trial.Fault(small, narrow, seed);
                FAIL() << "seed " << seed << (narrow ? ", narrow" : "") << ": " << why << "\n"
                       << Print(small, trial.plan());
            }
            recorded += trial.plan().recorded;
            emitted += trial.plan().Emitted(steps);
            narrowed += trial.plan().narrowed;
        }
    }
    RecordProperty("recorded", std::to_string(recorded));
    RecordProperty("emitted", std::to_string(emitted));
    RecordProperty("narrowed", std::to_string(narrowed));
    // A generator that gives the pass nothing to do proves nothing.
    EXPECT_LT(emitted, recorded * 9 / 10);
    EXPECT_GT(narrowed, 0u);
}

// Some of the barriers are the layer's own, as where recordings are joined.
TEST(BarrierPass, KeepsEveryOrderAcrossSeams) {
    const uint64_t first = FromEnvironment("KRONOS_ORACLE_SEED", 1);
    const uint64_t count = FromEnvironment("KRONOS_ORACLE_STREAMS", 20'000 / KRONOS_TEST_SHARE);
    Trial trial;
    Steps steps;
    uint64_t recorded = 0, emitted = 0;
    for (uint64_t seed = first; seed < first + count; ++seed) {
        Generate(seed, steps);
        for (size_t i = 0; i < steps.steps.size(); ++i) {
            const Step& step = steps.steps[i];
            if (step.kind != StepKind::kBarrier || (seed + i * i) % 3) continue;
            BarrierStep seam;
            seam.masks = {VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT, VK_ACCESS_2_MEMORY_WRITE_BIT,
                          VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT,
                          VK_ACCESS_2_MEMORY_READ_BIT | VK_ACCESS_2_MEMORY_WRITE_BIT};
            seam.seam = seam.global = true;
            steps.barriers[step.first] = seam;
        }
        for (const bool narrow : {false, true}) {
            if (const std::string fault = trial.FaultWithSeams(steps, narrow, seed); !fault.empty()) {
                const Steps small = Shrink(steps, [&](const Steps& candidate) {
                    return !trial.FaultWithSeams(candidate, narrow, seed).empty();
                });
                const std::string why = trial.FaultWithSeams(small, narrow, seed);
                FAIL() << "seed " << seed << (narrow ? ", narrow" : "") << ": " << why << "\n"
                       << Print(small, trial.plan());
            }
            recorded += trial.plan().recorded;
            emitted += trial.plan().Emitted(steps);
        }
    }
    EXPECT_LT(emitted, recorded * 9 / 10);
}

}  // namespace
}  // namespace kronos::oracle
