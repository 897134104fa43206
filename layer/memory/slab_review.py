#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks slab_review.txt against the registry, and makes of it the lists that the layer looks names up in.

usage: slab_review.py vk.xml slab_review.txt newer_extensions.txt slab_extensions.def slab_structures.def

- every name in slab_review.txt is a device extension or a version of Vulkan, is there once, and has a reason;
- every device extension that has a use of memory stands in it: a command or structure with a VkDeviceMemory, a structure
  that extends one of allocations, binds, maps or requirements, or a flag of memory.
slab_extensions.def has the extensions that are on, and those of newer_extensions.txt; slab_structures.def, one
REVIEWED(VkStructureType) a line, those structures after VkDeviceCreateInfo that belong to them or to a version that is on.
"""
import re
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "entry"))
from newer_extensions import reviewed  # noqa: E402

MEMORY_STRUCTS = {"VkMemoryAllocateInfo", "VkMemoryRequirements2", "VkBindBufferMemoryInfo", "VkBindImageMemoryInfo",
                  "VkMemoryMapInfo", "VkMemoryUnmapInfo", "VkMappedMemoryRange", "VkBindSparseInfo",
                  "VkPhysicalDeviceMemoryProperties2"}
MEMORY_ENUMS = {"VkMemoryPropertyFlagBits", "VkMemoryAllocateFlagBits", "VkMemoryMapFlagBits", "VkMemoryHeapFlagBits",
                "VkMemoryUnmapFlagBits"}


def for_vulkan(text):
    return text is None or "vulkan" in text.split(",")


def read_review(path):
    """name -> on, and the faults of the list by itself."""
    review, faults = {}, []
    for number, line in enumerate(open(path), 1):
        text = line.split("#")[0].strip()
        if not text:
            continue
        match = re.fullmatch(r"(VK_\w+)\s+(on|off)\s+(\S.*)", text)
        if not match:
            faults.append(f"slab_review.txt:{number}: '{text}' is not 'NAME on|off reason'")
        elif match.group(1) in review:
            faults.append(f"slab_review.txt:{number}: {match.group(1)} is there twice")
        else:
            review[match.group(1)] = match.group(2) == "on"
    return review, faults


class Registry:
    def __init__(self, path):
        self.root = root = ET.parse(path).getroot()
        self.structs = {t.get("name"): t for t in root.findall("types/type[@category='struct']")}
        for name, struct in list(self.structs.items()):
            self.structs[name] = self.structs.get(struct.get("alias"), struct)
        commands = [c for c in root.findall("commands/command") if for_vulkan(c.get("api"))]
        self.commands = {c.findtext("proto/name"): c for c in commands if c.find("proto") is not None}
        for command in commands:
            if command.get("alias") in self.commands:
                self.commands[command.get("name")] = self.commands[command.get("alias")]
        self.versions = {f.get("name"): f for f in root.findall("feature") if for_vulkan(f.get("api"))}
        self.extensions = {e.get("name"): e for e in root.findall("extensions/extension")
                           if for_vulkan(e.get("supported", "")) and e.get("type") == "device"}

    @staticmethod
    def required(part, kind):
        return [x for r in part.findall("require") if for_vulkan(r.get("api")) for x in r.findall(kind)]

    def uses_of_memory(self, extension):
        def has_handle(members):
            return any(m.findtext("type") == "VkDeviceMemory" for m in members)
        for enum in self.required(extension, "enum"):
            if enum.get("extends") in MEMORY_ENUMS:
                yield enum.get("name")
        for command in self.required(extension, "command"):
            if (known := self.commands.get(command.get("name"))) is not None and has_handle(known.findall("param")):
                yield command.get("name")
        for one in self.required(extension, "type"):
            if (known := self.structs.get(one.get("name"))) is None:
                continue
            extends = set((known.get("structextends") or "").split(","))
            if has_handle(known.findall("member")) or MEMORY_STRUCTS & extends:
                yield one.get("name")

    def device_chain(self, part):
        """VkStructureTypes of the structures of a version or extension that may follow VkDeviceCreateInfo."""
        for one in self.required(part, "type"):
            known = self.structs.get(one.get("name"))
            if known is None or "VkDeviceCreateInfo" not in (known.get("structextends") or "").split(","):
                continue
            yield next(m.get("values") for m in known.findall("member") if m.findtext("name") == "sType")


def main():
    registry_path, review_path, newer_path, extensions_path, structures_path = sys.argv[1:6]
    registry = Registry(registry_path)
    review, faults = read_review(review_path)
    for name in review:
        if name not in registry.extensions and name not in registry.versions:
            faults.append(f"slab_review.txt: {name} is no device extension of the registry, nor a version")
    for name, extension in registry.extensions.items():
        uses = sorted(set(registry.uses_of_memory(extension)))
        if uses and name not in review:
            faults.append(f"{name} has uses of memory that nobody has reviewed in slab_review.txt: {', '.join(uses)}")
    for fault in faults:
        print(f"slab_review: {fault}", file=sys.stderr)
    if faults:
        sys.exit(1)
    made = "// Made by slab_review.py from slab_review.txt and the registry.\n"
    newer = reviewed(newer_path, registry.root)
    names = sorted({n for n, on in review.items() if on and n in registry.extensions} | set(newer))
    # Those that the headers name are found by their names.
    structures = {str(number) for name, number in newer.items() if number is not None and name not in registry.extensions}
    for name in newer.keys() & registry.extensions.keys():
        structures.update(registry.device_chain(registry.extensions[name]))
    for name, on in review.items():
        part = registry.extensions.get(name, registry.versions.get(name))
        if on and part is not None and not part.get("platform") and part.get("provisional") != "true":
            structures.update(registry.device_chain(part))
    Path(extensions_path).write_text(made + "".join(f'"{name}",\n' for name in names))
    Path(structures_path).write_text(made + "".join(f"REVIEWED({one})\n" for one in sorted(structures)))


if __name__ == "__main__":
    main()
