#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What is installed, as a tree and as a Debian package, works and is what it should be: install_test.py BUILD tree|package|enable

tree     an installed tree works in both forms, can be moved, and loads the library once.
package  the package holds what is installed, each file for a reason, and needs what it says.
enable   unpacked: kronos enable puts the layer into programs without any variable, kronos disable takes it out, and a tree
         that is removed without it harms nobody.
"""
import gzip
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from harness import LAYER, expect, main, run

MANIFEST = "VkLayer_kronos_compute.json"
USER_MANIFEST = ".local/share/vulkan/implicit_layer.d/VkLayer_kronos_compute_user.json"


def cached(tree, name):
    """A variable of the build, by its cache."""
    found = re.search(rf"^{name}:\w+=(.*)$", (tree.build / "CMakeCache.txt").read_text(), re.M)
    expect(found, f"CMakeCache.txt has no {name}")
    return found[1]


def expected_files(tree):
    """Below the prefix: each file, and why it is there. Whatever else there is has no reason."""
    return {
        "bin/kronos": "the command",
        f"{cached(tree, 'CMAKE_INSTALL_LIBDIR')}/kronos/libVkLayer_kronos_compute.so": "the layer",
        f"share/vulkan/explicit_layer.d/{MANIFEST}": "VK_INSTANCE_LAYERS and vkconfig find the layer",
        f"share/vulkan/implicit_layer.d/{MANIFEST}": "KRONOS_ENABLE=1 turns it on; kronos enable copies it",
        "share/kronos/vk_layer_settings.txt": "settings to copy from, commented",
        "share/man/man1/kronos.1.gz": "manual page of the command",
        f"share/man/man7/{LAYER}.7.gz": "manual page of the layer and its settings",
        "share/bash-completion/completions/kronos": "completion, where bash-completion looks",
        "share/doc/kronos/copyright": "whose it is: Debian's rules want it, and the licences of what is linked in",
        "share/doc/kronos/changelog.gz": "what has changed: Debian's rules want it in this form",
    }


def files_below(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir() or path.is_symlink()}


def loaded(tree, scratch, data, **switches):
    """How often the library is loaded and the layer is in the chain, by the loader's own debug output."""
    env = tree.environment("lavapipe", scratch, XDG_DATA_DIRS=f"{data}:/usr/share", VK_LOADER_DEBUG="layer", **switches)
    done = run(["vulkaninfo", "--summary"], env)
    inserted = [line for line in done.stderr.splitlines() if "insert" in line.lower() and "instance layer" in line.lower() and LAYER in line]
    tools = run([tree.program("kronos-workloads"), "--quick", "--only", "saxpy"], env)
    active = [line for line in tools.stderr.splitlines() if "kronos: active on" in line]
    return len(inserted), len(active)


def install(tree, prefix):
    subprocess.run(["cmake", "--install", str(tree.build), "--prefix", str(prefix), "--component", "kronos"], check=True, capture_output=True)


def installed_tree(tree, scratch):
    first, moved = scratch / "first", scratch / "moved here"
    install(tree, first)
    expect(files_below(first) == set(expected_files(tree)), f"not as expected: {sorted(files_below(first) ^ set(expected_files(tree)))}")
    shutil.move(first, moved)
    share = moved / "share"
    cases = [({}, (0, 0)), ({"VK_INSTANCE_LAYERS": LAYER}, (1, 1)), ({"KRONOS_ENABLE": "1"}, (1, 1)),
             ({"VK_INSTANCE_LAYERS": LAYER, "KRONOS_ENABLE": "1"}, (1, 1)), ({"KRONOS_ENABLE": "1", "KRONOS_DISABLE": "1"}, (0, 0))]
    for switches, expected in cases:
        found = loaded(tree, scratch, share, **switches)
        expect(found == expected, f"{switches}: (in the chain, active) is {found}, expected {expected}")
    env = tree.environment("lavapipe", scratch)
    done = run([moved / "bin/kronos", "run", "--", tree.program("kronos-workloads"), "--quick", "--only", "saxpy"], env)
    expect("kronos: active on" in done.stderr, "the installed kronos run does not find the installed layer")


def make_package(tree, scratch):
    for program in ("cpack", "dpkg-deb", "dpkg-shlibdeps"):
        expect(shutil.which(program), f"{program} is missing: tools/setup")
    done = subprocess.run(["cpack", "--config", tree.build / "CPackConfig.cmake", "-B", scratch], capture_output=True, text=True)
    expect(done.returncode == 0 and "warning" not in done.stderr.lower(), f"cpack: {done.stdout}\n{done.stderr}")
    made = list(scratch.glob("*.deb"))
    version = cached(tree, "CMAKE_PROJECT_VERSION")
    architecture = run(["dpkg", "--print-architecture"], None).stdout.strip()
    expect([path.name for path in made] == [f"kronos_{version}_{architecture}.deb"], f"made: {made}")
    return made[0]


