#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the functions that look at every VkDeviceMemory which a command can carry, from the registry alone.

usage: generate_memories.py vk.xml memories.inc

For each structure that has one, or has such a structure in it: LookAt(const VkX&). LookAtChain(const void*) follows pNext.
For each command that has one among its parameters, or a structure that has one or a chain: Memories<Id::vkX>::Look with the
command's parameters. Objects that are told by number and type (names, tags, private data) are looked at too. Found(handle)
is called for each.
"""
import re
import sys
import xml.etree.ElementTree as ElementTree

from generate_commands import BY_HAND, for_vulkan, required_commands


def members_of(element, tag):
    """(name, type, is pointer, is const, length or None) for each member or parameter."""
    out = []
    for m in element.findall(tag):
        if not for_vulkan(m.get("api")):
            continue
        text = "".join(m.itertext())
        length = (m.get("len") or "").split(",")[0] or None
        if length and ("null-terminated" in length or "latexmath" in length):
            length = None
        out.append((m.findtext("name"), m.findtext("type"), text.count("*"), "const" in text, length))
    return out


def main():
    registry = ElementTree.parse(sys.argv[1]).getroot()
    declared = set()
    for block in [*registry.findall("feature"), *registry.findall("extensions/extension")]:
        ours = for_vulkan(block.get("api") if block.tag == "feature" else block.get("supported"))
        if ours and block.get("platform") in {None, "provisional"}:
            declared.update(t.get("name") for t in block.findall("require/type"))
    structs = {t.get("name"): t for t in registry.findall("types/type[@category='struct']")
               if not t.get("alias") and t.get("name") in declared}
    members = {name: members_of(t, "member") for name, t in structs.items()}
    stypes = {name: next((m.get("values") for m in t.findall("member") if m.findtext("name") == "sType"), None) for name, t in structs.items()}
    # What says by number and type which object is meant.
    numbered = {name: (next(m[0] for m in ms if m[1] in ("VkObjectType", "VkDebugReportObjectTypeEXT")),
                       next(m[0] for m in ms if m[0] in ("objectHandle", "object")), next(m[1] for m in ms if m[1] in ("VkObjectType", "VkDebugReportObjectTypeEXT")))
                for name, ms in members.items()
                if any(m[1] in ("VkObjectType", "VkDebugReportObjectTypeEXT") for m in ms) and any(m[0] in ("objectHandle", "object") for m in ms)}
    carrying = {name for name, ms in members.items() if any(m[1] == "VkDeviceMemory" for m in ms)} | set(numbered)
    while True:
        more = {name for name, ms in members.items() if name not in carrying and any(m[1] in carrying for m in ms)}
        if not more:
            break
        carrying |= more
    # Those with a chain are looked through as members, too: what follows them may carry one.
    chained = {name for name in structs if any(m[0] == "pNext" for m in members[name])}
    extending = {name for name in carrying if structs[name].get("structextends") and stypes[name]}

    def length_of(length, names, prefix):
        if length is None:
            return "1"
        if "->" in length or length in names:
            return prefix + length.replace("::", "->")
        return "0" if not length.isdigit() else length

    lines = ["// Made by generate_memories.py from the registry."]
    lines += [f"[[maybe_unused]] void LookAt(const {name}& s);" for name in sorted(carrying)]
    lines.append("void LookAtChain(const void* next) {\n    for (auto* in = static_cast<const VkBaseInStructure*>(next); in; in = in->pNext) {\n        switch (in->sType) {")
    for name in sorted(extending):
        lines.append(f"            case {stypes[name]}:\n                LookAt(*reinterpret_cast<const {name}*>(in));\n                break;")
    lines.append("            default:\n                break;\n        }\n    }\n}")

    def looks(ms, prefix, chains):
        names = {m[0] for m in ms}
        for name, kind, pointers, const, length in ms:
            at = prefix + name
            if kind == "VkDeviceMemory" and pointers == 0:
                yield f"    Found({at});"
            elif kind == "VkDeviceMemory" and const:
                yield f"    for (uint64_t i = 0; {at} && i < {length_of(length, names, prefix)}; ++i) Found({at}[i]);"
            elif kind in carrying and pointers == 0:
                yield f"    LookAt({at});"
            elif kind in carrying and pointers == 1 and const:
                yield f"    for (uint64_t i = 0; {at} && i < {length_of(length, names, prefix)}; ++i) {{\n        LookAt({at}[i]);"
                yield f"        LookAtChain({at}[i].pNext);\n    }}" if kind in chained and chains else "    }"
            elif kind in chained and pointers == 1 and const and chains:
                yield f"    for (uint64_t i = 0; {at} && i < {length_of(length, names, prefix)}; ++i) LookAtChain({at}[i].pNext);"

    for name in sorted(carrying):
        lines.append(f"void LookAt([[maybe_unused]] const {name}& s) {{")
        if name in numbered:
            kind, handle, enum = numbered[name]
            wanted = "VK_OBJECT_TYPE_DEVICE_MEMORY" if enum == "VkObjectType" else "VK_DEBUG_REPORT_OBJECT_TYPE_DEVICE_MEMORY_EXT"
            lines.append(f"    if (s.{kind} == {wanted}) FoundBits(s.{handle});")
        lines += looks(members[name], "s.", True)
        lines.append("}")

    alias, commands = {}, {}
    for command in registry.findall("commands/command"):
        if for_vulkan(command.get("api")):
            if command.get("alias"):
                alias[command.get("name")] = command.get("alias")
            else:
                commands[command.findtext("proto/name")] = command
    lines.append("template <Id>\nstruct Memories {};")
    told = []
    canonicals = set()
    for name in required_commands(registry) - BY_HAND:
        while name in alias:
            name = alias[name]
        canonicals.add(name)
    for name in sorted(canonicals):
        params = members_of(commands[name], "param")
        body = list(looks(params, "", True))
        types = [p for p in params if p[1] in ("VkObjectType", "VkDebugReportObjectTypeEXT")]
        if types and any(p[0] in ("objectHandle", "object") for p in params):
            wanted = "VK_OBJECT_TYPE_DEVICE_MEMORY" if types[0][1] == "VkObjectType" else "VK_DEBUG_REPORT_OBJECT_TYPE_DEVICE_MEMORY_EXT"
            handle = next(p[0] for p in params if p[0] in ("objectHandle", "object"))
            body.append(f"    if ({types[0][0]} == {wanted}) FoundBits({handle});")
        if not body:
            continue
        told.append(name)
        declared_params = []
        for p in commands[name].findall("param"):
            if for_vulkan(p.get("api")):
                declared_params.append("[[maybe_unused]] " + re.sub(r"\s+", " ", "".join(p.itertext())).strip())
        lines.append(f"template <>\nstruct Memories<Id::{name}> {{\n    static void Look({', '.join(declared_params)}) {{")
        lines += ["    " + line for line in body]
        lines.append("    }\n};")
    lines.append(f"// {len(told)} commands, {len(carrying)} structures.")
    with open(sys.argv[2], "w", encoding="utf-8") as output:
        output.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
