#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the list of the commands that end a recording: every vkCmd* of the registry that commands.def does not name.

usage: outside_commands.py vk.xml commands.def newer_extensions.txt outside_commands.def known_extensions.def set_extensions.def

Each line is OUTSIDE(name, core version, aliases...). Commands of provisional extensions are not in it: a device that
enables one has no recordings (known_extensions.def, made here too, names all others, and those of newer_extensions.txt).
set_extensions.def names those that change what a descriptor set is, or what may be done to one.
"""
import sys
from pathlib import Path

from check_commands import hooked_commands, read_registry
from newer_extensions import reviewed


def points_to_command_buffers(param):
    return param.find("type").text == "VkCommandBuffer" and "*" in (param.find("type").tail or "")


SET_HANDLES = {"VkDescriptorSet", "VkDescriptorPool", "VkDescriptorSetLayout", "VkDescriptorUpdateTemplate"}
SET_STRUCTS = {"VkWriteDescriptorSet", "VkCopyDescriptorSet", "VkDescriptorSetLayoutCreateInfo", "VkDescriptorPoolCreateInfo",
               "VkDescriptorSetAllocateInfo", "VkDescriptorUpdateTemplateCreateInfo", "VkBindDescriptorSetsInfo"}
SET_ENUMS = {"VkDescriptorType", "VkDescriptorSetLayoutCreateFlagBits", "VkDescriptorPoolCreateFlagBits", "VkDescriptorBindingFlagBits",
             "VkDescriptorUpdateTemplateType"}


def touches_sets(extension, commands, structs):
    """It has a command or structure with a handle of a set's, or extends one of a set's structures or enumerations."""
    def any_set_handle(members):
        return any(m.find("type") is not None and m.find("type").text in SET_HANDLES for m in members)
    for require in extension.findall("require"):
        for enum in require.findall("enum"):
            if enum.get("extends") in SET_ENUMS:
                return True
        for command in require.findall("command"):
            if (known := commands.get(command.get("name"))) is not None and any_set_handle(known.findall("param")):
                return True
        for one in require.findall("type"):
            if (known := structs.get(one.get("name"))) is None:
                continue
            if any_set_handle(known.findall("member")) or SET_STRUCTS & set((known.get("structextends") or "").split(",")):
                return True
    return False


def main():
    registry_path, def_path, newer_path, outside_path, extensions_path, sets_path = sys.argv[1:7]
    root, alias_of, canonical, first, version, offered = read_registry(registry_path)
    hooked = hooked_commands(def_path)
    commands = {c.find("proto/name").text: c for c in root.findall("commands/command") if c.find("proto/name") is not None}
    structs = {t.get("name"): t for t in root.findall("types/type[@category='struct']")}
    for name, t in list(structs.items()):
        if t.get("alias") in structs:
            structs[name] = structs[t.get("alias")]
    for name in alias_of:
        if canonical(name) in commands:
            commands.setdefault(name, commands[canonical(name)])
    provisional, lines, extensions, sets = set(), [], [], []
    for extension in root.findall("extensions/extension"):
        if "vulkan" not in extension.get("supported", "").split(","):
            continue
        if extension.get("provisional") == "true":
            provisional.update(c.get("name") for c in extension.findall("require/command"))
        elif extension.get("type") == "device":
            extensions.append(extension.get("name"))
            if touches_sets(extension, commands, structs):
                sets.append(extension.get("name"))
    for name in sorted(offered):
        if name in alias_of or name in hooked or name in provisional or first.get(name) != "VkCommandBuffer":
            continue
        if not name.startswith("vkCmd"):
            continue
        if any(points_to_command_buffers(p) for p in commands[name].findall("param")):
            sys.exit(f"outside_commands: {name} takes an array of command buffers: their recordings must end, too")
        aliases = sorted(a[2:] for a in alias_of if canonical(a) == name and a in offered)
        lines.append(f"OUTSIDE({', '.join([name[2:], version.get(name, 'EXT'), *aliases])})")
    extensions.extend(name for name in reviewed(newer_path, root) if name not in extensions)
    made = "// Made by outside_commands.py from the registry.\n"
    Path(outside_path).write_text(made + "\n".join(lines) + "\n")
    for path, names in ((extensions_path, extensions), (sets_path, sets)):
        Path(path).write_text(made + "\n".join(f'"{name}",' for name in sorted(names)) + "\n")


if __name__ == "__main__":
    main()
