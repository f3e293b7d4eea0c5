"""classify import and preprocess: a file from elsewhere says all by itself; what a model sees."""
import json
import os
import struct
import subprocess
import sys
import unittest
import zlib

import tiny_files
from classify_case import CLASSIFY, ClassifyCase


def bare_model(side=4, channels=3, classes=3):
    """A linear net without metadata; three scores."""
    n = side * side * channels
    weights = [((i * 7919) % 13 - 6) / 400 for i in range(n * classes)]
    return tiny_files.model(
        [tiny_files.node("Flatten", ["x"], ["flat"]), tiny_files.node("Gemm", ["flat", "w", "b"], ["scores"])],
        [tiny_files.floats("w", [n, classes], weights), tiny_files.floats("b", [classes], [0.0] * classes)],
        [tiny_files.value_info("x", ["N", channels, side, side])], [tiny_files.value_info("scores", ["N", classes])])


def read_png(path):
    """Width, height, channels and pixels of an 8-bit PNG whose rows are not filtered or by Up, Sub, Average, Paeth."""
    with open(path, "rb") as file:
        data = file.read()
    width, height, depth, kind = struct.unpack(">IIBB", data[16:26])
    assert depth == 8
    channels = {0: 1, 2: 3, 4: 2, 6: 4}[kind]
    at, packed = 8, b""
    while at < len(data):
        n, name = struct.unpack(">I4s", data[at:at + 8])
        packed += data[at + 8:at + 8 + n] if name == b"IDAT" else b""
        at += 12 + n
    raw, row, out = zlib.decompress(packed), width * channels, []
    before = [0] * row
    for y in range(height):
        how, line = raw[y * (row + 1)], list(raw[y * (row + 1) + 1:(y + 1) * (row + 1)])
        for i in range(row):
            a = line[i - channels] if i >= channels else 0
            b, c = before[i], before[i - channels] if i >= channels else 0
            p = a + b - c
            paeth = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
            line[i] = (line[i] + (0, a, b, (a + b) // 2, paeth)[how]) & 255
        before = line
        out += line
    return width, height, channels, out


class Import(ClassifyCase):
    def setUp(self):
        super().setUp()
        self.model = self.write("bare.onnx", bare_model())
        self.labels = self.write("labels.txt", "n01440764 cat\nn01443537 dog\nn01484850 fish, trout\n")
        self.out = self.path("models/net/1")
        self.picture = self.write("picture.png", tiny_files.png(8, 6, [(i * 5) % 256 for i in range(144)], 3))

    def imported(self, *more):
        text, _ = self.classify("import", self.model, "--out", self.out, *more)
        return text

    def test_one_file_is_enough(self):
        text = self.imported("--preset", "imagenet-caffe", "--labels", self.labels)
        self.assertRegex(text, r"(?m)^labels +config +3: cat, dog, fish, trout$")
        self.assertRegex(text, r"(?m)^size +file +4 x 4$")
        self.assertRegex(text, r"(?m)^softmax +guessed +added")
        os.remove(self.labels)
        found = self.classify_json("inspect", self.out)
        self.assertEqual(found["labels"], ["cat", "dog", "fish, trout"])
        self.assertEqual(found["golden_samples"], 2)
        self.assertEqual(found["guessed"], [])
        self.assertEqual({k for k, v in found["origin"].items() if v == "file"},
                         {"labels", "color", "layout", "size", "resize", "values", "softmax"})
        pre = found["preprocess"]
        self.assertEqual((pre["color"], pre["resize"], pre["shorter_side"], pre["scale"]), ("bgr", "center_crop", 4, 1))
        self.assertAlmostEqual(pre["mean"][0], 103.939, places=4)
        # The same probabilities as with everything beside the file.
        config = self.write("config.json", json.dumps({"preprocess": {"preset": "imagenet-caffe"}}))
        apart = self.classify_json("predict", self.model, self.picture, "--config", config)
        together = self.classify_json("predict", self.out, self.picture)
        self.assertEqual([p["probability"] for p in apart["pictures"][0]["predictions"]],
                         [p["probability"] for p in together["pictures"][0]["predictions"]])

    def test_the_graph_stays_byte_by_byte(self):
        self.imported("--preset", "zero-one")
        with open(self.model, "rb") as before, open(self.out + "/model.onnx", "rb") as after:
            old, new = before.read(), after.read()
        self.assertEqual(new[:len(old)], old)
        self.assertEqual(self.classify_json("inspect", self.out)["labels"], ["0", "1", "2"])

    def test_what_was_guessed_stands_in_the_file(self):
        """Of several outputs the first with floats is taken; another reader may take another."""
        n = 48
        weights = [((i * 31) % 11 - 5) / 100 for i in range(3 * n)]
        bare = self.write("two.onnx", tiny_files.model(
            [tiny_files.node("Flatten", ["x"], ["flat"]), tiny_files.node("Gemm", ["flat", "w"], ["scores"]),
             tiny_files.node("Sigmoid", ["scores"], ["several"])],
            [tiny_files.floats("w", [n, 3], weights)], [tiny_files.value_info("x", ["N", 3, 4, 4])],
            [tiny_files.value_info("several", ["N", 3]), tiny_files.value_info("scores", ["N", 3])]))
        text, _ = self.classify("import", bare, "--out", self.out)
        self.assertRegex(text, r"(?m)^output +guessed +'several'$")
        self.assertIn("What was guessed may be wrong", text)
        found = self.classify_json("inspect", self.out)
        self.assertEqual((found["output"], found["origin"]["output"], found["independent"]), ("several", "file", True))
        self.assertNotIn("guessed", found["origin"].values())
        self.assertNotIn("config_as_guessed", found)

    def test_golden_pictures(self):
        self.imported("--golden", self.picture, self.picture, self.picture)
        self.assertEqual(self.classify_json("inspect", self.out)["golden_samples"], 3)
        self.refused("import", self.model, "--out", self.path("other"), "--golden", self.path("none.png"),
                     says=self.path("none.png"))
        self.assertFalse(os.path.exists(self.path("other")))

    def test_config_and_what_wins(self):
        config = self.write("config.json", json.dumps({
            "labels": ["a", "b", "c"], "top": 2, "description": "three things",
            "preprocess": {"preset": "zero-one", "filter": "nearest", "background": [255], "resize": "letterbox"}}))
        self.imported("--config", config, "--labels", self.labels)
        found = self.classify_json("inspect", self.out)
        self.assertEqual((found["labels"][0], found["top"], found["description"]), ("cat", 2, "three things"))
        self.assertEqual(found["preprocess"]["filter"], "nearest")
        self.assertEqual(found["preprocess"]["background"], [255, 255, 255])
        answer = self.classify_json("predict", self.out, self.picture)
        self.assertEqual(len(answer["pictures"][0]["predictions"]), 2)
        answer = self.classify_json("predict", self.out, self.picture, "--top", "3")
        self.assertEqual(len(answer["pictures"][0]["predictions"]), 3)

    def test_nothing_is_overwritten_silently(self):
        self.imported("--preset", "zero-one", "--labels", self.labels)
        with open(self.out + "/model.onnx", "rb") as file:
            before = file.read()
        self.refused("import", self.model, "--out", self.out, says=["model.onnx exists", "--force"])
        imported, other = self.out + "/model.onnx", self.path("other")
        self.refused("import", imported, "--out", other, "--preset", "imagenet-tf", "--labels", self.labels,
                     says=["says itself: labels, color", "values", "--force"])
        self.assertFalse(os.path.exists(other))
        self.classify("import", imported, "--out", other, "--preset", "imagenet-tf", "--force")
        self.assertEqual(self.classify_json("inspect", other)["labels"][0], "cat")
        self.assertAlmostEqual(self.classify_json("inspect", other)["preprocess"]["mean"][0], 1)
        with open(imported, "rb") as file:
            self.assertEqual(file.read(), before)
        self.imported("--preset", "zero-one", "--force")

    def test_refusals(self):
        self.refused("import", self.model, "--out", self.out, "--preset", "imagenet",
                     says=["preset is 'imagenet'", "imagenet-torchvision"])
        two = self.write("two.txt", "a\nb\n")
        self.refused("import", self.model, "--out", self.out, "--labels", two, says=["2 labels", "3 classes"])
        self.refused("import", self.model, "--out", self.out, "--preset", "mnist", says="preprocessing gives 1 x 4 x 4")
        raw = self.write("raw.onnx", tiny_files.two_input_model())
        self.refused("import", raw, "--out", self.out, says=["raw.onnx", "takes no pictures: the graph has 2"])
        config = self.write("config.json", '{"softmax": false}')
        self.refused("import", self.model, "--out", self.out, "--config", config, says="say softmax true if it")
        self.assertFalse(os.path.exists(self.out))

    def test_the_checker_of_onnx_accepts_it(self):
        check = "import onnx, sys; m = onnx.load(sys.argv[1]); onnx.checker.check_model(m); print(len(m.metadata_props))"
        self.imported("--preset", "imagenet-torchvision", "--labels", self.labels)
        if subprocess.run([sys.executable, "-c", "import onnx"], stderr=subprocess.DEVNULL).returncode:
            self.skipTest("python3-onnx is not installed")
        done = subprocess.run([sys.executable, "-c", check, self.out + "/model.onnx"], capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout.strip()), (0, "5"), done.stderr)


class Preprocess(ClassifyCase):
    def test_the_picture_that_the_model_sees(self):
        model = self.write_quadrant_model(metadata={"classifyd.preprocess": json.dumps(
            {"color": "gray", "width": 2, "height": 2, "filter": "nearest", "mean": [0.5], "std": [0.1]})})
        picture = self.write("wide.png", tiny_files.png(4, 2, [10, 20, 30, 40, 50, 60, 70, 80]))
        text, _ = self.classify("preprocess", model, picture, "--out", self.path("seen.png"))
        self.assertIn("4 x 2", text)
        self.assertEqual(read_png(self.path("seen.png")), (2, 2, 1, [20, 40, 60, 80]))

    def test_color_is_shown_as_people_see_it(self):
        model = self.write("bgr.onnx", bare_model(side=1))
        config = self.write("config.json", '{"preprocess": {"color": "bgr", "mean": [1, 2, 3]}}')
        picture = self.write("red.png", tiny_files.png(1, 1, [200, 100, 50], 3))
        self.classify("preprocess", model, picture, "--out", self.path("seen.png"), "--config", config)
        self.assertEqual(read_png(self.path("seen.png")), (1, 1, 3, [200, 100, 50]))

    def test_refusals(self):
        model = self.write_quadrant_model()
        self.refused("preprocess", model, self.path("none.png"), "--out", self.path("x.png"), says="none.png")
        self.assertFalse(os.path.exists(self.path("x.png")))
        self.assertNotEqual(subprocess.run([CLASSIFY, "preprocess", model], capture_output=True).returncode, 0)


if __name__ == "__main__":
    unittest.main()
