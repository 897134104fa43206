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
    uint32_t writes;                 ///< bit b: the shader writes binding b
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

/// How a workload is executed (writings.cpp): by the general writings, or as the program that isolates a mechanism.
enum class Program {
    General,
    Independent,
    FanOut,
    Chain,
    WideBarriers,
    PingPong,
    BackToBackBarriers,
    ManySubmits,
    FencePerSubmit,
    SubmitAndWait,
    AllocStorm,
    FirstTouch,
    IdenticalWrites,
    SetsPerDispatch,
    SetRing,
    RedundantBinds,
    TwoQueues,
    PollMapped,
    VkFft,
};

struct WorkloadKind {
    std::string_view name;
    std::string_view description;
    /// bytes: size of one data buffer (a matrix for GEMM), at least 4; rounds: how often the computation is done, at
    /// least 1; each round depends on the one before it or has a result of its own, so that a lost round is found.
    std::unique_ptr<Workload> (*make)(uint64_t bytes, uint32_t rounds);
    Program program = Program::General;
    bool expert = true;  ///< it has an expert writing
};

std::unique_ptr<Workload> MakeSaxpy(uint64_t bytes, uint32_t rounds);
std::unique_ptr<Workload> MakeReduction(uint64_t bytes, uint32_t rounds);
std::unique_ptr<Workload> MakeScan(uint64_t bytes, uint32_t rounds);
std::unique_ptr<Workload> MakeGemm(uint64_t bytes, uint32_t rounds);
std::unique_ptr<Workload> MakeIndependent(uint64_t bytes, uint32_t rounds);
std::unique_ptr<Workload> MakeFanOut(uint64_t bytes, uint32_t rounds);
std::unique_ptr<Workload> MakeChain(uint64_t bytes, uint32_t rounds);
std::unique_ptr<Workload> MakeHostTurns(uint64_t bytes, uint32_t rounds);
std::unique_ptr<Workload> MakeAllocStorm(uint64_t bytes, uint32_t rounds);
std::unique_ptr<Workload> MakeFirstTouch(uint64_t bytes, uint32_t rounds);
std::unique_ptr<Workload> MakeFft(uint64_t bytes, uint32_t rounds);  ///< its data is there without VkFFT

#ifdef KRONOS_HAVE_VKFFT
inline constexpr bool kHaveVkFft = true;
#else
inline constexpr bool kHaveVkFft = false;
#endif
inline constexpr const char* kWithoutVkFft = "VkFFT or glslang's libraries were missing (libvkfft-dev, glslang-dev)";

// clang-format off
inline constexpr WorkloadKind kWorkloads[] = {
    {"saxpy", "y = a * x + y; 1 dispatch a round, each on the result of the last", MakeSaxpy},
    {"reduction", "sum of integers; 2 dispatches a round, one result a round", MakeReduction},
    {"scan", "inclusive prefix sum in place; 3 dispatches a round, each on the result of the last", MakeScan},
    {"gemm", "C = alpha * A * B - C, square matrices; 1 dispatch a round, each on the result of the last", MakeGemm},
    {"independent", "dispatches on buffers of their own, a barrier after each; expert: none", MakeIndependent, Program::Independent},
    {"fan-out", "4 dispatches on one result, 1 that joins theirs, a barrier after each; expert: 2 a round", MakeFanOut, Program::FanOut},
    {"chain", "each dispatch on the result of the last, barriers before and after each; expert: one between", MakeChain, Program::Chain},
    {"wide-barriers", "a chain, a barrier of all commands and all memory between; expert: of what the data needs", MakeChain, Program::WideBarriers},
    {"ping-pong", "submit, wait, the host reads and writes, submit, wait; expert: the wait spins", MakeHostTurns, Program::PingPong},
    {"back-to-back-barriers", "3 barriers in a row between dispatches; expert: one", MakeChain, Program::BackToBackBarriers},
    {"many-submits", "a tiny command buffer and a submit per dispatch, no waits between; expert: one of each", MakeChain, Program::ManySubmits},
    {"fence-per-submit", "a submit per dispatch, each with a new fence, all waited for at the end; expert: one signal at the end", MakeChain, Program::FencePerSubmit},
    {"submit-and-wait", "a submit per dispatch and vkQueueWaitIdle after each; expert: one submit", MakeChain, Program::SubmitAndWait},
    {"alloc-storm", "memory of mixed sizes allocated and freed; expert: parts of slabs", MakeAllocStorm, Program::AllocStorm},
    {"first-touch", "1,000 new buffers, an allocation each, touched by a dispatch each; expert: slabs", MakeFirstTouch, Program::FirstTouch},
    {"identical-writes", "the same descriptors written again for each dispatch; expert: once", MakeChain, Program::IdenticalWrites},
    {"sets-per-dispatch", "a descriptor set allocated and written for each dispatch; expert: once", MakeChain, Program::SetsPerDispatch},
    {"set-ring", "buffers of their own for each dispatch, written to the next set of a ring; expert: to a set of their own, once", MakeIndependent, Program::SetRing},
    {"redundant-binds", "pipeline and set bound 4 times before each dispatch; expert: once", MakeChain, Program::RedundantBinds},
    {"two-queues", "a chain that changes queues with each dispatch, by semaphores", MakeChain, Program::TwoQueues, false},
    {"poll-mapped", "the host waits by reading mapped memory that the device writes, and by nothing else", MakeHostTurns, Program::PollMapped, false},
    {"vkfft", "a 2D FFT by VkFFT, forward and back, a submit and a fence each time; expert: one submit, a spinning wait", MakeFft, Program::VkFft},
};
// clang-format on

inline bool IsBuilt(const WorkloadKind& kind) { return kHaveVkFft || kind.program != Program::VkFft; }

}  // namespace kronos::workloads
