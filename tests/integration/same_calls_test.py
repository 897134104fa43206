#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A random program makes the driver see the same calls without the layer and with one whose features are off; and with
command buffers held, the same commands in the same order, with no more barriers; and where what changes nothing is dropped,
all but binds and pushes, of which there are fewer: same_calls_test.py BUILD SEEDS VK.XML"""
import difflib
import re
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree

from harness import LAYER, expect, main, run

# What the layer asks about a device, for its log, when the program creates one.
LAYERS_OWN = re.compile(r"vk(GetPhysicalDevice(Properties|Properties2|Properties2KHR|MemoryProperties|ToolProperties|ToolPropertiesEXT)|Get(Instance|Device)ProcAddr|"
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


# What it asks where command buffers are held.
ASKED_FOR_STREAMS = re.compile(r"vkGet(Buffer|Image)MemoryRequirements2?\b")


def asked_by_the_program(plain, layered):
    """Without the layer's own questions: those that the program did not ask."""
    plain = iter(plain)
    kept, next_plain = [], next(plain, None)
    for line in layered:
        if line != next_plain and ASKED_FOR_STREAMS.match(line):
            continue
        kept.append(line)
        next_plain = next(plain, None)
    return kept


def recordings(lines):
    """The calls, with the commands of each command buffer where it ends; and how many barriers each has."""
    held, calls, barriers = {}, [], []
    for line in lines:
        line = line.replace("[]", "null")  # an empty array is nobody's to copy
        name, _, rest = line.partition(" ")
        buffer = rest.split(" ")[0]
        if name.startswith("vkCmdPushDescriptorSet"):
            # Those by template reach the driver as those without. What they hold, counters_test sees by the results.
            held[buffer].append(f"vkCmdPushDescriptorSet {buffer}")
        elif name.startswith("vkCmd"):
            held[buffer].append(line)
        elif not ASKED_FOR_STREAMS.match(name):
            if name == "vkBeginCommandBuffer":
                held[buffer] = []
            elif name == "vkEndCommandBuffer":
                commands = held.pop(buffer)
                calls.extend(c for c in commands if not c.startswith("vkCmdPipelineBarrier"))
                barriers.append(sum(c.startswith("vkCmdPipelineBarrier") for c in commands))
            calls.append(line)
    return calls, barriers


def expect_same_recordings(seed, plain, layered):
    (plain, plain_barriers), (layered, layered_barriers) = recordings(plain), recordings(layered)
    difference = list(difflib.unified_diff(plain, layered, "without", "with the layer", lineterm="", n=1))
    expect(not difference, f"seed {seed}, held:\n" + "\n".join(difference[:40]))
    expect(all(a >= b for a, b in zip(plain_barriers, layered_barriers)), f"seed {seed}: {plain_barriers} and {layered_barriers}")
    return sum(plain_barriers), sum(layered_barriers)


STATE = re.compile(r"vkCmd(BindPipeline|BindDescriptorSets2?|PushConstants2?|PushDescriptorSet\w*) ")


def expect_same_but_for_state(seed, plain, layered):
    """How many binds and pushes there are, without the layer and with it."""
    plain, layered = (recordings(lines)[0] for lines in (plain, layered))
    others = [[call for call in calls if not STATE.match(call)] for calls in (plain, layered)]
    difference = list(difflib.unified_diff(*others, "without", "with the layer", lineterm="", n=1))
    expect(not difference, f"seed {seed}, dropped:\n" + "\n".join(difference[:40]))
    counts = [len(calls) - len(other) for calls, other in zip((plain, layered), others)]
    expect(counts[0] >= counts[1], f"seed {seed}: {counts} binds and pushes")
    return counts


def test(tree, arguments):
    recorded = emitted = state = given = 0
    with tempfile.TemporaryDirectory() as scratch:
        for seed in range(int(arguments[0])):
            plain, said = calls(tree, scratch, seed, [])
            for settings in ({}, {"KRONOS_STATS": "off"}, {"KRONOS_STATS": "summary"}, {"KRONOS_BARRIERS": "off"}):
                layered, said_layered = calls(tree, scratch, seed, [LAYER], KRONOS_PRESET="observe", KRONOS_LOG_LEVEL="warn", **settings)
                if "KRONOS_BARRIERS" not in settings:
                    layered = asked_by_the_program(plain, layered)
                difference = list(difflib.unified_diff(plain, layered, "without", "with the layer", lineterm="", n=1))
                expect(not difference, f"seed {seed}, {settings}:\n" + "\n".join(difference[:40]))
                expect(said == said_layered, f"seed {seed}: {said} and {said_layered}")
            held, _ = calls(tree, scratch, seed, [LAYER], KRONOS_PRESET="observe", KRONOS_LOG_LEVEL="warn", KRONOS_BARRIERS="on",
                            KRONOS_DROP_REDUNDANT="off")
            counts = expect_same_recordings(seed, plain, held)
            recorded, emitted = recorded + counts[0], emitted + counts[1]
            held, _ = calls(tree, scratch, seed, [LAYER], KRONOS_PRESET="observe", KRONOS_LOG_LEVEL="warn", KRONOS_BARRIERS="on")
            counts = expect_same_but_for_state(seed, plain, held)
            state, given = state + counts[0], given + counts[1]
    expect(0 < emitted < recorded, f"{emitted} of {recorded} barriers emitted")
    expect(0 < given < state, f"{given} of {state} binds and pushes given")


main(test)
