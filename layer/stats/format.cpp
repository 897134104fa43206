// SPDX-License-Identifier: Apache-2.0
#include "stats/format.h"

#include <array>
#include <charconv>

#include "support/formatted.h"
#include "support/json_text.h"

namespace kronos {
namespace {

double Ms(uint64_t ns) { return static_cast<double>(ns) / 1e6; }

void AppendCounters(std::string& out, const char* key, Side side, size_t begin, size_t end,
                    const CounterValues& counted) {
    out += Format(",\"{}\":{{", key);
    bool first = true;
    for (size_t i = begin; i < end; ++i) {
        const uint64_t n = counted.At(side, static_cast<Counter>(i));
        if (!n) continue;
        // Nearly all of a line: without a formatter.
        std::array<char, 20> digits;
        char* const end_of_number = std::to_chars(digits.data(), digits.data() + digits.size(), n).ptr;
        out.append(first ? "\"" : ",\"").append(kCounterNames[i]).append("\":");
        out.append(digits.data(), end_of_number);
        first = false;
    }
    out += '}';
}

void AppendMemory(std::string& out, const char* key, const MemoryLevels& levels) {
    out += Format(",\"{}\":[", key);
    for (const HeapLevels& heap : levels)
        out += Format(
            "{}{{\"heap\":{},\"idle\":{},\"idle_bytes\":{},\"slabs\":{},\"slab_bytes\":{},\"slab_live_bytes\":{},"
            "\"slab_idle_bytes\":{}}}",
            out.back() == '[' ? "" : ",", heap.heap, heap.idle, heap.idle_bytes, heap.slabs, heap.slab_bytes,
            heap.slab_live_bytes, heap.slab_idle_bytes);
    out += ']';
}

void AppendAll(std::string& out, const CounterValues& counted) {
    AppendCounters(out, "asked", Side::kAsked, 0, kCounters, counted);
    AppendCounters(out, "driver", Side::kDriver, 0, kCounters, counted);
    AppendCounters(out, "did", Side::kAsked, kCounters, kCountersAndDecisions, counted);
    out += "}\n";
}

// A CSV field: quoted when it must be, quotes doubled.
std::string Field(std::string_view text) {
    if (text.find_first_of(",\"\n") == std::string_view::npos) return std::string(text);
    std::string out = "\"";
    for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
    return out + '"';
}

std::string CountersCsv(const CounterValues& counted) {
    std::string out;
    for (const Side side : {Side::kAsked, Side::kDriver})
        for (size_t i = 0; i < kCounters; ++i) out += Format(",{}", counted.At(side, static_cast<Counter>(i)));
    for (size_t i = kCounters; i < kCountersAndDecisions; ++i)
        out += Format(",{}", counted.At(Side::kAsked, static_cast<Counter>(i)));
    return out + "\n";
}

}  // namespace

std::string DeviceJson(const DeviceLabel& device, uint32_t part) {
    std::string out = Format(
        "{{\"v\":{},\"event\":\"device\",\"pid\":{},\"device\":{},\"time\":{},\"program\":{},\"name\":{},\"driver\":{},"
        "\"api\":{},\"type\":{}",
        kStatsSchema, device.pid, device.index, JsonText(device.time), JsonText(device.program), JsonText(device.name),
        JsonText(device.driver), JsonText(device.api), JsonText(device.type));
    if (part > 1) out += Format(",\"part\":{}", part);
    if (!device.unknown.empty()) {
        out += ",\"unknown_extensions\":[";
        for (const std::string& name : device.unknown) out += (out.back() == '[' ? "" : ",") + JsonText(name);
        out += "]";
    }
    out += ",\"settings\":{";
    for (const auto& [key, value] : device.settings)
        out += Format("{}{}:{}", out.back() == '{' ? "" : ",", JsonText(key), JsonText(value));
    return out + "}}\n";
}

std::string FrameJson(const DeviceLabel& device, const Frame& frame) {
    std::string out = Format(
        "{{\"v\":{},\"event\":\"frame\",\"pid\":{},\"device\":{},\"frame\":{},\"at_ms\":{:.3f},\"ms\":{:.3f},"
        "\"closed_by\":\"{}\"",
        kStatsSchema, device.pid, device.index, frame.number, Ms(frame.begin_ns), Ms(frame.end_ns - frame.begin_ns),
        FrameEndName(frame.end));
    if (frame.memory) AppendMemory(out, "memory", *frame.memory);
    AppendAll(out, frame.counted);
    return out;
}

std::string SummaryJson(const DeviceLabel& device, const Summary& summary) {
    std::string out = Format(
        "{{\"v\":{},\"event\":\"summary\",\"pid\":{},\"device\":{},\"name\":{},\"frames\":{},\"ms\":{:.3f},\"at\":\"{}"
        "\"",
        kStatsSchema, device.pid, device.index, JsonText(device.name), summary.frames, Ms(summary.elapsed_ns),
        summary.at_exit ? "exit" : "destroy");
    if (!summary.memory_most.empty()) AppendMemory(out, "memory_most", summary.memory_most);
    AppendAll(out, summary.counted);
    return out;
}

std::string CsvHeader() {
    std::string out = "v,event,pid,device,name,frame,at_ms,ms,closed_by";
    for (const char* side : {"asked", "driver"})
        for (size_t i = 0; i < kCounters; ++i) out += Format(",{}_{}", side, kCounterNames[i]);
    for (size_t i = kCounters; i < kCountersAndDecisions; ++i) out += Format(",did_{}", kCounterNames[i]);
    return out + "\n";
}

std::string DeviceCsv(const DeviceLabel& device) {
    return Format("{},device,{},{},{},,,,", kStatsSchema, device.pid, device.index, Field(device.name)) +
           CountersCsv(CounterValues{});
}

std::string FrameCsv(const DeviceLabel& device, const Frame& frame) {
    return Format("{},frame,{},{},{},{},{:.3f},{:.3f},{}", kStatsSchema, device.pid, device.index, Field(device.name),
                  frame.number, Ms(frame.begin_ns), Ms(frame.end_ns - frame.begin_ns), FrameEndName(frame.end)) +
           CountersCsv(frame.counted);
}

std::string SummaryCsv(const DeviceLabel& device, const Summary& summary) {
    return Format("{},summary,{},{},{},{},0.000,{:.3f},{}", kStatsSchema, device.pid, device.index, Field(device.name),
                  summary.frames, Ms(summary.elapsed_ns), summary.at_exit ? "exit" : "destroy") +
           CountersCsv(summary.counted);
}

}  // namespace kronos
