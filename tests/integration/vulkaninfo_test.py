#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""vulkaninfo says the same with and without the layer, but for the layer itself: vulkaninfo_test.py BUILD DRIVER explicit|implicit"""
import difflib
import tempfile

from harness import LAYER, expect, main, run

# What vulkaninfo measures anew each time it runs: how much memory is free.
VOLATILE = ("budget", "usage")


def report(env):
    lines = run(["vulkaninfo"], env).stdout.splitlines()
    expect(len(lines) > 100, "vulkaninfo printed next to nothing")
    return [line for line in lines if not line.strip().startswith(VOLATILE)]


def test(tree, arguments):
    driver, form = arguments
    with tempfile.TemporaryDirectory() as scratch:
        without = report(tree.environment(driver, scratch))
        if form == "explicit":
            env = tree.environment(driver, scratch, VK_ADD_LAYER_PATH=tree.explicit, VK_INSTANCE_LAYERS=LAYER)
        else:
            env = tree.environment(driver, scratch, XDG_DATA_DIRS=f"{tree.implicit}:/usr/local/share:/usr/share", KRONOS_ENABLE="1")
        with_layer = report(env)
        expect(any(LAYER in line for line in with_layer), "the layer is not in the report")
        # One paragraph about the layer, the count of layers, and the extension it brings.
        unexpected, inside = [], False
        for line in difflib.ndiff(without, with_layer):
            if line[0] not in "+-":
                continue
            text = line[2:].strip()
            inside = LAYER in text or (inside and line[0] == "+" and text != "")
            allowed = (inside or text == "" or text.startswith(("Layers: count", "Instance Layers: count", "Instance Extensions: count",
                       "Layer Extensions", "Layer-Device Extensions", "Devices: count", "GPU id", "=", "-")))
            if not allowed:
                unexpected.append(line)
        expect(not unexpected, "differences that are not the layer's own:\n" + "\n".join(unexpected[:40]))

        if form == "implicit":
            off = report({**env, "KRONOS_DISABLE": "1"})
            expect(not any("Kronos" in line for line in off if "VK_LAYER" not in line), "KRONOS_DISABLE leaves the layer in")
            del env["KRONOS_ENABLE"]
            report(env)


main(test)
