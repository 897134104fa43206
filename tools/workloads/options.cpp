// SPDX-License-Identifier: Apache-2.0
// The command line of kronos-workloads.
#include "options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>

namespace kronos::workloads {
namespace {

constexpr uint64_t kSmallest = 4;
constexpr uint64_t kLargest = uint64_t{1} << 30;  // a quarter of what 32-bit element counts in the shaders could take

std::string Names() {
    std::string names;
    for (const WorkloadKind& kind : kWorkloads) names += (names.empty() ? "" : ", ") + std::string(kind.name);
    return names;
}

std::string CheckName(const std::string& name) {
    for (const WorkloadKind& kind : kWorkloads) {
        if (kind.name != name) continue;
        if (IsBuilt(kind)) return {};
        return "'" + name + "' was left out of this build: " + kWithoutVkFft;
    }
    return "'" + name + "' is no workload; there are " + Names();
}

std::string CheckSize(const std::string& text) {
    std::optional<uint64_t> bytes = ParseSize(text);
    if (bytes && *bytes >= kSmallest && *bytes <= kLargest) return {};
    return "'" + text + "' is not a size from 4 to 1G (bytes, or with K, M, G)";
}

// Which faults are noticed where; a fault that nothing could show is a mistake in the call.
std::string CheckFault(const Options& options) {
    if (options.fault == Fault::MissingBarrier && !options.expert)
        return "--fault missing-barrier is of the expert writing; add --writing expert";
    return {};
}

std::string CheckWriting(const Options& options, const std::vector<std::string>& only) {
    if (options.naive || only.empty()) return {};
    for (const WorkloadKind* kind : options.kinds) {
        if (!kind->expert)
            return "--only " + std::string(kind->name) + " has no expert writing; --list says which have";
    }
    return {};
}

}  // namespace

std::optional<uint64_t> ParseSize(const std::string& text) {
    uint64_t value = 0;
    const char* end = text.data() + text.size();
    auto [rest, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc()) return std::nullopt;
    int shift = 0;
    if (rest != end) {
        switch (*rest++) {
            case 'k':
            case 'K':
                shift = 10;
                break;
            case 'm':
            case 'M':
                shift = 20;
                break;
            case 'g':
            case 'G':
                shift = 30;
                break;
            default:
                return std::nullopt;
        }
    }
    if (rest != end || value > (UINT64_MAX >> shift)) return std::nullopt;
    return value << shift;
}

std::string SizeText(uint64_t bytes) {
    constexpr const char* kUnits[] = {"", "K", "M", "G"};
    size_t unit = 0;
    while (unit < 3 && bytes >= 1024 && bytes % 1024 == 0) {
        bytes /= 1024;
        ++unit;
    }
    return std::to_string(bytes) + kUnits[unit];
}

std::optional<Options> ParseOptions(int argc, const char* const* argv, int& status) {
    Options options;
    std::vector<std::string> only;
    std::string size = "256K";
    options.rounds = 16;
    options.repeat = 5;
    CLI::App app{"Plain Vulkan 1.1 compute workloads, each verified against the CPU.", "kronos-workloads"};
    std::string writing = "naive";
    std::string fault = "none";
    bool no_verify = false;
    app.add_flag("--list", options.list, "say what workloads there are and end; with --json as JSON");
    app.add_option("--only", only, "run only these: " + Names())
        ->delimiter(',')
        ->check(CheckName)
        ->type_name("NAME[,NAME]");
    CLI::Option* size_option =
        app.add_option("--size", size, "size of a data buffer, a matrix for gemm; 64K, 8M, 64M (default 256K)")
            ->check(CheckSize)
            ->type_name("BYTES");
    CLI::Option* rounds =
        app.add_option("--dispatches", options.rounds,
                       "rounds of a workload, 1 to 65536 (default 16); a round is 1 dispatch for saxpy "
                       "and gemm, 2 for reduction, 3 for scan")
            ->check(CLI::Range(1, 65536))
            ->type_name("N");
    CLI::Option* repeat =
        app.add_option("--repeat", options.repeat,
                       "timed runs of each workload, after one that is not timed; 1 to 10000 (default 5)")
            ->check(CLI::Range(1, 10000))
            ->type_name("N");
    app.add_option("--seconds", options.seconds,
                   "go on with timed runs, but at most 10000, until they have taken so long (default 0)")
        ->check(CLI::Range(0.0, 3600.0))
        ->type_name("SECONDS");
    app.add_option("--device", options.device, "device by index or part of its name (default: the best by type)")
        ->type_name("DEVICE");
    app.add_option("--json", options.json_file, "also write the results to this file, '-' for standard output")
        ->type_name("FILE");
    app.add_option("--against-layer", options.against_layer,
                   "rows of runs, without this layer, with it, and without once more as a control, in turn in this "
                   "process; their ratios")
        ->type_name("LAYER");
    app.add_option("--writing", writing,
                   "naive: as tutorials do it; expert: those that have such a writing, with the same results; both")
        ->check(CLI::IsMember({"naive", "expert", "both"}))
        ->type_name("naive|expert|both");
    app.add_flag("--no-verify", no_verify, "do not check results: for drivers that compute nothing");
    app.add_option("--fault", fault,
                   "break something on purpose, to see who notices: wrong-result, missing-barrier (of the expert "
                   "writing), extra-dispatch")
        ->check(CLI::IsMember({"none", "wrong-result", "missing-barrier", "extra-dispatch"}))
        ->type_name("FAULT");
    app.add_flag("--quick", options.quick, "small: --size 64K --dispatches 4 --repeat 3, unless given");
    try {
        app.parse(argc, argv);
    } catch (const CLI::Success& success) {
        status = app.exit(success);
        return std::nullopt;
    } catch (const CLI::ParseError& error) {
        std::fprintf(stderr, "kronos-workloads: %s (--help shows what there is)\n", error.what());
        status = 2;
        return std::nullopt;
    }
    if (options.quick) {
        if (size_option->empty()) size = "64K";
        if (rounds->empty()) options.rounds = 4;
        if (repeat->empty()) options.repeat = 3;
    }
    options.bytes = ParseSize(size).value() / 4 * 4;
    options.naive = writing != "expert";
    options.expert = writing != "naive";
    options.verify = !no_verify;
    if (fault == "wrong-result") options.fault = Fault::WrongResult;
    if (fault == "missing-barrier") options.fault = Fault::MissingBarrier;
    if (fault == "extra-dispatch") options.fault = Fault::ExtraDispatch;
    for (const WorkloadKind& kind : kWorkloads) {
        bool wanted = only.empty() || std::find(only.begin(), only.end(), kind.name) != only.end();
        if (wanted && IsBuilt(kind)) options.kinds.push_back(&kind);
    }
    for (const std::string& wrong : {CheckFault(options), CheckWriting(options, only)}) {
        if (wrong.empty()) continue;
        std::fprintf(stderr, "kronos-workloads: %s\n", wrong.c_str());
        status = 2;
        return std::nullopt;
    }
    return options;
}

}  // namespace kronos::workloads
