// SPDX-License-Identifier: Apache-2.0
// A set of environment variables.
#include "environment.h"

#include <unistd.h>

#include <algorithm>

namespace kronos::command {

Environment Environment::Current() {
    Environment environment;
    for (char** entry = environ; entry && *entry; ++entry) {
        std::string_view text = *entry;
        size_t equals = text.find('=');
        if (equals == std::string_view::npos) continue;
        // The first of two equal names is the one getenv finds.
        environment.values_.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
    return environment;
}

std::string Environment::Get(const std::string& name) const {
    auto found = values_.find(name);
    return found == values_.end() ? std::string() : found->second;
}

void Environment::AppendOnce(const std::string& name, const std::string& entry) {
    std::string list = Get(name);
    std::vector<std::string> entries = SplitList(list);
    if (std::find(entries.begin(), entries.end(), entry) != entries.end()) return;
    Set(name, list.empty() ? entry : list + ":" + entry);
}

void Environment::PrependOnce(const std::string& name, const std::string& entry) {
    std::string list = Get(name);
    std::vector<std::string> entries = SplitList(list);
    if (std::find(entries.begin(), entries.end(), entry) != entries.end()) return;
    Set(name, list.empty() ? entry : entry + ":" + list);
}

std::vector<std::string> Environment::Strings() const {
    std::vector<std::string> strings;
    strings.reserve(values_.size());
    for (const auto& [name, value] : values_) strings.emplace_back(name).append("=").append(value);
    return strings;
}

std::vector<std::string> SplitList(std::string_view list, char separator) {
    std::vector<std::string> entries;
    while (!list.empty()) {
        size_t end = std::min(list.find(separator), list.size());
        if (end > 0) entries.emplace_back(list.substr(0, end));
        list.remove_prefix(std::min(end + 1, list.size()));
    }
    return entries;
}

std::vector<char*> Pointers(std::vector<std::string>& strings) {
    std::vector<char*> pointers;
    pointers.reserve(strings.size() + 1);
    for (std::string& text : strings) pointers.push_back(text.data());
    pointers.push_back(nullptr);
    return pointers;
}

}  // namespace kronos::command
