#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The manual pages and the completion know every command and option that --help tells of, and no other:
documents_test.py BUILD man|completion
"""
import gzip
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from harness import LAYER, expect, main, run

PLACES = {"kronos": "tools/packaging/kronos.1.gz", "layer": f"tools/packaging/{LAYER}.7.gz"}


def commands(tree, env, words=("kronos",)):
    """Every command with its options and the commands below it, by --help, recursively."""
    text = run([tree.program("kronos"), *words[1:], "--help"], env).stdout
    head, _, tail = text.partition("Subcommands:")
    options = set(re.findall(r"^  (?:-\w,)?(--[\w-]+)", head, re.M))
    below = re.findall(r"^  ([a-z][\w-]*)", tail, re.M)
    expect("--help" in options, f"{' '.join(words)} --help is not understood:\n{text}")
    found = {words: (options, set(below))}
    for name in below:
        found.update(commands(tree, env, (*words, name)))
    return found


def page(tree, name):
    """The source of a manual page, without its escapes."""
    path = tree.build / PLACES[name]
    text = gzip.decompress(path.read_bytes()).decode()
    with tempfile.NamedTemporaryFile("w", suffix=".man") as plain:
        plain.write(text)
        plain.flush()
        done = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-z", plain.name], capture_output=True, text=True)
        expect(done.returncode == 0 and not done.stderr, f"{path}: {done.stderr}")
    return text.replace("\\-", "-").replace("\\&", "").replace("\\e", "\\")


def man(tree, env):
    text = page(tree, "kronos")
    sections = dict(re.findall(r'^\.SS "(.*?)"\n(.*?)(?=^\.S[SH])', text, re.M | re.S))
    sections["kronos"] = re.search(r"^\.SH OPTIONS\n(.*?)^\.SH", text, re.M | re.S)[1]
    known = commands(tree, env)
    expect(len(known) >= 12, f"only {len(known)} commands are found")
    expect(set(sections) == {" ".join(words) for words in known}, f"kronos(1) tells of {sorted(sections)}, --help of {sorted(known)}")
    for words, (options, _) in known.items():
        # --help is told of once.
        told = set(re.findall(r"\\fB(--[\w-]+)\\fR", sections[" ".join(words)])) | {"--help"}
        expect(told == options, f"kronos(1), {' '.join(words)}: {sorted(told ^ options)} are in one of the page and --help only")
    layer = page(tree, "layer")
    keys = [setting["key"] for setting in json.loads((tree.source / "manifest/kronos_compute.json").read_text())["settings"]]
    for key in keys:
        expect(f"\\fB{key}\\fR\n" in layer, f"{LAYER}(7) lacks the setting {key}")
    expect(LAYER in text and "kronos (1)" in layer, "the pages do not name each other")
    print(f"{len(known)} commands, {len(keys)} settings")


class Bash:
    def __init__(self, tree, folder):
        self.script = tree.build / "tools/packaging/kronos.bash"
        self.folder = folder

    def complete(self, *words):
        """What bash would offer for the last word, by the script's own function and bash's compgen."""
        program = ('source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); [[ $(complete -p kronos) == *"-F _kronos "* ]] || exit 3; '
                   '_kronos; printf "%s\\n" "${COMPREPLY[@]}"')
        done = subprocess.run(["bash", "--norc", "-uc", program, "bash", self.script, *words], capture_output=True, text=True, cwd=self.folder)
        expect(done.returncode == 0 and not done.stderr, f"{words}: {done.returncode}: {done.stderr}")
        return set(filter(None, done.stdout.splitlines()))


def completion(tree, env):
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "a log").touch()
        (Path(folder) / "waits.txt").touch()
        bash = Bash(tree, folder)
        for words, (options, below) in commands(tree, env).items():
            offered = bash.complete(*words, "--")
            expect(offered == options, f"{' '.join(words)}: {sorted(offered ^ options)} are in one of the completion and --help only")
            if below:
                expect(bash.complete(*words, "") == below, f"{' '.join(words)}: {bash.complete(*words, '')} instead of {below}")
        cases = [
            (["bench", "--writing", ""], {"naive", "expert", "both"}),
            (["bench", "--writing", "=", "n"], {"naive"}),
            (["bench", "--rounds", ""], set()),
            (["run", "--preset", "s"], {"safe"}),
            (["run", "--settings", "wait"], {"waits=", "wait_spin=", "wait_share="}),
            (["run", "--settings", "waits", "="], {"auto", "on", "off"}),
            (["run", "--settings", "waits", "=", "o"], {"on", "off"}),
            (["run", "--settings", "wait_spin", "=", ""], set()),
            (["settings", "install", "program", "waits", "=", "a"], {"auto"}),
            (["settings", "write", "wait"], {"waits.txt", "waits=", "wait_spin=", "wait_share="}),
            (["report", "a"], {"a log"}),
            (["report", "--html", "w"], {"waits.txt"}),
            (["run", "--", "./wai"], {"./waits.txt"}),
            (["run", "--", "ls", "a"], {"a log"}),
        ]
        for words, wanted in cases:
            found = bash.complete("kronos", *words)
            expect(found == wanted, f"{' '.join(words)}: {sorted(found)}, expected {sorted(wanted)}")
        expect("bash" in bash.complete("kronos", "run", "--", "bas"), "programs are not offered")
        print(f"{len(cases)} cases")


def test(tree, arguments):
    with tempfile.TemporaryDirectory() as scratch:
        {"man": man, "completion": completion}[arguments[0]](tree, tree.environment("lavapipe", scratch))


if __name__ == "__main__":
    sys.exit(main(test))
