#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A small whisper model for whisper.cpp (ggml's legacy format), or a sound for it to hear; the same bytes every time.

usage: make-whisper.py OUT.bin [LAYERS [STATE [TEXT_CTX]]]    (default: 2 layers of 128, 448 tokens of context)
       make-whisper.py OUT.wav [SECONDS]                      (default: 3)

The weights are normally distributed, and drawn from a hash of each tensor's name. What the model says means nothing, but every
layer, every weight and the sound decide it. Any Python 3 will do.
"""
import hashlib
import math
import struct
import sys
import wave
from array import array
from pathlib import Path
from statistics import NormalDist

RATE, MELS, FFT = 16000, 80, 400
AUDIO_CTX = 1500
# The numbers of the special tokens are fixed, so an English-only model has this many tokens; the file names those that are text.
# A multilingual one begins with four tokens instead of two, for which a driver in software compiles shaders for another minute.
TOKENS, TEXTS = 51864, 50256
HEAD = 64
NORMAL = [NormalDist().inv_cdf((i + 0.5) / 256) for i in range(256)]


def mel_filters():
    """Triangles, evenly spaced in mels, of the same area."""
    def hz(mel):
        return 700 * (10 ** (mel / 2595) - 1)
    top = 2595 * math.log10(1 + RATE / 2 / 700)
    edges = [hz(top * i / (MELS + 1)) for i in range(MELS + 2)]
    for low, middle, high in zip(edges, edges[1:], edges[2:]):
        for i in range(FFT // 2 + 1):
            f = i * RATE / FFT
            yield max(0.0, min((f - low) / (middle - low), (high - f) / (high - middle))) * 2 / (high - low)


def words():
    """The blank, which whisper.cpp looks for, and words of three syllables."""
    syllables = [c + v for c in "bdfghjklmnprstvwyz" for v in "aeiou"]
    n = len(syllables)
    yield b" "
    for i in range(TEXTS - 1):
        yield f" {syllables[i % n]}{syllables[i // n % n]}{syllables[i // n // n]}".encode()


def tensors(layers, state, text_ctx):
    """(name, shape, scale of the weights, what is added to them); matrices of 16 bits, but for the positions."""
    def layer_norm(name, gain=1.0):
        yield f"{name}.weight", (state,), 0.1 * gain, gain
        yield f"{name}.bias", (state,), 0.1, 0.0

    def linear(name, rows, columns, gain=1.0, bias=True):
        yield f"{name}.weight", (rows, columns), gain / math.sqrt(columns), 0.0
        if bias:
            yield f"{name}.bias", (rows,), 0.1, 0.0

    def attention(name):
        yield from layer_norm(f"{name}_ln")
        # Steeper than by chance: attention that looks at everything alike would pass on no more than an average.
        yield from linear(f"{name}.query", state, state, 2.0)
        yield from linear(f"{name}.key", state, state, 1.0, bias=False)
        yield from linear(f"{name}.value", state, state)
        yield from linear(f"{name}.out", state, state)

    def block(name, cross):
        yield from attention(f"{name}.attn")
        if cross:
            yield from attention(f"{name}.cross_attn")
        yield from layer_norm(f"{name}.mlp_ln")
        yield from linear(f"{name}.mlp.0", 4 * state, state)
        yield from linear(f"{name}.mlp.2", state, 4 * state)

    yield "encoder.positional_embedding", (AUDIO_CTX, state), 0.5, 0.0
    for conv, inputs in ("conv1", MELS), ("conv2", state):
        yield f"encoder.{conv}.weight", (state, inputs, 3), 1.5 / math.sqrt(3 * inputs), 0.0
        yield f"encoder.{conv}.bias", (state, 1), 0.1, 0.0
    for i in range(layers):
        yield from block(f"encoder.blocks.{i}", cross=False)
    yield from layer_norm("encoder.ln_post")
    # A token's own embedding is a small part of what comes out, or the model would say the same word for ever; the last gain lets
    # one word stand out among fifty thousand.
    yield "decoder.positional_embedding", (text_ctx, state), 0.2, 0.0
    yield "decoder.token_embedding.weight", (TOKENS, state), 1.0 / math.sqrt(state), 0.0
    for i in range(layers):
        yield from block(f"decoder.blocks.{i}", cross=True)
    yield from layer_norm("decoder.ln", 6.0)


def weights(name, shape, scale, added):
    """The tensor as the file has it: dimensions, the length of the name, the type, sizes from the inside out, name, data."""
    half = len(shape) > 1 and shape[-1] > 1 and not name.endswith("positional_embedding")
    coded = [struct.pack("<e" if half else "<f", n * scale + added) for n in NORMAL]
    drawn = hashlib.shake_128(name.encode()).digest(math.prod(shape))
    yield struct.pack("<3i", len(shape), len(name), 1 if half else 0)
    yield struct.pack(f"<{len(shape)}i", *reversed(shape)) + name.encode()
    yield b"".join([coded[byte] for byte in drawn])


def write_model(out, layers=2, state=128, text_ctx=448):
    if state % HEAD:
        raise SystemExit(f"make-whisper.py: STATE is a multiple of {HEAD}, not {state}")
    heads = state // HEAD
    with open(out, "wb") as file:
        file.write(struct.pack("<12i", 0x67676D6C, TOKENS, AUDIO_CTX, state, heads, layers, text_ctx, state, heads, layers, MELS, 1))
        file.write(struct.pack("<2i", MELS, FFT // 2 + 1))
        file.write(b"".join(struct.pack("<f", value) for value in mel_filters()))
        file.write(struct.pack("<i", TEXTS))
        file.write(b"".join(struct.pack("<i", len(word)) + word for word in words()))
        for tensor in tensors(layers, state, text_ctx):
            file.writelines(weights(*tensor))


def write_sound(out, seconds=3):
    """A tone that climbs, one that comes and goes, and a fourth of a second of noise in each second."""
    noise = hashlib.shake_128(b"noise").digest(RATE)
    samples = array("h")
    for i in range(RATE * seconds):
        t = i / RATE
        climbing = math.sin(2 * math.pi * (200 + 150 * t) * t)
        pulsing = math.sin(2 * math.pi * 1250 * t) * max(0.0, math.sin(2 * math.pi * 3 * t))
        hissing = noise[i % RATE] / 127.5 - 1 if t % 1 < 0.25 else 0.0
        samples.append(round(9000 * climbing + 7000 * pulsing + 3000 * hissing))
    if sys.byteorder == "big":
        samples.byteswap()
    with wave.open(out, "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", None))
        file.writeframes(samples.tobytes())


def main():
    if len(sys.argv) < 2 or sys.argv[1] in ("-h", "--help"):
        print(__doc__)
        return 0 if len(sys.argv) > 1 else 2
    out, numbers = sys.argv[1], [int(argument) for argument in sys.argv[2:]]
    # OUT.wav.part, renamed when it is whole, is a sound, too.
    (write_sound if ".wav" in Path(out).name else write_model)(out, *numbers)
    return 0


sys.exit(main())
