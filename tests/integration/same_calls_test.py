#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A random program makes the driver see the same calls without the layer and with one whose features are off:
same_calls_test.py BUILD SEEDS VK.XML"""
import difflib
import re
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree

from harness import LAYER, expect, main, run

# What the layer asks about a device, for its log, when the program creates one.
LAYERS_OWN = re.compile(r"vk(GetPhysicalDevice(Properties|Properties2|Properties2KHR|ToolProperties|ToolPropertiesEXT)|Get(Instance|Device)ProcAddr|"
                        r"EnumerateDeviceExtensionProperties|EnumerateInstance\w+)\b")


def aliases(registry):
    """alias -> command. The layer passes a command on under its core name where the device's version has it."""
    found = {c.get("name"): c.get("alias") for c in ElementTree.parse(registry).findall("commands/command") if c.get("alias")}
    return {name: found.get(target, target) for name, target in found.items()}


def calls(tree, scratch, seed, layers, **settings):
    record = Path(scratch) / "record.txt"
    record.unlink(missing_ok=True)
    output = run([tree.program("kronos_random_program"), "--seed", seed, "--steps", 300],
                 tree.environment("mock", scratch, layers, MOCK_ICD_RECORD=record, **settings)).stdout
    lines = [line for line in record.read_text().splitlines() if not LAYERS_OWN.search(line)]
    lines = [" ".join([NAMES.get(name, name), rest]) for name, _, rest in (line.partition(" ") for line in lines)]
    expect(len(lines) > 300, f"seed {seed}: only {len(lines)} calls recorded")
    return lines, output


NAMES = aliases(sys.argv[3])


def test(tree, arguments):
    with tempfile.TemporaryDirectory() as scratch:
        for seed in range(int(arguments[0])):
            plain, said = calls(tree, scratch, seed, [])
            for settings in ({}, {"KRONOS_STATS": "off"}, {"KRONOS_STATS": "summary"}):
                layered, said_layered = calls(tree, scratch, seed, [LAYER], KRONOS_PRESET="observe", KRONOS_LOG_LEVEL="warn", **settings)
                difference = list(difflib.unified_diff(plain, layered, "without", "with the layer", lineterm="", n=1))
                expect(not difference, f"seed {seed}, {settings}:\n" + "\n".join(difference[:40]))
                expect(said == said_layered, f"seed {seed}: {said} and {said_layered}")


main(test)
