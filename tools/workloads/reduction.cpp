// SPDX-License-Identifier: Apache-2.0
// Reduction: the sum of a list of integers, modulo 2^32, so that every order of additions gives the same bits.
#include <numeric>

#include "data.h"
#include "reduce_spv.h"

namespace kronos::workloads {
namespace {

class Reduction final : public Workload {
  public:
    Reduction(uint64_t bytes, uint32_t rounds) {
        auto count = static_cast<uint32_t>(bytes / 4);
        uint32_t groups = Groups(count, 1024, 1024);
        shaders_ = {{"reduce", kReduceSpirv, 2, 3, 0b10}};
        buffers_ = {{"input", uint64_t{count} * 4, RandomWords(count, 3), false},
                    {"partial", uint64_t{groups} * 4, {}, false},
                    {"sums", uint64_t{rounds} * 4, {}, true}};
        uint32_t sum = std::accumulate(buffers_[0].initial.begin(), buffers_[0].initial.end(), 0U);
        for (uint32_t round = 0; round < rounds; ++round) {
            // The bias makes each round's sum another one: a round that reads stale partial sums is found.
            dispatches_.push_back({0, {0, 1}, {count, round, 0}, {groups, 1, 1}});
            dispatches_.push_back({0, {1, 2}, {groups, 0, round}, {1, 1, 1}});
            expected_.push_back(sum + round * count);
        }
    }

    std::optional<std::string> Check(const std::vector<Words>& results) const override {
        return FirstDifference("sums", results.at(0), expected_);
    }

  private:
    Words expected_;
};

}  // namespace

std::unique_ptr<Workload> MakeReduction(uint64_t bytes, uint32_t rounds) {
    return std::make_unique<Reduction>(bytes, rounds);
}

}  // namespace kronos::workloads
