#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""slab_review.py passes on the tree and fails on each kind of fault: slab_review_test.py layer/memory vk.xml"""
import subprocess
import sys
import tempfile
from pathlib import Path

memory, registry = Path(sys.argv[1]), Path(sys.argv[2])
NEWER = (memory.parent / "entry/newer_extensions.txt").read_text()
REVIEW = (memory / "slab_review.txt").read_text()
XML = registry.read_text()


def run(xml=XML, review=REVIEW, newer=NEWER):
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / name for name in ("vk.xml", "slab_review.txt", "newer.txt", "extensions.def", "structures.def")]
        paths[0].write_text(xml)
        paths[1].write_text(review)
        paths[2].write_text(newer)
        done = subprocess.run([sys.executable, "-B", memory / "slab_review.py", *paths], capture_output=True, text=True)
        made = [path.read_text() if path.exists() else "" for path in paths[3:]]
        return done.returncode, done.stderr, *made


def expect(what, needle, **changed):
    code, told, *_ = run(**changed)
    if code == 0 or needle not in told:
        sys.exit(f"{what}: not noticed (exit {code}): {told}")


def new_extension(body, more=""):
    """The registry with VK_FAKE_memory, whose require block has `body`."""
    extension = (f'<extension name="VK_FAKE_memory" number="9999" type="device" supported="vulkan"><require>{body}</require></extension>')
    return XML.replace("</extensions>", extension + "</extensions>", 1).replace("</types>", more + "</types>", 1)


def without(name):
    return "".join(line for line in REVIEW.splitlines(keepends=True) if not line.startswith(name + " "))


code, told, extensions, structures = run()
if code != 0:
    sys.exit(f"the tree itself: {told}")
STRUCT = ('<type category="struct" name="VkFakeEXT"{extends}><member values="VK_STRUCTURE_TYPE_FAKE"><type>VkStructureType</type> <name>sType</name></member>'
          '<member><type>{type}</type> <name>m</name></member></type>')
expect("a structure with a memory", "VK_FAKE_memory has uses of memory",
       xml=new_extension('<type name="VkFakeEXT"/>', STRUCT.format(extends="", type="VkDeviceMemory")))
expect("a structure for allocations", "VK_FAKE_memory has uses of memory",
       xml=new_extension('<type name="VkFakeEXT"/>', STRUCT.format(extends=' structextends="VkMemoryAllocateInfo"', type="uint32_t")))
expect("a command that takes a memory", "vkFreeMemory", xml=new_extension('<command name="vkFreeMemory"/>'))
expect("a flag of memory", "VK_MEMORY_ALLOCATE_FAKE_BIT",
       xml=new_extension('<enum bitpos="9" extends="VkMemoryAllocateFlagBits" name="VK_MEMORY_ALLOCATE_FAKE_BIT"/>'))
expect("a line that left", "VK_KHR_map_memory2 has uses of memory", review=without("VK_KHR_map_memory2"))
expect("a line without a reason", "is not 'NAME on|off reason'", review=REVIEW + "VK_KHR_foo on\n")
expect("a line that is there twice", "twice", review=REVIEW + "VK_KHR_swapchain on again\n")
expect("a name that does not exist", "VK_KHR_swapchian", review=REVIEW + "VK_KHR_swapchian on a mistake\n")

# What is newer than the registry is looked at as soon as the registry has it.
FAKE = "VK_FAKE_memory 1009998000 a fake\n"
for what, body, more in (
        ("a command", '<command name="vkQueueWaitIdle"/>', ""),
        ("a structure of a command's", '<type name="VkFakeEXT"/>', STRUCT.format(extends=' structextends="VkSubmitInfo"', type="uint32_t")),
        ("a flag", '<enum bitpos="9" extends="VkQueueFlagBits" name="VK_QUEUE_FAKE_BIT"/>', ""),
        ("another number", '<enum offset="1" extends="VkStructureType" name="VK_STRUCTURE_TYPE_FAKE"/>', "")):
    expect(f"a newer extension with {what}", "newer_extensions.txt: VK_FAKE_memory has", xml=new_extension(body, more), newer=FAKE)
expect("a newer extension without a reason", "is not 'NAME STRUCTURE reason'", newer="VK_FAKE_memory 1\n")
known = new_extension('<type name="VkFakeEXT"/><enum offset="0" extends="VkStructureType" name="VK_STRUCTURE_TYPE_FAKE"/>',
                      STRUCT.format(extends=' structextends="VkDeviceCreateInfo"', type="uint32_t"))
for xml, structure in ((XML, "1009998000"), (known, "VK_STRUCTURE_TYPE_FAKE")):
    code, told, made, structures_of = run(xml=xml, newer=FAKE)
    if code != 0 or '"VK_FAKE_memory"' not in made or structures_of.count(f"REVIEWED({structure})") != 1:
        sys.exit(f"a newer extension with the structure {structure}: exit {code}: {told}")

# One that has no use of memory breaks no build; it is off as long as nobody has reviewed it.
code, told, made, _ = run(xml=new_extension('<type name="VkFakeEXT"/>', STRUCT.format(extends="", type="uint32_t")))
if code != 0 or "VK_FAKE_memory" in made:
    sys.exit(f"a harmless extension: exit {code}: {told}")
for name in ('"VK_KHR_shader_clock"', '"VK_KHR_map_memory2"'):
    if name not in extensions:
        sys.exit(f"{name} is on in the list, and not in what is made of it")
for name in ("VK_EXT_pageable_device_local_memory", "VK_EXT_device_memory_report", "VK_NV_ray_tracing"):
    if f'"{name}"' in extensions:
        sys.exit(f"{name} is off in the list, and on in what is made of it")
for name, there in (("PHYSICAL_DEVICE_VULKAN_1_3_FEATURES", True), ("PHYSICAL_DEVICE_SHADER_CLOCK_FEATURES_KHR", True),
                    ("DEVICE_DEVICE_MEMORY_REPORT_CREATE_INFO_EXT", False), ("PHYSICAL_DEVICE_ADDRESS_BINDING_REPORT_FEATURES_EXT", False)):
    if (f"REVIEWED(VK_STRUCTURE_TYPE_{name})" in structures) != there:
        sys.exit(f"{name} is {'not ' if there else ''}among the structures that are reviewed")
