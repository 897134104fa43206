#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Deliberate faults in the barrier pass, each of which some test of kronos_oracle_tests must find.

usage: barriers.py [--build DIR] [--streams N] [--only TEXT]

Each fault is a replacement of text in one of the files of layer/stream below. It is compiled aside with the command
of the build folder (Ninja), and linked with the other objects of kronos_oracle_tests, which must be built and pass.
Prints a table; ends with 1 if a fault was not found, or if its text is no longer in the source.
"""
import pathlib
import subprocess
import sys

from faults import ROOT, commands, compiled, failing, link, main, placed, replaced

PASS = 'layer/stream/barrier_pass.cpp'
REACH = 'layer/stream/reach.cpp'
LIVE = 'layer/stream/live_accesses.cpp'
PARTS = 'layer/stream/parts.cpp'
SCOPES = 'layer/stream/scopes.cpp'
HEADER = 'layer/stream/live_accesses.h'
FILES = (PASS, REACH, LIVE, PARTS, SCOPES, HEADER)
# What is compiled anew for a fault in the header.
INCLUDING = (PASS, LIVE)

# Name, file, and text with its replacement; where the text may have one of several forms, more of these.
FAULTS = [
    ('writes after reads are not ordered', ('found.live || !part.Writes() ? found : reads_.FindConflict(part, sequence)', 'found')),
    ('reads after writes are not ordered',
     ('= writes_.FindConflict(part, sequence);', '= part.Writes() ? writes_.FindConflict(part, sequence) : Conflict{};')),
    ('writes after writes are not ordered',
     ('= writes_.FindConflict(part, sequence);', '= part.Writes() ? Conflict{} : writes_.FindConflict(part, sequence);')),
    ('ranges conflict if they begin alike',
     ('!one.hull.Overlaps(part.hull)', '!(one.hull.memory == part.hull.memory && one.hull.begin == part.hull.begin)')),
    ('accesses of parts conflict if they begin alike',
     ('if (own.where.Overlaps(access.where)) return access.kinds;',
      'if (own.where.memory == access.where.memory && own.where.begin == access.where.begin) return access.kinds;')),
    ('parts conflict by their first accesses', ('for (const Access& own : accesses)', 'for (const Access& own : accesses.first(1))')),
    ('writers are kept with readers', ('Group& group = part.Writes() ? writes_ : reads_;', 'Group& group = reads_;')),
    ('what barriers write is kept with readers', ('(live.kinds & kWrites ? writes_ : reads_).Push(live);', 'reads_.Push(live);')),
    ('parts: reads are taken for writes', (' && !((a ^ b) & kWrites));', ');')),
    ('parts: as large as the first access', ('            Widen(part.hull, next.where);\n', '')),
    ('parts: all memories are one', ('    if (hull.memory != by.memory)\n        hull = {};\n    else\n', '')),
    ('parts: of the first access\'s kinds', ('            part.kinds |= next.kinds;\n', '')),
    ('parts: actions that begin alike are the same', ('if (at && actions_[at - 1].accesses == action.count)', 'if (at)')),
    ('parts: only the first', ('        parts_.push_back(part);\n', '        parts_.push_back(part);\n        return;\n')),
    ('reach: a barrier replaces the last', ('after & scopes.before)) after |= scopes.after;', 'after & scopes.before)) after = scopes.after;')),
    ('reach: no chains of execution', ('if (executes || (after & scopes.before))', 'if (executes)')),
    ('reach: no chains of memory', ('const bool was_available = available & scopes.before;', 'const bool was_available = false;')),
    ('reach: once available, visible to any chain',
     ('const bool was_available = available & scopes.before;', 'const bool was_available = available;')),
    ('reach: whatever was made available', ('writes && !(writes & ~scopes.available)', 'writes')),
    ('reach: visible whatever the range', ('    if (makes_visible) visible |= scopes.visible;', '    visible |= scopes.visible;')),
    ('reach: available whatever the range', ('executes && makes_available && writes', 'executes && writes')),
    ('earlier work: no chains of execution', ('(kOfStages[i] | kOfWrites[i] | after[i]) & before', '(kOfStages[i] | kOfWrites[i]) & before')),
    ('earlier work: no chains of memory', ('(kOfWrites[i] & made_available) | (available[i] & before)', 'kOfWrites[i] & made_available')),
    ('earlier work: once available, visible to any chain', ('(available[i] & before)', 'available[i]')),
    ('earlier work: whatever was made available', ('makes_available ? scopes.before & scopes.available : 0', 'makes_available ? scopes.before : 0')),
    ('earlier work: visible whatever the range', ('makes_visible ? scopes.visible : 0', 'scopes.visible')),
    ('earlier work: available whatever the range', ('makes_available ? scopes.before & scopes.available : 0', 'scopes.before & scopes.available')),
    ('earlier work: that it changed is not noticed', ('    if (changed) ++version;\n', '')),
    ('earlier work: execution does not count',
     ('        any |= by_program_.after[i] & ~by_output_.after[i];\n', '')),
    ('earlier work: memory does not count',
     ('        any |= by_global_.visible[i] & ~by_output_.visible[i];\n', '')),
    ('earlier work: ranges do not count',
     ('        in_ranges |= by_program_.visible[i] & ~by_output_.visible[i];\n', '')),
    ('earlier work: what is missing is not computed again', ('if (versions == missing_.versions) return;', 'if (missing_.versions != ~uint64_t{0}) return;')),
    ('earlier work: an emission is applied once for all', ('if (known.output_version != by_output_.version) {', 'if (known.output_version == Earlier::kNoVersion) {')),
    ('earlier work: only ranges that begin alike count',
     ('return range.Overlaps(access.where); });',
      'return range.memory == access.where.memory && range.begin == access.where.begin; });')),
    ('earlier work: hard barriers order everything',
     ('by_output_.Apply(certain, barrier.global, barrier.global);', 'by_output_.Apply(certain, true, true);')),
    ('earlier work: an order from before a fence still counts', ('    }\n    ForgetEarlier();\n}', '    }\n}')),
    ('masks that were seen before a fence are taken for done',
     ('available = kOfStages;\n    ++version;', 'available = kOfStages;')),
    ('merged masks: only the last', ('pending_ |= barrier.masks;', 'pending_ = barrier.masks;')),
    ('merged masks: not the stages',
     ('pending_ |= barrier.masks;',
      'pending_ |= {waiting_ ? 0 : barrier.masks.source_stages, barrier.masks.source_access, '
      'barrier.masks.destination_stages, barrier.masks.destination_access};')),
    ('the program\'s global barriers order no memory',
     ('known.global_version[global ? 1 : 0], global, global);', 'known.global_version[global ? 1 : 0], false, false);')),
    ('the program\'s ranges are not noted', ('for (const MemoryRange& range : steps_->RangesOf(barrier)) AddProgramRange(range);\n    Order', '    Order')),
    ('masks with the same source are the same',
     ('if (known_[last_known_].masks == masks &&', 'if (known_[last_known_].masks.source_stages == masks.source_stages &&')),
    ('settled: whatever the stages', ('!live.of_barrier && !(live.kinds & ~scopes.before)', '!live.of_barrier')),
    ('settled: what barriers do too', ('!live.of_barrier && !(live.kinds & ~scopes.before)', '!(live.kinds & ~scopes.before)')),
    ('settled: if one of its stages is',
     ('!live.of_barrier && !(live.kinds & ~scopes.before)', '!live.of_barrier && (live.kinds & scopes.before)')),
    ('settled: whatever executes after it', ('return !(later & ~reach.after) && ', 'return ')),
    ('settled: whatever is visible', (' && (!(kinds & kWrites) || !(later & ~reach.visible))', '')),
    ('settled: by hard barriers of any range',
     ('live_.Settle(certain, barrier.global);', 'live_.Settle(certain, true);')),
    ('settled: after the first emission',
     ('live_.Settle(emission.masks, known.least, ahead_[index].kinds);', 'live_.Settle(emission.masks, known.least, 0);')),
    ('settled at once: whatever the stages', ('!of_barriers && !(kinds & ~scopes.before) && !(later', '!of_barriers && !(later')),
    ('settled at once: whatever executes after it', (' && !(later & ~scopes.after) &&\n', ' &&\n')),
    ('settled at once: whatever is available', ('(!(written & ~scopes.available) && !(later & ~scopes.visible))', '!(later & ~scopes.visible)')),
    ('settled at once: whatever is visible', ('(!(written & ~scopes.available) && !(later & ~scopes.visible))', '!(written & ~scopes.available)')),
    ('settled at once: what barriers do too', ('!of_barriers && !(kinds', '!(kinds')),
    ('settled at once: only what came last', ('kinds |= added.of_barrier ? 0 : added.kinds;', 'kinds = added.of_barrier ? 0 : added.kinds;')),
    ('settled again: after hard barriers too', ('        group->known = 0;\n', '')),
    ('made again: whatever is pending', ('!pending || (known && *pending == last_)', 'true')),
    ('made again: whatever came since the barrier', ('!pending || (known && *pending == last_)', '!pending || *pending == last_')),
    ('made again: whatever the pending masks', ('!pending || (known && *pending == last_)', '!pending || known')),
    ('made again: still from before the barrier', ('if (!known && live.sequence == sequence) return;', 'if (live.sequence == sequence) return;')),
    ('made again: in place of another', ('part.place < group.count && group.live[part.place].part == &part', 'part.place < group.count')),
    ('made again: as ordered as before', ('    live[part.place].reach = {};\n', '')),
    ('made again: still among the known', ('    if (part.place < known) {', '    if (false) {')),
    ('fences are passed', ('                Barred(i, KeepReason::kFence);\n', '')),
    ('opaque commands are passed', ('                Barred(i, KeepReason::kOpaque);\n', '')),
    ('opaque commands do nothing',
     ('                live_.Add(anything_, sequence_, nullptr);\n', '')),
    ('hard barriers are passed', ('if (waiting_) Emit(index, KeepReason::kHard);', '')),
    ('hard barriers of several entries are trusted',
     ('barrier.uncertain ? Scopes{} : known.least', 'known.least')),
    ('hard barriers: masks do not count as the program\'s',
     ('    Order(known, barrier.global);\n', '')),
    ('the end: what is pending is lost', ('if (waiting_ || indebted_) Emit(count', 'if (indebted_) Emit(count')),
    ('the end: what was narrowed is lost', ('if (waiting_ || indebted_) Emit(count', 'if (waiting_) Emit(count')),
    ('narrowed: debts are forgotten', ('        debt_ |= asked_;\n', '')),
    ('narrowed: whatever earlier work needs', ('        if (less) return false;\n', '')),
    ('narrowed: what was asked for is not owed', ('    if (is_asked_) {\n        Earlier', '    if (false) {\n        Earlier')),
    ('seams order work before the recording', ('    if (barrier.seam) return;\n', '')),
    ('what waits is forgotten at the end', ('    if (waiting_ && !is_asked_) NothingWaits();', '    if (waiting_) NothingWaits();')),
    ('seams are there for work after the recording', ('    if (waiting_ && !is_asked_) NothingWaits();\n', '')),
    ('seams are no barriers before what is not known', ('is_asked_ || (waiting_ && reason == KeepReason::kOpaque)', 'is_asked_')),
    ('what waits at the end is not what was asked for', ('        emission.masks = asked_;\n', '        emission.masks = {};\n')),
    ('narrowed: before fences too', (' && index >= last_barred_', '')),
    ('narrowed: not counted', ('++plan_->narrowed;', '')),
    ('too many accesses: the first order holds for all', ('into.reach.after &= other.reach.after;', 'into.reach.after |= other.reach.after;')),
    ('too many accesses: the smaller range',
     ('into.hull.end = std::max', 'into.hull.end = std::min')),
    ('too many accesses: those of one memory', ('into.hull.memory == where.memory && into.kinds', 'into.kinds')),
    ('too many accesses: only the hulls of parts', ('for (const Access& access : live[i].accesses) add(live[i], access.where);', 'if (!live[i].accesses.empty()) add(live[i], live[i].accesses[0].where);')),
    ('too many accesses: what is left over is nowhere', ('            join(joined[0], one, where);\n            joined[0].hull = {};\n', '')),
    ('too many accesses: what is left over is where the first is', ('            joined[0].hull = {};\n', '')),
    ('too many accesses: as young as the youngest',
     ('into.sequence = std::min', 'into.sequence = std::max')),
    ('necessary: what is for earlier work too', ('    return NeedsEarlier(', '    ++plan_->necessary;\n    return NeedsEarlier(')),
    ('necessary: not counted', ('        ++plan_->necessary;\n        return ReasonOf', '        return ReasonOf')),
    ('emits whenever two accesses conflict',
     ('if (one.sequence == sequence || ', 'if (')),
    ('scopes: the host is a stage of all commands',
     ('(kAllKinds & ~kHost) | (stages & VK_PIPELINE_STAGE_2_HOST_BIT ? kHost : 0)', 'kAllKinds')),
    ('scopes: no logically earlier stages',
     ('if (source & (kCompute | kOther)) scopes.before |= kIndirect;', '')),
    ('scopes: no logically later stages',
     ('if (destination & kIndirect) scopes.after |= kCompute | (least ? 0 : kOther);', '')),
    ('scopes: the end of the pipe is nothing',
     ('if (masks.source_stages & kBottom) scopes.before |= kAllKinds & ~kHost;', '')),
    ('scopes: the top of the pipe is nothing',
     ('if (masks.destination_stages & kTop) scopes.after |= kAllKinds & ~kHost;', '')),
    ('scopes: available whatever the access',
     ('source & WithAccess(masks.source_access, least) & kWrites', 'source & kWrites')),
    ('scopes: visible to stages that are not meant',
     ('scopes.visible = destination & WithAccess', 'scopes.visible = WithAccess')),
    ('scopes: SHADER_READ is surely that of uniform buffers',
     ('if (least) return kinds;\n    if (access & VK_ACCESS_2_SHADER_READ_BIT) kinds |= Of(Kind::kUniformRead);',
      'if (access & VK_ACCESS_2_SHADER_READ_BIT) kinds |= Of(Kind::kUniformRead);\n    if (least) return kinds;')),
    ('scopes: a transfer is a copy',
     ('{VK_PIPELINE_STAGE_2_CLEAR_BIT | VK_PIPELINE_STAGE_2_ALL_TRANSFER_BIT,', '{VK_PIPELINE_STAGE_2_CLEAR_BIT,')),
    ('scopes: narrowed without reads', ('FlagsOf(kinds & ~kWrites)', 'FlagsOf(0)')),
    ('scopes: narrowed without writes of transfers',
     ('if (kinds & kTransferWrites) flags |= VK_ACCESS_2_TRANSFER_WRITE_BIT;', '')),
    ('scopes: the source narrowed by what comes after',
     ('InStages(masks.source_stages, false) & before', 'InStages(masks.source_stages, false) & after')),
    ('scopes: every flag is known', ('return !((masks.source_stages', 'return true || !((masks.source_stages')),
]


def sources():
    return {file: (ROOT / file).read_text() for file in FILES}


class Compiler:
    """Compiles a file of a target with another text, aside."""

    def __init__(self, build, scratch, target, folder):
        """folder: what the names of the target's objects have in them, where a file is compiled for several targets."""
        self.build, self.scratch = build, scratch
        self.known = commands(build, target)
        self.compile = {file: next((name, words) for name, words in self.known.items()
                                   if name.endswith(file.removeprefix('layer/') + '.o') and folder in name)
                        for file in FILES if file != HEADER}

    def objects(self, file, text):
        """The new objects, by the names of those that they stand for. Text that does not compile is an error of the caller."""
        include = self.scratch / 'stream'
        include.mkdir(exist_ok=True)
        source = include / pathlib.Path(file).name
        source.write_text(text)
        objects = {}
        for one in INCLUDING if file == HEADER else (file,):
            name, words = self.compile[one]
            target = self.scratch / (pathlib.Path(one).name + '.o')
            if file == HEADER:
                first = next(i for i, word in enumerate(words) if word.startswith('-I'))
                words = [*words[:first], f'-I{self.scratch}', *words[first:]]
            compiled(words, name, None if file == HEADER else file, source, target, self.build)
            objects[name] = str(target)
        source.unlink()
        return objects


