"""Photographs: decoded pixels equal Pillow's, resized ones lie within one grey level of Pillow's."""
import os
import sys

import numpy as np
from image_dump import Dump, data_folder, pixels
from PIL import Image

MOST_LEVELS = 1


def pillow_crop(image, shorter, width, height, method=Image.BILINEAR):
    """torchvision 0.14: Resize(shorter), the longer side rounded, then CenterCrop((height, width))."""
    w, h = image.size
    if w <= h:
        size = (shorter, round(shorter * h / w))
    else:
        size = (round(shorter * w / h), shorter)
    image = image.resize(size, method) if size != image.size else image
    w, h = image.size
    if width > w or height > h:  # padded with black
        left, top = max(width - w, 0) // 2, max(height - h, 0) // 2
        padded = Image.new(image.mode, (max(w, width), max(h, height)))
        padded.paste(image, (left, top))
        image, (w, h) = padded, padded.size
    left, top = int(round((w - width) / 2.0)), int(round((h - height) / 2.0))
    return image.crop((left, top, left + width, top + height))


# color, resize, width, height, shorter side
WAYS = [
    ("rgb", "stretch", 224, 224, 0),
    ("rgb", "crop", 224, 224, 256),
    ("gray", "stretch", 28, 28, 0),
    ("rgb", "crop", 32, 32, 32),
    ("bgr", "stretch", 227, 227, 0),
    ("rgb", "stretch", 1000, 37, 0),
    ("gray", "crop", 299, 224, 225),
    ("rgb", "crop", 96, 64, 40),
]


def wanted(image, color, resize, width, height, shorter):
    image = image.convert("L" if color == "gray" else "RGB")
    if resize == "stretch":
        image = image.resize((width, height), Image.BILINEAR)
    else:
        image = pillow_crop(image, shorter, width, height)
    a = pixels(image)
    return a[:, :, ::-1] if color == "bgr" else a


def main():
    folder = data_folder("photos")
    names = [n for n in sorted(os.listdir(folder)) if not n.endswith(".tsv")]
    dump = Dump()
    bad, n_different, n_samples, most = [], 0, 0, 0
    for name in names:
        path = os.path.join(folder, name)
        image = Image.open(path)
        mine, theirs = dump.decode(path), pixels(image)
        if mine.shape != theirs.shape or (mine != theirs).any():
            bad.append(f"{name}: decoded pixels differ from Pillow's")
            continue
        for way in WAYS:
            mine, theirs = dump.prepare(path, *way), wanted(image, *way)
            levels = np.abs(mine.astype(int) - theirs.astype(int))
            n_different += int((levels > 0).sum())
            n_samples += levels.size
            most = max(most, int(levels.max()))
            if levels.max() > MOST_LEVELS:
                bad.append(f"{name} {way}: {levels.max()} levels, {MOST_LEVELS} allowed")
    dump.close()
    print(f"{len(names)} pictures, {len(WAYS)} ways each: {n_different} of {n_samples} samples differ,"
          f" by at most {most} level(s)")
    print("\n".join(bad))
    return 1 if bad or not names else 0


if __name__ == "__main__":
    sys.exit(main())
