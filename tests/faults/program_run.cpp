// SPDX-License-Identifier: Apache-2.0
// Fork, run, look at what is left. What the child has to say it writes to files in memory, last of all it does.
#include "program_run.h"

#include <execinfo.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vulkan/vk_enum_string_helper.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstring>
#include <mutex>
#include <sstream>

#include "allocations.h"
#include "results.h"
#include "shaders.h"

namespace faults {
namespace {

// Functions of the results layer's library.
struct Results {
#define RESULTS_MEMBER(name, result, parameters) result(*name) parameters = nullptr;
    RESULTS_FUNCTIONS(RESULTS_MEMBER)
#undef RESULTS_MEMBER
};

void* Open(const char* library) {
    void* const opened = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    if (opened == nullptr) throw std::runtime_error(dlerror());
    return opened;
}

const Results& TheResults() {
    static const Results results = [] {
        void* const library = Open(KRONOS_RESULTS_LIBRARY);
        Results found;
#define RESULTS_LOAD(name, result, parameters) \
    found.name = reinterpret_cast<result(*) parameters>(dlsym(library, "results" #name));
        RESULTS_FUNCTIONS(RESULTS_LOAD)
#undef RESULTS_LOAD
        return found;
    }();
    return results;
}

// Any function of the layer's.
const void* LayerSymbol() {
    static const void* const symbol = dlsym(Open(KRONOS_LAYER_LIBRARY), "vkNegotiateLoaderLayerInterfaceVersion");
    return symbol;
}

// What the child collects. Of the child's process; queues' threads and the program's add.
struct Collected {
    const mock::Driver* mock = nullptr;
    int report = -1;
    bool count_calls = false;
    std::atomic<uint64_t> dispatches{0};
    std::atomic<uint64_t> dispatch_sum{0};
    std::mutex mutex;
    std::ostringstream told;
};
Collected* collected = nullptr;

void Count(const MockDispatch& dispatch) {
    uint64_t hash = 1469598103934665603ULL;
    const auto mix = [&hash](const void* data, size_t bytes) {
        for (size_t i = 0; i < bytes; ++i)
            hash = (hash ^ static_cast<const unsigned char*>(data)[i]) * 1099511628211ULL;
    };
    mix(dispatch.base_group, sizeof dispatch.base_group);
    mix(dispatch.group_count, sizeof dispatch.group_count);
    mix(dispatch.push_constants, dispatch.push_constant_size);
    ++collected->dispatches;
    collected->dispatch_sum += hash;
}

// The program is over, by whatever way.
void Report() {
    const Collected& all = *collected;
    std::ostringstream text;
    text << "dispatches " << all.dispatches << ' ' << all.dispatch_sum << "\nallocations " << Allocations() << '\n';
    if (all.count_calls) {
        for (const uint64_t number : AllocationsToFail()) text << "fail " << number << '\n';
        for (const ResultsCommand& command : ProgramRunner::Commands()) {
            const uint64_t calls = all.mock->Count(command.name, 1);
            if (calls != 0) text << "calls " << command.name << ' ' << calls << '\n';
        }
    }
    all.mock->VisitViolations(
        [](void* user, const char* line) { *static_cast<std::ostringstream*>(user) << "broken " << line << '\n'; },
        &text);
    all.mock->VisitLiveObjects(
        [](void* user, VkObjectType, uint64_t, const char* name) {
            *static_cast<std::ostringstream*>(user) << "left " << name << '\n';
        },
        &text);
    {
        const std::lock_guard lock(collected->mutex);
        text << all.told.str();
    }
    text << "end\n";
    const std::string written = text.str();
    for (size_t done = 0; done < written.size();) {
        const ssize_t more = write(all.report, written.data() + done, written.size() - done);
        if (more <= 0) _exit(96);
        done += static_cast<size_t>(more);
    }
}

// Where it was, on standard error, for addr2line. A sanitizer tells that itself.
void TellWhere(int signal) {
    void* frames[40];
    backtrace_symbols_fd(frames, backtrace(frames, std::size(frames)), STDERR_FILENO);
    std::signal(signal, SIG_DFL);
    std::raise(signal);
}

// "vkDestroyDevice: dev#1 still has buf#3 mem#4" names kinds only, each once.
std::set<std::string> WithoutNumbers(const std::string& line) {
    std::string text;
    for (size_t i = 0; i < line.size(); ++i) {
        if (line[i] < '0' || line[i] > '9') {
            text += line[i];
        } else if (i == 0 || line[i - 1] < '0' || line[i - 1] > '9') {
            text += 'N';
        }
    }
    constexpr std::string_view kLeaks = " still has";
    const size_t leaks = text.find(kLeaks);
    if (leaks == std::string::npos) return {text};
    std::istringstream objects(text.substr(leaks + kLeaks.size()));
    std::set<std::string> lines;
    for (std::string object; objects >> object;) lines.insert(text.substr(0, leaks + kLeaks.size()) + ' ' + object);
    return lines;
}

int MemoryFile(const char* name) {
    const int file = memfd_create(name, MFD_CLOEXEC);
    if (file < 0) throw std::runtime_error(std::string("memfd_create: ") + std::strerror(errno));
    return file;
}

std::string Contents(int file) {
    std::string text(static_cast<size_t>(lseek(file, 0, SEEK_END)), '\0');
    if (pread(file, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()))
        throw std::runtime_error(std::string("reading what a run wrote: ") + std::strerror(errno));
    close(file);
    return text;
}

void Parse(const std::string& report, Outcome& outcome) {
    std::istringstream lines(report);
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::string kind;
        words >> kind;
        if (kind == "dispatches") {
            words >> outcome.dispatches >> outcome.dispatch_sum;
        } else if (kind == "allocations") {
            words >> outcome.allocations;
        } else if (kind == "fail") {
            words >> outcome.allocations_to_fail.emplace_back();
        } else if (kind == "calls") {
            std::string command;
            words >> command >> outcome.calls[command];
        } else if (kind == "broken") {
            outcome.broken.merge(WithoutNumbers(line.substr(kind.size() + 1)));
        } else if (kind == "left") {
            outcome.left.merge(WithoutNumbers(line.substr(kind.size() + 1)));
        } else if (kind == "told") {
            Told& told = outcome.told.emplace_back();
            int result = 0;
            words >> told.command >> told.call >> result >> told.allowed;
            told.result = static_cast<VkResult>(result);
        } else if (kind == "end") {
            outcome.reported = true;
        }
    }
}

}  // namespace

std::string Text(const Fault& fault) {
    switch (fault.kind) {
        case Fault::Kind::None:
            return "no fault";
        case Fault::Kind::Heap:
            return "heap:" + std::to_string(fault.call);
        default:
            return fault.command + ':' + std::to_string(fault.call) + ':' + string_VkResult(fault.result);
    }
}

bool Outcome::Broke() const {
    constexpr const char* kSigns[] = {"Sanitizer", "runtime error:", "terminate called"};
    return signal != 0 || hung || !reported || std::any_of(std::begin(kSigns), std::end(kSigns), [&](const char* sign) {
               return errors.find(sign) != std::string::npos;
           });
}

ProgramRunner::ProgramRunner(int (*program)(), int deadline, bool tidy)
    : program_(program), deadline_(deadline), tidy_(tidy) {
    // Loaded once, for all runs; and a library that the loader unloads has no names in what a sanitizer says.
    TheResults();
    LayerSymbol();
    setenv("VK_DRIVER_FILES", KRONOS_MOCK_ICD_MANIFEST, 1);
    setenv("VK_ICD_FILENAMES", KRONOS_MOCK_ICD_MANIFEST, 1);
    setenv("VK_LAYER_PATH", KRONOS_RESULTS_FOLDER ":" KRONOS_EXPLICIT_MANIFESTS, 1);
    setenv("VK_LOADER_LAYERS_DISABLE", "~implicit~", 1);
    const rlimit no_core = {0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    void* frame = nullptr;
    backtrace(&frame, 1);  // the first call allocates
}

std::span<const ResultsCommand> ProgramRunner::Commands() {
    uint32_t count = 0;
    const ResultsCommand* const commands = TheResults().Commands(&count);
    return {commands, count};
}

void ProgramRunner::BeTheProgram(const Fault& fault, bool layered) const {
    setenv("VK_INSTANCE_LAYERS", layered ? KRONOS_RESULTS_LAYER ":VK_LAYER_KRONOS_compute" : KRONOS_RESULTS_LAYER, 1);
    collected->mock = &mock_;
    collected->count_calls = fault.kind == Fault::Kind::None;
    mock_.SetDispatchCallback(
        [](void*, const MockDispatch* dispatch) {
            Count(*dispatch);
            Compute(*collected->mock, *dispatch);
        },
        nullptr);
    TheResults().Watch(
        [](const ResultsCommand* command, uint64_t call, VkResult result, int allowed) {
            const std::lock_guard lock(collected->mutex);
            collected->told << "told " << command->name << ' ' << call << ' ' << static_cast<int>(result) << ' '
                            << allowed << '\n';
        },
        NotePipeline);
    TheResults().WaitBeforeErrors(tidy_);
    bool known = true;
    if (fault.kind == Fault::Kind::Driver) known = mock_.Fail(fault.command.c_str(), fault.call, fault.result) != 0;
    if (fault.kind == Fault::Kind::Program)
        known = TheResults().Answer(fault.command.c_str(), fault.call, fault.result) != 0;
    if (!known) _exit(95);
    // Without a stack of its own it could tell nothing of one that is full.
    static char stack[1 << 16];
    const stack_t own = {stack, 0, sizeof stack};
    sigaltstack(&own, nullptr);
    if (CanFailAllocations())
        for (const int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL}) {
            struct sigaction action = {};
            action.sa_handler = TellWhere;
            action.sa_flags = SA_ONSTACK;
            sigaction(signal, &action, nullptr);
        }
    std::atexit(Report);
    if (CanFailAllocations() && layered)
        WatchAllocations(LayerSymbol(), fault.kind == Fault::Kind::Heap ? fault.call : 0);
    std::exit(program_());
}

Outcome ProgramRunner::Run(const Fault& fault, bool layered) {
    const int report = MemoryFile("report");
    const int output = MemoryFile("output");
    const int errors = MemoryFile("errors");
    std::fflush(nullptr);
    const pid_t child = fork();
    if (child < 0) throw std::runtime_error(std::string("fork: ") + std::strerror(errno));
    if (child == 0) {
        dup2(output, STDOUT_FILENO);
        dup2(errors, STDERR_FILENO);
        collected = new Collected;
        collected->report = report;
        BeTheProgram(fault, layered);
    }
    Outcome outcome;
    const int handle = static_cast<int>(syscall(SYS_pidfd_open, child, 0));
    if (handle < 0) throw std::runtime_error(std::string("pidfd_open: ") + std::strerror(errno));
    pollfd ended = {handle, POLLIN, 0};
    int ready = 0;
    do {
        ready = poll(&ended, 1, deadline_ * 1000);
    } while (ready < 0 && errno == EINTR);
    if (ready == 0) {
        outcome.hung = true;
        kill(child, SIGKILL);
    }
    close(handle);
    int status = 0;
    if (waitpid(child, &status, 0) != child) throw std::runtime_error(std::string("waitpid: ") + std::strerror(errno));
    if (WIFEXITED(status)) outcome.exit_code = WEXITSTATUS(status);
    if (WIFSIGNALED(status)) outcome.signal = WTERMSIG(status);
    Parse(Contents(report), outcome);
    outcome.output = Contents(output);
    outcome.errors = Contents(errors);
    return outcome;
}

}  // namespace faults
