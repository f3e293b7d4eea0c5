"""Filters that do not average: torch's interpolate, as torchvision's Resize of a tensor with antialias=False."""
import os
import sys
import tempfile

from image_dump import Dump, made_up
from PIL import Image

sys.path.pop(0)  # this folder: its torchvision.py would hide the one that is meant
try:
    import torch
    from torchvision.transforms import functional
except ImportError:
    print("skipped: python3-torch and python3-torchvision are not installed")
    sys.exit(77)

MODES = {"bilinear": functional.InterpolationMode.BILINEAR, "bicubic": functional.InterpolationMode.BICUBIC,
         "nearest": functional.InterpolationMode.NEAREST}
SIZES = [(1, 1), (5, 9), (40, 30), (301, 199)]
MODEL_SIZES = [(1, 1), (8, 8), (32, 24), (64, 64), (96, 224)]


def main():
    dump, bad, n = Dump(), [], 0
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "picture.png")
        for width, height in SIZES:
            picture = made_up(width, height)
            Image.fromarray(picture).save(path)
            tensor = torch.from_numpy(picture.copy()).permute(2, 0, 1)
            for name, mode in MODES.items():
                for size in MODEL_SIZES:
                    theirs = functional.resize(tensor, [size[1], size[0]], mode, antialias=False)
                    mine = dump.prepare(path, "rgb", "stretch", *size, filter=name + "-aliased")
                    levels = abs(mine.astype(int) - theirs.permute(1, 2, 0).numpy().astype(int)).max()
                    n += 1
                    if levels > (0 if name == "nearest" else 1):
                        bad.append(f"{width}x{height} to {size} {name}: {levels} levels")
    dump.close()
    print(f"{n} comparisons, {len(bad)} wrong")
    print("\n".join(bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
