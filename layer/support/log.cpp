// SPDX-License-Identifier: Apache-2.0
#include "support/log.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <filesystem>

#include "support/process.h"

namespace kronos {
namespace {

// A logger of our own, not spdlog's registry: the registry dies with the static objects, and programs call Vulkan
// later.
std::shared_ptr<spdlog::logger> MakeLogger(spdlog::sink_ptr sink, const char* pattern) {
    auto logger = std::make_shared<spdlog::logger>("kronos", std::move(sink));
    logger->set_level(spdlog::level::trace);
    logger->set_pattern(pattern);
    logger->flush_on(spdlog::level::trace);
    // A full disk or a closed stderr must not make spdlog complain by itself, again and again.
    logger->set_error_handler([](const std::string&) {});
    return logger;
}

}  // namespace

std::shared_ptr<Log> Log::Create(LogLevel level, const std::string& file) {
    if (!file.empty() && level != LogLevel::kOff) {
        const std::string path = ExpandPath(file);
        try {
            // spdlog would make missing folders; a mistyped path shall be told instead.
            const std::filesystem::path folder = std::filesystem::absolute(path).parent_path();
            if (!std::filesystem::is_directory(folder)) throw spdlog::spdlog_ex("No such folder: " + folder.string());
            auto sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(path);
            return std::make_shared<Log>(level, MakeLogger(std::move(sink), "%Y-%m-%dT%H:%M:%S.%e %P kronos: %v"));
        } catch (const std::exception& error) {
            auto log = Create(level, "");
            log->Warn(
                "log_file = '{}' cannot be opened ({}); a path that can be written is allowed; logging to standard "
                "error",
                path, error.what());
            return log;
        }
    }
    return std::make_shared<Log>(level, MakeLogger(std::make_shared<spdlog::sinks::stderr_sink_mt>(), "kronos: %v"));
}

void Log::Write(std::string_view prefix, const std::string& text) const noexcept {
    try {
        logger_->log(spdlog::level::info, "{}{}", prefix, text);
    } catch (...) {
        // Only memory can be short here; a lost log line is all that follows.
    }
}

}  // namespace kronos
