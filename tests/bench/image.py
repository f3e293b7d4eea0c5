#!/usr/bin/env python3
"""Decoding and preparing pictures beside libpng's simplified reader and Pillow, in one run.

usage: image.py BUILD_DIR [FILE...]      e.g. cmake --build build/release --target bench_image && \
                                              tests/bench/image.py build/release
Prints microseconds, the best of many rounds each, and how many times faster we are.
"""
import io
import os
import subprocess
import sys
import time
import warnings

import numpy as np
from PIL import Image

IMAGES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "images")
SHIPPED = ["seven.png", "seven_alpha.png", "scene.png", "scene_palette.png", "scene_16bit.png", "scene.jpg"]


def best_ns(run):
    start, best = time.perf_counter(), 1e9
    while time.perf_counter() - start < 0.5:
        begin, n = time.perf_counter(), 0
        while n == 0 or time.perf_counter() - begin < 5e-4:
            run()
            n += 1
        best = min(best, (time.perf_counter() - begin) / n)
    return 1e9 * best


def pillow_decode(data):
    Image.open(io.BytesIO(data)).load()


def pillow_prepare(image):
    image = image.convert("RGB").resize((224, 224), Image.BILINEAR)
    return np.ascontiguousarray(np.asarray(image).transpose(2, 0, 1), np.float32)


def main():
    warnings.simplefilter("ignore")  # Pillow on palettes with transparency
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    files = sys.argv[2:] or [os.path.join(IMAGES, name) for name in SHIPPED]
    program = os.path.join(sys.argv[1], "tests", "bench_image")
    lines = subprocess.run([program] + files, check=True, capture_output=True, text=True).stdout
    ours = {}
    for line in lines.splitlines():
        path, operation, ns = line.split("\t")
        ours[path, operation] = float(ns)
    print(f"{'':24}{'decode':>9}{'simplified':>17}{'Pillow':>17}{'prepare':>11}{'Pillow':>17}   (us)")
    for path in files:
        with open(path, "rb") as file:
            data = file.read()
        image = Image.open(io.BytesIO(data))
        image.load()
        decode, prepare = ours[path, "decode"], ours[path, "prepare"]
        row = f"{os.path.basename(path)[:23]:24}{decode / 1000:9.1f}"
        peers = [(ours.get((path, "simplified")), decode), (best_ns(lambda: pillow_decode(data)), decode),
                 (None, None), (best_ns(lambda: pillow_prepare(image)), prepare)]
        for peer, mine in peers:
            if mine is None:
                row += f"{prepare / 1000:11.1f}"
            else:
                row += f"{peer / 1000:10.1f} {peer / mine:4.1f} x" if peer else f"{'-':>17}"
        print(row)


if __name__ == "__main__":
    main()
