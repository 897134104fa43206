// SPDX-License-Identifier: Apache-2.0
// The data of the FFT: complex numbers on a grid of powers of two, and their transform by the CPU in double precision.
#include <algorithm>
#include <bit>
#include <cmath>
#include <complex>
#include <numbers>

#include "data.h"

namespace kronos::workloads {
namespace {

using Complex = std::complex<double>;

// In place; as many numbers as a power of two.
void Transform(std::vector<Complex>& line) {
    size_t count = line.size();
    for (size_t i = 1, j = 0; i < count; ++i) {
        size_t bit = count >> 1;
        for (; j & bit; bit >>= 1) j ^= bit;
        j ^= bit;
        if (i < j) std::swap(line[i], line[j]);
    }
    for (size_t length = 2; length <= count; length *= 2) {
        std::vector<Complex> roots(length / 2);
        for (size_t k = 0; k < roots.size(); ++k)
            roots[k] = std::polar(1.0, -2 * std::numbers::pi * static_cast<double>(k) / static_cast<double>(length));
        for (size_t begin = 0; begin < count; begin += length) {
            for (size_t k = 0; k < length / 2; ++k) {
                Complex a = line[begin + k];
                Complex b = line[begin + k + length / 2] * roots[k];
                line[begin + k] = a + b;
                line[begin + k + length / 2] = a - b;
            }
        }
    }
}

class Fft final : public Workload {
  public:
    // One buffer of interleaved complex numbers. It is transformed, and rounds - 1 times back and forth; the dispatches
    // are the library's. A transform that is lost leaves the grid itself in place of its spectrum.
    Fft(uint64_t bytes, uint32_t rounds) {
        uint64_t count = std::bit_floor(std::max<uint64_t>(bytes / 8, 4));
        while (height_ * height_ * 4 <= count) height_ *= 2;
        width_ = count / height_;
        buffers_ = {{"grid", count * 8, SmallFloats(count * 2, 51), true}};
        for (uint32_t i = 0; i < 2 * rounds - 1; ++i) {
            bool inverse = i % 2 == 1;
            dispatches_.push_back(
                {0, {0}, {static_cast<uint32_t>(width_), static_cast<uint32_t>(height_), inverse}, {}});
        }
        for (uint64_t i = 0; i < count; ++i) {
            const Words& words = buffers_[0].initial;
            spectrum_.emplace_back(AsFloat(words[2 * i]), AsFloat(words[2 * i + 1]));
        }
        TransformGrid();
        double sum = 0;
        for (const Complex& value : spectrum_) sum += std::norm(value);
        root_mean_square_ = std::sqrt(sum / static_cast<double>(count));
    }

    std::optional<std::string> Check(const std::vector<Words>& results) const override {
        const Words& got = results.at(0);
        // Single precision loses about 1e-7 for each of the log2(count) steps of a transform, on average over a grid;
        // some add up over the transforms.
        double allowed = 2e-5 * root_mean_square_ * std::sqrt(static_cast<double>(dispatches_.size()));
        for (size_t i = 0; i < got.size(); ++i) {
            double expected = i % 2 ? spectrum_[i / 2].imag() : spectrum_[i / 2].real();
            if (!(std::fabs(AsFloat(got[i]) - expected) <= allowed))
                return Difference("spectrum", i, AsFloat(got[i]), expected);
        }
        return std::nullopt;
    }

  private:
    void TransformGrid() {
        std::vector<Complex> line(width_);
        for (uint64_t row = 0; row < height_; ++row) {
            std::copy_n(spectrum_.begin() + static_cast<ptrdiff_t>(row * width_), width_, line.begin());
            Transform(line);
            std::copy(line.begin(), line.end(), spectrum_.begin() + static_cast<ptrdiff_t>(row * width_));
        }
        line.resize(height_);
        for (uint64_t column = 0; column < width_; ++column) {
            for (uint64_t row = 0; row < height_; ++row) line[row] = spectrum_[row * width_ + column];
            Transform(line);
            for (uint64_t row = 0; row < height_; ++row) spectrum_[row * width_ + column] = line[row];
        }
    }

    uint64_t width_ = 0;
    uint64_t height_ = 1;
    std::vector<Complex> spectrum_;
    double root_mean_square_ = 0;
};

}  // namespace

std::unique_ptr<Workload> MakeFft(uint64_t bytes, uint32_t rounds) { return std::make_unique<Fft>(bytes, rounds); }

}  // namespace kronos::workloads
