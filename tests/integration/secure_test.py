#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A setuid program obeys neither environment nor files, and nothing is written for it: secure_test.py BUILD (needs root)"""
import os
import shutil
import sys
import tempfile
from pathlib import Path

from harness import expect, main, run


def test(tree, _):
    if os.geteuid() != 0:
        print("only root can make a setuid program of root's; skipped here, run in CI")
        sys.exit(77)
    # Beside the build: /tmp may be mounted nosuid.
    with tempfile.TemporaryDirectory(dir=tree.build) as folder:
        os.chmod(folder, 0o755)
        probe = Path(folder) / "probe"
        shutil.copy(tree.program("kronos_secure_probe"), probe)
        settings = Path(folder) / "vk_layer_settings.txt"
        settings.write_text("kronos_compute.log_file = /tmp/from-a-file\n")
        env = {"PATH": os.environ["PATH"], "KRONOS_STATS": "frames", "KRONOS_STATS_FILE": "/tmp/x", "KRONOS_LOG_LEVEL": "nonsense",
               "VK_LAYER_SETTINGS_PATH": str(settings)}
        command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", probe]
        os.chmod(probe, 0o755)
        plain = run(command, env, cwd=folder).stdout
        expect(plain.startswith("secure=0 problems=1\n") and "stats_file = /tmp/x" in plain and "log_file = /tmp/from-a-file" in plain,
               f"an ordinary program: {plain}")
        os.chown(probe, 0, 0)
        os.chmod(probe, 0o4755)
        secure = run(command, env, cwd=folder).stdout
        for wanted in ("secure=1 problems=0", "stats = off (setuid program)", "stats_file = '' (default)", "log_file = '' (default)", "log_level = warn (default)"):
            expect(wanted in secure, f"a setuid program: '{wanted}' is missing in: {secure}")


main(test)
