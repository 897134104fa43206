// SPDX-License-Identifier: Apache-2.0
#include "resources/shader_cache.h"

#include <algorithm>
#include <mutex>

namespace kronos {
namespace {

uint64_t HashOf(std::span<const uint32_t> words) {
    uint64_t hash = 0xCBF29CE484222325ull;  // FNV-1a, a word at a time
    for (const uint32_t word : words) hash = (hash ^ word) * 0x100000001B3ull;
    return hash;
}

}  // namespace

std::shared_ptr<ShaderCode> ShaderCache::Code(std::span<const uint32_t> words) {
    const uint64_t hash = HashOf(words);
    std::lock_guard lock(mutex_);
    const auto [first, last] = codes_.equal_range(hash);
    const auto same =
        std::find_if(first, last, [&](const auto& entry) { return std::ranges::equal(entry.second->words, words); });
    if (same != last) return same->second;
    if (bytes_ + words.size_bytes() > most_bytes_) DropUnused();
    auto made = std::make_shared<ShaderCode>();
    made->words.assign(words.begin(), words.end());
    codes_.emplace(hash, made);
    bytes_ += words.size_bytes();
    return made;
}

std::shared_ptr<const ShaderUses> ShaderCache::Uses(ShaderCode& code, std::string_view entry_point) {
    const auto look = [&]() -> std::shared_ptr<const ShaderUses> {
        for (const auto& [name, uses] : code.found)
            if (name == entry_point) return uses;
        return nullptr;
    };
    {
        std::lock_guard lock(mutex_);
        if (auto known = look()) return known;
    }
    auto made = std::make_shared<const ShaderUses>(find_(code.words, entry_point));
    std::lock_guard lock(mutex_);
    if (auto known = look()) return known;
    code.found.emplace_back(entry_point, made);
    return made;
}

size_t ShaderCache::size() const {
    std::lock_guard lock(mutex_);
    return codes_.size();
}

void ShaderCache::DropUnused() {
    std::erase_if(codes_, [&](const auto& entry) {
        if (entry.second.use_count() > 1) return false;
        bytes_ -= entry.second->words.size() * sizeof(uint32_t);
        return true;
    });
}

}  // namespace kronos
