// SPDX-License-Identifier: Apache-2.0
// A program with faults: all that the driver may fail, one a run, and all that the layer allocates. Linked with the
// object files of a program, whose main it calls in a process forked for each run. Writes one line of JSON for what was
// tried. Ends 0 when no fault did harm, 1 when one did, 2 on a bad command line, 3 when a run without faults fails
// already.
#include <vulkan/vk_enum_string_helper.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <sstream>
#include <stdexcept>

#include "allocations.h"
#include "program_run.h"
#include "results.h"

// The linker's --wrap=main: __real_main is the program's.
// NOLINTNEXTLINE(bugprone-reserved-identifier,readability-identifier-naming)
extern "C" int __real_main(int argc, char** argv);

namespace faults {
namespace {

constexpr const char* kUsage =
    "usage: PROGRAM [--kinds driver,heap] [--places N] [--every N] [--first I] [--deadline SECONDS] [--same-output] "
    "[--tidy]\n"
    "       [--only FAULT] -- ARGUMENT-OF-THE-PROGRAM ...\n"
    "  --places     at most so many calls of a command fail, spread over all of them (default 4; 0: all)\n"
    "  --every      only each N-th fault is tried, --first is the first of them (from 0)\n"
    "  --same-output  a run that succeeds must write what one without faults writes\n"
    "  --tidy       the program destroys what it made when a call fails, in use or not: the device is made idle for "
    "it\n"
    "  --only       this one, as vkQueueSubmit:3:VK_ERROR_DEVICE_LOST or heap:17, and all of what it does\n";

struct Options {
    bool driver = true;
    bool heap = true;
    bool same_output = false;
    bool tidy = false;
    uint64_t places = 4;
    uint64_t every = 1;
    uint64_t first = 0;
    uint64_t deadline = 60;
    std::string only;
};

std::span<char*> program_arguments;  // with the program's name before them, and a null pointer behind

int CallProgram() { return __real_main(static_cast<int>(program_arguments.size()) - 1, program_arguments.data()); }

[[noreturn]] void Refuse(const std::string& what) {
    std::fprintf(stderr, "faults: %s; giving up\n%s", what.c_str(), kUsage);
    std::exit(2);
}

uint64_t Number(const std::string& name, const std::string& text, uint64_t least, uint64_t most) {
    uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value < least || value > most)
        Refuse(name + " " + text + ": a number from " + std::to_string(least) + " to " + std::to_string(most) +
               " is needed");
    return value;
}

Options ParseOptions(int argc, char** argv) {
    Options options;
    int i = 1;
    for (; i < argc && std::strcmp(argv[i], "--") != 0; ++i) {
        const std::string name = argv[i];
        if (name == "--same-output" || name == "--tidy") {
            (name == "--tidy" ? options.tidy : options.same_output) = true;
            continue;
        }
        if (++i >= argc) Refuse(name + ": its value is missing");
        const std::string value = argv[i];
        if (name == "--kinds") {
            options.driver = value == "driver" || value == "driver,heap";
            options.heap = value == "heap" || value == "driver,heap";
            if (!options.driver && !options.heap)
                Refuse("--kinds " + value + ": there are driver, heap and driver,heap");
        } else if (name == "--places") {
            options.places = Number(name, value, 0, 1'000'000);
        } else if (name == "--every") {
            options.every = Number(name, value, 1, 1'000'000);
        } else if (name == "--first") {
            options.first = Number(name, value, 0, 1'000'000);
        } else if (name == "--deadline") {
            options.deadline = Number(name, value, 1, 3600);
        } else if (name == "--only") {
            options.only = value;
        } else {
            Refuse(name + ": unknown");
        }
    }
    if (i == argc) Refuse("-- and the program's arguments are missing");
    argv[i] = argv[0];
    program_arguments = {argv + i, static_cast<size_t>(argc - i) + 1};
    if (options.heap && !CanFailAllocations()) Refuse("--kinds heap: the allocator of this build is the sanitizer's");
    return options;
}

const ResultsCommand* FindCommand(std::span<const ResultsCommand> commands, const std::string& name) {
    for (const ResultsCommand& command : commands)
        if (name == command.name) return &command;
    return nullptr;
}

// What a driver may answer without having done what it was asked, and a program must expect: vk.xml's errors, and of
// the codes of success those that say "not yet". The others (VK_INCOMPLETE, VK_EVENT_SET) come with results that a
// failed call has not.
std::vector<VkResult> Faulty(const ResultsCommand& command) {
    std::vector<VkResult> codes(command.bad, command.bad + command.bad_count);
    for (uint32_t i = 0; i < command.good_count; ++i)
        if (command.good[i] == VK_NOT_READY || command.good[i] == VK_TIMEOUT) codes.push_back(command.good[i]);
    return codes;
}

// The first, the second, the last, and those between that divide them evenly.
std::vector<uint64_t> Places(uint64_t calls, uint64_t most) {
    std::vector<uint64_t> places;
    if (most == 0 || calls <= most) {
        for (uint64_t call = 1; call <= calls; ++call) places.push_back(call);
        return places;
    }
    if (most > 1) places.push_back(1);
    for (uint64_t i = 0; i + 1 < most; ++i) places.push_back(2 + (calls - 2) * i / std::max<uint64_t>(most - 2, 1));
    if (most == 1) places.push_back((calls + 1) / 2);
    return places;
}

std::vector<Fault> AllFaults(std::span<const ResultsCommand> commands, const Outcome& counted, const Options& options) {
    std::vector<Fault> all;
    if (options.driver) {
        for (const auto& [name, calls] : counted.calls) {
            const std::vector<VkResult> codes = Faulty(*FindCommand(commands, name));
            for (const uint64_t place : Places(calls, options.places))
                for (const VkResult code : codes) all.push_back({Fault::Kind::Driver, name, place, code});
        }
    }
    if (options.heap)
        for (const uint64_t number : counted.allocations_to_fail)
            all.push_back({Fault::Kind::Heap, "heap", number, VK_ERROR_OUT_OF_HOST_MEMORY});
    return all;
}

Fault ParseFault(std::span<const ResultsCommand> commands, const std::string& text) {
    const size_t colon = text.find(':');
    const size_t second = colon == std::string::npos ? colon : text.find(':', colon + 1);
    const std::string name = text.substr(0, colon);
    if (name == "heap" && colon != std::string::npos)
        return {Fault::Kind::Heap, name, Number("--only heap:", text.substr(colon + 1), 1, UINT64_MAX),
                VK_ERROR_OUT_OF_HOST_MEMORY};
    const ResultsCommand* const command = FindCommand(commands, name);
    if (command == nullptr || second == std::string::npos)
        Refuse("--only " + text +
               ": a command, the number of the call and a result are needed, as vkQueueSubmit:3:VK_TIMEOUT");
    for (const VkResult code : Faulty(*command)) {
        if (text.substr(second + 1) == string_VkResult(code))
            return {Fault::Kind::Driver, name,
                    Number("--only", text.substr(colon + 1, second - colon - 1), 1, UINT64_MAX), code};
    }
    Refuse("--only " + text + ": vk.xml has no such result for " + name);
}

std::string Joined(const std::set<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) text += (text.empty() ? "" : "; ") + line;
    return text;
}

