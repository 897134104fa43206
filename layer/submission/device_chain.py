#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the list of the structures that may follow VkDeviceCreateInfo, for whoever must copy such a chain.

usage: device_chain.py vk.xml device_chain.def

Each line is NODE(VkStructureType, type). Those of provisional extensions and of other platforms are not in it.
"""
import sys
import xml.etree.ElementTree as ET
from pathlib import Path


def required(part):
    """Names of the types that a version or extension brings to Vulkan itself, not to Vulkan SC alone."""
    return {t.get("name") for r in part.findall("require") if "vulkan" in r.get("api", "vulkan").split(",") for t in r.findall("type")}


def offered_types(root):
    names = set()
    for feature in root.findall("feature"):
        if "vulkan" in feature.get("api").split(","):
            names.update(required(feature))
    for extension in root.findall("extensions/extension"):
        if "vulkan" not in extension.get("supported", "").split(",") or extension.get("provisional") == "true" or extension.get("platform"):
            continue
        names.update(required(extension))
    return names


def main():
    registry_path, out_path = sys.argv[1:3]
    root = ET.parse(registry_path).getroot()
    offered = offered_types(root)
    lines = []
    for struct in root.findall("types/type[@category='struct']"):
        if struct.get("alias") or struct.get("name") not in offered:
            continue
        if "VkDeviceCreateInfo" not in (struct.get("structextends") or "").split(","):
            continue
        stype = next(m.get("values") for m in struct.findall("member") if m.find("name").text == "sType")
        lines.append(f"NODE({stype}, {struct.get('name')})")
    Path(out_path).write_text("// Made by device_chain.py from the registry.\n" + "\n".join(sorted(lines)) + "\n")


if __name__ == "__main__":
    main()
