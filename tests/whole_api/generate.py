#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Generates tables of the whole registry, for a program that builds the arguments of every command and calls it.

usage: generate.py VK_XML OUTPUT_DIR
Writes structs.cpp (for each structure where its members are and what they mean, and what may extend it), enums.cpp (valid
values) and calls_{0,1}.cpp (for each command its parameters and a function that calls it).
"""
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "mock_driver"))
from registry import Registry, ours  # noqa: E402

LICENSE = "// SPDX-License-Identifier: Apache-2.0\n// Generated from vk.xml by generate.py; do not edit.\n"
# As many as there are different things to see: values of an enumeration, bits of a mask.
VALUES = 5
LEVELS = {"VkInstance": "kInstance", "VkPhysicalDevice": "kPhysicalDevice", "VkDevice": "kDevice", "VkQueue": "kQueue",
          "VkCommandBuffer": "kCommandBuffer"}


class Values:
    """The values of enumerations and masks by the names of their types."""

    def __init__(self, root, extensions):
        self.values, self.bits_of = {}, {}
        provided = {e.name for e in extensions}
        for block in root.findall("enums"):
            if block.get("type") in ("enum", "bitmask"):
                self.values[block.get("name")] = [e.get("name") for e in block.findall("enum") if ours(e) and not e.get("alias")
                                                  and not e.get("deprecated")]
        for feature in root.findall("feature"):
            if ours(feature) or feature.get("apitype") == "internal":
                self._extend(feature)
        for extension in root.findall("extensions/extension"):
            if extension.get("name") in provided:
                self._extend(extension)
        for t in root.findall("types/type"):
            if t.get("category") == "bitmask" and ours(t):
                bits = t.get("requires") or t.get("bitvalues")
                if bits:
                    self.bits_of[t.findtext("name") or t.get("name")] = bits

    def _extend(self, block):
        for require in block.findall("require"):
            for e in require.findall("enum"):
                if e.get("extends") and not e.get("alias") and ours(e) and ours(require):
                    self.values.setdefault(e.get("extends"), []).append(e.get("name"))

    def of(self, name):
        names = self.values.get(self.bits_of.get(name, name), [])
        return list(dict.fromkeys(names))[:VALUES]


class Generator:
    def __init__(self, root):
        self.reg = Registry(root)
        self.values = Values(root, self.reg.extensions)
        self.aliases = {t.get("name"): t.get("alias") for t in root.findall("types/type") if t.get("alias")}
        # sType is enough for a structure that only the loader knows.
        self.structs = sorted((s for s in self.reg.structs.values() if not s.name.startswith("VkBase")), key=lambda s: s.name)
        self.struct_index = {s.name: i for i, s in enumerate(self.structs)}
        self.handles = list(self.reg.handles)
        self.enums = []
        self.objecttype = {}  # a handle as a number, by the name of the member that has its type
        for t in root.findall("types/type"):
            for m in t.findall("member"):
                if m.get("objecttype"):
                    self.objecttype[t.get("name"), m.findtext("name")] = m.get("objecttype")
        self.optional = {(t.get("name"), m.findtext("name")) for t in root.findall("types/type") for m in t.findall("member")
                         if (m.get("optional") or "").startswith("true")}
        self.optional |= {(c.findtext("proto/name"), p.findtext("name")) for c in root.findall("commands/command") if ours(c)
                          for p in c.findall("param") if (p.get("optional") or "").startswith("true")}

    def kind(self, field):
        """(kind, index of what it refers to)"""
        t = self.aliases.get(field.type, field.type)
        if field.name == "sType" and field.values:
            return "kType", -1
        if field.name == "pNext" and field.type == "void":
            return "kNext", -1
        if field.funcpointer:
            return "kFunction", -1
        if t == "VkAllocationCallbacks":
            return "kAllocator", -1
        if t in self.reg.handles:
            return "kHandle", self.handles.index(t)
        if t in self.struct_index:
            return "kStruct", self.struct_index[t]
        if t == "VkBool32":
            return "kBool", -1
        if t == "VkDeviceAddress":
            return "kAddress", -1
        if t == "char":
            return "kChar", -1
        if t == "void":
            return "kVoid", -1
        if t in ("float", "double"):
            return "kFloat", -1
        if t in self.reg.flags or t in self.reg.enums:
            mask = t in self.reg.flags
            entry = (t, tuple(self.values.of(t)), mask)
            if entry not in self.enums:
                self.enums.append(entry)
            return ("kFlags" if mask and "FlagBits" not in t else "kEnum"), self.enums.index(entry)
        if t in self.reg.unsigned or t in self.reg.signed or t in ("VkRemoteAddressNV",):
            return "kNumber", -1
        return "kOpaque", -1  # a union, or a structure of a codec

    def field(self, owner, fields, f, number):
        kind, index = self.kind(f)
        is_param = number is not None
        length, fixed = "kOne", "1"
        if f.arrays:
            fixed = " * ".join(f.arrays)
        if f.len:
            first = f.len.split(",")[0].strip()
            names = [other.name for other in fields]
            if first == "null-terminated":
                length = "kText"
            elif first in names:
                length = str(names.index(first))
            elif first != "1":
                length = "kOther"
        counts = any(other.len and other.len.split(",")[0].strip() == f.name for other in fields)
        sized = f.type if f.type != "void" else "uint8_t"
        if is_param:
            offset, pointers = f"{number} * sizeof(uint64_t)", f.pointers + (1 if f.arrays else 0)
        else:
            offset, pointers = f"offsetof({owner}, {f.name})", f.pointers
        optional = "true" if (owner, f.name) in self.optional else "false"
        return (f'{{"{f.name}", Kind::{kind}, {index}, {offset}, sizeof({sized}), {fixed}, {pointers}, '
                f"{'true' if f.const else 'false'}, {optional}, {'true' if counts else 'false'}, {length}}}")

    def write_structs(self, out):
        text = [LICENSE, '#include "tables.h"', "", "#include <cstddef>", "", "namespace whole_api {", "namespace {"]
        rows = []
        for s in self.structs:
            members = [m for m in s.members if not m.bitfield]
            text.append(f"const Field kFields_{s.name}[] = {{" + ", ".join(self.field(s.name, s.members, m, None)
                                                                         for m in members) + "};" if members else "")
            extenders = [self.struct_index[e.name] for e in self.structs if s.name in e.extends and e.stype and not e.alias]
            if extenders:
                text.append(f"const int16_t kExtenders_{s.name}[] = {{{', '.join(map(str, extenders))}}};")
            fields = f"kFields_{s.name}" if members else "nullptr"
            # A member's number in `len` counts bit-fields; no structure with an array has one.
            assert len(members) == len(s.members) or not any(m.len for m in s.members), s.name
            rows.append(f'{{"{s.name}", {s.stype or "VkStructureType(0)"}, sizeof({s.name}), {fields}, {len(members)}, '
                        f"{f'kExtenders_{s.name}' if extenders else 'nullptr'}, {len(extenders)}, "
                        f"{'true' if s.returned_only else 'false'}}}")
        text += ["}  // namespace", "const Struct kStructs[] = {\n    " + ",\n    ".join(rows) + "};",
                 f"const uint32_t kStructCount = {len(rows)};", "const char* const kHandleNames[] = {",
                 "    " + ", ".join(f'"{h}"' for h in self.handles) + "};",
                 f"const uint32_t kHandleCount = {len(self.handles)};", "}  // namespace whole_api", ""]
        (out / "structs.cpp").write_text("\n".join(text))

    def write_calls(self, out):
        rows, parts = [], [[], []]
        for number, c in enumerate(self.reg.commands):
            target = self.reg.by_name[c.alias] if c.alias else c
            if not c.alias:
                part = parts[number % 2]
                arguments = []
                for i, p in enumerate(c.params):
                    declared = p.text[: p.text.rfind(p.name)].strip() + ("*" if p.arrays else "")
                    arguments.append(f"As<{declared}>(a[{i}])")
                call = f"reinterpret_cast<PFN_{c.name}>(f)({', '.join(arguments)})"
                body = f"{call}; return 0;" if c.result == "void" else f"return Number({call});"
                part.append(f"uint64_t Call_{c.name}(PFN_vkVoidFunction f, [[maybe_unused]] const uint64_t* a) {{ {body} }}")
                fields = ", ".join(self.field(c.name, c.params, p, i) for i, p in enumerate(c.params))
                part.append(f"extern const Field kParameters_{c.name}[] = {{{fields}}};" if c.params else "")
            rows.append((c, target))
        for number, part in enumerate(parts):
            head = [LICENSE, '#include "tables.h"', "", "namespace whole_api {"]
            (out / f"calls_{number}.cpp").write_text("\n".join(head + part + ["}  // namespace whole_api", ""]))
        text = [LICENSE, '#include "tables.h"', "", "namespace whole_api {"]
        for c, target in rows:
            if not c.alias:
                text.append(f"uint64_t Call_{c.name}(PFN_vkVoidFunction f, const uint64_t* a);")
                text.append(f"extern const Field kParameters_{c.name}[];")
            extensions = [f'"{w.extension}"' if w.extension else "nullptr" for w in c.ways]
            ways = ", ".join(f"{{{w.version or 0}, {e}}}" for w, e in zip(c.ways, extensions))
            text.append(f"static const Way kWays_{c.name}[] = {{{ways}}};")
        text.append("const Command kCommands[] = {")
        for c, target in rows:
            level = LEVELS.get(target.params[0].type, "kGlobal") if target.params else "kGlobal"
            text.append(f'    {{"{c.name}", "{target.name}", Level::{level}, Call_{target.name}, kParameters_{target.name}, '
                        f"{len(target.params)}, {'true' if target.result == 'VkResult' else 'false'}, kWays_{c.name}, "
                        f"{len(c.ways)}}},")
        text += ["};", f"const uint32_t kCommandCount = {len(rows)};", "namespace {"]
        for i, (_, values, _) in enumerate(self.enums):
            if values:
                numbers = ", ".join(f"static_cast<uint64_t>({v})" for v in values)
                text.append(f"const uint64_t kValues_{i}[] = {{{numbers}}};")
        text += ["}  // namespace", "const Enum kEnums[] = {"]
        text += [f'    {{"{name}", {f"kValues_{i}" if values else "nullptr"}, {len(values)}, {"true" if mask else "false"}}},'
                 for i, (name, values, mask) in enumerate(self.enums)]
        text += ["};", "const ExtensionName kExtensions[] = {"]
        text += [f'    {{"{e.name}", {"true" if e.is_device else "false"}}},' for e in self.reg.extensions]
        text += ["};", f"const uint32_t kExtensionCount = {len(self.reg.extensions)};", "}  // namespace whole_api", ""]
        (out / "tables.cpp").write_text("\n".join(text))


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    out = Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    generator = Generator(ET.parse(sys.argv[1]).getroot())
    generator.write_structs(out)
    generator.write_calls(out)


if __name__ == "__main__":
    main()
