# SPDX-License-Identifier: Apache-2.0
"""What the whole-program tests share: environments with and without the layer, running, reading logs, failing with a reason."""
import json
import os
import subprocess
import sys
from pathlib import Path

LAYER = "VK_LAYER_KRONOS_compute"
SPY = "VK_LAYER_KRONOS_TEST_spy"
# Nothing of the caller's own set-up may leak into a test.
CLEARED = ("VK_", "KRONOS_", "SPY_", "MOCK_")
LAVAPIPE = next(iter(sorted(Path("/usr/share/vulkan/icd.d").glob("lvp_icd*.json"))), Path("lavapipe-not-found"))


class Failure(Exception):
    """The text says what failed."""


def expect(condition, text):
    if not condition:
        raise Failure(text)


class Tree:
    """A build tree, by what is in it."""

    def __init__(self, build):
        self.build = Path(build).resolve()
        self.source = Path(__file__).resolve().parents[2]
        self.explicit = self.build / "manifest/explicit"
        self.implicit = self.build / "manifest/implicit"
        self.spy = self.build / "tests/spy"
        self.mock = self.build / "tests/mock_driver/mock_icd.json"
        self.swiftshader = self.source / ".deps/swiftshader/vk_swiftshader_icd.json"

    def program(self, name):
        return str(self.build / "bin" / name)

    def driver(self, name):
        """A manifest; of `system`, the driver of a machine with a GPU, the one that the caller names, or none."""
        if name == "system":
            return os.environ.get("VK_DRIVER_FILES")
        return {"lavapipe": LAVAPIPE, "swiftshader": self.swiftshader, "mock": self.mock}[name]

    def environment(self, driver, scratch, layers=(), **more):
        """Only `driver`, the named explicit layers, and a state folder of the test's own."""
        env = {k: v for k, v in os.environ.items() if not k.startswith(CLEARED) and k not in ("XDG_DATA_HOME", "XDG_CONFIG_HOME")}
        if manifest := self.driver(driver):
            env.update(VK_DRIVER_FILES=str(manifest), VK_ICD_FILENAMES=str(manifest))
        env.update(XDG_STATE_HOME=str(Path(scratch) / "state"),
                   XDG_RUNTIME_DIR=str(scratch), XDG_CONFIG_DIRS=str(scratch), HOME=str(scratch), LP_NUM_THREADS="1")
        # Sanitizers: what a third party's driver does is not ours to mend; leaks are looked for on the mock driver.
        env["TSAN_OPTIONS"] = f"suppressions={self.source / 'tests/programs/third_party.tsan'}"
        if driver != "mock":
            env["ASAN_OPTIONS"] = "detect_leaks=0"
        if layers:
            env.update(VK_LAYER_PATH=f"{self.explicit}:{self.spy}", VK_INSTANCE_LAYERS=":".join(layers))
        env.update({k: str(v) for k, v in more.items()})
        return env


def run(command, env, expect_code=0, cwd=None, timeout=120):
    command = [str(c) for c in command]
    for _ in range(3):
        try:
            done = subprocess.run(command, env=env, cwd=cwd, capture_output=True, text=True, timeout=timeout, errors="replace")
        except subprocess.TimeoutExpired as late:
            raise Failure(f"{' '.join(command)}: did not end within {timeout} s\n{late.stdout}\n{late.stderr}") from late
        # GCC 12's runtime now and then takes nonsense for a new thread's memory while libraries are loaded, and says so.
        if "ERROR: ThreadSanitizer failed to allocate" not in done.stderr:
            break
    if expect_code is not None and done.returncode != expect_code:
        raise Failure(f"{' '.join(map(str, command))}: ended with {done.returncode}, not {expect_code}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    return done


def log_lines(path, event=None):
    """The lines of a statistics log; every one must be an object that the schema describes."""
    lines = []
    for number, text in enumerate(Path(path).read_text().splitlines(), 1):
        try:
            line = json.loads(text)
        except json.JSONDecodeError as error:
            raise Failure(f"{path}:{number}: {error}: {text[:200]}") from error
        expect(line.get("v") == 1 and line.get("event") in ("device", "frame", "summary"), f"{path}:{number}: {text[:200]}")
        if event in (None, line["event"]):
            lines.append(line)
    return lines


def main(test):
    """Runs test(Tree, arguments); a Failure is one message and exit code 1."""
    try:
        test(Tree(sys.argv[1]), sys.argv[2:])
    except Failure as failure:
        print(f"FAILED: {failure}", file=sys.stderr)
        sys.exit(1)
