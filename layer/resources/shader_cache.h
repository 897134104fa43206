// SPDX-License-Identifier: Apache-2.0
// What shaders do to descriptors, found once for each code and entry point: programs create the same module again and
// again.
//
// Threads: any. One mutex of LockRank::kResources, not held while a shader is analysed.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "shaders/uses.h"
#include "support/fork_mutex.h"

namespace kronos {

/// SPIR-V. Its words never change; `found` is the cache's.
struct ShaderCode {
    std::vector<uint32_t> words;
    std::vector<std::pair<std::string, std::shared_ptr<const ShaderUses>>> found;  ///< by entry point
};

using UsesFinder = ShaderUses (*)(std::span<const uint32_t> words, std::string_view entry_point) noexcept;

class ShaderCache {
  public:
    /// `most_bytes` of code that no module has any more are kept, and a module's worth more.
    explicit ShaderCache(UsesFinder find, uint64_t most_bytes = uint64_t{16} << 20)
        : find_(find), most_bytes_(most_bytes) {}

    /// The code of those words: equal words, one code. Throws std::bad_alloc.
    std::shared_ptr<ShaderCode> Code(std::span<const uint32_t> words);
    /// Throws std::bad_alloc.
    std::shared_ptr<const ShaderUses> Uses(ShaderCode& code, std::string_view entry_point);

    size_t size() const;

  private:
    void DropUnused();

    const UsesFinder find_;
    const uint64_t most_bytes_;
    mutable ForkMutex mutex_{LockRank::kResources};
    std::unordered_multimap<uint64_t, std::shared_ptr<ShaderCode>> codes_;  // by hash; guarded by mutex_
    uint64_t bytes_ = 0;                                                    // of codes_; guarded by mutex_
};

}  // namespace kronos
