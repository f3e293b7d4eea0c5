"""What ships gives in ONNX Runtime the probabilities that it gives here, within 1e-5."""
import os
import sys

try:
    import numpy
    from PIL import Image
    import onnxruntime
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)
if not onnxruntime.is_here():
    print("skipped: build/peers/node_modules holds no onnxruntime-node")
    sys.exit(77)
import glob
import json
import unittest

import shipped
import tiny_files
from classify_case import ClassifyCase

TOLERANCE = 1e-5
DATA = os.environ.get("CLASSIFYD_DATA")


class OnnxRuntime(ClassifyCase):
    def theirs(self, folder, card, samples):
        scores = onnxruntime.run(os.path.join(folder, "model.onnx"), samples)
        return onnxruntime.softmax(scores) if card["add_softmax"] else scores

    def ours_raw(self, folder, card, samples):
        numpy.save(self.path("in.npy"), samples)
        self.classify("run", folder, "--input", self.path("in.npy"), "--output-dir", self.folder)
        scores = numpy.load(self.path("out_0.npy"))
        return onnxruntime.softmax(scores) if card["add_softmax"] else scores

    def ours_predicted(self, folder, card, paths):
        answer = self.classify_json("predict", folder, *paths, "--top", str(card["classes"]))
        rows = numpy.zeros((len(paths), card["classes"]))
        for row, picture in zip(rows, answer["pictures"]):
            for prediction in picture["predictions"]:
                row[prediction["index"]] = prediction["probability"]
        return rows

    def check(self, ours, theirs):
        self.assertEqual(ours.shape, theirs.shape)
        self.assertLess(numpy.abs(ours - theirs).max(), TOLERANCE)

    def each_model(self):
        folders = shipped.version_folders()
        self.assertGreaterEqual(len(folders), 2, "the repository ships models")
        for folder in folders:
            card = shipped.card(folder)
            if any(node["operator"] == "KNearest" for node in card["nodes"]):
                continue  # an operator of our own domain
            with self.subTest(model=folder):
                yield folder, card

    def test_random_tensors(self):
        for folder, card in self.each_model():
            shape = [64] + card["inputs"][0]["shape"][1:]
            samples = numpy.random.default_rng(7).normal(0.3, 0.5, shape).astype(numpy.float32)
            theirs = self.theirs(folder, card, samples)
            self.check(self.ours_raw(folder, card, samples), theirs)
            self.assertGreater(theirs.max(axis=1).std(), 0, "all samples look alike")

    def test_pictures_of_the_repository(self):
        for folder, card in self.each_model():
            pre = card["preprocess"]
            mode, size = ("L", "RGB")[pre["color"] != "gray"], (pre["width"], pre["height"])
            paths, pixels = [], []
            for path in sorted(glob.glob(os.path.join(shipped.SOURCE, "tests/images/*.png"))):
                with Image.open(path) as image:
                    if image.mode != mode or image.size != size:
                        continue
                    array = numpy.asarray(image).reshape(pre["height"], pre["width"], -1)
                paths.append(path)
                pixels.append(array[..., ::-1] if pre["color"] == "bgr" else array)
            if pre["width"] == 28 and mode == "L":
                self.assertGreaterEqual(len(paths), 10)
            if paths:
                theirs = self.theirs(folder, card, shipped.prepare(card, numpy.stack(pixels)))
                self.check(self.ours_predicted(folder, card, paths), theirs)

    def check_trained(self, samples, *args, **recipe):
        """A model trained here in a moment gives the same there, raw and as its card says."""
        recipe = {"name": "tiny", "epochs": 2, "batch": 20, **recipe}
        folder = self.path("trained")
        self.classify("train", self.write("recipe.json", json.dumps(recipe)), "--out", folder, "--quiet", *args)
        theirs = onnxruntime.run(os.path.join(folder, "model.onnx"), samples)
        ours = self.ours_raw(folder, {"add_softmax": False}, samples)
        self.check(ours, theirs)
        self.assertGreater(theirs.std(axis=0).max(), 1e-3, "all samples look alike")
        shown = self.classify_json("inspect", folder)
        return [node["operator"] for node in shown["nodes"]]

    def test_trained_on_vectors(self):
        rng = numpy.random.default_rng(3)
        points = rng.normal(0, 1, (50, 2)).astype(numpy.float32)
        nodes = self.check_trained(points, toy={"kind": "moons", "samples": 100},
                                   layers=[{"op": "Gemm", "outputs": 8}, {"op": "Tanh"},
                                           {"op": "Gemm", "outputs": 2}])
        self.assertEqual(nodes[:2], ["Sub", "Div"])

    def test_trained_to_predict_numbers(self):
        rng = numpy.random.default_rng(4)
        rows = rng.normal(5, 3, (100, 3)).astype(numpy.float32)
        text = "a,b,c,y\n" + "".join(f"{a},{b},{c},{a - b / 2 + 3}\n" for a, b, c in rows)
        nodes = self.check_trained(rows, "--data", self.write("data/t.csv", text), loss={"kind": "mean_squared_error"},
                                   csv={"target": "y", "test_share": 0.2}, layers=[{"op": "Gemm", "outputs": 1}])
        self.assertNotIn("Softmax", nodes)

    def test_trained_with_pixels_standardised(self):
        rng = numpy.random.default_rng(5)
        pixels, labels = rng.integers(0, 200, (100, 36)), rng.integers(0, 3, 100)
        pixels[:, 7], pixels[labels == 2, :9] = 0, 255  # one hardly ever differs
        for split in "train", "t10k":
            tiny_files.write_idx(self.folder, 6, 6, pixels.tolist(), labels.tolist(), split)
        samples = rng.random((40, 1, 6, 6)).astype(numpy.float32)
        nodes = self.check_trained(samples, "--data", self.folder, input={"standardise": "pixel"},
                                   layers=[{"op": "Conv", "outputs": 4, "kernel_shape": [3, 3]}, {"op": "Relu"},
                                           {"op": "Flatten"}, {"op": "Gemm", "outputs": 3}])
        self.assertEqual(nodes[:2], ["Sub", "Div"])

    @unittest.skipUnless(DATA, "CLASSIFYD_DATA names no folder of real data")
    def test_real_test_images(self):
        for folder, card in self.each_model():
            data = os.path.join(DATA, os.path.basename(os.path.dirname(folder)).removesuffix("-mlp"))
            if not os.path.isfile(os.path.join(data, "t10k-images-idx3-ubyte.gz")):
                continue
            pixels = shipped.idx_test_images(data)[:1000]
            theirs = self.theirs(folder, card, shipped.prepare(card, pixels))
            self.check(self.ours_raw(folder, card, shipped.prepare(card, pixels)), theirs)
            paths = [self.write(f"{i}.png", tiny_files.png(28, 28, pixels[i].ravel().tobytes()))
                     for i in range(100)]
            self.check(self.ours_predicted(folder, card, paths), theirs[:100])


if __name__ == "__main__":
    unittest.main()
