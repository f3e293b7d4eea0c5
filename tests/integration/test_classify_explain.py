"""classify explain: heat maps by every method, their numbers in JSON, and what it refuses."""
import io
import json
import os
import unittest

import numpy
import tiny_files
import tiny_onnx
from classify_case import USAGE, ClassifyCase
from PIL import Image

SOURCE = os.environ["CLASSIFYD_SOURCE"]
MNIST = os.path.join(SOURCE, "models", "mnist", "1")
SIZE = 16
SPOT = (slice(9, 14), slice(2, 7))  # rows, columns


def spot_picture():
    pixels = numpy.zeros((SIZE, SIZE), numpy.uint8)
    pixels[SPOT] = 255
    return pixels


def png(pixels):
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "png")
    return out.getvalue()


def read(path):
    with Image.open(path) as image:
        return numpy.asarray(image.convert("RGB")).astype(int)


def share_in(map_, region):
    """How much of a map's positive part lies in a region."""
    positive = numpy.maximum(map_, 0)
    return positive[region].sum() / positive.sum()


class Explain(ClassifyCase):
    def setUp(self):
        super().setUp()
        self.model = self.write("spot.onnx", tiny_onnx.spot_model(SIZE))
        self.linear = self.write("linear.onnx", tiny_onnx.model(size=SIZE))
        self.picture = self.write("in.png", png(spot_picture()))
        self.out = self.path("heat.png")

    def explain_json(self, *args, model=None, picture=None):
        answer = self.classify_json("explain", model or self.model, picture or self.picture, *args)
        values = numpy.array(answer["map"]["values"])
        self.assertEqual(values.shape, (answer["map"]["height"], answer["map"]["width"]))
        self.assertEqual(answer["map"]["signed"], answer["method"] in ("integrated-gradients", "occlusion"))
        self.assertAlmostEqual(answer["map"]["sum"], values.sum(), delta=1e-3 * numpy.abs(values).sum() + 1e-6)
        return answer, values

    def test_every_method_points_at_the_spot(self):
        for method in ("gradcam", "integrated-gradients", "smoothgrad", "occlusion"):
            answer, values = self.explain_json("--method", method, "--class", "spot", "--out", self.out)
            self.assertEqual((answer["method"], answer["index"], answer["label"]), (method, 1, "spot"))
            self.assertGreater(answer["probability"], 0.5)
            # The map of the 3 x 3 filters, or a patch, spreads a little beyond the spot.
            around = (slice(7, 16), slice(0, 9))
            self.assertGreater(share_in(values, around), 0.9, method)
            drawn = read(self.out)
            self.assertGreaterEqual(min(drawn.shape[:2]), 224)
            # The color lies where the map does: red above blue or green inside, not in the far corner.
            scale = drawn.shape[0] // SIZE
            colored = drawn.max(axis=2) - drawn.min(axis=2)
            inside = colored[10 * scale:13 * scale, 3 * scale:6 * scale].mean()
            outside = colored[:4 * scale, 10 * scale:].mean()
            self.assertGreater(inside, 60 + outside, method)

    def test_the_class_is_named_by_number_or_label(self):
        by_number, _ = self.explain_json("--class", "0")
        by_label, _ = self.explain_json("--class", "dark")
        self.assertEqual(by_number, by_label)
        self.assertEqual((by_label["index"], by_label["label"]), (0, "dark"))
        best, _ = self.explain_json()
        self.assertEqual(best["label"], "spot")
        self.refused("explain", self.model, self.picture, "--class", "2", says=['"2"', "0 to 1 or a label"])
        self.refused("explain", self.model, self.picture, "--class", "sport", says='did you mean "spot"?')

    def test_integrated_gradients_are_complete(self):
        for args in ([], ["--class", "0"], ["--baseline", "white"], ["--steps", "200"]):
            answer, _ = self.explain_json("--method", "integrated-gradients", *args)
            difference = answer["score"] - answer["baseline_score"]
            self.assertAlmostEqual(answer["map"]["sum"], difference, delta=0.02 * abs(difference) + 1e-5)

    def test_text_says_what_and_where_to(self):
        text, _ = self.classify("explain", self.model, self.picture, "--out", self.out)
        for pattern in (r"class +1, spot", r"probability +\d+\.\d{3} %", r"score +[\d.]+, 'scores'",
                        r"method +gradcam: ", r"map +16 x 16, from .* of '\w+', 14 x 14",
                        r"wrote +\S*heat\.png, 224 x 224"):
            self.assertRegex(text, rf"(?m)^{pattern}")

    def test_over_the_original(self):
        wide = numpy.zeros((60, 90), numpy.uint8)
        wide[35:50, 10:40] = 255
        picture = self.write("wide.png", png(wide))
        self.classify("explain", self.model, picture, "--out", self.out, "--original", "--scale", "1")
        self.assertEqual(tiny_files.png_size(self.out), (90, 60))
        self.classify("explain", self.model, picture, "--out", self.out, "--scale", "3")
        self.assertEqual(tiny_files.png_size(self.out), (3 * SIZE, 3 * SIZE))

    def test_same_command_same_bytes(self):
        seen = set()
        for _ in range(2):
            self.classify("explain", self.model, self.picture, "--method", "smoothgrad", "--out", self.out)
            with open(self.out, "rb") as file:
                seen.add(file.read())
        self.assertEqual(len(seen), 1)
        one, _ = self.explain_json("--method", "smoothgrad", "--seed", "1")
        other, _ = self.explain_json("--method", "smoothgrad", "--seed", "2")
        self.assertNotEqual(one["map"]["values"], other["map"]["values"])

    def test_a_digit_beside_noise(self):
        """Occlusion and Grad-CAM agree on which part of the picture the digit is."""
        begin = 19  # the noise lies to the right of it, the digit to the left
        for digit, name in ((4, "four"), (6, "six")):
            with Image.open(os.path.join(SOURCE, "tests", "images", name + ".png")) as image:
                pixels = numpy.asarray(image.convert("L")).copy()
            left = numpy.flatnonzero(pixels.max(axis=0) > 30)[0]
            pixels = numpy.roll(pixels, 2 - left, axis=1)
            self.assertEqual(pixels[:, begin:].max(), 0)
            y, x = numpy.mgrid[4:24, begin:27]
            pixels[4:24, begin:27] = (31 * x * x + 17 * y * y + 7 * x * y) % 120
            picture = self.write("digit.png", png(pixels))
            maps = {}
            for method in ("occlusion", "gradcam"):
                answer, maps[method] = self.explain_json("--method", method, model=MNIST, picture=picture)
                self.assertEqual(answer["label"], str(digit))
                self.assertGreater(share_in(maps[method], (slice(None), slice(0, begin))), 0.8, method)
            positive = [numpy.maximum(m, 0).ravel() for m in maps.values()]
            self.assertGreater(numpy.corrcoef(*positive)[0, 1], 0.2)

    def test_what_it_refuses(self):
        self.refused("explain", self.model, self.picture, "--method", "magic",
                     says=["magic", "gradcam", "occlusion"], exit_code=USAGE)
        self.refused("explain", self.linear, self.picture, "--method", "gradcam", says="convolution")
        self.refused("explain", self.linear, self.picture, "--method", "neighbours", says="neighbour")
        self.refused("explain", self.model, self.picture, "--method", "gradcam", "--steps", "9",
                     says=["steps", "gradcam"])
        self.refused("explain", self.model, self.picture, "--method", "occlusion", "--patch", "-1", says="patch")
        self.refused("explain", self.model, self.picture, "--method", "integrated-gradients", "--steps", "many",
                     says=["steps", "many"])
        self.refused("explain", self.model, self.path("none.png"), says="none.png")
        self.refused("explain", self.model, self.write("bad.png", b"hello"), says="bad.png")
        self.refused("explain", self.model, self.picture, "--out", self.path("no/such/folder.png"), says="folder.png")
        self.refused("explain", self.model, self.picture, "--scale", "65", says="scale", exit_code=USAGE)
        self.refused("explain", self.model, says="wants MODEL IMAGE", exit_code=USAGE)

    def test_help_lists_the_engine_s_parameters(self):
        text, _ = self.classify("explain", "--help")
        for option in ("steps", "samples", "noise", "seed", "patch", "stride", "baseline", "neighbours"):
            self.assertRegex(text, rf"(?m)^  --{option} (N|COLOR) .*; .*default ")

    def test_a_linear_model_takes_what_it_can(self):
        answer, _ = self.explain_json(model=self.linear)
        self.assertEqual(answer["method"], "integrated-gradients")
        answer, _ = self.explain_json("--method", "occlusion", model=self.linear)
        self.assertGreater(answer["runs"], 10)

    def test_neighbours(self):
        rng = numpy.random.default_rng(3)
        labels = [i % 2 for i in range(20)]
        train = [rng.integers(0, 60, 36) + 150 * label for label in labels]
        tiny_files.write_idx(self.folder, 6, 6, [t.tolist() for t in train], labels, split="train")
        tiny_files.write_idx(self.folder, 6, 6, [t.tolist() for t in train[:4]], labels[:4])
        recipe = self.write("recipe.json", json.dumps(
            {"name": "near", "method": "knn", "labels": ["night", "day"], "golden": 2, "knn": {"k": 3}}))
        model = self.path("near/1")
        self.classify("train", recipe, "--data", self.folder, "--out", model)
        picture = self.write("n.png", tiny_files.png(6, 6, train[5].tolist()))
        answer = self.classify_json("explain", model, picture, "--neighbours", "4", "--out", self.out)
        self.assertEqual((answer["method"], answer["label"]), ("neighbours", "day"))
        self.assertNotIn("map", answer)
        found = self.classify_json("neighbours", model, picture, "--count", "4")
        self.assertEqual(found, {key: answer[key] for key in found})
        self.assertGreater(min(tiny_files.png_size(self.out)), 100)
        text, _ = self.classify("explain", model, picture)
        self.assertRegex(text, r"(?m)^ +5 +0 +day$")


if __name__ == "__main__":
    unittest.main()
