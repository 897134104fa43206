// SPDX-License-Identifier: Apache-2.0
// The machine, a folder, and progress.
#include "bench_host.h"

#include <sched.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <fstream>
#include <stdexcept>

#include "probe.h"

namespace kronos::command {
namespace {

std::string ProcessorName() {
    std::ifstream info("/proc/cpuinfo");
    for (std::string line; std::getline(info, line);) {
        const size_t colon = line.find(": ");
        if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
    }
    return "unknown processor";
}

size_t TerminalColumns() {
    winsize size{};
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

std::string MachineText() {
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    const long all = sysconf(_SC_NPROCESSORS_ONLN);
    const long usable = sched_getaffinity(0, sizeof allowed, &allowed) == 0 ? CPU_COUNT(&allowed) : all;
    std::string cores = std::to_string(all);
    if (usable != all) cores = std::to_string(usable) + " of " + cores;
    utsname system{};
    uname(&system);
    return ProcessorName() + ", " + cores + (all == 1 ? " core, " : " cores, ") + system.sysname + " " + system.release;
}

std::string DateText() {
    const std::time_t now = std::time(nullptr);
    std::tm utc{};
    gmtime_r(&now, &utc);
    char text[32];
    std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    return text;
}

std::string LoaderText(const std::filesystem::path& kronos, const Environment& environment) {
    const ProbeAnswer probe = Probe(kronos, {"vulkan"}, environment);
    if (!probe.answer.contains("loader_version"))
        return "unknown: " + probe.answer.value("loader_error", probe.failure);
    return probe.answer.value("loader_version", "?") + ", " + probe.answer.value("loader_path", "libvulkan.so.1");
}

std::string CommandText(const std::vector<std::string>& words) {
    constexpr const char* kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=+.,:/@%";
    std::string text;
    for (const std::string& word : words) {
        if (!text.empty()) text += ' ';
        if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) {
            text += word;
            continue;
        }
        text += '\'';
        for (char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
        text += '\'';
    }
    return text;
}

ScratchFolder::ScratchFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "kronos-bench-XXXXXX").string();
    if (!mkdtemp(pattern.data()))
        throw std::runtime_error("no temporary folder " + pattern + ": " + std::strerror(errno));
    path_ = pattern;
}

ScratchFolder::~ScratchFolder() {
    std::error_code ignored;  // what is left of a temporary folder harms nobody
    std::filesystem::remove_all(path_, ignored);
}

void Progress::Step(const std::string& workload, const std::string& what) {
    const auto now = std::chrono::steady_clock::now();
    const bool is_new = workload != workload_;
    ++done_;
    if (!terminal_ && !is_new && now - told_ < std::chrono::seconds(10)) return;
    workload_ = workload;
    told_ = now;
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now - start_).count();
    std::string line = "kronos bench: run " + std::to_string(done_) + (steps_ ? " of " + std::to_string(steps_) : "") +
                       ", " + std::to_string(seconds) + " s: " + workload + ", " + what;
    if (!terminal_) {
        std::fprintf(stderr, "%s\n", line.c_str());
        return;
    }
    // A line that wraps could not be written over.
    line.resize(std::min(line.size(), TerminalColumns() - 1));
    std::fprintf(stderr, "\r%s\033[K", line.c_str());
    shown_ = true;
}

void Progress::Clear() {
    if (shown_) std::fputs("\r\033[K", stderr);
    shown_ = false;
}

}  // namespace kronos::command
