// SPDX-License-Identifier: Apache-2.0
#include "corpus.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

namespace kronos::shaders_test {
namespace {

Sample ReadSample(const std::filesystem::path& source) {
    Sample sample;
    sample.name = source.stem().string();
    sample.words = ReadWords(KRONOS_SHADER_CORPUS_SPIRV "/" + sample.name + ".spv");
    std::ifstream lines(source);
    for (std::string line; std::getline(lines, line);) {
        const bool comment = line.starts_with("; ") || line.starts_with("// ");
        const size_t colon = line.find(": ");
        if (!comment || colon == std::string::npos) continue;
        const size_t begin = line.find(' ') + 1;
        const std::string key = line.substr(begin, colon - begin);
        const std::string value = line.substr(colon + 2);
        if (key == "uses") sample.uses = value;
        if (key == "entry") sample.entry = value;
        if (key == "cross") sample.for_cross = value != "no";
        if (key == "unaccessed") {
            std::istringstream words(value);
            sample.unaccessed.assign(std::istream_iterator<std::string>(words), {});
        }
    }
    return sample;
}

}  // namespace

std::vector<uint32_t> ReadWords(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(file)), {});
    std::vector<uint32_t> words(bytes.size() / 4);
    if (!words.empty()) std::memcpy(words.data(), bytes.data(), words.size() * 4);
    return words;
}

const std::vector<Sample>& Corpus() {
    static const std::vector<Sample> corpus = [] {
        std::vector<Sample> samples;
        for (const auto& entry : std::filesystem::directory_iterator(KRONOS_SHADER_CORPUS)) {
            const std::filesystem::path suffix = entry.path().extension();
            if (suffix == ".spvasm" || suffix == ".comp") samples.push_back(ReadSample(entry.path()));
        }
        std::sort(samples.begin(), samples.end(), [](const Sample& a, const Sample& b) { return a.name < b.name; });
        return samples;
    }();
    return corpus;
}

std::string Text(const ShaderUses& uses) {
    if (uses.everything) return "everything";
    std::string text;
    const auto add = [&](const std::string& what, Use use) {
        text += (text.empty() ? "" : ", ") + what + " " + (Reads(use) ? "r" : "") + (Writes(use) ? "w" : "");
    };
    for (const BindingUse& one : uses.bindings) {
        const std::string element =
            one.element == BindingUse::kAnyElement ? "" : "[" + std::to_string(one.element) + "]";
        add(std::to_string(one.set) + "." + std::to_string(one.binding) + element, one.use);
    }
    if (uses.addresses != Use::kNone) add("address", uses.addresses);
    return text.empty() ? "none" : text;
}

}  // namespace kronos::shaders_test
