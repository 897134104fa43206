// SPDX-License-Identifier: Apache-2.0
// kronos top.
#include "top.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "stats/location.h"

namespace kronos::command {
namespace {

namespace fs = std::filesystem;

bool IsAlive(uint64_t pid) {
    return pid != 0 && pid <= 0x7fffffff && (kill(static_cast<pid_t>(pid), 0) == 0 || errno == EPERM);
}

// So much of a file's begin tells it from another: the line of its first device.
constexpr size_t kHead = 1024;

// The logs of living processes in the folders that are used when nobody says where.
std::vector<std::string> LivingLogs() {
    std::vector<std::string> logs;
    for (const fs::path& folder : StatsFolders()) {
        std::error_code error;
        for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
            const std::optional<pid_t> pid = ProcessOfStatsFile(entry->path());
            if (pid && entry->path().extension() == ".jsonl" && IsAlive(static_cast<uint64_t>(*pid)))
                logs.push_back(entry->path().string());
        }
    }
    std::sort(logs.begin(), logs.end());
    return logs;
}

std::string Rate(double rate) {
    char text[32];
    std::snprintf(text, sizeof text, rate < 100 ? "%.1f" : "%.0f", rate);
    return text;
}

// "120>8": asked, and what of it reached the driver; once where it is the same.
std::string Rates(double asked, double driver) {
    return asked == driver ? Rate(asked) : Rate(asked) + ">" + Rate(driver);
}

// What would upset a terminal, or the table.
std::string Cell(const std::string& text, size_t width) {
    std::string out;
    for (const char c : text.substr(0, width)) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
    return out;
}

}  // namespace

// Appends what a file holds from `offset_` on.
void FollowedLog::ReadOn(std::istream& in) {
    in.seekg(static_cast<std::streamoff>(offset_));
    char piece[1 << 16];
    while (in.read(piece, sizeof piece) || in.gcount() > 0) {
        const auto n = static_cast<size_t>(in.gcount());
        if (head_.size() < kHead && offset_ == head_.size()) head_.append(piece, std::min(n, kHead - head_.size()));
        offset_ += n;
        rest_.append(piece, n);
        size_t begin = 0;
        for (size_t end; (end = rest_.find('\n', begin)) != std::string::npos; begin = end + 1)
            reader_.ReadLine(rest_.substr(begin, end - begin));
        rest_.erase(0, begin);
    }
}

