// SPDX-License-Identifier: Apache-2.0
// A set of environment variables that is changed without touching the process's own. A value type; one thread.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace kronos::command {

class Environment {
  public:
    Environment() = default;
    explicit Environment(std::map<std::string, std::string> values) : values_(std::move(values)) {}
    /// A copy of the process's environment.
    static Environment Current();

    bool Has(const std::string& name) const { return values_.count(name) != 0; }
    /// The value, or "" when it is not set; the loader treats both alike unless stated otherwise.
    std::string Get(const std::string& name) const;
    void Set(const std::string& name, std::string value) { values_[name] = std::move(value); }
    void Unset(const std::string& name) { values_.erase(name); }
    /// Adds an entry at the end or the front of a ':' separated list, unless the list has it already.
    void AppendOnce(const std::string& name, const std::string& entry);
    void PrependOnce(const std::string& name, const std::string& entry);
    const std::map<std::string, std::string>& values() const { return values_; }
    /// "NAME=value" strings, for exec.
    std::vector<std::string> Strings() const;

  private:
    std::map<std::string, std::string> values_;
};

/// The non-empty entries of a list.
std::vector<std::string> SplitList(std::string_view list, char separator = ':');

/// The null-terminated array that exec wants; it points into the strings.
std::vector<char*> Pointers(std::vector<std::string>& strings);

}  // namespace kronos::command
