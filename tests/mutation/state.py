#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Deliberate faults in what is known of bound state, each of which some test of kronos_resource_tests must find.

usage: state.py [--build DIR] [--dispatches N] [--only TEXT]

Each fault is a replacement of text in one of the files below. It is compiled aside with the command of the build folder
(Ninja), and linked before the library that kronos_resource_tests is made of, which must be built and pass.
Prints a table; ends with 1 if a fault was not found, or if its text is no longer in the source.
"""
import pathlib
import sys

from faults import ROOT, commands, compiled, failing, link, main, placed

SHADOW = 'layer/stream/bound_shadow.cpp'
FILES = (SHADOW, 'layer/resources/bound.cpp', 'layer/resources/compatibility.cpp', 'layer/resources/judge.cpp', 'layer/stream/hold_commands.cpp',
         'layer/stream/recorder.cpp')
TESTS = 'Shadow*:Drops*:DroppingRecorder*:RedundantState*'

# Name, and text with its replacement.
FAULTS = [
    ('pushes: buffers that died are as they were', ('        for (Pushed& one : pushed_) one.buffer = 0;\n', '        static_cast<void>(changes);\n')),
    ('pushes: whatever the offset, if the buffer is the same', ('from.offset == before.offset && from.range == before.range;', 'from.range == before.range;')),
    ('pipelines: by their handles', ('known ? known->uid : 0;\n    if (!uid)', 'known ? HandleBits(pipeline) : 0;\n    if (!uid)')),
    ('pipelines: one that is not known takes no place', ('        pipeline_ = 0;\n        return', '        return')),
    ('sets: by their handles', ('found.uid = set->uid;\n    found.content = set->content;', 'found.uid = HandleBits(set->handle);')),
    ('sets: whatever they hold', ('    found.content = set->content;\n', '')),
    ('sets: whatever their offsets', ('std::equal(set.offsets, set.offsets + set.offset_count, slot.offsets.begin())', 'true')),
    ('sets: whatever the layout', ('slot.compatible == known->compatible[first + i] &&\n', 'true &&\n')),
    ('sets: those that are not understood too', ('    if (!set->layout->understood) return;\n', '')),
    ('sets: whoever takes the offsets before', ('if (!countable || count >', 'if (count >')),
    ('sets: more offsets than there is room to compare', ('        if (count > kMostOffsets) return;\n', '        if (count > kMostOffsets) found.offset_count = 1;\n')),
    ('sets: offsets that no set takes', ('const bool odd = countable && taken != offsets.size();', 'const bool odd = false;')),
    ('sets: a layout that is not known disturbs nothing', ('        ForgetSets();\n        return Effect::kUnknown;\n    }\n    std::array<Set', '        return Effect::kUnknown;\n    }\n    std::array<Set')),
    ('one set: whatever it holds', ('slot.content == content &&\n        slot.compatible == layout', 'true &&\n        slot.compatible == layout')),
    ('one set: whatever the layout', ('slot.compatible == layout.compatible[number] &&', 'true &&')),
    ('one set: disturbs nothing', ('    Occupy(layout, number);\n    slot.holds', '    slot.holds')),
    ('one set: what is bound in its place is it itself', ('const bool itself = chosen == set->handle;', 'const bool itself = true;')),
    ('one set: those that are not understood too', (' && set->layout->understood && !set', ' && !set')),
    ('one set: whatever its offsets', (' && !set->layout->dynamic_offsets;', ';')),
    ('one set: one that is not known disturbs nothing', ('        Occupy(layout, number);\n        return Effect::kUnknown;\n    }\n    const bool itself', '        return Effect::kUnknown;\n    }\n    const bool itself')),
    ('disturbed: nothing below', ('    if (!keeps_lower) {', '    if (false) {')),
    ('disturbed: nothing above', ('    if (keeps_lower && before == layout.compatible[set]) return;', '    if (true) return;')),
    ('disturbed: above only if below', ('    if (keeps_lower && before == layout.compatible[set]) return;', '    if (keeps_lower) return;')),
    ('disturbed: above, surely', ('const bool surely = before > kAnyLayout', 'const bool surely = true || before > kAnyLayout')),
    ('disturbed: what may not be bound counts as bound', ('if (slots_[i].compatible > kAnyLayout) slots_', 'if (slots_[i].compatible) slots_')),
    ('disturbed: below, nothing by what is not known', ('if (slots_[i].compatible != kNeverBound && slots_', 'if (slots_[i].compatible > kAnyLayout && slots_')),
    ('trimmed: whatever is between', ('keeps_higher = keeps_higher && slots_[first + i].compatible == known->compatible[first + i];', '{}')),
    ('trimmed: with all offsets before', ('run.first_offset += head_offsets, run.offset_count -= head_offsets;', '')),
    ('trimmed: with all offsets behind', (', run.offset_count -= tail_offsets;', ';')),
    ('constants: whatever was written', ('if (have && values_[first + i] == value) {\n            same = same && !(stages & ~have);', 'if (values_[first + i] == value) {')),
    ('constants: whatever the stages', ('            same = same && !(stages & ~have);\n', '')),
    ('constants: other stages keep the value', ('        values_[first + i] = value;\n        have = stages;', '        values_[first + i] = value;\n        have |= stages;')),
    ('constants: of other ranges', ('if (constants_ != known->constants) {', 'if (constants_ == 0) {')),
    ('constants: what is not followed changes nothing', ('        ForgetConstants();\n        return Effect::kUnknown;', '        return Effect::kUnknown;')),
    ('again: whatever died meanwhile', (' ||\n        buffer_changes_ != resources_->BufferChanges())', ')')),
    ('again: whatever is bound', ('slot.holds != Slot::Holds::kPushed || ', '')),
    ('again: with whatever layout', ('slot.compatible != known->compatible[set] ||', 'false ||')),
    ('again: whatever the element', ('&pushed_[binding->first + element];', '&pushed_[binding->first];')),
    ('again: what nobody understands', ('return write.pNext ? nullptr : write.pBufferInfo;', 'return write.pBufferInfo;')),
    ('again: buffers that do not lie in a row', ('return in_a_row ?', 'return true ?')),
    ('pushed: with whatever layout', (' && slot.compatible == known->compatible[set];\n    if (!goes_on)', ';\n    if (!goes_on)')),
    ('pushed: in whatever set', ('            if (other.holds == Slot::Holds::kPushed) other.holds = Slot::Holds::kUnknown;\n', '            static_cast<void>(other);\n')),
    ('pushed: buffers by their handles', ('{buffer ? buffer->uid : 0, 0, from.offset,', '{buffer ? HandleBits(from.buffer) : 0, 0, from.offset,')),
    ('pushed: whatever the offset', ('buffer->uid : 0, 0, from.offset, from.range,', 'buffer->uid : 0, 0, 0, from.range,')),
    ('pushed: whatever the range', ('buffer->uid : 0, 0, from.offset, from.range,', 'buffer->uid : 0, 0, from.offset, 0,')),
    ('pushed: texel views by their handles', ('return {view ? view->uid : 0};', 'return {view ? HandleBits(from) : 0};')),
    ('pushed: image views by their handles', ('Pushed made = {view ? view->uid : 0, 0,', 'Pushed made = {view ? HandleBits(from.imageView) : 0, 0,')),
    ('pushed: whatever the layout of the image', ('view->uid : 0, 0, static_cast<uint64_t>(from.imageLayout)}', 'view->uid : 0}')),
    ('pushed: samplers are what they were', ('return binding.immutable_samplers ? 1 : 0;', 'return 1;')),
    ('pushed: what is not known is what it was', ('same = same && now.object && now.Same(before);', 'same = same && now.Same(before);')),
    ('pushed: whatever the element', ('pushed_[binding->first + element + i]', 'pushed_[binding->first + i]')),
    ('pushed: writes that go on in the next binding', (' && count <= binding->count - element;', ';')),
    ('pushed: whatever the type', (' && binding->type == type && element', ' && element')),
    ('pushed: disturbs no other set', ('    Occupy(*known, set);\n    if (understood)', '    slot.compatible = known->compatible[set];\n    if (understood)')),
    ('pushed: what is not understood changes nothing', ('    Occupy(*known, set);\n    if (understood) slot.holds', '    if (understood) Occupy(*known, set);\n    if (understood) slot.holds')),
    ('cleared: not the pipeline', ('Clear() noexcept {\n    pipeline_ = 0;\n', 'Clear() noexcept {\n')),
    ('cleared: not the sets', ('        slot.compatible = kNeverBound;\n        slot.holds = Slot::Holds::kUnknown;\n', '')),
    ('cleared: not the constants', ('    }\n    ForgetConstants();\n}\n\n// Any', '    }\n}\n\n// Any')),
    ('compatible: whatever the ranges', ('NumberOf({kLayout, flags, layout.constants})', 'NumberOf({kLayout, flags})')),
    ('compatible: whatever the flags', ('NumberOf({kLayout, flags, layout.constants})', 'NumberOf({kLayout, layout.constants})')),
    ('compatible: whatever comes before', ('Words definition = {kSet, before};', 'Words definition = {kSet};')),
    ('compatible: all ranges are the same', ('    for (const VkPushConstantRange& range : layout.push_constants)\n', '    for (const VkPushConstantRange& range : std::vector<VkPushConstantRange>())\n')),
    ('identically defined: whatever the stages', ('binding.stageFlags, binding_flags});', '0, binding_flags});')),
    ('identically defined: whatever the flags of bindings', ('binding.stageFlags, binding_flags});', 'binding.stageFlags, 0});')),
    ('identically defined: whatever the layout\'s flags', ('words = {info.flags};', 'words = {0};')),
    ('identically defined: whatever the samplers', ('        if (samples && binding.pImmutableSamplers) return {};\n', '')),
    ('secondaries leave what is bound', ('    if (BoundShadow* shadow = recorder.shadow()) shadow->Clear();\n', '')),
    ('binds for other stages too are for compute', ('        shadow->ForgetSets();\n', '')),
    ('all bind points are one: pipelines', ('if (bind_point == kCompute && ChangesNothing(recorder, Redundant::kPipelines', 'if (ChangesNothing(recorder, Redundant::kPipelines')),
    ('all bind points are one: sets', ('    if (bind_point == kCompute && !Trim', '    if (!Trim')),
    ('what is bound in place of sets is they themselves', ('if (found[i].uid && chosen && chosen[i] != sets[i]) {', 'if (false) {')),
    ('what was found of sets is all of the first', ('return found ? found[i] :', 'return found ? found[0] :')),
    ('what is bound in place of sets is all one', ('found[i].uid = HandleBits(chosen[i]);', 'found[i].uid = 2;')),
    ('a recording begins with what another bound', ('    if (options_.drops) shadow_.Clear();\n', '')),
]


class Faulty:
    """Builds and runs the tests with one of the files replaced."""

    def __init__(self, build, scratch, dispatches):
        self.build, self.scratch, self.dispatches = build, scratch, dispatches
        self.known = commands(build, 'kronos_resource_tests')
        self.binary = next(name for name in self.known if name.endswith('bin/kronos_resource_tests'))
        self.compile = {file: next((name, words) for name, words in self.known.items()
                                   if name.endswith(file.removeprefix('layer/') + '.o')) for file in FILES}

    def run(self, file, text):
        """The first failing test; '' if all pass."""
        source, target, binary = self.scratch / pathlib.Path(file).name, self.scratch / 'faulty.o', self.scratch / 'faulty_tests'
        source.write_text(text)
        name, words = self.compile[file]
        compiled(words, name, file, source, target, self.build)
        link(self.known[self.binary], self.binary, binary, [target], self.build)
        return failing([binary, f'--gtest_filter={TESTS}'], {'KRONOS_STATE_DISPATCHES': str(self.dispatches)}, 300)


def cases():
    texts = {file: (ROOT / file).read_text() for file in FILES}
    for name, *forms in FAULTS:
        yield name, placed(forms, texts)


if __name__ == '__main__':
    sys.exit(main(__doc__, '--dispatches', 50000, 'of random programs, for each fault', Faulty, SHADOW, cases()))
