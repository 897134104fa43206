#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The list of devices, as whole programs see it on real drivers: devices_test.py BUILD PART

same    vulkaninfo, the workloads and kronos devices see one list, ten times over, and compute works on each of it
hidden  with hardware beside them, software renderers are hidden, until they are asked for
copies  two copies of one software driver share a UUID and are two devices all the same
ranks   every launcher's local rank chooses among the devices
late    drivers off the path: kronos devices and kronos run find them, a program on its own is told
three   a third real driver, Mesa's of bookworm-backports, beside the other two (tools/setup --apps, as of the next three)
llama   llama.cpp sees the same list, in the same order 
layers  so it is with Mesa's device selection, MangoHud and the validation layer active
mpi     under Open MPI each process sees the device of its local rank
"""
import json
import os
import re
import tempfile
from pathlib import Path

from harness import LAYER, expect, main, run


class Machine:
    """Drivers, by the names of harness.Tree, with the layer."""

    def __init__(self, tree, scratch, drivers, **more):
        self.tree = tree
        manifests = ":".join(str(d if "/" in str(d) else tree.driver(d)) for d in drivers)
        self.env = tree.environment("mock", scratch, [LAYER], KRONOS_STATS="off")
        self.env.update(VK_DRIVER_FILES=manifests, VK_ICD_FILENAMES=manifests, **more)

    def devices(self, *arguments, code=0, **more):
        done = run([self.tree.program("kronos"), "devices", "--json", *arguments], {**self.env, **more}, expect_code=code)
        return json.loads(done.stdout)

    def shown(self, **more):
        listed = self.devices(**more)
        expect(not listed["problems"], f"{more}: {listed['problems']}")
        places = sorted((d["place"], d["name"]) for d in listed["devices"] if d["place"] is not None)
        expect([place for place, _ in places] == list(range(len(places))), f"places: {places}")
        return [name for _, name in places]

    def vulkaninfo(self, **more):
        done = run(["vulkaninfo", "--summary"], {**self.env, **more})
        return re.findall(r"^\s*deviceName\s*= (.*)$", done.stdout, re.M)

    def computes(self, index, **more):
        """The name of the device on which saxpy was computed and verified."""
        done = run([self.tree.program("kronos-workloads"), "--only", "saxpy", "--quick", "--device", index, "--json", "-"], {**self.env, **more})
        return json.loads(done.stdout)["device"]["name"]


def same(tree, scratch):
    machine = Machine(tree, scratch, ["lavapipe", "swiftshader"])
    for settings in ({}, {"KRONOS_DEVICE": "swift*,llvm*"}, {"KRONOS_DEVICE": "llvm,swift"}, {"KRONOS_DEVICE": "driver:swift"}):
        names = machine.shown(**settings)
        expect(len(names) == (1 if "driver:" in str(settings) else 2), f"{settings}: {names}")
        for turn in range(10):
            seen = machine.vulkaninfo(**settings)
            expect(seen == names, f"{settings}, turn {turn}: kronos devices has {names}, vulkaninfo {seen}")
        for index, name in enumerate(names):
            expect(machine.computes(index, **settings) == name, f"{settings}: device {index} is not {name}")
    first, second = (machine.shown(KRONOS_DEVICE=text) for text in ("swift,llvm", "llvm,swift"))
    expect(first == second[::-1], f"the order of a selector does not count: {first}, {second}")


def hidden(tree, scratch):
    machine = Machine(tree, scratch, ["lavapipe", "swiftshader", "mock"])
    listed = machine.devices()
    expect([(d["type"], d["place"]) for d in listed["devices"]] == [("discrete", 0), ("cpu", None), ("cpu", None)], f"{listed['devices']}")
    expect(all("software, and there is" in d["why"] for d in listed["devices"][1:]), "no reason")
    manifests = {d["name"]: Path(d["manifest"]).name for d in listed["devices"]}
    expect(len(set(manifests.values())) == 3, f"manifests: {manifests}")
    expect(len(machine.shown()) == 1 and machine.vulkaninfo() == machine.shown(), "software is shown")
    expect(len(machine.shown(KRONOS_PREFER_HARDWARE="0")) == 3, "software is hidden though it is not to be")
    expect(machine.vulkaninfo(KRONOS_DEVICE="cpu") == machine.shown(KRONOS_DEVICE="cpu"), "software cannot be selected")
    numbers = {d["number"]: d["name"] for d in listed["devices"]}
    for number, name in numbers.items():
        expect(machine.shown(KRONOS_DEVICE=str(number)) == [name], f"number {number} is not {name}")
    expect(len(machine.shown(KRONOS_AGGREGATE_ICD="0")) == 1, "the devices of more than one driver")
    text = run([tree.program("kronos"), "devices"], machine.env).stdout
    expect(all(name in text for name in numbers.values()) and "Hidden:" in text, text)
    none = machine.devices(code=1, KRONOS_DEVICE="nothing", KRONOS_DEVICE_UNMATCHED="none")
    expect("sees none" in none["problems"][0], f"{none['problems']}")
    rules = {"KRONOS_DEVICE_RULES": "blender=swift; *=llvm"}
    listed = machine.devices("--program", "blender", **rules)
    expect([d["place"] for d in listed["devices"] if "Swift" in d["name"]] == [0], f"{listed['devices']}")


def copies(tree, scratch):
    for driver in ("lavapipe", "swiftshader"):
        text = json.loads(Path(tree.driver(driver)).read_text())
        library = Path(tree.driver(driver)).parent / text["ICD"]["library_path"]
        paths = []
        for i in range(2):
            # A library of its own, or the loader would take both for one.
            copy = Path(scratch) / f"{driver}{i}.so"
            if library.exists():
                copy.write_bytes(library.read_bytes())
                text["ICD"]["library_path"] = str(copy)
            paths.append(Path(scratch) / f"{driver}{i}.json")
            paths[-1].write_text(json.dumps(text))
        machine = Machine(tree, scratch, paths)
        listed = [d for d in machine.devices()["devices"] if d["place"] is not None]
        expect(len(listed) == 2, f"{driver}: {listed}")
        expect(listed[0]["uuid"] == listed[1]["uuid"], "the copies differ; this test is of ones that do not")
        expect(machine.vulkaninfo() == [d["name"] for d in listed], f"{driver}: vulkaninfo sees {machine.vulkaninfo()}")
        for index in range(2):
            machine.computes(index)


def ranks(tree, scratch):
    machine = Machine(tree, scratch, ["mock"], MOCK_ICD_CONFIG=str(Path(scratch) / "mock.json"))
    (Path(scratch) / "mock.json").write_text(json.dumps({"devices": [{"name": name, "type": "discrete"} for name in "abc"]}))
    names = machine.shown()
    expect(names == ["a", "b", "c"], f"{names}")
    for variable in ("OMPI_COMM_WORLD_LOCAL_RANK", "MPI_LOCALRANKID", "SLURM_LOCALID", "LOCAL_RANK", "JOB_COMPLETION_INDEX"):
        for rank in range(5):
            expect(machine.vulkaninfo(KRONOS_DEVICE_RANK="only", **{variable: str(rank)}) == [names[rank % 3]], f"{variable}={rank}")
    expect(machine.shown(KRONOS_DEVICE_RANK="first", LOCAL_RANK="2") == ["c", "a", "b"], "the rank's device is not the first")
    expect(machine.vulkaninfo(LOCAL_RANK="2") == names, "a rank counts though nobody asked")


def late(tree, scratch):
    folder = Path(scratch) / "drivers"
    folder.mkdir()
    manifest = json.loads(Path(tree.driver("swiftshader")).read_text())
    manifest["ICD"]["library_path"] = str((Path(tree.driver("swiftshader")).parent / manifest["ICD"]["library_path"]).resolve())
    (folder / "swiftshader.json").write_text(json.dumps(manifest))
    machine = Machine(tree, scratch, ["mock"], KRONOS_ICD_SEARCH_PATHS=str(folder))
    expect(len(machine.devices()["devices"]) == 2, "kronos devices does not look there")
    done = run([tree.program("kronos"), "run", "--", "vulkaninfo", "--summary"], {**machine.env, "KRONOS_PREFER_HARDWARE": "0"})
    expect("SwiftShader" in done.stdout, "kronos run does not look there")
    expect("too late" not in done.stderr, done.stderr)
    done = run(["vulkaninfo", "--summary"], machine.env)
    expect(len(re.findall("KRONOS_ICD_SEARCH_PATHS = .* is too late here", done.stderr)) >= 1, done.stderr)


def three(tree, scratch):
    newer = tree.source / ".deps/mesa/lvp_icd.json"
    if not newer.exists() and "bookworm" not in Path("/etc/os-release").read_text():
        print("this system's own Mesa is as new: no third driver")
        return
    expect(newer.exists(), "Mesa's backport is not there: tools/setup --apps")
    machine = Machine(tree, scratch, ["lavapipe", "swiftshader", newer])
    listed = [d for d in machine.devices()["devices"] if d["place"] is not None]
    expect(len({d["driver"]["text"] for d in listed}) == 3, f"{[d['driver'] for d in listed]}")
    infos = [d["driver"]["info"] for d in listed if "Mesa" in d["driver"]["info"]]
    for turn in range(10):
        expect(machine.vulkaninfo() == machine.shown(), f"turn {turn}: {machine.vulkaninfo()}")
    for index in range(3):
        expect(machine.computes(index) == listed[index]["name"], f"device {index} is not {listed[index]['name']}")
    for info in infos:
        done = machine.devices(KRONOS_DEVICE=f"driver:{info.split(' (')[0]}")
        expect([d["driver"]["info"] for d in done["devices"] if d["place"] is not None] == [info], f"{info}: {done['devices']}")
    first = machine.devices(KRONOS_AGGREGATE_ICD="0")
    expect(len([d for d in first["devices"] if d["place"] is not None]) == 1, f"more than one driver: {first['devices']}")


def llama(tree, scratch):
    program = [tree.source / ".deps/sid/run", tree.source / ".deps/sid/usr/bin/llama-bench", "--list-devices"]
    expect(program[1].exists(), "llama.cpp is not there: tools/setup --apps")
    machine = Machine(tree, scratch, ["lavapipe", "swiftshader"], GGML_VK_VISIBLE_DEVICES="0,1")
    for settings in ({}, {"KRONOS_DEVICE": "swift,llvm"}, {"KRONOS_DEVICE": "llvm,swift"}):
        names = machine.shown(**settings)
        for turn in range(10):
            done = run(program, {**machine.env, **settings})
            seen = re.findall(r"^\s*Vulkan\d+: (.*) \(\d+ MiB, \d+ MiB free\)$", done.stdout, re.M)
            expect(seen == names, f"{settings}, turn {turn}: kronos devices has {names}, llama-bench {seen}\n{done.stdout}")


def layers(tree, scratch):
    machine = Machine(tree, scratch, ["lavapipe", "swiftshader", "mock"], KRONOS_PREFER_HARDWARE="0")
    explicit = f"{tree.explicit}:/usr/share/vulkan/explicit_layer.d"
    validation = "VK_LAYER_KHRONOS_validation"
    names = machine.shown()
    expect(len(names) == 3, f"{names}")
    for chain in ([LAYER, validation], [validation, LAYER]):
        more = {"MANGOHUD": "1", "VK_LAYER_PATH": explicit, "VK_INSTANCE_LAYERS": ":".join(chain), "VK_LOADER_DEBUG": "layer"}
        done = run(["vulkaninfo", "--summary"], {**machine.env, **more})
        for layer in ("VK_LAYER_MESA_device_select", "MANGOHUD", validation, LAYER):
            expect(re.search(f'Insert instance layer "?[A-Za-z_]*{layer}', done.stderr), f"{layer} is not active:\n{done.stderr[-3000:]}")
        for settings in ({}, {"KRONOS_DEVICE": "mock,llvm"}, {"KRONOS_DEVICE": "swift"}):
            expect(machine.vulkaninfo(**more, **settings) == machine.shown(**settings), f"{chain}, {settings}: {machine.vulkaninfo(**more, **settings)}")
    # Mesa's layer moves hardware to the front; kronos run leaves it out where devices are selected.
    chosen = {"KRONOS_DEVICE": "llvm,mock"}
    env = {k: v for k, v in {**machine.env, **chosen}.items() if k not in ("VK_INSTANCE_LAYERS", "VK_LAYER_PATH")}
    done = run([tree.program("kronos"), "run", "--", "vulkaninfo", "--summary"], env)
    expect(re.findall(r"^\s*deviceName\s*= (.*)$", done.stdout, re.M) == machine.shown(**chosen), done.stdout)


def mpi(tree, scratch):
    machine = Machine(tree, scratch, ["lavapipe", "swiftshader"], KRONOS_DEVICE_RANK="only", OMPI_ALLOW_RUN_AS_ROOT="1",
                      OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1", TMPDIR=scratch)
    names = machine.shown(KRONOS_DEVICE_RANK="off")
    saxpy = [tree.program("kronos-workloads"), "--only", "saxpy", "--quick", "--json", f"{scratch}/rank-"]
    shell = f'exec {" ".join(saxpy)}$OMPI_COMM_WORLD_LOCAL_RANK.json'
    run(["mpirun", "--oversubscribe", "-n", "4", "sh", "-c", shell], machine.env)
    used = [json.loads(Path(f"{scratch}/rank-{rank}.json").read_text())["device"]["name"] for rank in range(4)]
    expect(used == [names[rank % 2] for rank in range(4)], f"{used}, of {names}")


def test(tree, arguments):
    os.environ.pop("DISPLAY", None)
    with tempfile.TemporaryDirectory() as scratch:
        {f.__name__: f for f in (same, hidden, copies, ranks, late, three, llama, layers, mpi)}[arguments[0]](tree, scratch)


main(test)
