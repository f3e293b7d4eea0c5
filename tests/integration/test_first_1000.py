"""The first 1,000 MNIST test images as PNG over HTTP get the labels that `classify eval` and ONNX
Runtime give, and the probabilities add up."""
import os
import sys

DATA = os.environ.get("CLASSIFYD_DATA")
if not DATA:
    print("skipped: CLASSIFYD_DATA names no folder of real data")
    sys.exit(77)
try:
    import onnxruntime
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)
import http.client
import json
import unittest

import shipped
import tiny_files
from classify_case import ClassifyCase
from daemon import Daemon

N = 1000


class First1000(ClassifyCase):
    def served(self, pixels):
        """Posts every image on one connection; returns the most probable labels."""
        daemon = Daemon(shipped.MODELS)
        self.addCleanup(lambda: self.assertEqual(daemon.stop(), 0, daemon.log()))
        connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=60)
        self.addCleanup(connection.close)
        labels = []
        for image in pixels:
            connection.request("POST", "/classify/mnist", tiny_files.png(28, 28, image.ravel().tobytes()),
                               {"Content-Type": "image/png"})
            reply = connection.getresponse()
            answer = json.loads(reply.read())
            self.assertEqual(reply.status, 200, answer)
            predictions = answer["predictions"]
            self.assertAlmostEqual(sum(p["probability"] for p in predictions), 1, places=5)
            self.assertEqual(predictions, sorted(predictions, key=lambda p: -p["probability"]))
            labels.append(predictions[0]["label"])
        return labels

    def test_labels(self):
        folder = os.path.join(shipped.MODELS, "mnist", "1")
        card = shipped.card(folder)
        pixels = shipped.idx_test_images(os.path.join(DATA, "mnist"))[:N]
        self.classify("eval", folder, "--data", os.path.join(DATA, "mnist"), "--predictions",
                      self.path("predictions"))
        with open(self.path("predictions")) as file:
            evaluated = [card["labels"][int(line)] for line in file][:N]
        served = self.served(pixels)
        self.assertEqual(len(served), N)
        self.assertEqual(served, evaluated)
        if not onnxruntime.is_here():
            self.skipTest("build/peers/node_modules holds no onnxruntime-node; classify eval agreed")
        scores = onnxruntime.run(os.path.join(folder, "model.onnx"), shipped.prepare(card, pixels))
        self.assertEqual(served, [card["labels"][i] for i in scores.argmax(axis=1)])


if __name__ == "__main__":
    unittest.main()
