# SPDX-License-Identifier: Apache-2.0
"""What the scripts that run real programs share: a driver, the environment of a run, and running."""
import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))
from harness import CLEARED, LAVAPIPE, expect  # noqa: E402

DRIVER_HELP = "a driver's manifest, or what the environment says (default: lavapipe; ffmpeg's comes with it)"


class Ground:
    """A driver and a folder for what programs write, the same for all runs."""

    def __init__(self, build, driver, scratch):
        self.build, self.driver, self.scratch = Path(build).resolve(), driver, Path(scratch)
        self.explicit = self.build / "manifest/explicit"
        self.spy = self.build / "tests/spy"
        self.models = self.build / "apps-models"
        expect(any(self.explicit.glob("*.json")), f"{build} has no layer: build it, or name the build tree by --build")
        manifest = None if driver == "system" else LAVAPIPE if driver == "lavapipe" else Path(driver).resolve()
        expect(manifest is None or manifest.is_file(), f"--driver {driver}: there is no {manifest}")
        # Compiled shaders are kept between the runs of a build tree: what is compared is not the compiler.
        cache = self.build / "apps-cache"
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(CLEARED)}
        if manifest is None:
            self.env.update({k: v for k, v in os.environ.items() if k in ("VK_DRIVER_FILES", "VK_ICD_FILENAMES", "VK_ADD_DRIVER_FILES")})
        else:
            # CPU devices are filtered out by ggml, and its tests skipped, unless a device is asked for by number.
            self.env.update(VK_DRIVER_FILES=str(manifest), VK_ICD_FILENAMES=str(manifest), GGML_VK_VISIBLE_DEVICES="0")
        self.env.update(HOME=str(scratch), XDG_RUNTIME_DIR=str(scratch), XDG_STATE_HOME=str(self.scratch / "state"),
                        XDG_CACHE_HOME=str(cache), MESA_SHADER_CACHE_DIR=str(cache))
        self.env.setdefault("LP_NUM_THREADS", "0")  # lavapipe: the least spread

    def run(self, program, timeout=900, **more):
        """The finished process, whatever it ended with; `more` is added to the environment."""
        env = {**self.env, **{key: str(value) for key, value in more.items()}}
        if self.driver == "lavapipe" and program.lavapipe:
            env.update(VK_DRIVER_FILES=str(program.lavapipe), VK_ICD_FILENAMES=str(program.lavapipe))
        env.update(program.environment)
        return subprocess.run([str(c) for c in program.command], env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              errors="replace", timeout=timeout, cwd=self.scratch)


def ended_well(done, way):
    expect(done.returncode == 0, f"{way}: ended with {done.returncode}: {(done.stderr or done.stdout).strip()[-1500:]}")
