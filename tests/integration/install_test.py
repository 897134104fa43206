#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An installed tree works in both forms, can be moved, and loads the library once: install_test.py BUILD"""
import shutil
import subprocess
import tempfile
from pathlib import Path

from harness import LAYER, expect, main, run


def loaded(tree, scratch, data, **switches):
    """How often the library is loaded and the layer is in the chain, by the loader's own debug output."""
    env = tree.environment("lavapipe", scratch, XDG_DATA_DIRS=f"{data}:/usr/share", VK_LOADER_DEBUG="layer", **switches)
    done = run(["vulkaninfo", "--summary"], env)
    inserted = [line for line in done.stderr.splitlines() if "insert" in line.lower() and "instance layer" in line.lower() and LAYER in line]
    tools = run([tree.program("kronos-workloads"), "--quick", "--only", "saxpy"], env)
    active = [line for line in tools.stderr.splitlines() if "kronos: active on" in line]
    return len(inserted), len(active)


def test(tree, _):
    with tempfile.TemporaryDirectory() as scratch:
        first, moved = Path(scratch) / "first", Path(scratch) / "moved here"
        subprocess.run(["cmake", "--install", str(tree.build), "--prefix", str(first)], check=True, capture_output=True)
        shutil.move(first, moved)
        share = moved / "share"
        for file in ("vulkan/explicit_layer.d/VkLayer_kronos_compute.json", "vulkan/implicit_layer.d/VkLayer_kronos_compute.json",
                     "kronos/vk_layer_settings.txt"):
            expect((share / file).exists(), f"{file} is not installed")
        expect((moved / "bin/kronos").exists(), "bin/kronos is not installed")
        cases = [({}, (0, 0)), ({"VK_INSTANCE_LAYERS": LAYER}, (1, 1)), ({"KRONOS_ENABLE": "1"}, (1, 1)),
                 ({"VK_INSTANCE_LAYERS": LAYER, "KRONOS_ENABLE": "1"}, (1, 1)), ({"KRONOS_ENABLE": "1", "KRONOS_DISABLE": "1"}, (0, 0))]
        for switches, expected in cases:
            found = loaded(tree, scratch, share, **switches)
            expect(found == expected, f"{switches}: (in the chain, active) is {found}, expected {expected}")
        env = tree.environment("lavapipe", scratch)
        done = run([moved / "bin/kronos", "run", "--", tree.program("kronos-workloads"), "--quick", "--only", "saxpy"], env)
        expect("kronos: active on" in done.stderr, "the installed kronos run does not find the installed layer")


main(test)