bool FollowedLog::Update() {
    struct stat status = {};
    errno = 0;
    std::ifstream in(path_, std::ios::binary);
    if (!in || stat(path_.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return false;
    const bool another = status.st_dev != device_ || status.st_ino != inode_;
    // A file that is made anew may get the number of the one that was deleted, but begins otherwise.
    std::string head(head_.size(), 0);
    in.read(head.data(), static_cast<std::streamsize>(head.size()));
    if (another || static_cast<uint64_t>(status.st_size) < offset_ || head != head_) {
        // It was full, and goes on here: what it still got is in the older file.
        const std::string older = path_ + ".1";
        struct stat moved = {};
        if (another && inode_ && stat(older.c_str(), &moved) == 0 && moved.st_dev == device_ &&
            moved.st_ino == inode_) {
            std::ifstream end(older, std::ios::binary);
            if (end) ReadOn(end);
        }
        offset_ = 0;
        rest_.clear();
        head_.clear();
        device_ = status.st_dev;
        inode_ = status.st_ino;
    }
    timespec now = {};
    clock_gettime(CLOCK_REALTIME, &now);
    age_ms_ = std::max(0.0, static_cast<double>(now.tv_sec - status.st_mtim.tv_sec) * 1e3 +
                                static_cast<double>(now.tv_nsec - status.st_mtim.tv_nsec) / 1e6);
    in.clear();
    ReadOn(in);
    reader_.KeepRows(kTopWindowMs);
    return true;
}

TopRow RowOf(const DeviceTotals& device, double age_ms) {
    TopRow row;
    row.pid = device.pid;
    row.device = device.index;
    row.program = device.program;
    row.name = device.name;
    row.frames = device.frames;
    row.ended = device.complete;
    row.age_ms = age_ms;
    if (device.rows.empty() || age_ms > kTopWindowMs || device.complete) return row;
    const double end = device.rows.back().at_ms + device.rows.back().ms, begin = std::max(0.0, end - kTopWindowMs);
    double from = end;
    double frames = 0, wait_ns = 0;
    for (const FrameRow& frame : device.rows) {
        if (frame.at_ms + frame.ms <= begin && frame.ms > 0) continue;
        from = std::min(from, frame.at_ms);
        ++frames;
        row.submit_rate += static_cast<double>(frame.At(Series::kSubmitsAsked));
        row.driver_submit_rate += static_cast<double>(frame.At(Series::kSubmitsDriver));
        row.dispatch_rate += static_cast<double>(frame.At(Series::kDispatches));
        row.barrier_rate += static_cast<double>(frame.At(Series::kBarriersAsked));
        row.driver_barrier_rate += static_cast<double>(frame.At(Series::kBarriersDriver));
        row.allocation_rate += static_cast<double>(frame.At(Series::kAllocationsAsked));
        row.driver_allocation_rate += static_cast<double>(frame.At(Series::kAllocationsDriver));
        wait_ns += static_cast<double>(frame.At(Series::kWaitNs));
    }
    // The oldest frame may have begun before the second did: whole frames, over the time that they took.
    const double seconds = (end - from) / 1e3;
    const double each = seconds > 0 ? 1 / seconds : 0;
    row.frame_rate = frames * each;
    for (double* rate : {&row.submit_rate, &row.driver_submit_rate, &row.dispatch_rate, &row.barrier_rate,
                         &row.driver_barrier_rate, &row.allocation_rate, &row.driver_allocation_rate})
        *rate *= each;
    row.wait_share = wait_ns / 1e9 * each;
    return row;
}

std::string FormatTop(const std::vector<TopRow>& rows) {
    char line[400];
    std::snprintf(line, sizeof line, "%8s %-20s %-24s %9s %9s %13s %11s %15s %13s %6s %8s\n", "PID", "PROGRAM",
                  "DEVICE", "FRAMES", "FRAMES/S", "SUBMITS/S", "DISPATCH/S", "BARRIERS/S", "ALLOCS/S", "WAIT", "QUIET");
    std::string out = line;
    for (const TopRow& row : rows) {
        char wait[16], quiet[32];
        std::snprintf(wait, sizeof wait, "%.0f%%", row.wait_share * 100);
        std::snprintf(quiet, sizeof quiet, "%.1f s", row.age_ms / 1e3);
        std::snprintf(line, sizeof line, "%8llu %-20s %-24s %9llu %9s %13s %11s %15s %13s %6s %8s\n",
                      static_cast<unsigned long long>(row.pid), Cell(row.program, 20).c_str(),
                      Cell(row.name, 24).c_str(), static_cast<unsigned long long>(row.frames),
                      Rate(row.frame_rate).c_str(), Rates(row.submit_rate, row.driver_submit_rate).c_str(),
                      Rate(row.dispatch_rate).c_str(), Rates(row.barrier_rate, row.driver_barrier_rate).c_str(),
                      Rates(row.allocation_rate, row.driver_allocation_rate).c_str(), wait,
                      !row.alive || row.ended ? "ended" : quiet);
        out += line;
    }
    if (rows.empty()) out += "no program runs with the layer and writes its log to a default folder\n";
    return out;
}

std::string TopJson(const std::vector<TopRow>& rows) {
    nlohmann::ordered_json all = nlohmann::ordered_json::array();
    for (const TopRow& row : rows) {
        all.push_back({{"pid", row.pid},
                       {"device", row.device},
                       {"program", row.program},
                       {"name", row.name},
                       {"log", row.log},
                       {"alive", row.alive},
                       {"ended", row.ended},
                       {"quiet_ms", row.age_ms},
                       {"frames", row.frames},
                       {"wait_share", row.wait_share},
                       {"a_second",
                        {{"frames", row.frame_rate},
                         {"submits", row.submit_rate},
                         {"driver_submits", row.driver_submit_rate},
                         {"dispatches", row.dispatch_rate},
                         {"barriers", row.barrier_rate},
                         {"driver_barriers", row.driver_barrier_rate},
                         {"allocations", row.allocation_rate},
                         {"driver_allocations", row.driver_allocation_rate}}}});
    }
    const nlohmann::ordered_json document = {{"v", 1}, {"devices", all}};
    return document.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

int Top(const TopRequest& request) {
    const bool terminal = isatty(STDOUT_FILENO) && !request.json;
    const int count = request.count ? request.count : terminal ? -1 : 1;
    std::map<std::string, FollowedLog> followed;
    for (int look = 0; look != count; ++look) {
        if (look) std::this_thread::sleep_for(std::chrono::duration<double>(request.interval_s));
        const std::vector<std::string> logs = request.logs.empty() ? LivingLogs() : request.logs;
        // A process that is gone is followed no more: its number may come again.
        std::erase_if(followed,
                      [&](const auto& f) { return std::find(logs.begin(), logs.end(), f.first) == logs.end(); });
        std::vector<TopRow> rows;
        for (const std::string& path : logs) {
            FollowedLog& log = followed.try_emplace(path, path).first->second;
            if (!log.Update()) {
                if (request.logs.empty() || log.seen()) continue;  // it has just gone, or is between two files
                std::fprintf(stderr, "kronos top: %s cannot be read: %s\n", path.c_str(),
                             errno ? std::strerror(errno) : "not a regular file");
                return 1;
            }
            for (const DeviceTotals& device : log.Totals().devices) {
                TopRow row = RowOf(device, log.age_ms());
                row.log = path;
                row.alive = IsAlive(row.pid);
                // Devices come and go in a process; named logs are shown whole.
                if (!request.logs.empty() || !row.ended) rows.push_back(std::move(row));
            }
        }
        if (terminal) std::fputs("\033[H\033[2J", stdout);
        std::fputs((request.json ? TopJson(rows) : FormatTop(rows)).c_str(), stdout);
        if (std::fflush(stdout) != 0) return 1;  // nobody reads any more
    }
    return 0;
}

}  // namespace kronos::command