std::set<std::string> Without(const std::set<std::string>& all, const std::set<std::string>& these) {
    std::set<std::string> rest;
    std::set_difference(all.begin(), all.end(), these.begin(), these.end(), std::inserter(rest, rest.end()));
    return rest;
}

std::string How(const Outcome& outcome) {
    if (outcome.hung) return "does not end";
    if (outcome.signal != 0) return std::string("ends by signal ") + strsignal(outcome.signal);
    return "ends with " + std::to_string(outcome.exit_code);
}

// What is wrong with a run, measured by one of the program that was told the same, or had the same fault, without the
// layer. Nothing: all is well.
std::string Difference(const Outcome& run, const Outcome& base, const Options& options) {
    if (run.Broke() && !base.Broke()) return How(run) + (run.reported ? "" : ", before its end");
    if (run.hung != base.hung || run.signal != base.signal || run.exit_code != base.exit_code)
        return How(run) + ", and without the layer " + How(base);
    if (const auto more = Without(run.broken, base.broken); !more.empty()) return "breaks rules: " + Joined(more);
    // A program that ends in the middle leaves its device, and what the layer has made for it.
    if (!options.tidy && run.left.contains("dev#N") && base.left.contains("dev#N")) return {};
    if (const auto more = Without(run.left, base.left); !more.empty()) return "leaves objects: " + Joined(more);
    if (run.exit_code != 0) return {};
    if (run.dispatches != base.dispatches || run.dispatch_sum != base.dispatch_sum)
        return std::to_string(run.dispatches) + " dispatches are executed, " + std::to_string(base.dispatches) +
               " without the layer";
    if (options.same_output && run.output != base.output) return "its output differs: " + run.output;
    return {};
}

