"""Filters, letterbox, alpha, orientation and kinds of pixels: what Pillow makes of made-up pictures."""
import os
import sys
import tempfile

import numpy as np
from image_dump import Dump, made_up, pixels
from PIL import Image, ImageOps

FILTERS = {"bilinear": Image.BILINEAR, "bicubic": Image.BICUBIC, "nearest": Image.NEAREST}
SIZES = [(1, 1), (7, 5), (40, 30), (33, 97), (200, 150), (640, 31)]
MODEL_SIZES = [(1, 1), (8, 8), (32, 24), (224, 224), (61, 130)]
TRANSPARENT = (12, 200, 77)


class Checks:
    def __init__(self, folder):
        self.folder, self.dump, self.bad, self.n = folder, Dump(), [], 0

    def save(self, image, name, **how):
        path = os.path.join(self.folder, name)
        image.save(path, **how)
        return path

    def equal(self, what, mine, theirs, most=0):
        self.n += 1
        if mine.shape != theirs.shape:
            self.bad.append(f"{what}: {mine.shape}, Pillow {theirs.shape}")
            return
        levels = int(np.abs(mine.astype(int) - theirs.astype(int)).max())
        if levels > most:
            self.bad.append(f"{what}: {levels} levels, {most} allowed")


def check_filters(checks):
    for width, height in SIZES:
        picture = Image.fromarray(made_up(width, height))
        path = checks.save(picture, "picture.png")
        for size in MODEL_SIZES:
            for name, method in FILTERS.items():
                for color in ("rgb", "gray"):
                    converted = picture.convert("L" if color == "gray" else "RGB")
                    what = f"{width}x{height} to {size} {name} {color}"
                    most = 0 if name == "nearest" else 1
                    checks.equal(what, checks.dump.prepare(path, color, "stretch", *size, filter=name),
                                 pixels(converted.resize(size, method)), most)
                    if 0 in contained(picture, size):
                        continue  # ImageOps.pad would ask for a side of 0 pixels
                    checks.equal("letterbox " + what,
                                 checks.dump.prepare(path, color, "letterbox", *size, filter=name,
                                                     background="727272"),
                                 pixels(ImageOps.pad(converted, size, method,
                                                     114 if color == "gray" else (114, 114, 114))), most)


def contained(image, size):
    """The sides that ImageOps.contain would choose."""
    if image.width / image.height > size[0] / size[1]:
        return size[0], round(image.height / image.width * size[0])
    return round(image.width / image.height * size[1]), size[1]


def check_crops(checks):
    """Resize(shorter) and CenterCrop with each filter; the arithmetic of test_pillow_resize.py."""
    from test_pillow_resize import pillow_crop
    picture = Image.fromarray(made_up(150, 201))
    path = checks.save(picture, "crop.png")
    for name, method in FILTERS.items():
        for size, shorter in [((32, 32), 36), ((64, 48), 64), ((224, 224), 256)]:
            mine = checks.dump.prepare(path, "rgb", "crop", *size, shorter, filter=name)
            checks.equal(f"crop {name} {size}", mine, pixels(pillow_crop(picture, shorter, *size, method)),
                         0 if name == "nearest" else 1)


def check_alpha(checks):
    """Every alpha over every value, composed and then converted."""
    value, alpha = np.meshgrid(np.arange(256), np.arange(256))
    rgba = np.stack([value, 255 - value, value // 2 + 60, alpha], -1).astype(np.uint8)
    pictures = {"RGBA": Image.fromarray(rgba),
                "LA": Image.merge("LA", [Image.fromarray(rgba[:, :, c]) for c in (0, 3)])}
    palette = Image.fromarray(rgba[:, :, :3]).convert("P", palette=Image.ADAPTIVE, colors=200)
    pictures["P"] = palette
    for mode, picture in pictures.items():
        how = {"transparency": bytes(range(0, 200))} if mode == "P" else {}
        path = checks.save(picture, mode + ".png", **how)
        for background in ((0, 0, 0), (255, 255, 255), TRANSPARENT):
            under = Image.new("RGBA", picture.size, background + (255,))
            composed = Image.alpha_composite(under, Image.open(path).convert("RGBA")).convert("RGB")
            hexadecimal = "%02x%02x%02x" % background
            mine = checks.dump.prepare(path, "rgb", "stretch", 256, 256, background=hexadecimal)
            checks.equal(f"{mode} over {background}", mine, pixels(composed))
            if mode != "LA" or len(set(background)) == 1:  # grey on colour: composed in grey, not converted
                mine = checks.dump.prepare(path, "gray", "stretch", 256, 256, background=hexadecimal)
                checks.equal(f"{mode} over {background} in grey", mine, pixels(composed.convert("L")))


def check_orientations(checks):
    for mode in ("RGB", "L"):
        picture = Image.fromarray(made_up(37, 22)).convert(mode)
        for orientation in range(0, 10):
            exif = Image.Exif()
            exif[0x010F] = "a maker"
            exif[0x0112] = orientation
            path = checks.save(picture, f"{mode}{orientation}.jpg", exif=exif, quality=90)
            theirs = ImageOps.exif_transpose(Image.open(path))
            checks.equal(f"{mode} orientation {orientation}", checks.dump.decode(path), pixels(theirs))


def check_kinds(checks):
    """Kinds of PNG that Pillow opens in another mode."""
    picture = Image.fromarray(made_up(31, 17))
    gray = picture.convert("L")
    kinds = {"1": gray.convert("1"), "L": gray, "P": picture.quantize(30), "RGB": picture}
    for mode, kind in kinds.items():
        path = checks.save(kind, f"kind_{mode}.png")
        for color in ("rgb", "gray"):
            theirs = Image.open(path).convert("RGB").convert("L" if color == "gray" else "RGB")
            checks.equal(f"{mode} as {color}", checks.dump.prepare(path, color, "stretch", 31, 17), pixels(theirs))
    # 16-bit grey: its high byte, where Pillow 9.4's convert("L") clips at 255 (decisions/007).
    deep = np.arange(256 * 4, dtype=np.uint16).reshape(16, 64) * 63
    path = checks.save(Image.fromarray(deep.astype(np.int32), "I"), "deep.png")
    opened = np.asarray(Image.open(path))
    assert (opened == deep).all()
    checks.equal("16-bit grey", checks.dump.decode(path)[:, :, 0], (deep >> 8).astype(np.uint8))


def main():
    with tempfile.TemporaryDirectory() as folder:
        checks = Checks(folder)
        for check in (check_filters, check_crops, check_alpha, check_orientations, check_kinds):
            check(checks)
        checks.dump.close()
    print(f"{checks.n} comparisons, {len(checks.bad)} wrong")
    print("\n".join(checks.bad[:40]))
    return 1 if checks.bad or checks.n < 300 else 0


if __name__ == "__main__":
    sys.exit(main())
