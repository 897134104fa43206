// SPDX-License-Identifier: Apache-2.0
// The layer's log: one line a message, to standard error or a file, never to standard output.
// Owned by an instance and shared with its devices. Any thread may log.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>

#include "kronos/settings.h"
#include "support/formatted.h"

namespace spdlog {
class logger;
}

namespace kronos {

class Log {
  public:
    /// `file` empty: standard error. A file that cannot be opened: standard error, with one line that says so.
    static std::shared_ptr<Log> Create(LogLevel level, const std::string& file);

    Log(LogLevel level, std::shared_ptr<spdlog::logger> logger) : level_(level), logger_(std::move(logger)) {}

    bool Enabled(LogLevel level) const { return level_ != LogLevel::kOff && level <= level_; }

    template <class... Args>
    void Error(fmt::format_string<Args...> format, Args&&... args) const {
        if (Enabled(LogLevel::kError)) Write("error: ", Format(format, std::forward<Args>(args)...));
    }
    template <class... Args>
    void Warn(fmt::format_string<Args...> format, Args&&... args) const {
        if (Enabled(LogLevel::kWarn)) Write("warning: ", Format(format, std::forward<Args>(args)...));
    }
    /// What a user wants to see by default though nothing is wrong: shown from level warn on.
    template <class... Args>
    void Notice(fmt::format_string<Args...> format, Args&&... args) const {
        if (Enabled(LogLevel::kWarn)) Write("", Format(format, std::forward<Args>(args)...));
    }
    template <class... Args>
    void Info(fmt::format_string<Args...> format, Args&&... args) const {
        if (Enabled(LogLevel::kInfo)) Write("", Format(format, std::forward<Args>(args)...));
    }
    template <class... Args>
    void Debug(fmt::format_string<Args...> format, Args&&... args) const {
        if (Enabled(LogLevel::kDebug)) Write("debug: ", Format(format, std::forward<Args>(args)...));
    }

    /// An error of the layer's own, an exception that reached a hook, was seen by who logs here.
    void NoteFailure() const noexcept { failed_.store(true, std::memory_order_relaxed); }
    bool Failed() const noexcept { return failed_.load(std::memory_order_relaxed); }

  private:
    void Write(std::string_view prefix, const std::string& text) const noexcept;

    LogLevel level_;
    std::shared_ptr<spdlog::logger> logger_;
    mutable std::atomic<bool> failed_{false};
};

}  // namespace kronos
