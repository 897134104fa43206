#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each setting from each source: settings_sources_test.py BUILD sources|command

sources: environment, profile, settings file and application give every setting the same effect, one by one, and a wrong value
in each of them has its line. command: kronos settings shows what the layer has, and writes what the layer reads.
"""
import json
import re
import tempfile
from pathlib import Path

from harness import LAYER, expect, main, run

LINE = re.compile(r"kronos:   (\w+) = (.*) \(([^()]*)\)$")
SOURCES = ("environment", "short environment", "profile", "file", "application")


def good_value(setting):
    """A value that is not the default."""
    kind = setting["type"]
    if setting["key"] == "log_level":
        return "debug"  # what is in effect must be told
    if kind == "ENUM":
        return next(flag["key"] for flag in setting["flags"] if flag["key"] != setting["default"])
    if kind == "BOOL":
        return str(not setting["default"]).lower()
    if kind == "INT":
        return str(setting["range"]["min"] if setting["default"] != setting["range"]["min"] else setting["range"]["max"])
    return "some/text" if kind == "SAVE_FILE" else "cpu"


def bad_value(setting):
    """A value that is not allowed; None where all are."""
    kind = setting["type"]
    if kind in ("ENUM", "BOOL"):
        return "nonsense"
    return str(setting["range"]["max"] + 1) if kind == "INT" else None


class Giver:
    """Runs the program with one setting from one source."""

    def __init__(self, tree, scratch):
        self.tree = tree
        self.scratch = Path(scratch)
        self.profile = self.scratch / "config/kronos/programs/kronos_settings_program.txt"
        self.file = self.scratch / "vk_layer_settings.txt"
        self.profile.parent.mkdir(parents=True)

    def run(self, source, key, value, kind="string", level=True, program="kronos_settings_program"):
        for path in (self.profile, self.file):
            path.unlink(missing_ok=True)
        env = self.tree.environment("mock", self.scratch, [LAYER], XDG_CONFIG_HOME=self.scratch / "config")
        # What is in effect is told at info: by a source that none of those tried is weaker than.
        if level:
            env["VK_KRONOS_COMPUTE_LOG_LEVEL"] = "info"
        arguments = []
        if source == "environment":
            env["VK_KRONOS_COMPUTE_" + key.upper()] = value
        elif source == "short environment":
            env["KRONOS_" + key.upper()] = value
        elif source == "profile":
            self.profile.write_text(f"kronos_compute.{key} = {value}\n")
        elif source == "file":
            self.file.write_text(f"kronos_compute.{key} = {value}\n")
        elif source == "application":
            arguments = [key, kind, value]
        return run([self.tree.program(program), *arguments], env, cwd=self.scratch).stderr.splitlines()

    def named(self, source, key):
        """What the layer calls the source."""
        return {"environment": "VK_KRONOS_COMPUTE_" + key.upper(), "short environment": "KRONOS_" + key.upper(), "profile": str(self.profile),
                "file": "vk_layer_settings.txt", "application": "application"}[source]


def effective(lines):
    return {m[1]: (m[2], m[3]) for m in map(LINE.search, lines) if m}


def problems(lines):
    return [line for line in lines if "is not allowed" in line or "unknown setting" in line]


def sources(tree, scratch):
    template = json.loads((tree.source / "manifest/kronos_compute.json").read_text())
    giver = Giver(tree, scratch)
    defaults = effective(giver.run("none", "", ""))
    expect(list(defaults) == [s["key"] for s in template["settings"]], f"in effect: {list(defaults)}")
    for setting in template["settings"]:
        key = setting["key"]
        good, bad = good_value(setting), bad_value(setting)
        # log_file takes the lines away, and log_level is what tells them: those two are looked at by themselves below.
        results = {}
        for source in SOURCES:
            if key != "log_file":
                lines = giver.run(source, key, good, level=key != "log_level")
                told = effective(lines)
                where = f"{key} = {good} by {source}"
                expect(problems(lines) == [], f"{where}: {problems(lines)}")
                expect(told.get(key) == (good, giver.named(source, key)), f"{where}: {told.get(key)}")
                results[source] = {k: value for k, (value, _) in told.items() if k != "log_level"}
            if bad is not None:
                lines = giver.run(source, key, bad, level=key != "log_level")
                where = f"{key} = {bad} by {source}"
                told = problems(lines)
                expect(len(told) == 1, f"{where}: {told}")
                for needle in (f"{key} = '{bad}'", giver.named(source, key), "allowed: "):
                    expect(needle in told[0], f"{where}: '{needle}' is not in: {told[0]}")
        for source, result in results.items():
            expect(result == results["environment"], f"{key} by {source} has another effect than by environment")
        # The application may give a number or a truth as such.
        for kind in {"INT": ("int32", "uint32", "int64"), "BOOL": ("bool",)}.get(setting["type"], ()):
            told = effective(giver.run("application", key, good, kind))
            expect(told.get(key) == (good, "application"), f"{key} as {kind}: {told.get(key)}")
    log = Path(scratch) / "told.log"
    for source in SOURCES:
        giver.run(source, "log_file", str(log))
        expect(effective(log.read_text().splitlines())["log_file"][0] == str(log), f"log_file by {source}")
        log.unlink()
    # Two sources: the first of the list counts, and a profile is its program's alone.
    env = tree.environment("mock", scratch, [LAYER], XDG_CONFIG_HOME=Path(scratch) / "config", KRONOS_LOG_LEVEL="info")
    giver.file.write_text("kronos_compute.wait_spin = 3\n")
    giver.profile.write_text("kronos_compute.wait_spin = 2\n")
    program = [tree.program("kronos_settings_program"), "wait_spin", "string", "4"]
    expect(effective(run(program, {**env, "KRONOS_WAIT_SPIN": "1"}, cwd=scratch).stderr.splitlines())["wait_spin"][0] == "1", "the environment wins")
    expect(effective(run(program, env, cwd=scratch).stderr.splitlines())["wait_spin"][0] == "2", "then the profile")
    # Those of all users come after the user's own, key by key; a folder that is not absolute is none.
    everybody = Path(scratch) / "xdg/kronos/programs/kronos_settings_program.txt"
    everybody.parent.mkdir(parents=True)
    everybody.write_text("kronos_compute.wait_spin = 4\nkronos_compute.wait_share = 5\n")
    env["XDG_CONFIG_DIRS"] = f"xdg:{scratch}/none:{scratch}/xdg"
    found = effective(run(program, env, cwd=scratch).stderr.splitlines())
    expect((found["wait_spin"][0], found["wait_share"][0]) == ("2", "5"), f"the user's profile, then everybody's: {found}")
    expect(found["wait_share"][1] == str(everybody), f"everybody's profile is not named: {found['wait_share']}")
    del env["XDG_CONFIG_DIRS"]
    giver.profile.rename(giver.profile.with_name("another.txt"))
    expect(effective(run(program, env, cwd=scratch).stderr.splitlines())["wait_spin"][0] == "3", "another program's profile is not ours; then the file")
    giver.file.unlink()
    expect(effective(run(program, env, cwd=scratch).stderr.splitlines())["wait_spin"][0] == "4", "then the application")


def command(tree, scratch):
    template = json.loads((tree.source / "manifest/kronos_compute.json").read_text())
    kronos = tree.program("kronos")
    config = Path(scratch) / "config"
    env = tree.environment("mock", scratch, [LAYER], XDG_CONFIG_HOME=config)

    def kronos_settings(*arguments, expect_code=0, **more):
        return run([kronos, "settings", *arguments], {**env, **more}, cwd=scratch, expect_code=expect_code)

    def layer(**more):
        return effective(run([tree.program("kronos_settings_program")], {**env, "KRONOS_LOG_LEVEL": "info", **more}, cwd=scratch).stderr.splitlines())

    def shown(*arguments, **more):
        document = json.loads(kronos_settings("--json", *arguments, KRONOS_LOG_LEVEL="info", **more).stdout)
        return {s["key"]: (s["value"] or "''", s["source"]) for s in document["settings"]}

    expect(shown() == layer(), "the defaults")
    expect(shown(KRONOS_PRESET="observe") == layer(KRONOS_PRESET="observe") and shown(KRONOS_PRESET="observe")["waits"] == ("off", "preset"), "a preset")
    done = kronos_settings(KRONOS_WAITS="maybe", expect_code=1)
    expect("waits = 'maybe' (KRONOS_WAITS) is not allowed; allowed: auto, on, off; using 'auto'" in done.stderr, done.stderr)

    # A written file has every setting, changes nothing but what was asked, and is the build's sample without that.
    settings = Path(scratch) / "vk_layer_settings.txt"
    kronos_settings("write", settings)
    expect(settings.read_text().rstrip() == (tree.build / "manifest/vk_layer_settings.txt").read_text().rstrip(), "the file without values is not the sample")
    expect(layer() == shown() and all(source in ("default", "KRONOS_LOG_LEVEL") for _, source in layer().values()), "a file without values changes something")
    done = kronos_settings("write", settings, "waits=off", expect_code=1)
    expect("is there already" in done.stderr and "waits = off" not in settings.read_text().replace("#kronos", ""), done.stderr)
    kronos_settings("write", settings, "waits=off", "wait_spin=7", "--preset", "safe", "--force")
    now = layer()
    expect((now["waits"][0], now["wait_spin"][0], now["preset"][0], now["stats"]) == ("off", "7", "safe", ("summary", "preset")), f"{now}")
    expect(now == shown(), "kronos settings and the layer differ")
    expect(kronos_settings("write", "-", "waits=off", "wait_spin=7", "preset=safe").stdout == settings.read_text(), "standard output")
    settings.unlink()
    for values, needle in ((["waits=maybe"], "waits = 'maybe' is not allowed; allowed: auto, on, off; nothing is written"), (["wait=off"], "did you mean waits?"),
                           (["waits"], "not of the form KEY=VALUE"), (["wait_spin=-1"], "0 to 1000000"), (["stats_file=a#b"], "is not allowed"),
                           (["--preset", "turbo"], "safe, balanced, fastest, observe")):
        for how in (["write", settings], ["install", "program"]):
            done = kronos_settings(*how, *values, expect_code=2)
            expect(needle in done.stderr and len(done.stderr.splitlines()) == 1, f"{how} {values}: {done.stderr}")
    expect(not settings.exists() and not config.exists(), "a wrong value has left a file")
    done = kronos_settings("write", "/nonexistent/file", expect_code=1)
    expect("/nonexistent/file cannot be written: No such file" in done.stderr, done.stderr)

    # Profiles: installed, listed, in effect for their program alone, removed.
    kronos_settings("install", "/usr/bin/kronos_settings_program", "waits=off", "--preset", "observe")
    kronos_settings("install", "other", "wait_spin=9")
    expect(kronos_settings("profiles").stdout == "kronos_settings_program\n    preset = observe\n    waits = off\nother\n    wait_spin = 9\n", kronos_settings("profiles").stdout)
    now = layer()
    expect(now["preset"][0] == "observe" and now["barriers"] == ("observe", "preset") and now["wait_spin"][1] == "default", f"{now}")
    expect(shown("--program", "kronos_settings_program") == now, "the profile, by kronos settings")
    expect(shown("--program", "/some/other")["wait_spin"][0] == "9" and shown()["preset"][0] == "balanced", "other programs")
    kronos_settings("remove", "kronos_settings_program")
    expect(layer()["preset"] == ("balanced", "default"), "the profile is still in effect")
    done = kronos_settings("remove", "kronos_settings_program", expect_code=1)
    expect("has no profile" in done.stderr, done.stderr)
    for bad in ("", "..", "/"):
        expect("is no program" in kronos_settings("install", bad, "waits=off", expect_code=1).stderr, f"'{bad}' as a program")
    expect(len(template["settings"]) == len(shown()), "a setting is not shown")


def test(tree, arguments):
    with tempfile.TemporaryDirectory() as scratch:
        {"sources": sources, "command": command}[arguments[0]](tree, scratch)


main(test)
