#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Programs that nobody here wrote, with a loader newer than this system's: apps_test.py BUILD llama|loader

llama   llama.cpp's test-backend-ops passes as many cases with the layer as without, and the log has its frames.
loader  explicit, implicit and both: loaded once, active, by the loader of Debian's unstable suite.
"""
import re
import tempfile
from pathlib import Path

from harness import LAYER, expect, log_lines, main, run


def sysroot(tree, program):
    root = tree.source / ".deps/sid"
    expect((root / "run").exists(), "the programs are not there: tools/setup --apps")
    found = [path for path in sorted(root.rglob(program)) if path.is_file() and path.parent.name != "completions"]
    expect(found, f"{program} is in none of the packages")
    return [root / "run", found[-1]]


def llama(tree, scratch):
    command = [*sysroot(tree, "test-backend-ops"), "test", "-b", "Vulkan0", "-o", "SOFT_MAX"]

    def count(env):
        done = run(command, env, timeout=600)
        text = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout)
        passed = re.search(r"(\d+)/(\d+) tests passed", text)
        expect(passed and int(passed[1]) > 0, f"no tests passed:\n{text[-2000:]}")
        return len(re.findall(r": OK$", text, re.M)), passed[1], passed[2]

    log = Path(scratch) / "llama.jsonl"
    plain = count(tree.environment("lavapipe", scratch, GGML_VK_VISIBLE_DEVICES="0"))
    layered = count(tree.environment("lavapipe", scratch, [LAYER], GGML_VK_VISIBLE_DEVICES="0", KRONOS_STATS_FILE=log))
    expect(plain == layered, f"(OKs, passed, of) without the layer {plain}, with it {layered}")
    frames = log_lines(log, "frame")
    expect(sum(frame["asked"].get("dispatches", 0) for frame in frames) >= layered[0], f"{len(frames)} frames do not hold the dispatches")
    print(f"SOFT_MAX: {layered[1]} of {layered[2]} passed, {layered[0]} OK, both ways; {len(frames)} frames logged")


def enabled(tree, scratch, command):
    """Enabled for the user, by another installation: once in a chain, and kronos run has its own library all the same."""
    other = Path(scratch) / "other"
    run(["cmake", "--install", tree.build, "--prefix", other, "--component", "kronos"], None)
    env = tree.environment("lavapipe", scratch, VK_LOADER_DEBUG="layer", KRONOS_LOG_LEVEL="info")
    run([other / "bin/kronos", "enable"], env)
    for words, switches, library in [([], {}, other), ([], {"VK_INSTANCE_LAYERS": LAYER}, other), ([], {"KRONOS_DISABLE": "1"}, None),
                                     ([tree.program("kronos"), "run", "--"], {}, tree.build),
                                     ([tree.program("kronos"), "run", "--"], {"KRONOS_DISABLE": "1"}, tree.build)]:
        done = run([*words, *command], {**env, **switches})
        inserted = re.findall(rf"Insert instance layer \"{LAYER}\" \((.*?)\)", done.stderr)
        chains = done.stderr.count("vkCreateInstance layer callstack setup to:")
        expect(len(inserted) == (chains if library else 0) and chains, f"enabled, {words} {switches}: in {len(inserted)} of {chains} chains")
        expect(all(Path(path).resolve().is_relative_to(library) for path in inserted), f"enabled, {words} {switches}: {inserted}, not below {library}")
    run([other / "bin/kronos", "disable"], env)


def loader(tree, scratch):
    command = sysroot(tree, "vulkaninfo") + ["--summary"]
    data = {"XDG_DATA_DIRS": f"{tree.implicit}:/usr/share"}
    path = {"VK_ADD_LAYER_PATH": tree.explicit}
    cases = [({**data, **path}, 0), ({**data, **path, "VK_INSTANCE_LAYERS": LAYER}, 1), ({**data, "KRONOS_ENABLE": "1"}, 1),
             ({**data, **path, "VK_INSTANCE_LAYERS": LAYER, "KRONOS_ENABLE": "1"}, 1), ({**data, "KRONOS_ENABLE": "1", "KRONOS_DISABLE": "1"}, 0),
             ({"VK_IMPLICIT_LAYER_PATH": tree.implicit, "KRONOS_ENABLE": "1"}, 1), ({"VK_LOADER_LAYERS_ENABLE": "*KRONOS*", **path}, 1)]
    for switches, expected in cases:
        # At level info the layer says, in each instance that it is in, that its settings were read.
        done = run(command, tree.environment("lavapipe", scratch, KRONOS_LOG_LEVEL="info", **switches))
        instances = done.stderr.count("settings:")
        expect("apiVersion" in done.stdout, f"{switches}: no device listed")
        expect((instances > 0) == (expected > 0), f"{switches}: the layer was in {instances} instances")
        if expected:
            debug = run(command, tree.environment("lavapipe", scratch, VK_LOADER_DEBUG="layer", **switches)).stderr
            chain = re.findall(rf"Insert instance layer \"{LAYER}\"", debug)
            expect(len(chain) == debug.count("vkCreateInstance layer callstack setup to:") and chain,
                   f"{switches}: {len(chain)} times in {debug.count('vkCreateInstance layer callstack setup to:')} chains")
    enabled(tree, scratch, command)
    version = re.search(r"Vulkan Instance Version: (\S+)", done.stdout)
    print(f"loader {version[1] if version else '?'}: {len(cases)} cases")


def test(tree, arguments):
    with tempfile.TemporaryDirectory() as scratch:
        {"llama": llama, "loader": loader}[arguments[0]](tree, scratch)


main(test)
