# SPDX-License-Identifier: Apache-2.0
"""What the scripts share that run programs under Debian unstable's Khronos validation: what is reported, and the order of
the layers."""
import collections
import json
import os
import re
import sys
import threading
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "integration")]
sys.dont_write_bytecode = True
import programs  # noqa: E402
import running  # noqa: E402
from harness import LAYER, SPY, expect, log_lines  # noqa: E402

VALIDATION = "VK_LAYER_KHRONOS_validation"


class Reported:
    """The messages of a run, by kind, with the first one of each."""

    def __init__(self, text):
        self.count, self.first = collections.Counter(), {}
        for message in re.split(r"^(?=Validation (?:Error|Warning|Performance Warning): \[ )", text, flags=re.M):
            if not message.startswith("Validation") or "[ VALIDATION-SETTINGS ]" in message:
                continue
            kind = re.sub(r"\b(0x)?[0-9a-f]*\d[0-9a-f]*\b(\[[^]]*\])?", "N", message.partition("\nObjects:")[0])
            self.count[kind] += 1
            self.first.setdefault(kind, message.strip())

    def hazards(self):
        return sum(count for kind, count in self.count.items() if "SYNC-HAZARD-" in kind)

    def beyond(self, other):
        """The first message that `other` has not, or has less of; None if there is none."""
        for kind, count in self.count.items():
            if count > other.count[kind]:
                return f"{count} times, not {other.count[kind]}: {self.first[kind]}"
        return None


class Messages:
    """A named pipe to which each instance's validation writes: a file would be begun anew by each of them."""

    def __init__(self, path):
        self.path, self.parts = path, []
        os.mkfifo(path)
        self.descriptor = os.open(path, os.O_RDWR)  # never at its end

    def read(self):
        while not self.parts or not self.parts[-1].endswith(b"\0"):
            self.parts.append(os.read(self.descriptor, 1 << 16))

    def __enter__(self):
        self.parts.clear()
        self.reader = threading.Thread(target=self.read)
        self.reader.start()
        return self

    def __exit__(self, *_):
        os.write(self.descriptor, b"\0")
        self.reader.join()

    def text(self):
        return b"".join(self.parts)[:-1].decode(errors="replace")


class Validated:
    """Runs programs with layers in order. settings: of the validation."""

    def __init__(self, ground, folder, settings):
        self.ground, self.messages = ground, Messages(ground.scratch / "messages")
        self.root = folder / "sid-validation"
        manifest = self.root / "usr/share/vulkan/explicit_layer.d/VkLayer_khronos_validation.json"
        if not manifest.is_file():
            raise programs.NotThere(f"no validation layer in {folder}; tests/apps/fetch validation")
        # By its path: programs of other folders do not find the library by its name.
        document = json.loads(manifest.read_text())
        document["layer"]["library_path"] = str(self.root / "usr/lib/x86_64-linux-gnu" / document["layer"]["library_path"])
        self.validation = ground.scratch / "validation"
        self.validation.mkdir()
        (self.validation / manifest.name).write_text(json.dumps(document))
        settings = {**settings, "log_filename": self.messages.path}
        (ground.scratch / "vk_layer_settings.txt").write_text("".join(f"khronos_validation.{key} = {value}\n" for key, value in settings.items()))

    def run(self, program, way, layers, environment, layer=None, read=True, well=True):
        """What is reported, and the sums of the layer's log. layer: a folder with the manifest of another build of it.
        read: whether the results must be right; they are in self.result then. well: whether it must end well."""
        stats = self.ground.scratch / "log.jsonl"
        stats.unlink(missing_ok=True)
        with self.messages:
            done = self.ground.run(
                program, timeout=3000, VK_LAYER_PATH=f"{layer or self.ground.explicit}:{self.ground.spy}:{self.validation}",
                VK_INSTANCE_LAYERS=":".join(layers), VK_LAYER_SETTINGS_PATH=self.ground.scratch, VK_LOADER_DEBUG="layer",
                KRONOS_STATS_FILE=stats, KRONOS_LOG_LEVEL="error", **environment)
        if well:
            running.ended_well(done, way)
        self.result = program.read(done)[0] if read else None
        chains = re.split(r"vkCreateInstance layer callstack setup to:", done.stderr)[1:]
        expect(chains, f"{way}: no instance was created")
        for chain in chains:
            order = re.findall(r"LAYER: +(VK_LAYER_\w+)$", chain.partition("<Driver")[0], re.M)
            order = [name for name in order if name in (LAYER, SPY, VALIDATION)]
            expect(order == layers, f"{way}: the layers are {order}, not {layers}")
        sums = collections.Counter()
        for line in log_lines(stats, "summary") if stats.is_file() else []:
            sums.update({"asked": line.get("asked", {}).get("barriers", 0), "recordings": line.get("asked", {}).get("recordings", 0), **line.get("did", {})})
        return Reported(self.messages.text()), sums
