// SPDX-License-Identifier: Apache-2.0
// The data of the small workloads that isolate a mechanism. All arithmetic is on integers modulo 2^32, so every check
// is exact. Every round is linear in the contents: what n rounds do to each element is one matrix, found by running the
// recurrence on the unit vectors, and a check costs the same for any number of rounds.
#include <algorithm>

#include "data.h"
#include "join_spv.h"
#include "mix_spv.h"

namespace kronos::workloads {
namespace {

const Shader kMix{"mix", kMixSpirv, 2, 3, 0b10};
const Shader kJoin{"join", kJoinSpirv, 5, 1, 0b10000};

// Odd, so that a wrong bit is never multiplied away, and another one each round.
uint32_t Factor(uint32_t round) { return 2 * round + 3; }

Dispatch Mix(uint32_t x, uint32_t y, uint64_t count, uint32_t factor, uint32_t bias) {
    return {0, {x, y}, {static_cast<uint32_t>(count), factor, bias}, {Groups(count, 512), 1, 1}};
}

class Chain final : public Workload {
  public:
    Chain(uint64_t bytes, uint32_t rounds) {
        uint64_t count = bytes / 4;
        shaders_ = {kMix};
        buffers_ = {{"x", count * 4, RandomWords(count, 11), false}, {"y", count * 4, RandomWords(count, 12), true}};
        for (uint32_t round = 0; round < rounds; ++round) {
            dispatches_.push_back(Mix(0, 1, count, Factor(round), round));
            of_y_ *= Factor(round);
            of_x_ = of_x_ * Factor(round) + 1;
            constant_ = constant_ * Factor(round) + round;
        }
    }

    std::optional<std::string> Check(const std::vector<Words>& results) const override {
        Words expected(buffers_[1].initial);
        for (size_t i = 0; i < expected.size(); ++i)
            expected[i] = of_y_ * expected[i] + of_x_ * buffers_[0].initial[i] + constant_;
        return FirstDifference("y", results.at(0), expected);
    }

  private:
    uint32_t of_y_ = 1;
    uint32_t of_x_ = 0;
    uint32_t constant_ = 0;
};

// `buffers` buffers that share `bytes`, one dispatch each from one input. Where `upload` is set they start with other
// contents, so that a lost dispatch is found in each run; else the first to touch them is the dispatch.
class Apart final : public Workload {
  public:
    Apart(uint64_t bytes, uint32_t buffers, bool upload) : upload_(upload) {
        uint64_t count = std::max<uint64_t>(bytes / 4 / buffers, 1);
        shaders_ = {kMix};
        buffers_.push_back({"x", count * 4, RandomWords(count, 13), false});
        for (uint32_t i = 0; i < buffers; ++i) {
            buffers_.push_back({"y", count * 4, upload ? RandomWords(count, 14 + i) : Words(), true});
            dispatches_.push_back(Mix(0, i + 1, count, upload ? Factor(i) : 0, i));
        }
    }

    std::optional<std::string> Check(const std::vector<Words>& results) const override {
        for (uint32_t i = 0; i < results.size(); ++i) {
            Words expected(buffers_[0].initial);
            for (size_t e = 0; e < expected.size(); ++e)
                expected[e] += i + (upload_ ? Factor(i) * buffers_[i + 1].initial[e] : 0);
            if (auto difference = FirstDifference("y" + std::to_string(i), results[i], expected)) return difference;
        }
        return std::nullopt;
    }

  private:
    bool upload_;
};

// Buffers: four branches and the joined j; each round's branches are made from the j of the last. They share `bytes`.
class FanOut final : public Workload {
  public:
    FanOut(uint64_t bytes, uint32_t rounds) : rounds_(rounds) {
        uint64_t count = std::max<uint64_t>(bytes / 4 / kBuffers, 1);
        shaders_ = {kMix, kJoin};
        for (uint32_t i = 0; i < kBuffers; ++i)
            buffers_.push_back({kNames[i], count * 4, RandomWords(count, 21 + i), i == kJoined});
        for (uint32_t round = 0; round < rounds; ++round) {
            for (uint32_t b = 0; b < kJoined; ++b)
                dispatches_.push_back(Mix(kJoined, b, count, Factor(round + b), round + b));
            dispatches_.push_back(
                {1, {0, 1, 2, 3, kJoined}, {static_cast<uint32_t>(count)}, {Groups(count, 512), 1, 1}});
        }
    }

    std::optional<std::string> Check(const std::vector<Words>& results) const override {
        // The joined element as a linear function of the first contents and 1.
        std::array<uint32_t, kBuffers + 1> weight{};
        for (uint32_t k = 0; k <= kBuffers; ++k) {
            std::array<uint32_t, kBuffers> unit{};
            if (k < kBuffers) unit[k] = 1;
            weight[k] = Joined(unit, k == kBuffers);
        }
        Words expected(results.at(0).size(), weight[kBuffers]);
        for (uint32_t k = 0; k < kBuffers; ++k) {
            for (size_t e = 0; e < expected.size(); ++e) expected[e] += weight[k] * buffers_[k].initial[e];
        }
        return FirstDifference("j", results.at(0), expected);
    }

