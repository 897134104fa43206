// SPDX-License-Identifier: Apache-2.0
// What a fault report says, and what it leaves out.
#include "fault_report.h"

#include <pwd.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cctype>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <deque>
#include <fstream>

#include "settings/read.h"
#include "stats/location.h"

namespace kronos::command {
namespace {

namespace fs = std::filesystem;

bool InWord(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

// Where it stands alone: "max" is not replaced in "maximum".
void ReplaceWord(std::string& text, const std::string& word, const std::string& by) {
    constexpr size_t kShortest = 3;
    if (word.size() < kShortest) return;
    for (size_t at = text.find(word); at != std::string::npos; at = text.find(word, at)) {
        const size_t end = at + word.size();
        if ((at && InWord(text[at - 1])) || (end < text.size() && InWord(text[end]))) {
            at = end;
            continue;
        }
        text.replace(at, word.size(), by);
        at += by.size();
    }
}

std::string FirstLineWith(const fs::path& file, const std::string& begin) {
    std::ifstream in(file);
    for (std::string line; std::getline(in, line);)
        if (line.starts_with(begin)) return line.substr(begin.size());
    return {};
}

std::string System() {
    utsname name = {};
    uname(&name);
    std::string pretty = FirstLineWith("/etc/os-release", "PRETTY_NAME=");
    std::erase(pretty, '"');
    return std::string(name.sysname) + " " + name.release + " " + name.machine + (pretty.empty() ? "" : ", " + pretty);
}

// The settings that somebody gave, and those that were given and are not allowed.
std::string SettingsText() {
    const ResolvedSettings resolved = ReadSettings(nullptr, false, "");
    std::string out;
    for (const EffectiveSetting& one : resolved.effective)
        if (one.source != "default") out += one.Line() + "\n";
    for (const std::string& problem : resolved.problems) out += "problem: " + problem + "\n";
    return out.empty() ? "all defaults\n" : out;
}

// The last lines, and before them those that say which devices there were.
std::string LastLines(const fs::path& log, size_t frames) {
    std::ifstream in(log);
    if (!in) return "cannot be read: " + std::string(std::strerror(errno)) + "\n";
    std::string devices;
    std::deque<std::string> last;
    for (std::string line; std::getline(in, line);) {
        if (line.find("\"event\":\"device\"") != std::string::npos) {
            devices += line + "\n";
            continue;
        }
        last.push_back(line + "\n");
        if (last.size() > frames) last.pop_front();
    }
    for (const std::string& line : last) devices += line;
    return devices;
}

// What the layer wrote last, of any program; empty where it wrote nothing.
fs::path NewestLog() {
    fs::path newest;
    fs::file_time_type newest_time;
    for (const fs::path& folder : StatsFolders()) {
        std::error_code error;
        for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
            if (!ProcessOfStatsFile(entry->path()) || entry->path().extension() != ".jsonl") continue;
            std::error_code unreadable;
            const fs::file_time_type time = entry->last_write_time(unreadable);
            if (unreadable || (!newest.empty() && time <= newest_time)) continue;
            newest = entry->path();
            newest_time = time;
        }
    }
    return newest;
}

std::string UserName() {
    const passwd* user = getpwuid(getuid());
    return user ? user->pw_name : "";
}

std::string HostName() {
    utsname name = {};
    uname(&name);
    return name.nodename;
}

int Fail(const std::string& line) {
    std::fprintf(stderr, "kronos doctor: %s\n", line.c_str());
    return 1;
}

}  // namespace

std::string WithoutNames(std::string text, const std::string& home, const std::string& user, const std::string& host) {
    if (home.size() > 1) ReplaceWord(text, home, "~");
    // Everybody's, and in every path.
    if (user != "root") ReplaceWord(text, user, "USER");
    if (host != "localhost") ReplaceWord(text, host, "HOST");
    return text;
}

std::string FaultReport(const Patient& patient, const Findings& findings, const ReportSources& sources) {
    std::string out = "# Kronos fault report\n\n";
    out += "kronos " + sources.version + "\n" + System() + "\n";
    out += "\n## Doctor\n\n" + FormatText(findings);
    out += "\n## Settings that are not the default\n\n" + SettingsText();
    out += "\n## Last lines of the log\n\n";
    out += sources.log.empty() ? "there is no log\n"
                               : sources.log.string() + "\n" + LastLines(sources.log, sources.frames);
    out +=
        "\n## What happened\n\n(What did you run, what did you expect, what came instead? Is it so with "
        "KRONOS_DISABLE=1 too?)\n";
    return WithoutNames(std::move(out), patient.environment.Get("HOME"), UserName(), HostName());
}

int WriteFaultReport(const Patient& patient, const std::string& version, const std::string& file,
                     const std::string& log) {
    std::error_code ignored;
    if (fs::exists(file, ignored)) return Fail(file + " is there already; nothing is written");
    if (!log.empty() && !fs::is_regular_file(log, ignored))
        return Fail("there is no log " + log + "; nothing is written");
    ReportSources sources;
    sources.version = version;
    sources.log = log.empty() ? NewestLog() : fs::path(log);
    const std::string text = FaultReport(patient, Diagnose(patient), sources);
    errno = 0;
    std::ofstream out(file, std::ios::trunc);
    out << text;
    out.close();
    if (!out) return Fail(file + " cannot be written: " + std::strerror(errno ? errno : EIO));
    std::printf(
        "%s: versions, what the doctor found, settings and the last frames. Please read it before you pass it on.\n",
        file.c_str());
    return 0;
}

}  // namespace kronos::command
