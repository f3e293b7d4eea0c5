#!/usr/bin/env python3
"""Writes the seeds in corpus/png, corpus/jpeg and corpus/orientation: one tiny picture of each kind. Needs python3-pil."""
import os
import random
import struct
import sys
import zlib

from PIL import Image

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(HERE, "..", "images"))
from make import ADAM7, chunk, png  # noqa: E402

WIDTH, HEIGHT = 5, 3
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}


def rows(noise, bits, interlace):
    """Random samples, every filter type in turn."""
    data = b""
    for x0, y0, dx, dy in ADAM7 if interlace else [(0, 0, 1, 1)]:
        n_columns = len(range(x0, WIDTH, dx))
        for y in range(y0, HEIGHT, dy):
            if n_columns:
                data += bytes([y % 5]) + noise.randbytes((n_columns * bits + 7) // 8)
    return data


def write_png(noise, color, depth, interlace):
    extra = b""
    if color == 3:
        extra += chunk(b"PLTE", noise.randbytes(3 << depth))
    if color in (0, 2, 3) and interlace:
        extra += chunk(b"tRNS", noise.randbytes({0: 2, 2: 6, 3: 1}[color]))
    data = png(WIDTH, HEIGHT, depth, color, interlace, rows(noise, CHANNELS[color] * depth, interlace), extra)
    write("png", f"color{color}_{depth}bit{'_interlaced' if interlace else ''}.png", data)


def write_text_png(noise):
    text = chunk(b"tEXt", b"Title\0tiny") + chunk(b"zTXt", b"Note\0\0" + zlib.compress(b"a" * 99))
    time = chunk(b"tIME", struct.pack(">HBBBBB", 2026, 1, 2, 3, 4, 5)) + chunk(b"gAMA", struct.pack(">I", 45455))
    write("png", "text.png", png(WIDTH, HEIGHT, 8, 0, 0, rows(noise, 8, 0), text + time))


def write(folder, name, data):
    path = os.path.join(HERE, "corpus", folder)
    os.makedirs(path, exist_ok=True)
    with open(os.path.join(path, name), "wb") as file:
        file.write(data)


def write_jpegs(noise):
    image = Image.frombytes("RGB", (9, 7), noise.randbytes(9 * 7 * 3))
    folder = os.path.join(HERE, "corpus", "jpeg")
    os.makedirs(folder, exist_ok=True)
    for name, mode, options in [
            ("gray", "L", {}), ("color_444", "RGB", {"subsampling": 0}), ("color_422", "RGB", {"subsampling": 1}),
            ("color_420", "RGB", {"subsampling": 2}), ("progressive", "RGB", {"progressive": True}),
            ("gray_progressive", "L", {"progressive": True}), ("cmyk", "CMYK", {}),
            ("comment", "L", {"comment": b"tiny", "optimize": True})]:
        image.convert(mode).save(os.path.join(folder, name + ".jpg"), quality=40, **options)


def exif_segment(order, orientation):
    """APP1 with a directory of two entries."""
    entries = [(0x010F, 2, 4, b"cam\0"), (0x0112, 3, 1, struct.pack(order + "HH", orientation, 0))]
    tiff = (b"II" if order == "<" else b"MM") + struct.pack(order + "HIH", 42, 8, len(entries))
    tiff += b"".join(struct.pack(order + "HHI", *entry[:3]) + entry[3] for entry in entries)
    data = b"Exif\0\0" + tiff + bytes(4)
    return b"\xff\xe1" + struct.pack(">H", len(data) + 2) + data


def write_orientations():
    """Beginnings of JPEGs for corpus/orientation, and whole ones."""
    with open(os.path.join(HERE, "corpus", "jpeg", "color_420.jpg"), "rb") as file:
        jpeg = file.read()
    for order, name in ("<", "little"), (">", "big"):
        for orientation in range(1, 9):
            head = b"\xff\xd8" + exif_segment(order, orientation)
            write("orientation", f"{name}_{orientation}", head + b"\xff\xda")
            if orientation in (3, 6):
                write("jpeg", f"turned_{name}_{orientation}.jpg", head + jpeg[2:])
    write("orientation", "fill_bytes", b"\xff\xd8\xff\xff" + exif_segment("<", 7)[1:])
    write("orientation", "no_exif", b"\xff\xd8\xff\xe0\0\4ab\xff\xda")
    write("orientation", "empty", b"")


def main():
    noise = random.Random(1)
    for color, depths in DEPTHS.items():
        for depth in depths:
            for interlace in (0, 1):
                write_png(noise, color, depth, interlace)
    write_text_png(noise)
    write_jpegs(noise)
    write_orientations()


if __name__ == "__main__":
    main()
