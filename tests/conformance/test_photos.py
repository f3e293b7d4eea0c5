"""Photographs: probabilities are those of Pillow, torchvision's preprocessing and ONNX Runtime; over HTTP too."""
import os
import sys

DATA = os.environ.get("CLASSIFYD_DATA")
if not DATA:
    print("skipped: CLASSIFYD_DATA names no folder of real data")
    sys.exit(77)
try:
    import numpy
    from PIL import Image  # noqa: F401
    import onnxruntime
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)
if not onnxruntime.is_here():
    print("skipped: build/peers/node_modules holds no onnxruntime-node")
    sys.exit(77)
import json
import shutil
import unittest

import daemon
import photos
from classify_case import ClassifyCase

MODEL = f"{DATA}/onnx/imagenet/mobilenetv2.onnx"
N_CLASSES, TOLERANCE = 1000, 2e-3


def others():
    """Those without a class: other makers', a PNG, a JPEG whose name says PNG, all sizes."""
    names = sorted(os.listdir(f"{DATA}/photos"))
    return [f"{DATA}/photos/{name}" for name in names if name.startswith(("darknet", "pytorchhub", "winml"))]


class Photographs(daemon.TestCase, ClassifyCase):
    @classmethod
    def setUpClass(cls):
        cls.paths, cls.classes = photos.listed(f"{DATA}/photos")
        cls.paths += others()
        samples = numpy.stack([photos.prepare(path) for path in cls.paths])
        scores = numpy.concatenate([onnxruntime.run(MODEL, samples[i:i + 17]) for i in range(0, len(samples), 17)])
        cls.wanted = onnxruntime.softmax(scores)

    def setUp(self):
        ClassifyCase.setUp(self)
        daemon.TestCase.setUp(self)

    def check(self, answers):
        found = numpy.array([photos.probabilities(answer, N_CLASSES) for answer in answers])
        off = abs(found - self.wanted).max(axis=1)
        worst = off.argmax()
        self.assertLess(off[worst], TOLERANCE, self.paths[worst])
        top = numpy.argsort(-found[:len(self.classes)], axis=1)
        self.assertEqual(sum(row[0] == label for row, label in zip(top, self.classes)), 48)
        self.assertEqual(sum(label in row[:5] for row, label in zip(top, self.classes)), 53)
        return found

    def install(self, version):
        os.makedirs(f"{self.models}/mobilenet/{version}")
        shutil.copyfile(MODEL, f"{self.models}/mobilenet/{version}/model.onnx")

    def ask(self, d):
        answers = []
        for path in self.paths:
            with open(path, "rb") as file:
                reply = d.post(f"/classify/mobilenet?top={N_CLASSES}", file.read())
            self.assertEqual(reply.status, 200, (path, reply.body[:300]))
            answers.append(reply.json())
        return answers

    def test_command(self):
        self.assertEqual(len(self.classes), 56)
        config = self.write("config.json", json.dumps(photos.TORCHVISION))
        answer = self.classify_json("predict", MODEL, *self.paths, "--top", str(N_CLASSES), "--config", config)
        self.check(answer["pictures"])

    def test_http_and_hot_reload(self):
        self.install(1)
        with open(f"{self.models}/mobilenet/config.json", "w") as file:
            json.dump(photos.TORCHVISION, file)
        d = self.start()
        first = self.ask(d)
        before = self.check(first)
        self.assertEqual({answer["version"] for answer in first}, {"1"})
        self.install(2)
        reply = d.post("/models/mobilenet/reload", admin=True)
        self.assertEqual(reply.status, 200, reply.body)
        second = self.ask(d)
        self.assertEqual({answer["version"] for answer in second}, {"2"})
        numpy.testing.assert_allclose(self.check(second), before, atol=1e-6)


if __name__ == "__main__":
    unittest.main()
