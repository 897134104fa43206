// SPDX-License-Identifier: Apache-2.0
// Prefix sum: inclusive, in place, modulo 2^32: sums of tiles, sums of the tiles' totals, and adding those to the
// tiles.
#include <algorithm>
#include <numeric>

#include "data.h"
#include "scan_add_spv.h"
#include "scan_tiles_spv.h"

namespace kronos::workloads {
namespace {

constexpr uint32_t kTile = 1024;  // elements, as in the shaders

class Scan final : public Workload {
  public:
    Scan(uint64_t bytes, uint32_t rounds) {
        auto count = static_cast<uint32_t>(bytes / 4);
        uint32_t tiles = (count + kTile - 1) / kTile;
        shaders_ = {{"scan_tiles", kScanTilesSpirv, 2, 2, 0b11}, {"scan_add", kScanAddSpirv, 2, 1, 0b01}};
        buffers_ = {{"data", uint64_t{count} * 4, RandomWords(count, 4), true},
                    {"totals", uint64_t{tiles} * 4, {}, false},
                    {"unused", 4, {}, false}};
        expected_ = buffers_[0].initial;
        for (uint32_t round = 0; round < rounds; ++round) {
            dispatches_.push_back({0, {0, 1}, {count, 0}, {std::min(tiles, 32768U), 1, 1}});
            dispatches_.push_back({0, {1, 2}, {tiles, 1}, {1, 1, 1}});
            dispatches_.push_back({1, {0, 1}, {count}, {Groups(count, 512), 1, 1}});
            std::partial_sum(expected_.begin(), expected_.end(), expected_.begin());
        }
    }

    std::optional<std::string> Check(const std::vector<Words>& results) const override {
        return FirstDifference("data", results.at(0), expected_);
    }

  private:
    Words expected_;
};

}  // namespace

std::unique_ptr<Workload> MakeScan(uint64_t bytes, uint32_t rounds) { return std::make_unique<Scan>(bytes, rounds); }

}  // namespace kronos::workloads
