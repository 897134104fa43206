// SPDX-License-Identifier: Apache-2.0
// Times the analysis of what a shader reads and writes, on a kernel of about 5,000 words and on a small one.
#include <benchmark/benchmark.h>

#include <span>

#include "shader_bench_large_spv.h"
#include "shader_bench_small_spv.h"
#include "shaders/uses.h"

namespace {

void BM_FindUses(benchmark::State& state, std::span<const uint32_t> words) {
    for (auto _ : state) benchmark::DoNotOptimize(kronos::FindUses(words, "main"));
    state.counters["words"] = static_cast<double>(words.size());
    state.counters["bindings"] = static_cast<double>(kronos::FindUses(words, "main").bindings.size());
}
BENCHMARK_CAPTURE(BM_FindUses, small, std::span<const uint32_t>(kSmallSpirv))->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(BM_FindUses, large, std::span<const uint32_t>(kLargeSpirv))->Unit(benchmark::kMicrosecond);

}  // namespace

BENCHMARK_MAIN();
