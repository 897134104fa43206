// SPDX-License-Identifier: Apache-2.0
// What a workload is: shaders, buffers with their first contents, a list of dispatches, and a check of the results.
// It knows no Vulkan object; a writing (naive.h) executes it. Immutable once made, so any thread may read it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kronos::workloads {

/// Contents of a buffer: 32-bit words, floats by their bits.
using Words = std::vector<uint32_t>;

struct Shader {
    std::string_view name;
    std::span<const uint32_t> code;  ///< SPIR-V, entry point "main"
    uint32_t bindings;               ///< storage buffers at set 0, bindings 0 to bindings - 1
    uint32_t push_words;             ///< size of its push constants in 32-bit words
};

struct BufferSpec {
    std::string_view name;
    uint64_t bytes;
    Words initial;   ///< uploaded before the first dispatch; empty: not uploaded
    bool read_back;  ///< handed to Check()
};

struct Dispatch {
    uint32_t shader;                ///< index into shaders()
    std::vector<uint32_t> buffers;  ///< indices into buffers(), in binding order
    Words push;
    std::array<uint32_t, 3> groups;
};

/// One workload at one size. Dispatches run one after another, each seeing all writes of those before it.
class Workload {
  public:
    virtual ~Workload() = default;
    const std::vector<Shader>& shaders() const { return shaders_; }
    const std::vector<BufferSpec>& buffers() const { return buffers_; }
    const std::vector<Dispatch>& dispatches() const { return dispatches_; }
    /// `results` are the buffers with read_back, in order. Nothing when all is right, else the first difference.
    virtual std::optional<std::string> Check(const std::vector<Words>& results) const = 0;

  protected:
    std::vector<Shader> shaders_;
    std::vector<BufferSpec> buffers_;
    std::vector<Dispatch> dispatches_;
};

struct WorkloadKind {
    std::string_view name;
    std::string_view description;
    /// bytes: size of one data buffer (a matrix for GEMM), at least 4; rounds: how often the computation is done, at
    /// least 1; each round depends on the one before it or has a result of its own, so that a lost round is found.
    std::unique_ptr<Workload> (*make)(uint64_t bytes, uint32_t rounds);
};

std::unique_ptr<Workload> MakeSaxpy(uint64_t bytes, uint32_t rounds);
std::unique_ptr<Workload> MakeReduction(uint64_t bytes, uint32_t rounds);
std::unique_ptr<Workload> MakeScan(uint64_t bytes, uint32_t rounds);
std::unique_ptr<Workload> MakeGemm(uint64_t bytes, uint32_t rounds);

inline constexpr WorkloadKind kWorkloads[] = {
    {"saxpy", "y = a * x + y; 1 dispatch a round, each on the result of the last", MakeSaxpy},
    {"reduction", "sum of integers; 2 dispatches a round, one result a round", MakeReduction},
    {"scan", "inclusive prefix sum in place; 3 dispatches a round, each on the result of the last", MakeScan},
    {"gemm", "C = alpha * A * B - C, square matrices; 1 dispatch a round, each on the result of the last", MakeGemm},
};

}  // namespace kronos::workloads
