// SPDX-License-Identifier: Apache-2.0
// GEMM: C = alpha * A * B - C on square matrices, round after round on the same C.
#include <cmath>

#include "data.h"
#include "gemm_spv.h"

namespace kronos::workloads {
namespace {

// C after round k is Scale(k) * A * B: never 0 and never the same twice running, so a lost or doubled round is found.
int Scale(uint32_t rounds_done) { return rounds_done == 0 ? 0 : 1 + static_cast<int>(rounds_done % 3); }

class Gemm final : public Workload {
  public:
    Gemm(uint64_t bytes, uint32_t rounds) : rounds_(rounds) {
        uint64_t elements = bytes / 4;
        n_ = static_cast<uint32_t>(std::sqrt(static_cast<double>(elements)));
        uint64_t matrix = uint64_t{n_} * n_;
        shaders_ = {{"gemm", kGemmSpirv, 3, 2, 0b100}};
        // C starts as zeros, uploaded like any other input.
        buffers_ = {{"A", matrix * 4, SmallFloats(matrix, 5), false},
                    {"B", matrix * 4, SmallFloats(matrix, 6), false},
                    {"C", matrix * 4, Words(matrix, 0), true}};
        uint32_t groups = (n_ + 15) / 16;
        for (uint32_t round = 0; round < rounds; ++round) {
            auto alpha = static_cast<float>(Scale(round + 1) + Scale(round));
            dispatches_.push_back({0, {0, 1, 2}, {n_, AsWord(alpha)}, {groups, groups, 1}});
        }
    }

    // A and B hold whole numbers up to 8, so every intermediate value is a whole number up to 5 * 64 * n, which a float
    // holds exactly for n up to 52,428 (matrices of 11 GB): the check is exact, whatever the order of additions.
    // It is Freivalds': for random integer vectors v, C v must equal Scale * A (B v), in integers modulo 2^64. It sees
    // all of C in O(n^2) and misses a wrong row with a chance of about 2^-60; only a wrong row is computed in full.
    std::optional<std::string> Check(const std::vector<Words>& results) const override {
        const Words& c = results.at(0);
        Random random(7);
        std::vector<uint64_t> v(n_);
        for (uint64_t& e : v) e = random.Next();
        std::vector<uint64_t> b_v = Multiply(buffers_[1].initial, v);
        std::vector<uint64_t> expected = Multiply(buffers_[0].initial, b_v);
        for (uint32_t row = 0; row < n_; ++row) {
            uint64_t sum = 0;
            bool whole = true;
            for (uint32_t k = 0; k < n_; ++k) {
                float value = AsFloat(c[uint64_t{row} * n_ + k]);
                // Also keeps the conversion defined: NaN, infinities and fractions are wrong anyway.
                if (!(std::fabs(value) < 16777217.0F) || value != std::floor(value)) {
                    whole = false;
                    break;
                }
                sum += Whole(value) * v[k];
            }
            if (!whole || sum != static_cast<uint64_t>(Scale(rounds_)) * expected[row]) return DifferenceInRow(row, c);
        }
        return std::nullopt;
    }

  private:
    static uint64_t Whole(float value) { return static_cast<uint64_t>(static_cast<int64_t>(value)); }

    std::vector<uint64_t> Multiply(const Words& matrix, const std::vector<uint64_t>& vector) const {
        std::vector<uint64_t> product(n_);
        for (uint32_t row = 0; row < n_; ++row) {
            uint64_t sum = 0;
            for (uint32_t k = 0; k < n_; ++k) sum += Whole(AsFloat(matrix[uint64_t{row} * n_ + k])) * vector[k];
            product[row] = sum;
        }
        return product;
    }

    std::string DifferenceInRow(uint32_t row, const Words& c) const {
        for (uint32_t column = 0; column < n_; ++column) {
            int64_t sum = 0;
            for (uint32_t k = 0; k < n_; ++k) {
                sum += static_cast<int64_t>(AsFloat(buffers_[0].initial[uint64_t{row} * n_ + k])) *
                       static_cast<int64_t>(AsFloat(buffers_[1].initial[uint64_t{k} * n_ + column]));
            }
            auto expected = static_cast<double>(Scale(rounds_) * sum);
            uint64_t index = uint64_t{row} * n_ + column;
            if (!(AsFloat(c[index]) == expected)) return Difference("C", index, AsFloat(c[index]), expected);
        }
        return "the checksum of row " + std::to_string(row) + " of C differs, though its elements do not";
    }

    uint32_t n_;
    uint32_t rounds_;
};

}  // namespace

std::unique_ptr<Workload> MakeGemm(uint64_t bytes, uint32_t rounds) { return std::make_unique<Gemm>(bytes, rounds); }

}  // namespace kronos::workloads
