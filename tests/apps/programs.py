# SPDX-License-Identifier: Apache-2.0
"""The real programs: how each is found and called, and how what it prints is read."""
import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
QUICK = ("backend-ops", "completion")
# Numbers may differ by this much of the larger one; texts, sums and counts not at all.
TOLERANCE = 1e-7


class NotThere(Exception):
    """The text says what is missing and how to get it."""


class Program:
    def __init__(self, command, read, environment=None, lavapipe=None):
        """lavapipe: the manifest of the one to run on instead of the system's, when lavapipe is asked for."""
        self.command, self.read, self.environment, self.lavapipe = command, read, environment or {}, lavapipe


class Root:
    """A folder with programs: a sysroot of tests/apps/fetch or tests/apps/trim, or what tests/apps/pack packed."""

    def __init__(self, folder, group):
        packed = folder / "app"
        self.path = folder / ("sid" if group == "llama" else f"sid-{group}")
        self.packed = not (self.path / "run").is_file() and (packed / "run").is_file()
        if self.packed:
            self.path = packed
        self.group = group
        if not (self.path / "run").is_file():
            raise NotThere(f"not in {folder}; tests/apps/fetch {group}")

    def command(self, program):
        if self.packed:
            if not (self.path / "bin" / program).is_file():
                raise NotThere(f"{program} is not in {self.path}")
            return [self.path / "run", program]
        places = [self.path / "usr/bin" / program, *sorted((self.path / "usr/libexec").rglob(program))]
        found = [place for place in places if place.is_file() or place.is_symlink()]
        if not found:
            raise NotThere(f"{program} is not in {self.path}; tests/apps/fetch {self.group}")
        return [self.path / "run", found[0]]

    def lavapipe(self):
        """This sysroot's own, which only its programs can load. tests/apps/trim leaves it out."""
        if self.packed or (self.path / ".trimmed").is_file():
            return None
        found = sorted((self.path / "usr/share/vulkan/icd.d").glob("lvp_icd*.json"))
        if not found:
            raise NotThere(f"no lavapipe in {self.path}; tests/apps/fetch {self.group}")
        return found[0]

    def python(self, script, *arguments):
        return [*self.command("python3"), "-B", HERE / script, *arguments], {"PYTHONHOME": str(self.path / "usr")}


def made(root, models, name, script, *arguments, any_python=False):
    """A model with seeded random weights, or what is fed to one; made once, by the sysroot's Python if not any will do."""
    if root.packed:
        file = root.path / name
        if not file.is_file():
            raise NotThere(f"the pack has no {name}")
        return file
    file = models / name
    if not file.is_file():
        models.mkdir(parents=True, exist_ok=True)
        command, environment = root.python(script) if not any_python else ([sys.executable, "-B", HERE / script], None)
        part = models / f"{name}.{os.getpid()}.part"  # two scripts may want it at the same time
        command += [part, *arguments]
        done = subprocess.run([str(c) for c in command], env=environment, capture_output=True, text=True, timeout=300)
        if done.returncode:
            raise NotThere(f"{script} failed: {done.stderr.strip()[-500:]}")
        part.rename(file)
    return file


def backend_ops(folder, models, quick):
    return operations(folder, ("ADD", "SCALE") if quick else ("ADD", "SCALE", "SOFT_MAX", "ROPE", "RMS_NORM", "CPY"))


def operations(folder, wanted):
    """llama.cpp's tests of these operations of its back end, each against the CPU: NAME, or "NAME -p 'PARAMETERS'" for some of the cases."""
    root = Root(folder, "llama")
    # Several operations are one command line of a shell: the program says only at its end how many cases passed.
    line = " && ".join(f'"$@" -o {operation}' for operation in wanted)

    def read(done):
        text = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout)
        passed = re.findall(r"(\d+)/(\d+) tests passed", text)
        if len(passed) < len(wanted) or any(ok == "0" or ok != of for ok, of in passed[: len(wanted)]):
            raise ValueError(f"tests passed: {passed}: {text[-800:]}")
        return {"OK": len(re.findall(r": OK$", text, re.M)), "passed": passed}, {}

    return Program(["/bin/sh", "-c", line, "sh", *root.command("test-backend-ops"), "test", "-b", "Vulkan0"], read)


def workloads_program(build):
    program = build / "bin/kronos-workloads"
    if not program.is_file():
        raise NotThere(f"{program} is not built")
    return program


def workload_names(build):
    """Of those that are in this build."""
    done = subprocess.run([workloads_program(build), "--list", "--json", "-"], capture_output=True, text=True, check=True, timeout=60)
    return [kind["name"] for kind in json.loads(done.stdout)["workloads"] if kind["built"]]


