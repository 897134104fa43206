// SPDX-License-Identifier: Apache-2.0
// The workloads' checks: right results pass, and every kind of wrong one is found. The shaders' part is played on the
// CPU.
#include <gmock/gmock.h>

#include <algorithm>
#include <numeric>

#include "data.h"
#include "hazards.h"
#include "options.h"
#include "workload.h"

namespace kronos::workloads {
namespace {

// Executes a workload's dispatches as its shaders are meant to.
class Reference {
  public:
    explicit Reference(const Workload& workload) : workload_(workload) {
        for (const BufferSpec& spec : workload.buffers()) {
            buffers_.push_back(spec.initial.empty() ? Words(spec.bytes / 4) : spec.initial);
        }
    }
    std::vector<Words> Run(size_t skip = SIZE_MAX) {
        for (size_t i = 0; i < workload_.dispatches().size(); ++i) {
            if (i != skip) Execute(workload_.dispatches()[i]);
        }
        std::vector<Words> results;
        for (size_t i = 0; i < buffers_.size(); ++i) {
            if (workload_.buffers()[i].read_back) results.push_back(buffers_[i]);
        }
        return results;
    }

  private:
    void Execute(const Dispatch& dispatch) {
        std::string_view shader = workload_.shaders()[dispatch.shader].name;
        auto buffer = [&](size_t binding) -> Words& { return buffers_[dispatch.buffers[binding]]; };
        const Words& push = dispatch.push;
        if (shader == "saxpy") {
            for (uint32_t i = 0; i < push[0]; ++i) {
                buffer(1)[i] = AsWord(AsFloat(push[1]) * AsFloat(buffer(0)[i]) + AsFloat(buffer(1)[i]));
            }
        } else if (shader == "reduce") {
            uint32_t groups = dispatch.groups[0];
            for (uint32_t g = 0; g < groups; ++g) buffer(1)[push[2] + g] = 0;
            for (uint32_t i = 0; i < push[0]; ++i) buffer(1)[push[2] + i / 128 % groups] += buffer(0)[i] + push[1];
        } else if (shader == "scan_tiles") {
            for (uint32_t begin = 0; begin < push[0]; begin += 1024) {
                auto first = buffer(0).begin() + begin;
                auto last = buffer(0).begin() + std::min(begin + 1024, push[0]);
                if (begin > 0 && push[1]) *first += *(first - 1);
                std::partial_sum(first, last, first);
                if (!push[1]) buffer(1)[begin / 1024] = *(last - 1);
            }
        } else if (shader == "scan_add") {
            for (uint32_t i = 1024; i < push[0]; ++i) buffer(0)[i] += buffer(1)[i / 1024 - 1];
        } else if (shader == "gemm") {
            uint32_t n = push[0];
            for (uint32_t row = 0; row < n; ++row) {
                for (uint32_t column = 0; column < n; ++column) {
                    float sum = 0;
                    for (uint32_t k = 0; k < n; ++k)
                        sum += AsFloat(buffer(0)[row * n + k]) * AsFloat(buffer(1)[k * n + column]);
                    uint32_t& c = buffer(2)[row * n + column];
                    c = AsWord(AsFloat(push[1]) * sum - AsFloat(c));
                }
            }
        } else if (shader == "mix") {
            for (uint32_t i = 0; i < push[0]; ++i) buffer(1)[i] = push[1] * buffer(1)[i] + buffer(0)[i] + push[2];
        } else if (shader == "join") {
            for (uint32_t i = 0; i < push[0]; ++i) {
                buffer(4)[i] = 9 * buffer(4)[i] + buffer(0)[i] + 3 * buffer(1)[i] + 5 * buffer(2)[i] + 7 * buffer(3)[i];
            }
        } else {
            FAIL() << "unknown shader " << shader;
        }
    }

