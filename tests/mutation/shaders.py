#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Puts deliberate faults into layer/shaders, one at a time, and demands that the shader tests fail on each.

usage: shaders.py [--jobs N] [NAME...]

Works in a scratch copy of the tree, builds kronos_shader_tests of each mutant there and prints a table. Ends 1 if a
mutant survives or no longer applies. Takes minutes, so it is run by hand."""
import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCAN, FOLLOW, READER = "scan.cpp", "follow.cpp", "module_reader.cpp"

# name: (file, text that occurs in it, what it becomes), or several of them
MUTANTS = {
    "atomics only read": (SCAN, "return Mark(instruction[3], kReadWrite);", "return Mark(instruction[3], kRead);"),
    "atomic stores only write": (SCAN, "return Mark(instruction[1], kReadWrite);",
                                 "return Mark(instruction[1], kWrite);"),
    "stores ignored": (SCAN, "return Access(instruction[1], kWrite, instruction, 3);", "return true;"),
    "copy's target ignored": (SCAN, "return Access(instruction[1], kWrite, instruction, 3) && ", "return "),
    "copy's source ignored": (SCAN, " && Access(instruction[2], kRead, instruction, 3);", ";"),
    "sized copy's target ignored": (SCAN, "return Access(instruction[1], kWrite, instruction, 4) && ", "return "),
    "volatile accesses not shared": (SCAN, "if (SharesMemory(instruction[operands])) marks = kReadWrite;", ""),
    "second mask at the wrong word": (SCAN, "MemoryAccessAlignedMask ? 2 : 1;", "MemoryAccessAlignedMask ? 1 : 1;"),
    "second mask ignored": (SCAN, "masks < 2 &&", "masks < 1 &&"),
    "volatile texels not shared": (SCAN, "SharesTexels(instruction[5]) ? kReadWrite : kRead", "kRead"),
    "available texels not shared": (SCAN, "SharesTexels(instruction[4]) ? kReadWrite : kWrite", "kWrite"),
    "image writes ignored": (SCAN, "case spv::OpImageWrite:", "case 65000:"),
    "image reads ignored": (SCAN, "case spv::OpImageRead:\n", ""),
    "gathers ignored": (SCAN, "case spv::OpImageGather:\n", ""),
    "sparse samples ignored": (SCAN, "case spv::OpImageSparseSampleExplicitLod:\n", ""),
    "an image's load is a read": (SCAN, "if (module_.Flags(instruction[1]) & kHandle) return true;", ""),
    "matrix stores ignored": (SCAN, "return Access(instruction[1], kWrite, instruction, 5);", "return true;"),
    "matrix operands at the wrong word": (SCAN, "return Access(instruction[3], kRead, instruction, 6);",
                                          "return Access(instruction[3], kRead, instruction, 7);"),
    "tensor loads ignored": (SCAN, "return Mark(instruction[3], SharesMemory(instruction[6]) ? kReadWrite : kRead) &&",
                             "return"),
    "decoding functions not reached": (SCAN, "ReachUnseen(instruction, 7);", "true;"),
    "functions per element not reached": (SCAN, "return ReachUnseen(instruction, 4);", "return true;"),
    "arguments of unseen calls trusted": (SCAN, ".called_unseen = true;", ".called_unseen = false;"),
    "addresses as numbers trusted": (SCAN, "bool UseFinder::ScanUnlisted(Instruction instruction, uint32_t word) {\n"
                                     "    addresses_ = Use::kReadWrite;", "bool UseFinder::ScanUnlisted(Instruction "
                                     "instruction, uint32_t word) {\n"),
    "unlisted instructions only read": (SCAN, "return Mark(operand, OfAny(kReadWrite));",
                                        "return Mark(operand, OfAny(kRead));"),
    "unlisted instructions ignored": (SCAN, "? ScanUnlisted(instruction, word)", "? true"),
    "unlisted definitions trusted": (SCAN, "if (!module_.Defined(operand)) return false;",
                                     "if (!module_.Defined(operand)) return true;"),
    "unlisted instructions call nothing": (SCAN, "return ReachUnseen(instruction, 1);", "return true;"),
    "unknown instruction sets harmless": (SCAN, "if (set & kNonSemantic) return true;",
                                          "if (!(set & kGlsl)) return true;"),
    "GLSL's pointers ignored": (SCAN, "if (set & kNonSemantic) return true;", "if (set) return true;"),
    "pointers become numbers unseen": (SCAN, "case spv::OpConvertPtrToU:\n        case spv::OpBitcast:",
                                       "case 65000:"),
    "functions without a body do nothing": (SCAN, "if (!facts.has_body) return false;",
                                            "if (!facts.has_body) return true;"),
    "argument count not checked": (SCAN, "if (call.count() != 4 + callee.parameters) return false;", ""),
    "OpPhi: the first alone": (FOLLOW, "for (uint32_t i = 3; i < from.count(); i += 2)",
                               "for (uint32_t i = 3; i < 4; i += 2)"),
    "OpSelect: the first alone": (FOLLOW, "return Mark(from[4], marks) && Mark(from[5], marks);",
                                  "return Mark(from[4], marks);"),
    "OpSampledImage: the image alone": (FOLLOW, "return Mark(from[3], marks) && Mark(from[4], marks);",
                                        "return Mark(from[3], marks);"),
    "parameters: the last call alone": (FOLLOW, "for (; link; link = calls_[link - 1].previous)",
                                        "for (; link; link = 0)"),
    "parameters: the first argument": (FOLLOW, "[4 + parameter.ordinal]", "[4]"),
    "parameters ignored": (FOLLOW, "return FollowParameter(facts, marks);", "return true;"),
    "returns: the last alone": (FOLLOW, "link; link = returns_[link - 1].previous", "link; link = 0"),
    "OpPtrAccessChain keeps the element": (FOLLOW, "return Mark(from[3], OfAny(marks));",
                                           "return Mark(from[3], marks);"),
    "untyped chains as the access says": (FOLLOW, "return Mark(from[4], OfAny(kReadWrite));",
                                          "return Mark(from[4], marks);"),
    "untyped variables as the access says": (FOLLOW, "return AddVariable(id, BindingUse::kAnyElement, kReadWrite);",
                                             "return AddVariable(id, BindingUse::kAnyElement, marks);"),
    "loaded pointers point nowhere": (FOLLOW, "return from_descriptor && Mark(load[3], marks);",
                                      "return !from_descriptor || Mark(load[3], marks);"),
    "handles out of buffers trusted": (FOLLOW, "[2] == spv::StorageClassUniformConstant;",
                                       "[2] != spv::StorageClassFunction;"),
    "undefined pointers point nowhere": (FOLLOW, "case spv::OpConstantNull:",
                                         "case spv::OpConstantNull: case spv::OpUndef:"),
    "specialization constants assumed": (FOLLOW, "constant.opcode() == spv::OpConstant &&",
                                         "(constant.opcode() == spv::OpConstant || constant.opcode() == "
                                         "spv::OpSpecConstant) &&"),
    "half of a wide index": (FOLLOW, "&& constant.count() == 4;", ";"),
    "arrays of arrays numbered": (FOLLOW, " || is_array(DefinitionOf(pointer[3])[2])", ""),
    "elements of no array": (FOLLOW,
        "if (!is_array(pointer[3]) || is_array(DefinitionOf(pointer[3])[2])) return Mark(base, marks);",
        ""),
    "any element forgotten": (FOLLOW, "chain.count() > 4 && !(marks & OfAny(kReadWrite)) &&", "chain.count() > 4 &&"),
    "coherent addresses as the access says": (FOLLOW, "module_.any_coherent ? Use::kReadWrite : UseOf(marks)",
                                              "UseOf(marks)"),
    "coherent parameters as the access says": (FOLLOW, "if (facts.flags & kCoherent) marks |=", "if (false) marks |="),
    "coherent members as the access says": (FOLLOW, "(facts.flags | module_.Flags(pointer[3])) & kCoherent",
                                            "facts.flags & kCoherent"),
    "missing binding is 0": (FOLLOW,
        "if (facts.set == Id::kUndecorated || facts.binding == Id::kUndecorated) return false;",
        ""),
    "missing set alone is accepted": (FOLLOW, "facts.set == Id::kUndecorated || ", ""),
    "physical pointers point nowhere": (FOLLOW, "return Place::kAddresses;", "return Place::kNowhere;"),
    "unknown classes point nowhere": (FOLLOW, "default:\n            return Place::kUnknown;",
                                      "default:\n            return Place::kNowhere;"),
    "uniform blocks ignored": (FOLLOW, "case spv::StorageClassUniform:\n        case spv::StorageClassStorageBuffer:",
                               "case spv::StorageClassStorageBuffer:"),
    "a variable's class not compared": (FOLLOW, "definition[3] != pointer[2] || ", ""),
    "uses of a binding not joined": (FOLLOW, "all.back().use = all.back().use | one.use;", ""),
    "not sorted": (FOLLOW, "std::sort(found_.begin(), found_.end(),", "std::sort(found_.begin(), found_.begin(),"),
    "NonReadable trusted": [(READER, "IsCoherence(what) ? kCoherent : 0)",
                             "IsCoherence(what) ? kCoherent : what == 25 ? 128 : 0)"),
                            (FOLLOW, "element, coherent ? Use::kReadWrite : UseOf(marks)",
                             "element, coherent ? Use::kReadWrite : facts.flags & 128 ? Use::kWrite : UseOf(marks)")],
    "groups' decorations ignored": (READER, "if (!Defined(instruction[1])) return false;", "return true;"),
    "groups' coherence ignored": (READER, "group.flags & kCoherent)", "0)"),
    "first decoration wins": (READER,
        "if (binding != Id::kUndecorated && id.binding != Id::kUndecorated && id.binding != binding) return false;",
        ""),
    "coherent members ignored": (READER, "IsCoherence(instruction[3]) ? kCoherent : 0", "0"),
    "Volatile ignored": (READER, " || decoration == spv::DecorationVolatile", ""),
    "inner members not coherent": (READER, "return all | (any & kCoherent);", "return all;"),
    "arrays' members not coherent": (READER, "return Flags(type[2]) & (kPlain | kCoherent);",
                                     "return Flags(type[2]) & kPlain;"),
    "structs of pointers plain": (READER, "all &= Flags(type[i]);", ""),
    "late decorations accepted": (READER, "return !past_decorations_ && Decorate(instruction);",
                                  "return Decorate(instruction);"),
    "any version": (READER,
        "if (version < kLeastVersion || version > kGreatestVersion || (version & 0xff)) return false;",
        ""),
    "any bound": (READER, "bound > std::max(kFreeBound, words.size() * kBoundPerWord) || ", ""),
    "any schema": (READER, " || words[4] != 0", ""),
    "ids defined twice": (READER, "if (id == 0 || id >= ids.size() || ids[id].definition) return false;",
                          "if (id == 0 || id >= ids.size()) return false;"),
    "a name's beginning is enough": (READER, "entry_point, Match::kWhole)", "entry_point, Match::kBeginning)"),
    "any stage": (READER, "instruction[1] != spv::ExecutionModelGLCompute || ", ""),
    "the last entry point": (READER, "if (has_entry_) return false;", ""),
    "any addressing": (READER, "return (addressing == spv::AddressingModelLogical",
                       "return (addressing != 77 || addressing == spv::AddressingModelLogical"),
    "any memory model": (READER,
        " &&\n                   (memory == spv::MemoryModelGLSL450 || memory == spv::MemoryModelVulkan)",
        ""),
    "a function without an end": (READER, "return has_entry_ && has_memory_model_ && !in_function_;",
                                  "return has_entry_ && has_memory_model_;"),
}


def copy_tree(scratch):
    files = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True,
                           text=True).stdout.split("\n")
    for name in filter(None, files):
        target = scratch / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target)
    (scratch / ".deps").symlink_to(ROOT / ".deps")


def build(scratch, jobs):
    return subprocess.run(["cmake", "--build", "build", "--target", "kronos_shader_tests", f"-j{jobs}"], cwd=scratch,
                          capture_output=True, text=True)


def verdict(scratch, edits, jobs):
    originals = {}
    for file, old, new in edits:
        path = scratch / "layer/shaders" / file
        text = path.read_text()
        originals.setdefault(path, text)
        if text.count(old) != 1:
            for restored, before in originals.items():
                restored.write_text(before)
            return f"does not apply: occurs {text.count(old)} times"
        path.write_text(text.replace(old, new))
    try:
        if build(scratch, jobs).returncode:
            return "does not build"
        try:
            tests = subprocess.run(["build/bin/kronos_shader_tests", "--gtest_brief=1", "--gtest_fail_fast"],
                                   cwd=scratch, capture_output=True, text=True, errors="replace", timeout=120)
        except subprocess.TimeoutExpired:
            return "caught: does not end"
        if tests.returncode == 0:
            return "SURVIVED"
        failed = [line.split("]")[1].split(",")[0].strip() for line in tests.stdout.split("\n") if "FAILED  ]" in line]
        return "caught: " + (failed[0] if failed else f"ends {tests.returncode}")
    finally:
        for path, before in originals.items():
            path.write_text(before)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("names", nargs="*", help="of mutants; all unless given")
    arguments = parser.parse_args()
    unknown = set(arguments.names) - set(MUTANTS)
    if unknown:
        sys.exit(f"no such mutant: {', '.join(sorted(unknown))}")
    bad = 0
    with tempfile.TemporaryDirectory(prefix="kronos-mutants-") as folder:
        scratch = Path(folder)
        copy_tree(scratch)
        subprocess.run(["cmake", "-S", ".", "-B", "build", "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release"],
                       cwd=scratch, check=True, stdout=subprocess.DEVNULL)
        first = build(scratch, arguments.jobs)
        if first.returncode:
            sys.exit(first.stdout + first.stderr)
        if verdict(scratch, [], arguments.jobs) != "SURVIVED":
            sys.exit("the tests fail without any fault")
        for name in arguments.names or MUTANTS:
            edits = MUTANTS[name]
            outcome = verdict(scratch, edits if isinstance(edits, list) else [edits], arguments.jobs)
            bad += not outcome.startswith("caught")
            print(f"{name:42} {outcome}", flush=True)
    print(f"{len(arguments.names or MUTANTS)} mutants, {bad} not caught")
    sys.exit(1 if bad else 0)


main()
