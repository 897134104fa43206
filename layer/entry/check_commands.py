#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks commands.def and unhooked.txt against the Vulkan registry; fails with one line per fault.

usage: check_commands.py vk.xml commands.def unhooked.txt

- every hooked command exists, has the aliases and the core version that the registry gives it;
- every command whose first parameter is a VkQueue or VkCommandBuffer is hooked, or stands in unhooked.txt with a reason:
  a command that nobody has looked at is never passed over in silence.
"""
import re
import sys
import xml.etree.ElementTree as ET


def read_registry(path):
    """name -> (canonical name, first parameter's type), and canonical name -> (core version or 'EXT', set of aliases)."""
    root = ET.parse(path).getroot()
    alias_of, first = {}, {}
    for command in root.findall("commands/command"):
        if "vulkan" not in command.get("api", "vulkan").split(","):
            continue
        if command.get("alias"):
            alias_of[command.get("name")] = command.get("alias")
        else:
            param = next((p for p in command.findall("param") if "vulkan" in p.get("api", "vulkan").split(",")), None)
            first[command.find("proto/name").text] = param.find("type").text if param is not None else ""

    def canonical(name):
        while name in alias_of:
            name = alias_of[name]
        return name

    version, offered = {}, set()
    for feature in root.findall("feature"):
        if "vulkan" not in feature.get("api").split(","):
            continue
        for command in feature.findall("require/command"):
            version.setdefault(command.get("name"), feature.get("number").replace(".", "_"))
            offered.add(command.get("name"))
    for extension in root.findall("extensions/extension"):
        if "vulkan" in extension.get("supported", "").split(","):
            offered.update(c.get("name") for c in extension.findall("require/command"))
    return alias_of, canonical, first, version, offered


def main():
    registry_path, def_path, unhooked_path = sys.argv[1:4]
    alias_of, canonical, first, version, offered = read_registry(registry_path)
    faults = []
    hooked = {}
    for line in open(def_path):
        match = re.match(r"(COMMAND|COUNTED)\((.*)\)", line.strip())
        if not match:
            continue
        fields = [f.strip() for f in match.group(2).split(",")]
        name, core, aliases = fields[1] if match.group(1) == "COMMAND" else fields[0], fields[2], fields[4:]
        hooked["vk" + name] = (core, {"vk" + a for a in aliases})
    for name, (core, aliases) in hooked.items():
        if name not in first:
            faults.append(f"{name} is hooked but not a command of the registry (or an alias: hook what it stands for)")
            continue
        wanted = {a for a in alias_of if canonical(a) == name and a in offered}
        # A name may have become an alias's target later than the headers of another version know: only missing ones are faults.
        if wanted - aliases:
            faults.append(f"{name}: the registry knows the aliases {sorted(wanted - aliases)}, commands.def does not")
        if aliases - wanted:
            faults.append(f"{name}: commands.def names {sorted(aliases - wanted)}, which the registry does not call its aliases")
        if core != version.get(name, "EXT"):
            faults.append(f"{name}: core version is {version.get(name, 'EXT')}, commands.def says {core}")
    unhooked = {}
    for number, line in enumerate(open(unhooked_path), 1):
        text = line.split("#")[0].strip()
        if not text:
            continue
        pattern, _, reason = text.partition(" ")
        if not reason.strip():
            faults.append(f"unhooked.txt:{number}: {pattern} has no reason")
        unhooked[pattern] = re.compile(pattern.replace("*", ".*") + "$")
    used = set()
    for name in sorted(offered):
        if name in alias_of or name in hooked or first.get(name) not in ("VkQueue", "VkCommandBuffer"):
            continue
        matching = [p for p, regex in unhooked.items() if regex.match(name)]
        if not matching:
            faults.append(f"{name} is in the registry, but neither hooked in commands.def nor reviewed in unhooked.txt")
        used.update(matching)
    for fault in faults:
        print(f"check_commands: {fault}", file=sys.stderr)
    if faults:
        print("check_commands: to build all the same with headers newer than this source: -DKRONOS_STRICT_REGISTRY=OFF", file=sys.stderr)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
