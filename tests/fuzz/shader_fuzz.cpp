// SPDX-License-Identifier: Apache-2.0
// libFuzzer: any words are analysed without a crash, and the answer is well-formed. tests/fuzz/run builds and runs it.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <tuple>

#include "shaders/uses.h"

namespace {

void Demand(bool condition) {
    if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace kronos;
    // An allocation of just that size: one word too far is seen.
    const size_t count = size / 4;
    const std::unique_ptr<uint32_t[]> words(new uint32_t[count ? count : 1]);
    if (count) std::memcpy(words.get(), data, count * 4);
    const ShaderUses uses = FindUses({words.get(), count}, "main");
    Demand(!uses.everything || (uses.bindings.empty() && uses.addresses == Use::kReadWrite));
    for (size_t i = 0; i < uses.bindings.size(); ++i) {
        const BindingUse& one = uses.bindings[i];
        Demand(one.use != Use::kNone);
        if (i == 0) continue;
        const BindingUse& before = uses.bindings[i - 1];
        Demand(std::tie(before.set, before.binding, before.element) < std::tie(one.set, one.binding, one.element));
    }
    return 0;
}
