#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Deliberate faults in what is kept of descriptor sets, each of which some test of kronos_descriptor_tests or
kronos_resource_tests must find.

usage: descriptors.py [--build DIR] [--dispatches N] [--only TEXT]

Each fault is a replacement of text in one of the files below. It is compiled aside with the command of the build folder
(Ninja), and linked before the library of the others; the tests must be built and pass. Prints a table; ends with 1 if a
fault was not found, or if its text is no longer in the source.
"""
import pathlib
import sys

from faults import cases, commands, compiled, failing, link, main

PERSISTENT = 'layer/descriptors/persistent_sets.cpp'
SETS = 'layer/descriptors/layer_sets.cpp'
WRITER = 'layer/descriptors/set_writer.cpp'
UPDATES = 'layer/descriptors/update_hooks.cpp'
BINDS = 'layer/descriptors/bind_hooks.cpp'
CONTENT = 'layer/resources/descriptors.cpp'
RESOURCES = 'layer/resources/resources.cpp'
LIVES = 'layer/resources/lives.cpp'
CHOICE = 'layer/descriptors/choice.cpp'
RECORDING = 'layer/stats/record_hooks.cpp'
TESTS = ('kronos_descriptor_tests', 'kronos_resource_tests')

# Name, file, text, replacement.
FAULTS = [
    ('buffers by handle', CONTENT, '{.object = Uid(*buffer),', '{.object = HandleBits(info.buffer) + 2,'),
    ('views by handle', CONTENT, ': view          ? Uid(*view)', ': view          ? HandleBits(info.imageView) + 2'),
    ('texel buffers by handle', CONTENT, '{.object = Uid(*view), .object_handle', '{.object = HandleBits(handle) + 2, .object_handle'),
    ('samplers by handle', CONTENT, 'return sampler ? Uid(*sampler) :', 'return sampler ? HandleBits(handle) + 2 :'),
    ('offsets are not compared', CONTENT, '                         .offset = info.offset,\n                         .range = info.range,\n                         .object_handle',
     '                         .offset = 0,\n                         .range = info.range,\n                         .object_handle'),
    ('ranges are not compared', CONTENT, '                         .range = info.range,\n                         .object_handle', '                         .object_handle'),
    ('image layouts are not compared', CONTENT, '.offset = static_cast<uint64_t>(info.imageLayout),', ''),
    ('samplers of images are not compared', CONTENT, 'seen.identity.sampler = SamplerUid(resources, info.sampler);', ''),
    ('immutable samplers are compared', CONTENT, 'binding.type == VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER && !binding.immutable_samplers', 'binding.type == VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER'),
    ('what is not known is the same', CONTENT, '            if (!seen.identity.Known())\n                change_ = Change::kUnknown;\n            else if', '            if'),
    ('bytes of blocks are not compared', CONTENT, 'else if (content_.words[index] == word)', 'else if (content_.words[index] != kNeverWord)'),
    ('writes stay in their binding', CONTENT, '            element -= at->count;\n            if (++at == end) return placing.ForgetAll();', '            return;'),
    ('copies take the first element', CONTENT, 'const size_t index = size_t{from->first} + element++;', 'const size_t index = size_t{from->first} + element;'),
    ('memory that others have lasts', CONTENT, 'return facts.lasting ? facts.uid : facts.uid | Identity::kLoose;', 'return facts.uid;'),
    ('a new life is real as the last was', RESOURCES, 'set.real_identities.assign(set.held ? descriptors : 0, Identity{});', 'set.real_identities.resize(set.held ? descriptors : 0);'),
    ('what is bound outlives updates', RESOURCES, '    set.content = NextUid();\n    set.bound_as.store(0, std::memory_order_relaxed);', '    set.content = NextUid();'),
    ('freed memory is still there', RESOURCES, '    if (known) lives_->End(known->load(std::memory_order_relaxed));\n    memories_.Remove', '    memories_.Remove'),
    ('destroyed layouts are still there', RESOURCES, '? set_layouts_.Find(layout) : nullptr) lives_->End((*facts)->uid);\n    set_layouts_', '? set_layouts_.Find(layout) : nullptr) static_cast<void>(facts);\n    set_layouts_'),
    ('what nobody follows is not forgotten', UPDATES, '        device.resources->ForgetSets(write_count, writes, copy_count, copies);', '        static_cast<void>(0);'),
    ('nor what is written by template', UPDATES, '            device.resources->ForgetSet(set);', '            static_cast<void>(0);'),
    ('what is forgotten is still known', RESOURCES, '    if (set.forgotten) return;\n    std::fill(set.descriptors.begin(), set.descriptors.end(), Descriptor{});\n', '    if (set.forgotten) return;\n'),
    ('what is forgotten stays forgotten', RESOURCES, '    set.forgotten = false;\n    // Of a set', '    // Of a set'),
    ('nothing ends', LIVES, 'if (of_.Erase(uid) && watcher_) watcher_->Ended(uid);', ''),
    ('the end is not told', LIVES, 'if (of_.Erase(uid) && watcher_) watcher_->Ended(uid);', 'of_.Erase(uid);'),
    ('what a view is made of does not matter', LIVES, '        if (uid == kOfNothing) return true;\n', '        if (uid) return true;\n'),
    ('contents by hash alone', SETS, 'set->life.load(std::memory_order_relaxed) && set->Holds(key)', 'set->life.load(std::memory_order_relaxed)'),
    ('contents without their words', SETS, '''           (words.empty() || std::memcmp(words.data(), key.words.data(), key.words.size_bytes()) == 0);''', '           true;'),
    ('contents of any layout', SETS, 'return layout == key.layout && identities', 'return identities'),
    ('recordings do not keep their sets', SETS, 'set->recordings.load(std::memory_order_relaxed) == 0 && (!oldest', '(!oldest'),
    ('used again without being taken', SETS, '        if (!oldest->recordings.compare_exchange_strong(nobody, LayerSet::kUnused, std::memory_order_acq_rel)) continue;\n', '        static_cast<void>(nobody);\n'),
    ('used again and found as before', SETS, '        Unlist(*oldest);\n        return oldest;', '        return oldest;'),
    ('found again whatever it holds', SETS, 'if (set->life.load(std::memory_order_relaxed) != ticket >> kNumberBits) {', 'if (false) {'),
    ('the youngest is used again first', SETS, 'age(*set) < age(*oldest)', 'age(*set) > age(*oldest)'),
    ('what names a dead object is found', SETS, '        Unlist(set);\n        ++forgotten;', '        ++forgotten;'),
    ('pools are destroyed under recordings', PERSISTENT, '    if (!layout->sets.empty()) return;\n', ''),
    ('sets of dead layouts are found', PERSISTENT, '    for (LayerSet* set : layout->second->sets) sets_.Unlist(*set);\n    Bury(layout->second);', '    if (false) Bury(layout->second);'),
    ('made of dead objects', PERSISTENT, '        if (!IsAlive(lives_, identity)) return nullptr;', '        static_cast<void>(identity);'),
    ('made of dead layouts', PERSISTENT, 'if (!lives_.IsAlive(set.layout->uid)) return nullptr;', ''),
    ('bound itself without being made real', PERSISTENT, '    MakeRealLocked(set);\n    set.bound_as', '    set.bound_as'),
    ('bound before it is written', PERSISTENT, '    CountWrites(WriteSet(down_, device_, lives_, made->handle,', '    if (made->identities.empty()) CountWrites(WriteSet(down_, device_, lives_, made->handle,'),
    ('kept the first time', PERSISTENT, '    if (slot == hash) return true;', '    return true;'),
    ('never kept', PERSISTENT, '    if (slot == hash) return true;', ''),
    ('never judged', PERSISTENT, '        resources_.HoldSets(false);\n', ''),
    ('dead objects are written', WRITER, ' || !IsAlive(lives, identity)) continue;', ') continue;'),
    ('samplers may be dead', WRITER, 'return NameIsAlive(lives, identity.object) && NameIsAlive(lives, identity.sampler);', 'return NameIsAlive(lives, identity.object);'),
    ('everything is written again', WRITER, 'if (identity == held || identity.object', 'if (identity.object'),
    ('written into one binding', WRITER, '|| write->dstBinding != binding.binding ||\n', '||\n'),
    ('copies of what the driver has not got', UPDATES, 'if (fate == Fate::kPassed && source && source->held) device.persistent->MakeReal(*source);', ''),
    ('held though nobody understands it', UPDATES, 'if (change == Change::kKnown) return Fate::kHeld;\n    device.persistent->MakeDirect(set);', 'return Fate::kHeld;'),
    ('what waited is lost', UPDATES, 'if (set.held && (!fits || !device.resources->HoldsSets())) device.persistent->MakeDirect(set);', ''),
    ('direct sets are held', UPDATES, '    if (!set.held) return Fate::kPassed;\n', ''),
    ('all of a call or nothing', UPDATES, '        if (passing.Passes(i)) part[filled++] = entries[i];', '        part[filled++] = entries[i];'),
    ('unknown command buffers bind what is not real', BINDS, '        MakeReal(DeviceOf(handle), count, sets);\n', ''),
    ('the first set for all', BINDS, 'if (set->held) chosen[i] =', 'if (set->held) chosen[0] ='),
    ('recordings keep sets for ever', RECORDING, '    buffer.sets.Clear();\n', ''),
    ('every extension is reviewed', CHOICE, '(IsOneOf(kOfSets, name) && !IsOneOf(kReviewed, name))', 'false'),
]


class Faulty:
    """Builds and runs the tests with one file of the layer replaced."""

    def __init__(self, build, scratch, dispatches):
        self.build, self.scratch, self.dispatches = build, scratch, dispatches
        self.known = {test: commands(build, test) for test in TESTS}

    def run(self, file, text):
        """The first failing test; '' if all pass."""
        known = self.known[TESTS[0]]
        name = next(n for n in known if n.endswith(file.removeprefix('layer/') + '.o') and 'kronos_layer_objects' in n)
        source, target, binary = self.scratch / pathlib.Path(file).name, self.scratch / 'faulty.o', self.scratch / 'faulty_tests'
        source.write_text(text)
        compiled(known[name], name, file, source, target, self.build)
        for test in TESTS:
            program = next(n for n in self.known[test] if n.endswith(f'bin/{test}'))
            link(self.known[test][program], program, binary, [target], self.build)
            if found := failing([binary, '--gtest_brief=1'], {'KRONOS_MODEL_DISPATCHES': str(self.dispatches)}, 60):
                return found
        return ''


if __name__ == '__main__':
    sys.exit(main(__doc__, '--dispatches', 40000, 'of random programs, for each fault', Faulty, LIVES, cases(FAULTS)))