// The failure that decided how the program went on. A wait that may end without success is told VK_TIMEOUT time and
// again, and who asks VK_NOT_READY; where one ended the program it was the last.
std::optional<Told> FirstTold(const Outcome& run) {
    std::optional<Told> timeout;
    for (const Told& told : run.told) {
        if (told.result < 0) return told;
        if ((told.result == VK_TIMEOUT || told.result == VK_NOT_READY) && run.exit_code != 0) timeout = told;
    }
    return timeout;
}

// A device whose extensions cannot be listed leaves a hole in loader 1.3.239's list of devices, and
// vkEnumeratePhysicalDevices reads what is in it: whether that ends the program depends on what was on the stack
// before. With other layers and with none it is the same.
bool InLoader(const Fault& fault, const Outcome& run) {
    if (fault.command != "vkEnumerateDeviceExtensionProperties") return false;
    std::istringstream lines(run.errors);
    std::string line;
    if (run.errors.find("AddressSanitizer: SEGV") != std::string::npos) {
        while (std::getline(lines, line) && line.find("#0 ") == std::string::npos) {
        }
    } else if (run.signal == SIGSEGV) {
        // Behind the handler of the signal and what calls it.
        for (int frames = 0; frames < 3 && std::getline(lines, line);) frames += line.find(")[0x") != std::string::npos;
    }
    return line.find("/libvulkan.so") != std::string::npos;
}

class Trial {
  public:
    Trial(ProgramRunner& runner, const Options& options) : runner_(runner), options_(options) {}

    // Without faults, with the layer. Throws where that fails already.
    Outcome Count() {
        const Outcome layered = runner_.Run({}, true);
        const Outcome& plain = Base({});
        for (const Outcome* run : {&plain, &layered}) {
            if (run->Broke() || run->exit_code != 0 || !run->broken.empty() || !run->left.empty())
                throw std::runtime_error("without faults, " + std::string(run == &plain ? "without" : "with") +
                                         " the layer, the program " + How(*run) + " " + Joined(run->broken) +
                                         Joined(run->left) + "\n" + run->errors);
        }
        if (const std::string difference = Difference(layered, plain, options_); !difference.empty())
            throw std::runtime_error("without faults the program " + difference);
        return layered;
    }
    void Try(const Fault& fault) {
        const Outcome run = runner_.Run(fault, true);
        ++tried_;
        std::string why;
        for (const Told& told : run.told)
            if (!told.allowed) why = told.command + " returns " + string_VkResult(told.result) + ", which it may not";
        const std::optional<Told> told = FirstTold(run);
        if (!told) ++unseen_;
        const Outcome* base =
            &Base(told ? Fault{Fault::Kind::Program, told->command, told->call, told->result} : Fault{});
        // How often a program polls is up to chance; that it does so once is not.
        if (told && !FirstTold(*base)) base = &Base({Fault::Kind::Program, told->command, 1, told->result});
        std::string difference = why.empty() ? Difference(run, *base, options_) : why;
        if (!difference.empty() && fault.kind == Fault::Kind::Driver) {
            if (const Outcome* same = SameWithoutLayer(fault, run, !why.empty())) {
                base = same;
                difference.clear();
            }
        }
        if (difference.empty()) {
            const bool clean = run.broken.empty() && run.left.empty() && !run.Broke();
            ++(clean ? passed_ : explained_);
        } else {
            failed_.push_back(
                {{"fault", Text(fault)},
                 {"what", difference},
                 {"told", told ? told->command + ':' + std::to_string(told->call) + ':' + string_VkResult(told->result)
                               : "nothing"},
                 {"errors", run.errors.substr(0, 4000)}});
        }
        if (!options_.only.empty()) Show(run, *base);
    }
    nlohmann::json Summary() const {
        return {{"tried", tried_},
                {"passed", passed_},
                {"explained", explained_},
                {"not_noticed", unseen_},
                {"failed", failed_}};
    }
    bool Failed() const { return !failed_.empty(); }

