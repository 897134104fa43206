// SPDX-License-Identifier: Apache-2.0
// SAXPY: y = a * x + y, round after round with another a.
#include "data.h"
#include "saxpy_spv.h"

namespace kronos::workloads {
namespace {

// x and y hold whole numbers up to 8, a is 1, 2 or 3: after r rounds |y| <= 8 + 24 r, which a float holds exactly up to
// 699,050 rounds. So neither the order of operations nor a fused multiply-add changes a bit, and the check is exact.
float Factor(uint32_t round) { return static_cast<float>(1 + round % 3); }

class Saxpy final : public Workload {
  public:
    Saxpy(uint64_t bytes, uint32_t rounds) {
        uint64_t count = bytes / 4;
        shaders_ = {{"saxpy", kSaxpySpirv, 2, 2, 0b10}};
        buffers_ = {{"x", count * 4, SmallFloats(count, 1), false}, {"y", count * 4, SmallFloats(count, 2), true}};
        float sum = 0;
        for (uint32_t round = 0; round < rounds; ++round) {
            sum += Factor(round);
            dispatches_.push_back(
                {0, {0, 1}, {static_cast<uint32_t>(count), AsWord(Factor(round))}, {Groups(count, 512), 1, 1}});
        }
        sum_of_factors_ = sum;
    }

    std::optional<std::string> Check(const std::vector<Words>& results) const override {
        const Words& y = results.at(0);
        for (size_t i = 0; i < y.size(); ++i) {
            float expected = AsFloat(buffers_[1].initial[i]) + sum_of_factors_ * AsFloat(buffers_[0].initial[i]);
            // By value, so that -0 is as good as 0; NaN differs from everything.
            if (!(AsFloat(y[i]) == expected)) return Difference("y", i, AsFloat(y[i]), expected);
        }
        return std::nullopt;
    }

  private:
    float sum_of_factors_ = 0;
};

}  // namespace

std::unique_ptr<Workload> MakeSaxpy(uint64_t bytes, uint32_t rounds) { return std::make_unique<Saxpy>(bytes, rounds); }

}  // namespace kronos::workloads
