// SPDX-License-Identifier: Apache-2.0
#include "devices/ranks.h"

#include <charconv>
#include <string_view>

#include "support/formatted.h"
#include "support/text.h"

namespace kronos {
namespace {

// The process's own first, the job's last.
constexpr const char* kVariables[] = {
    "LOCAL_RANK",                  // torchrun
    "OMPI_COMM_WORLD_LOCAL_RANK",  // Open MPI
    "MPI_LOCALRANKID",             // MPICH and Intel MPI, by Hydra
    "MV2_COMM_WORLD_LOCAL_RANK",   // MVAPICH2
    "PALS_LOCAL_RANKID",           // HPE Cray
    "FLUX_TASK_LOCAL_ID",          // Flux
    "SLURM_LOCALID",               // Slurm
    "JOB_COMPLETION_INDEX",        // Kubernetes indexed jobs: of the whole job, which wraps as any rank does
};

}  // namespace

std::optional<LocalRank> FindLocalRank(const std::function<const char*(const char*)>& get,
                                       std::vector<std::string>& problems) {
    for (const char* name : kVariables) {
        const char* value = get(name);
        if (!value || !*value) continue;
        const std::string_view text(value);
        uint32_t rank = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), rank);
        if (error == std::errc() && end == text.data() + text.size()) return LocalRank{rank, name};
        problems.push_back(
            Format("{} = '{}' is no rank; a number from 0 on is allowed; it is ignored", name, Printable(text)));
    }
    return std::nullopt;
}

}  // namespace kronos
