"""Every colour type, depth and interlace decodes as the PNG specification says; also where Pillow does not."""
import os
import sys

from image_dump import Dump
import png_reference

TESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")


def main():
    paths = [os.path.join(folder, name)
             for folder in (os.path.join(TESTS, "images"), os.path.join(TESTS, "fuzz", "corpus", "png"))
             for name in sorted(os.listdir(folder)) if name.endswith(".png")]
    dump, bad, kinds = Dump(), [], set()
    for path in paths:
        header = png_reference.chunks(path)[b"IHDR"]
        kinds.add((header[8], header[9], header[12]))
        mine, wanted = dump.decode(path), png_reference.read(path)
        if mine.shape != wanted.shape:
            bad.append(f"{path}: decoded as {mine.shape}, wanted {wanted.shape}")
        elif (mine != wanted).any():
            bad.append(f"{path}: {int((mine != wanted).sum())} samples differ")
    dump.close()
    print(f"{len(paths)} files of {len(kinds)} kinds, {len(bad)} wrong")
    print("\n".join(bad))
    return 1 if bad or len(kinds) != 30 else 0  # 15 pairs of colour type and depth, each with Adam7 too


if __name__ == "__main__":
    sys.exit(main())
