#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The settings generator refuses templates that contradict themselves: generate_test.py manifest/"""
import copy
import json
import subprocess
import sys
import tempfile
from pathlib import Path

folder = Path(sys.argv[1])
TEMPLATE = json.loads((folder / "kronos_compute.json").read_text())


def run(template, *arguments, out="out"):
    with tempfile.TemporaryDirectory() as work:
        path = Path(work) / "template.json"
        path.write_text(json.dumps(template))
        done = subprocess.run([sys.executable, folder / "generate.py", path, *arguments, Path(work) / out], capture_output=True, text=True)
        text = (Path(work) / out).read_text() if (Path(work) / out).exists() else ""
        return done.returncode, done.stderr, text


def expect_refused(what, needle, change):
    template = copy.deepcopy(TEMPLATE)
    change(template)
    code, told, _ = run(template, "header")
    if code == 0 or needle not in told:
        sys.exit(f"{what}: not refused (exit {code}): {told}")


expect_refused("a key twice", "defined twice", lambda t: t["settings"].append(t["settings"][0]))
expect_refused("an unknown type", "not supported", lambda t: t["settings"][1].update(type="FRAMES"))
expect_refused("a default that is no flag", "not one of its flags", lambda t: t["settings"][1].update(default="x"))
expect_refused("a dependence on nothing", "which is no other setting",
               lambda t: t["settings"][2]["dependence"]["settings"].append({"key": "nope", "value": "1"}))
expect_refused("a dependence on a value that cannot be", "which cannot be",
               lambda t: t["settings"][2]["dependence"]["settings"].append({"key": "stats", "value": "x"}))
expect_refused("a preset for no setting", "no setting nope", lambda t: t["presets"][0]["settings"].append({"key": "nope", "value": "1"}))
expect_refused("a preset with a bad value", "cannot be x", lambda t: t["presets"][0]["settings"].append({"key": "stats", "value": "x"}))
expect_refused("a preset without its flag", "differ", lambda t: t["presets"].pop())

code, told, sample = run(TEMPLATE, "sample")
for setting in TEMPLATE["settings"]:
    if f"#kronos_compute.{setting['key']} =" not in sample:
        sys.exit(f"the sample settings file lacks {setting['key']}")
with tempfile.TemporaryDirectory() as work:
    readme = Path(work) / "README.md"
    readme.write_text("a\n<!-- settings: generated from manifest/kronos_compute.json -->\nold\n<!-- end of settings -->\nb\n")
    command = [sys.executable, folder / "generate.py", folder / "kronos_compute.json", "readme", readme]
    if subprocess.run([*command, "--check"], capture_output=True).returncode == 0:
        sys.exit("an out-of-date table passes the check")
    subprocess.run(command, check=True)
    if subprocess.run([*command, "--check"]).returncode != 0 or not readme.read_text().endswith("\nb\n"):
        sys.exit("the written table does not pass the check")
