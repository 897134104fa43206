#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Deliberate faults in what is held of submissions, how it is folded and fused and what flushes it, each of which some test of
kronos_submission_tests, kronos_resource_tests (Fuse*), kronos_layer_tests (Submits*, Fusion*, Deferred*, MixedFences*) or
kronos_happens_before must find.

usage: submission.py [--build DIR] [--programs N] [--only TEXT]

Each fault is a replacement of text in one of the files below. It is compiled aside with the command of the build folder
(Ninja), and linked before the library of the others, into the unit tests and into a layer; the tests must be built and pass.
Prints a table; ends with 1 if a fault was not found, or if its text is no longer in the source.
"""
import json
import os
import pathlib
import sys

from faults import cases, commands, compiled, failing, link, main

FOLDER = 'layer/submission/'
BATCH, QUEUE, ALL, FLUSHER = FOLDER + 'batch.cpp', FOLDER + 'submit_queue.cpp', FOLDER + 'submissions.cpp', FOLDER + 'flusher.cpp'
SUBMITS, WAITS, FLUSHES, FENCES = (FOLDER + name + '_hooks.cpp' for name in ('submit', 'wait', 'flush', 'fence'))
FUSER, OWN = FOLDER + 'fuser.cpp', FOLDER + 'fused_buffers.cpp'
EMIT, REPEATS, RECORDER = (f'layer/stream/{name}.cpp' for name in ('emit', 'repeats', 'recorder'))
HELD, PIPELINES, DEVICE, START = 'layer/stream/hold_commands.cpp', 'layer/resources/pipeline_hooks.cpp', 'layer/entry/device.cpp', FOLDER + 'start.cpp'
CACHE, TIMELINES, MEMORY, RECORDING, COMMANDS, MARKS = (FOLDER + 'fence_cache.cpp', FOLDER + 'timelines.cpp', 'layer/memory/memory_hooks.cpp',
                                                 'layer/stats/record_hooks.cpp', 'layer/entry/proc_addr.cpp', 'layer/entry/mark_hooks.cpp')

# Name, file, text, replacement.
FAULTS = [
    # The fold rule.
    ('folded into what signals', BATCH, '!waits && !EndsWithSignal() &&', '!waits &&'),
    ('what waits is folded', BATCH, '!infos_.empty() && !waits &&', '!infos_.empty() &&'),
    ('folded into what waits', BATCH, ' && infos_.back().waits == Begin(infos_.size() - 1).waits', ''),
    ('values of waits are lost', BATCH, 'ValueAt(values->pWaitSemaphoreValues, values->waitSemaphoreValueCount, i)', 'ValueAt(nullptr, values->waitSemaphoreValueCount, i)'),
    ('values of signals are lost', BATCH, 'ValueAt(values->pSignalSemaphoreValues, values->signalSemaphoreValueCount, i)', 'ValueAt(nullptr, values->signalSemaphoreValueCount, i)'),
    ('the own signal replaces the last', BATCH, '        ++last.signalSemaphoreInfoCount;\n', ''),
    ('a batch that goes on behind a mark is skipped', BATCH, 'i = goes_on ? from.infos - 1 : from.infos;', 'i = from.infos;'),
    ('signals of a piece come too early', BATCH, 'buffers == end.buffers ? end.signals : mark.signals', 'end.signals'),
    ('other structures are understood', BATCH, '(!info.pNext || (values && !values->pNext))', '(!info.pNext || values)'),
    ('flags are understood', BATCH, '!info.pNext && !info.flags &&', '!info.pNext &&'),
    # The queue.
    ('what waits is held', QUEUE, '    else if (submission.waits)\n        why = Counter::kFlushesWaiting;\n', ''),
    ('what waits goes with what is held', QUEUE, 'if (submission.waits)\n        if (const', 'if (false)\n        if (const'),
    ('forms are mixed', QUEUE, '!batch_.Empty() && batch_.Second() != kSecond', 'false'),
    ('a fence alone is not behind everything', QUEUE, 'submission.fence_virtual && covered_)', 'submission.fence_virtual)'),
    ('virtual though the program signals', QUEUE, 'submission.fence_virtual && !batch_.EndsWithSignal()', 'submission.fence_virtual'),
    ('a fence is signaled by the call before', QUEUE, '        done.fence_value = submitted_ + 1;\n', '        done.fence_value = submitted_;\n'),
    ('a fence of the driver is lost', QUEUE, 'real_fence ? submission.fence : VK_NULL_HANDLE', 'VK_NULL_HANDLE'),
    ('no limit', QUEUE, 'batch_.buffers() >= limits_.buffers || batch_.infos() >= SubmitLimits::kInfos', 'false'),
    ('held without end', QUEUE, '    else if (now_ns >= due_ns())\n        Flush(Counter::kFlushesDeadline);\n', ''),
    ('never room', QUEUE, '    if (Idle() || (!lively_ && HasRoom()))\n        Flush(Counter::kFlushesRoom);\n    else if', '    if'),
    ('no second call while one runs', QUEUE, 'StatusOf(submitted_ + 1 - in_flight) != VK_NOT_READY', 'StatusOf(submitted_) != VK_NOT_READY'),
    ('whatever comes is held', QUEUE, 'now_ns - last_ns_ <= limits_.gap_ns', 'true'),
    ('nothing comes soon after another', QUEUE, '    last_ns_ = now_ns;\n', ''),
    ('what comes late is not held behind a backlog', QUEUE, 'HasRoom(in_flight) || (in', '(HasRoom(in_flight) || in_flight != SubmitLimits::kInFlight) || (in'),
    ('what comes late waits for the rest', QUEUE, '(in_flight == SubmitLimits::kInFlight && WaitsForMore())', 'WaitsForMore()'),
    ('nothing waits for the rest', QUEUE, '(in_flight == SubmitLimits::kInFlight && WaitsForMore())', 'false'),
    ('what is held is given again', QUEUE, '    batch_.Clear();\n    holds_.store(false);', '    holds_.store(false);'),
    ('still said to be held', QUEUE, '    batch_.Clear();\n    holds_.store(false);', '    batch_.Clear();'),
    ('no second try', QUEUE, '    if (held && OutOfMemory(result)) result = GivePieces(current, fence);\n', ''),
    ('what was held and is lost is not told', QUEUE, '        lost_.store(true, std::memory_order_release);\n', ''),
    ('pieces signal too early', QUEUE, 'Call(at, next, next == current, next', 'Call(at, next, true, next'),
    ('a driver that fails has signaled', QUEUE, 'if (signals && result == VK_SUCCESS) ++submitted_;', 'if (signals) ++submitted_;'),
    ('covered whatever the program signals', QUEUE, 'covered_ = !fence && !batch_.EndsWithSignal();', 'covered_ = !fence;'),
    ('covers the driver\'s fences', QUEUE, 'covered_ = !fence && !batch_.EndsWithSignal();', 'covered_ = !batch_.EndsWithSignal();'),
    ('covers a fence alone', QUEUE, '        driver_.Gave(Counter::kCount, 1, 0);\n        covered_ = false;\n', '        driver_.Gave(Counter::kCount, 1, 0);\n'),
    ('what is reached is forgotten', QUEUE, 'if (value <= reached_.load(std::memory_order_acquire)) return VK_SUCCESS;', ''),
    ('the value before is enough', QUEUE, 'return value <= now ? VK_SUCCESS', 'return value <= now + 1 ? VK_SUCCESS'),
    # The device.
    ('other queues keep what they hold', ALL, 'if (&queue == own || !queue.Holds() || Inherited() || !', 'if (entry->next || &queue == own || !queue.Holds() || Inherited() || !'),
    ('waits behind a submission that waits', ALL, 'return queue.mutex().LockWhile([&] { return queue.Holds(); });', 'return queue.mutex().lock(), true;'),
    ('a child gives what its parent holds', ALL, 'Inherited() || !LockWhatHolds(queue)', '!LockWhatHolds(queue)'),
    ('what is lost in a submission is not told', SUBMITS, '    if (queue.lost()) submissions.SetLost();\n', ''),
    ('the flusher is not told', ALL, 'if (!flusher_.Tell())', 'if (false)'),
    ('shared semaphores are forgotten', ALL, '        shared_.Insert(semaphore, 1);\n', ''),
    ('the flusher sleeps though something is held', FLUSHER, '        told_ = true;\n        asleep_.store(false);\n', '        asleep_.store(false);\n'),
    # Hooks.
    ('what is not known may be raw at once', SUBMITS, 'if (FlushHeld(device, Counter::kFlushesUnknown) != VK_SUCCESS) return VK_ERROR_DEVICE_LOST;\n    NoteSubmit(device, known, queue, fence, true);', 'NoteSubmit(device, known, queue, fence, true);'),
    ('the timeline covers what is raw', SUBMITS, '        known->own->Uncover();\n', ''),
    ('waits for what another queue holds', SUBMITS, 'if (facts.waits && submissions.FlushOthers(', 'if (false && submissions.FlushOthers('),
    ('waits for events are not seen', SUBMITS, ' || (submissions.AnyHostEvents() && WaitForHost(infos))', ''),
    ('what signals for others is held', SUBMITS, 'if (SignalsShared(submissions, info)) return Counter::kSubmitsShared;', ''),
    ('sparse queues hold', SUBMITS, '    if (known) known->submit = nullptr;\n', ''),
    ('vkQueueBindSparse overtakes', SUBMITS, 'if (FlushHeld(device, Counter::kFlushesUnknown) != VK_SUCCESS) return VK_ERROR_DEVICE_LOST;\n    // Section "Sparse', '// Section "Sparse'),
    ('vkWaitForFences does not flush', WAITS, 'Counter::kFlushesWait) != VK_SUCCESS) return VK_ERROR_DEVICE_LOST;\n    FenceState*', 'Counter::kCount) == VK_INCOMPLETE) return VK_ERROR_DEVICE_LOST;\n    FenceState*'),
    ('vkGetFenceStatus does not flush', WAITS, 'if (result == VK_NOT_READY && FlushHeld(device, Counter::kFlushesPoll) != VK_SUCCESS) result = VK_ERROR_DEVICE_LOST;', ''),
    ('vkWaitSemaphores does not flush', WAITS, 'if (FlushHeld(device, Counter::kFlushesWait) != VK_SUCCESS) return VK_ERROR_DEVICE_LOST;\n    uint64_t waits', 'uint64_t waits'),
    ('vkGetSemaphoreCounterValue does not flush', WAITS, 'if (FlushHeld(device, Counter::kFlushesPoll) != VK_SUCCESS) return VK_ERROR_DEVICE_LOST;\n    const VkResult result = device.down.GetSemaphoreCounterValue', 'const VkResult result = device.down.GetSemaphoreCounterValue'),
    ('vkQueueWaitIdle does not flush', WAITS, 'if (FlushHeld(device, Counter::kFlushesIdle) != VK_SUCCESS) return VK_ERROR_DEVICE_LOST;\n    const auto block = [&] { return device.down.QueueWaitIdle(handle); };', 'const auto block = [&] { return device.down.QueueWaitIdle(handle); };'),
    ('vkDeviceWaitIdle does not flush', WAITS, 'if (FlushHeld(device, Counter::kFlushesIdle) != VK_SUCCESS) return VK_ERROR_DEVICE_LOST;\n    const auto block = [&] { return device.down.DeviceWaitIdle(handle); };', 'const auto block = [&] { return device.down.DeviceWaitIdle(handle); };'),
    ('all fences are the driver\'s', WAITS, 'if (MayBecomeVirtual(*state) || FenceState::IsVirtual(state->phase())) return false;', ''),
    ('a fence that is submitted later is the driver\'s', WAITS, 'if (MayBecomeVirtual(*state) || FenceState::IsVirtual(state->phase()))', 'if (FenceState::IsVirtual(state->phase()))'),
    ('vkSignalSemaphore does not flush', FLUSHES, 'if (FlushHeld(device, Counter::kFlushesSignal) != VK_SUCCESS) return VK_ERROR_DEVICE_LOST;', ''),
    ('vkGetQueryPoolResults does not flush', FLUSHES, 'if (FlushHeld(device, Counter::kFlushesQuery) != VK_SUCCESS) return VK_ERROR_DEVICE_LOST;', ''),
    ('vkGetEventStatus does not flush', FLUSHES, 'if (FlushHeld(device, Counter::kFlushesEvent) != VK_SUCCESS) return VK_ERROR_DEVICE_LOST;\n', ''),
    ('vkQueuePresentKHR overtakes', SUBMITS, 'if (FlushHeld(device, Counter::kFlushesPresent) != VK_SUCCESS) return VK_ERROR_DEVICE_LOST;', ''),
    ('imported semaphores are not shared', FLUSHES, '    if (device.submissions) device.submissions->Share(info->semaphore);\n    return device.down.ImportSemaphoreFdKHR', '    return device.down.ImportSemaphoreFdKHR'),
    ('vkGetFenceFdKHR does not flush', FENCES, '    FlushHeld(device, Counter::kFlushesShared);\n    return device.down.GetFenceFdKHR', '    return device.down.GetFenceFdKHR'),
    ('labels overtake', FLUSHES, '    FlushHeld(device, Counter::kFlushesUnknown);\n', ''),
    ('no event is the host\'s', FLUSHES, 'device.submissions->HasHostEvents();', '{}'),
    ('exported semaphores are not shared', FLUSHES, '        device.submissions->Share(*semaphore);\n', ''),
    ('virtual fences are reset by the driver', FENCES, 'if (state && FenceState::IsVirtual(state->phase())) break;', ''),
    ('virtual fences stay signaled', FENCES, '        if (end < count && result == VK_SUCCESS) state->Reset();\n', ''),
    ('kept as signaled', CACHE, '    if (FenceState::IsVirtual(state->phase())) state->Reset();  // the driver\'s was never signaled\n', ''),
    ('secondaries wait for no event', RECORDING, '        buffer->events = buffer->events || !secondary || secondary->events;\n', ''),
    ('the program\'s structure is changed', TIMELINES, '        std::memcpy(nodes_.back().get(), from, size);\n        auto* node = reinterpret_cast<VkBaseOutStructure*>(nodes_.back().get());\n',
     '        auto* node = const_cast<VkBaseOutStructure*>(reinterpret_cast<const VkBaseOutStructure*>(from));\n'),
    ('unknown structures are copied', TIMELINES, '        if (!size) {', '        if (false) {'),
    # Fusion.
    ('what is not known is left out', FUSER, '                to.buffers.push_back(given[i]);\n', ''),
    ('a run goes on behind what is not known', FUSER, '                run_begin = i + 1;\n', ''),
    ('what was in the run before is in this one', FUSER, 'to.insert(to.end(), run.begin(), run.end());\n    run_.clear();', 'to.insert(to.end(), run.begin(), run.end());'),
    ('layouts that are no more are used', FUSER, 'stream.layouts != policy_.resources->LayoutsRemoved()', 'false'),
    ('the destruction of layouts is not awaited', PIPELINES, '    const auto lock = LockFusion(device);\n', '    const bool lock = device.submissions != nullptr;\n'),
    ('names do not wait', MARKS, '    const auto lock = LockFusion(device);\n    return device.down.SetDebugUtilsObjectNameEXT', '    return device.down.SetDebugUtilsObjectNameEXT'),
    ('old and new are one run', FUSER, '(as_is || stale != run_stale_ || run_commands_', '(as_is || run_commands_'),
    ('whatever it costs', FUSER, 'if (gained_ns < 0 && !run_deferred_)', 'if (false)'),
    ('state is left out whatever is wanted', FUSER, 'policy_.drops ? &repeats_ : nullptr', '&repeats_'),
    ('counted though not given', FUSER, '    if (value) {\n        for', '    {\n        for'),
    ('what is submitted once is kept', FUSER, '    if (!once) buffer->recordings', '    buffer->recordings'),
    ('what was not recorded is given', FUSER, 'result = Record(buffer->handle, once);', 'Record(buffer->handle, once);'),
    ('what the driver could not take is pending', ALL, 'fuser_->NotGiven();', 'fuser_->Lost();'),
    ('what is given is not pending', OWN, 'buffer->until = value;', 'buffer->until = 0;'),
    ('pending ones are given again', OWN, 'if (buffer->until <= reached && std', 'if (std'),
    ('pending ones are recorded', OWN, '        if (buffer->until > reached) continue;\n', ''),
    ('others are given again', OWN, ' && std::ranges::equal(buffer->recordings, recordings)', ' && buffer->recordings.size() == recordings.size()'),
    ('no limit of their number', OWN, 'if (buffers_.size() < kMost || (must && !best))', 'if (true)'),
    ('what it held before is found', OWN, '    best->recordings.clear();\n', ''),
    ('no barrier at the seam', EMIT, '            joined.barriers.push_back(kSeam);\n', '            joined.barriers.push_back({.global = true});\n'),
    ('accesses of the first alone', EMIT, 'step.kind == StepKind::kAction ? accesses : barriers', 'step.kind == StepKind::kAction ? 0 : barriers'),
    ('barriers of the first alone', EMIT, 'step.kind == StepKind::kAction ? accesses : barriers', 'step.kind == StepKind::kAction ? accesses : 0'),
    ('barriers at the wrong commands', EMIT, 'steps.steps.size()) + 1;', 'steps.steps.size());'),
    ('no form of barriers but the first', EMIT, 'return stream->second_form; });', 'return false && stream; });'),
    ('other pipelines are the same', REPEATS, 'drops = pipeline == pipeline_;', 'drops = pipeline_;'),
    ('other bind points are the same', REPEATS, '        if (!ForCompute(bind_point)) return false;\n        drops', '        drops'),
    ('other bind points are the same for sets', REPEATS, '    if (!ForCompute(bind_point)) return false;\n    if (first', '    if (first'),
    ('other sets are the same', REPEATS, 'std::equal(sets, sets + count, sets_b) &&', 'true &&'),
    ('other offsets are the same', REPEATS, ' && std::equal(offsets, offsets + offset_count, offsets_b)', ''),
    ('other layouts disturb nothing', REPEATS, '    if (!same_layout) sets_ = {};\n', ''),
    ('pushed descriptors disturb nothing', REPEATS, ' || Is<PushDescriptors>(command) ||', ' ||'),
    ('other constants are the same', REPEATS, ' &&\n           std::memcmp(values, values_b, size) == 0', ''),
    ('constants elsewhere are the same', REPEATS, 'offset == offset_b && size', 'size'),
    ('secondaries are recorded twice', HELD, '    recorder.SetAlone();\n    HeldCommand*', '    HeldCommand*'),
    ('queries are part of others', HELD, '    recorder.SetAlone();\n    recorder.Hold<&Table::CmdBeginQuery>', '    recorder.Hold<&Table::CmdBeginQuery>'),
    ('what was given up is kept', RECORDER, 'if (held && ended && !stream_->alone', 'if (held && !stream_->alone'),
    ('long ones are kept', RECORDER, 'stream_->commands <= options_.keeps_most && options_.keeps_most', 'options_.keeps_most'),
    ('two recordings are one', RECORDER, 'stream_->uid = resources_.NextRecording();\n        ForgetState();\n    } else', 'stream_->uid = 2;\n        ForgetState();\n    } else'),
    ('their ways to begin are the same', RECORDING, 'if (own_way || !buffer->replaceable) buffer', 'if (!buffer->replaceable) buffer'),
    ('all pools are the same', DEVICE, 'made->replaceable = pool->plain && ', 'made->replaceable = '),
    ('those that wait for events are part of others', START, 'buffer->stream->uid && !buffer->events ?', 'buffer->stream->uid ?'),
    # Deferred recordings.
    ('the deferred are not looked for', FUSER, 'return any_deferred && AnyDeferred(call, policy_);', 'return false;'),
    ('one alone is given though it was not recorded', FUSER, 'run.size() > 1 || run_deferred_ ? FuseRun', 'run.size() > 1 ? FuseRun'),
    ('they die with their layouts', FUSER, 'return !stream.deferred && stream.layouts', 'return stream.layouts'),
    ('whole runs alone are kept', FUSER, 'return run_.back()->uid % FusionPolicy::kCut == 0 &&', 'return false &&'),
    ('what is submitted once is cut', FUSER, 'return run_.back()->uid % FusionPolicy::kCut == 0 &&\n           std::none_of(run_.begin(), run_.end(), [](const Stream* stream) { return stream->once; });', 'return run_.back()->uid % FusionPolicy::kCut == 0;'),
    ('what was not given waits no more', FUSER, '    for (const Arriving& one : arriving_) one.stream->waits_in.store(one.count, std::memory_order_relaxed);\n', ''),
    ('what was given still waits', FUSER, '        for (const Arriving& one : arriving_)\n            if (one.count) --*one.count;\n        Decided', '        Decided'),
    ('what was lost still waits', FUSER, '    for (const Arriving& one : arriving_)\n        if (one.count) --*one.count;\n    buffers_', '    buffers_'),
    ('nobody hears that there was no memory', FUSER, '        if (run_deferred_) failed_ = result ==', '        if (false) failed_ = result =='),
    ('as they are, and together', FUSER, '(as_is || stale != run_stale_ ||', '(stale != run_stale_ ||'),
    ('raw though the driver has nothing of them', SUBMITS, 'if (submissions.AnyDeferred() && Fuser::AnyDeferred(', 'if (false && Fuser::AnyDeferred('),
    ('they go on among what is not known', SUBMITS, '        submissions.StopDeferring(Counter::kDeferralsUnknown);\n', ''),
    ('they go on though layouts go', ALL, '    StopDeferring(Counter::kDeferralsLayouts);\n', ''),
    ('younger layouts are kept', ALL, '    if (uid > last_deferred_.load()) return false;\n', ''),
    ('layouts of theirs go', ALL, '    if (!AnyDeferred()) {\n', '    if (true) {\n'),
    ('kept layouts never go', ALL, '        for (const VkPipelineLayout buried : buried_) down_.DestroyPipelineLayout(device_, buried, nullptr);\n        buried_.clear();', '        buried_.clear();'),
    ('what is alone is deferred', RECORDER, 'if (!Holding() || stream_->alone || stream', 'if (!Holding() || stream'),
    ('long ones are deferred', RECORDER, 'stream_->commands > options_.defers_most || !options_', '!options_'),
    ('the extension is not enabled', TIMELINES, '        copy_.enabledExtensionCount = static_cast<uint32_t>(extensions_.size());\n', ''),
]


class Faulty:
    """Builds the unit tests and a layer with one file replaced, and runs the tests."""

    def __init__(self, build, scratch, programs):
        self.build, self.scratch, self.programs = build, scratch, programs
        self.known = {target: commands(build, target) for target in ('kronos_submission_tests', 'kronos_resource_tests', 'kronos_layer')}
        manifest = json.loads((build / 'manifest/explicit/VkLayer_kronos_compute.json').read_text())
        manifest['layer']['library_path'] = str(scratch / 'libVkLayer_kronos_faulty.so')
        (scratch / 'VkLayer_kronos_compute.json').write_text(json.dumps(manifest))

    def run(self, file, text):
        """The first failing test; '' if all pass."""
        known = self.known['kronos_layer']
        name = next(n for n in known if n.endswith(file.removeprefix('layer/') + '.o') and 'kronos_layer_objects' in n)
        source, target = self.scratch / pathlib.Path(file).name, self.scratch / 'faulty.o'
        source.write_text(text)
        compiled(known[name], name, file, source, target, self.build)
        binary, streams, library = self.scratch / 'faulty_tests', self.scratch / 'faulty_streams', self.scratch / 'libVkLayer_kronos_faulty.so'
        for target_name, made in (('kronos_submission_tests', binary), ('kronos_resource_tests', streams), ('kronos_layer', library)):
            words = self.known[target_name]
            whole = next(n for n in words if n.endswith((f'bin/{target_name}', 'libVkLayer_kronos_compute.so')))
            link(words[whole], whole, made, [target], self.build)
        env = {**os.environ, 'KRONOS_TEST_LAYERS': str(self.scratch), 'KRONOS_HAPPENS_BEFORE_PROGRAMS': str(self.programs)}
        for command in ([binary], [streams, '--gtest_filter=Fuse*'],
                        [self.build / 'bin/kronos_layer_tests', '--gtest_filter=Submits*:*MixedFences*:FencesTest*:Fusion*:Deferred*'],
                        [self.build / 'bin/kronos_happens_before']):
            if found := failing([*command, '--gtest_brief=1'], env, 90):
                return found
        return ''


if __name__ == '__main__':
    sys.exit(main(__doc__, '--programs', 1600, 'random programs for each fault', Faulty, BATCH, cases(FAULTS)))