class FaultyLayer(Compiler):
    """Makes the layer's library with one of the files replaced."""

    def __init__(self, build, scratch):
        super().__init__(build, scratch, 'kronos_layer', 'kronos_layer_objects')
        self.library = next(name for name in self.known if name.endswith('libVkLayer_kronos_compute.so'))

    def make(self, file, text):
        words = self.known[self.library]
        objects = self.objects(file, text)
        library = self.scratch / 'libVkLayer_kronos_faulty.so'
        link(words, self.library, library, objects.values(), self.build)
        return library


class Faulty(Compiler):
    """Builds and runs the tests with one of the files replaced."""

    def __init__(self, build, scratch, streams):
        super().__init__(build, scratch, 'kronos_oracle_tests', 'oracle')
        self.streams = streams
        self.binary = next(name for name in self.known if name.endswith('bin/kronos_oracle_tests'))

    def run(self, file, text):
        """The first failing test; '' if all pass."""
        binary, words = self.scratch / 'faulty_tests', self.known[self.binary]
        for name, target in self.objects(file, text).items():
            words = replaced(words, name, target)
        subprocess.run(replaced(words, self.binary, str(binary)), cwd=self.build, check=True)
        return failing([binary], {'KRONOS_ORACLE_STREAMS': str(self.streams)}, 300)


def cases():
    texts = sources()
    for name, *forms in FAULTS:
        yield name, placed(forms, texts)


if __name__ == '__main__':
    sys.exit(main(__doc__, '--streams', 60000, 'random recordings for each fault', Faulty, PASS, cases()))