def workloads(build, names, *options, before=()):
    """Workloads of this project, each verified against the CPU; before: what runs the program."""
    program = workloads_program(build)

    def read(done):
        # Layers may print lines of their own before.
        begin = re.search(r"^\{", done.stdout, re.M)
        if not begin:
            raise ValueError(f"no results: {done.stdout[-800:]}{done.stderr[-800:]}")
        rows = json.loads(done.stdout[begin.start():])["workloads"]
        return {"workloads": [[row["name"], row["writing"], row["result"]] for row in rows]}, {}

    return Program([*before, program, "--only", ",".join(names), "--json", "-", *options], read)


def completion(folder, models, quick):
    root = Root(folder, "llama")
    model = made(root, models, "tiny.gguf", "make-gguf.py", "4", "256", "F16")
    tokens = "16" if quick else "64"

    def read(done):
        if not done.stdout.strip():
            raise ValueError(f"no text: {done.stderr[-800:]}")
        # Without the layer too it ends with empty lines in some runs and not in others.
        return {"text": done.stdout.rstrip()}, times_of(done.stderr)

    def times_of(text):
        # "prompt eval time = 546.72 ms /", "eval time = ..."; a line begins with a time stamp.
        found = re.findall(r"(prompt eval|eval) time =\s*([\d.]+) ms", text)
        return {what: float(ms) * 1e6 for what, ms in found if float(ms) > 0}

    return Program([*root.command("llama-completion"), "-m", model, "-ngl", "99", "-p", "Hello world", "-n", tokens, "--temp", "0", "--seed",
                    "1", "-no-cnv", "--ignore-eos", "-t", "1", "--no-warmup", "--no-display-prompt"], read)


def bench(folder, models, quick, repeats=15):
    root = Root(folder, "llama")
    model = made(root, models, "tiny.gguf", "make-gguf.py", "4", "256", "F16")
    return bench_of(root, model, ("32", "8") if quick else ("128", "32"), repeats)


def bench_long(folder, models, quick):
    """Long enough for the fastest to be of a GPU whose clock has risen, as that of an idle one does only after a while of work."""
    return bench(folder, models, quick, repeats=500)


def bench_small(folder, models, quick):
    root = Root(folder, "llama")
    model = made(root, models, "small.gguf", "make-gguf.py", "16", "512", "Q4_0")
    return bench_of(root, model, ("32", "8") if quick else ("512", "128"), 15)


def bench_large(folder, models, quick):
    """227 million parameters, which take a GPU about a millisecond a token."""
    root = Root(folder, "llama")
    model = made(root, models, "large.gguf", "make-gguf.py", "24", "1024", "Q4_0", "same")
    # As in bench_long.
    return bench_of(root, model, ("32", "8"), 15) if quick else bench_of(root, model, ("512", "64"), 60)


def bench_of(root, model, sizes, repeats):
    def read(done):
        tests = json.loads(done.stdout)
        named = {(f"prompt {t['n_prompt']}" if t["n_prompt"] else f"generate {t['n_gen']}"): t for t in tests}
        # The results of a benchmark are which tests ran, and on what.
        shown = {what: [t["gpu_info"], t["backends"], t["model_n_params"]] for what, t in named.items()}
        if any("Vulkan" not in t["backends"] for t in tests) or len(named) != 2:
            raise ValueError(f"not what was asked for: {shown}")
        return {"tests": shown}, {f"{what}, fastest of {repeats}": min(t["samples_ns"]) for what, t in named.items()}

    # What other machines of a shared host do makes runs slower, never faster: the fastest of several is what a program takes.
    return Program([*root.command("llama-bench"), "-m", model, "-ngl", "99", "-p", sizes[0], "-n", sizes[1], "-r", str(repeats), "-t", "1", "-o", "json"],
                   read)