    const Workload& workload_;
    std::vector<Words> buffers_;
};

class WorkloadTest : public testing::TestWithParam<WorkloadKind> {};

TEST_P(WorkloadTest, RightResultsPass) {
    for (uint64_t bytes : {uint64_t{4}, uint64_t{64}, uint64_t{4092}, uint64_t{4096}, uint64_t{20000}}) {
        for (uint32_t rounds : {1U, 2U, 7U}) {
            std::unique_ptr<Workload> workload = GetParam().make(bytes, rounds);
            EXPECT_EQ(workload->Check(Reference(*workload).Run()), std::nullopt)
                << bytes << " bytes, " << rounds << " rounds";
        }
    }
}

TEST_P(WorkloadTest, AnyLostDispatchIsFound) {
    std::unique_ptr<Workload> workload = GetParam().make(20000, 7);
    for (size_t skip = 0; skip < workload->dispatches().size(); ++skip) {
        EXPECT_NE(workload->Check(Reference(*workload).Run(skip)), std::nullopt) << "dispatch " << skip;
    }
}

TEST_P(WorkloadTest, AnyWrongWordIsFoundAndNamed) {
    std::unique_ptr<Workload> workload = GetParam().make(4096, 3);
    std::vector<Words> right = Reference(*workload).Run();
    for (size_t i = 0; i < right[0].size(); ++i) {
        std::vector<Words> wrong = right;
        wrong[0][i] ^= 0x00800000;  // another integer; another exponent of a float
        if (AsFloat(wrong[0][i]) == AsFloat(right[0][i])) continue;
        EXPECT_THAT(workload->Check(wrong).value_or("nothing"), testing::HasSubstr("[" + std::to_string(i) + "]"));
    }
}

TEST_P(WorkloadTest, NotANumberIsFound) {
    std::unique_ptr<Workload> workload = GetParam().make(4096, 3);
    std::vector<Words> wrong = Reference(*workload).Run();
    wrong[0].back() = 0x7fc00000;
    EXPECT_NE(workload->Check(wrong), std::nullopt);
}

TEST_P(WorkloadTest, InputsAreTheSameEachTime) {
    std::unique_ptr<Workload> a = GetParam().make(4096, 1);
    std::unique_ptr<Workload> b = GetParam().make(4096, 1);
    EXPECT_EQ(a->buffers()[0].initial, b->buffers()[0].initial);
}

// Those whose dispatches are all there is to them.
std::vector<WorkloadKind> Executable() {
    std::vector<WorkloadKind> kinds;
    for (const WorkloadKind& kind : kWorkloads) {
        switch (kind.program) {
            case Program::General:
            case Program::Independent:
            case Program::FanOut:
            case Program::Chain:
            case Program::FirstTouch:
                kinds.push_back(kind);
                break;
            default:
                break;
        }
    }
    return kinds;
}

INSTANTIATE_TEST_SUITE_P(All, WorkloadTest, testing::ValuesIn(Executable()), [](const auto& info) {
    std::string name(info.param.name);
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
});

std::vector<bool> Barriers(std::unique_ptr<Workload> workload) { return NeededBarriers(*workload); }

TEST(NeededBarriers, OnlyWhereTheDataNeedsThem) {
    using Flags = std::vector<bool>;
    EXPECT_EQ(Barriers(MakeChain(64, 3)), Flags({false, true, true}));
    EXPECT_EQ(Barriers(MakeIndependent(64, 3)), Flags({false, false, false}));
    // The second round's partial sums overwrite what the first round's second dispatch read.
    EXPECT_EQ(Barriers(MakeReduction(64, 2)), Flags({false, true, true, true}));
    EXPECT_EQ(Barriers(MakeFanOut(64, 2)), Flags({false, false, false, false, true, true, false, false, false, true}));
}

TEST(ParseSize, BytesAndUnits) {
    EXPECT_EQ(ParseSize("4"), 4U);
    EXPECT_EQ(ParseSize("64K"), 65536U);
    EXPECT_EQ(ParseSize("8m"), 8388608U);
    EXPECT_EQ(ParseSize("1G"), 1073741824U);
    for (const char* bad : {"", "K", "-1", "4KB", "4 K", "0x10", "99999999999999999999", "18446744073709551615K"}) {
        EXPECT_EQ(ParseSize(bad), std::nullopt) << bad;
    }
}

TEST(Options, BadValuesEndWith2) {
    for (const char* option : {"--size=3", "--size=2G", "--size=abc", "--dispatches=0", "--repeat=0", "--only=nosuch",
                               "--nosuch", "--writing=fast", "--fault=none-such", "--fault=missing-barrier"}) {
        const char* arguments[] = {"kronos-workloads", option};
        int status = 0;
        EXPECT_FALSE(ParseOptions(2, arguments, status)) << option;
        EXPECT_EQ(status, 2) << option;
    }
}

}  // namespace
}  // namespace kronos::workloads
