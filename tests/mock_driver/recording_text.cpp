// SPDX-License-Identifier: Apache-2.0
// The text of a recorded call: values, strings, handles by small ids.
#include <cinttypes>
#include <cstdio>
#include <cstring>

#include "dump.h"
#include "objects.h"
#include "recording.h"
#include "tables.h"

namespace mock {

Line::Line(Command command, uint32_t hot) : command_(command), active_((hot & kHotFull) != 0) {
    if (active_) text_ = kCommands[command].name;
}

void Line::Add(const std::string& text) {
    if (active_) text_ += text;
}

void Line::Next() {
    if (active_ && text_.back() != '[' && text_.back() != '{' && text_.back() != ' ') text_ += ' ';
}

void Line::Label(const char* name) {
    Next();
    Add(std::string(name) + "=");
}

void Line::Open(char bracket) { Add(std::string(1, bracket)); }
void Line::Close(char bracket) { Add(std::string(1, bracket)); }
void Line::Num(uint64_t value) {
    if (active_) text_ += std::to_string(value);
}
void Line::Int(int64_t value) {
    if (active_) text_ += std::to_string(value);
}
void Line::Hex(uint64_t value) {
    if (!active_) return;
    char text[32];
    std::snprintf(text, sizeof(text), value == 0 ? "0" : "0x%" PRIx64, value);
    text_ += text;
}
void Line::Float(double value) {
    if (!active_) return;
    char text[40];
    std::snprintf(text, sizeof(text), "%.9g", value);
    text_ += text;
}
void Line::Null() {
    if (active_) text_ += "null";
}

void Line::Str(const char* text) {
    if (!active_) return;
    if (text == nullptr) return Null();
    text_ += '"';
    for (; *text != '\0'; ++text) {
        // One call is one line, whatever a program puts into a name.
        text_ += static_cast<unsigned char>(*text) < 0x20 ? '?' : *text;
    }
    text_ += '"';
}

void Line::Fixed(const char* text, size_t size) {
    if (active_) Str(std::string(text, strnlen(text, size)).c_str());
}

void Line::Strings(const char* const* texts, uint64_t count) {
    if (!active_) return;
    if (texts == nullptr) return Null();
    Open('[');
    for (uint64_t i = 0; i < count; ++i) {
        Next();
        Str(texts[i]);
    }
    Close(']');
}

void Line::Bytes(const void* data, uint64_t size) {
    if (!active_) return;
    if (data == nullptr) return Null();
    uint64_t hash = 0xcbf29ce484222325U;  // FNV-1a
    for (uint64_t i = 0; i < size; ++i) hash = (hash ^ static_cast<const uint8_t*>(data)[i]) * 0x100000001b3U;
    char text[64];
    std::snprintf(text, sizeof(text), "<%" PRIu64 " bytes %016" PRIx64 ">", size, hash);
    text_ += text;
}

void Line::Handle(VkObjectType type, uint64_t handle) {
    if (active_) text_ += HandleName(type, handle);
}

void Line::Named(VkObjectType type, uint64_t handle) {
    // The loader has handles of its own for instances, physical devices and surfaces.
    if (type == VK_OBJECT_TYPE_UNKNOWN || type == VK_OBJECT_TYPE_INSTANCE || type == VK_OBJECT_TYPE_PHYSICAL_DEVICE ||
        type == VK_OBJECT_TYPE_SURFACE_KHR) {
        Num(handle);
    } else {
        Handle(type, handle);
    }
}

void Line::Allocator() {
    Next();
    Add("allocator");
}

void Line::Chained(const char* name) {
    Next();
    Add(std::string("+") + name);
}

void Line::UnknownChained(uint32_t type) {
    Next();
    Add("+sType" + std::to_string(type));
}

void Line::Result() { Add(" ="); }

void Line::Failure(VkResult result) {
    Next();
    Add(ResultName(result));
}

void DumpAsked(Line& t, const void* next) {
    for (auto* base = static_cast<const VkBaseInStructure*>(next); base != nullptr; base = base->pNext)
        t.UnknownChained(static_cast<uint32_t>(base->sType));
}

void DumpStruct(Line& t, const VkWriteDescriptorSet& s) {
    t.Open('{');
    t.Label("dstSet");
    t.Handle(VK_OBJECT_TYPE_DESCRIPTOR_SET, FromHandle(s.dstSet));
    t.Label("dstBinding");
    t.Num(s.dstBinding);
    t.Label("dstArrayElement");
    t.Num(s.dstArrayElement);
    t.Label("descriptorType");
    t.Num(static_cast<uint64_t>(s.descriptorType));
    t.Label("descriptors");
    t.Open('[');
    for (uint32_t i = 0; i < s.descriptorCount; ++i) {
        t.Next();
        switch (s.descriptorType) {
            case VK_DESCRIPTOR_TYPE_SAMPLER:
                t.Handle(VK_OBJECT_TYPE_SAMPLER, FromHandle(s.pImageInfo[i].sampler));
                break;
            case VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER:
            case VK_DESCRIPTOR_TYPE_SAMPLED_IMAGE:
            case VK_DESCRIPTOR_TYPE_STORAGE_IMAGE:
            case VK_DESCRIPTOR_TYPE_INPUT_ATTACHMENT:
                t.Handle(VK_OBJECT_TYPE_IMAGE_VIEW, FromHandle(s.pImageInfo[i].imageView));
                break;
            case VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER:
            case VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER:
                t.Handle(VK_OBJECT_TYPE_BUFFER_VIEW, FromHandle(s.pTexelBufferView[i]));
                break;
            case VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER:
            case VK_DESCRIPTOR_TYPE_STORAGE_BUFFER:
            case VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER_DYNAMIC:
            case VK_DESCRIPTOR_TYPE_STORAGE_BUFFER_DYNAMIC:
                DumpStruct(t, s.pBufferInfo[i]);
                break;
            default:
                // Its data is in the chain; the count is that of bytes for inline uniform blocks.
                t.Num(s.descriptorCount);
                i = s.descriptorCount;
                break;
        }
    }
    t.Close(']');
    DumpChain(t, s.pNext);
    t.Close('}');
}

}  // namespace mock
