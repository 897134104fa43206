#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Generates the mock driver's entry points, structure printers and tables from vk.xml.

usage: generate.py VK_XML IMPLEMENTED_TXT OUTPUT_DIR
Writes commands.h (command numbers, prototypes of the hand-written commands), entries_{0,1}.cpp (one entry point
for each command name), dump.h / dump.cpp (structures as text) and tables.cpp (what provides which command, and
where the members of feature and property structures are).
"""
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

from registry import Registry

LICENSE = "// SPDX-License-Identifier: Apache-2.0\n// Generated from vk.xml by generate.py; do not edit.\n"
# Printed by hand (recording_text.cpp): which of their pointers may be read depends on another member.
HAND_DUMPED = {"VkWriteDescriptorSet"}
LEVELS = {"VkInstance": "kInstance", "VkPhysicalDevice": "kPhysicalDevice", "VkDevice": "kDevice",
          "VkQueue": "kDevice", "VkCommandBuffer": "kDevice"}
KINDS = {"uint8_t": "kU8", "uint16_t": "kU16", "uint32_t": "kU32", "int32_t": "kI32", "uint64_t": "kU64",
         "int64_t": "kI64", "size_t": "kSize", "float": "kF32", "VkBool32": "kBool", "VkDeviceSize": "kU64",
         "VkDeviceAddress": "kU64", "char": "kChar"}


def dump_value(reg, var, field, owner, is_param):
    """C++ statements that print one parameter or member, or None when it is not shown."""
    expr = field.name if is_param else f"{var}.{field.name}"
    if field.name == "pAllocator":
        return "if (pAllocator != nullptr) t.Allocator();" if is_param else None
    if field.name == "sType" or field.funcpointer:
        return None
    if is_param and field.pointers == 1 and not field.const and has_chain(reg, field.type):
        # An output: only what is asked for.
        many = field.count_expression(var, owner, is_param) or "1"
        return (f"if ({expr} != nullptr) for (uint64_t i = 0; i < static_cast<uint64_t>({many}); ++i) "
                f"DumpAsked(t, {expr}[i].pNext);")
    if field.name == "pNext":
        return f"DumpChain(t, {expr});"
    label = "" if is_param else f't.Label("{field.name}"); '
    if field.pointers == 0 and field.objecttype:
        kind = field.objecttype if is_param else f"{var}.{field.objecttype}"
        return f"{label}t.Named(static_cast<VkObjectType>({kind}), {expr});"
    if field.pointers == 0 and not field.arrays:
        code = dump_one(reg, field.type, expr)
        return label + code if code else None
    if field.pointers == 0 and len(field.arrays) == 1:
        if field.type == "char":
            return f"{label}t.Fixed({expr}, sizeof({expr}));"
        code = dump_one(reg, field.type, "v")
        if code and is_param:  # an array parameter is a pointer
            return (f"t.Open('['); for (uint32_t i = 0; i < {field.arrays[0]}; ++i) "
                    f"{{ const auto& v = {expr}[i]; t.Next(); {code} }} t.Close(']');")
        return f"{label}t.Open('['); for (const auto& v : {expr}) {{ t.Next(); {code} }} t.Close(']');" if code else None
    if field.pointers == 0 or not field.const or field.noauto:
        return None
    count = field.count_expression(var, owner, is_param)
    if field.pointers == 2:
        if field.type == "char" and count:
            return f"{label}t.Strings({expr}, {count});"
        return None
    if field.pointers != 1:
        return None
    if field.type == "char":
        return f"{label}t.Str({expr});" if field.null_terminated else None
    if field.type == "void":
        return f"{label}t.Bytes({expr}, {count});" if count else None
    code = dump_one(reg, field.type, "v")
    if not code:
        return None
    if count is None:
        return f"{label}if ({expr} == nullptr) t.Null(); else {{ const auto& v = *{expr}; {code} }}"
    if field.type in ("uint8_t", "uint32_t") and field.name in ("pCode", "pData", "pVersionData"):
        return f"{label}t.Bytes({expr}, ({count}) * sizeof(*{expr}));"
    return (f"{label}if ({expr} == nullptr) t.Null(); else {{ t.Open('['); "
            f"for (uint64_t i = 0; i < static_cast<uint64_t>({count}); ++i) "
            f"{{ const auto& v = {expr}[i]; t.Next(); {code} }} t.Close(']'); }}")


def has_chain(reg, type_name):
    return type_name in reg.structs and any(m.name == "pNext" for m in reg.structs[type_name].members)


def dump_one(reg, type_name, expr):
    if type_name == "VkClearColorValue":
        return f"t.Bytes(&{expr}, sizeof({expr}));"
    if type_name in reg.handles:
        return f"t.Handle({reg.handles[type_name].object_type}, FromHandle({expr}));"
    if type_name in reg.flags:
        return f"t.Hex(static_cast<uint64_t>({expr}));"
    if type_name in ("float", "double"):
        return f"t.Float(static_cast<double>({expr}));"
    if type_name in reg.signed:
        return f"t.Int(static_cast<int64_t>({expr}));"
    if type_name in reg.unsigned:
        return f"t.Num(static_cast<uint64_t>({expr}));"
    if type_name in reg.structs and reg.structs[type_name].dumpable:
        return f"DumpStruct(t, {expr});"
    return None


def write_commands_header(reg, implemented, out):
    lines = [LICENSE, "#pragma once", '#include "vk_headers.h"', "", "namespace mock {", "enum Command : uint32_t {"]
    lines += [f"    kCmd_{c.name}," for c in reg.commands]
    lines += ["    kCommandCount", "};", "", "// The hand-written commands (implemented.txt).", "namespace impl {"]
    lines += [f"{c.result} {c.name}({c.declaration});" for c in reg.commands if not c.alias and c.name in implemented]
    lines += ["}  // namespace impl", ""]
    lines += [f"VKAPI_ATTR {c.result} VKAPI_CALL Entry_{c.name}({c.declaration});" for c in reg.commands]
    lines += ["}  // namespace mock", ""]
    (out / "commands.h").write_text("\n".join(lines))


def default_body(reg, c):
    """What a command without a hand-written implementation does."""
    body = []
    last = c.params[-1]
    creates = c.output_handles
    if c.name.startswith("vkDestroy"):
        target = next(p for p in c.params[1:] if p.type in reg.handles)
        body.append(f"DestroyGeneric(kCmd_{c.name}, {c.params[0].name}, {reg.handles[target.type].object_type}, "
                    f"FromHandle({target.name}));")
    elif creates and c.name.startswith("vkCreate"):
        count = last.count_expression("", c.params, True)
        loop = f"for (uint64_t i = 0; i < static_cast<uint64_t>({count}); ++i) " if count else ""
        target = f"{last.name}[{'i' if count else '0'}]"
        body.append(f"{loop}{target} = ToHandle<{last.type}>(CreateGeneric({c.params[0].name}, "
                    f"{reg.handles[last.type].object_type}));")
    else:
        for p in c.params:
            simple = p.type in reg.unsigned or p.type in reg.signed or p.type in reg.handles or p.type in reg.flags
            if p.pointers == 1 and not p.const and simple and (p.len is None):
                body.append(f"if ({p.name} != nullptr) *{p.name} = {{}};")
    if c.result == "VkResult":
        body.append("return VK_SUCCESS;")
    elif c.result != "void":
        body.append("return {};")
    return body


def write_entries(reg, implemented, out):
    halves = [[], []]
    for number, alias in enumerate(reg.commands):
        c = reg.by_name[alias.alias] if alias.alias else alias
        me = f"kCmd_{alias.name}"
        used = []
        for p in c.params:
            code = dump_value(reg, "", p, c.params, True)
            if code:
                # What is not always there brings its own space.
                optional = p.name == "pAllocator" or (p.pointers == 1 and not p.const and has_chain(reg, p.type))
                used.append(f"        {code}" if optional else f"        t.Next(); {code}")
        lines = [f"VKAPI_ATTR {c.result} VKAPI_CALL Entry_{alias.name}({c.declaration}) {{",
                 "    const uint32_t hot = HotFlags();",
                 f"    if (hot & kHotCounts) CountCall({me});"]
        if c.output_handles:
            # The line is written once the new handles are known; such commands never block.
            last = c.params[-1]
            count = last.count_expression("", c.params, True) or "1"
            lines.append("    if (hot & kHotSlow) [[unlikely]] {")
            lines.append(f"        Line t({me}, hot);")
            lines += used
            if c.result == "VkResult":
                lines.append(f"        VkResult result = VK_SUCCESS;")
                lines.append(f"        if (Injected({me}, hot, &result)) {{")
                lines.append(f"            for (uint64_t i = 0; i < static_cast<uint64_t>({count}); ++i) "
                             f"{last.name}[i] = VK_NULL_HANDLE;")
                lines.append("        } else {")
                lines.append(f"            result = Do_{c.name}({c.arguments});")
                lines.append("        }")
            else:
                lines.append(f"        Do_{c.name}({c.arguments});")
            object_type = reg.handles[last.type].object_type
            lines.append('        t.Result();')
            if c.result == "VkResult":
                lines.append("        if (result < 0) t.Failure(result);")
                guard = "if (result >= 0) "
            else:
                guard = ""
            lines.append(f"        {guard}for (uint64_t i = 0; i < static_cast<uint64_t>({count}); ++i) "
                         f"{{ t.Next(); t.Handle({object_type}, FromHandle({last.name}[i])); }}")
            lines.append("        t.Write();")
            lines.append("        return result;" if c.result == "VkResult" else "        return;")
            lines.append("    }")
        else:
            if used or c.result == "VkResult":
                lines.append("    if (hot & kHotSlow) [[unlikely]] {")
                lines.append(f"        Line t({me}, hot);")
                lines += used
                if c.result == "VkResult":
                    lines.append("        VkResult forced = VK_SUCCESS;")
                    lines.append(f"        if (Injected({me}, hot, &forced)) {{ t.Result(); t.Failure(forced); "
                                 "t.Write(); return forced; }")
                lines.append("        t.Write();")
                lines.append("    }")
            else:
                lines.append(f"    if (hot & kHotSlow) [[unlikely]] {{ Line t({me}, hot); t.Write(); }}")
        if c.name.startswith("vkCmd"):
            lines.append(f"    CheckRecording({c.params[0].name}, {me});")
        lines.append(f"    return Do_{c.name}({c.arguments});")
        lines += ["}", ""]
        halves[number % 2].append((c, "\n".join(lines)))
    for index, half in enumerate(halves):
        text = [LICENSE, '#include "commands.h"', '#include "dump.h"', '#include "entry_support.h"', "",
                "namespace mock {", "namespace {"]
        done = set()
        for c, _ in half:
            if c.name in done:
                continue
            done.add(c.name)
            text.append(f"inline {c.result} Do_{c.name}({c.declaration_unused}) {{")
            if c.name in implemented:
                text.append(f"    return impl::{c.name}({c.arguments});")
            else:
                text += [f"    {line}" for line in default_body(reg, c)]
            text.append("}")
        text.append("}  // namespace\n")
        text += [body for _, body in half]
        text.append("}  // namespace mock\n")
        (out / f"entries_{index}.cpp").write_text("\n".join(text))


def write_dump(reg, out):
    structs = [s for s in reg.structs.values() if s.dumpable]
    header = [LICENSE, "#pragma once", '#include "vk_headers.h"', '#include "recording.h"', "", "namespace mock {",
              "// Prints the structures of a pNext chain; those of the loader are left out.",
              "void DumpChain(Line& t, const void* next);",
              "// Only which they are: those of an output, that is not written yet.",
              "void DumpAsked(Line& t, const void* next);"]
    header += [f"void DumpStruct(Line& t, const {s.name}& s);" for s in structs]
    header += ["}  // namespace mock", ""]
    (out / "dump.h").write_text("\n".join(header))
    text = [LICENSE, '#include "dump.h"', '#include "objects.h"', "", "namespace mock {"]
    for s in structs:
        if s.name in HAND_DUMPED:
            continue
        lines = []
        for m in s.members:
            code = dump_value(reg, "s", m, s.members, False)
            if code:
                lines.append(f"    {code}")
        text.append(f"void DumpStruct([[maybe_unused]] Line& t, [[maybe_unused]] const {s.name}& s) {{")
        text += ["    t.Open('{');"] + lines + ["    t.Close('}');", "}"]
    # A structure prints what follows it in the chain.
    text += ["", "void DumpChain(Line& t, const void* next) {",
             "    for (auto* base = static_cast<const VkBaseInStructure*>(next); base != nullptr; base = base->pNext) {",
             "        switch (static_cast<uint32_t>(base->sType)) {",
             "            case VK_STRUCTURE_TYPE_LOADER_INSTANCE_CREATE_INFO:",
             "            case VK_STRUCTURE_TYPE_LOADER_DEVICE_CREATE_INFO:", "                break;"]
    for s in structs:
        if s.stype and s.name not in HAND_DUMPED:
            text.append(f'            case {s.stype}: t.Chained("{s.name}"); '
                        f"DumpStruct(t, *reinterpret_cast<const {s.name}*>(base)); return;")
    text += ["            default: t.UnknownChained(static_cast<uint32_t>(base->sType)); break;", "        }", "    }",
             "}", "}  // namespace mock", ""]
    (out / "dump.cpp").write_text("\n".join(text))


def flat_members(reg, struct, prefix=""):
    """(C++ member path, name, kind, count) for the members that hold plain numbers or text."""
    for m in struct.members:
        if m.name in ("sType", "pNext") or m.pointers or len(m.arrays) > 1 or m.bitfield:
            continue
        kind = KINDS.get(m.type)
        if kind is None and (m.type in reg.flags or m.type in reg.enums):
            kind = "kU64" if m.type in reg.flags64 else "kU32"
        count = m.arrays[0] if m.arrays else "1"
        if kind is None and m.type in reg.structs and not m.arrays:
            inner = reg.structs[m.type]
            kinds = {KINDS.get(i.type) for i in inner.members}
            if len(kinds) == 1 and None not in kinds and not any(i.pointers or i.arrays for i in inner.members):
                kind, count = kinds.pop(), str(len(inner.members))
        if kind is not None:
            yield m.name, kind, count


def cpp_string(text):
    return "nullptr" if text is None else f'"{text}"'


def write_tables(reg, out):
    text = [LICENSE, '#include "tables.h"', "", "#include <cstddef>", "", '#include "commands.h"', "", "namespace mock {",
            "namespace {"]
    for c in reg.commands:
        ways = ", ".join(f"{{{w.version or '0'}, {cpp_string(w.extension)}, {cpp_string(w.depends)}}}" for w in c.ways)
        text.append(f"const Way kWays_{c.name}[] = {{{ways}}};")
    text += ["}  // namespace", "", "const CommandInfo kCommands[kCommandCount] = {"]
    for c in reg.commands:
        canonical = c.alias or c.name
        first = reg.by_name[canonical].params[0].type if reg.by_name[canonical].params else ""
        level = LEVELS.get(first, "kGlobal")
        is_result = "true" if reg.by_name[canonical].result == "VkResult" else "false"
        text.append(f'    {{"{c.name}", reinterpret_cast<PFN_vkVoidFunction>(Entry_{c.name}), Level::{level}, '
                    f"kCmd_{canonical}, {is_result}, kWays_{c.name}, {len(c.ways)}}},")
    text += ["};", "const uint32_t kCommandTableSize = kCommandCount;", "", "namespace {"]

    def member_table(struct):
        rows = [f'{{"{n}", offsetof({struct.name}, {n}), Kind::{k}, {c}}}' for n, k, c in flat_members(reg, struct)]
        rows = rows or ["{nullptr, 0, Kind::kU8, 0}"]
        text.append(f"const Member kMembers_{struct.name}[] = {{{', '.join(rows)}}};")
        return len([r for r in rows if "nullptr" not in r])

    chains = {"Features": "VkPhysicalDeviceFeatures2", "Properties": "VkPhysicalDeviceProperties2"}
    tables = {}
    for label, base in chains.items():
        rows = []
        for s in reg.structs.values():
            if base in s.extends and s.stype and not s.alias:
                size = member_table(s)
                text.append(f"const Way kProviders_{s.name}[] = {{"
                            + ", ".join(f"{{{w.version or '0'}, {cpp_string(w.extension)}, {cpp_string(w.depends)}}}"
                                        for w in s.ways) + "};")
                rows.append(f'{{"{s.name}", {s.stype}, kMembers_{s.name}, {size}, kProviders_{s.name}, {len(s.ways)}}}')
        tables[label] = rows
    for name in ("VkPhysicalDeviceLimits", "VkPhysicalDeviceFeatures", "VkPhysicalDeviceSparseProperties"):
        member_table(reg.structs[name])
    text.append("}  // namespace")
    for label, rows in tables.items():
        text.append(f"const StructInfo k{label}Structs[] = {{\n    " + ",\n    ".join(rows) + "};")
        text.append(f"const uint32_t k{label}StructCount = {len(rows)};")
    for name, label in (("VkPhysicalDeviceLimits", "Limits"), ("VkPhysicalDeviceFeatures", "CoreFeatures"),
                        ("VkPhysicalDeviceSparseProperties", "SparseProperties")):
        count = len(list(flat_members(reg, reg.structs[name])))
        text.append(f'const StructInfo k{label}Struct = {{"{name}", VkStructureType(0), kMembers_{name}, {count}, '
                    "nullptr, 0};")
    text.append("const ExtensionInfo kExtensions[] = {")
    text += [f'    {{"{e.name}", {e.spec_version}, {"true" if e.is_device else "false"}}},' for e in reg.extensions]
    text += ["};", f"const uint32_t kExtensionCount = {len(reg.extensions)};", "", "const TypeName kTypeNames[] = {"]
    text += [f'    {{{h.object_type}, "{h.short}", "{h.name}"}},' for h in reg.handles.values()]
    text += ["};", f"const uint32_t kTypeNameCount = {len(reg.handles)};", "}  // namespace mock", ""]
    (out / "tables.cpp").write_text("\n".join(text))


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    reg = Registry(ET.parse(sys.argv[1]).getroot())
    implemented = set()
    for line in Path(sys.argv[2]).read_text().splitlines():
        name = line.split("#")[0].strip()
        if name:
            if name not in reg.by_name or reg.by_name[name].alias:
                sys.exit(f"{sys.argv[2]}: '{name}' is no command of this vk.xml (aliases cannot be listed)")
            implemented.add(name)
    out = Path(sys.argv[3])
    out.mkdir(parents=True, exist_ok=True)
    write_commands_header(reg, implemented, out)
    write_entries(reg, implemented, out)
    write_dump(reg, out)
    write_tables(reg, out)


if __name__ == "__main__":
    main()
