// SPDX-License-Identifier: Apache-2.0
// Binds sets that already hold what is bound. A program's set has its writes held back; bound with a content for the
// first time it gets them and is bound itself, the second time a set of the layer's own gets them, and from then on
// that one is bound, and nothing is written. The program's handles stay the driver's: it cannot tell.
//
// What the driver's set holds is DescriptorSet::real_*, what the program wrote its identities. A set is made real, that
// is, given what it has not got yet, before the driver may look at it.
//
// Threads: Bind on any thread, with sets that nobody updates meanwhile, as Vulkan demands: no locks and no allocations
// once a content was bound three times. Otherwise it takes Lives::mutex(), and holds it across the driver's commands:
// what they name must not be destroyed meanwhile. So do the others.
#pragma once

#include <vulkan/utility/vk_dispatch_table.h>

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "descriptors/layer_sets.h"
#include "resources/resources.h"
#include "stats/counters.h"

namespace kronos {

class PersistentSets;

/// The layer's sets that a recording has. Externally synchronized, as recording is.
class RecordedSets {
  public:
    RecordedSets() = default;
    RecordedSets(const RecordedSets&) = delete;
    RecordedSets& operator=(const RecordedSets&) = delete;
    ~RecordedSets() { Clear(); }

    /// `set`, of `owner`, is the recording's already; it is given back if there is no memory to note it: false.
    bool Note(PersistentSets& owner, LayerSet& set) noexcept;
    /// A set was bound in place of the program's without being made.
    void CountFound() { ++found_; }
    /// The recording is no more: the program began it anew, or reset or freed its command buffer.
    void Clear() noexcept;

  private:
    PersistentSets* owner_ = nullptr;  // of sets_; outlives all recordings
    std::vector<LayerSet*> sets_;
    uint64_t found_ = 0;
};

struct PersistentOptions {
    uint32_t most_per_layout = 256;
    bool judge = true;  ///< hold no writes back any more, once that has saved too few
};

class PersistentSets final : private Lives::Watcher {
  public:
    /// `counters`: nullptr if nothing is counted. The others outlive it.
    PersistentSets(const VkuDeviceDispatchTable& down, VkDevice device, Resources& resources, Counters* counters,
                   const PersistentOptions& options);
    ~PersistentSets();
    PersistentSets(const PersistentSets&) = delete;
    PersistentSets& operator=(const PersistentSets&) = delete;

    /// What to bind for `set`, which is DescriptorSet::held.
    VkDescriptorSet Bind(DescriptorSet& set, RecordedSets& recording) noexcept;
    /// The driver's set holds what the program wrote.
    void MakeReal(DescriptorSet& set) noexcept;
    /// The same, and from now on its writes are given at once. Before an update that cannot be held back.
    void MakeDirect(DescriptorSet& set) noexcept;
    /// Of recordings that are no more.
    void CountFound(uint64_t binds) noexcept;
    /// Sets of the layer's own that exist, for tests.
    uint32_t Count() const;

  private:
    struct Layout;

    void Ended(uint64_t uid) noexcept override;
    VkDescriptorSet BindNew(DescriptorSet& set, const ContentKey& key, uint64_t hash, RecordedSets& recording) noexcept;
    void MakeRealLocked(DescriptorSet& set) noexcept;
    LayerSet* Make(const DescriptorSet& set, const ContentKey& key, uint64_t hash);
    LayerSet* Room(const DescriptorSet& set);
    bool Allocate(Layout& layout, LayerSet& set);
    VkDescriptorPool MakePool(const Layout& layout, uint32_t sets) const;
    bool Seen(uint64_t hash) noexcept;
    void Judge() noexcept;
    void Bury(std::unique_ptr<Layout>& layout) noexcept;
    void BuryDead() noexcept;
    void CountWrites(uint32_t writes) const;

    static constexpr uint64_t kItself = ~uint64_t{0};  // DescriptorSet::bound_as
    static constexpr size_t kSeen = 4096;

    const VkuDeviceDispatchTable& down_;
    const VkDevice device_;
    Resources& resources_;
    Lives& lives_;
    Counters* const counters_;
    const PersistentOptions options_;

    LayerSets sets_;
    std::atomic<uint64_t> found_{0};  // since the last judgement
    // Under the lock.
    std::map<uint64_t, std::unique_ptr<Layout>> layouts_;  // by uid
    std::vector<std::unique_ptr<Layout>> dead_;            // destroyed, while recordings had sets of them
    std::vector<uint64_t> seen_;                           // contents, by hash, that were bound once
    uint64_t not_found_ = 0;                               // since the last judgement
};

}  // namespace kronos