  private:
    // Made when first needed: the same without the layer.
    const Outcome& Base(const Fault& fault) {
        const auto found = bases_.find(fault);
        if (found != bases_.end()) return found->second;
        return bases_.emplace(fault, runner_.Run(fault, false)).first->second;
    }
    // The driver's fault without the layer, where that explains the run: the loader, too, asks the driver, and makes of
    // a failure what it likes.
    const Outcome* SameWithoutLayer(const Fault& fault, const Outcome& run, bool disallowed) {
        if (disallowed) {
            // At whichever call: the layer's own come before.
            const auto calls = Base({}).calls.find(fault.command);
            for (uint64_t call = 1; calls != bases_.at({}).calls.end() && call <= calls->second; ++call) {
                const Outcome& base = Base({fault.kind, fault.command, call, fault.result});
                const auto told = FirstTold(base);
                if (told && told->command == FirstTold(run)->command && told->result == FirstTold(run)->result)
                    return &base;
            }
            return nullptr;
        }
        const Outcome& base = Base(fault);
        return InLoader(fault, run) || Difference(run, base, options_).empty() ? &base : nullptr;
    }
    static void Show(const Outcome& run, const Outcome& base) {
        for (const Outcome* one : {&run, &base}) {
            std::fprintf(stderr, "%s the layer the program %s; rules broken: %s; left: %s; dispatches: %llu\n%s%s",
                         one == &run ? "with" : "without", How(*one).c_str(), Joined(one->broken).c_str(),
                         Joined(one->left).c_str(), static_cast<unsigned long long>(one->dispatches),
                         one->output.c_str(), one->errors.c_str());
            for (const Told& told : one->told) {
                std::fprintf(stderr, "told: call %llu of %s: %s\n", static_cast<unsigned long long>(told.call),
                             told.command.c_str(), string_VkResult(told.result));
            }
        }
    }

    ProgramRunner& runner_;
    const Options& options_;
    std::map<Fault, Outcome> bases_;
    uint64_t tried_ = 0;
    uint64_t passed_ = 0;
    uint64_t explained_ = 0;
    uint64_t unseen_ = 0;
    nlohmann::json failed_ = nlohmann::json::array();
};

int Main(int argc, char** argv) {
    const Options options = ParseOptions(argc, argv);
    ProgramRunner runner(CallProgram, static_cast<int>(options.deadline), options.tidy);
    const std::span<const ResultsCommand> commands = ProgramRunner::Commands();
    Trial trial(runner, options);
    const Outcome counted = trial.Count();
    if (!options.only.empty()) {
        trial.Try(ParseFault(commands, options.only));
    } else {
        const std::vector<Fault> all = AllFaults(commands, counted, options);
        for (uint64_t i = options.first; i < all.size(); i += options.every) trial.Try(all[i]);
    }
    nlohmann::json summary = trial.Summary();
    summary["commands"] = counted.calls.size();
    summary["allocations"] = counted.allocations;
    std::printf("%s\n", summary.dump().c_str());
    return trial.Failed() ? 1 : 0;
}

}  // namespace
}  // namespace faults

// NOLINTNEXTLINE(bugprone-reserved-identifier,readability-identifier-naming)
extern "C" int __wrap_main(int argc, char** argv) {
    try {
        return faults::Main(argc, argv);
    } catch (const std::runtime_error& error) {
        std::fprintf(stderr, "faults: %s\n", error.what());
        return 3;
    }
}
