// SPDX-License-Identifier: Apache-2.0
// Files are named by the hash of what they hold and appear whole: several processes may share a folder.
#include "shaders.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <utility>

namespace spy {
namespace {

constexpr uint32_t kMagic = 0x07230203;
constexpr size_t kHeaderWords = 5;
constexpr uint32_t kOpEntryPoint = 15;
constexpr uint32_t kOpFunction = 54;
constexpr uint32_t kGLCompute = 5;

// Whether a module has a compute shader's entry point. Those come before all functions.
bool IsCompute(std::span<const uint32_t> words) {
    if (words.size() < kHeaderWords || words[0] != kMagic) return false;
    for (size_t at = kHeaderWords; at < words.size();) {
        const uint32_t length = words[at] >> 16;
        const uint32_t opcode = words[at] & 0xffff;
        if (length == 0 || length > words.size() - at || opcode == kOpFunction) return false;
        if (opcode == kOpEntryPoint && length > 1 && words[at + 1] == kGLCompute) return true;
        at += length;
    }
    return false;
}

std::string NameOf(std::span<const uint8_t> bytes) {
    // FNV-1a with two beginnings: 128 bits.
    uint64_t hashes[2] = {14695981039346656037ULL, 0x6b726f6e6f73ULL};
    for (uint64_t& hash : hashes) {
        for (const uint8_t byte : bytes) hash = (hash ^ byte) * 1099511628211ULL;
    }
    char text[33];
    std::snprintf(text, sizeof text, "%016llx%016llx", static_cast<unsigned long long>(hashes[0]),
                  static_cast<unsigned long long>(hashes[1]));
    return text;
}

}  // namespace

ShaderFolder::ShaderFolder(std::string path) : path_(std::move(path)), works_(!path_.empty()) {
    if (path_.empty()) return;
    struct stat found {};
    if (stat(path_.c_str(), &found) != 0) {
        Fail(path_, errno);
    } else if (!S_ISDIR(found.st_mode)) {
        Fail(path_, ENOTDIR);
    } else if (access(path_.c_str(), W_OK | X_OK) != 0) {
        Fail(path_, errno);
    }
}

void ShaderFolder::Fail(const std::string& path, int error) {
    if (!works_.exchange(false)) return;
    std::fprintf(stderr, SPY_ENVIRONMENT "_SHADERS=%s: %s: %s; must be a writable folder; no shader is kept\n",
                 path_.c_str(), path.c_str(), std::strerror(error));
}

void ShaderFolder::Keep(const VkShaderModuleCreateInfo& info) {
    if (works_ && IsCompute({info.pCode, info.codeSize / sizeof(uint32_t)})) Write(info.pCode, info.codeSize);
}

void ShaderFolder::Keep(uint32_t count, const VkComputePipelineCreateInfo* infos) {
    for (uint32_t i = 0; works_ && i < count; ++i) {
        if (infos[i].stage.module != VK_NULL_HANDLE) continue;
        for (auto* in = static_cast<const VkBaseInStructure*>(infos[i].stage.pNext); in != nullptr; in = in->pNext) {
            if (in->sType == VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO)
                Keep(*reinterpret_cast<const VkShaderModuleCreateInfo*>(in));
        }
    }
}

void ShaderFolder::Keep(uint32_t count, const VkShaderCreateInfoEXT* infos) {
    for (uint32_t i = 0; works_ && i < count; ++i) {
        const VkShaderCreateInfoEXT& info = infos[i];
        if (info.stage == VK_SHADER_STAGE_COMPUTE_BIT && info.codeType == VK_SHADER_CODE_TYPE_SPIRV_EXT)
            Write(info.pCode, info.codeSize);
    }
}

void ShaderFolder::Write(const void* code, size_t bytes) {
    const std::string whole = path_ + "/" + NameOf({static_cast<const uint8_t*>(code), bytes}) + ".spv";
    if (access(whole.c_str(), F_OK) == 0) return;
    const std::string part = whole + "." + std::to_string(getpid()) + "." + std::to_string(parts_++) + ".part";
    std::FILE* const file = std::fopen(part.c_str(), "wb");
    if (file == nullptr) return Fail(part, errno);
    errno = 0;
    bool written = std::fwrite(code, 1, bytes, file) == bytes;
    written = std::fclose(file) == 0 && written;
    if (written && std::rename(part.c_str(), whole.c_str()) == 0) return;
    Fail(whole, errno);
    std::remove(part.c_str());
}

ShaderFolder& FolderOfShaders() {
    // Never destroyed: programs call Vulkan from their own exit handlers.
    static auto* const folder = [] {
        const char* path = std::getenv(SPY_ENVIRONMENT "_SHADERS");
        return new ShaderFolder(path == nullptr ? "" : path);
    }();
    return *folder;
}

}  // namespace spy
