# SPDX-License-Identifier: Apache-2.0
"""What the scripts of faults share: a file of the build compiled aside with another text, linked with the other objects of
a program, and the program run. Build folders are made by Ninja."""
import argparse
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]


def commands(build, target):
    """The commands that compile and link what a target is made of, as lists of words, by what they make."""
    lines = subprocess.run(['ninja', '-C', build, '-t', 'commands', target], check=True,
                           capture_output=True, text=True).stdout.splitlines()
    result = {}
    for line in lines:
        words = shlex.split(line)
        while '&&' in words and '-o' not in words[:words.index('&&')]:
            words = words[words.index('&&') + 1:]
        if '&&' in words:
            words = words[:words.index('&&')]
        if '-o' in words:
            result[words[words.index('-o') + 1]] = words
    return result


def replaced(words, old, new):
    return [new if word == old else word for word in words]


def placed(forms, texts):
    """The file of a fault and its whole text with the fault; None if no file has what is to be replaced exactly once."""
    return next(((file, text.replace(*form)) for form in forms for file, text in texts.items() if text.count(form[0]) == 1), None)


def cases(faults):
    """Of faults with name, file, text and replacement, what main() takes."""
    for name, file, old, new in faults:
        text = (ROOT / file).read_text()
        yield name, (file, text.replace(old, new)) if text.count(old) == 1 else None


def compiled(words, name, file, source, target, build):
    """Compiles with the command `words` of the object `name`, and `source` in place of `file` if that is given, into `target`."""
    words = replaced(words, name, str(target))
    if file:
        words = [str(source) if word.endswith(file) and word != name else word for word in words]
    if '-MF' in words:
        words[words.index('-MF') + 1] = f'{target}.d'
    # A fault may leave something unused.
    subprocess.run([*words, '-w'], cwd=build, check=True)


def link(words, name, binary, objects, build):
    """Links with the command `words` of the program or library `name`, these objects first, into `binary`."""
    # What comes before an archive is not looked for in it.
    archive = next(i for i, word in enumerate(words) if word.endswith('libkronos_layer_objects.a'))
    words = [*words[:archive], *(str(one) for one in objects), *words[archive:]]
    subprocess.run(replaced(words, name, str(binary)), cwd=build, check=True)


def failing(command, env, seconds):
    """The first test of a program that fails, and how many do; '' if all pass."""
    try:
        done = subprocess.run([str(word) for word in command], env=env, capture_output=True, text=True, errors='replace', timeout=seconds)
    except subprocess.TimeoutExpired:
        return 'does not end'
    if done.returncode == 0:
        return ''
    failed = list(dict.fromkeys(re.findall(r'^\[  FAILED  \] ([\w./]+)', done.stdout, re.MULTILINE)))
    return f'{failed[0]}, {len(failed)} in all' if failed else f'ends with {done.returncode}'


def main(doc, option, default, what, faulty_of, file, cases):
    """`faulty_of(build, scratch, number)` has run(file, text): the first failing test, or ''. `file`: one to run without a
    fault first. `cases`: name, and the file with its whole faulty text, or None where the text to be replaced is not found."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--build', type=pathlib.Path, default=ROOT / 'build', help='build folder, made by Ninja')
    parser.add_argument(option, type=int, default=default, help=what, dest='number')
    parser.add_argument('--only', default='', help='faults with this in their name')
    options = parser.parse_args()
    missed = 0
    with tempfile.TemporaryDirectory(prefix='kronos-faults-') as scratch:
        faulty = faulty_of(options.build.resolve(), pathlib.Path(scratch), options.number)
        if first := faulty.run(file, (ROOT / file).read_text()):
            sys.exit(f'without a fault a test fails: {first}')
        for name, there in cases:
            if options.only not in name:
                continue
            found = (faulty.run(*there) or 'NOT FOUND') if there else 'TEXT NOT IN SOURCE'
            missed += found in ('NOT FOUND', 'TEXT NOT IN SOURCE')
            print(f'{name:<60} {found}', flush=True)
    print(f'{missed} not found' if missed else 'all found')
    return 1 if missed else 0
