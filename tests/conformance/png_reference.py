"""A slow PNG reader, written from the specification, to compare the engine with where Pillow is no reference."""
import struct
import zlib

import numpy as np

CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # colour type: samples per pixel
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def chunks(path):
    """Name -> data; that of several chunks of one name is joined."""
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
    """The rows as bytes, and what of data is left."""
    rows, above = [], bytearray(row_bytes)
    for y in range(height):
        kind, row = data[0], bytearray(data[1:1 + row_bytes])
        for i in range(row_bytes):
            left = row[i - step] if i >= step else 0
            corner = above[i - step] if i >= step else 0
            guess = (0, left, above[i], (left + above[i]) // 2, paeth(left, above[i], corner))[kind]
            row[i] = (row[i] + guess) & 255
        rows.append(row)
        above, data = row, data[1 + row_bytes:]
    return np.array(rows, np.uint8), data


def unpack(data, width, height, depth, channels):
    """Samples as numbers, [height, width, channels], and what of data is left."""
    row_bytes = (width * channels * depth + 7) // 8
    rows, data = unfilter(data, height, row_bytes, max(1, channels * depth // 8))
    bits = np.unpackbits(rows, axis=1)[:, :width * channels * depth]
    weights = 1 << np.arange(depth - 1, -1, -1)
    return (bits.reshape(height, width, channels, depth) * weights).sum(axis=3), data


def read_samples(found):
    width, height, depth, color, _, _, interlace = struct.unpack(">IIBBBBB", found[b"IHDR"])
    channels, data = CHANNELS[color], zlib.decompress(found[b"IDAT"])
    if not interlace:
        return unpack(data, width, height, depth, channels)[0]
    samples = np.zeros((height, width, channels), int)
    for x, y, dx, dy in ADAM7:
        n_columns, n_rows = len(range(x, width, dx)), len(range(y, height, dy))
        if n_columns and n_rows:
            samples[y::dy, x::dx], data = unpack(data, n_columns, n_rows, depth, channels)
    return samples


def read(path):
    """The pixels that the engine promises: 8 bits, palettes expanded, tRNS as alpha."""
    found = chunks(path)
    depth, color = found[b"IHDR"][8:10]
    samples, clear = read_samples(found), found.get(b"tRNS")
    if color == 3:
        palette = np.zeros((256, 4), np.uint8)
        palette[:, 3] = 255
        palette[:len(found[b"PLTE"]) // 3, :3] = np.frombuffer(found[b"PLTE"], np.uint8).reshape(-1, 3)
        palette[:len(clear or b""), 3] = np.frombuffer(clear or b"", np.uint8)
        return palette[samples[:, :, 0], :4 if clear else 3]
    pixels = samples >> 8 if depth == 16 else samples * 255 // ((1 << depth) - 1)
    if clear:
        key = np.array(struct.unpack(f">{CHANNELS[color]}H", clear)) & ((1 << depth) - 1)
        alpha = np.where((samples == key).all(axis=2, keepdims=True), 0, 255)
        pixels = np.concatenate([pixels, alpha], axis=2)
    return pixels.astype(np.uint8)
