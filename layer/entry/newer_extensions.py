# SPDX-License-Identifier: Apache-2.0
"""Reads newer_extensions.txt, and checks it against a registry that has what is in it."""
import re
import sys

ADDS_TO = {"VkDeviceCreateInfo", "VkPhysicalDeviceFeatures2", "VkPhysicalDeviceProperties2"}
# What may be told of such a type, not asked of a command.
ENUMS = {"VkStructureType", "VkComponentTypeKHR"}


def lines(path):
    """name -> number of its structure, or None, of each line; ends the process where one is none."""
    found = {}
    for number, line in enumerate(open(path), 1):
        text = line.split("#")[0].strip()
        if not text:
            continue
        match = re.fullmatch(r"(VK_\w+)\s+(\d+|-)\s+\S.*", text)
        if not match or match.group(1) in found:
            sys.exit(f"newer_extensions.txt:{number}: '{text}' is not 'NAME STRUCTURE reason', or is there twice")
        found[match.group(1)] = None if match.group(2) == "-" else int(match.group(2))
    return found


def faults_of(name, number, root):
    """Why the extension, as this registry has it, is none for the list; nothing where the registry does not have it."""
    extension = next((e for e in root.findall("extensions/extension") if e.get("name") == name), None)
    if extension is None:
        return
    structs = {t.get("name"): t for t in root.findall("types/type[@category='struct']")}
    for command in extension.findall("require/command"):
        yield f"has the command {command.get('name')}"
    for one in extension.findall("require/type"):
        if (known := structs.get(one.get("name"))) is None:
            continue
        known = structs.get(known.get("alias"), known)
        if set((known.get("structextends") or "none").split(",")) - ADDS_TO:
            yield f"has the structure {one.get('name')}"
    numbers = set()
    for enum in extension.findall("require/enum"):
        if enum.get("extends") and enum.get("extends") not in ENUMS:
            yield f"has the value {enum.get('name')}"
        if enum.get("extends") == "VkStructureType" and enum.get("offset"):
            numbers.add(1_000_000_000 + (int(enum.get("extnumber") or extension.get("number")) - 1) * 1000 + int(enum.get("offset")))
    if number is not None and number not in numbers:
        yield f"has no structure with the number {number}"


def reviewed(path, root):
    """name -> number of its structure, of each that is in the list. Ends the process where the registry has one of them that adds
    to more than shaders."""
    listed = lines(path)
    told = [f"newer_extensions.txt: {name} {fault}" for name, number in listed.items() for fault in faults_of(name, number, root)]
    if told:
        sys.exit("\n".join(told))
    return listed
