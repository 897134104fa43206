#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each promise of the README names tests, and each of these is there: promises_test.py BUILD"""
import json
import re
import subprocess

from harness import expect, main


def test(tree, _):
    readme = (tree.source / "README.md").read_text()
    section = readme.partition("## What is promised")[2].partition("\n## ")[0]
    rows = [line.split("|")[1:3] for line in section.splitlines() if line.startswith("| ")]
    promises = [(what.strip(), re.findall(r"`([^`]+)`", held)) for what, held in rows if not set(held) <= set(" -") and what.strip() != "promise"]
    expect(len(promises) > 10, f"only {len(promises)} promises are found in the README")
    done = subprocess.run(["ctest", "--test-dir", str(tree.build), "--show-only=json-v1"], capture_output=True, text=True, check=True)
    names = [test["name"] for test in json.loads(done.stdout)["tests"]]
    for what, held in promises:
        expect(held, f"no test holds: {what}")
        for name in held:
            # A name that ends in a dot is a suite.
            suite = name.endswith(".")
            expect(any(n == name or (suite and (n.startswith(name) or f"/{name}" in n)) for n in names), f"there is no test {name}, which is to hold: {what}")


main(test)
