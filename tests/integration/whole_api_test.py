#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every command of the registry, with every structure that may extend its arguments, reaches the driver as it was called, and
gives the program what the driver gave: whole_api_test.py BUILD VK.XML [--seeds N | --seed N] [--device NAME] [--only COMMAND]

The program (tests/whole_api) is generated from vk.xml. It runs without the layer and with it; what the driver saw is compared
call by call, what the program got line by line. With the preset `observe` both are equal. With optimisations on they are equal
but for what those do: see Normal, whose rules are all there are."""
import argparse
import collections
import difflib
import random
import re
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree

from harness import LAYER, Failure, expect, main, run

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "whole_api"))
from generate import Generator  # noqa: E402

# Structures that extend another and are not put into its pNext.
NOT_CHAINED = {
    "VkDirectDriverLoadingListLUNARG": "the loader's own, which loads drivers",
    "VkAccelerationStructureGeometryMotionTrianglesDataNV": "extends a structure in a union, which nothing here follows",
    "VkAccelerationStructureTrianglesOpacityMicromapEXT": "extends a structure in a union, which nothing here follows",
    "VkPhysicalDeviceClusterCullingShaderVrsFeaturesHUAWEI": "extends a structure that is in a chain itself",
    "VkPhysicalDeviceLayeredApiVulkanPropertiesKHR": "extends a structure of one that is in a chain itself",
    "VkVideoEncodeAV1RateControlLayerInfoKHR": "extends a structure of one that is in a chain itself",
    "VkVideoEncodeH264RateControlLayerInfoKHR": "extends a structure of one that is in a chain itself",
    "VkVideoEncodeH265RateControlLayerInfoKHR": "extends a structure of one that is in a chain itself",
}

OBSERVE = {"KRONOS_PRESET": "observe", "KRONOS_LOG_LEVEL": "warn"}
EVERYTHING = {"KRONOS_BARRIERS": "on", "KRONOS_DESCRIPTORS": "on", "KRONOS_SUBMITS": "always", "KRONOS_FUSION": "on",
              "KRONOS_SLABS": "on", "KRONOS_RECYCLE_MEMORY": "on", "KRONOS_RECYCLE_FENCES": "on", "KRONOS_LOG_LEVEL": "warn"}
WAYS = {  # name -> (settings, whether the driver sees exactly the same)
    "observe": (OBSERVE, True),
    "observe, no statistics": ({**OBSERVE, "KRONOS_STATS": "off"}, True),
    "defaults": ({"KRONOS_LOG_LEVEL": "warn"}, False),
    "everything": (EVERYTHING, False),
    "everything, no statistics": ({**EVERYTHING, "KRONOS_STATS": "off"}, False),
}

# What the layer asks for itself: at the creation of instances and devices, and how much memory a resource needs.
QUESTIONS = re.compile(r"vk(GetPhysicalDevice\w*Properties2?|GetPhysicalDeviceFeatures2?|EnumeratePhysicalDevice\w*|"
                       r"GetPhysicalDeviceFeatures2?|EnumerateDeviceExtensionProperties|EnumerateInstance\w+|Get(Buffer|Image)MemoryRequirements2?)\b")
LOOKUPS = re.compile(r"vkGet(Instance|Device)ProcAddr\b")


class Registry:
    def __init__(self, path):
        self.root = ElementTree.parse(path).getroot()
        commands = [c for c in self.root.findall("commands/command") if "vulkan" in (c.get("api") or "vulkan").split(",")]
        found = {c.get("name"): c.get("alias") for c in commands if c.get("alias")}
        self.aliases = {name: found.get(target, target) for name, target in found.items()}
        self.names = {c.get("name") or c.findtext("proto/name") for c in commands}

    def left_out(self):
        """name -> why there is no such command in the headers that everything here is built with."""
        offered, reasons = set(), {}
        for block in self.root.findall("feature") + self.root.findall("extensions/extension"):
            apis = (block.get("api") or block.get("supported") or "").split(",")
            ours = "vulkan" in apis or block.get("apitype") == "internal"
            platform = block.get("platform")
            reason = (f"needs the window system or platform {platform}" if platform and platform != "provisional"
                      else "provisional: not in the headers by default" if block.get("provisional") == "true"
                      else None if ours else "of no Vulkan but Vulkan SC, or of a disabled extension")
            for require in block.findall("require"):
                for c in require.findall("command"):
                    depends = require.get("depends") or ""
                    if reason is None and "vulkan" in (require.get("api") or "vulkan").split(","):
                        offered.add((c.get("name"), depends))
                    else:
                        reasons[c.get("name")] = reason or "of no Vulkan but Vulkan SC, or of a disabled extension"
        return {name: reason for name, reason in reasons.items() if name not in {n for n, _ in offered}}


def groups(path, aliases):
    """[(mark, [line])]: what the driver saw in each call of the program. The layer calls a command by the name of the core."""
    found = [("start", [])]
    for line in path.read_text(errors="replace").splitlines():
        if line.startswith("# "):
            found.append((line[2:], []))
        elif not LOOKUPS.match(line):
            name, space, rest = line.partition(" ")
            # A tool appends itself to what is below: the layer asks for the number first, under the name of the core, for which
            # the loader looks elsewhere than for the extension. That the driver is asked is what counts.
            if "vkGetPhysicalDeviceToolProperties" in found[-1][0]:
                if not name.startswith("vkGetPhysicalDeviceToolProperties") or found[-1][1]:
                    continue
            found[-1][1].append(aliases.get(name, name) + space + rest)
    return found


def without_questions(plain, layered):
    """The layered lines without questions that the program did not ask."""
    kept, plain = [], iter(plain)
    expected = next(plain, None)
    for line in layered:
        if line == expected:
            expected = next(plain, None)
        elif QUESTIONS.match(line):
            continue
        kept.append(line)
    return kept


def compare_exactly(what, plain, layered):
    expect([mark for mark, _ in plain] == [mark for mark, _ in layered], f"{what}: the program made other calls")
    faults = []
    for (mark, expected), (_, seen) in zip(plain, layered):
        seen = without_questions(expected, seen)
        if expected != seen:
            faults += [f"in call {mark}:", *list(difflib.unified_diff(expected, seen, lineterm="", n=0))[2:]]
    expect(not faults, f"{what}:\n" + "\n".join(faults[:60]))


HANDLE = re.compile(r"\b([a-z]+)#(\d+|\?)")
MADE = re.compile(r" = ((?:[a-z]+#\d+ ?)+)$")
SUBMIT = re.compile(r"vkQueueSubmit2? ")
SEMAPHORES = re.compile(r"p(Wait|Signal)Semaphore(?:s|Infos)=(\[[^\]]*\])")
# Binds, pushes and barriers without pNext structures.
STATE = re.compile(r"vkCmd(BindPipeline|BindDescriptorSets2?|PushConstants2?|PushDescriptorSet\w*|PipelineBarrier2?) [^+]*$")
# What the layer has objects of its own of.
OWN_TYPES = {"sem", "fence", "mem", "cpool", "cb", "dpool", "dset", "qpool", "buf", "img", "shader", "dlayout"}
RECYCLED = {"fence", "mem"}
MISSING = re.compile(r"vk(CreateFence|DestroyFence|FreeMemory|ResetFences|GetFenceStatus|WaitForFences|QueueWaitIdle|"
                     r"DeviceWaitIdle|WaitSemaphores|UpdateDescriptorSets|UpdateDescriptorSetWithTemplate|"
                     r"FlushMappedMemoryRanges|InvalidateMappedMemoryRanges) [^+]*$|"
                     # Of maps that concern memory in a slab, and names and tags of memory, the driver knows nothing.
                     r"vk(Map|Unmap)Memory2? |vk(SetDebugUtilsObject|DebugMarkerSetObject)(Name|Tag)EXT .*=mem#|"
                     r"vk[SG]etPrivateData .* mem#")
ALLOCATION = re.compile(r"vkAllocateMemory \S+ \{")
CHAINED = re.compile(r"\+(\w+)\{")


def may_be_missing(line):
    if ALLOCATION.match(line):
        # The structures that recycling and slabs understand; memory that is exported, or dedicated, is always the driver's.
        known = {"VkMemoryAllocateFlagsInfo", "VkMemoryPriorityAllocateInfoEXT", "VkExportMemoryAllocateInfo"}
        return set(CHAINED.findall(line)) <= known and not re.search(r"handleTypes=0x", line)
    return MISSING.match(line)


LATE = re.compile(r"vk(DestroyFence|FreeMemory|UnmapMemory2?|UpdateDescriptorSets|UpdateDescriptorSetWithTemplate) [^+]*$")
TIMELINE = re.compile(r"\+VkPhysicalDeviceTimelineSemaphoreFeatures\{(.*?) ?timelineSemaphore=1\} ?")


class Normal:
    """Compares what the driver saw with optimisations with what it saw without the layer. Each call of the program must have
    made the same calls of the driver, in the same order, but for these rules. None is for a call with pNext structures, but for
    allocations and maps of memory in slabs, and for the last:

    1. Calls that make, ask or end an object that the layer made for itself are left out, and so are its questions.
    2. Fences and memory are recycled and parts of slabs: their creation may be missing, the object is then one that the program
       destroyed, or the layer's own, with another offset; their destruction may be missing or come in a later call. What is in a
       slab is mapped, flushed, named and tagged by the layer itself.
    3. Waits and fences may be the layer's affair (it waits for a semaphore of its own): they may be missing.
    4. Writes of descriptor sets may be missing, as they change nothing, or come in a later call.
    5. Submissions may come in a later call, and the recording of what they submit with them, in other command buffers. What
       queues are given to do is compared as a whole, in its order: commands, semaphores to wait for and to signal; but for
    6. barriers, binds and pushes: other tests know which are needed (same_calls, counters, descriptors, syncval).
    7. The list of devices, once asked, is the layer's answer: vkEnumeratePhysicalDevice* may be missing, and what the loader asks
       there.
    8. The device gets the feature of timeline semaphores, where the program did not ask for it (said in the log).
    """

    def __init__(self):
        self.names, self.own, self.dead = {}, set(), set()

    def same(self, plain, layered):
        """Whether the lines are the same but for the numbers of handles; notes which handle stands for which."""
        if plain.startswith("vkCreateDevice ") and "timelineSemaphore=1" in layered:
            if "timelineSemaphore=" in plain:
                plain = plain.replace("timelineSemaphore=0", "timelineSemaphore=1")
            else:
                layered = TIMELINE.sub(lambda m: m.group(1) + " " if m.group(1) else "", layered)
        theirs, ours = list(HANDLE.finditer(plain)), list(HANDLE.finditer(layered))
        if [m.group(1) for m in theirs] != [m.group(1) for m in ours]:
            return False
        in_slab = any(m.group(1) == "mem" and m.group(0) in self.own for m in ours)
        shapes = [HANDLE.sub(r"\1#", line) for line in (plain, layered)]
        if in_slab:
            shapes = [re.sub(r"(mem#,? ?)(memoryOffset=|offset=)?\d+", r"\1\2", line) for line in shapes]
        if shapes[0] != shapes[1]:
            return False
        new = {}
        for p, q in ((a.group(0), b.group(0)) for a, b in zip(theirs, ours)):
            kind = p.partition("#")[0]
            known = new.get(q, self.names.get(q))
            if known == p or (q in self.own and kind in RECYCLED | {"dset"}):
                continue
            if q in self.own or not (known is None or (kind in RECYCLED and known in self.dead)):
                return False
            new[q] = p
        self.names.update(new)
        return True

    def layers_own(self, line):
        if QUESTIONS.match(line):
            return True
        made = MADE.search(line)
        handles = {m.group(0) for m in HANDLE.finditer(made.group(1) if made else line)}
        if made and all(handle.partition("#")[0] in OWN_TYPES and handle not in self.names for handle in handles):
            self.own |= handles
            return True
        return bool(handles & self.own) or line.endswith(" null") and line.startswith("vkDestroy")

    def call(self, mark, plain, layered):
        """What differs in one call of the program, as text."""
        faults, i = [], 0
        for line in layered:
            at = next((j for j in range(i, len(plain)) if self.same(plain[j], line)), None)
            if at is not None and all(may_be_missing(missing) for missing in plain[i:at]):
                i = at + 1
            elif line.startswith("vkCreateDevice ") and "= VK_ERROR" in line and line in plain:
                pass  # once more, without the feature of rule 8
            elif not self.layers_own(line) and not LATE.match(line):
                faults.append(f"+{line}")
        listed = "vkEnumeratePhysicalDevice" in mark
        faults += [f"-{line}" for line in plain[i:] if not may_be_missing(line) and not (listed and QUESTIONS.match(line))]
        for line in plain:
            name, _, rest = line.partition(" ")
            if name.startswith(("vkDestroy", "vkFree")):
                self.dead.update(m.group(0) for m in HANDLE.finditer(rest))
        return [f"in call {mark}:", *faults] if faults else []


def separate(record):
    """[(mark, [call])] without recordings and submissions that rule 5 is about, and [(mark, work of a queue)]."""
    rest, work, held = [], [], collections.defaultdict(list)
    for mark, calls in record:
        kept = []
        for line in calls:
            name, _, arguments = line.partition(" ")
            buffer = arguments.split(" ")[0]
            if name.startswith("vkCmd"):
                held[buffer].append(name + arguments[len(buffer):])
            elif name == "vkBeginCommandBuffer":
                held[buffer] = []
            elif SUBMIT.match(line):
                semaphores = {"Wait": [], "Signal": []}
                for kind, found in SEMAPHORES.findall(line):
                    semaphores[kind] += [m.group(0) for m in HANDLE.finditer(found)]
                work += [(mark, f"wait {semaphore}") for semaphore in semaphores["Wait"]]
                for m in HANDLE.finditer(line):
                    if m.group(1) == "cb":
                        work += [(mark, command) for command in held[m.group(0)] if not STATE.match(command)]
                work += [(mark, f"signal {semaphore}") for semaphore in semaphores["Signal"]]
            rule5 = name in ("vkBeginCommandBuffer", "vkEndCommandBuffer") or SUBMIT.match(line)
            if not name.startswith("vkCmd") and ("+" in line or not rule5):
                kept.append(line)
        rest.append((mark, kept))
    return rest, work


def compare_normally(what, plain, layered):
    expect([mark for mark, _ in plain] == [mark for mark, _ in layered], f"{what}: the program made other calls")
    normal, faults = Normal(), []
    (plain, plain_work), (layered, layered_work) = separate(plain), separate(layered)
    for (mark, expected), (_, seen) in zip(plain, layered):
        faults += normal.call(mark, expected, seen)
    expect(not faults, f"{what}:\n" + "\n".join(faults[:60]))
    layered_work = [(mark, line) for mark, line in layered_work if line.partition(" ")[2] not in normal.own]
    for (mark, expected), (_, seen) in zip(plain_work, layered_work):
        expect(normal.same(expected, seen), f"{what}: the queue was to do, of call {mark}:\n-{expected}\n+{seen}")
    expect(len(plain_work) == len(layered_work), f"{what}: {len(plain_work)} commands and semaphores, and {len(layered_work)}")


class Runs:
    def __init__(self, tree, scratch, registry, options):
        self.tree, self.scratch, self.registry, self.options = tree, Path(scratch), registry, options

    def run(self, device, seed, layers, settings):
        record = self.scratch / "record.txt"
        record.unlink(missing_ok=True)
        only = ["--only", self.options.only] if self.options.only else []
        done = run([self.tree.program("kronos_whole_api"), "--device", device, "--seed", seed, *only],
                   self.tree.environment("mock", self.scratch, layers, MOCK_ICD_RECORD=record, VK_LOADER_LAYERS_DISABLE="~implicit~",
                                         **settings))
        return done.stdout.splitlines(), groups(record, self.registry.aliases)


# What comes back and is not the same: the layer is one of the layers and tools; and time passes.
NOT_COMPARED = re.compile(r"(\d+ (?:vkEnumerate(?:Device|Instance)LayerProperties|vkGetPhysicalDeviceToolProperties(?:EXT)?|"
                          r"vkGetCalibratedTimestamps(?:EXT|KHR)|vkGetQueryPoolResults) .*?= ).*")


def compare_said(what, plain, layered):
    plain, layered = ([NOT_COMPARED.sub(r"\1", line) for line in said] for said in (plain, layered))
    if plain != layered:
        difference = list(difflib.unified_diff(plain, layered, "without", "with the layer", lineterm="", n=0))
        raise Failure(f"{what}: the program got something else:\n" + "\n".join(difference[:40]))


def tamper(record, choose):
    """The record with one chained structure of one call gone, and that call."""
    places = [(i, j) for i, (_, calls) in enumerate(record) for j, line in enumerate(calls)
              if CHAINED.search(line) and not ALLOCATION.match(line) and not MISSING.match(line)]
    i, j = choose.choice(places)
    mark, calls = record[i]
    changed = CHAINED.sub("+VkOther{", calls[j], count=1)
    return record[:i] + [(mark, calls[:j] + [changed] + calls[j + 1:])] + record[i + 1:], mark


def expect_noticed(record):
    """The comparisons notice a structure that is not the same."""
    choose = random.Random(1)
    for _ in range(3):
        changed, mark = tamper(record, choose)
        for compare in (compare_exactly, compare_normally):
            try:
                compare("tampered with", record, changed)
            except Failure:
                continue
            raise Failure(f"{compare.__name__} did not notice another structure in call {mark}")


def test(tree, arguments):
    parser = argparse.ArgumentParser()
    parser.add_argument("registry")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--device", choices=("plain", "all", "old"))
    parser.add_argument("--way", choices=WAYS)
    parser.add_argument("--only")
    options = parser.parse_args(arguments)
    registry = Registry(options.registry)
    called, chained, calls = set(), set(), 0
    with tempfile.TemporaryDirectory() as scratch:
        runs = Runs(tree, scratch, registry, options)
        for seed in range(options.seeds) if options.seed is None else [options.seed]:
            for device in [options.device] if options.device else ("all", "plain", "old"):
                said, plain = runs.run(device, seed, [], {})
                for mark, _ in plain[1:]:
                    called.add(mark.split(" ")[1])
                    chained.update(mark.split(" ")[2:])
                calls += len(plain) - 1
                if seed == 0 and not options.only:
                    expect_noticed(plain)
                # Other seeds are for other chains, and for allocation callbacks: without statistics nothing more is to be seen.
                ways = [options.way] if options.way else [way for way in WAYS if seed == 0 or "no statistics" not in way]
                for way in ways:
                    settings, exact = WAYS[way]
                    what = f"seed {seed}, device {device}, {way}"
                    layered_said, layered = runs.run(device, seed, [LAYER], settings)
                    compare_said(what, said, layered_said)
                    (compare_exactly if exact else compare_normally)(what, plain, layered)
    if options.only or options.device:
        return
    left_out = registry.left_out()
    forgotten = registry.names - called - set(left_out)
    print(f"{len(registry.names)} commands in the registry; {len(called)} called, in {calls} calls; left out:")
    for reason, count in collections.Counter(left_out.values()).most_common():
        print(f"  {count:3} {reason}")
    expect(not forgotten, f"neither called nor left out with a reason: {' '.join(sorted(forgotten))}")
    generator = Generator(registry.root)
    extensions = {f"{base}+{s.name}" for s in generator.structs for base in s.extends
                  if base in generator.struct_index and s.stype}
    missing = {pair for pair in extensions - chained if pair.partition("+")[2] not in NOT_CHAINED}
    print(f"{len(extensions & chained)} of {len(extensions)} structures alone in the pNext of one that they extend; left out:")
    for reason, count in collections.Counter(NOT_CHAINED.values()).most_common():
        print(f"  {count:3} {reason}")
    expect(not missing, f"never in the pNext of what they extend: {' '.join(sorted(missing))}")
    expect(not called & set(left_out), f"left out, and called: {' '.join(sorted(called & set(left_out)))}")


main(test)