def package(tree, scratch):
    deb = make_package(tree, scratch)
    root = scratch / "root"
    run(["dpkg-deb", "-x", deb, root], None)
    expected = {f"usr/{name}" for name in expected_files(tree)}
    expect(files_below(root) == expected, f"not as expected: {sorted(files_below(root) ^ expected)}")
    for path in [root / "usr", *(root / "usr").rglob("*")]:
        mode = path.stat().st_mode & 0o7777
        wanted = 0o755 if path.is_dir() or path.parent.name == "bin" else 0o644
        expect(mode == wanted and not path.is_symlink(), f"{path}: mode {mode:o}, expected {wanted:o}")

    fields = dict(line.split(": ", 1) for line in run(["dpkg-deb", "-f", deb], None).stdout.splitlines() if re.match(r"[A-Z]", line))
    depends = {entry.split()[0] for entry in fields["Depends"].split(", ")}
    expect(depends == {"libc6", "libgcc-s1", "libstdc++6", "libvulkan1"}, f"Depends: {fields['Depends']}")
    expect(fields["Section"] == "utils" and "mesa-vulkan-drivers" in fields["Recommends"], f"{fields}")
    expect(re.fullmatch(r"[^<]+ <[^>]+@[^>]+>", fields["Maintainer"]), fields["Maintainer"])
    expect(0 < int(fields["Installed-Size"]) < 50_000, f"{fields['Installed-Size']} KiB: it has not been stripped")
    changelog = scratch / "changelog"
    changelog.write_bytes(gzip.decompress((root / "usr/share/doc/kronos/changelog.gz").read_bytes()))
    version = run(["dpkg-parsechangelog", "-l", changelog, "-S", "Version"], None).stdout.strip()
    expect(version == fields["Version"], f"the package is of {fields['Version']}, its changelog of {version}")
    run(["dpkg-deb", "-e", deb, scratch / "control"], None)
    control = files_below(scratch / "control")
    expect(control == {"control", "md5sums"}, f"in the package's control part are {sorted(control)}: it should run nothing")


def enable(tree, scratch):
    root, home = scratch / "root", scratch
    run(["dpkg-deb", "-x", make_package(tree, scratch / "made"), root], None)
    kronos, share = root / "usr/bin/kronos", root / "usr/share"
    env = tree.environment("lavapipe", scratch, XDG_DATA_DIRS=f"{share}:/usr/share")
    manifest = home / USER_MANIFEST

    def command(*words, code=0, env=env, program=kronos):
        return run([program, *words], env, expect_code=code)

    def counts(**switches):
        return loaded(tree, scratch, share, **switches)

    expect("Not enabled" in command("disable").stdout, "disable of what is not enabled")
    expect(counts() == (0, 0), "active before it is enabled")
    expect("Enabled for all" in command("enable").stdout and manifest.exists(), "enable does not say what it wrote")
    expect("Enabled already" in command("enable").stdout, "enable twice")
    for switches, expected in [({}, (1, 1)), ({"KRONOS_DISABLE": "1"}, (0, 0)), ({"KRONOS_ENABLE": "1"}, (1, 1)),
                               ({"VK_INSTANCE_LAYERS": LAYER}, (1, 1)), ({"VK_INSTANCE_LAYERS": LAYER, "KRONOS_ENABLE": "1"}, (1, 1))]:
        found = counts(**switches)
        expect(found == expected, f"enabled, {switches}: (in the chain, active) is {found}, expected {expected}")
    doctor = command("doctor").stdout
    expect(f"for this user: enabled by {manifest}" in doctor and "in this environment: active" in doctor, doctor)
    # Of two installations kronos run takes its own, and the doctor tells.
    own = command("run", "--settings", "log_level=info", "--", tree.program("kronos-workloads"), "--quick", "--only", "saxpy", program=tree.program("kronos"))
    expect(own.stderr.count("kronos: active on") == 1, own.stderr)
    doctor = command("doctor", program=tree.program("kronos")).stdout
    expect("with another Kronos" in doctor, doctor)

    # Removed without kronos disable: programs run as without the layer, and nothing is said to them.
    shutil.move(root, scratch / "away")
    expect(counts() == (0, 0), "active, though its library is gone")
    plain = run([tree.program("kronos-workloads"), "--quick", "--only", "saxpy"], env)
    expect("ok" in plain.stdout and not plain.stderr, f"a stale manifest is noticed: {plain.stderr}")
    doctor = command("doctor", program=tree.program("kronos")).stdout
    expect("which is gone" in doctor and "fix: kronos disable" in doctor, doctor)
    shutil.move(scratch / "away", root)

    expect("is removed" in command("disable").stdout, "disable does not say what it removed")
    expect(not any((home / ".local/share").iterdir()), "disable leaves something")
    expect(counts() == (0, 0), "active after it was disabled")
    # What cannot be is one line, and changes nothing.
    without_home = {name: value for name, value in env.items() if name != "HOME"}
    for words in ("enable", "disable"):
        done = command(words, code=1, env=without_home)
        expect(done.stderr.count("\n") == 1 and done.stderr.startswith(f"kronos {words}: neither HOME") and not done.stdout, done.stderr)


def test(tree, arguments):
    # Who has installed from this tree uninstalls by this list.
    own = tree.build / "install_manifest.txt"
    before = own.read_text() if own.exists() else None
    with tempfile.TemporaryDirectory() as scratch:
        {"tree": installed_tree, "package": package, "enable": enable}[arguments[0]](tree, Path(scratch))
    expect(before == (own.read_text() if own.exists() else None), f"{own} is not what it was")


main(test)
