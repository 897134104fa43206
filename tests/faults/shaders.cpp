// SPDX-License-Identifier: Apache-2.0
// The shaders in C++. Each is what its source of the same name says, with the work groups one after another.
#include "shaders.h"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <span>
#include <unordered_map>

#include "gemm_spv.h"
#include "join_spv.h"
#include "mix.comp.h"
#include "mix_spv.h"
#include "reduce_spv.h"
#include "saxpy_spv.h"
#include "scale.comp.h"
#include "scan_add_spv.h"
#include "scan_tiles_spv.h"

namespace faults {
namespace {

// What a shader sees: its buffers as words, its push constants, its groups.
struct Inputs {
    const mock::Driver& mock;
    const MockDispatch& dispatch;
    uint32_t twist;

    // Empty where nothing is bound.
    template <typename T>
    std::span<T> Buffer(uint32_t binding, uint32_t set = 0) const {
        void* data = nullptr;
        uint64_t bytes = 0;
        if (!mock.DispatchBuffer(&dispatch, set, binding, 0, &data, &bytes)) return {};
        return {static_cast<T*>(data), bytes / sizeof(T)};
    }
    template <typename T>
    T Push(uint32_t word) const {
        T value = {};
        if ((word + 1) * sizeof(T) <= dispatch.push_constant_size)
            std::memcpy(&value, static_cast<const char*>(dispatch.push_constants) + word * sizeof(T), sizeof(T));
        return value;
    }
    // Elements of a loop over the whole grid: all, where there is a group.
    uint32_t Count() const { return dispatch.group_count[0] == 0 ? 0 : Push<uint32_t>(0); }
};

void Saxpy(const Inputs& in) {
    const auto x = in.Buffer<float>(0);
    const auto y = in.Buffer<float>(1);
    for (size_t i = 0; i < std::min<size_t>(in.Count(), y.size()); ++i) y[i] = in.Push<float>(1) * x[i] + y[i];
}

void Reduce(const Inputs& in) {
    const auto source = in.Buffer<uint32_t>(0);
    const auto target = in.Buffer<uint32_t>(1);
    const uint32_t groups = in.dispatch.group_count[0];
    for (uint32_t group = 0; group < groups; ++group) {
        uint32_t sum = 0;
        for (size_t first = size_t{group} * 128; first < in.Count(); first += size_t{groups} * 128) {
            for (size_t i = first; i < std::min<size_t>(first + 128, in.Count()); ++i)
                sum += source[i] + in.Push<uint32_t>(1);
        }
        target[in.Push<uint32_t>(2) + group] = sum;
    }
}

void ScanTiles(const Inputs& in) {
    constexpr uint32_t kTile = 1024;
    const auto data = in.Buffer<uint32_t>(0);
    const auto totals = in.Buffer<uint32_t>(1);
    const bool carry_on = in.Push<uint32_t>(1) != 0;
    // With it each group would do the same.
    uint32_t sum = 0;
    for (uint32_t i = 0; i < in.Count(); ++i) {
        if (i % kTile == 0 && !carry_on) sum = 0;
        data[i] = sum += data[i];
        if (!carry_on && (i % kTile == kTile - 1 || i + 1 == in.Count())) totals[i / kTile] = sum;
    }
}

void ScanAdd(const Inputs& in) {
    const auto data = in.Buffer<uint32_t>(0);
    const auto totals = in.Buffer<uint32_t>(1);
    for (uint32_t i = 1024; i < in.Count(); ++i) data[i] += totals[i / 1024 - 1];
}

void Gemm(const Inputs& in) {
    const uint32_t n = in.Push<uint32_t>(0);
    const auto a = in.Buffer<float>(0);
    const auto b = in.Buffer<float>(1);
    const auto c = in.Buffer<float>(2);
    for (uint32_t row = 0; row < std::min(n, in.dispatch.group_count[1] * 16); ++row) {
        for (uint32_t column = 0; column < std::min(n, in.dispatch.group_count[0] * 16); ++column) {
            float sum = 0;
            for (uint32_t k = 0; k < n; ++k) sum += a[row * n + k] * b[k * n + column];
            float& value = c[row * n + column];
            value = in.Push<float>(1) * sum - value;
        }
    }
}

void Mix(const Inputs& in) {
    const auto x = in.Buffer<uint32_t>(0);
    const auto y = in.Buffer<uint32_t>(1);
    for (uint32_t i = 0; i < in.Count(); ++i) y[i] = in.Push<uint32_t>(1) * y[i] + x[i] + in.Push<uint32_t>(2);
}

void Join(const Inputs& in) {
    const auto a = in.Buffer<uint32_t>(0);
    const auto b = in.Buffer<uint32_t>(1);
    const auto c = in.Buffer<uint32_t>(2);
    const auto d = in.Buffer<uint32_t>(3);
    const auto y = in.Buffer<uint32_t>(4);
    for (uint32_t i = 0; i < in.Count(); ++i) y[i] = 9 * y[i] + a[i] + 3 * b[i] + 5 * c[i] + 7 * d[i];
}

// The random program's, on slices of 256 words: those of the groups' invocations that are in the first row of the grid.
template <typename Each>
void Slice(const Inputs& in, Each each) {
    const auto source = in.Buffer<uint32_t>(0);
    const auto target = in.Buffer<uint32_t>(1);
    const MockDispatch& d = in.dispatch;
    if (d.base_group[1] != 0 || d.base_group[2] != 0 || d.group_count[1] == 0 || d.group_count[2] == 0) return;
    const size_t end = std::min<size_t>({(size_t{d.base_group[0]} + d.group_count[0]) * 64, 256, target.size()});
    for (size_t i = size_t{d.base_group[0]} * 64; i < end; ++i) target[i] = each(i, source[i], target[i]);
}

void RandomMix(const Inputs& in) {
    Slice(in, [&](size_t, uint32_t source, uint32_t target) {
        return (target * in.Push<uint32_t>(0) + source + in.Push<uint32_t>(1)) ^ in.twist;
    });
}

void RandomScale(const Inputs& in) {
    const auto factors = in.Buffer<uint32_t>(0, 1);
    Slice(in, [&](size_t i, uint32_t source, uint32_t target) {
        return target * factors[i % 16 * 4] + source * in.Push<uint32_t>(0) + in.Push<uint32_t>(1);
    });
}

struct Shader {
    std::span<const uint32_t> code;
    void (*compute)(const Inputs&);
};

constexpr Shader kShaders[] = {
    {kSaxpySpirv, Saxpy},     {kReduceSpirv, Reduce}, {kScanTilesSpirv, ScanTiles},
    {kScanAddSpirv, ScanAdd}, {kGemmSpirv, Gemm},     {kMixSpirv, Mix},
    {kJoinSpirv, Join},       {kMixComp, RandomMix},  {kScaleComp, RandomScale},
};

struct Made {
    void (*compute)(const Inputs&) = nullptr;
    uint32_t twist = 0;
};
struct Pipelines {
    std::mutex mutex;
    std::unordered_map<VkPipeline, Made> made;
};
// Never destroyed: queues may run until the process ends.
Pipelines& ThePipelines() {
    static auto* const pipelines = new Pipelines;
    return *pipelines;
}

}  // namespace

void NotePipeline(VkPipeline pipeline, const uint32_t* code, uint64_t words,
                  const VkSpecializationInfo* specialization) {
    Made made;
    for (const Shader& shader : kShaders)
        if (std::equal(code, code + words, shader.code.begin(), shader.code.end())) made.compute = shader.compute;
    // Constant 0 is the only one that these shaders have.
    if (specialization != nullptr && specialization->dataSize >= sizeof made.twist)
        std::memcpy(&made.twist, specialization->pData, sizeof made.twist);
    const std::lock_guard lock(ThePipelines().mutex);
    ThePipelines().made[pipeline] = made;
}

void Compute(const mock::Driver& mock, const MockDispatch& dispatch) {
    Made made;
    {
        const std::lock_guard lock(ThePipelines().mutex);
        const auto found = ThePipelines().made.find(dispatch.pipeline);
        if (found != ThePipelines().made.end()) made = found->second;
    }
    if (made.compute != nullptr) made.compute({mock, dispatch, made.twist});
}

}  // namespace faults
