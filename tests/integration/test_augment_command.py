"""classify augment: a sheet with the picture first and its variants behind it."""
import os
import struct
import unittest
import zlib

from classify_case import USAGE, ClassifyCase
from tiny_files import write_idx

SIDE, GAP = 8, 8
SCALE = 96 // SIDE


def read_png(path):
    """Rows of RGB triples of an 8-bit RGB PNG."""
    with open(path, "rb") as file:
        data = file.read()
    width, height, depth, kind = struct.unpack(">IIBB", data[16:26])
    assert (depth, kind) == (8, 2), (depth, kind)
    packed, at = b"", 8
    while at < len(data):
        size = struct.unpack(">I", data[at:at + 4])[0]
        if data[at + 4:at + 8] == b"IDAT":
            packed += data[at + 8:at + 8 + size]
        at += size + 12
    raw, rows, before = zlib.decompress(packed), [], bytearray(width * 3)
    for y in range(height):
        filter_, line = raw[y * (width * 3 + 1)], bytearray(raw[y * (width * 3 + 1) + 1:][:width * 3])
        for i in range(len(line)):
            left, up = line[i - 3] if i >= 3 else 0, before[i]
            corner = before[i - 3] if i >= 3 else 0
            guess = left + up - corner
            paeth = min((left, up, corner), key=lambda value: abs(guess - value))
            line[i] = (line[i] + (0, left, up, (left + up) // 2, paeth)[filter_]) % 256
        before = line
        rows.append([tuple(line[x * 3:x * 3 + 3]) for x in range(width)])
    return rows


def pictures(rows, n_columns, n):
    """The grey values of each of the n pictures on the sheet, one per original pixel."""
    step = SIDE * SCALE + GAP
    assert len(rows[0]) == n_columns * step + GAP, len(rows[0])
    return [[[rows[GAP + i // n_columns * step + y * SCALE + 1][GAP + i % n_columns * step + x * SCALE + 1][0]
              for x in range(SIDE)] for y in range(SIDE)] for i in range(n)]


class Augment(ClassifyCase):
    def setUp(self):
        super().setUp()
        os.makedirs(self.path("data"))
        samples = [bytes((s * 50 + 3 * i) % 256 for i in range(SIDE * SIDE)) for s in range(4)]
        for split in "train", "t10k":
            write_idx(self.path("data"), SIDE, SIDE, samples, [0, 1, 0, 1], split)
        self.sample = [[(50 + 3 * (y * SIDE + x)) % 256 for x in range(SIDE)] for y in range(SIDE)]

    def sheet(self, augment, *more):
        recipe = self.write("recipe.json", '{"name": "a", "augment": %s, "layers": '
                            '[{"op": "Flatten"}, {"op": "Gemm", "outputs": 2}]}' % augment)
        out, _ = self.classify("augment", recipe, "--data", self.path("data"), "--out",
                               self.path("sheet.png"), "--sample", "1", *more)
        self.assertEqual(out, f"wrote {self.path('sheet.png')}\n")
        return read_png(self.path("sheet.png"))

    def test_alternate_mirrors_every_second_one(self):
        first, *variants = pictures(self.sheet('{"mirror": "alternate"}', "--count", "8"), 3, 9)
        mirrored = [row[::-1] for row in self.sample]
        self.assertEqual(first, self.sample)
        self.assertCountEqual(variants[:2], [self.sample, mirrored])
        self.assertEqual(variants, variants[:2] * 4)

    def test_cutout_leaves_the_mean(self):
        first, variant = pictures(self.sheet('{}', "--count", "1", "--set", "augment.cutout_px=64"), 2, 2)
        self.assertEqual(first, self.sample)
        self.assertEqual(len({value for row in variant for value in row}), 1)
        mean = sum((s * 50 + 3 * i) % 256 for s in range(4) for i in range(SIDE * SIDE)) / 4 / SIDE / SIDE
        self.assertAlmostEqual(variant[0][0], mean, delta=0.51)

    def test_the_seed_decides(self):
        sheets = [self.sheet('{"crop_px": 3}', "--seed", seed) for seed in "112"]
        self.assertEqual(sheets[0], sheets[1])
        self.assertNotEqual(sheets[0], sheets[2])

    def test_what_cannot_be_is_refused(self):
        self.sheet("{}")
        recipe, data, out = self.path("recipe.json"), self.path("data"), self.path("sheet.png")
        self.refused("augment", recipe, "--data", data, "--out", out, "--sample", "4",
                     says="--sample is 4; wanted 0 to 3")
        self.refused("augment", recipe, "--data", data, "--out", self.path("none/sheet.png"), says="none/sheet.png")
        self.refused("augment", recipe, "--data", self.path("none"), "--out", out, says="none")
        self.refused("augment", recipe, "--data", data, "--out", out, "--set", "augment.cutuot_px=3",
                     says="did you mean cutout_px?")
        self.classify("augment", recipe, "--data", data, exit_code=USAGE)


if __name__ == "__main__":
    unittest.main()