def whisper(folder, models, quick, times=1):
    root = Root(folder, "whisper")
    command = root.command("whisper-cli")
    # It says less than half as many words as the context of the text is long: on a driver in software each costs a look at all words.
    # With so short a piece of the sound, all products of matrices are of one size, and few shaders are compiled.
    layers, context, short = ("2", "32", ("-ac", "16")) if quick else ("4", "64", ())
    model = made(root, models, f"whisper-{layers}-{context}.bin", "make-whisper.py", layers, "128", context, any_python=True)
    sound = made(root, models, "sound.wav", "make-whisper.py", any_python=True)
    # Words, their numbers and their probabilities are written to a file, always in the working folder.
    line = 'rm -f heard.json && "$@" >&2 && cat heard.json'
    options = ["-l", "en", "-t", "1", "-bs", "1", "-bo", "1", "-nf", "-nt", *short]

    def read(done):
        device = re.search(r"using (\w+) backend", done.stderr)
        if not device or not device[1].startswith("Vulkan"):
            raise ValueError(f"not on Vulkan, but {device[1] if device else 'nowhere'}: {done.stderr[-800:]}")
        parts = json.loads(done.stdout)["transcription"]
        tokens = [(token["id"], token["p"]) for part in parts for token in part["tokens"]]
        if len({number for number, _ in tokens}) < 4:
            raise ValueError(f"fewer than four words: {tokens}")
        times = re.findall(r"(encode|decode) time =\s*([\d.]+) ms", done.stderr)
        text = "".join(part["text"] for part in parts)
        return {"device": device[1], "text": text, "tokens": tokens}, {what: float(ms) * 1e6 for what, ms in times}

    # The first of what it hears is looked at.
    heard = [word for number in range(times) for word in ("-f", sound, "-of", f"heard{number or ''}")]
    return Program(["/bin/sh", "-c", line, "sh", *command, "-m", model, *heard, *options, "-ojf"], read)


def whisper_long(folder, models, quick):
    """Hears so much that shaders, which it compiles at first, matter little."""
    return whisper(folder, models, quick, times=4 if quick else 32)


def ffmpeg(folder, models, quick):
    # Mesa 22.3's lavapipe, Debian 12's, crashes under ffmpeg in about every second run that compiles shaders, without the layer.
    root = Root(folder, "ffmpeg")
    filters = ("format=yuv420p,hwupload,bwdif_vulkan,avgblur_vulkan=sizeX=3,gblur_vulkan=sigma=1,scale_vulkan=w=320:h=180,"
               "hflip_vulkan,transpose_vulkan,hwdownload,format=yuv420p")

    def read(done):
        md5 = re.search(r"^MD5=([0-9a-f]{32})$", done.stdout, re.M)
        if not md5:
            raise ValueError(f"no MD5: {done.stderr[-800:]}")
        took = re.search(r"rtime=([\d.]+)s", done.stderr)
        if not took:
            raise ValueError(f"no time: {done.stderr[-800:]}")
        return {"md5": md5[1]}, {"frames": float(took[1]) * 1e9}

    return Program([*root.command("ffmpeg"), "-hide_banner", "-nostats", "-benchmark", "-nostdin", "-init_hw_device", "vulkan=vk:0", "-filter_hw_device",
                    "vk", "-f", "lavfi", "-i", "testsrc2=s=640x360:r=25", "-frames:v", "10" if quick else "200", "-vf", filters, "-f", "md5", "-"], read,
                   lavapipe=root.lavapipe())


def torch(folder, models, quick):
    root = Root(folder, "torch")
    times = "3" if quick else "60"
    command, environment = root.python("torch_chain.py", times)

    def read(done):
        numbers = json.loads(done.stdout)
        took = numbers.pop("fastest_ns")
        return {"numbers": numbers}, {f"chain, fastest of {times}": took}

    return Program(command, read, environment)


ALL = {"backend-ops": backend_ops, "completion": completion, "bench": bench, "bench-long": bench_long, "bench-small": bench_small,
       "bench-large": bench_large, "whisper": whisper, "whisper-long": whisper_long, "ffmpeg": ffmpeg, "torch": torch}
# Only where they are asked for: they take a driver in software many minutes.
LONG = ("bench-long", "whisper-long")


def make(name, folder, models, quick):
    return ALL[name](folder, models, quick)


def difference(expected, found, where="result"):
    """None, or a line that says where the first difference is."""
    if isinstance(expected, float) and isinstance(found, (int, float)):
        same = math.isclose(expected, found, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
        return None if same else f"{where} is {found!r}, not {expected!r}"
    if type(expected) is not type(found):
        return f"{where} is {found!r}, not {expected!r}"
    if isinstance(expected, dict):
        if expected.keys() != found.keys():
            return f"{where} has {sorted(found)}, not {sorted(expected)}"
        return next((d for k in expected if (d := difference(expected[k], found[k], f"{where}.{k}"))), None)
    if isinstance(expected, (list, tuple)):
        if len(expected) != len(found):
            return f"{where} has {len(found)} entries, not {len(expected)}"
        return next((d for i, (a, b) in enumerate(zip(expected, found)) if (d := difference(a, b, f"{where}[{i}]"))), None)
    return None if expected == found else f"{where} is {str(found)[:300]!r}, not {str(expected)[:300]!r}"


def shown(result):
    """A result in a few words."""
    def short(value):
        text = json.dumps(value)
        return text if len(text) <= 60 else text[:57] + "..."
    return ", ".join(f"{key} {short(value)}" for key, value in result.items())
