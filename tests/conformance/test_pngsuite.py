"""PngSuite: good files decode to Pillow's pixels, x*.png are refused.

Pillow 9.4 is no reference in two places: it clips 16-bit grey when it converts it, and it compares
8-bit pixels with the 16-bit colour that tRNS names. There png_reference.py is the reference.
"""
import os
import sys

from image_dump import Dump, Refused, data_folder, pixels
from PIL import Image
import png_reference


def wanted(path):
    """What the engine should make of the file."""
    image = Image.open(path)
    image.load()
    has_key = "transparency" in image.info
    if image.mode == "I" or (image.mode in ("L", "1", "RGB") and has_key):
        return png_reference.read(path)
    if image.mode == "P":
        return pixels(image.convert("RGBA" if has_key else "RGB"))
    if image.mode == "1":
        return pixels(image.convert("L"))
    if image.mode == "RGBA" and png_reference.chunks(path)[b"IHDR"][9] == 4:  # 16-bit grey with alpha
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
