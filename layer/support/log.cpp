// SPDX-License-Identifier: Apache-2.0
#include "support/log.h"

#include <spdlog/details/null_mutex.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>

#include "support/append_file.h"
#include "support/fork_mutex.h"
#include "support/process.h"

namespace kronos {
namespace {

// One for all logs: lines of several instances to one place do not mix. Never destroyed. Made when the library is
// loaded, for a fork mutex must not be made while another is held.
ForkMutex& write_mutex = *new ForkMutex(LockRank::kLog);

// spdlog formats; the bytes go out by our own file, which knows the manners of a guest in a process.
class Sink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
  public:
    AppendFile file;  ///< not open: standard error

  private:
    void sink_it_(const spdlog::details::log_msg& message) override {
        spdlog::memory_buf_t line;
        formatter_->format(message, line);
        const std::string_view text(line.data(), line.size());
        if (file.IsOpen())
            static_cast<void>(file.Write(text));  // a full disk has no one to tell
        else
            AppendFile::WriteToStandardError(text);
    }
    void flush_() override {}
};

// A logger of our own, not spdlog's registry: the registry dies with the static objects, and programs call Vulkan
// later.
std::shared_ptr<spdlog::logger> MakeLogger(spdlog::sink_ptr sink, const char* pattern) {
    auto logger = std::make_shared<spdlog::logger>("kronos", std::move(sink));
    logger->set_level(spdlog::level::trace);
    logger->set_pattern(pattern);
    logger->set_error_handler([](const std::string&) {});
    return logger;
}

}  // namespace

std::shared_ptr<Log> Log::Create(LogLevel level, const std::string& file) {
    auto sink = std::make_shared<Sink>();
    if (file.empty() || level == LogLevel::kOff) return std::make_shared<Log>(level, MakeLogger(sink, "kronos: %v"));
    const std::string path = ExpandPath(file);
    const std::string error = sink->file.Open(path);
    const bool open = sink->file.IsOpen();
    auto log =
        std::make_shared<Log>(level, MakeLogger(sink, open ? "%Y-%m-%dT%H:%M:%S.%e %P kronos: %v" : "kronos: %v"));
    if (!open)
        log->Warn(
            "log_file = '{}' cannot be opened ({}); a path that can be written is allowed; logging to standard error",
            path, error);
    return log;
}

void Log::Write(std::string_view prefix, const std::string& text) const noexcept {
    try {
        std::lock_guard lock(write_mutex);
        logger_->log(spdlog::level::info, "{}{}", prefix, text);
    } catch (const std::exception&) {
        // Only memory can be short here; a lost log line is all that follows.
    }
}

}  // namespace kronos
