"""Networks of photographs of which nothing is said: what is guessed of their pixels is what their makers used."""
import os
import sys

DATA = os.environ.get("CLASSIFYD_DATA")
if not DATA:
    print("skipped: CLASSIFYD_DATA names no folder of real data")
    sys.exit(77)
import unittest

from classify_case import ClassifyCase


class BarePhotographs(ClassifyCase):
    def right(self, model):
        """How many of the 56 are right, and right among the first five."""
        answer = self.classify_json("eval", f"{DATA}/onnx/imagenet/{model}.onnx", "--data", f"{DATA}/photos")
        self.assertEqual(answer["samples"], 56)
        return answer["correct"], answer["correct_top_5"]

    def test_torchvision(self):
        self.assertEqual(self.right("mobilenetv2"), (48, 53))

    def test_caffe(self):
        """More than with pixels from which no mean is subtracted, which give 26."""
        self.assertEqual(self.right("squeezenet1.1"), (32, 43))


if __name__ == "__main__":
    unittest.main()