  private:
    static constexpr uint32_t kBuffers = 5;
    static constexpr uint32_t kJoined = 4;
    static constexpr std::string_view kNames[kBuffers] = {"b0", "b1", "b2", "b3", "j"};

    uint32_t Joined(std::array<uint32_t, kBuffers> v, bool constants) const {
        for (uint32_t round = 0; round < rounds_; ++round) {
            for (uint32_t b = 0; b < kJoined; ++b)
                v[b] = Factor(round + b) * v[b] + v[kJoined] + (constants ? round + b : 0);
            v[kJoined] = 9 * v[kJoined] + v[0] + 3 * v[1] + 5 * v[2] + 7 * v[3];
        }
        return v[kJoined];
    }

    uint32_t rounds_;
};

// Between two dispatches the host copies y to x. The buffers are in mapped memory, so they are a page at most.
class HostTurns final : public Workload {
  public:
    HostTurns(uint64_t bytes, uint32_t rounds) {
        uint64_t count = std::min<uint64_t>(bytes, 4096) / 4;
        shaders_ = {kMix};
        buffers_ = {{"x", count * 4, RandomWords(count, 31), false}, {"y", count * 4, RandomWords(count, 32), true}};
        // The same in each turn, since the command buffer is recorded once.
        for (uint32_t round = 0; round < rounds; ++round) dispatches_.push_back(Mix(0, 1, count, Factor(0), 1));
    }

    std::optional<std::string> Check(const std::vector<Words>& results) const override {
        Words expected(buffers_[1].initial);
        Words x(buffers_[0].initial);
        for (size_t round = 0; round < dispatches_.size(); ++round) {
            for (size_t e = 0; e < expected.size(); ++e) expected[e] = Factor(0) * expected[e] + x[e] + 1;
            x = expected;
        }
        return FirstDifference("y", results.at(0), expected);
    }
};

// Buffers here are allocations, one step each. Every other one is in mapped memory: the host marks it with a word of
// its own and reads that again. Sizes are mixed, between 256 bytes and the size asked for or 4 MiB.
class AllocStorm final : public Workload {
  public:
    AllocStorm(uint64_t bytes, uint32_t rounds) {
        Random random(41);
        uint64_t largest = std::clamp<uint64_t>(bytes, 256, 4 << 20);
        uint32_t octaves = 0;
        while (uint64_t{512} << octaves <= largest) ++octaves;
        for (uint32_t step = 0; step < rounds * kSteps; ++step) {
            uint64_t size = uint64_t{256} << random.Next() % (octaves + 1);
            size = std::min<uint64_t>(size + random.Next() % size / 4 * 4, largest);
            auto mark = static_cast<uint32_t>(random.Next() >> 32);
            bool mapped = step % 2 == 0;
            buffers_.push_back({"allocation", size, mapped ? Words(1, mark) : Words(), mapped});
        }
    }

    std::optional<std::string> Check(const std::vector<Words>& results) const override {
        if (results.size() != buffers_.size() / 2) return "allocations are missing";
        for (size_t i = 0; i < results.size(); ++i) {
            // First and last word of it, as they were when it was freed.
            Words expected(2, buffers_[2 * i].initial[0]);
            if (auto wrong = FirstDifference("allocation" + std::to_string(2 * i), results[i], expected)) return wrong;
        }
        return std::nullopt;
    }

  private:
    static constexpr uint32_t kSteps = 4;
};

}  // namespace

std::unique_ptr<Workload> MakeChain(uint64_t bytes, uint32_t rounds) { return std::make_unique<Chain>(bytes, rounds); }

std::unique_ptr<Workload> MakeIndependent(uint64_t bytes, uint32_t rounds) {
    return std::make_unique<Apart>(bytes, rounds, true);
}

std::unique_ptr<Workload> MakeFirstTouch(uint64_t bytes, uint32_t) {
    return std::make_unique<Apart>(bytes, 1000, false);
}

std::unique_ptr<Workload> MakeFanOut(uint64_t bytes, uint32_t rounds) {
    return std::make_unique<FanOut>(bytes, rounds);
}

std::unique_ptr<Workload> MakeHostTurns(uint64_t bytes, uint32_t rounds) {
    return std::make_unique<HostTurns>(bytes, rounds);
}

std::unique_ptr<Workload> MakeAllocStorm(uint64_t bytes, uint32_t rounds) {
    return std::make_unique<AllocStorm>(bytes, rounds);
}

}  // namespace kronos::workloads
