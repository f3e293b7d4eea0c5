"""PngSuite: good files decode to Pillow's pixels, x*.png are refused.

Pillow 9.4 is no reference in two places: it clips 16-bit grey when it converts it, and it compares
8-bit pixels with the 16-bit colour that tRNS names. There the file is unpacked here, from the PNG
specification.
"""
import os
import struct
import sys
import zlib

import numpy as np
from image_dump import Dump, Refused, data_folder, pixels
from PIL import Image


def chunks(path):
    with open(path, "rb") as file:
        data = file.read()
    at, found = 8, {}
    while at < len(data):
        n, name = struct.unpack(">I4s", data[at:at + 8])
        found[name] = found.get(name, b"") + data[at + 8:at + 8 + n]
        at += 12 + n
    return found


def paeth(a, b, c):
    p = a + b - c
    distances = abs(p - a), abs(p - b), abs(p - c)
    return (a, b, c)[distances.index(min(distances))]


def unfilter(data, height, row_bytes, step):
    rows, above, at = [], bytearray(row_bytes), 0
    for _ in range(height):
        kind, row = data[at], bytearray(data[at + 1:at + 1 + row_bytes])
        for i in range(row_bytes):
            left = row[i - step] if i >= step else 0
            corner = above[i - step] if i >= step else 0
            guess = (0, left, above[i], (left + above[i]) // 2, paeth(left, above[i], corner))[kind]
            row[i] = (row[i] + guess) & 255
        rows.append(row)
        above, at = row, at + 1 + row_bytes
    return np.array(rows, np.uint8)


def unpack(path):
    """Grey or RGB without interlace, any depth: 8-bit pixels, with alpha if there is tRNS."""
    found = chunks(path)
    width, height, depth, color, _, _, interlace = struct.unpack(">IIBBBBB", found[b"IHDR"])
    assert color in (0, 2) and interlace == 0, path
    channels = 1 if color == 0 else 3
    row_bytes = (width * channels * depth + 7) // 8
    rows = unfilter(zlib.decompress(found[b"IDAT"]), height, row_bytes, max(1, channels * depth // 8))
    bits = np.unpackbits(rows, axis=1)[:, :width * channels * depth]
    weights = 1 << np.arange(depth - 1, -1, -1)
    samples = (bits.reshape(height, width, channels, depth) * weights).sum(axis=3)
    value = samples >> 8 if depth == 16 else samples * 255 // ((1 << depth) - 1)
    if b"tRNS" in found:
        clear = struct.unpack(f">{channels}H", found[b"tRNS"])
        alpha = np.where((samples == clear).all(axis=2, keepdims=True), 0, 255)
        value = np.concatenate([value, alpha], axis=2)
    return value.astype(np.uint8)


def wanted(path):
    """What the engine should make of the file."""
    image = Image.open(path)
    image.load()
    has_key = "transparency" in image.info
    if image.mode == "I" or (image.mode in ("L", "1", "RGB") and has_key):
        if chunks(path)[b"IHDR"][12] == 0:
            return unpack(path)
        assert image.mode == "I" and not has_key, path  # Pillow has the 16 bits
        return (pixels(image) >> 8).astype(np.uint8)
    if image.mode == "P":
        return pixels(image.convert("RGBA" if has_key else "RGB"))
    if image.mode == "1":
        return pixels(image.convert("L"))
    if image.mode == "RGBA" and chunks(path)[b"IHDR"][9] == 4:  # 16-bit grey with alpha
        return pixels(image)[:, :, 2:]
    return pixels(image)


def check(dump, path):
    """None, or what is wrong."""
    is_corrupt = os.path.basename(path).startswith("x")
    try:
        mine = dump.decode(path)
    except Refused as refusal:
        if not is_corrupt:
            return f"refused: {refusal}"
        return None if refusal.status == "format" else f"refused as {refusal.status}"
    if is_corrupt:
        return "is corrupt and was decoded"
    theirs = wanted(path)
    if mine.shape != theirs.shape:
        return f"decoded as {mine.shape}, wanted {theirs.shape}"
    n_different = int((mine != theirs).sum())
    return f"{n_different} samples differ" if n_different else None


def main():
    folder = data_folder("pngsuite")
    names = sorted(n for n in os.listdir(folder) if n.endswith(".png"))
    dump = Dump()
    bad = []
    for name in names:
        wrong = check(dump, os.path.join(folder, name))
        if wrong:
            bad.append(f"{name}: {wrong}")
    dump.close()
    n_corrupt = sum(n.startswith("x") for n in names)
    print(f"{len(names) - n_corrupt} good and {n_corrupt} corrupt files, {len(bad)} wrong")
    print("\n".join(bad))
    return 1 if bad or not names else 0


if __name__ == "__main__":
    sys.exit(main())
