#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks commands.def, unhooked.txt and handle_uses.txt against the Vulkan registry; fails with one line per fault.

usage: check_commands.py vk.xml commands.def unhooked.txt handle_uses.txt

- every hooked command exists, has the aliases and the core version that the registry gives it;
- every command whose first parameter is a VkQueue or VkCommandBuffer is hooked, or stands in unhooked.txt with a reason:
  a command that nobody has looked at is never passed over in silence;
- every command and structure that has a handle of a type that the layer recycles stands in handle_uses.txt, with what is
  done about it.
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
    return root, alias_of, canonical, first, version, offered


def uses_of_handles(root, kinds, offered):
    """(kind, command or structure) for each that has a parameter or member of one of the handle types `kinds`."""
    found = set()
    for command in root.findall("commands/command"):
        name = command.find("proto/name").text if command.find("proto/name") is not None else None
        if name in offered:
            found.update((p.find("type").text, name) for p in command.findall("param") if p.find("type").text in kinds)
    for struct in root.findall("types/type[@category='struct']"):
        found.update((m.find("type").text, struct.get("name")) for m in struct.findall("member") if m.find("type").text in kinds)
    return found


def check_handle_uses(root, path, offered):
    """Faults of the list of reviewed uses: lines "VkKind: VkUse  reason"."""
    faults, reviewed = [], set()
    for number, line in enumerate(open(path), 1):
        text = line.split("#")[0].strip()
        if not text:
            continue
        match = re.match(r"(Vk\w+): ((?:vk|Vk)\w+)\s+(\S.*)", text)
        if not match:
            faults.append(f"handle_uses.txt:{number}: '{text}' is not 'VkKind: use  reason'")
            continue
        reviewed.add((match.group(1), match.group(2)))
    kinds = {kind for kind, _ in reviewed}
    for kind, use in sorted(uses_of_handles(root, kinds, offered) - reviewed):
        faults.append(f"{use} has a {kind}, and nobody has reviewed it in handle_uses.txt")
    return faults


def hooked_commands(path):
    """name -> (core version or 'EXT', set of aliases), of commands.def."""
    hooked = {}
    for line in open(path):
        match = re.match(r"(COMMAND|COUNTED|PASSED)\((\w.*)\)", line.strip())
        if not match:
            continue
        fields = [f.strip() for f in match.group(2).split(",")]
        if match.group(1) == "PASSED":
            fields.insert(1, "")
        name, core, aliases = fields[1] if match.group(1) == "COMMAND" else fields[0], fields[2], fields[4:]
        hooked["vk" + name] = (core, {"vk" + a for a in aliases})
    return hooked


def main():
    registry_path, def_path, unhooked_path, uses_path = sys.argv[1:5]
    root, alias_of, canonical, first, version, offered = read_registry(registry_path)
    faults = check_handle_uses(root, uses_path, offered)
    hooked = hooked_commands(def_path)
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
