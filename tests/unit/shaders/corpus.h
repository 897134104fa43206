// SPDX-License-Identifier: Apache-2.0
// The modules that the shader analysis is tested on, each with what it must find. Read once; any thread afterwards.
//
// A source in corpus/ says in comments of its first lines:
//   uses: 0.1 r, 0.2[3] w, address rw    set.binding[element], in the order of ShaderUses; also `none`, `everything`
//   entry: NAME                          the entry point, if it is not main
//   unaccessed: 0.1 0.2                  named by the code but neither read nor written, so SPIRV-Cross calls it active
//   spirv: 1.4                           the version to assemble for, if it is not 1.3
//   unvalidated                          spirv-val need not like it
//   cross: no                            SPIRV-Cross cannot read it
#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "shaders/uses.h"

namespace kronos::shaders_test {

struct Sample {
    std::string name;
    std::string entry = "main";
    std::string uses;
    std::vector<std::string> unaccessed;
    bool for_cross = true;
    std::vector<uint32_t> words;
};

inline std::ostream& operator<<(std::ostream& out, const Sample& sample) { return out << sample.name; }

/// Every module of the corpus, by name.
const std::vector<Sample>& Corpus();

/// The uses as the sources write them.
std::string Text(const ShaderUses& uses);

/// The words of a SPIR-V file; none if it cannot be read.
std::vector<uint32_t> ReadWords(const std::string& path);

}  // namespace kronos::shaders_test
