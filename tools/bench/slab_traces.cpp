// SPDX-License-Identifier: Apache-2.0
#include "slab_traces.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <deque>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <string_view>
#include <utility>

namespace slab_bench {
namespace {

constexpr uint64_t kKiB = uint64_t{1} << 10;
constexpr uint64_t kMiB = uint64_t{1} << 20;
constexpr uint64_t kMost = 512 * kMiB;

using Random = std::mt19937_64;

double Part(Random& random) { return static_cast<double>(random() >> 11) * 0x1p-53; }
uint64_t Even(Random& random, uint64_t least, uint64_t most) {
    return least + static_cast<uint64_t>(Part(random) * static_cast<double>(most - least));
}
// As many between 4 and 8 KiB as between 512 KiB and 1 MiB.
uint64_t Logarithmic(Random& random, uint64_t least, uint64_t most) {
    return static_cast<uint64_t>(
        static_cast<double>(least) *
        std::exp(Part(random) * std::log(static_cast<double>(most) / static_cast<double>(least))));
}

struct Sizes {
    std::string_view name;
    uint64_t (*next)(Random&);
};
constexpr std::array<Sizes, 5> kSizes = {{
    {"even", [](Random& r) { return Even(r, 4 * kKiB, kMiB); }},
    {"logarithmic", [](Random& r) { return Logarithmic(r, 4 * kKiB, kMiB); }},
    {"tensors", [](Random& r) { return Logarithmic(r, kKiB, 256 * kKiB) / 32 * 32 * 4; }},
    {"powers", [](Random& r) { return 4 * kKiB << r() % 9; }},
    {"mixed", [](Random& r) { return r() % 10 ? Logarithmic(r, 4 * kKiB, 64 * kKiB) : Even(r, 256 * kKiB, 2 * kMiB); }},
}};

struct Live {
    uint32_t number;
    uint64_t bytes;
};

// Which goes next, or which go together: moved to the end of the list.
struct Order {
    std::string_view name;
    size_t (*choose)(std::deque<Live>&, Random&);
};
constexpr std::array<Order, 4> kOrders = {{
    {"any",
     [](std::deque<Live>& live, Random& r) {
         std::swap(live[r() % live.size()], live.back());
         return size_t{1};
     }},
    {"oldest",
     [](std::deque<Live>& live, Random&) {
         live.push_back(live.front());
         live.pop_front();
         return size_t{1};
     }},
    {"youngest",
     // But not always: a stack that only its top changes of is no test.
     [](std::deque<Live>& live, Random& r) {
         const size_t back = std::min<size_t>(live.size() - 1, static_cast<size_t>(Logarithmic(r, 1, 4096)) - 1);
         std::swap(live[live.size() - 1 - back], live.back());
         return size_t{1};
     }},
    {"together",
     // A tenth of what lives, of one age.
     [](std::deque<Live>& live, Random& r) {
         const size_t count = std::max<size_t>(live.size() / 10, 1);
         const auto first = live.begin() + static_cast<ptrdiff_t>(r() % (live.size() - count + 1));
         std::rotate(first, first + static_cast<ptrdiff_t>(count), live.end());
         return count;
     }},
}};

class Maker {
  public:
    Maker(const Sizes& sizes, const Order& order, uint32_t seed) : sizes_(sizes), order_(order), random_(seed) {}

    void Allocate() {
        const uint64_t bytes = sizes_.next(random_);
        trace_.events.push_back({trace_.allocations, false, 0, bytes, 256});
        live_.push_back({trace_.allocations++, bytes});
        live_bytes_ += bytes;
        trace_.most_bytes = std::max(trace_.most_bytes, live_bytes_);
    }
    void Free() {
        for (size_t count = order_.choose(live_, random_); count; --count) {
            trace_.events.push_back({live_.back().number, true, 0, 0, 1});
            live_bytes_ -= live_.back().bytes;
            live_.pop_back();
        }
    }
    Trace Make(uint64_t calls) {
        while (live_bytes_ < kMost) Allocate();
        const uint64_t begun = trace_.events.size();
        while (trace_.events.size() < begun + calls) live_bytes_ < kMost / 10 * 9 ? Allocate() : Free();
        trace_.name = std::string(sizes_.name) + ", " + std::string(order_.name);
        return std::move(trace_);
    }

  private:
    const Sizes& sizes_;
    const Order& order_;
    Random random_;
    Trace trace_;
    std::deque<Live> live_;
    uint64_t live_bytes_ = 0;
};

// One line of a file. What is wrong with it, or nothing.
std::string Read(const std::string& line, Trace& trace, std::vector<Event*>& live) {
    std::istringstream words(line);
    char what = 0;
    uint64_t number = 0, value = 0;
    uint32_t type = 0;
    words >> what >> number;
    if (what == '+') {
        words >> value >> type;
        if (!words || number != trace.allocations + uint64_t{1} || !value || type >= 32)
            return "no allocation that comes next";
        trace.events.push_back({trace.allocations++, false, static_cast<uint8_t>(type), value, 1});
        live.push_back(&trace.events.back());
        return {};
    }
    if (!words || !number || number > live.size() || !live[number - 1])
        return "neither an allocation nor of one that lives";
    if (what == 'b') {
        words >> value;
        if (!words || !std::has_single_bit(value)) return "no alignment";
        live[number - 1]->alignment = std::max(live[number - 1]->alignment, value);
        return {};
    }
    if (what != '-') return "begins with none of + - b #";
    live[number - 1] = nullptr;
    trace.events.push_back({static_cast<uint32_t>(number - 1), true, 0, 0, 1});
    return {};
}

}  // namespace

std::variant<Trace, std::string> ReadTrace(const std::string& path) {
    std::ifstream file(path);
    if (!file) return path + ": cannot be read";
    Trace trace;
    trace.name = std::filesystem::path(path).stem();
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    trace.events.reserve(lines.size());  // pointers to them stay valid
    std::vector<Event*> live;
    for (size_t i = 0; i < lines.size(); ++i) {
        if (lines[i].empty() || lines[i][0] == '#') continue;
        if (const std::string wrong = Read(lines[i], trace, live); !wrong.empty())
            return path + ", line " + std::to_string(i + 1) + ": '" + lines[i] + "' is " + wrong;
    }
    uint64_t bytes = 0;
    std::vector<uint64_t> of(trace.allocations);
    for (const Event& event : trace.events) {
        if (!event.frees) of[event.number] = event.bytes;
        event.frees ? bytes -= of[event.number] : bytes += event.bytes;
        trace.most_bytes = std::max(trace.most_bytes, bytes);
    }
    return trace;
}

uint32_t SyntheticCount() { return kSizes.size() * kOrders.size(); }

Trace Synthetic(uint32_t index, uint64_t calls) {
    return Maker(kSizes[index / kOrders.size()], kOrders[index % kOrders.size()], index + 1).Make(calls);
}

}  // namespace slab_bench
