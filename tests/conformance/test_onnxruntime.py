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
